/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv4: each input as it came, and once more with its header checksum filled in, which no fuzzer
 * guesses. A header without options and reserved flag is emitted as the bytes that came.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/checksum.h"
#include "wire/ipv4.h"

#define RESERVED_FLAG 0x80

static void check_emitted(const uint8_t *data, const struct tern_ipv4 *ip)
{
    uint8_t bytes[TERN_IPV4_BYTES];
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);
    uint16_t sums[2];

    tern_ipv4_emit(ip, (uint16_t)(ip->total_bytes - ip->header_bytes), &w);
    TERN_ASSERT(!w.failed);
    TERN_ASSERT(w.bytes == TERN_IPV4_BYTES);
    if (ip->header_bytes != TERN_IPV4_BYTES || (data[6] & RESERVED_FLAG) != 0)
        return;
    TERN_ASSERT(memcmp(bytes, data, 10) == 0);
    TERN_ASSERT(memcmp(bytes + 12, data + 12, 8) == 0);
    sums[0] = tern_get_be16(bytes + 10);
    sums[1] = tern_get_be16(data + 10);
    TERN_ASSERT(sums[0] == sums[1] || (sums[0] ^ sums[1]) == UINT16_MAX); /* zero has two forms */
}

static void try_one(const uint8_t *data, size_t size)
{
    struct tern_ipv4 ip;
    tern_span body;

    if (tern_ipv4_parse(tern_span_of(data, size), &ip, &body) != TERN_IPV4_OK)
        return;
    TERN_ASSERT(ip.header_bytes >= TERN_IPV4_BYTES);
    TERN_ASSERT(ip.total_bytes <= size);
    TERN_ASSERT(body.data == data + ip.header_bytes);
    TERN_ASSERT(body.bytes == (size_t)ip.total_bytes - ip.header_bytes);
    TERN_ASSERT(tern_addr_is_v4(ip.src));
    TERN_ASSERT(tern_addr_is_v4(ip.dst));
    check_emitted(data, &ip);
}

static void fill_checksum(uint8_t *data, size_t size)
{
    size_t header_bytes = (size_t)(data[0] & 0x0f) * 4;
    struct tern_sum sum = {0};

    tern_put_be16(data + 10, 0);
    tern_sum_add(&sum, data, header_bytes < size ? header_bytes : size);
    tern_put_be16(data + 10, tern_sum_finish(&sum));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy;

    try_one(data, size);
    if (size < TERN_IPV4_BYTES || size > FUZZ_INPUT_MAX)
        return 0;
    copy = malloc(size);
    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    fill_checksum(copy, size);
    try_one(copy, size);
    free(copy);
    return 0;
}
