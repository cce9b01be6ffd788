/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The figures as JSON. Counts of a connection are of both directions together; those of what one
 * side sent stand under "client_side" and "server_side". Times are milliseconds.
 */
#include "report/json.h"

#include <jansson.h>
#include <string.h>

#include "report/verdict.h"

static const char *const wait_names[] = {"opening",  "idle",      "window", "timeout",
                                         "recovery", "slow_acks", "path"};

_Static_assert(sizeof wait_names / sizeof wait_names[0] == TERN_WAIT_COUNT, "a name for each");

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static void set(json_t *o, const char *name, uint64_t n)
{
    (void)json_object_set_new(o, name, number(n));
}

static json_t *milliseconds(tern_time t)
{
    return json_real((double)t / 1e6);
}

static json_t *rtt_json(bool known, const struct tern_model_rtt *rtt)
{
    json_t *o = json_object();

    (void)json_object_set_new(o, "min", known ? milliseconds(rtt->min) : json_null());
    (void)json_object_set_new(o, "median", known ? milliseconds(rtt->median) : json_null());
    set(o, "samples", rtt->count);
    return o;
}

static void side_losses(json_t *o, const struct tern_model_side *s)
{
    json_t *by = json_object(), *spurious = json_object();

    set(o, "retransmissions", s->retransmissions);
    set(by, "fast", s->by_fast);
    set(by, "timeout", s->by_timeout);
    set(by, "tail_probe", s->by_probe);
    set(by, "unknown", s->by_unknown);
    (void)json_object_set_new(o, "retransmitted_by", by);
    set(o, "spurious_retransmissions", tern_model_spurious(s));
    set(spurious, "acknowledged_before", s->spurious[TERN_SPURIOUS_ACKED]);
    set(spurious, "dsack", s->spurious[TERN_SPURIOUS_DSACK]);
    set(spurious, "timestamps", s->spurious[TERN_SPURIOUS_TIMESTAMPS]);
    set(spurious, "early_ack", s->spurious[TERN_SPURIOUS_EARLY]);
    (void)json_object_set_new(o, "spurious_by", spurious);
    set(o, "out_of_order", s->out_of_order);
    set(o, "missing_segments", s->missing_segments);
    set(o, "not_captured_bytes", s->lacks_bytes);
}

static void side_acks(json_t *o, const struct tern_model_side *s)
{
    set(o, "acks", s->acks);
    set(o, "duplicate_acks", s->duplicate_acks);
    set(o, "sack_acks", s->sack_acks);
    set(o, "dsacks", s->dsacks);
    set(o, "sack_holes_max", s->sack_blocks_max);
    set(o, "zero_windows", s->zero_windows);
    set(o, "window_updates", s->window_updates);
    set(o, "window_full", s->window_full);
    set(o, "window_probes", s->window_probes);
    set(o, "keep_alives", s->keep_alives);
    set(o, "keep_alive_acks", s->keep_alive_acks);
    (void)json_object_set_new(o, "segments_per_ack",
                              s->ack_events == 0
                                  ? json_null()
                                  : json_real((double)s->acked_segments / (double)s->ack_events));
}

static void side_settings(json_t *o, const struct tern_model_side *s)
{
    bool told = s->window_min != UINT64_MAX;

    (void)json_object_set_new(o, "mss", s->mss == 0 ? json_null() : number(s->mss));
    (void)json_object_set_new(o, "window_scale", s->has_wscale ? number(s->wscale) : json_null());
    (void)json_object_set_new(o, "sack", json_boolean(s->sack_permitted));
    (void)json_object_set_new(o, "timestamps", json_boolean(s->timestamps));
    (void)json_object_set_new(o, "window_min", told ? number(s->window_min) : json_null());
    (void)json_object_set_new(o, "window_max", told ? number(s->window_max) : json_null());
    set(o, "in_flight_max", s->flight_max);
}

static json_t *side_json(const struct tern_model *m, const struct tern_model_conn *c,
                         enum tern_side side)
{
    const struct tern_model_side *s = &c->side[side];
    json_t *o = json_object();
    struct tern_model_rtt rtt;
    bool known = tern_model_rtt(m, c->stream, side, &rtt);

    set(o, "segments", s->packets);
    set(o, "data_segments", s->segments);
    set(o, "bytes", s->unique_bytes);
    set(o, "bytes_total", s->bytes);
    side_losses(o, s);
    side_acks(o, s);
    side_settings(o, s);
    set(o, "resets", s->resets);
    set(o, "merged_packets", s->merged);
    (void)json_object_set_new(o, "rtt_ms", rtt_json(known, &rtt));
    return o;
}

static json_t *waits_json(const struct tern_model_conn *c)
{
    json_t *all = json_object();

    for (unsigned i = 0; i < TERN_WAIT_COUNT; i++)
        for (unsigned k = 0; k < 2; k++)
            if (c->spent[i][k] > 0) {
                char name[32];

                (void)snprintf(name, sizeof name, "%s_%s", wait_names[i],
                               tern_verdict_who(c, k == 0 ? TERN_SIDE_LEFT : TERN_SIDE_RIGHT));
                (void)json_object_set_new(all, name, milliseconds(c->spent[i][k]));
            }
    return all;
}

