/* SPDX-License-Identifier: BSD-2-Clause */
/* A stack's birth: what a configuration costs, which are impossible, and the smallest one at work.
 */
#include "bench.h"

#include <sys/mman.h>
#include <unistd.h>

static void refused(struct tern_config *c, const char *what)
{
    uint8_t memory[64];
    struct tern_stack *s;

    if (tern_stack_bytes(c) != 0 || tern_stack_init(memory, SIZE_MAX, c, 0, &s) != TERN_ERR_INVAL)
        fail_msg("%s is taken", what);
}

/* One field at a time made impossible. */
static void impossible(void **state)
{
    static const struct {
        const char *field;
        size_t at;
        uint32_t value;
    } row[] = {
#define ROW(field, value) {#field " = " #value, offsetof(struct tern_config, field), value}
        ROW(connections_max, 0),
        ROW(connections_max, (1u << 24) + 1),
        ROW(listeners_max, 65536),
        ROW(udp_sockets_max, 65536),
        ROW(ping_sockets_max, 65536),
        ROW(neighbours_max, 0),
        ROW(reassembly_max, 0),
        ROW(addresses_max, 0),
        ROW(addresses_max, 65),
        ROW(loans_max, (1u << 24) + 1),
        ROW(chunk_bytes, 0),
        ROW(chunk_bytes, 512),
        ROW(chunk_bytes, 3000),
        ROW(chunk_bytes, 1u << 21),
        ROW(chunks_max, 0),
        ROW(send_buffer_bytes, 0),
        ROW(send_buffer_bytes, 1023),
        ROW(receive_buffer_bytes, 0),
        ROW(receive_buffer_bytes, (1u << 30) + 1),
        ROW(link.mtu_bytes, 0),
        ROW(link.mtu_bytes, 67),
        ROW(link.mtu_bytes, 65536),
        ROW(link.mtu_bytes, 9000), /* chunks of 1,024 are too short */
#undef ROW
    };
    struct tern_config c;

    (void)state;
    bench_config(&c, 1);
    assert_true(tern_stack_bytes(&c) > 0);
    for (size_t i = 0; i < ROWS(row); i++) {
        bench_config(&c, 1);
        memcpy((uint8_t *)&c + row[i].at, &row[i].value, sizeof row[i].value);
        refused(&c, row[i].field);
    }
    bench_config(&c, 1);
    c.congestion = "vegas";
    refused(&c, "an unknown congestion control");
    c.congestion = NULL;
    refused(&c, "no congestion control");
}

/* More of anything costs more; the same costs the same. */
static void price(void **state)
{
    struct tern_config c, more;
    size_t bytes;

    (void)state;
    bench_config(&c, 1);
    bytes = tern_stack_bytes(&c);
    assert_int_equal(bytes % 64, 0);
    assert_int_equal(tern_stack_bytes(&c), bytes);
#define COSTS(field, value)                                                                        \
    do {                                                                                           \
        more = c;                                                                                  \
        more.field = value;                                                                        \
        assert_true(tern_stack_bytes(&more) > bytes);                                              \
    } while (0)
    COSTS(connections_max, 64);
    COSTS(listeners_max, 64);
    COSTS(udp_sockets_max, 4);
    COSTS(ping_sockets_max, 3);
    COSTS(neighbours_max, 64);
    COSTS(reassembly_max, 3);
    COSTS(addresses_max, 16);
    COSTS(loans_max, 1 << 16);
    COSTS(chunk_bytes, 2048);
    COSTS(chunks_max, 1024);
    COSTS(traces_count, 8);
#undef COSTS
}

/* In memory of just the price, before a page that is not there: used to its end, and no further. */
static void exactly_the_price(void **state)
{
    struct tern_config c;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t bytes, room;
    uint8_t *map, *memory;
    struct tern_stack *s;
    const struct tern_cidr own = {bench_addr(1), 24};
    const struct tern_endpoint local = {.port = 53};
    struct tern_udp_socket *udp;
    struct tern_frame frames[8];

    (void)state;
    bench_config(&c, 1);
    c.traces_count = 3;
    bytes = tern_stack_bytes(&c);
    room = (bytes + page - 1) / page * page;
    map = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(map != MAP_FAILED);
    assert_int_equal(mprotect(map + room, page, PROT_NONE), 0);
    memory = map + room - bytes;
    assert_int_equal(tern_stack_init(memory, bytes - 1, &c, 0, &s), TERN_ERR_MEMORY);
    assert_int_equal(tern_stack_init(memory, bytes, &c, 0, &s), TERN_ERR_OK);
    tern_stack_check(s);
    assert_int_equal(tern_stack_address_add(s, &own, TERN_CLAIM_FAST), TERN_ERR_OK);
    assert_int_equal(tern_udp_open(s, &local, NULL, &udp), TERN_ERR_OK);
    for (tern_time now = 0; now < TERN_SECOND; now += 10 * TERN_MS) {
        tern_stack_expire(s, now);
        while (tern_stack_output(s, frames, 8, now) > 0) {
        }
        tern_stack_check(s);
    }
    munmap(map, room + page);
}

