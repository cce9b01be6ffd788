/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal ladder. A line is three fields: time, lane, state.
 *
 *     0.3 ms  SYN · my numbers start at 0 ────────────────▶  SYN-SENT
 *
 * The lane takes what the other two leave of the width. An arrow carries its words at the end where
 * the speaker stands: left when we speak, right when the peer does. Bursts have a double shaft,
 * holes a broken one. Lines without a direction (notes, claims) run on through the state's field.
 */
#include "report/ladder.h"

#include <string.h>

#include "base/assert.h"
#include "report/look.h"
#include "report/telling.h"
#include "report/text.h"
#include "report/words.h"

#define TIME_COLUMNS  12 /* "  1234.5 ms  " */
#define STATE_COLUMNS 12 /* "SYN-RECEIVED" */
#define STATE_GAP     2
#define SHAFT_MIN     2
#define LINE_BYTES    1024
#define KERNEL_INDENT 10

enum paint { PAINT_NONE, PAINT_DIM, PAINT_US, PAINT_PEER, PAINT_WARN, PAINT_BAD, PAINT_STATE };

struct ladder {
    const struct tern_ladder_options *options;
    const struct tern_model *model;
    FILE *out;
    size_t columns, lane;
    tern_time origin;
};

static const char *paint_code(enum paint paint)
{
    switch (paint) {
    case PAINT_DIM:
        return "\033[2m";
    case PAINT_US:
        return "\033[36m";
    case PAINT_PEER:
        return "\033[32m";
    case PAINT_WARN:
        return "\033[33m";
    case PAINT_BAD:
        return "\033[1;31m";
    case PAINT_STATE:
        return "\033[1m";
    default:
        return "";
    }
}

/* Text in the chosen character set and colour. */
static void put(const struct ladder *l, enum paint paint, const char *utf8)
{
    char text[LINE_BYTES];
    bool painted = l->options->colour && paint != PAINT_NONE;

    text[0] = '\0';
    tern_text_append(text, sizeof text, utf8, LINE_BYTES);
    if (!l->options->utf8)
        tern_text_to_ascii(text);
    (void)fprintf(l->out, "%s%s%s", painted ? paint_code(paint) : "", text,
                  painted ? "\033[0m" : "");
}

static void repeat(char *line, const char *sign, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tern_text_append(line, LINE_BYTES, sign, 1);
}

static void put_time(const struct ladder *l, tern_time at)
{
    char text[32];
    double ms = (double)(at - l->origin) / 1e6;

    if (ms < 99999)
        (void)snprintf(text, sizeof text, "%7.1f ms  ", ms);
    else
        (void)snprintf(text, sizeof text, "%7.1f s   ", ms / 1e3);
    put(l, PAINT_DIM, text);
}

/* Words and shaft of an arrow, `columns` wide; to_right: from us. */
static void arrow(char *line, const struct tern_words *words, const char *shaft, bool to_right,
                  size_t columns)
{
    char text[LINE_BYTES];
    size_t room = columns - SHAFT_MIN - 2;

    TERN_ASSERT(columns > SHAFT_MIN + 2);
    tern_words_join(words, room, text, sizeof text);
    size_t left = columns - 2 - tern_text_columns(text);

    if (to_right) {
        tern_text_append(line, LINE_BYTES, text, room);
        repeat(line, " ", 1);
        repeat(line, shaft, left);
        repeat(line, "▶", 1);
    } else {
        repeat(line, "◀", 1);
        repeat(line, shaft, left);
        repeat(line, " ", 1);
        tern_text_append(line, LINE_BYTES, text, room);
    }
}

/* A burst that comes to us has its words in the middle of the shaft, as the eye expects. */
static void arrow_burst(char *line, const struct tern_words *words, bool to_right, size_t columns)
{
    char text[LINE_BYTES];
    size_t room = columns - 2 * SHAFT_MIN - 3;

    TERN_ASSERT(columns > 2 * SHAFT_MIN + 3);
    tern_words_join(words, room, text, sizeof text);
    size_t left = columns - 3 - tern_text_columns(text);

    if (!to_right)
        repeat(line, "◀", 1);
    repeat(line, "═", to_right ? left - left / 2 : SHAFT_MIN);
    repeat(line, " ", 1);
    tern_text_append(line, LINE_BYTES, text, room);
    repeat(line, " ", 1);
    repeat(line, "═", to_right ? left / 2 : left - SHAFT_MIN);
    if (to_right)
        repeat(line, "▶", 1);
}

static void put_state(const struct ladder *l, const struct tern_step *s)
{
    if (s->has_state) {
        put(l, PAINT_NONE, "  ");
        put(l, PAINT_STATE, tern_tcp_state_text(s->state));
    }
    (void)fputc('\n', l->out);
}

static enum paint paint_of(enum tern_tone tone, bool from_right)
{
    switch (tone) {
    case TERN_TONE_BAD:
        return PAINT_BAD;
    case TERN_TONE_WARN:
        return PAINT_WARN;
    default:
        return from_right ? PAINT_PEER : PAINT_US;
    }
}

