/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop joins one stack to one link. A turn: read the clock, let timers expire, then up to
 * ROUNDS_MAX times: fetch a burst, hand it to the stack, give it back, and send what the stack
 * wants to send. The bound keeps the application's turn coming whatever arrives; what is left over
 * is remembered, and then the next call does not sleep.
 * Where the application borrows (tern_loop_borrow()) a turn is one burst: the frames stay lent
 * until the next, so that the application reads text where it stands, and what it has left by then
 * is copied.
 *
 * When the link is full, the frames that it did not take are copied aside (the stash): the stack
 * lends its frames only until the next call on it, and the application may make one at any time.
 * While the stash holds frames nothing more is pulled out of the stack, so TCP is held back and not
 * lost. It is offered again after RETRY_NS, since a device's queue need not tell when it has room.
 * Where the link takes none of it for STUCK_NS the frames are given up, and counted, as any queue
 * of a network would: else what the stack wants to send again, and how often it has in vain
 * (RFC 9293 §3.8.3), would wait behind them for ever.
 *
 * Sleeping is adaptive. A wake-up across cores costs some 24 us, most of a round trip on a
 * fast link. When a sleep turned out shorter than SHORT_SLEEP_NS, the next one begins by looking at
 * the link for SPIN_NS without blocking; each time that was in vain the time is halved, so an idle
 * loop soon blocks at once. On one processor it never spins: the peer could not run. The
 * application may ask for either extreme: a loop that always blocks looks at the link once, and one
 * that always spins looks at its other descriptors each SPIN_NS, and returns, without sleeping.
 */
#include <tern/loop.h>

#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "link/frame.h"
#include "os/clock.h"
#include "os/entropy.h"
#include "os/host_key.h"
#include "os/watch.h"

#define ROUNDS_MAX     16
#define SPIN_NS        (30 * TERN_US)
#define LOOK_NS        (20 * TERN_US)
#define SPIN_LEAST_NS  (2 * TERN_US)
#define LOOKS_MAX      10000
#define SHORT_SLEEP_NS (60 * TERN_US)
#define RETRY_NS       (50 * TERN_US)
#define STUCK_NS       (2 * TERN_SECOND)

/* Frames that the link did not take yet, copied out of the stack. */
struct stash {
    struct tern_frame frame[TERN_BURST_MAX];
    uint8_t *bytes; /* TERN_BURST_MAX times TERN_FRAME_BYTES_MAX, touched lazily */
    int first, count;
    tern_time moved_at; /* when the link last took one, or was first offered them */
};

struct tern_loop {
    struct tern_link *link;
    struct tern_stack *stack;
    void *memory;
    size_t memory_bytes;
    tern_time now;
    tern_time clock_lost; /* what the system's clock was set back, all told */
    struct tern_watches watches;
    struct stash stash;
    tern_time spin_ns;
    tern_time looked_at; /* at the other descriptors */
    enum tern_loop_wait wait;
    uint32_t mtu_bytes; /* the link's, as the stack knows it */
    uint64_t dropped;   /* frames given up */
    bool may_spin;
    bool more; /* the last turn stopped at its bound */
    bool borrows;
    int bursts_full; /* in a row */
    bool lent;       /* by the link, to the stack and its readers */
};

/* From so many connections on the stack's tables are asked for in huge pages: with small ones each
 * segment of another connection walks page tables for a handle, a block, a log and a chunk
 * (docs/internals/many-connections.md). Below, memory that is never touched matters more. */
#define HUGE_FROM 65536

#define STASH_BYTES ((size_t)TERN_BURST_MAX * TERN_FRAME_BYTES_MAX)

