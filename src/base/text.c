/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words behind the numbers of the public API: errors, causes, drop reasons, TCP states. Each
 * table is made from the same list as its enum. A number that is in no list (a caller may pass any)
 * gets a text all the same.
 */
#include <tern/cause.h>
#include <tern/drop.h>
#include <tern/err.h>
#include <tern/tcp.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define ERR_TEXT(name, number, text) [-(number)] = text,
static const char *const err_texts[] = {TERN_ERR_LIST(ERR_TEXT)};

#define ERR_NAME(name, number, text) [-(number)] = #name,
static const char *const err_names[] = {TERN_ERR_LIST(ERR_NAME)};

/* As many entries as the highest number makes room for: the numbers leave no hole. */
#define ERR_ONE(name, number, text) +1
_Static_assert(COUNT_OF(err_texts) == 0 TERN_ERR_LIST(ERR_ONE), "a text for each error");
_Static_assert(COUNT_OF(err_names) == 0 TERN_ERR_LIST(ERR_ONE), "a name for each error");

#define CAUSE_TEXT(name, words) words,
static const char *const cause_texts[] = {TERN_CAUSE_LIST(CAUSE_TEXT)};

#define CAUSE_NAME(name, words) #name,
static const char *const cause_names[] = {TERN_CAUSE_LIST(CAUSE_NAME)};

_Static_assert(COUNT_OF(cause_texts) == TERN_CAUSE_COUNT, "a text for each cause");
_Static_assert(COUNT_OF(cause_names) == TERN_CAUSE_COUNT, "a name for each cause");

#define DROP_TEXT(name, key, words) words,
static const char *const drop_texts[] = {TERN_DROP_LIST(DROP_TEXT)};

#define DROP_KEY(name, key, words) key,
static const char *const drop_keys[] = {TERN_DROP_LIST(DROP_KEY)};

_Static_assert(COUNT_OF(drop_texts) == TERN_DROP_COUNT, "a text for each drop reason");
_Static_assert(COUNT_OF(drop_keys) == TERN_DROP_COUNT, "a key for each drop reason");

#define STATE_TEXT(name, text) text,
static const char *const state_texts[] = {TERN_TCP_STATE_LIST(STATE_TEXT)};

_Static_assert(COUNT_OF(state_texts) == TERN_TCP_STATE_COUNT, "a text for each state");

static const char *pick(const char *const *table, size_t count, size_t index, const char *otherwise)
{
    return index < count ? table[index] : otherwise;
}

/* The index of an error: its number without the sign; a positive one becomes impossibly large. */
static size_t err_index(enum tern_err err)
{
    return (size_t)0 - (size_t)(ptrdiff_t)err;
}

const char *tern_err_text(enum tern_err err)
{
    return pick(err_texts, COUNT_OF(err_texts), err_index(err), "unknown error");
}

const char *tern_err_name(enum tern_err err)
{
    return pick(err_names, COUNT_OF(err_names), err_index(err), "UNKNOWN");
}

const char *tern_cause_text(enum tern_cause cause)
{
    return pick(cause_texts, COUNT_OF(cause_texts), (size_t)cause, "unknown cause");
}

const char *tern_cause_name(enum tern_cause cause)
{
    return pick(cause_names, COUNT_OF(cause_names), (size_t)cause, "UNKNOWN");
}

const char *tern_drop_text(enum tern_drop drop)
{
    return pick(drop_texts, COUNT_OF(drop_texts), (size_t)drop, "unknown reason");
}

const char *tern_drop_key(enum tern_drop drop)
{
    return pick(drop_keys, COUNT_OF(drop_keys), (size_t)drop, "unknown");
}

const char *tern_tcp_state_text(enum tern_tcp_state state)
{
    return pick(state_texts, COUNT_OF(state_texts), (size_t)state, "UNKNOWN");
}
