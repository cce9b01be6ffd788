/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of data: what was sent, what of it again and why, what came late, and what is missing.
 * See words.h.
 */
#include <string.h>

#include "report/text.h"
#include "report/words_internal.h"

#define LASTED_MIN (50 * TERN_US) /* less reads "0.0 ms" */

/* Why bytes were sent again, as far as it can be seen from outside. */
static const char *again_seen(const struct tern_step_data *d)
{
    switch (d->again) {
    case TERN_AGAIN_FAST:
        return "ACKs told of the loss";
    case TERN_AGAIN_TIMEOUT:
        return "no ACK in time";
    case TERN_AGAIN_PROBE:
        return "was the last one lost?";
    default:
        return "";
    }
}

/* Why bytes were sent again, in few words: as their sender said, else as it can be seen. */
static const char *again_reason(const struct tern_step *s)
{
    if (s->data.probe)
        return "";
    switch (s->data.cause) {
    case TERN_CAUSE_RTO:
        return "no ACK in time";
    case TERN_CAUSE_FAST_RETRANSMIT:
        return "duplicate ACKs: lost";
    case TERN_CAUSE_SACK_RETRANSMIT:
        return "SACK shows a hole";
    case TERN_CAUSE_RACK_RETRANSMIT:
        return "later ones arrived";
    case TERN_CAUSE_TAIL_PROBE:
        return "was the last one lost?";
    case TERN_CAUSE_WINDOW_PROBE:
        return "is the window open?";
    default:
        return s->near ? "" : again_seen(&s->data);
    }
}

/* Was it needless, and how is that known? */
static const char *needless_words(enum tern_spurious how)
{
    switch (how) {
    case TERN_SPURIOUS_ACKED:
        return "needless: already ACKed";
    case TERN_SPURIOUS_DSACK:
        return "needless: it came twice";
    case TERN_SPURIOUS_TIMESTAMPS:
        return "needless: the first came";
    case TERN_SPURIOUS_EARLY:
        return "needless: the first came";
    default:
        return "";
    }
}

static void segments_words(const struct tern_step *s, const char *adjective, struct tern_words *w)
{
    char n[TERN_NUMBER_TEXT_MAX];

    words_say(w, "%s %s%ssegment%s", tern_text_number(s->data.segments, n), adjective,
              adjective[0] == '\0' ? "" : " ", words_plural(s->data.segments));
}

/* How long a step took, where that is anything. */
static void lasted_words(const struct tern_step *s, struct tern_words *w)
{
    char time[32];

    if (s->until - s->at >= LASTED_MIN)
        words_say(w, "%s", tern_words_time(s->until - s->at, time));
}

static void burst_time_words(const struct tern_step *s, struct tern_words *w)
{
    if (s->data.segments > 1)
        lasted_words(s, w);
}

/* Do the first bytes read like a line of a text protocol: "GET / HTTP/1.1", "220 hello"? */
static bool has_first_line(const struct tern_step_data *d)
{
    const void *line_end = memchr(d->head, '\n', d->head_bytes);
    const void *blank = memchr(d->head, ' ', d->head_bytes < 10 ? d->head_bytes : 10);

    if (d->start != 0 || !tern_text_is_words(d->head, d->head_bytes))
        return false;
    return line_end != NULL || blank != NULL || d->head_bytes < TERN_STEP_HEAD_BYTES;
}

static void new_data_words(const struct tern_step *s, struct tern_words *w)
{
    char range[80], head[64];
    const struct tern_step_data *d = &s->data;

    tern_words_range(d->start, d->end, range, sizeof range);
    (void)tern_text_escape(d->head, d->head_bytes, head, sizeof head);
    if (d->segments == 1) {
        if (has_first_line(d))
            words_say(w, "%s", head);
        words_say(w, "%s", range);
        return;
    }
    segments_words(s, "", w);
    words_say(w, "%s", range);
    burst_time_words(s, w);
}

/* How long after the first, or after it was missed. */
static void late_words(const struct tern_step *s, struct tern_words *w)
{
    char t[32];

    if (s->near || s->data.first_at <= 0)
        return;
    words_say(w, s->data.class == TERN_DATA_FILL ? "%s late" : "%s after the first",
              tern_words_time(s->at - s->data.first_at, t));
}

