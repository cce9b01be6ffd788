/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data of the page, as JSON written by hand, since it may be large and holds numbers mostly.
 * Strings pass through put_string(), which leaves nothing that could end the script element in
 * which they stand. Of very many connections the largest have details; the table is bounded as
 * well.
 */
#include "report/html.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "report/look.h"
#include "report/page.h"
#include "report/telling.h"
#include "report/text.h"
#include "report/verdict.h"
#include "report/words.h"

#define CONNS_MAX   5000
#define DETAILS_MAX 300
#define MARKS_MAX   400000
#define TEXT_BYTES  1024

struct html {
    const struct tern_model *m;
    const struct tern_html_options *options;
    FILE *out;
    size_t details, marks;
};

__attribute__((format(printf, 2, 3))) static void put(const struct html *h, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vfprintf(h->out, format, args);
    va_end(args);
}

static void put_string(const struct html *h, const char *text)
{
    (void)fputc('"', h->out);
    tern_text_json(h->out, text);
    (void)fputc('"', h->out);
}

static double us(tern_time t)
{
    return (double)t / 1e3;
}

/* ---- steps ---- */

static const char *class_of(const struct tern_step *s, bool answer)
{
    bool many = answer ? s->acks.count > 1 : s->data.segments > 1 || s->acks.count > 1;

    if (s->kind == TERN_STEP_HOLE)
        return "warn dash";
    switch (tern_look_tone(s, answer)) {
    case TERN_TONE_BAD:
        return s->from == TERN_LANE_KERNEL ? "bad kern" : "bad";
    case TERN_TONE_WARN:
        return many ? "warn many" : "warn";
    default:
        return many ? "many" : "";
    }
}

struct row {
    tern_time at, until;
    bool to_right, plain, many;
    const char *class, *words, *state, *reason;
};

static void put_row(struct html *h, const struct tern_model_conn *c, const struct row *r,
                    bool *first)
{
    int way = r->plain ? 0 : r->to_right ? 1 : -1;

    put(h, "%s{\"t\":%.1f,\"u\":%.1f,\"d\":%d,\"w\":", *first ? "" : ",\n", us(r->at - c->at),
        us(r->until - c->at), way);
    *first = false;
    put_string(h, r->words);
    if (r->class[0] != '\0')
        put(h, ",\"c\":\"%s\"", r->class);
    if (r->many)
        put(h, ",\"f\":1");
    if (r->state != NULL)
        put(h, ",\"s\":\"%s\"", r->state);
    if (r->reason != NULL) {
        put(h, ",\"y\":");
        put_string(h, r->reason);
    }
    put(h, "}");
}

static void lost_rows(struct html *h, const struct tern_model_conn *c, const struct tern_step *s,
                      bool *first)
{
    char text[TERN_WORDS_LOST_BYTES];
    struct row r = {.to_right = s->from != TERN_LANE_RIGHT, .class = "bad lost", .words = text};

    for (uint32_t i = 0; i < tern_words_lost_shown(&s->data); i++) {
        r.at = s->data.lost[i].at;
        r.until = s->data.lost[i].again_at;
        tern_words_lost(&s->data.lost[i], text);
        put_row(h, c, &r, first);
    }
    if (tern_words_lost_more(&s->data, text)) {
        r = (struct row){
            .at = s->at, .until = s->until, .plain = true, .class = "bad", .words = text};
        put_row(h, c, &r, first);
    }
}

static void step_rows(struct html *h, const struct tern_model_conn *c, const struct tern_step *s,
                      bool *first)
{
    struct tern_words words;
    char text[TEXT_BYTES];
    struct row r = {.at = s->at,
                    .until = s->until,
                    .to_right = s->from != TERN_LANE_RIGHT,
                    .plain = tern_look_is_line(s),
                    .many = s->data.segments > 1 || s->acks.count > 1,
                    .class = class_of(s, false),
                    .words = text,
                    .state = s->has_state ? tern_tcp_state_text(s->state) : NULL,
                    .reason = tern_look_reason(s)};

    text[0] = '\0';
    if (s->from == TERN_LANE_KERNEL)
        tern_text_append(text, sizeof text, "your kernel: ", TEXT_BYTES);
    size_t used = strlen(text);

    tern_words_step(s, &words);
    tern_words_join(&words, TEXT_BYTES, text + used, sizeof text - used);
    put_row(h, c, &r, first);
    if (s->kind != TERN_STEP_DATA)
        return;
    lost_rows(h, c, s, first);
    if (s->acks.count == 0)
        return;
    tern_words_acks(s, &words);
    tern_words_join(&words, TEXT_BYTES, text, sizeof text);
    r = (struct row){.at = s->acks.at,
                     .until = s->acks.until,
                     .to_right = s->from == TERN_LANE_RIGHT,
                     .many = s->acks.count > 1,
                     .class = class_of(s, true),
                     .words = text};
    put_row(h, c, &r, first);
}

