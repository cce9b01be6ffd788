/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The texts of what observers are told, each table made from the same list as its enum. A number
 * that is in no list gets a text all the same.
 */
#include <tern/observe.h>

#define COUNT_OF(array)          (sizeof(array) / sizeof((array)[0]))
#define TEXT(name, text)         text,
#define FIRST(name, text, words) text,
#define WORDS(name, text, words) words,

static const char *const timer_texts[] = {TERN_TIMER_LIST(TEXT)};
static const char *const loss_texts[] = {TERN_LOSS_LIST(FIRST)};
static const char *const loss_words[] = {TERN_LOSS_LIST(WORDS)};
static const char *const undo_texts[] = {TERN_UNDO_LIST(FIRST)};
static const char *const undo_words[] = {TERN_UNDO_LIST(WORDS)};
static const char *const sender_texts[] = {TERN_SENDER_LIST(TEXT)};
static const char *const phase_texts[] = {TERN_PHASE_LIST(TEXT)};
static const char *const neighbour_texts[] = {TERN_NEIGHBOUR_LIST(TEXT)};
static const char *const address_texts[] = {"probed", "announced", "defended", "lost"};

_Static_assert(COUNT_OF(timer_texts) == TERN_TIMER_COUNT, "a text for each timer");
_Static_assert(COUNT_OF(loss_texts) == TERN_LOSS_COUNT, "a text for each witness of a loss");
_Static_assert(COUNT_OF(undo_texts) == TERN_UNDO_COUNT, "a text for each witness of an undo");
_Static_assert(COUNT_OF(sender_texts) == TERN_SENDER_COUNT, "a text for each sender's state");
_Static_assert(COUNT_OF(phase_texts) == TERN_PHASE_COUNT, "a text for each phase");
_Static_assert(COUNT_OF(neighbour_texts) == TERN_NEIGHBOUR_COUNT, "a text for each state");
_Static_assert(COUNT_OF(address_texts) == TERN_ADDRESS_LOST + 1, "a text for each step");

static const char *pick(const char *const *table, size_t count, size_t index)
{
    return index < count ? table[index] : "unknown";
}

const char *tern_timer_text(enum tern_timer_kind timer)
{
    return pick(timer_texts, COUNT_OF(timer_texts), (size_t)timer);
}

const char *tern_loss_text(enum tern_loss_by by)
{
    return pick(loss_texts, COUNT_OF(loss_texts), (size_t)by);
}

const char *tern_loss_words(enum tern_loss_by by)
{
    return pick(loss_words, COUNT_OF(loss_words), (size_t)by);
}

const char *tern_undo_text(enum tern_undo_by by)
{
    return pick(undo_texts, COUNT_OF(undo_texts), (size_t)by);
}

const char *tern_undo_words(enum tern_undo_by by)
{
    return pick(undo_words, COUNT_OF(undo_words), (size_t)by);
}

const char *tern_sender_text(enum tern_sender sender)
{
    return pick(sender_texts, COUNT_OF(sender_texts), (size_t)sender);
}

const char *tern_phase_text(enum tern_phase phase)
{
    return pick(phase_texts, COUNT_OF(phase_texts), (size_t)phase);
}

const char *tern_address_step_text(enum tern_address_step step)
{
    return pick(address_texts, COUNT_OF(address_texts), (size_t)step);
}

const char *tern_neighbour_text(enum tern_neighbour state)
{
    return pick(neighbour_texts, COUNT_OF(neighbour_texts), (size_t)state);
}
