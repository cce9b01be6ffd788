/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timer wheel.
 *
 * Time is cut into ticks of 2^16 ns, and a tick's number into eight digits of six bits, one for
 * each level. A timer's tick is its time rounded up, so that it never fires early. It lives on the
 * level of the highest digit in which its tick differs from the current one, in the slot of that
 * digit. From this follow:
 *
 *   - Every occupied slot of a level lies above the current digit of that level, so there is no
 *     wrap-around, and the lowest set bit of the occupancy map is the next slot.
 *   - Every timer of a lower level comes before every timer of a higher one.
 *   - The current tick may jump to anywhere before the next occupied slot without moving anything:
 *     empty time costs nothing, hours no more than microseconds.
 *
 * When the current tick reaches a slot, its timers are due (level 0) or go down to lower levels,
 * each at most seven times in its life. A slot is entered only when nothing is due any more, so
 * timers come out slot by slot, in order of time up to the resolution; within a slot the order is
 * the reverse of setting.
 *
 * w->now is the time up to which everything has been handed out. During a run of
 * tern_wheel_expire() it is the start of the slot being handed out; after the run, when the answer
 * was NULL, it is the caller's now. A timer set at or before it is due at once.
 *
 * Times are taken with their sign bit turned over, which maps the whole range of tern_time,
 * negative times included, onto unsigned numbers in the same order. Times in the last tick of that
 * range (2262 years hence) are rounded down instead of up.
 */
#include "base/wheel.h"

#include <stddef.h>
#include <string.h>

#include "base/assert.h"

#define TICK_BITS  16
#define DIGIT_BITS 6
#define SLOT_DUE   (TERN_WHEEL_LEVELS * TERN_WHEEL_SLOTS)

_Static_assert(TICK_BITS + DIGIT_BITS * TERN_WHEEL_LEVELS == 64, "the levels cover all of time");
_Static_assert(TERN_WHEEL_SLOTS == 1 << DIGIT_BITS, "a slot for each digit");

static uint64_t unsigned_of(tern_time t)
{
    return (uint64_t)t ^ (UINT64_C(1) << 63);
}

static uint64_t tick_before(tern_time t)
{
    return unsigned_of(t) >> TICK_BITS;
}

static uint64_t tick_after(tern_time t)
{
    uint64_t u = unsigned_of(t);
    uint64_t up = u + (UINT64_C(1) << TICK_BITS) - 1;

    return (up < u ? u : up) >> TICK_BITS;
}

static tern_time tick_start(uint64_t tick)
{
    return (tern_time)((tick << TICK_BITS) ^ (UINT64_C(1) << 63));
}

static void link_in(struct tern_timer **head, struct tern_timer *t, unsigned slot)
{
    t->next = *head;
    t->link = head;
    t->slot = (uint16_t)slot;
    if (t->next != NULL)
        t->next->link = &t->next;
    *head = t;
}

/* Where a timer of this tick belongs while the wheel stands at w->now. */
static unsigned slot_for(const struct tern_wheel *w, const struct tern_timer *t)
{
    uint64_t current = tick_before(w->now);
    uint64_t tick = tick_after(t->at);
    unsigned level, digit;

    if (t->at <= w->now || tick <= current)
        return SLOT_DUE;
    level = (63 - (unsigned)__builtin_clzll(tick ^ current)) / DIGIT_BITS;
    digit = (unsigned)(tick >> (level * DIGIT_BITS)) % TERN_WHEEL_SLOTS;
    return level * TERN_WHEEL_SLOTS + digit;
}

static void place(struct tern_wheel *w, struct tern_timer *t)
{
    unsigned slot = slot_for(w, t);
    unsigned level = slot / TERN_WHEEL_SLOTS;
    unsigned digit = slot % TERN_WHEEL_SLOTS;

    if (slot == SLOT_DUE) {
        link_in(&w->due, t, slot);
        return;
    }
    link_in(&w->slot[level][digit], t, slot);
    w->occupied[level] |= UINT64_C(1) << digit;
}

static void unlink_timer(struct tern_wheel *w, struct tern_timer *t)
{
    unsigned level = t->slot / TERN_WHEEL_SLOTS;
    unsigned digit = t->slot % TERN_WHEEL_SLOTS;

    TERN_ASSERT(t->link != NULL);
    TERN_ASSERT(*t->link == t);
    *t->link = t->next;
    if (t->next != NULL)
        t->next->link = t->link;
    t->next = NULL;
    t->link = NULL;
    if (t->slot != SLOT_DUE && w->slot[level][digit] == NULL)
        w->occupied[level] &= ~(UINT64_C(1) << digit);
}

