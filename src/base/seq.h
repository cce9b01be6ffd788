/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BASE_SEQ_H
#define TERN_BASE_SEQ_H
/*
 * TCP sequence numbers (RFC 9293 §3.4): 32 bits that wrap. A one-member struct, so that
 * comparing them with < does not compile.
 */
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t value;
} tern_seq;

static inline tern_seq tern_seq_of(uint32_t value)
{
    return (tern_seq){value};
}

static inline tern_seq tern_seq_add(tern_seq a, uint32_t n)
{
    return (tern_seq){a.value + n};
}

/* How far b is ahead of a; negative where it is behind. Meaningful within 2^31. */
static inline int32_t tern_seq_diff(tern_seq b, tern_seq a)
{
    return (int32_t)(b.value - a.value);
}

static inline bool tern_seq_eq(tern_seq a, tern_seq b)
{
    return a.value == b.value;
}

static inline bool tern_seq_lt(tern_seq a, tern_seq b)
{
    return tern_seq_diff(a, b) < 0;
}

static inline bool tern_seq_le(tern_seq a, tern_seq b)
{
    return tern_seq_diff(a, b) <= 0;
}

static inline bool tern_seq_gt(tern_seq a, tern_seq b)
{
    return tern_seq_diff(a, b) > 0;
}

static inline bool tern_seq_ge(tern_seq a, tern_seq b)
{
    return tern_seq_diff(a, b) >= 0;
}

#endif
