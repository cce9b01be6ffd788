/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What --stats writes: one JSON object with the link, the frames, the drops by reason, and for
 * each connection that ended the fields that `ss -ti` names, in ss's units: times in milliseconds,
 * cwnd and ssthresh in segments of mss bytes, the rest in bytes or segments. The connections come
 * out of the stack's traces, which also give --verbose its line at the end of a connection.
 *
 * "retrans" counts every segment sent again; "lost" those that were taken for lost: the same, and
 * what was still unacknowledged when the connection ended.
 */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "cli/say.h"
#include "cli/talk_parts.h"
#include "cli/talk_picture.h"

#define EXIT_WRITE 23

/* Connections that --stats lists; beyond them only the totals tell. */
#define CONNECTIONS_MAX 10000

/* What the kernel's tcp_info holds where the slow start threshold was never set. */
#define SSTHRESH_NEVER INT64_C(0x7fffffff)

static void put(json_t *object, const char *key, uint64_t value)
{
    (void)json_object_set_new(object, key, json_integer((json_int_t)value));
}

static void put_text(json_t *object, const char *key, const char *text)
{
    (void)json_object_set_new(object, key, json_string(text));
}

static void put_ms(json_t *object, const char *key, tern_time ns)
{
    (void)json_object_set_new(object, key, json_real((double)((ns + 500) / 1000) / 1e3));
}

static void put_endpoint(json_t *object, const char *key, const struct tern_endpoint *endpoint)
{
    char text[TERN_ENDPOINT_TEXT_MAX];

    put_text(object, key, tern_endpoint_text(endpoint, text));
}

static void put_times(json_t *row, const struct tern_tcp_info *info)
{
    put_ms(row, "rto", info->rto);
    put_ms(row, "rtt", info->srtt);
    put_ms(row, "rttvar", info->rttvar);
    if (info->rtt_min != TERN_TIME_NEVER) /* nothing was measured */
        put_ms(row, "minrtt", info->rtt_min);
    if (info->established_at != TERN_TIME_NEVER)
        put_ms(row, "connect", info->established_at - info->opened_at);
    if (info->closed_at != TERN_TIME_NEVER)
        put_ms(row, "lasted", info->closed_at - info->opened_at);
}

static void put_windows(json_t *row, const struct tern_tcp_info *info)
{
    uint32_t mss = info->mss_bytes > 0 ? info->mss_bytes : 1;

    put(row, "mss", info->mss_bytes);
    put(row, "advmss", info->advmss_bytes);
    put(row, "cwnd", info->cwnd_bytes / mss);
    put(row, "ssthresh",
        info->ssthresh_bytes == UINT64_MAX ? SSTHRESH_NEVER : info->ssthresh_bytes / mss);
    put(row, "snd_wnd", info->snd_wnd_bytes);
    put(row, "rcv_wnd", info->rcv_wnd_bytes);
    (void)json_object_set_new(row, "ts", json_boolean(info->timestamps));
    (void)json_object_set_new(row, "sack", json_boolean(info->sack));
    if (info->wscale)
        (void)json_object_set_new(row, "wscale",
                                  json_pack("[i,i]", info->snd_wscale, info->rcv_wscale));
}

static void put_counts(json_t *row, const struct tern_tcp_info *info)
{
    uint32_t mss = info->mss_bytes > 0 ? info->mss_bytes : 1;

    put(row, "bytes_sent", info->bytes_sent);
    put(row, "bytes_retrans", info->bytes_retrans);
    put(row, "bytes_acked", info->bytes_acked);
    put(row, "bytes_received", info->bytes_received);
    put(row, "segs_out", info->segs_out);
    put(row, "segs_in", info->segs_in);
    put(row, "data_segs_out", info->data_segs_out);
    put(row, "data_segs_in", info->data_segs_in);
    put(row, "retrans", info->retrans);
    put(row, "lost", info->retrans + (info->unacked_bytes + mss - 1) / mss);
    put(row, "rtos", info->rtos);
    put(row, "fast_recoveries", info->fast_recoveries);
    put(row, "dup_acks", info->dup_acks_in);
    put(row, "rcv_ooopack", info->out_of_order_in);
    put(row, "acks_out", info->acks_out);
    put(row, "unacked", info->unacked_bytes);
    put(row, "notsent", info->notsent_bytes);
    put(row, "zero_windows", info->zero_windows_sent);
    put(row, "window_probes", info->window_probes_out);
}

static json_t *connection_row(const struct tern_tcp_info *info)
{
    json_t *row = json_object();

    put_endpoint(row, "local", &info->local);
    put_endpoint(row, "remote", &info->remote);
    put_text(row, "state", tern_tcp_state_text(info->state));
    put_text(row, "ended", tern_err_name(info->reason));
    if (info->congestion != NULL)
        put_text(row, "congestion", info->congestion);
    put_times(row, info);
    put_windows(row, info);
    put_counts(row, info);
    return row;
}