static void put_steps(struct html *h, const struct tern_model_conn *c)
{
    struct tern_telling telling;
    const struct tern_step *step;
    bool first = true;

    put(h, ",\n\"steps\":[");
    tern_telling_begin(&telling, h->m, c->stream, h->options->is_tern);
    while ((step = tern_telling_next(&telling)) != NULL)
        step_rows(h, c, step, &first);
    put(h, "]");
}

static void put_marks(struct html *h, const struct tern_model_conn *c)
{
    size_t count = tern_model_mark_count(h->m, c->stream);
    int64_t last = 0; /* tenths of microseconds: what is told must add up */

    put(h, ",\n\"marks\":[");
    for (size_t i = 0; i < count; i++) {
        const struct tern_mark *m = tern_model_mark(h->m, c->stream, i);
        int64_t at = (m->at - c->at) / 100, step = at - last;
        uint64_t length = m->hi > m->lo ? m->hi - m->lo : 0;

        last = at;
        put(h, "%s%lld.%lld,%.1f,%llu,%llu,%u,%u", i == 0 ? "" : ",", (long long)(step / 10),
            (long long)(step % 10), us(m->until - m->at), (unsigned long long)m->lo,
            (unsigned long long)length, m->count, m->kind * 2u + m->side);
    }
    put(h, "]");
    h->marks += count;
}

/* ---- a connection ---- */