static json_t *stalls_json(const struct tern_model *m, const struct tern_model_conn *c)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < c->stall_count; i++) {
        json_t *o = json_object();
        char words[TERN_VERDICT_BYTES];

        (void)json_object_set_new(o, "at_ms", milliseconds(c->stall[i].at - c->at));
        (void)json_object_set_new(o, "ms", milliseconds(c->stall[i].length));
        (void)json_object_set_new(o, "fault", json_string(wait_names[c->stall[i].kind]));
        (void)json_object_set_new(o, "side", json_string(tern_verdict_who(c, c->stall[i].side)));
        (void)json_object_set_new(
            o, "words",
            json_string(tern_verdict_stall(m, c->stream, &c->stall[i], words, sizeof words)));
        (void)json_array_append_new(list, o);
    }
    return list;
}

static json_t *lacks_json(const struct tern_model *m, const struct tern_model_conn *c)
{
    json_t *list = json_array();
    char words[TERN_VERDICT_BYTES];

    for (unsigned i = 0; tern_verdict_lacks(m, c->stream, i, words, sizeof words); i++)
        (void)json_array_append_new(list, json_string(words));
    return list;
}

static const char *closed_words(const struct tern_model_conn *c)
{
    return c->closed_by_fin ? "fin" : c->closed_by_reset ? "reset" : "open";
}

static void totals(json_t *o, const struct tern_model_conn *c)
{
    const struct tern_model_side *a = &c->side[0], *b = &c->side[1];
    json_t *bytes = json_object();

    set(o, "segments", a->packets + b->packets);
    set(bytes, "client", c->side[c->client].unique_bytes);
    set(bytes, "server", c->side[1 - c->client].unique_bytes);
    (void)json_object_set_new(o, "bytes", bytes);
    set(o, "retransmissions", a->retransmissions + b->retransmissions);
    set(o, "spurious_retransmissions", tern_model_spurious(a) + tern_model_spurious(b));
    set(o, "duplicate_acks", a->duplicate_acks + b->duplicate_acks);
    set(o, "out_of_order", a->out_of_order + b->out_of_order);
    set(o, "zero_windows", a->zero_windows + b->zero_windows);
    set(o, "keep_alives", a->keep_alives + b->keep_alives);
    set(o, "resets", a->resets + b->resets);
}

static json_t *conn_json(const struct tern_model *m, size_t index)
{
    const struct tern_model_conn *c = tern_model_conn(m, index);
    enum tern_side client = c->client;
    enum tern_side server = tern_side_other(client);
    char text[TERN_ENDPOINT_TEXT_MAX], words[TERN_VERDICT_BYTES];
    struct tern_model_rtt rtt;
    bool known = tern_model_path_rtt(m, index, &rtt);
    json_t *o = json_object();

    set(o, "stream", c->stream);
    (void)json_object_set_new(o, "client", json_string(tern_endpoint_text(&c->end[client], text)));
    (void)json_object_set_new(o, "server", json_string(tern_endpoint_text(&c->end[server], text)));
    totals(o, c);
    (void)json_object_set_new(o, "rtt_ms", rtt_json(known, &rtt));
    (void)json_object_set_new(o, "handshake_ms",
                              c->handshake < 0 ? json_null() : milliseconds(c->handshake));
    (void)json_object_set_new(o, "duration_ms", milliseconds(c->until - c->at));
    (void)json_object_set_new(o, "closed", json_string(closed_words(c)));
    if (c->closed_by_reset)
        (void)json_object_set_new(o, "reset_by", json_string(tern_verdict_who(c, c->reset_by)));
    (void)json_object_set_new(o, "slow_because",
                              json_string(tern_verdict_slow(m, index, words, sizeof words)));
    (void)json_object_set_new(o, "waited_ms", waits_json(c));
    (void)json_object_set_new(o, "stalls", stalls_json(m, c));
    (void)json_object_set_new(o, "capture_lacks", lacks_json(m, c));
    (void)json_object_set_new(o, "client_side", side_json(m, c, client));
    (void)json_object_set_new(o, "server_side", side_json(m, c, server));
    return o;
}

static json_t *capture_json(const struct tern_model *m)
{
    const struct tern_model_other *other = tern_model_other(m);
    json_t *o = json_object(), *lacks = json_array();
    char words[TERN_VERDICT_BYTES];

    set(o, "packets", other->packets);
    set(o, "tcp", other->tcp);
    set(o, "udp", other->udp);
    set(o, "icmp", other->icmp);
    set(o, "arp", other->arp);
    set(o, "other_ip", other->other_ip);
    set(o, "not_ip", other->not_ip);
    set(o, "fragments", other->fragments);
    set(o, "unreadable", other->unreadable);
    set(o, "packets_of_further_connections", other->beyond_packets);
    set(o, "bytes_of_further_connections", other->beyond_bytes);
    set(o, "further_connections_opened", other->beyond_opened);
    for (unsigned i = 0; tern_verdict_capture(m, i, words, sizeof words); i++)
        (void)json_array_append_new(lacks, json_string(words));
    (void)json_object_set_new(o, "notes", lacks);
    return o;
}

static bool dump(json_t *o, FILE *out)
{
    bool fine = o != NULL && json_dumpf(o, out, JSON_REAL_PRECISION(9)) == 0;

    json_decref(o);
    return fine;
}

bool tern_report_json(const struct tern_model *m, uint32_t stream, FILE *out)
{
    bool fine = fputs("{\"connections\": [", out) >= 0, first = true;

    for (size_t i = 0; fine && i < tern_model_conn_count(m); i++) {
        if (stream != TERN_JSON_ALL && stream != i)
            continue;
        fine = fputs(first ? "\n" : ",\n", out) >= 0 && dump(conn_json(m, i), out);
        first = false;
    }
    fine = fine && fputs("],\n\"capture\": ", out) >= 0 && dump(capture_json(m), out);
    return fine && fputs("}\n", out) >= 0 && ferror(out) == 0;
}
