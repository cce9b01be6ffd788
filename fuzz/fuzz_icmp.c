/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP: each input as it came, and once more with its checksum filled in. What parses is emitted
 * and parsed again: the same value and body.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/checksum.h"
#include "wire/icmp.h"

static void check_again(const struct tern_icmp *icmp, tern_span body)
{
    size_t room = TERN_ICMP_BYTES + body.bytes;
    uint8_t *bytes = malloc(room);
    struct tern_writer w = tern_writer_of(bytes, room);
    struct tern_icmp again;
    tern_span again_body;

    TERN_ASSERT(bytes != NULL);
    tern_icmp_emit(icmp, body, &w);
    TERN_ASSERT(!w.failed);
    TERN_ASSERT(w.bytes == room);
    TERN_ASSERT(tern_icmp_parse(tern_span_of(bytes, room), &again, &again_body));
    TERN_ASSERT(again.type == icmp->type && again.code == icmp->code);
    TERN_ASSERT(again.id == icmp->id && again.sequence == icmp->sequence);
    TERN_ASSERT(again.mtu == icmp->mtu && again.pointer == icmp->pointer);
    TERN_ASSERT(again_body.bytes == body.bytes);
    TERN_ASSERT(body.bytes == 0 || memcmp(again_body.data, body.data, body.bytes) == 0);
    free(bytes);
}

static void try_one(const uint8_t *data, size_t size)
{
    struct tern_icmp icmp;
    tern_span body;

    if (!tern_icmp_parse(tern_span_of(data, size), &icmp, &body))
        return;
    TERN_ASSERT(body.data == data + TERN_ICMP_BYTES);
    TERN_ASSERT(body.bytes == size - TERN_ICMP_BYTES);
    check_again(&icmp, body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tern_sum sum = {0};
    uint8_t *copy;

    try_one(data, size);
    if (size < TERN_ICMP_BYTES || size > FUZZ_INPUT_MAX)
        return 0;
    copy = malloc(size);
    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    tern_put_be16(copy + 2, 0);
    tern_sum_add(&sum, copy, size);
    tern_put_be16(copy + 2, tern_sum_finish(&sum));
    try_one(copy, size);
    free(copy);
    return 0;
}
