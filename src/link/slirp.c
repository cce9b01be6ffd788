/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slirp: libslirp in this process, the link that needs no privilege and no device. It plays a small
 * network (10.0.2.0/24) with a router that ends our TCP connections and UDP flows itself and
 * opens sockets of the host in their stead.
 *
 * Frames from libslirp come by callback while it works, and wait in a bounded queue. While that is
 * half full libslirp is not run, so it holds back and nothing is lost. It runs inside receive(),
 * when one of its sockets is ready or one of its timers due, and inside transmit(), which hands it
 * our frames; afterwards it is asked anew what it waits for. It is asked for time only with the
 * `now` of the call in progress.
 *
 * Checksums of libslirp's frames are right when they are made and cross no wire: the link vouches
 * for them. Ours must be complete, since it checks them.
 *
 * On close, bytes that it has acknowledged to us but not yet passed on get DRAIN_TURNS chances to
 * leave.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include <tern/link.h>

#include "base/assert.h"
#include "link/frame.h"
#include "link/slirp_poll.h"
#include "link/slirp_queue.h"
#include "link/words.h"

/*
 * libslirp scales no window, so it never has more than 65,535 bytes open, and when its buffer has
 * emptied again it says so only once two full segments fit. With segments of 64 KiB it never would:
 * a server that pauses once would be fed by window probes from then on, 64 KiB each 0.4 s. With
 * 9,000 both directions run as fast as with any longer ones.
 */
#define MTU_BYTES     9000u
#define HOLD_BYTES    (TERN_SLIRP_QUEUE_BYTES / 4) /* several connections share the queue */
#define TIMERS_MAX    8
#define DRAIN_TURNS   20
#define DRAIN_WAIT_MS 25

struct slirp_timer {
    bool used;
    SlirpTimerCb callback;
    void *opaque;
    tern_time at;
};

struct slirp_link {
    struct tern_link link;
    Slirp *slirp;
    tern_time now;
    tern_time poll_at; /* when libslirp's own timers want it to run */
    struct slirp_timer timer[TIMERS_MAX];
    struct tern_slirp_poll poll;
    struct tern_slirp_queue queue;
    uint32_t lent;
    struct tern_link_counters counters;
    uint8_t frame[TERN_FRAME_BYTES_MAX]; /* one of ours, in one piece */
};

static struct slirp_link *slirp_of(const struct tern_link *link)
{
    return (struct slirp_link *)(uintptr_t)link;
}

/* What libslirp calls. */

static ssize_t on_frame(const void *data, size_t bytes, void *opaque)
{
    struct slirp_link *s = opaque;

    if (!tern_slirp_queue_put(&s->queue, data, bytes))
        s->counters.dropped_in++;
    return (ssize_t)bytes;
}

static void on_guest_error(const char *words, void *opaque)
{
    (void)words;
    (void)opaque;
}

static int64_t on_clock(void *opaque)
{
    const struct slirp_link *s = opaque;

    return s->now;
}

static void *on_timer_new(SlirpTimerCb callback, void *callback_opaque, void *opaque)
{
    struct slirp_link *s = opaque;

    for (int i = 0; i < TIMERS_MAX; i++) {
        struct slirp_timer *t = &s->timer[i];

        if (t->used)
            continue;
        *t = (struct slirp_timer){
            .used = true, .callback = callback, .opaque = callback_opaque, .at = TERN_TIME_NEVER};
        return t;
    }
    return NULL;
}

static void on_timer_free(void *timer, void *opaque)
{
    struct slirp_timer *t = timer;

    (void)opaque;
    if (t != NULL)
        t->used = false;
}

static void on_timer_mod(void *timer, int64_t at_ms, void *opaque)
{
    struct slirp_timer *t = timer;

    (void)opaque;
    if (t != NULL)
        t->at = at_ms * TERN_MS;
}

static void on_fd(int fd, void *opaque)
{
    (void)fd; /* tern_slirp_poll_fill() names them all anyway */
    (void)opaque;
}

static void on_notify(void *opaque)
{
    (void)opaque; /* libslirp only runs when we run it */
}

static const SlirpCb callbacks = {
    .send_packet = on_frame,
    .guest_error = on_guest_error,
    .clock_get_ns = on_clock,
    .timer_new = on_timer_new,
    .timer_free = on_timer_free,
    .timer_mod = on_timer_mod,
    .register_poll_fd = on_fd,
    .unregister_poll_fd = on_fd,
    .notify = on_notify,
};

/* What we call. */

static void ask_wants(struct slirp_link *s)
{
    uint32_t timeout_ms = tern_slirp_poll_fill(&s->poll, s->slirp);

    s->poll_at =
        timeout_ms == UINT32_MAX ? TERN_TIME_NEVER : s->now + (tern_time)timeout_ms * TERN_MS;
}

static bool run_timers(struct slirp_link *s)
{
    bool ran = false;

    for (int i = 0; i < TIMERS_MAX; i++) {
        struct slirp_timer *t = &s->timer[i];

        if (!t->used || t->at > s->now)
            continue;
        t->at = TERN_TIME_NEVER;
        t->callback(t->opaque);
        ran = true;
    }
    return ran;
}

static bool queue_is_half_full(const struct slirp_link *s)
{
    return s->queue.used_bytes > TERN_SLIRP_QUEUE_BYTES / 2 ||
           s->queue.count > TERN_SLIRP_QUEUE_FRAMES / 2;
}

/* Let libslirp work on whatever is ready. */
static void pump(struct slirp_link *s)
{
    bool ready, timers;

    if (queue_is_half_full(s))
        return;
    ready = tern_slirp_poll_look(&s->poll, 0);
    timers = run_timers(s);
    if (!ready && !timers && s->poll_at > s->now)
        return;
    tern_slirp_poll_run(&s->poll, s->slirp);
    ask_wants(s);
}

