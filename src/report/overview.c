/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture on a terminal: the table, the ladders, and beneath each what is to be known of it. */
#include "report/overview.h"

#include <string.h>

#include "report/telling.h"
#include "report/text.h"
#include "report/verdict.h"

#define TABLE_ROWS_MAX 200
#define INDENT         2
#define LINE_BYTES     640 /* a verdict and three numbers */

static void line(const struct tern_overview_options *o, const char *words, FILE *out)
{
    tern_ladder_words(o->screen, INDENT, words, out);
}

static const char *closed_words(const struct tern_model_conn *c)
{
    if (c->closed_by_fin)
        return "closed";
    if (c->closed_by_reset)
        return c->reset_by == c->client ? "reset by the client" : "reset by the server";
    return "still open";
}

/* ---- the table ---- */

static void row(const struct tern_model *m, const struct tern_overview_options *o, size_t index,
                FILE *out)
{
    const struct tern_model_conn *c = tern_model_conn(m, index);
    const struct tern_model_side *client = &c->side[c->client],
                                 *server = &c->side[tern_side_other(c->client)];
    char a[TERN_ENDPOINT_TEXT_MAX], b[TERN_ENDPOINT_TEXT_MAX], time[32];
    char sent[TERN_NUMBER_TEXT_MAX], got[TERN_NUMBER_TEXT_MAX], again[TERN_NUMBER_TEXT_MAX];
    char text[LINE_BYTES], slow[TERN_VERDICT_BYTES];

    (void)snprintf(text, sizeof text, "%u · %s → %s · %s · %s", c->stream,
                   tern_endpoint_text(&c->end[c->client], a),
                   tern_endpoint_text(&c->end[tern_side_other(c->client)], b),
                   tern_verdict_time(c->until - c->at, time), closed_words(c));
    line(o, text, out);
    (void)snprintf(text, sizeof text, "%s bytes there, %s back · %s sent again · %s",
                   tern_text_number(client->unique_bytes, sent),
                   tern_text_number(server->unique_bytes, got),
                   tern_text_number(client->retransmissions + server->retransmissions, again),
                   tern_verdict_slow(m, index, slow, sizeof slow));
    tern_ladder_words(o->screen, INDENT + 4, text, out);
}

static void table(const struct tern_model *m, const struct tern_overview_options *o, FILE *out)
{
    size_t count = tern_model_conn_count(m),
           shown = count < TABLE_ROWS_MAX ? count : TABLE_ROWS_MAX;
    char text[LINE_BYTES], n[TERN_NUMBER_TEXT_MAX];

    (void)snprintf(text, sizeof text, "%s connections", tern_text_number(count, n));
    line(o, text, out);
    (void)fputc('\n', out);
    for (size_t i = 0; i < shown; i++)
        row(m, o, i, out);
    if (shown < count) {
        (void)snprintf(text, sizeof text, "… and %s more", tern_text_number(count - shown, n));
        line(o, text, out);
    }
    (void)fputc('\n', out);
}

/* ---- one connection ---- */

static void figures(const struct tern_model *m, const struct tern_overview_options *o,
                    const struct tern_model_conn *c, FILE *out)
{
    const struct tern_model_side *a = &c->side[c->client],
                                 *b = &c->side[tern_side_other(c->client)];
    char n[6][TERN_NUMBER_TEXT_MAX], text[LINE_BYTES], time[2][32];
    struct tern_model_rtt rtt;

    (void)snprintf(text, sizeof text,
                   "client %s bytes, server %s · %s sent again, %s out of order "
                   "· %s duplicate ACKs · %s zero windows",
                   tern_text_number(a->unique_bytes, n[0]), tern_text_number(b->unique_bytes, n[1]),
                   tern_text_number(a->retransmissions + b->retransmissions, n[2]),
                   tern_text_number(a->out_of_order + b->out_of_order, n[3]),
                   tern_text_number(a->duplicate_acks + b->duplicate_acks, n[4]),
                   tern_text_number(a->zero_windows + b->zero_windows, n[5]));
    line(o, text, out);
    if (tern_model_path_rtt(m, c->stream, &rtt)) {
        (void)snprintf(text, sizeof text, "round trip %s at least, %s mostly · %s",
                       tern_verdict_time(rtt.min, time[0]), tern_verdict_time(rtt.median, time[1]),
                       closed_words(c));
        line(o, text, out);
    }
}

