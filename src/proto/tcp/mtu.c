/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a packet of the path may be, from three sources.
 *
 * The link's own MTU, and the peer's MSS option. No packet of TCP's is ever cut up on its way: all
 * carry DF (RFC 1191 §3).
 *
 * ICMP (RFC 1191). Anybody can forge it, so (RFC 5927 §4.1, §7.2) it must quote a number that is in
 * flight, and where it claims less than what has been seen to arrive, or less than any sane path
 * takes, it waits as a claim: if the quoted bytes are acknowledged it was wrong; if their timer
 * runs out, it is believed. A router that tells no length (RFC 1191 §5) means the plateau below
 * the packet that it threw away.
 *
 * Probes (RFC 4821). Where timeouts in a row look like a black hole, a path that swallows long
 * packets and says nothing, segments become shorter: 1024, 512, 256. From what is known to pass the
 * search goes upwards: one segment longer than the rest, of bytes that had to go anyway, with
 * enough behind it that its loss shows at once. The loss of a probe alone says nothing of
 * congestion (RFC 4821 §7.7), and its bytes go again in short segments. First the longest that
 * link and peer take, then by bisection. What a search or ICMP found holds for ten minutes; then
 * longer packets are tried again (RFC 1191 §6.3), by probes, or in full where those are off.
 */
#include "proto/tcp/internal.h"

#define MTU_MIN            68                  /* RFC 1191 §3: every path takes that */
#define MTU_SANE           552                 /* less is believed only once the timer agrees */
#define MTU_RAISE_INTERVAL (600 * TERN_SECOND) /* RFC 1191 §6.3 */
#define MTU_START_MSS      1024                /* RFC 4821 §7.2: searching from the start */
#define SEARCH_STEP_MIN    8                   /* closer than that is close enough */
#define PROBE_FOLLOWERS    4                   /* segments behind a probe, to see it lost */

static uint32_t header_bytes(const struct tern_tcb *c)
{
    return tern_addr_is_v4(c->remote.addr) ? 40 : 60;
}

/* The longest packet that link, peer and application would take. */
static uint32_t ceiling_bytes(const struct tern_tcb *c)
{
    uint32_t mss = c->mtu.peer_mss;

    if (c->set.mss_bytes > 0 && c->set.mss_bytes < mss)
        mss = c->set.mss_bytes;
    return (uint32_t)tern_min_u64(c->env->mtu_bytes, mss + header_bytes(c));
}

static uint32_t packet_bytes(const struct tern_tcb *c)
{
    return c->snd.mss + header_bytes(c);
}

void tern_tcb_mtu_fit_window(struct tern_tcb *c)
{
    const uint32_t segment = tern_tcb_segment_bytes(c);

    c->cc.mss = segment;
    c->cc.cwnd = tern_max_u64(c->cc.cwnd, segment);
    c->cc.ssthresh = tern_max_u64(c->cc.ssthresh, 2 * (uint64_t)segment);
}

static uint32_t mss_of(const struct tern_tcb *c, uint32_t packet)
{
    const uint32_t headers = header_bytes(c);

    return packet > headers + TERN_TCP_MSS_MIN ? packet - headers : TERN_TCP_MSS_MIN;
}

uint32_t tern_tcb_mtu_path_mss(const struct tern_tcb *c)
{
    return mss_of(c, c->mtu.path_bytes);
}

/* The path's or a limit's length changed. */
static void sync_mss(struct tern_tcb *c)
{
    const uint64_t path = tern_min_u64(c->mtu.path_bytes, ceiling_bytes(c));
    const uint32_t mss = mss_of(c, (uint32_t)path);

    if (mss == c->snd.mss)
        return;
    c->snd.mss = mss;
    c->mtu.full_end = 0;
    tern_tcb_mtu_fit_window(c);
}

static void end_probe(struct tern_tcb *c)
{
    c->mtu.probe_end = 0;
}

void tern_tcb_mtu_init(struct tern_tcb *c)
{
    c->mtu.path_bytes = c->env->mtu_bytes;
    c->mtu.raise_at = TERN_TIME_NEVER;
    if (c->set.mtu_probe == TERN_MTU_PROBE_ALWAYS) {
        c->mtu.path_bytes =
            (uint32_t)tern_min_u64(c->env->mtu_bytes, MTU_START_MSS + header_bytes(c));
        c->mtu.raise_at = c->opened_at;
    }
    tern_tcb_mtu_peer(c, TERN_TCP_MSS_DEFAULT);
}