static int slirp_receive(struct tern_link *link, tern_time now, struct tern_frame *frames, int max)
{
    struct slirp_link *s = slirp_of(link);
    int n = 0;

    TERN_ASSERT(s->lent == 0);
    s->now = now;
    pump(s);
    for (; n < max && (uint32_t)n < s->queue.count; n++) {
        struct tern_slice bytes = tern_slirp_queue_peek(&s->queue, (uint32_t)n);

        frames[n] = (struct tern_frame){
            .piece_count = 1, .bytes = (uint32_t)bytes.bytes, .csum = TERN_CSUM_VALID};
        frames[n].piece[0] = bytes;
        s->counters.frames_in++;
        s->counters.bytes_in += bytes.bytes;
    }
    s->lent = (uint32_t)n;
    return n;
}

static void slirp_release(struct tern_link *link)
{
    struct slirp_link *s = slirp_of(link);

    tern_slirp_queue_skip(&s->queue, s->lent);
    s->lent = 0;
}

static int slirp_transmit(struct tern_link *link, tern_time now, const struct tern_frame *frames,
                          int count)
{
    struct slirp_link *s = slirp_of(link);
    int n = 0;

    s->now = now;
    for (; n < count && !queue_is_half_full(s); n++) {
        size_t bytes = tern_frame_copy(&frames[n], s->frame, sizeof(s->frame));

        if (frames[n].csum == TERN_CSUM_NEEDS || frames[n].gso != TERN_GSO_NONE ||
            bytes < frames[n].bytes) {
            s->counters.dropped_out++;
            continue;
        }
        slirp_input(s->slirp, s->frame, (int)bytes);
        s->counters.frames_out++;
        s->counters.bytes_out += bytes;
    }
    ask_wants(s);
    return n;
}

static int slirp_fd(const struct tern_link *link)
{
    return slirp_of(link)->poll.epoll_fd;
}

static tern_time slirp_deadline(const struct tern_link *link)
{
    const struct slirp_link *s = slirp_of(link);
    tern_time at = s->poll_at;

    if (s->queue.count > s->lent)
        return 0;
    for (int i = 0; i < TIMERS_MAX; i++) {
        if (s->timer[i].used && s->timer[i].at < at)
            at = s->timer[i].at;
    }
    return at;
}

static void slirp_counters(const struct tern_link *link, struct tern_link_counters *out)
{
    *out = slirp_of(link)->counters;
}

/* Give what we sent, and what libslirp has acknowledged, a chance to leave its buffers. */
static void drain(struct slirp_link *s)
{
    for (int turn = 0; turn < DRAIN_TURNS && tern_slirp_poll_writing(&s->poll); turn++) {
        (void)tern_slirp_poll_look(&s->poll, DRAIN_WAIT_MS);
        tern_slirp_poll_run(&s->poll, s->slirp);
        tern_slirp_queue_skip(&s->queue, s->queue.count); /* nobody listens any more */
        ask_wants(s);
    }
}

static void slirp_free(struct slirp_link *s)
{
    if (s->slirp != NULL)
        slirp_cleanup(s->slirp);
    tern_slirp_queue_fini(&s->queue);
    tern_slirp_poll_fini(&s->poll);
    free(s);
}

static void slirp_close(struct tern_link *link)
{
    struct slirp_link *s = slirp_of(link);

    drain(s);
    slirp_free(s);
}

static const struct tern_link_ops slirp_ops = {
    .receive = slirp_receive,
    .release = slirp_release,
    .transmit = slirp_transmit,
    .fd = slirp_fd,
    .deadline = slirp_deadline,
    .counters = slirp_counters,
    .close = slirp_close,
};

static struct in_addr v4(uint32_t address)
{
    return (struct in_addr){.s_addr = htonl(address)};
}

static Slirp *make_slirp(struct slirp_link *s, bool restricted)
{
    const SlirpConfig config = {
        .version = 4,
        .restricted = restricted,
        .in_enabled = true,
        .vnetwork = v4(0x0a000200), /* 10.0.2.0 */
        .vnetmask = v4(0xffffff00),
        .vhost = v4(0x0a000202),
        .vdhcp_start = v4(0x0a00020f),
        .vnameserver = v4(0x0a000203),
        .if_mtu = MTU_BYTES,
        .if_mru = MTU_BYTES,
    };

    return slirp_new(&config, &callbacks, s);
}

enum tern_err tern_link_slirp_open(const struct tern_link_slirp_options *options,
                                   struct tern_link **out, char *error_text)
{
    struct slirp_link *s = calloc(1, sizeof(*s));
    struct tern_link_info *info;

    if (s == NULL) {
        tern_link_say(error_text, "cannot start slirp: out of memory");
        return TERN_ERR_MEMORY;
    }
    if (tern_slirp_poll_init(&s->poll) && tern_slirp_queue_init(&s->queue))
        s->slirp = make_slirp(s, options->restricted);
    if (s->slirp == NULL) {
        tern_link_say(error_text, "cannot start slirp");
        slirp_free(s);
        return TERN_ERR_SYSTEM;
    }
    ask_wants(s);
    info = &s->link.info;
    s->link.ops = &slirp_ops;
    (void)snprintf(info->name, sizeof(info->name), "slirp");
    info->mac = options->mac;
    info->mtu_bytes = MTU_BYTES;
    info->hold_frames = TERN_SLIRP_QUEUE_FRAMES;
    info->hold_bytes = HOLD_BYTES;
    info->private_network = true;
    *out = &s->link;
    return TERN_ERR_OK;
}