/* Every maximum at 1, and of buffers only a few: slow, and still all of it works. */
static void smallest(void **state)
{
    struct tern_config c[2];
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *conn[2];
    uint8_t sent[3000], got[3000];
    size_t written = 0, read = 0;

    (void)state;
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (uint8_t)(i * 7 + i / 256);
    for (uint8_t i = 0; i < 2; i++) {
        bench_config(&c[i], (uint8_t)(1 + i));
        c[i].connections_max = c[i].listeners_max = c[i].udp_sockets_max = 1;
        c[i].ping_sockets_max = c[i].neighbours_max = c[i].reassembly_max = 1;
        c[i].addresses_max = c[i].traces_count = 1;
        c[i].chunks_max = 8;
        c[i].send_buffer_bytes = c[i].receive_buffer_bytes = c[i].chunk_bytes = 2048;
    }
    pair_open(&p, &c[0], &c[1]);
    l = pair_listen(&p, 1);
    pair_connect(&p, l, conn);
    for (int turn = 0; turn < 200 && read < sizeof got; turn++) {
        ptrdiff_t n = tern_tcp_write(conn[0], sent + written, sizeof sent - written);

        written += n > 0 ? (size_t)n : 0;
        pair_run(&p, TERN_SECOND);
        n = tern_tcp_read(conn[1], got + read, sizeof got - read);
        read += n > 0 ? (size_t)n : 0;
    }
    assert_int_equal(read, sizeof got);
    assert_memory_equal(got, sent, sizeof got);
    tern_tcp_close(conn[0]);
    pair_settle(&p);
    tern_tcp_close(conn[1]);
    pair_run(&p, 61 * TERN_SECOND);
    pair_connect(&p, l, conn); /* its only block again */
    pair_close(&p);
}

/* Same seed, same calls: the same frames, bit for bit. Another seed: other numbers. */
static void seeds(void **state)
{
    struct bench b[3];
    struct tern_config c;
    const struct tern_tcp_options o = {.remote = {bench_addr(2), 80}};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct tern_conn *conn;

        bench_config(&c, 1);
        c.seed[TERN_SEED_BYTES - 1] ^= i == 2;
        bench_open_at(&b[i], &c, 1);
        assert_int_equal(tern_tcp_connect(b[i].stack, &o, &conn), TERN_ERR_OK);
        bench_drain(&b[i]);
        assert_int_equal(b[i].sent_count, 1);
    }
    assert_int_equal(b[0].sent[0].count, b[1].sent[0].count);
    assert_memory_equal(b[0].sent[0].bytes, b[1].sent[0].bytes, b[0].sent[0].count);
    assert_memory_not_equal(b[0].sent[0].bytes, b[2].sent[0].bytes, b[0].sent[0].count);
    for (int i = 0; i < 3; i++)
        bench_close(&b[i]);
}

/* A new MTU holds for connections to come, a smaller one for open ones too; one that the buffers
 * cannot serve is not taken. */
static void link_changed(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_header peer;
    struct tern_tcp_info info;
    struct tern_conn *last = NULL;
    static const uint8_t bytes[9000];
    static const struct {
        uint32_t mtu_bytes, advmss_bytes;
    } row[] = {{600, 560}, {67, 560}, {65536, 560}, {65535, 560}, {6144, 6104}, {1500, 1460}};

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    for (uint16_t i = 0; i < ROWS(row); i++) {
        struct tern_conn *conn;
        const uint32_t was = i == 0 ? 0 : row[i - 1].advmss_bytes;

        c.link.mtu_bytes = row[i].mtu_bytes;
        tern_stack_link_changed(b.stack, &c.link);
        if (last != NULL) {
            tern_tcp_info(last, &info);
            assert_true(info.mss_bytes <= (was < row[i].advmss_bytes ? was : row[i].advmss_bytes));
        }
        conn = bench_connect(&b, (uint16_t)(80 + i), &peer);
        last = conn;
        tern_tcp_info(conn, &info);
        assert_int_equal(info.advmss_bytes, row[i].advmss_bytes);
        assert_int_equal(tern_tcp_write(conn, bytes, sizeof bytes), sizeof bytes);
        bench_drain(&b);
        assert_true(b.sent_count > 0);
        for (uint32_t k = 0; k < b.sent_count; k++)
            assert_true(b.sent[k].count <= TERN_ETH_BYTES + 40 + row[i].advmss_bytes);
    }
    bench_close(&b);
}

static void defaults(void **state)
{
    struct tern_config c;

    (void)state;
    memset(&c, 0xff, sizeof c);
    tern_config_defaults(&c);
    assert_int_equal(tern_stack_bytes(&c), 0); /* the link is the caller's */
    c.link.mtu_bytes = 1500;
    assert_true(tern_stack_bytes(&c) > 0);
    c.link.mtu_bytes = 65535;
    assert_true(tern_stack_bytes(&c) > 0);
}

/* Nothing of the configuration is needed once the stack is there. */
static void kept_by_value(void **state)
{
    const struct tern_tcp_options o = {.remote = {bench_addr(2), 80}};
    char name[] = "reno";
    struct tern_config c;
    struct tern_conn *conn;
    struct tern_tcp_info info;
    struct bench b;

    (void)state;
    bench_config(&c, 1);
    c.congestion = name;
    bench_open(&b, &c);
    memset(name, 'x', sizeof name - 1);
    memset(&c, 0xff, sizeof c);
    bench_add(&b, "10.0.0.1/24");
    assert_int_equal(tern_tcp_connect(b.stack, &o, &conn), TERN_ERR_OK);
    tern_tcp_info(conn, &info);
    assert_string_equal(info.congestion, "reno");
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(impossible),
        cmocka_unit_test(price),
        cmocka_unit_test(exactly_the_price),
        cmocka_unit_test(smallest),
        cmocka_unit_test(seeds),
        cmocka_unit_test(link_changed),
        cmocka_unit_test(defaults),
        cmocka_unit_test(kept_by_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
