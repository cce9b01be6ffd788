/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP_INFO: the stack's own figures in the layout and units of Linux's struct tcp_info: segments
 * where Linux counts packets, microseconds, or milliseconds since something was last seen.
 */
#include "socket/internal.h"

#include <limits.h>
#include <linux/tcp.h>
#include <string.h>

#define SSTHRESH_NONE 0x7fffffff
#define NO_RATE       UINT64_MAX

/* Linux's numbers of the states, which no header of its own tells to programs. */
static const uint8_t state_numbers[TERN_TCP_STATE_COUNT] = {
    [TERN_TCP_ESTABLISHED] = 1, [TERN_TCP_SYN_SENT] = 2,   [TERN_TCP_SYN_RECEIVED] = 3,
    [TERN_TCP_FIN_WAIT_1] = 4,  [TERN_TCP_FIN_WAIT_2] = 5, [TERN_TCP_TIME_WAIT] = 6,
    [TERN_TCP_CLOSED] = 7,      [TERN_TCP_CLOSE_WAIT] = 8, [TERN_TCP_LAST_ACK] = 9,
    [TERN_TCP_LISTEN] = 10,     [TERN_TCP_CLOSING] = 11,
};

static uint32_t us(tern_time time)
{
    return time / TERN_US < UINT32_MAX ? (uint32_t)(time / TERN_US) : UINT32_MAX;
}

/* Milliseconds since a moment; where it has not been, since the handshake, as Linux counts. */
static uint32_t since(const struct tern_tcp_info *in, tern_time moment)
{
    if (moment == TERN_TIME_NEVER)
        moment = in->established_at;
    return moment == TERN_TIME_NEVER || moment > in->at ? 0
                                                        : (uint32_t)((in->at - moment) / TERN_MS);
}

static uint32_t segments(const struct tern_tcp_info *in, uint64_t bytes)
{
    return in->mss_bytes > 0 ? (uint32_t)((bytes + in->mss_bytes - 1) / in->mss_bytes) : 0;
}

/* The same of a window: what is less than a segment does not count. */
static uint32_t whole_segments(const struct tern_tcp_info *in, uint64_t bytes)
{
    return in->mss_bytes > 0 ? (uint32_t)(bytes / in->mss_bytes) : 0;
}

static uint8_t option_bits(const struct tern_tcp_info *in)
{
    return (uint8_t)((in->timestamps ? TCPI_OPT_TIMESTAMPS : 0) | (in->sack ? TCPI_OPT_SACK : 0) |
                     (in->wscale ? TCPI_OPT_WSCALE : 0) | (in->ecn ? TCPI_OPT_ECN : 0) |
                     (in->ecn_seen ? TCPI_OPT_ECN_SEEN : 0) |
                     (in->syn_data ? TCPI_OPT_SYN_DATA : 0));
}

static void fill_state(struct tcp_info *out, const struct tern_tcp_info *in)
{
    out->tcpi_ca_state = (uint8_t)in->ca_state;
    out->tcpi_retransmits = (uint8_t)in->retransmits;
    out->tcpi_probes = (uint8_t)in->probes;
    out->tcpi_backoff = (uint8_t)in->backoff;
    out->tcpi_options = option_bits(in);
    out->tcpi_snd_wscale = (uint32_t)in->snd_wscale & 15u;
    out->tcpi_rcv_wscale = (uint32_t)in->rcv_wscale & 15u;
    out->tcpi_delivery_rate_app_limited = in->delivery_rate_app_limited;
}