static void *map_zeroed(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

/*
 * The clock as this loop counts it: never earlier than before, which the core relies on. Where the
 * system's was set back (a machine that was moved or restored), time goes on from where it was.
 */
static tern_time clock_of(const struct tern_loop *loop)
{
    tern_time now = tern_clock_now() + loop->clock_lost;

    return now > loop->now ? now : loop->now;
}

static void read_clock(struct tern_loop *loop)
{
    tern_time now = tern_clock_now() + loop->clock_lost;

    if (now < loop->now)
        loop->clock_lost += loop->now - now;
    else
        loop->now = now;
}

static bool all_zero(const uint8_t *p, size_t bytes)
{
    uint8_t any = 0;

    for (size_t i = 0; i < bytes; i++)
        any |= p[i];
    return any == 0;
}

/* Give the core its seed, its link and its memory. */
static enum tern_err make_stack(struct tern_loop *loop, const struct tern_config *given)
{
    struct tern_config config;
    enum tern_err err = TERN_ERR_OK;

    if (given != NULL)
        config = *given;
    else
        tern_config_defaults(&config);
    if (all_zero(config.seed, sizeof(config.seed))) {
        err = tern_entropy(config.seed, sizeof(config.seed));
        if (all_zero(config.timestamps_key, sizeof(config.timestamps_key)))
            tern_host_key(config.timestamps_key);
    }
    if (err != TERN_ERR_OK)
        return err;
    config.link = loop->link->info;
    loop->mtu_bytes = config.link.mtu_bytes;
    loop->memory_bytes = tern_stack_bytes(&config);
    if (loop->memory_bytes == 0)
        return TERN_ERR_INVAL;
    loop->memory = map_zeroed(loop->memory_bytes);
    if (loop->memory == NULL)
        return TERN_ERR_MEMORY;
    if (config.connections_max >= HUGE_FROM) /* without them it is only slower */
        (void)madvise(loop->memory, loop->memory_bytes, MADV_HUGEPAGE);
    read_clock(loop);
    return tern_stack_init(loop->memory, loop->memory_bytes, &config, loop->now, &loop->stack);
}

static bool several_processors(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1;
}

static void loop_free(struct tern_loop *loop)
{
    tern_watches_fini(&loop->watches);
    if (loop->stash.bytes != NULL)
        (void)munmap(loop->stash.bytes, STASH_BYTES);
    if (loop->memory != NULL)
        (void)munmap(loop->memory, loop->memory_bytes);
    free(loop);
}

static enum tern_err loop_init(struct tern_loop *loop, const struct tern_config *config)
{
    enum tern_err err = tern_watches_init(&loop->watches);

    if (err == TERN_ERR_OK)
        err = tern_watches_link(&loop->watches, loop->link->ops->fd(loop->link));
    if (err != TERN_ERR_OK)
        return err;
    loop->may_spin = several_processors();
    loop->stash.bytes = map_zeroed(STASH_BYTES);
    if (loop->stash.bytes == NULL)
        return TERN_ERR_MEMORY;
    return make_stack(loop, config);
}

enum tern_err tern_loop_create(struct tern_link *link, const struct tern_config *config,
                               struct tern_loop **out)
{
    struct tern_loop *loop = calloc(1, sizeof(*loop));
    enum tern_err err;

    TERN_ASSERT(link != NULL);
    if (loop == NULL)
        return TERN_ERR_MEMORY;
    loop->link = link;
    err = loop_init(loop, config);
    if (err != TERN_ERR_OK) {
        loop_free(loop);
        return err;
    }
    *out = loop;
    return TERN_ERR_OK;
}

struct tern_stack *tern_loop_stack(struct tern_loop *loop)
{
    return loop->stack;
}

struct tern_link *tern_loop_link(struct tern_loop *loop)
{
    return loop->link;
}

uint64_t tern_loop_dropped(const struct tern_loop *loop)
{
    return loop->dropped;
}

void tern_loop_borrow(struct tern_loop *loop, bool borrow)
{
    loop->borrows = borrow;
}

void tern_loop_wait_set(struct tern_loop *loop, enum tern_loop_wait wait)
{
    loop->wait = wait;
    loop->spin_ns = wait == TERN_LOOP_SPIN ? SPIN_NS : 0;
}

tern_time tern_loop_now(const struct tern_loop *loop)
{
    return loop->now;
}

/* Copy aside what the link did not take. */
static void stash_keep(struct tern_loop *loop, const struct tern_frame *frames, int count)
{
    struct stash *stash = &loop->stash;

    TERN_ASSERT(stash->count == 0);
    TERN_ASSERT(count <= TERN_BURST_MAX);
    for (int i = 0; i < count; i++) {
        uint8_t *bytes = stash->bytes + (size_t)i * TERN_FRAME_BYTES_MAX;
        struct tern_frame *kept = &stash->frame[i];

        *kept = frames[i];
        kept->bytes = (uint32_t)tern_frame_copy(&frames[i], bytes, TERN_FRAME_BYTES_MAX);
        kept->piece[0] = (struct tern_slice){.data = bytes, .bytes = kept->bytes};
        kept->piece_count = 1;
    }
    stash->first = 0;
    stash->count = count;
    stash->moved_at = loop->now;
}

static void stash_give_up(struct tern_loop *loop)
{
    loop->dropped += (uint64_t)loop->stash.count;
    loop->stash.count = 0;
}

/* Frames sent from the stash, or an error. */
static int stash_send(struct tern_loop *loop)
{
    struct stash *stash = &loop->stash;
    int n;

    if (stash->count == 0)
        return 0;
    n = loop->link->ops->transmit(loop->link, loop->now, stash->frame + stash->first, stash->count);
    if (n < 0)
        return n;
    TERN_ASSERT(n <= stash->count);
    stash->first += n;
    stash->count -= n;
    if (n > 0)
        stash->moved_at = loop->now;
    else if (loop->now - stash->moved_at >= STUCK_NS)
        stash_give_up(loop);
    return n;
}

/* Send what the stack has to send, as far as the link takes it. Frames sent, or an error. */
static int send_output(struct tern_loop *loop)
{
    struct tern_frame frames[TERN_BURST_MAX];
    int total = stash_send(loop);

    for (int round = 0; round < ROUNDS_MAX; round++) {
        int count, taken;

        if (total < 0 || loop->stash.count > 0)
            return total;
        count = tern_stack_output(loop->stack, frames, TERN_BURST_MAX, loop->now);
        if (count == 0)
            return total;
        taken = loop->link->ops->transmit(loop->link, loop->now, frames, count);
        if (taken < 0)
            return taken;
        if (taken < count)
            stash_keep(loop, frames + taken, count - taken);
        total += taken;
    }
    loop->more = true;
    return total;
}

/* The frames of the last burst go back. */
static void give_back(struct tern_loop *loop)
{
    if (!loop->lent)
        return;
    tern_stack_settle(loop->stack);
    loop->link->ops->release(loop->link);
    loop->lent = false;
}

/* Hand one burst from the link to the stack. Frames, or an error. */
static int receive_input(struct tern_loop *loop)
{
    struct tern_frame frames[TERN_BURST_MAX];
    int n;

    give_back(loop);
    n = loop->link->ops->receive(loop->link, loop->now, frames, TERN_BURST_MAX);
    if (loop->mtu_bytes != loop->link->info.mtu_bytes) {
        loop->mtu_bytes = loop->link->info.mtu_bytes;
        tern_stack_link_changed(loop->stack, &loop->link->info);
    }
    if (n <= 0)
        return n;
    if (loop->borrows) {
        tern_stack_input_borrowed(loop->stack, frames, n, loop->now);
        loop->lent = true;
        return n;
    }
    tern_stack_input(loop->stack, frames, n, loop->now);
    loop->link->ops->release(loop->link);
    return n;
}

/*
 * Only when what had arrived was looked at: after a pause in which we did not run, the ACK that a
 * timer waits for, or the objection to an address, stands in the ring already. A link that is never
 * seen empty holds them up for so many bursts.
 */
static bool is_time_for_timers(struct tern_loop *loop, int in)
{
    if (in == TERN_BURST_MAX && ++loop->bursts_full < ROUNDS_MAX)
        return false;
    loop->bursts_full = 0;
    return true;
}

static void expire_timers(struct tern_loop *loop, bool *did)
{
    if (tern_stack_deadline(loop->stack) > loop->now)
        return;
    tern_stack_expire(loop->stack, loop->now);
    /* Frames that wait behind a full link make the stack due all the time: nothing moved then. */
    if (loop->stash.count == 0)
        *did = true;
}

/* The clock has been read: move everything that is ready. *did: there was something. */
static enum tern_err move(struct tern_loop *loop, bool *did)
{
    int in = 0;

    loop->more = false;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        int out;

        if (round > 0) /* what comes now came after what was sent, and a round trip is not zero */
            read_clock(loop);
        in = receive_input(loop);
        if (in < 0)
            return (enum tern_err)in;
        if (is_time_for_timers(loop, in))
            expire_timers(loop, did);
        out = send_output(loop);
        if (out < 0)
            return (enum tern_err)out;
        if (in > 0 || out > 0)
            *did = true;
        if (in == 0)
            return TERN_ERR_OK;
        if (loop->lent)
            break; /* its readers come first */
    }
    loop->more = true;
    return TERN_ERR_OK;
}

