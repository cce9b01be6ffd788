/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ladder as SVG. The drawing is laid out twice: once without writing, for its height, which
 * stands in the first line. A step is a row: its words above its arrow, its time at the left, the
 * state of the left side at the right. What is behind an arrow (the whole words, tern's reason) is
 * its <title>, which a browser shows on hovering.
 */
#include "report/svg.h"

#include <stdarg.h>
#include <string.h>

#include "report/look.h"
#include "report/telling.h"
#include "report/text.h"
#include "report/verdict.h"
#include "report/words.h"

#define WIDTH      920
#define LEFT       110
#define RIGHT      730
#define KERNEL     250 /* the lane of our own machine's kernel, where it meddled */
#define STATE      744
#define LOST_SHORT 180 /* by so much the arrow of a lost segment does not come there */
#define GAP        3   /* between an arrow's end and the lane that it comes to */
#define ROW        27
#define LINE       18
#define WORDS_MAX  92
#define FOLD_AT    118
#define TABLE_MAX  200
#define TEXT_BYTES 1024

struct svg {
    const struct tern_model *m;
    const struct tern_svg_options *options;
    FILE *out; /* NULL: only laid out */
    int y;
    bool kernel; /* it has a lane */
    tern_time origin;
    char time[32]; /* what stands at the last row: once is enough */
};

__attribute__((format(printf, 2, 3))) static void put(const struct svg *s, const char *format, ...)
{
    va_list args;

    if (s->out == NULL)
        return;
    va_start(args, format);
    (void)vfprintf(s->out, format, args);
    va_end(args);
}

static void put_text(const struct svg *s, const char *text)
{
    if (s->out != NULL)
        tern_text_xml(s->out, text);
}

static void text_at(const struct svg *s, int x, int y, const char *class, const char *text)
{
    put(s, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
    put_text(s, text);
    put(s, "</text>\n");
}

/* ---- rows ---- */

static const char *colour(const struct tern_step *step, bool answer)
{
    bool from_left = (step->from != TERN_LANE_RIGHT) != answer;

    switch (tern_look_tone(step, answer)) {
    case TERN_TONE_BAD:
        return "bad";
    case TERN_TONE_WARN:
        return "warn";
    default:
        return from_left ? "left" : "right";
    }
}

static void tip(const struct svg *s, int x, bool to_right, const char *class)
{
    int back = to_right ? x - 8 : x + 8;

    put(s, "<path class=\"%s tip\" d=\"M%d %dL%d %dL%d %dz\"/>\n", class, x, s->y + 7, back,
        s->y + 3, back, s->y + 11);
}

struct flight {
    enum tern_lane from;
    bool dashed, thick;
};

/* Where the kernel has a lane, what comes from the other side reaches it as well. */
static void arrow(const struct svg *s, const struct flight *f, const char *class)
{
    bool to_right = f->from != TERN_LANE_RIGHT;
    int left = f->from == TERN_LANE_KERNEL && s->kernel ? KERNEL : LEFT;
    int from = to_right ? left + 1 : RIGHT - 1, to = to_right ? RIGHT - GAP : LEFT + GAP;

    put(s, "<path class=\"%s%s%s\" d=\"M%d %dH%d\"/>", class, f->dashed ? " dashed" : "",
        f->thick ? " thick" : "", from, s->y + 7, to_right ? to - 6 : to + 6);
    tip(s, to, to_right, class);
    if (s->kernel && !to_right)
        tip(s, KERNEL + GAP, false, class);
}

static void time_at(struct svg *s, tern_time at)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%.1f ms", (double)(at - s->origin) / 1e6);
    if (strcmp(text, s->time) == 0)
        return;
    memcpy(s->time, text, sizeof text);
    put(s, "<text x=\"%d\" y=\"%d\" class=\"time\">%s</text>\n", LEFT - 14, s->y + 11, text);
}

/* Where an arrow's words begin, or end. */
static int words_x(const struct svg *s, bool to_right)
{
    return to_right ? (s->kernel ? KERNEL : LEFT) + 10 : RIGHT - 10;
}

static void words_on(const struct svg *s, const struct tern_words *words, bool to_right,
                     const char *class)
{
    char text[TEXT_BYTES];

    tern_words_join(words, WORDS_MAX, text, sizeof text);
    put(s, "<text x=\"%d\" y=\"%d\" class=\"words %s%s\">", words_x(s, to_right), s->y, class,
        to_right ? "" : " end");
    put_text(s, text);
    put(s, "</text>\n");
}

static void hint(const struct svg *s, const struct tern_step *step, const struct tern_words *words)
{
    char text[TEXT_BYTES];

    tern_words_join(words, TEXT_BYTES, text, sizeof text);
    put(s, "<title>");
    put_text(s, text);
    if (tern_look_reason(step) != NULL) {
        put(s, " — ");
        put_text(s, tern_look_reason(step));
    }
    put(s, "</title>\n");
}

static void lost_rows(struct svg *s, const struct tern_step *step)
{
    bool to_right = step->from != TERN_LANE_RIGHT;
    int middle = to_right ? RIGHT - LOST_SHORT : LEFT + LOST_SHORT;
    char text[TERN_WORDS_LOST_BYTES];

    for (uint32_t i = 0; i < tern_words_lost_shown(&step->data); i++) {
        const struct tern_step_lost *lost = &step->data.lost[i];

        s->y += ROW;
        time_at(s, lost->at);
        put(s, "<text x=\"%d\" y=\"%d\" class=\"words bad%s\">%s</text>\n", words_x(s, to_right),
            s->y, to_right ? "" : " end", tern_words_lost(lost, text));
        put(s, "<path class=\"bad\" d=\"M%d %dH%d\"/>", to_right ? LEFT : RIGHT, s->y + 7, middle);
        put(s, "<path class=\"bad\" d=\"M%d %dl10 10m0 -10l-10 10\"/>\n", middle - 5, s->y + 2);
    }
    if (tern_words_lost_more(&step->data, text)) {
        s->y += LINE;
        text_at(s, LEFT + 10, s->y, "words bad", text);
    }
}

static void answer_row(struct svg *s, const struct tern_step *step)
{
    struct tern_words words;
    bool to_right = step->from == TERN_LANE_RIGHT;
    const char *class = colour(step, true);
    const struct flight flight = {.from = to_right ? TERN_LANE_LEFT : TERN_LANE_RIGHT,
                                  .thick = step->acks.count > 1};

    s->y += ROW;
    tern_words_acks(step, &words);
    put(s, "<g>\n");
    hint(s, step, &words);
    time_at(s, step->acks.at);
    words_on(s, &words, to_right, class);
    arrow(s, &flight, class);
    put(s, "</g>\n");
}

static void step_row(struct svg *s, const struct tern_step *step)
{
    struct tern_words words;
    bool to_right = step->from != TERN_LANE_RIGHT;
    bool plain = tern_look_is_line(step);
    const char *class = colour(step, false);
    const struct flight flight = {.from = step->from,
                                  .dashed = step->kind == TERN_STEP_HOLE,
                                  .thick = tern_look_is_burst(step)};

    s->y += ROW;
    tern_words_step(step, &words);
    put(s, "<g>\n");
    hint(s, step, &words);
    time_at(s, step->at);
    words_on(s, &words, to_right, plain ? "note" : class);
    if (!plain)
        arrow(s, &flight, class);
    if (step->has_state)
        text_at(s, STATE, s->y + 11, "state", tern_tcp_state_text(step->state));
    put(s, "</g>\n");
    if (step->kind == TERN_STEP_DATA)
        lost_rows(s, step);
    if (step->kind == TERN_STEP_DATA && step->acks.count > 0)
        answer_row(s, step);
}

/* Time that passes is room on the paper: a little, so that a long picture stays one. */
static void breathe(struct svg *s, tern_time gap)
{
    s->y += gap < TERN_MS ? 0 : gap < 10 * TERN_MS ? 5 : 12;
}

static void silence_row(struct svg *s, tern_time gap)
{
    char text[64], time[32];

    s->y += LINE + 12;
    (void)snprintf(text, sizeof text, "⋮  %s of silence", tern_verdict_time(gap, time));
    text_at(s, (LEFT + RIGHT) / 2, s->y, "note mid", text);
}

/* Words folded at the drawing's width. */
static void paragraph(struct svg *s, const char *class, const char *words)
{
    char line[TEXT_BYTES] = "";

    while (*words != '\0') {
        size_t bytes = strcspn(words, " ");
        char word[TEXT_BYTES];

        if (bytes >= sizeof word)
            bytes = sizeof word - 1;
        memcpy(word, words, bytes);
        word[bytes] = '\0';
        if (line[0] != '\0' && tern_text_columns(line) + tern_text_columns(word) + 1 > FOLD_AT) {
            s->y += LINE;
            text_at(s, 24, s->y, class, line);
            line[0] = '\0';
        }
        if (line[0] != '\0')
            tern_text_append(line, sizeof line, " ", 1);
        tern_text_append(line, sizeof line, word, TEXT_BYTES);
        words += bytes;
        words += strspn(words, " ");
    }
    s->y += LINE;
    text_at(s, 24, s->y, class, line);
}

/* ---- a connection ---- */

static void head(struct svg *s, const struct tern_model_conn *c)
{
    char text[160], end[TERN_ENDPOINT_TEXT_MAX];

    s->y += 34;
    (void)snprintf(text, sizeof text, "%s %s",
                   s->options->is_tern ? "tern" : tern_verdict_who(c, TERN_SIDE_LEFT),
                   tern_endpoint_text(&c->end[TERN_SIDE_LEFT], end));
    text_at(s, 24, s->y, "head", text);
    (void)snprintf(text, sizeof text, "%s %s", tern_endpoint_text(&c->end[TERN_SIDE_RIGHT], end),
                   tern_verdict_who(c, TERN_SIDE_RIGHT));
    text_at(s, RIGHT, s->y, "head end", text);
    if (s->kernel)
        text_at(s, KERNEL, s->y, "head", "your kernel");
    (void)snprintf(text, sizeof text, "%s’s state",
                   s->options->is_tern ? "tern" : tern_verdict_who(c, TERN_SIDE_LEFT));
    text_at(s, STATE, s->y, "note small", text);
    s->y += 4;
}

static void facts(struct svg *s, const struct tern_model_conn *c)
{
    char words[TERN_VERDICT_BYTES], text[TEXT_BYTES], time[32];

    s->y += 14;
    (void)snprintf(text, sizeof text, "Where the time went: %s",
                   tern_verdict_slow(s->m, c->stream, words, sizeof words));
    paragraph(s, "fact", text);
    for (unsigned i = 0; i < c->stall_count; i++) {
        tern_verdict_stall(s->m, c->stream, &c->stall[i], words, sizeof words);
        (void)snprintf(text, sizeof text, "· at %s: %s",
                       tern_verdict_time(c->stall[i].at - s->origin, time), words);
        paragraph(s, "fact", text);
    }
    for (unsigned i = 0; tern_verdict_lacks(s->m, c->stream, i, words, sizeof words); i++) {
        (void)snprintf(text, sizeof text, "This %s lacks %s",
                       s->options->is_tern ? "picture" : "capture", words);
        paragraph(s, "fact", text);
    }
}

/* What is told of a connection; TERN_MODEL_NO_CONN: of none. */
static void steps(struct svg *s, uint32_t conn)
{
    struct tern_telling telling;
    const struct tern_step *step;
    tern_time latest;
    bool first = true;
    int top = s->y;

    s->origin = tern_telling_origin(s->m, conn, s->options->is_tern);
    s->time[0] = '\0';
    s->kernel = tern_model_has_kernel(s->m);
    latest = s->origin;
    tern_telling_begin(&telling, s->m, conn, s->options->is_tern);
    while ((step = tern_telling_next(&telling)) != NULL) {
        if (step->at - latest >= 50 * TERN_MS)
            silence_row(s, step->at - latest);
        else if (!first)
            breathe(s, step->at - latest);
        first = false;
        step_row(s, step);
        latest = step->until > latest ? step->until : latest;
    }
    put(s, "<path class=\"life\" d=\"M%d %dV%dM%d %dV%d\"/>\n", LEFT, top, s->y + 16, RIGHT, top,
        s->y + 16);
    if (s->kernel)
        put(s, "<path class=\"life\" d=\"M%d %dV%d\"/>\n", KERNEL, top, s->y + 16);
    s->y += 16;
}

static void conversation(struct svg *s, size_t index)
{
    const struct tern_model_conn *c = tern_model_conn(s->m, index);

    head(s, c);
    steps(s, c->stream);
    if (!s->options->bare)
        facts(s, c);
}

static void table(struct svg *s)
{
    size_t count = tern_model_conn_count(s->m);

    for (size_t i = 0; i < count && i < TABLE_MAX; i++) {
        const struct tern_model_conn *c = tern_model_conn(s->m, i);
        char a[TERN_ENDPOINT_TEXT_MAX], b[TERN_ENDPOINT_TEXT_MAX], words[TERN_VERDICT_BYTES];
        char text[TEXT_BYTES], time[32];

        (void)snprintf(text, sizeof text, "%zu · %s → %s · %s · %s", i,
                       tern_endpoint_text(&c->end[c->client], a),
                       tern_endpoint_text(&c->end[tern_side_other(c->client)], b),
                       tern_verdict_time(c->until - c->at, time),
                       tern_verdict_slow(s->m, i, words, sizeof words));
        paragraph(s, "fact", text);
    }
    if (count > TABLE_MAX) {
        char text[80], n[TERN_NUMBER_TEXT_MAX];

        (void)snprintf(text, sizeof text, "… and %s more", tern_text_number(count - TABLE_MAX, n));
        paragraph(s, "fact", text);
    }
}

/* ---- the drawing ---- */

static const char style[] =
    "<style>\n"
    "svg{background:#fff;font:13px system-ui,'DejaVu Sans',sans-serif}\n"
    "text{fill:#1b1f24}path{fill:none;stroke-width:1.4}\n"
    ".time{text-anchor:end;fill:#57606a;font-size:12px}.end{text-anchor:end}\n"
    ".words{font-size:12.5px}.head,.state{font-weight:600}.state{font-size:12px}\n"
    ".mid{text-anchor:middle}.small{font-size:11px}.note{fill:#57606a}.fact{fill:#1b1f24}.life{"
    "stroke:#afb8c1;stroke-width:"
    "1.6}\n"
    "path.left{stroke:#0b62c4}path.right{stroke:#1a7f37}path.warn{stroke:#9a5b00}\n"
    "path.bad{stroke:#c01c28}text.warn{fill:#7a4700}text.bad{fill:#b01020}\n"
    ".thick{stroke-width:3.6}.dashed{stroke-dasharray:3 5}\n"
    "path.left.tip{fill:#0b62c4}path.right.tip{fill:#1a7f37}path.warn.tip{fill:#9a5b00}\n"
    "path.bad.tip{fill:#c01c28}\n"
    "@media screen and (prefers-color-scheme:dark){svg{background:#0d1117}\n"
    "text,.fact{fill:#e6edf3}.time,.note{fill:#9aa4ae}.life{stroke:#6e7681}\n"
    "path.left{stroke:#58a6ff}path.right{stroke:#3fb950}path.warn{stroke:#d29922}\n"
    "path.bad{stroke:#ff7b72}text.warn{fill:#e3b341}text.bad{fill:#ffa198}\n"
    "path.left.tip{fill:#58a6ff}path.right.tip{fill:#3fb950}path.warn.tip{fill:#d29922}\n"
    "path.bad.tip{fill:#ff7b72}}\n"
    "</style>\n";

static void draw(struct svg *s)
{
    size_t count = tern_model_conn_count(s->m);

    s->y = 0;
    if (s->options->one_conn) {
        conversation(s, s->options->conn);
        return;
    }
    if (count != 1)
        table(s);
    for (size_t i = 0; i < count && count <= s->options->conns_max; i++)
        conversation(s, i);
    if (count == 0)
        paragraph(s, "fact", s->options->is_tern ? "No TCP here." : "No TCP in this capture.");
    if (count == 0 && s->options->is_tern && tern_model_story_count(s->m) > 0)
        steps(s, TERN_MODEL_NO_CONN);
}

bool tern_report_svg(const struct tern_model *m, const struct tern_svg_options *options, FILE *out)
{
    struct svg s = {.m = m, .options = options};
    char words[TERN_VERDICT_BYTES];
    size_t count = tern_model_conn_count(m);
    size_t shown = options->one_conn ? options->conn : 0;

    draw(&s);
    s.out = out;
    put(&s,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
        "viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"t d\">\n",
        WIDTH, s.y + 24, WIDTH, s.y + 24);
    put(&s, "<title id=\"t\">%zu TCP connection%s, drawn by tern</title>\n",
        options->one_conn ? 1 : count, options->one_conn || count == 1 ? "" : "s");
    put(&s, "<desc id=\"d\">");
    if (count > shown)
        put_text(&s, tern_verdict_slow(m, shown, words, sizeof words));
    put(&s, "</desc>\n%s", style);
    draw(&s);
    put(&s, "</svg>\n");
    return ferror(out) == 0;
}
