/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's offload header: what a frame of ours tells, what is taken from one that came. */
#include "frames.h"

#include "link/vnet.h"

static void told(void **state)
{
    const struct tern_frame plain = {.bytes = 60};
    const struct tern_frame sums = {.csum = TERN_CSUM_NEEDS, .csum_start = 34, .csum_offset = 16};
    const struct tern_frame super = {.csum = TERN_CSUM_NEEDS,
                                     .csum_start = 34,
                                     .csum_offset = 16,
                                     .gso = TERN_GSO_TCP4,
                                     .gso_bytes = 1448,
                                     .header_bytes = 66};
    struct virtio_net_hdr v = tern_vnet_of_frame(&plain);
    static const struct virtio_net_hdr nothing;

    (void)state;
    assert_memory_equal(&v, &nothing, sizeof(v));
    v = tern_vnet_of_frame(&sums);
    assert_int_equal(v.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
    assert_int_equal(v.csum_start, 34);
    assert_int_equal(v.csum_offset, 16);
    assert_int_equal(v.gso_type, VIRTIO_NET_HDR_GSO_NONE);
    v = tern_vnet_of_frame(&super);
    assert_int_equal(v.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
    assert_int_equal(v.gso_size, 1448);
    assert_int_equal(v.hdr_len, 66);
}

/* An Ethernet, IPv4 and TCP header with options; the rest is text. */
static void tcp_frame(uint8_t data[200])
{
    memset(data, 0, 200);
    data[12] = 0x08;
    data[14] = 0x45;
    data[23] = 6;
    data[46] = 0x80; /* 32 bytes */
}

static void taken(void **state)
{
    static const struct {
        const char *what;
        struct virtio_net_hdr v;
        uint8_t protocol;
        bool taken;
        enum tern_csum csum;
        enum tern_gso gso;
    } row[] = {
        {"nothing to say", {0}, 6, true, TERN_CSUM_UNKNOWN, TERN_GSO_NONE},
        {"checked",
         {.flags = VIRTIO_NET_HDR_F_DATA_VALID},
         6,
         true,
         TERN_CSUM_VALID,
         TERN_GSO_NONE},
        {"to be summed",
         {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16},
         6,
         true,
         TERN_CSUM_NEEDS,
         TERN_GSO_NONE},
        {"a super-segment",
         {.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 50},
         6,
         true,
         TERN_CSUM_UNKNOWN,
         TERN_GSO_TCP4},
        {"one with a mark of congestion",
         {.gso_type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN, .gso_size = 50},
         6,
         true,
         TERN_CSUM_UNKNOWN,
         TERN_GSO_TCP4},
        {"pieces of no bytes", {.gso_type = VIRTIO_NET_HDR_GSO_TCPV4}, 6, false, 0, 0},
        {"not TCP, though it says so",
         {.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 50},
         17,
         false,
         0,
         0},
        {"UDP's", {.gso_type = VIRTIO_NET_HDR_GSO_UDP, .gso_size = 50}, 17, false, 0, 0},
        {"IPv6's", {.gso_type = VIRTIO_NET_HDR_GSO_TCPV6, .gso_size = 50}, 6, false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint8_t data[200];
        struct tern_frame frame = {.piece = {{data, sizeof(data)}}, .piece_count = 1, .bytes = 200};

        tcp_frame(data);
        data[23] = row[i].protocol;
        if (tern_vnet_to_frame(&row[i].v, &frame) != row[i].taken)
            fail_msg("%s: %s", row[i].what, row[i].taken ? "refused" : "taken");
        if (!row[i].taken)
            continue;
        if (frame.csum != row[i].csum || frame.gso != row[i].gso)
            fail_msg("%s: checksum %d, kind %d", row[i].what, (int)frame.csum, (int)frame.gso);
        if (frame.gso != TERN_GSO_NONE)
            assert_int_equal(frame.header_bytes, 14 + 20 + 32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(told), cmocka_unit_test(taken)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