static void judgement(const struct tern_model *m, const struct tern_overview_options *o,
                      const struct tern_model_conn *c, FILE *out)
{
    char words[TERN_VERDICT_BYTES], text[LINE_BYTES], time[32];
    tern_time origin = tern_telling_origin(m, c->stream, o->is_tern); /* as the ladder's */

    (void)snprintf(text, sizeof text, "where the time went: %s",
                   tern_verdict_slow(m, c->stream, words, sizeof words));
    line(o, text, out);
    for (unsigned i = 0; i < c->stall_count; i++) {
        tern_verdict_stall(m, c->stream, &c->stall[i], words, sizeof words);
        (void)snprintf(text, sizeof text, "at %s: %s",
                       tern_verdict_time(c->stall[i].at - origin, time), words);
        tern_ladder_words(o->screen, INDENT + 2, text, out);
    }
    for (unsigned i = 0; tern_verdict_lacks(m, c->stream, i, words, sizeof words); i++) {
        (void)snprintf(text, sizeof text, "this %s lacks %s", o->is_tern ? "picture" : "capture",
                       words);
        line(o, text, out);
    }
}

/* A pause of a round trip or two is no silence. */
static tern_time quiet_gap(const struct tern_model *m, const struct tern_model_conn *c)
{
    struct tern_model_rtt rtt;
    tern_time gap = 50 * TERN_MS;

    if (tern_model_path_rtt(m, c->stream, &rtt) && 2 * rtt.min > gap)
        gap = 2 * rtt.min;
    return gap;
}

static void conversation(const struct tern_model *m, const struct tern_overview_options *o,
                         size_t index, FILE *out)
{
    const struct tern_model_conn *c = tern_model_conn(m, index);
    struct tern_ladder_options screen = *o->screen;
    char left[TERN_ENDPOINT_TEXT_MAX + 16], right[TERN_ENDPOINT_TEXT_MAX + 16];
    char a[TERN_ENDPOINT_TEXT_MAX], b[TERN_ENDPOINT_TEXT_MAX];
    bool client_left = c->client == TERN_SIDE_LEFT;

    (void)snprintf(left, sizeof left, "%s %s",
                   o->is_tern    ? "tern"
                   : client_left ? "client"
                                 : "server",
                   tern_endpoint_text(&c->end[TERN_SIDE_LEFT], a));
    (void)snprintf(right, sizeof right, "%s %s", tern_endpoint_text(&c->end[TERN_SIDE_RIGHT], b),
                   client_left ? "server" : "client");
    screen.one_conn = true;
    screen.is_tern = o->is_tern;
    screen.conn = c->stream;
    screen.origin = tern_telling_origin(m, c->stream, o->is_tern);
    screen.quiet_gap = quiet_gap(m, c);
    screen.us = left;
    screen.peer = right;
    tern_ladder_header(&screen, out);
    tern_ladder_print(m, 0, &screen, out);
    figures(m, o, c, out);
    judgement(m, o, c, out);
}

/* A run without TCP: a ping, or one that did not come that far. */
static void beside_tcp(const struct tern_model *m, const struct tern_overview_options *o, FILE *out)
{
    struct tern_ladder_options screen = *o->screen;

    screen.one_conn = true;
    screen.is_tern = true;
    screen.conn = TERN_MODEL_NO_CONN;
    screen.origin = tern_telling_origin(m, TERN_MODEL_NO_CONN, true);
    screen.us = "tern";
    screen.peer = "others";
    screen.quiet_gap = 50 * TERN_MS;
    tern_ladder_header(&screen, out);
    tern_ladder_print(m, 0, &screen, out);
}

static void about_capture(const struct tern_model *m, const struct tern_overview_options *o,
                          FILE *out)
{
    const struct tern_model_other *other = tern_model_other(m);
    char words[TERN_VERDICT_BYTES], text[LINE_BYTES], n[TERN_NUMBER_TEXT_MAX];

    if (tern_model_conn_count(m) == 0 && !(o->is_tern && tern_model_story_count(m) > 0)) {
        (void)snprintf(text, sizeof text, "no TCP in these %s packets",
                       tern_text_number(other->packets, n));
        line(o, text, out);
    }
    for (unsigned i = 0; tern_verdict_capture(m, i, words, sizeof words); i++) {
        (void)snprintf(text, sizeof text, "in this %s: %s", o->is_tern ? "picture" : "capture",
                       words);
        line(o, text, out);
    }
}

void tern_overview_print(const struct tern_model *m, const struct tern_overview_options *o,
                         FILE *out)
{
    size_t count = tern_model_conn_count(m);

    if (o->one_conn) {
        conversation(m, o, o->conn, out);
        about_capture(m, o, out);
        return;
    }
    if (count > 1)
        table(m, o, out);
    if (count == 0 && o->is_tern && tern_model_story_count(m) > 0)
        beside_tcp(m, o, out);
    for (size_t i = 0; i < count && count <= o->ladders_max; i++) {
        if (count > 1)
            (void)fprintf(out, "%s  connection %zu\n", i > 0 ? "\n" : "", i);
        conversation(m, o, i, out);
    }
    if (count > o->ladders_max)
        line(o, "one of them as a picture: --stream N", out);
    about_capture(m, o, out);
}
