/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * impair: a bad network around any link. Each direction that a word speaks of is a line
 * (impair_line.c) that frames go through as copies; a direction that none speaks of is passed on
 * untouched, offloads and all.
 *
 * On a line each frame is what the wire would carry: super-segments are cut first, so loss is per
 * packet, and checksums are filled in first, so damage can be noticed; what comes out is marked
 * unknown and the stack verifies it.
 *
 * Outgoing frames that are due wait in a burst until the inner link takes them; while it does
 * not, transmit() takes nothing more: a full device is not a loss on the network. On close, what is
 * still on its way out is sent at once, so that a last FIN or RST is not lost with us.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "link/impair_line.h"
#include "link/words.h"
#include "link/wrap.h"

#define FRAME_MARGIN 18u /* an Ethernet header and a VLAN tag */
#define PULLS_MAX    16
#define RETRY_NS     (50 * TERN_US)

struct impair_link {
    struct tern_wrap wrap;
    struct tern_impair_line in, out;
    /* Frames that came out of the out line and that the inner link has not taken yet. */
    struct tern_frame due[TERN_BURST_MAX];
    int due_first, due_count;
    tern_time now; /* of the last call */
    tern_time retry_at;
    struct tern_impair_scratch scratch;
};

static struct impair_link *impair_of(const struct tern_link *link)
{
    return (struct impair_link *)(uintptr_t)link;
}

/* Send what is due by then on the way out, as far as the inner link takes it. 0, or an error. */
static int send_due(struct impair_link *p, tern_time by)
{
    struct tern_link *inner = p->wrap.inner;

    if (!p->out.way.active)
        return 0;
    for (;;) {
        int n;

        if (p->due_count == 0) {
            tern_impair_line_give(&p->out);
            p->due_first = 0;
            p->due_count = tern_impair_line_take(&p->out, by, p->due, TERN_BURST_MAX);
            if (p->due_count == 0)
                return 0;
        }
        n = inner->ops->transmit(inner, p->now, p->due + p->due_first, p->due_count);
        if (n < 0)
            return n;
        TERN_ASSERT(n <= p->due_count);
        p->due_first += n;
        p->due_count -= n;
        if (p->due_count > 0) {
            p->retry_at = p->now + RETRY_NS;
            return 0;
        }
    }
}

/* Move what the inner link has received onto the in line. 0, or an error. */
static int pull(struct impair_link *p, tern_time now)
{
    struct tern_link *inner = p->wrap.inner;
    struct tern_frame frames[TERN_BURST_MAX];

    for (int round = 0; round < PULLS_MAX; round++) {
        int n = tern_wrap_receive(&p->wrap, now, frames, TERN_BURST_MAX);

        if (n <= 0)
            return n;
        for (int i = 0; i < n; i++)
            tern_impair_line_offer_frame(&p->in, now, &frames[i], &p->scratch);
        inner->ops->release(inner);
    }
    return 0;
}

static int impair_receive(struct tern_link *link, tern_time now, struct tern_frame *frames, int max)
{
    struct impair_link *p = impair_of(link);
    int sent, pulled, n;

    p->now = now;
    sent = send_due(p, now);
    if (sent < 0)
        return sent;
    if (!p->in.way.active)
        return tern_wrap_receive(&p->wrap, now, frames, max);
    pulled = pull(p, now);
    n = tern_impair_line_take(&p->in, now, frames, max);
    return n == 0 ? pulled : n; /* an error waits until what had arrived was handed on */
}

static void impair_release(struct tern_link *link)
{
    struct impair_link *p = impair_of(link);

    if (p->in.way.active)
        tern_impair_line_give(&p->in);
    else
        tern_wrap_release(link);
}

static int impair_transmit(struct tern_link *link, tern_time now, const struct tern_frame *frames,
                           int count)
{
    struct impair_link *p = impair_of(link);
    int sent;

    p->now = now;
    if (!p->out.way.active)
        return p->wrap.inner->ops->transmit(p->wrap.inner, now, frames, count);
    sent = send_due(p, now);
    if (sent < 0 || p->due_count > 0)
        return sent;
    for (int i = 0; i < count; i++)
        tern_impair_line_offer_frame(&p->out, now, &frames[i], &p->scratch);
    sent = send_due(p, now);
    return sent < 0 ? sent : count;
}

static tern_time earlier(tern_time a, tern_time b)
{
    return a < b ? a : b;
}

static tern_time impair_deadline(const struct tern_link *link)
{
    const struct impair_link *p = impair_of(link);
    tern_time at = tern_wrap_deadline(link);

    if (p->in.way.active)
        at = earlier(at, tern_impair_line_next(&p->in));
    if (p->out.way.active)
        at = earlier(at, p->due_count > 0 ? p->retry_at : tern_impair_line_next(&p->out));
    return at;
}

static void impair_free(struct impair_link *p)
{
    tern_impair_line_fini(&p->in);
    tern_impair_line_fini(&p->out);
    free(p);
}

static void impair_close(struct tern_link *link)
{
    struct impair_link *p = impair_of(link);

    (void)send_due(p, TERN_TIME_NEVER - 1); /* whatever its time */
    p->wrap.inner->ops->close(p->wrap.inner);
    impair_free(p);
}

static const struct tern_link_ops impair_ops = {
    .receive = impair_receive,
    .release = impair_release,
    .transmit = impair_transmit,
    .fd = tern_wrap_fd,
    .deadline = impair_deadline,
    .counters = tern_wrap_counters,
    .close = impair_close,
};

/* What the network holds for us can be less than what the link does. */
static void limit_hold(struct impair_link *p)
{
    struct tern_link_info *info = &p->wrap.link.info;
    uint64_t bytes = (uint64_t)p->in.limit * info->mtu_bytes;

    if (!p->in.way.active)
        return;
    if (info->hold_frames == 0 || p->in.limit < info->hold_frames)
        info->hold_frames = p->in.limit;
    if (info->hold_bytes == 0 || bytes < info->hold_bytes)
        info->hold_bytes = bytes;
    info->hold_long_frames = 0; /* they are cut up */
}

enum tern_err tern_link_impair_open(struct tern_link *inner, const char *words, uint64_t seed,
                                    struct tern_link **out, char *error_text)
{
    struct tern_impair_way way[2];
    enum tern_err err = tern_impair_parse(words, way, error_text);
    size_t frame_bytes = inner->info.mtu_bytes + FRAME_MARGIN;
    struct impair_link *p;

    if (err != TERN_ERR_OK)
        return err;
    p = calloc(1, sizeof(*p));
    if (p == NULL) {
        tern_link_say(error_text, "cannot impair the link: out of memory");
        return TERN_ERR_MEMORY;
    }
    tern_wrap_init(&p->wrap, &impair_ops, inner);
    p->wrap.mtu_max = inner->info.mtu_bytes; /* longer frames have no slot */
    if ((way[TERN_IMPAIR_IN].active &&
         !tern_impair_line_init(&p->in, &way[TERN_IMPAIR_IN], seed, "in", frame_bytes)) ||
        (way[TERN_IMPAIR_OUT].active &&
         !tern_impair_line_init(&p->out, &way[TERN_IMPAIR_OUT], seed, "out", frame_bytes))) {
        impair_free(p);
        tern_link_say(error_text, "cannot impair the link: out of memory");
        return TERN_ERR_MEMORY;
    }
    limit_hold(p);
    *out = &p->wrap.link;
    return TERN_ERR_OK;
}