void tern_tcb_mtu_peer(struct tern_tcb *c, uint32_t mss)
{
    c->mtu.peer_mss = mss < TERN_TCP_MSS_MIN ? TERN_TCP_MSS_MIN : mss;
    sync_mss(c);
}

void tern_tcb_mtu_set(struct tern_tcb *c)
{
    sync_mss(c);
}

void tern_tcb_own_mtu(struct tern_tcb *c, uint32_t mtu_bytes)
{
    c->mtu.path_bytes = (uint32_t)tern_min_u64(c->mtu.path_bytes, mtu_bytes);
    sync_mss(c);
}

/* ---- what routers say ---- */

/* RFC 1191 §7: lengths that paths have, for routers that do not tell theirs. */
static uint32_t plateau_below(uint32_t bytes)
{
    static const uint16_t plateaus[] = {65535, 32000, 17914, 8166, 4352, 2002,
                                        1492,  1006,  508,   296,  68};

    for (size_t i = 0; i < sizeof plateaus / sizeof plateaus[0]; i++) {
        if (plateaus[i] < bytes)
            return plateaus[i];
    }
    return MTU_MIN;
}

static void lower(struct tern_tcb *c, uint32_t bytes, tern_time now)
{
    c->mtu.path_bytes = bytes;
    c->mtu.claim_bytes = 0;
    c->mtu.bad_bytes = 0;
    c->mtu.good_bytes = 0;
    c->mtu.raise_at = now + MTU_RAISE_INTERVAL;
    end_probe(c);
    sync_mss(c);
}

/* A router tells of each segment that it throws away, and the timer is that of the first. */
static bool has_earlier_claim(const struct tern_tcb *c, uint64_t at)
{
    return c->mtu.claim_bytes != 0 && c->mtu.claim_at >= c->snd.una && c->mtu.claim_at < at;
}

void tern_tcb_path_mtu(struct tern_tcb *c, tern_seq seq, uint32_t mtu_bytes, uint32_t quoted_bytes,
                       tern_time now)
{
    const uint64_t at = tern_tcb_unwrap(c->snd.una, seq);
    const uint32_t bytes = mtu_bytes > 0 ? mtu_bytes : plateau_below(quoted_bytes);

    if (!tern_tcb_is_synchronised(c) || !tern_tcb_is_in_flight(c, seq) || bytes < MTU_MIN)
        return;
    if (c->mtu.probe_end != 0 && at == c->mtu.probe_from) { /* longer than the path: no news */
        tern_tcb_mtu_probe_failed(c, now);
        return;
    }
    if (bytes >= packet_bytes(c))
        return;
    if (bytes < c->mtu.good_bytes || bytes < MTU_SANE) {
        if (has_earlier_claim(c, at))
            return;
        c->mtu.claim_bytes = bytes;
        c->mtu.claim_at = at;
        return;
    }
    lower(c, bytes, now);
    c->mtu.resend_below = c->snd.nxt;
    tern_tcb_loss_of_all(c, TERN_CAUSE_PATH_MTU, now);
}

/* ---- what timeouts say ---- */

static void leave_black_hole(struct tern_tcb *c, tern_time now)
{
    static const struct {
        uint32_t retries, mss; /* R1 of RFC 9293 §3.8.3 first */
    } steps[] = {{TERN_TCP_R1, 1024}, {6, 512}, {9, 256}};
    const uint64_t waiting = c->snd.max - c->snd.una;
    uint32_t mss = c->snd.mss;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (c->loss.retries >= steps[i].retries && steps[i].mss < waiting)
            mss = (uint32_t)tern_min_u64(mss, steps[i].mss);
    }
    if (mss == c->snd.mss)
        return;
    lower(c, mss + header_bytes(c), now);
    c->mtu.raise_at = now; /* once bytes flow again, see what does pass */
}

void tern_tcb_mtu_on_rto(struct tern_tcb *c, tern_time now)
{
    if (c->mtu.probe_end != 0) {
        c->mtu.bad_bytes = c->mtu.probe_bytes;
        end_probe(c);
    }
    if (c->mtu.claim_bytes != 0 && c->mtu.claim_at == c->snd.una) /* else it has arrived */
        lower(c, c->mtu.claim_bytes, now);
    else if (c->set.mtu_probe != TERN_MTU_PROBE_OFF)
        leave_black_hole(c, now);
}

/* ---- what arrives ---- */

