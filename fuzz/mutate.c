/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer's two hooks for structured inputs: see mutate.h. An input is cut into its head and
 * commands, the list is changed, and joined again. One mutation in eight is libFuzzer's own, on the
 * bytes as they are, so that what this misses is found too.
 */
#include "mutate.h"

#include <string.h>

#include "fuzz.h"

#define COMMANDS_MAX 512

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t max_out_size,
                                 unsigned int seed);

/* Where each command begins, and after the last one the end. */
struct cuts {
    size_t count;
    size_t at[COMMANDS_MAX + 1];
};

static void cut(const uint8_t *data, size_t size, struct cuts *cuts)
{
    const size_t head = size < fuzz_head_bytes ? size : fuzz_head_bytes;
    struct tern_reader in = tern_reader_of(tern_span_from(tern_span_of(data, size), head));

    cuts->count = 0;
    while (in.left.bytes > 0 && cuts->count < COMMANDS_MAX) {
        cuts->at[cuts->count++] = size - in.left.bytes;
        fuzz_skip_command(&in);
        if (in.failed)
            break;
    }
    cuts->at[cuts->count] = size;
}

/* Put bytes in, in place of those from `from` to `to`; the new size, or the old where there is no
 * room. */
static size_t replace(uint8_t *data, size_t size, size_t max_size, size_t from, size_t to,
                      tern_span with)
{
    const size_t now = size - (to - from) + with.bytes;

    if (now > max_size)
        return size;
    memmove(data + from + with.bytes, data + to, size - to);
    if (with.bytes > 0)
        memcpy(data + from, with.data, with.bytes);
    return now;
}

static size_t draw_cut(const struct cuts *cuts, uint32_t *random)
{
    return cuts->at[fuzz_draw(random, (uint32_t)cuts->count + 1)];
}

static size_t insert_fresh(uint8_t *data, size_t size, size_t max_size, size_t at, uint32_t *random)
{
    uint8_t fresh[FUZZ_COMMAND_BYTES_MAX];
    const size_t bytes = fuzz_fresh_command(random, fresh);

    return replace(data, size, max_size, at, at, tern_span_of(fresh, bytes));
}

/* Some commands, copied out of an input; they must not be more than room. */
static size_t copy_some(const uint8_t *data, const struct cuts *cuts, uint32_t *random,
                        uint8_t *copy, size_t room)
{
    const size_t first = fuzz_draw(random, (uint32_t)cuts->count);
    size_t last = first + 1 + fuzz_draw(random, 6);
    size_t bytes;

    last = last > cuts->count ? cuts->count : last;
    bytes = cuts->at[last] - cuts->at[first];
    if (bytes > room)
        return 0;
    memcpy(copy, data + cuts->at[first], bytes);
    return bytes;
}

/* One command's bytes, in place: it stays as long as it is, or what follows would change. */
static void change_within(uint8_t *data, const struct cuts *cuts, uint32_t *random)
{
    const size_t nth = fuzz_draw(random, (uint32_t)cuts->count);
    const size_t bytes = cuts->at[nth + 1] - cuts->at[nth];

    if (bytes > 1) /* its first byte says what it is */
        (void)LLVMFuzzerMutate(data + cuts->at[nth] + 1, bytes - 1, bytes - 1);
}

static size_t mutate_list(uint8_t *data, size_t size, size_t max_size, const struct cuts *cuts,
                          uint32_t *random)
{
    uint8_t copy[1024];
    size_t nth, bytes;

    switch (fuzz_draw(random, 8)) {
    case 0: /* one out */
        nth = fuzz_draw(random, (uint32_t)cuts->count);
        return replace(data, size, max_size, cuts->at[nth], cuts->at[nth + 1],
                       tern_span_of(NULL, 0));
    case 1: /* some again, elsewhere */
    case 2:
        bytes = copy_some(data, cuts, random, copy, sizeof copy);
        nth = draw_cut(cuts, random);
        return replace(data, size, max_size, nth, nth, tern_span_of(copy, bytes));
    case 3:
    case 4:
        change_within(data, cuts, random);
        return size;
    case 5: /* at the end, where a long story goes on */
        return insert_fresh(data, size, max_size, size, random);
    default:
        return insert_fresh(data, size, max_size, draw_cut(cuts, random), random);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    uint32_t random = seed;
    struct cuts cuts;

    if (size < fuzz_head_bytes || fuzz_draw(&random, 8) == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    if (fuzz_draw(&random, 16) == 0) {
        (void)LLVMFuzzerMutate(data, fuzz_head_bytes, fuzz_head_bytes);
        return size;
    }
    for (uint32_t times = 1 + fuzz_draw(&random, 3); times > 0; times--) {
        cut(data, size, &cuts);
        if (cuts.count == 0)
            size = insert_fresh(data, size, max_size, size, &random);
        else
            size = mutate_list(data, size, max_size, &cuts, &random);
    }
    return size;
}

/* The head and the beginning of one input, and commands of the other behind it. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t max_out_size, unsigned int seed)
{
    uint32_t random = seed;
    struct cuts cuts;
    size_t first, from;

    cut(data1, size1, &cuts);
    first = draw_cut(&cuts, &random);
    cut(data2, size2, &cuts);
    from = draw_cut(&cuts, &random);
    if (first > max_out_size)
        return 0;
    memcpy(out, data1, first);
    size2 = size2 - from < max_out_size - first ? size2 : from + max_out_size - first;
    memcpy(out + first, data2 + from, size2 - from);
    return first + size2 - from;
}
