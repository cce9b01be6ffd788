/* SPDX-License-Identifier: BSD-2-Clause */
/* What a script expects of the connection, apart from its segments. */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool expect_state(struct script_world *w, const struct script_step *step)
{
    for (int i = 0; i < TERN_TCP_STATE_COUNT; i++) {
        const char *text = tern_tcp_state_text((enum tern_tcp_state)i);

        if (strcmp(text, script_word(step, 1)) == 0)
            return w->state == (enum tern_tcp_state)i ||
                   script_refuse(w, step, tern_tcp_state_text(w->state));
    }
    return script_refuse(w, step, "no state is called that");
}

static bool expect_reason(struct script_world *w, const struct script_step *step)
{
    const enum tern_err got = w->flow->conn != NULL ? tern_tcp_reason(w->flow->conn) : w->reason;

    return got == script_err_named(script_word(step, 1)) ||
           script_refuse(w, step, tern_err_name(got));
}

static uint32_t event_named(const char *name)
{
    static const char *const names[] = {"ESTABLISHED", "READABLE", "WRITABLE", "PEER_FIN",
                                        "CLOSED",      "SENT_ALL", "URGENT",   "STALLED"};

    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0)
            return 1u << i;
    }
    return 0;
}

/* expect-event NAME: it was heard since the last time that somebody asked. */
static bool expect_event(struct script_world *w, const struct script_step *step)
{
    const uint32_t bit = event_named(script_word(step, 1));
    const bool heard = (w->events & bit) != 0;

    w->events &= ~bit;
    return heard || script_refuse(w, step, "not heard");
}

static bool expect_no_event(struct script_world *w, const struct script_step *step)
{
    const uint32_t bit = event_named(script_word(step, 1));

    return (bit != 0 && (w->events & bit) == 0) || script_refuse(w, step, "heard");
}

/* expect-drop REASON [COUNT]: so many since the start. */
static bool expect_drop(struct script_world *w, const struct script_step *step)
{
    const uint64_t want = step->word_count > 2 ? (uint64_t)atol(script_word(step, 2)) : 1;
    struct tern_stack_counters counters;
    char text[64];

    tern_stack_counters(w->stack, &counters);
    for (int i = 0; i < TERN_DROP_COUNT; i++) {
        if (strcmp(tern_drop_key((enum tern_drop)i), script_word(step, 1)) != 0)
            continue;
        snprintf(text, sizeof text, "counted %llu", (unsigned long long)counters.drops[i]);
        return counters.drops[i] == want || script_refuse(w, step, text);
    }
    return script_refuse(w, step, "no reason is called that");
}

#define FIELDS_MAX 80

struct field {
    const char *name;
    uint64_t value;
};

static uint64_t ms(tern_time t)
{
    return (uint64_t)(t / TERN_MS);
}

/* Of tern_tcp_info: times in milliseconds. */
static size_t info_fields(const struct tern_tcp_info *info, struct field *out)
{
    const struct field fields[] = {
        {"cwnd", info->cwnd_bytes},
        {"ssthresh", info->ssthresh_bytes},
        {"mss", info->mss_bytes},
        {"advmss", info->advmss_bytes},
        {"rto", ms(info->rto)},
        {"srtt", ms(info->srtt)},
        {"rttvar", ms(info->rttvar)},
        {"rtt-min", ms(info->rtt_min)},
        {"retrans", info->retrans},
        {"rtos", info->rtos},
        {"fast-recoveries", info->fast_recoveries},
        {"unacked", info->unacked_bytes},
        {"notsent", info->notsent_bytes},
        {"unread", info->unread_bytes},
        {"snd-wnd", info->snd_wnd_bytes},
        {"rcv-wnd", info->rcv_wnd_bytes},
        {"snd-wscale", info->snd_wscale},
        {"rcv-wscale", info->rcv_wscale},
        {"bytes-sent", info->bytes_sent},
        {"bytes-retrans", info->bytes_retrans},
        {"bytes-acked", info->bytes_acked},
        {"bytes-received", info->bytes_received},
        {"segs-out", info->segs_out},
        {"segs-in", info->segs_in},
        {"data-segs-out", info->data_segs_out},
        {"data-segs-in", info->data_segs_in},
        {"soft-error", (uint64_t)-info->soft_error},
        {"ca-state", info->ca_state},
        {"retransmits", info->retransmits},
        {"probes-unanswered", info->probes},
        {"backoff", info->backoff},
        {"keepalives", info->keepalives_out},
        {"pmtu", info->pmtu_bytes},
        {"rcvmss", info->rcvmss_bytes},
        {"delivered", info->delivered_bytes},
        {"delivered-segs", info->delivered_segs},
        {"delivery-rate", info->delivery_rate},
        {"rate-app-limited", info->delivery_rate_app_limited},
        {"lost", info->lost_bytes},
        {"sacked", info->sacked_bytes},
        {"busy", ms(info->busy)},
        {"rwnd-limited", ms(info->rwnd_limited)},
        {"sndbuf-limited", ms(info->sndbuf_limited)},
        {"data-sent-ago", ms(info->at - info->data_sent_at)},
        {"data-received-ago", ms(info->at - info->data_received_at)},
        {"ack-sent-ago", ms(info->at - info->ack_sent_at)},
        {"ack-received-ago", ms(info->at - info->ack_received_at)},
        {"dup-acks-in", info->dup_acks_in},
        {"out-of-order-in", info->out_of_order_in},
        {"acks-out", info->acks_out},
        {"zero-windows-sent", info->zero_windows_sent},
        {"probes", info->window_probes_out},
        {"timestamps", info->timestamps},
        {"sack", info->sack},
        {"wscale", info->wscale},
        {"syn_data", info->syn_data},
        {"syn_waits", info->syn_waits},
    };

    memcpy(out, fields, sizeof fields);
    return sizeof fields / sizeof fields[0];
}