/* The next occupied slot and the tick at which it begins; SLOT_DUE: none. */
static unsigned next_slot(const struct tern_wheel *w, uint64_t *tick)
{
    uint64_t current = tick_before(w->now);

    for (unsigned level = 0; level < TERN_WHEEL_LEVELS; level++) {
        unsigned shift = level * DIGIT_BITS;
        unsigned digit;

        if (w->occupied[level] == 0)
            continue;
        digit = (unsigned)__builtin_ctzll(w->occupied[level]);
        *tick = ((current >> shift >> DIGIT_BITS << DIGIT_BITS) | digit) << shift;
        TERN_ASSERT(*tick > current);
        return level * TERN_WHEEL_SLOTS + digit;
    }
    return SLOT_DUE;
}

/* Enter the next occupied slot, if it begins by now; false: nothing left to enter. */
static bool enter_next_slot(struct tern_wheel *w, tern_time now)
{
    struct tern_timer *list, *t;
    uint64_t tick;
    unsigned slot = next_slot(w, &tick);
    unsigned level = slot / TERN_WHEEL_SLOTS;
    unsigned digit = slot % TERN_WHEEL_SLOTS;

    if (slot == SLOT_DUE || tick > tick_before(now))
        return false;
    w->now = tick_start(tick);
    list = w->slot[level][digit];
    w->slot[level][digit] = NULL;
    w->occupied[level] &= ~(UINT64_C(1) << digit);
    while ((t = list) != NULL) { /* as many turns as timers in the slot */
        list = t->next;
        place(w, t);
        TERN_ASSERT(t->slot == SLOT_DUE || t->slot < level * TERN_WHEEL_SLOTS);
    }
    return true;
}

void tern_wheel_init(struct tern_wheel *w, tern_time now)
{
    memset(w, 0, sizeof *w);
    w->now = now;
}

void tern_wheel_set(struct tern_wheel *w, struct tern_timer *t, tern_time at)
{
    tern_wheel_cancel(w, t);
    t->at = at;
    if (at == TERN_TIME_NEVER)
        return;
    place(w, t);
    w->count++;
}

void tern_wheel_cancel(struct tern_wheel *w, struct tern_timer *t)
{
    if (!tern_timer_is_set(t))
        return;
    TERN_ASSERT(w->count > 0);
    unlink_timer(w, t);
    w->count--;
}

tern_time tern_wheel_deadline(const struct tern_wheel *w)
{
    uint64_t tick;

    if (w->due != NULL)
        return w->now;
    if (next_slot(w, &tick) == SLOT_DUE)
        return TERN_TIME_NEVER;
    return tick_start(tick);
}

struct tern_timer *tern_wheel_expire(struct tern_wheel *w, tern_time now)
{
    struct tern_timer *t;

    while (w->due == NULL) { /* each turn empties a slot for good */
        if (enter_next_slot(w, now))
            continue;
        if (now > w->now)
            w->now = now;
        return NULL;
    }
    t = w->due;
    TERN_ASSERT(t->slot == SLOT_DUE);
    tern_wheel_cancel(w, t);
    return t;
}

/* The timers of one list; each must stand where slot_for() would put it now, or be due. */
static uint32_t check_list(const struct tern_wheel *w, struct tern_timer *const *head,
                           unsigned slot)
{
    struct tern_timer *const *link = head;
    uint32_t count = 0;

    for (const struct tern_timer *t = *head; t != NULL; t = t->next) {
        TERN_ASSERT(count < w->count); /* or the list is a ring */
        TERN_ASSERT(t->link == link);
        TERN_ASSERT(t->slot == slot);
        TERN_ASSERT(t->at != TERN_TIME_NEVER);
        if (t->at > w->now)
            TERN_ASSERT(slot_for(w, t) == slot);
        link = &t->next;
        count++;
    }
    return count;
}

void tern_wheel_check(const struct tern_wheel *w)
{
    uint32_t count = check_list(w, &w->due, SLOT_DUE);

    for (unsigned level = 0; level < TERN_WHEEL_LEVELS; level++) {
        for (unsigned digit = 0; digit < TERN_WHEEL_SLOTS; digit++) {
            struct tern_timer *const *head = &w->slot[level][digit];
            bool occupied = (w->occupied[level] >> digit & 1) != 0;

            TERN_ASSERT(occupied == (*head != NULL));
            count += check_list(w, head, level * TERN_WHEEL_SLOTS + digit);
        }
    }
    TERN_ASSERT(count == w->count);
}