/* What of the line is an arrow of words, and how it looks. */
struct flight {
    enum tern_lane from;
    bool burst;
    const char *shaft;
};

/*
 * An arrow from lane to lane. Where our machine's kernel has a lane, at column KERNEL_INDENT, ours
 * pass it, its own begin there, and what comes from the other side reaches both.
 */
static void lanes(const struct ladder *l, char *line, const struct tern_words *words,
                  const struct flight *f)
{
    bool to_right = f->from != TERN_LANE_RIGHT;
    size_t used = 0;

    if (l->options->kernel != NULL) {
        if (!to_right)
            repeat(line, "◀", 1);
        repeat(line, f->from == TERN_LANE_KERNEL ? " " : "─", KERNEL_INDENT - !to_right);
        if (to_right)
            tern_text_append(line, LINE_BYTES, f->from == TERN_LANE_KERNEL ? "├─ " : "┼─ ", 3);
        used = tern_text_columns(line);
    }
    if (f->burst)
        arrow_burst(line, words, to_right, l->lane - used);
    else
        arrow(line, words, f->shaft, to_right, l->lane - used);
}

static void put_arrow(const struct ladder *l, const struct tern_step *s)
{
    char line[LINE_BYTES] = "";
    struct tern_words words;
    const struct flight flight = {.from = s->from,
                                  .burst = tern_look_is_burst(s),
                                  .shaft = s->kind == TERN_STEP_HOLE ? "╌" : "─"};

    tern_words_step(s, &words);
    lanes(l, line, &words, &flight);
    put_time(l, s->at);
    put(l, paint_of(tern_look_tone(s, false), s->from == TERN_LANE_RIGHT), line);
    put_state(l, s);
}

/* A segment of the burst above that did not arrive: its arrow ends midway. */
static void put_lost(const struct ladder *l, const struct tern_step *s,
                     const struct tern_step_lost *lost)
{
    char line[LINE_BYTES] = "", range[80], after[32], tail[80];
    bool to_right = s->from != TERN_LANE_RIGHT;

    tern_words_range(lost->start, lost->end, range, sizeof range);
    (void)snprintf(tail, sizeof tail, "lost · again %s later",
                   tern_words_time(lost->again_at - lost->at, after));
    if (tern_text_columns(range) + tern_text_columns(tail) + 4 + SHAFT_MIN > l->lane)
        (void)snprintf(tail, sizeof tail, "lost");
    size_t used = tern_text_columns(range) + tern_text_columns(tail) + 4;
    size_t shaft = l->lane / 2 > tern_text_columns(range) + SHAFT_MIN + 2
                       ? l->lane / 2 - tern_text_columns(range) - 2
                       : SHAFT_MIN;
    size_t all = used + shaft;

    if (to_right) {
        tern_text_append(line, sizeof line, range, l->lane);
        repeat(line, " ", 1);
        repeat(line, "─", shaft);
        tern_text_append(line, sizeof line, "✗ ", 2);
        tern_text_append(line, sizeof line, tail, l->lane);
    } else {
        repeat(line, " ", all < l->lane ? l->lane - all : 0);
        tern_text_append(line, sizeof line, tail, l->lane);
        tern_text_append(line, sizeof line, " ✗", 2);
        repeat(line, "─", shaft);
        repeat(line, " ", 1);
        tern_text_append(line, sizeof line, range, l->lane);
    }
    put_time(l, lost->at);
    put(l, PAINT_BAD, line);
    (void)fputc('\n', l->out);
}

static void put_losses(const struct ladder *l, const struct tern_step *s)
{
    char more[TERN_WORDS_LOST_BYTES];

    for (uint32_t i = 0; i < tern_words_lost_shown(&s->data); i++)
        put_lost(l, s, &s->data.lost[i]);
    if (!tern_words_lost_more(&s->data, more))
        return;
    put(l, PAINT_NONE, "            ");
    put(l, PAINT_BAD, more);
    (void)fputc('\n', l->out);
}

/* The ACKs that answered a burst: below it, the time left blank where they were part of it. */
static void put_answer(const struct ladder *l, const struct tern_step *s)
{
    char line[LINE_BYTES] = "";
    struct tern_words words;
    bool to_right = s->from == TERN_LANE_RIGHT;
    const struct flight flight = {.from = to_right ? TERN_LANE_LEFT : TERN_LANE_RIGHT,
                                  .burst = s->acks.count > 1,
                                  .shaft = "─"};

    tern_words_acks(s, &words);
    lanes(l, line, &words, &flight);
    if (s->acks.count > 1)
        put(l, PAINT_NONE, "            ");
    else
        put_time(l, s->acks.at);
    put(l, paint_of(tern_look_tone(s, true), !to_right), line);
    (void)fputc('\n', l->out);
}

static void put_words(const struct ladder *l, const struct tern_step *s)
{
    char line[LINE_BYTES] = "";
    struct tern_words words;

    tern_words_step(s, &words);
    tern_words_join(&words, l->columns - TIME_COLUMNS, line, sizeof line);
    if (s->kind == TERN_STEP_NOTE)
        put(l, PAINT_NONE, "            ");
    else
        put_time(l, s->at);
    put(l, s->conflict ? PAINT_BAD : PAINT_NONE, line);
    (void)fputc('\n', l->out);
}