static void probe_words(const struct tern_step *s, struct tern_words *w)
{
    words_say(w, s->data.class == TERN_DATA_AGAIN ? "keep-alive" : "window probe");
    words_say(w, "%llu byte%s", (unsigned long long)(s->data.end - s->data.start),
              words_plural(s->data.end - s->data.start));
}

/* Why it comes again tells more than where it ends. */
static void may_be_brief(const struct tern_step *s, struct tern_words *w)
{
    char from[TERN_NUMBER_TEXT_MAX];
    bool is_burst = s->data.segments > 1;

    w->must = w->count;
    w->spare = is_burst;
    w->brief[0] = '\0';
    if (!is_burst)
        (void)snprintf(w->brief, sizeof w->brief, "%s from %s",
                       s->data.class == TERN_DATA_AGAIN ? "again"
                       : s->data.reordered              ? "overtaken"
                                                        : "missing",
                       tern_text_number(s->data.start, from));
}

static void old_data_words(const struct tern_step *s, struct tern_words *w)
{
    char range[80];
    const struct tern_step_data *d = &s->data;
    const char *why = again_reason(s), *needless = needless_words(d->spurious);
    bool is_fill = d->class == TERN_DATA_FILL;

    tern_words_range(d->start, d->end, range, sizeof range);
    if (d->segments > 1) {
        segments_words(s, d->reordered ? "overtaken" : is_fill ? "missing" : "repeated", w);
        words_say(w, "%s", range);
    } else if (is_fill) {
        words_say(w, d->reordered ? "overtaken on the way: %s" : "the missing %s", range);
    } else {
        words_say(w, "again: %s", range);
    }
    if (needless[0] != '\0' && !s->near)
        words_say(w, "%s", needless);
    else if (why[0] != '\0')
        words_say(w, "%s", why);
    else if (!is_fill && s->near && s->from == TERN_LANE_RIGHT)
        words_say(w, "we had %s", d->segments > 1 || d->end > d->start + 1 ? "them" : "it");
    may_be_brief(s, w);
    late_words(s, w);
}

static void mixed_data_words(const struct tern_step *s, struct tern_words *w)
{
    char range[80], all[128], n[TERN_NUMBER_TEXT_MAX];
    const struct tern_step_data *d = &s->data;
    int n0 = snprintf(all, sizeof all, "%s segment%s", tern_text_number(d->segments, n),
                      words_plural(d->segments));

    if (d->again_segments > 0)
        n0 += snprintf(all + n0, sizeof all - (size_t)n0, ", %s again",
                       tern_text_number(d->again_segments, n));
    if (d->missing_segments > 0)
        (void)snprintf(all + n0, sizeof all - (size_t)n0, ", %s missing",
                       tern_text_number(d->missing_segments, n));
    words_say(w, "%s", all);
    words_say(w, "%s", tern_words_range(d->start, d->end, range, sizeof range));
    burst_time_words(s, w);
}

void words_data(const struct tern_step *s, struct tern_words *w)
{
    if (s->data.probe && !s->near) {
        probe_words(s, w);
        return;
    }
    switch (s->data.class) {
    case TERN_DATA_NEW:
    case TERN_DATA_BEYOND:
        new_data_words(s, w);
        break;
    case TERN_DATA_FILL:
    case TERN_DATA_AGAIN:
        old_data_words(s, w);
        break;
    case TERN_DATA_MIXED:
        mixed_data_words(s, w);
        break;
    }
}

/* Data both ways, folded. */
void words_talk(const struct tern_step *s, struct tern_words *w)
{
    bool left = s->from != TERN_LANE_RIGHT;
    uint64_t there = left ? s->data.segments : s->back_segments;
    uint64_t back = left ? s->back_segments : s->data.segments;
    char n[TERN_NUMBER_TEXT_MAX];

    words_say(w, "%s segment%s there", tern_text_number(there, n), words_plural(there));
    words_say(w, "%s back", tern_text_number(back, n));
    if (s->data.again_segments > 0)
        words_say(w, "%s again", tern_text_number(s->data.again_segments, n));
    lasted_words(s, w);
}

void words_hole(const struct tern_step *s, struct tern_words *w)
{
    char range[80], n[TERN_NUMBER_TEXT_MAX];

    tern_words_range(s->data.start, s->data.end, range, sizeof range);
    words_say(w, "✗ %s: missing", range);
    if (s->data.segments > 1)
        words_say(w, "%s segments", tern_text_number(s->data.segments, n));
}