/* What the application gave to send since the last turn goes before anything else is looked at: the
 * peer waits for it. Then other descriptors, and all that is ready. A call that may sleep in the
 * end looks at the descriptors there; while it is busy a look each LOOK_NS is enough, since it is a
 * system call. */
static enum tern_err process(struct tern_loop *loop, bool may_sleep, bool *did)
{
    bool looks;
    int out = 0;

    read_clock(loop);
    if (loop->stash.count == 0)
        out = send_output(loop);
    if (out < 0)
        return (enum tern_err)out;
    *did = out > 0;
    looks = !may_sleep || loop->now - loop->looked_at >= LOOK_NS;
    if (looks && tern_watches_poll(&loop->watches, 0).other)
        *did = true;
    read_clock(loop);
    if (looks)
        loop->looked_at = loop->now;
    return move(loop, did);
}

enum tern_err tern_process(struct tern_loop *loop)
{
    bool did = false;

    return process(loop, false, &did);
}

/* When the loop must run again though no descriptor says so. */
static tern_time next_deadline(const struct tern_loop *loop)
{
    tern_time at = tern_stack_deadline(loop->stack);
    tern_time link_at = loop->link->ops->deadline(loop->link);

    if (loop->more)
        return loop->now;
    if (loop->stash.count > 0) /* the stack is due at once if it has more to send, and in vain */
        at = loop->now + RETRY_NS;
    return link_at < at ? link_at : at;
}