static void put_fact(struct html *h, bool *first, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void put_fact(struct html *h, bool *first, const char *name, const char *format, ...)
{
    char text[200];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put(h, "%s[\"%s\",", *first ? "" : ",", name);
    put_string(h, text);
    put(h, "]");
    *first = false;
}

/* A count of the client's and of the server's. */
static void put_pair(struct html *h, bool *first, const char *name, uint64_t client,
                     uint64_t server)
{
    char a[TERN_NUMBER_TEXT_MAX], b[TERN_NUMBER_TEXT_MAX];

    put_fact(h, first, name, "%s / %s", tern_text_number(client, a), tern_text_number(server, b));
}

static void put_facts(struct html *h, const struct tern_model_conn *c)
{
    const struct tern_model_side *a = &c->side[c->client],
                                 *b = &c->side[tern_side_other(c->client)];
    struct tern_model_rtt rtt;
    char t[2][32];
    bool first = true;

    put(h, ",\n\"facts\":[");
    put_fact(h, &first, "", "client / server");
    put_pair(h, &first, "packets", a->packets, b->packets);
    put_pair(h, &first, "bytes", a->unique_bytes, b->unique_bytes);
    put_pair(h, &first, "sent again", a->retransmissions, b->retransmissions);
    put_pair(h, &first, "… by fast retransmission", a->by_fast, b->by_fast);
    put_pair(h, &first, "… by a timer", a->by_timeout + a->by_probe, b->by_timeout + b->by_probe);
    put_pair(h, &first, "… needlessly", tern_model_spurious(a), tern_model_spurious(b));
    put_pair(h, &first, "out of order", a->out_of_order, b->out_of_order);
    put_pair(h, &first, "duplicate ACKs", a->duplicate_acks, b->duplicate_acks);
    put_pair(h, &first, "zero windows", a->zero_windows, b->zero_windows);
    put_pair(h, &first, "keep-alives", a->keep_alives, b->keep_alives);
    put_pair(h, &first, "MSS", a->mss, b->mss);
    put_pair(h, &first, "most in flight", a->flight_max, b->flight_max);
    if (tern_model_path_rtt(h->m, c->stream, &rtt))
        put_fact(h, &first, "round trip, least and median", "%s, %s",
                 tern_verdict_time(rtt.min, t[0]), tern_verdict_time(rtt.median, t[1]));
    put(h, "]");
}

static void put_notes(struct html *h, const struct tern_model_conn *c)
{
    char words[TERN_VERDICT_BYTES], text[TEXT_BYTES], time[32];
    bool first = true;

    put(h, ",\n\"notes\":[");
    for (unsigned i = 0; i < c->stall_count; i++) {
        tern_verdict_stall(h->m, c->stream, &c->stall[i], words, sizeof words);
        (void)snprintf(text, sizeof text, "at %s: %s",
                       tern_verdict_time(c->stall[i].at - c->at, time), words);
        put(h, "%s", first ? "" : ",");
        put_string(h, text);
        first = false;
    }
    for (unsigned i = 0; tern_verdict_lacks(h->m, c->stream, i, words, sizeof words); i++) {
        (void)snprintf(text, sizeof text, "this %s lacks %s",
                       h->options->is_tern ? "picture" : "capture", words);
        put(h, "%s", first ? "" : ",");
        put_string(h, text);
        first = false;
    }
    put(h, "]");
}

static const char *side_name(const struct html *h, const struct tern_model_conn *c,
                             enum tern_side side)
{
    return h->options->is_tern && side == TERN_SIDE_LEFT ? "tern" : tern_verdict_who(c, side);
}

static void put_conn(struct html *h, size_t index, bool first)
{
    const struct tern_model_conn *c = tern_model_conn(h->m, index);
    char end[TERN_ENDPOINT_TEXT_MAX], words[TERN_VERDICT_BYTES];
    const struct tern_model_side *a = &c->side[c->client],
                                 *b = &c->side[tern_side_other(c->client)];

    put(h, "%s{\"stream\":%u,\"client\":\"%s\"", first ? "\n" : ",\n", c->stream,
        tern_endpoint_text(&c->end[c->client], end));
    put(h, ",\"server\":\"%s\"", tern_endpoint_text(&c->end[tern_side_other(c->client)], end));
    put(h, ",\"left\":\"%s %s\"", side_name(h, c, TERN_SIDE_LEFT),
        tern_endpoint_text(&c->end[TERN_SIDE_LEFT], end));
    put(h, ",\"right\":\"%s %s\"", side_name(h, c, TERN_SIDE_RIGHT),
        tern_endpoint_text(&c->end[TERN_SIDE_RIGHT], end));
    put(h, ",\"us\":%.1f,\"bytes\":[%llu,%llu],\"again\":%llu,\"slow\":", us(c->until - c->at),
        (unsigned long long)a->unique_bytes, (unsigned long long)b->unique_bytes,
        (unsigned long long)(a->retransmissions + b->retransmissions));
    put_string(h, tern_verdict_slow(h->m, index, words, sizeof words));
    put_notes(h, c);
    put_facts(h, c);
    if (h->details < DETAILS_MAX && h->marks < MARKS_MAX) {
        h->details++;
        put_steps(h, c);
        put_marks(h, c);
    } else {
        put(h, ",\"steps\":[],\"marks\":[]");
    }
    put(h, "}");
}

/* A run of tern's own without TCP, such as a ping: what was said all the same. */
static void put_story(struct html *h)
{
    const struct tern_model_conn none = {
        .stream = TERN_MODEL_NO_CONN,
        .at = tern_telling_origin(h->m, TERN_MODEL_NO_CONN, true),
    };

    put(h,
        "\n{\"stream\":null,\"client\":\"tern\",\"server\":\"others\",\"left\":\"tern\","
        "\"right\":\"others\",\"us\":%.1f,\"bytes\":[0,0],\"again\":0,\"slow\":\"\","
        "\"notes\":[],\"facts\":[]",
        us(tern_model_end(h->m) - none.at));
    put_steps(h, &none);
    put(h, ",\"marks\":[]}");
}

/* ---- the page ---- */

struct ranked {
    uint64_t packets;
    size_t index;
};

static int by_packets(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->packets != y->packets)
        return x->packets > y->packets ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* The largest first, so that they have the details. False: out of memory. */
static bool put_conns(struct html *h, size_t *shown)
{
    size_t count = tern_model_conn_count(h->m);
    struct ranked *order = malloc((count + 1) * sizeof *order);

    if (order == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct tern_model_conn *c = tern_model_conn(h->m, i);

        order[i] = (struct ranked){c->side[0].packets + c->side[1].packets, i};
    }
    qsort(order, count, sizeof *order, by_packets);
    *shown = count < CONNS_MAX ? count : CONNS_MAX;
    for (size_t i = 0; i < *shown; i++)
        put_conn(h, order[i].index, i == 0);
    free(order);
    return true;
}

static void put_about(struct html *h, size_t shown)
{
    const struct tern_model_other *other = tern_model_other(h->m);
    char text[TEXT_BYTES], words[TERN_VERDICT_BYTES], n[2][TERN_NUMBER_TEXT_MAX];

    (void)snprintf(text, sizeof text, "%s packets, %s connection%s%s",
                   tern_text_number(other->packets, n[0]),
                   tern_text_number(tern_model_conn_count(h->m), n[1]),
                   tern_model_conn_count(h->m) == 1 ? "" : "s",
                   shown < tern_model_conn_count(h->m) && !h->options->one_conn
                       ? ", of which the largest are shown"
                       : "");
    for (unsigned i = 0; tern_verdict_capture(h->m, i, words, sizeof words); i++) {
        size_t used = strlen(text);

        (void)snprintf(text + used, sizeof text - used, " · %s", words);
    }
    put(h, "],\n\"first\":0,\"about\":");
    put_string(h, text);
    put(h, "}");
}

bool tern_report_html(const struct tern_model *m, const struct tern_html_options *options,
                      FILE *out)
{
    struct html h = {.m = m, .options = options, .out = out};
    size_t shown = 1;

    (void)fwrite(tern_page_head, 1, tern_page_head_bytes, out);
    put(&h, "{\"connections\":[");
    if (options->one_conn)
        put_conn(&h, options->conn, true);
    else if (!put_conns(&h, &shown))
        return false;
    if (tern_model_conn_count(m) == 0 && options->is_tern && tern_model_story_count(m) > 0)
        put_story(&h);
    put_about(&h, shown);
    (void)fwrite(tern_page_tail, 1, tern_page_tail_bytes, out);
    return ferror(out) == 0;
}
