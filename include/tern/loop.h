/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LOOP_H
#define TERN_LOOP_H
/*
 * The loop: joins one stack to one link, reads the clock once a turn, and sleeps when there is
 * nothing to do. Use it inside your own loop with tern_fd(), tern_timeout() and tern_process(),
 * or let tern_loop_run() wait. One thread, but for tern_loop_wake().
 */
#include <tern/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tern_loop;

/*
 * Take over a link (closed with the loop) and make a stack on it. config->link is filled from
 * the link; config->seed is drawn from the system where it is all zero, and then
 * config->timestamps_key, if that is all zero as well, is this machine's until it boots again.
 * config NULL: defaults.
 * On failure the link is still the caller's.
 */
TERN_EXPORT TERN_NODISCARD enum tern_err
tern_loop_create(struct tern_link *link, const struct tern_config *config, struct tern_loop **out);
TERN_EXPORT void tern_loop_destroy(struct tern_loop *loop);

TERN_EXPORT struct tern_stack *tern_loop_stack(struct tern_loop *loop);
TERN_EXPORT struct tern_link *tern_loop_link(struct tern_loop *loop);
/* The clock as the current turn sees it. */
TERN_EXPORT tern_time tern_loop_now(const struct tern_loop *loop);

/* Frames that were given up because the link took none at all for two seconds: as good as lost, so
 * that what waits for them goes on, and in the end gives up. */
TERN_EXPORT uint64_t tern_loop_dropped(const struct tern_loop *loop);

/* For your own loop: poll the fd for reading, at most so long (milliseconds, -1: no limit), then
 * process. tern_process() never sleeps: it moves what is ready, a bounded amount, then returns
 * TERN_ERR_OK, or TERN_ERR_LINK once the link is gone. What calls on the stack gave it to send
 * leaves with the next tern_process(): call it once more before you sleep. */
TERN_EXPORT int tern_fd(const struct tern_loop *loop);
TERN_EXPORT int tern_timeout(const struct tern_loop *loop);
TERN_EXPORT TERN_NODISCARD enum tern_err tern_process(struct tern_loop *loop);

/* One turn: process; where there was nothing to do, sleep until something happens or `until`
 * (TERN_TIME_NEVER: no limit) and process that. It returns whenever anything moved, so that stack
 * events are seen at once; pull them all before the next call. */
TERN_EXPORT TERN_NODISCARD enum tern_err tern_loop_run(struct tern_loop *loop, tern_time until);

/* How tern_loop_run() passes the time in which there is nothing to do. */
enum tern_loop_wait {
    TERN_LOOP_ADAPTIVE, /* where sleeps are short, spin for a bounded time, then block; the
                           default */
    TERN_LOOP_BLOCK,    /* sleep at once: the least work, and a wake-up in each round trip */
    TERN_LOOP_SPIN,     /* never sleep, and return now and then: the shortest round trips, at the
                           price of a processor */
};
TERN_EXPORT void tern_loop_wait_set(struct tern_loop *loop, enum tern_loop_wait wait);

/* Show received text where it stands in the link's frames, instead of copying it first: for
 * applications that read all that is there in each turn. What tern_tcp_peek() shows is then valid
 * until the next tern_loop_run() or tern_process(), which copies what was not read: no slice may go
 * to another thread then, or be kept from one turn to the next. Off by default. */
TERN_EXPORT void tern_loop_borrow(struct tern_loop *loop, bool borrow);

/* Other descriptors that share the sleep. callback is called inside tern_loop_run() and
 * tern_process() with poll(2)'s bits; bits 0 stop watching (do it before closing fd). Regular files
 * are always ready, as with poll(2). */
typedef void tern_loop_watch_fn(void *user, int fd, uint32_t poll_bits);
TERN_EXPORT TERN_NODISCARD enum tern_err tern_loop_watch(struct tern_loop *loop, int fd,
                                                         uint32_t poll_bits,
                                                         tern_loop_watch_fn *callback, void *user);

/* End the sleep from another thread or a signal handler. */
TERN_EXPORT void tern_loop_wake(struct tern_loop *loop);

#ifdef __cplusplus
}
#endif
#endif