static void say_closed(const struct tern_tcp_info *info)
{
    char remote[TERN_ENDPOINT_TEXT_MAX];
    char how[96] = "";

    if (info->reason != TERN_ERR_OK)
        (void)snprintf(how, sizeof how, " (%s)", tern_err_text(info->reason));
    tern_say("* TCP %s closed%s · %llu segments in, %llu out of order · %llu out, %llu sent again "
             "· srtt %.*f ms",
             tern_endpoint_text(&info->remote, remote), how, (unsigned long long)info->segs_in,
             (unsigned long long)info->out_of_order_in, (unsigned long long)info->segs_out,
             (unsigned long long)info->retrans, info->srtt < TERN_MS ? 3 : 1,
             (double)info->srtt / 1e6);
}

static void hear_closed(struct tern_talk *talk, const struct tern_tcp_info *info)
{
    json_t *rows = talk->closed_json;

    /* Of one that never came to be, whoever wanted it tells. */
    if (talk->options.verbose && info->established_at != TERN_TIME_NEVER)
        say_closed(info);
    if (rows != NULL && json_array_size(rows) < CONNECTIONS_MAX)
        (void)json_array_append_new(rows, connection_row(info));
}

void tern_talk_traces(struct tern_talk *talk)
{
    struct tern_trace trace;

    while (tern_stack_trace(talk->stack, &trace)) {
        if (talk->picture != NULL)
            talk_picture_trace(talk->picture, &trace);
        if (trace.kind == TERN_TRACE_CLOSED)
            hear_closed(talk, &trace.closed);
    }
}

static json_t *link_row(const struct tern_talk *talk)
{
    const struct tern_link_info *info = &tern_loop_link(talk->loop)->info;
    char text[TERN_MAC_TEXT_MAX > TERN_ADDR_TEXT_MAX ? TERN_MAC_TEXT_MAX : TERN_ADDR_TEXT_MAX];
    char address[TERN_ADDR_TEXT_MAX + 4];
    json_t *row = json_object();

    put_text(row, "name", info->name);
    put_text(row, "mac", tern_mac_text(talk->mac, text));
    (void)snprintf(address, sizeof address, "%s/%u", tern_addr_text(talk->address.addr, text),
                   talk->address.prefix_bits);
    put_text(row, "address", address);
    if (!tern_addr_is_any(talk->gateway))
        put_text(row, "gateway", tern_addr_text(talk->gateway, text));
    if (!tern_addr_is_any(talk->dns))
        put_text(row, "dns", tern_addr_text(talk->dns, text));
    put(row, "mtu", info->mtu_bytes);
    return row;
}

static json_t *frames_row(const struct tern_talk *talk, const struct tern_stack_counters *counters)
{
    struct tern_link *link = tern_loop_link(talk->loop);
    struct tern_link_counters wire = {0};
    json_t *row = json_object();

    link->ops->counters(link, &wire);
    put(row, "in", counters->frames_in);
    put(row, "out", counters->frames_out);
    put(row, "bytes_in", counters->bytes_in);
    put(row, "bytes_out", counters->bytes_out);
    put(row, "dropped_in", wire.dropped_in);
    put(row, "dropped_out", wire.dropped_out + tern_loop_dropped(talk->loop));
    return row;
}

static json_t *drops_row(const struct tern_stack_counters *counters)
{
    json_t *row = json_object();
    uint64_t total = 0;
    int i;

    for (i = 0; i < (int)TERN_DROP_COUNT; i++) {
        if (counters->drops[i] == 0)
            continue;
        total += counters->drops[i];
        put(row, tern_drop_key((enum tern_drop)i), counters->drops[i]);
    }
    put(row, "total", total);
    return row;
}

static json_t *tcp_row(const struct tern_stack_counters *counters)
{
    json_t *row = json_object();

    put(row, "segments_in", counters->tcp_segments_in);
    put(row, "segments_out", counters->tcp_segments_out);
    put(row, "retransmits", counters->tcp_retransmits);
    put(row, "resets_in", counters->tcp_resets_in);
    put(row, "resets_out", counters->tcp_resets_out);
    put(row, "connections_opened", counters->connections_opened);
    put(row, "connections_accepted", counters->connections_accepted);
    put(row, "connections_failed", counters->connections_failed);
    return row;
}

static json_t *whole(const struct tern_talk *talk)
{
    struct tern_stack_counters counters;
    json_t *all = json_object();

    tern_stack_counters(talk->stack, &counters);
    (void)json_object_set_new(all, "link", link_row(talk));
    (void)json_object_set_new(all, "frames", frames_row(talk, &counters));
    (void)json_object_set_new(all, "drops", drops_row(&counters));
    (void)json_object_set_new(all, "tcp", tcp_row(&counters));
    (void)json_object_set(all, "connections", talk->closed_json);
    return all;
}

int tern_talk_stats_write(struct tern_talk *talk)
{
    const char *path = talk->options.stats;
    bool to_stdout = strcmp(path, "-") == 0;
    FILE *out = to_stdout ? stdout : fopen(path, "w");
    json_t *all;
    bool fine;

    if (out == NULL) {
        tern_complain("cannot write statistics to %s: %s", path, strerror(errno));
        return EXIT_WRITE;
    }
    all = whole(talk);
    fine = json_dumpf(all, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0;
    fine = fputc('\n', out) != EOF && fine;
    fine = fflush(out) == 0 && fine;
    if (!to_stdout)
        fine = fclose(out) == 0 && fine;
    json_decref(all);
    if (!fine)
        tern_complain("cannot write statistics to %s: %s", path, strerror(errno));
    return fine ? 0 : EXIT_WRITE;
}
