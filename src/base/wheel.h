/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BASE_WHEEL_H
#define TERN_BASE_WHEEL_H
/*
 * A hierarchical timer wheel: set, cancel and expire in constant time whatever the number of
 * timers. Levels of 64 slots with an occupancy bit map each; the finest slot is 2^16 ns (65 us). A
 * timer never fires early; it may fire up to one finest slot late.
 */
#include <stdbool.h>
#include <stdint.h>

#include <tern/time.h>

struct tern_timer {
    struct tern_timer *next, **link; /* link: the pointer that points at us; NULL: not set */
    tern_time at;
    uint16_t slot; /* level * 64 + slot */
};

#define TERN_WHEEL_LEVELS 8
#define TERN_WHEEL_SLOTS  64

struct tern_wheel {
    tern_time now; /* everything before has been expired */
    uint64_t occupied[TERN_WHEEL_LEVELS];
    struct tern_timer *slot[TERN_WHEEL_LEVELS][TERN_WHEEL_SLOTS];
    struct tern_timer *due; /* reached, and not yet pulled */
    uint32_t count;
};

void tern_wheel_init(struct tern_wheel *w, tern_time now);
/* Set, or move, a timer; a zeroed struct tern_timer is an unset one. at may be in the past, and
 * TERN_TIME_NEVER unsets. */
void tern_wheel_set(struct tern_wheel *w, struct tern_timer *t, tern_time at);
void tern_wheel_cancel(struct tern_wheel *w, struct tern_timer *t);
static inline bool tern_timer_is_set(const struct tern_timer *t)
{
    return t->link != 0;
}
/* When tern_wheel_expire() should next be called: never later than the earliest timer by more than
 * the resolution, maybe earlier (to cascade); TERN_TIME_NEVER with no timers. */
tern_time tern_wheel_deadline(const struct tern_wheel *w);
/* The next timer that is due at now, unset; NULL: none left. Call until NULL. */
struct tern_timer *tern_wheel_expire(struct tern_wheel *w, tern_time now);
void tern_wheel_check(const struct tern_wheel *w);

#endif