static void fill_times(struct tcp_info *out, const struct tern_tcp_info *in)
{
    out->tcpi_rto = us(in->rto);
    out->tcpi_ato = us(in->ato);
    out->tcpi_last_data_sent = since(in, in->data_sent_at);
    out->tcpi_last_ack_sent = since(in, in->ack_sent_at);
    out->tcpi_last_data_recv = since(in, in->data_received_at);
    out->tcpi_last_ack_recv = since(in, in->ack_received_at);
    out->tcpi_rtt = us(in->srtt);
    out->tcpi_rttvar = us(in->rttvar);
    out->tcpi_rcv_rtt = us(in->rcv_rtt);
    out->tcpi_min_rtt = in->srtt == 0 ? UINT32_MAX : us(in->rtt_min);
    out->tcpi_busy_time = (uint64_t)(in->busy / TERN_US);
    out->tcpi_rwnd_limited = (uint64_t)(in->rwnd_limited / TERN_US);
    out->tcpi_sndbuf_limited = (uint64_t)(in->sndbuf_limited / TERN_US);
}

static void fill_sender(struct tcp_info *out, const struct tern_tcp_info *in)
{
    out->tcpi_unacked = segments(in, in->unacked_bytes);
    out->tcpi_sacked = segments(in, in->sacked_bytes);
    out->tcpi_lost = segments(in, in->lost_bytes);
    out->tcpi_retrans = segments(in, in->resent_bytes);
    out->tcpi_snd_mss = in->mss_bytes;
    out->tcpi_pmtu = in->pmtu_bytes;
    out->tcpi_snd_cwnd = whole_segments(in, in->cwnd_bytes);
    out->tcpi_snd_ssthresh =
        in->ssthresh_bytes == UINT64_MAX ? SSTHRESH_NONE : whole_segments(in, in->ssthresh_bytes);
    out->tcpi_reordering = in->reordering;
    out->tcpi_total_retrans = (uint32_t)in->retrans;
    out->tcpi_pacing_rate = in->pacing_rate != 0 ? in->pacing_rate : NO_RATE;
    out->tcpi_delivery_rate = in->delivery_rate;
    out->tcpi_notsent_bytes = (uint32_t)in->notsent_bytes;
    out->tcpi_delivered = (uint32_t)in->delivered_segs;
    out->tcpi_delivered_ce = (uint32_t)in->delivered_ce_segs;
    out->tcpi_dsack_dups = (uint32_t)in->dsacks_in;
    out->tcpi_reord_seen = (uint32_t)in->reorders_seen;
    out->tcpi_snd_wnd = (uint32_t)in->snd_wnd_bytes;
}

static void fill_counts(struct tcp_info *out, const struct tern_tcp_info *in)
{
    out->tcpi_advmss = in->advmss_bytes;
    out->tcpi_rcv_mss = in->rcvmss_bytes;
    out->tcpi_rcv_ssthresh = (uint32_t)in->rcv_wnd_bytes;
    out->tcpi_rcv_space = (uint32_t)in->rcv_space_bytes;
    out->tcpi_rcv_ooopack = (uint32_t)in->out_of_order_in;
    out->tcpi_bytes_acked = in->bytes_acked;
    out->tcpi_bytes_received = in->bytes_received;
    out->tcpi_bytes_sent = in->bytes_sent;
    out->tcpi_bytes_retrans = in->bytes_retrans;
    out->tcpi_segs_out = (uint32_t)in->segs_out;
    out->tcpi_segs_in = (uint32_t)in->segs_in;
    out->tcpi_data_segs_out = (uint32_t)in->data_segs_out;
    out->tcpi_data_segs_in = (uint32_t)in->data_segs_in;
}

int tern_sock_tcp_info(struct tern_sock *s, void *value, socklen_t *bytes)
{
    struct tern_tcp_settings set;
    struct tern_tcp_info in;
    struct tcp_info out;

    memset(&out, 0, sizeof(out));
    out.tcpi_state = state_numbers[tern_sock_state(s)];
    out.tcpi_max_pacing_rate = NO_RATE;
    tern_sock_settings(s, &set);
    if (set.pacing_rate_max != 0)
        out.tcpi_max_pacing_rate = set.pacing_rate_max;
    if (s->conn != NULL) {
        tern_tcp_info(s->conn, &in);
        fill_state(&out, &in);
        fill_times(&out, &in);
        fill_sender(&out, &in);
        fill_counts(&out, &in);
    }
    return tern_option_give(&out, sizeof(out), value, bytes);
}