static bool compare(uint64_t got, const char *how, uint64_t want)
{
    switch (how[0]) {
    case '<':
        return how[1] == '=' ? got <= want : got < want;
    case '>':
        return how[1] == '=' ? got >= want : got > want;
    default:
        return got == want;
    }
}

/* expect FIELD [<|<=|>|>=] VALUE */
static bool expect_info(struct script_world *w, const struct script_step *step)
{
    const char *how = step->word_count > 3 ? script_word(step, 2) : "=";
    const char *value = script_word(step, step->word_count > 3 ? 3 : 2);
    struct tern_tcp_info info;
    struct field fields[FIELDS_MAX];
    size_t count;
    char text[64];

    if (!script_has_conn(w, step))
        return false;
    tern_tcp_info(w->flow->conn, &info);
    count = info_fields(&info, fields);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, script_word(step, 1)) != 0)
            continue;
        snprintf(text, sizeof text, "it is %llu", (unsigned long long)fields[i].value);
        return compare(fields[i].value, how, strtoull(value, NULL, 10)) ||
               script_refuse(w, step, text);
    }
    return script_refuse(w, step, "no field is called that");
}

/* expect-loans BACK ACKED: so many came back so far, and so many of them acknowledged. */
static bool expect_loans(struct script_world *w, const struct script_step *step)
{
    char text[64];

    if (w->loans_back == (uint32_t)atol(script_word(step, 1)) &&
        w->loans_acked == (uint32_t)atol(script_word(step, 2)))
        return true;
    snprintf(text, sizeof text, "%u came back, %u acknowledged", w->loans_back, w->loans_acked);
    return script_refuse(w, step, text);
}

/* expect-mark N|none: bytes before the urgent one. */
static bool expect_mark(struct script_world *w, const struct script_step *step)
{
    const bool wanted = strcmp(script_word(step, 1), "none") != 0;
    size_t ahead;
    char text[64];
    bool got;

    if (!script_has_conn(w, step))
        return false;
    got = tern_tcp_urgent_mark(w->flow->conn, &ahead);
    snprintf(text, sizeof text, got ? "it is %zu" : "there is none", ahead);
    return (got == wanted && (!got || ahead == strtoull(script_word(step, 1), NULL, 10))) ||
           script_refuse(w, step, text);
}

bool script_expect(struct script_world *w, const struct script_step *step, bool *known)
{
    static const struct {
        const char *name;
        bool (*run)(struct script_world *w, const struct script_step *step);
    } kinds[] = {
        {"expect", expect_info},        {"expect-mark", expect_mark},
        {"expect-state", expect_state}, {"expect-reason", expect_reason},
        {"expect-event", expect_event}, {"expect-no-event", expect_no_event},
        {"expect-drop", expect_drop},   {"expect-loans", expect_loans},
    };

    *known = true;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, script_word(step, 0)) == 0)
            return kinds[i].run(w, step);
    }
    *known = false;
    return false;
}