static void put_silence(const struct ladder *l, tern_time gap)
{
    char line[64];

    if (gap < TERN_SECOND)
        (void)snprintf(line, sizeof line, "         ⋮  %.0f ms of silence\n", (double)gap / 1e6);
    else
        (void)snprintf(line, sizeof line, "         ⋮  %.1f s of silence\n", (double)gap / 1e9);
    put(l, PAINT_DIM, line);
}

static void put_step(const struct ladder *l, const struct tern_step *s)
{
    if (tern_look_is_line(s)) {
        put_words(l, s);
        return;
    }
    put_arrow(l, s);
    if (s->kind == TERN_STEP_DATA)
        put_losses(l, s);
    if (s->kind == TERN_STEP_DATA && s->acks.count > 0)
        put_answer(l, s);
}

static struct ladder ladder_of(const struct tern_ladder_options *options, FILE *out)
{
    struct ladder l = {.options = options, .out = out, .columns = options->columns};

    if (l.columns < TERN_LADDER_COLUMNS_MIN)
        l.columns = TERN_LADDER_COLUMNS_MIN;
    if (l.columns > TERN_LADDER_COLUMNS_MAX)
        l.columns = TERN_LADDER_COLUMNS_MAX;
    l.lane = l.columns - TIME_COLUMNS - STATE_GAP - STATE_COLUMNS;
    return l;
}

void tern_ladder_header(const struct tern_ladder_options *options, FILE *out)
{
    struct ladder l = ladder_of(options, out);
    char line[LINE_BYTES] = "";
    size_t end = TIME_COLUMNS + l.lane;
    size_t peer = tern_text_columns(options->peer);

    tern_text_append(line, sizeof line, "  ", 2);
    tern_text_append(line, sizeof line, options->us, end / 2);
    if (options->kernel != NULL) {
        size_t used = tern_text_columns(line);

        repeat(line, " ",
               used + 2 < TIME_COLUMNS + KERNEL_INDENT ? TIME_COLUMNS + KERNEL_INDENT - used : 2);
        tern_text_append(line, sizeof line, options->kernel, end / 3);
    }
    size_t used = tern_text_columns(line);

    repeat(line, " ", used + peer + 1 < end ? end - used - peer : 1);
    tern_text_append(line, sizeof line, options->peer, l.columns);
    put(&l, PAINT_STATE, line);
    (void)fputc('\n', out);
}

/* Lines of silence stand between what is further apart than gap_min. */
static void put_told(const struct ladder *l, const struct tern_step *s,
                     const struct tern_step *before, tern_time *latest, tern_time gap_min)
{
    /* A claim's line is of its beginning: a silence after its end would not add up. */
    bool was_claim = before != NULL && before->kind == TERN_STEP_ARP_CLAIM;

    if (before != NULL && s->at - *latest >= gap_min && s->kind != TERN_STEP_NOTE && !was_claim)
        put_silence(l, s->at - *latest);
    put_step(l, s);
    if (before == NULL || s->until > *latest)
        *latest = s->until;
}

void tern_ladder_print(const struct tern_model *model, size_t first,
                       const struct tern_ladder_options *options, FILE *out)
{
    struct ladder l = ladder_of(options, out);
    tern_time gap_min = options->quiet_gap > 0 ? options->quiet_gap : 20 * TERN_MS;
    const struct tern_step *step, *before = NULL;
    struct tern_telling telling;
    tern_time latest = 0;

    l.model = model;
    l.origin = options->origin != 0 ? options->origin : tern_model_origin(model);
    if (options->one_conn) {
        tern_telling_begin(&telling, model, options->conn, options->is_tern);
        for (; (step = tern_telling_next(&telling)) != NULL; before = step)
            put_told(&l, step, before, &latest, gap_min);
        return;
    }
    for (size_t i = first; i < tern_model_step_count(model); i++) {
        step = tern_model_step(model, i);
        put_told(&l, step, before, &latest, gap_min);
        before = step;
    }
}

void tern_ladder_words(const struct tern_ladder_options *options, size_t indent, const char *utf8,
                       FILE *out)
{
    struct ladder l = ladder_of(options, out);
    size_t at = 0;

    while (*utf8 != '\0') {
        char word[LINE_BYTES] = "";
        size_t bytes = strcspn(utf8, " ");
        bool is_first = at == 0;

        if (bytes >= sizeof word)
            bytes = sizeof word - 1;
        memcpy(word, utf8, bytes);
        size_t columns = tern_text_columns(word);

        if (!is_first && at + 1 + columns > l.columns) {
            (void)fputc('\n', out);
            is_first = true;
        }
        if (is_first)
            (void)fprintf(out, "%*s", (int)indent, "");
        at = is_first ? indent + columns : at + 1 + columns;
        if (!is_first)
            (void)fputc(' ', out);
        put(&l, PAINT_NONE, word);
        utf8 += bytes;
        utf8 += strspn(utf8, " ");
    }
    (void)fputc('\n', out);
}