int tern_fd(const struct tern_loop *loop)
{
    return loop->watches.epoll_fd;
}

int tern_timeout(const struct tern_loop *loop)
{
    tern_time at = next_deadline(loop);
    tern_time now, ms;

    if (loop->watches.highest_always >= 0)
        return 0;
    if (at == TERN_TIME_NEVER)
        return -1;
    now = clock_of(loop);
    if (at <= now)
        return 0;
    ms = (at - now - 1) / TERN_MS + 1;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* Look at the link for a while before blocking, bounded in looks as well, for a clock that stands
 * still. *did: something came. */
static enum tern_err spin(struct tern_loop *loop, tern_time until, bool *did)
{
    tern_time end = loop->now + loop->spin_ns;

    if (until < end)
        end = until;
    for (int looks = 0; loop->now < end && looks < LOOKS_MAX; looks++) {
        int in;

        read_clock(loop);
        in = receive_input(loop);
        if (in < 0)
            return (enum tern_err)in;
        if (in > 0) {
            *did = true;
            loop->spin_ns = SPIN_NS;
            return send_output(loop) < 0 ? TERN_ERR_LINK : TERN_ERR_OK;
        }
    }
    if (loop->wait == TERN_LOOP_ADAPTIVE)
        loop->spin_ns = loop->spin_ns / 2 < SPIN_LEAST_NS ? 0 : loop->spin_ns / 2;
    return TERN_ERR_OK;
}

/* Block until something happens or `until`. */
static void block(struct tern_loop *loop, tern_time until)
{
    tern_time before = clock_of(loop);
    struct tern_watch_result found;
    tern_time wait = 0;

    if (until == TERN_TIME_NEVER)
        wait = TERN_TIME_NEVER;
    else if (until > before)
        wait = until - before;
    found = tern_watches_poll(&loop->watches, wait);
    read_clock(loop);
    loop->looked_at = loop->now;
    if (loop->wait == TERN_LOOP_ADAPTIVE && loop->may_spin && found.link &&
        loop->now - before < SHORT_SLEEP_NS)
        loop->spin_ns = SPIN_NS;
}

enum tern_err tern_loop_run(struct tern_loop *loop, tern_time until)
{
    enum tern_err err;
    tern_time at;
    bool did = false;

    err = process(loop, until > loop->now, &did);
    if (err != TERN_ERR_OK || did || until <= loop->now)
        return err;
    at = next_deadline(loop);
    if (until < at)
        at = until;
    if (loop->spin_ns > 0) {
        err = spin(loop, at, &did);
        if (err != TERN_ERR_OK || did)
            return err;
    }
    block(loop, loop->wait == TERN_LOOP_SPIN ? loop->now : at);
    return move(loop, &did);
}

enum tern_err tern_loop_watch(struct tern_loop *loop, int fd, uint32_t poll_bits,
                              tern_loop_watch_fn *callback, void *user)
{
    return tern_watches_set(&loop->watches, fd, poll_bits, callback, user);
}

void tern_loop_wake(struct tern_loop *loop)
{
    tern_watches_wake(&loop->watches);
}

void tern_loop_destroy(struct tern_loop *loop)
{
    if (loop == NULL)
        return;
    give_back(loop);
    /* Last words, such as resets: whatever the link takes at once. */
    read_clock(loop);
    (void)send_output(loop);
    loop->link->ops->close(loop->link);
    loop_free(loop);
}