void tern_tcb_mtu_note_sent(struct tern_tcb *c, uint64_t from, uint64_t bytes)
{
    if (c->mtu.full_end == 0 && bytes >= tern_tcb_segment_bytes(c))
        c->mtu.full_end = from + tern_tcb_segment_bytes(c);
}

void tern_tcb_mtu_on_ack(struct tern_tcb *c, tern_time now)
{
    if (c->mtu.full_end != 0 && c->snd.una >= c->mtu.full_end &&
        c->mtu.good_bytes < packet_bytes(c))
        c->mtu.good_bytes = packet_bytes(c);
    if (c->mtu.probe_end == 0 || c->snd.una < c->mtu.probe_end)
        return;
    c->mtu.path_bytes = c->mtu.good_bytes = c->mtu.probe_bytes;
    c->mtu.raise_at = now;
    end_probe(c);
    sync_mss(c);
}

/* ---- the search ---- */

/* The next length to try; 0: the search is over. */
static uint32_t candidate(const struct tern_tcb *c)
{
    const uint32_t low = packet_bytes(c);
    const uint32_t bad = c->mtu.bad_bytes > 0 ? c->mtu.bad_bytes - 1 : UINT32_MAX;
    /* the link or the application may want shorter ones by now than when the search began */
    const uint32_t high = (uint32_t)tern_min_u64(bad, ceiling_bytes(c));

    if (high <= low || high - low < SEARCH_STEP_MIN)
        return 0;
    return c->mtu.bad_bytes > 0 ? low + (high - low + 1) / 2 : high;
}

static void end_search(struct tern_tcb *c, tern_time now)
{
    const bool at_ceiling = packet_bytes(c) >= ceiling_bytes(c);

    c->mtu.bad_bytes = 0;
    c->mtu.raise_at = at_ceiling ? TERN_TIME_NEVER : now + MTU_RAISE_INTERVAL;
}

void tern_tcb_mtu_raise(struct tern_tcb *c, tern_time now)
{
    if (c->mtu.raise_at > now || c->set.mtu_probe != TERN_MTU_PROBE_OFF)
        return;
    c->mtu.path_bytes = c->env->mtu_bytes;
    c->mtu.raise_at = TERN_TIME_NEVER;
    sync_mss(c);
}

uint32_t tern_tcb_mtu_probe(struct tern_tcb *c, uint64_t room, tern_time now)
{
    const uint64_t unsent = c->snd.end > c->snd.nxt ? c->snd.end - c->snd.nxt : 0;
    const uint32_t segment = tern_tcb_segment_bytes(c);
    uint32_t bytes, text;
    uint64_t needed;

    if (c->mtu.raise_at > now || c->mtu.probe_end != 0 || !tern_tcb_is_synchronised(c))
        return 0;
    bytes = candidate(c);
    if (bytes == 0) {
        end_search(c, now);
        return 0;
    }
    text = segment + (bytes - packet_bytes(c));
    needed = text + PROBE_FOLLOWERS * (uint64_t)segment;
    if (c->loss.state != TERN_RECOVERY_OPEN || c->loss.sacked != NULL || c->loss.dupacks > 0 ||
        c->snd.nxt != c->snd.max || tern_tcb_sack_wanted(c) || tern_tcb_is_urgent(c) ||
        unsent < needed || tern_min_u64(c->cc.cwnd, c->snd.wnd) < needed)
        return 0;
    if (room < text)
        return c->snd.nxt > c->snd.una ? TERN_MTU_PROBE_WAITS : 0;
    c->mtu.probe_bytes = bytes;
    return text;
}

void tern_tcb_mtu_probe_sent(struct tern_tcb *c, uint64_t from, uint32_t text)
{
    c->mtu.probe_from = from;
    c->mtu.probe_end = from + text;
}

void tern_tcb_mtu_probe_failed(struct tern_tcb *c, tern_time now)
{
    c->mtu.bad_bytes = c->mtu.probe_bytes;
    c->mtu.resend_below = c->mtu.probe_end;
    tern_tcb_loss_below(c, c->mtu.probe_end, TERN_CAUSE_PATH_MTU, now);
    end_probe(c);
}

bool tern_tcb_mtu_probe_lost(const struct tern_tcb *c)
{
    if (c->mtu.probe_end == 0 || c->snd.una != c->mtu.probe_from)
        return false;
    return c->loss.lost_below <= c->mtu.probe_end ||
           (c->loss.sacked != NULL &&
            tern_ranges_covers(c->loss.sacked, c->mtu.probe_end, c->loss.lost_below));
}
