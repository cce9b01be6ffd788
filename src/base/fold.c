/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structures folded small.
 *
 * The words (of 8 bytes, native order) are taken in groups of eight. First stands a map of the
 * groups in which some word differs from the model's; then for each of these a byte that says
 * which words do; then for each such word a byte that says how it is told, and the bytes that it
 * takes:
 *
 *   0x0L  the difference to the model's word, in L bytes
 *   0xkL  (k 1 to 14) the difference to the k-th of the words remembered, in L bytes
 *   0xfX  both halves, XORed with the model's, in 0, 1, 2 or 4 bytes each: X has two bits a half
 *
 * A difference is folded so that small ones of either sign are small, lowest byte first. Words
 * that took two bytes or more to tell are remembered, in a ring of fourteen; he who unfolds
 * sees the same bytes and remembers the same.
 *
 * Nothing here is read from a peer: a record was written by this file. Asserted all the same is
 * what keeps a bad one from doing harm beyond its structure.
 */
#include "base/fold.h"

#include <stdbool.h>
#include <string.h>

#include "base/assert.h"

#define GROUP  8
#define RING   14
#define HALVES 0xf0

struct memory {
    uint64_t word[RING];
    unsigned next, count;
};

struct telling {
    uint8_t how;
    unsigned bytes;
    uint64_t value;
};

static uint64_t word_at(const void *structure, size_t i)
{
    uint64_t w;

    memcpy(&w, (const uint8_t *)structure + i * 8, 8);
    return w;
}

static uint64_t fold_sign(uint64_t difference)
{
    return (difference << 1) ^ (0 - (difference >> 63));
}

static uint64_t unfold_sign(uint64_t v)
{
    return (v >> 1) ^ (0 - (v & 1));
}

static unsigned bytes_of(uint64_t v)
{
    return v == 0 ? 0 : (unsigned)(71 - __builtin_clzll(v)) / 8;
}

static void remember(struct memory *m, uint64_t word)
{
    m->word[m->next] = word;
    m->next = m->next + 1 == RING ? 0 : m->next + 1;
    m->count += m->count < RING;
}

/* Two bits for 0, 1, 2 or 4 bytes. */
static unsigned half_code(uint32_t half)
{
    const unsigned bytes = bytes_of(half);

    return bytes < 3 ? bytes : 3;
}

static unsigned half_bytes(unsigned code)
{
    return code == 3 ? 4 : code;
}

static struct telling best_telling(const struct memory *m, uint64_t word, uint64_t model)
{
    const uint64_t crossed = word ^ model;
    const unsigned low = half_code((uint32_t)crossed), high = half_code((uint32_t)(crossed >> 32));
    struct telling best = {.value = fold_sign(word - model)};

    best.bytes = bytes_of(best.value);
    for (unsigned k = 0; k < m->count; k++) {
        const uint64_t v = fold_sign(word - m->word[k]);
        const unsigned bytes = bytes_of(v);

        if (bytes < best.bytes)
            best = (struct telling){(uint8_t)((k + 1) << 4), bytes, v};
    }
    if (half_bytes(low) + half_bytes(high) < best.bytes) {
        best.bytes = half_bytes(low) + half_bytes(high);
        best.how = (uint8_t)(HALVES | high << 2 | low);
        best.value = (crossed >> 32) << (8 * half_bytes(low)) | (uint32_t)crossed;
        return best;
    }
    best.how |= (uint8_t)best.bytes;
    return best;
}

static uint8_t *tell(struct memory *m, uint64_t word, uint64_t model, uint8_t *out)
{
    const struct telling t = best_telling(m, word, model);

    *out++ = t.how;
    for (unsigned i = 0; i < t.bytes; i++)
        *out++ = (uint8_t)(t.value >> (8 * i));
    if (t.bytes >= 2)
        remember(m, word);
    return out;
}

static uint8_t group_map(const void *structure, const void *model, size_t from, size_t to)
{
    uint8_t map = 0;

    for (size_t i = from; i < to; i++)
        map |= (uint8_t)((word_at(structure, i) != word_at(model, i)) << (i - from));
    return map;
}

size_t tern_fold(const void *structure, const void *model, size_t words, uint8_t *out)
{
    const size_t groups = (words + GROUP - 1) / GROUP;
    struct memory m = {.next = 0};
    uint8_t *at = out + (groups + 7) / 8;

    TERN_ASSERT(words <= TERN_FOLD_WORDS_MAX);
    memset(out, 0, (groups + 7) / 8);
    for (size_t g = 0; g < groups; g++) {
        const size_t from = g * GROUP, to = from + GROUP < words ? from + GROUP : words;
        const uint8_t map = group_map(structure, model, from, to);

        if (map == 0)
            continue;
        out[g / 8] |= (uint8_t)(1u << (g % 8));
        *at++ = map;
        for (size_t i = from; i < to; i++)
            if ((map >> (i - from) & 1) != 0)
                at = tell(&m, word_at(structure, i), word_at(model, i), at);
    }
    TERN_ASSERT((size_t)(at - out) <= TERN_FOLD_BYTES_MAX(words));
    return (size_t)(at - out);
}

static uint64_t get(const uint8_t *in, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)in[i] << (8 * i);
    return v;
}

static const uint8_t *hear(struct memory *m, const uint8_t *in, uint64_t model, uint64_t *word)
{
    const uint8_t how = *in++;
    unsigned bytes = how & 0x0f;

    if (how >= HALVES) {
        const unsigned low = half_bytes(how & 3), high = half_bytes(how >> 2 & 3);

        bytes = low + high;
        *word = model ^ (get(in + low, high) << 32 | get(in, low));
    } else {
        const unsigned k = how >> 4;

        TERN_ASSERT(k <= m->count);
        *word = (k == 0 ? model : m->word[k - 1]) + unfold_sign(get(in, bytes));
    }
    if (bytes >= 2)
        remember(m, *word);
    return in + bytes;
}

void tern_unfold(const uint8_t *in, const void *model, size_t words, void *structure)
{
    const size_t groups = (words + GROUP - 1) / GROUP;
    const uint8_t *at = in + (groups + 7) / 8;
    struct memory m = {.next = 0};

    TERN_ASSERT(words <= TERN_FOLD_WORDS_MAX);
    memcpy(structure, model, words * 8);
    for (size_t g = 0; g < groups; g++) {
        uint8_t map;

        if ((in[g / 8] >> (g % 8) & 1) == 0)
            continue;
        map = *at++;
        for (size_t i = 0; i < GROUP; i++) {
            uint64_t word;

            if ((map >> i & 1) == 0)
                continue;
            TERN_ASSERT(g * GROUP + i < words);
            at = hear(&m, at, word_at(model, g * GROUP + i), &word);
            memcpy((uint8_t *)structure + (g * GROUP + i) * 8, &word, 8);
        }
    }
}
