/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock, and the call that blocks.
 *
 * The clock is virtual. It moves a little with each reading, for packetdrill spins on it, by leaps
 * when packetdrill sleeps or waits for a packet, and stops at each moment when the stack has
 * something to do.
 *
 * packetdrill runs a call that its script marks as blocking on a second thread, and goes on with
 * the script on the first. Such a call sleeps here, in tern_pd_wait(), until there is news. Three
 * rules make its end as exact as all else: whoever moves the clock tells the sleeper of news
 * first; then waits, in real time, until it sleeps again or has returned and read the clock
 * (`calm`); and never passes the sleeper's own time limit without a stop. The one case left:
 * packetdrill waits, outside the plugin, for the blocked call to end before it goes on. Then nobody
 * moves the clock, and after a while the sleeper does.
 */
#include "packetdrill/plugin.h"

#include <errno.h>
#include <time.h>

#define TICK       TERN_US         /* of each reading */
#define IDLE_FIRST (100 * TERN_MS) /* real time: nobody called for so long */
#define IDLE_NEXT  TERN_MS
#define CALM_MAX   TERN_SECOND /* real time, lest a lost thread hang the run */
#define STOPS_MAX  100000      /* of one advance: beyond, the stack spins */

static struct timespec in_real_time(tern_time from_now)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    from_now += t.tv_nsec;
    t.tv_sec += (time_t)(from_now / TERN_SECOND);
    t.tv_nsec = (long)(from_now % TERN_SECOND);
    return t;
}

static bool is_blocked_thread(const struct tern_pd *p)
{
    return !pthread_equal(pthread_self(), p->main);
}

/* The blocked call stands still: it sleeps, or there is none. */
static void settle(struct tern_pd *p)
{
    const struct timespec limit = in_real_time(CALM_MAX);

    if (is_blocked_thread(p))
        return;
    while (p->blocked == TERN_PD_LOOKING || p->blocked == TERN_PD_RETURNING) {
        if (pthread_cond_timedwait(&p->calm, &p->lock, &limit) == ETIMEDOUT)
            return;
    }
}

static tern_time next_stop(const struct tern_pd *p)
{
    const tern_time due = tern_stack_deadline(p->stack);

    return p->blocked == TERN_PD_WAITING && p->blocked_until < due ? p->blocked_until : due;
}

void tern_pd_tell_blocked(struct tern_pd *p)
{
    if (p->blocked != TERN_PD_WAITING)
        return;
    p->blocked = TERN_PD_LOOKING;
    pthread_cond_signal(&p->news);
}

bool tern_pd_leap(struct tern_pd *p, tern_time limit)
{
    tern_time next;

    settle(p);
    next = next_stop(p);
    if (next > limit || next == TERN_TIME_NEVER)
        return false;
    if (next > p->now)
        p->now = next;
    (void)tern_pd_turn(p);
    settle(p);
    return true;
}

void tern_pd_advance(struct tern_pd *p, tern_time to)
{
    for (int stops = 0; stops < STOPS_MAX && tern_pd_leap(p, to); stops++)
        continue;
    if (to > p->now)
        p->now = to;
    (void)tern_pd_turn(p);
    settle(p);
}

tern_time tern_pd_read_clock(struct tern_pd *p)
{
    p->now += TICK;
    if (next_stop(p) <= p->now)
        (void)tern_pd_turn(p);
    if (is_blocked_thread(p) && p->blocked == TERN_PD_RETURNING) {
        p->blocked = TERN_PD_NOBODY;
        pthread_cond_broadcast(&p->calm);
    }
    return p->now;
}

/* Asleep on the second thread until told. */
static void sleep_until_told(struct tern_pd *p, tern_time until)
{
    tern_time idle = IDLE_FIRST;
    uint64_t calls = p->calls;

    p->blocked_until = until;
    p->blocked = TERN_PD_WAITING;
    pthread_cond_broadcast(&p->calm);
    while (p->blocked == TERN_PD_WAITING) {
        const struct timespec limit = in_real_time(idle);

        if (pthread_cond_timedwait(&p->news, &p->lock, &limit) != ETIMEDOUT)
            continue;
        if (p->calls == calls && p->blocked == TERN_PD_WAITING) {
            idle = IDLE_NEXT;
            (void)tern_pd_leap(p, TERN_TIME_NEVER);
        } else {
            idle = IDLE_FIRST;
        }
        calls = p->calls;
    }
}

int tern_pd_wait(void *arg, tern_time until)
{
    struct tern_pd *p = arg;

    if (tern_pd_turn(p))
        return 0;
    if (is_blocked_thread(p)) {
        sleep_until_told(p, until);
        return 0;
    }
    /* The script does not say that this call blocks, but it does. Let time pass; where nothing can
     * happen any more, the script is to hear of it instead of hanging. */
    if (tern_pd_leap(p, until))
        return 0;
    return EINTR;
}

void tern_pd_call_begins(struct tern_pd *p)
{
    pthread_mutex_lock(&p->lock);
    p->calls++;
}

void tern_pd_call_ends(struct tern_pd *p)
{
    (void)tern_pd_turn(p);
    if (is_blocked_thread(p) && p->blocked == TERN_PD_LOOKING)
        p->blocked = TERN_PD_RETURNING;
    pthread_mutex_unlock(&p->lock);
}
