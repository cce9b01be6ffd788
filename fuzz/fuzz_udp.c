/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP: the first byte of an input chooses the family, the rest is the datagram; as it came, vouched
 * for and not, and once more with its checksum filled in. What parses is emitted and parsed again:
 * the same value and body.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/checksum.h"
#include "wire/udp.h"

struct ends {
    struct tern_addr src, dst;
};

static void check_again(const struct tern_udp *udp, struct ends e, tern_span body)
{
    size_t room = TERN_UDP_BYTES + body.bytes;
    uint8_t *bytes = malloc(room);
    struct tern_writer w = tern_writer_of(bytes, room);
    struct tern_udp again;
    tern_span again_body;

    TERN_ASSERT(bytes != NULL);
    tern_udp_emit(udp, e.src, e.dst, body, &w);
    TERN_ASSERT(!w.failed);
    TERN_ASSERT(
        tern_udp_parse(tern_span_of(bytes, room), e.src, e.dst, false, &again, &again_body));
    TERN_ASSERT(again.src_port == udp->src_port);
    TERN_ASSERT(again.dst_port == udp->dst_port);
    TERN_ASSERT(again_body.bytes == body.bytes);
    TERN_ASSERT(body.bytes == 0 || memcmp(again_body.data, body.data, body.bytes) == 0);
    free(bytes);
}

static void try_one(const uint8_t *data, size_t size, struct ends e, bool verified)
{
    struct tern_udp udp;
    tern_span body;

    if (!tern_udp_parse(tern_span_of(data, size), e.src, e.dst, verified, &udp, &body))
        return;
    TERN_ASSERT(body.data == data + TERN_UDP_BYTES);
    TERN_ASSERT(body.bytes <= size - TERN_UDP_BYTES);
    check_again(&udp, e, body);
}

static void fill_checksum(uint8_t *data, size_t size, struct ends e)
{
    size_t bytes = tern_get_be16(data + 4);
    struct tern_sum sum = {0};

    bytes = bytes < size ? bytes : size;
    tern_put_be16(data + 6, 0);
    tern_sum_add_pseudo(&sum, e.src, e.dst, 17, (uint32_t)bytes);
    tern_sum_add(&sum, data, bytes);
    tern_put_be16(data + 6, tern_sum_finish(&sum));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ends e = {tern_addr_v4(10, 0, 0, 1), tern_addr_v4(10, 0, 0, 2)};
    uint8_t *copy;

    if (size < 1 || size > FUZZ_INPUT_MAX)
        return 0;
    if ((data[0] & 1) != 0)
        e = (struct ends){{{0xfe, 0x80, 1}}, {{0xfe, 0x80, 2}}};
    data++;
    size--;
    try_one(data, size, e, false);
    try_one(data, size, e, true);
    copy = malloc(size + 1);
    if (copy == NULL || size < TERN_UDP_BYTES) {
        free(copy);
        return 0;
    }
    memcpy(copy + 1, data, size); /* at an odd address, ending where the memory ends */
    fill_checksum(copy + 1, size, e);
    try_one(copy + 1, size, e, false);
    free(copy);
    return 0;
}
