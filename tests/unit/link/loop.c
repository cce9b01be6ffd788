/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop around a real stack: on a link of the test's own that takes as many frames as it is told
 * to, and between two stacks on a cable in memory. Where minutes have to pass the clock leaps
 * (the linker sends its calls here).
 */
#include <tern/loop.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <tern/ping.h>
#include <tern/tcp.h>
#include <tern/udp.h>

#include "frames.h"
#include "os/clock.h"

#define SEEN_MAX  64
#define FRAME_MAX 1600

static tern_time leapt;

tern_time __real_tern_clock_now(void);
tern_time __wrap_tern_clock_now(void);
tern_time __wrap_tern_clock_now(void)
{
    return __real_tern_clock_now() + leapt;
}

/* A link that brings nothing and takes `room` frames. */
struct fake {
    struct tern_link link;
    int room;
    bool gone, closed;
    int fd; /* -1: none */
    int seen_count, turned_away, offers, looks;
    uint8_t seen[SEEN_MAX][FRAME_MAX];
    size_t seen_bytes[SEEN_MAX];
};

static struct fake *fake_of(const struct tern_link *link)
{
    return (struct fake *)(uintptr_t)link;
}

static int fake_receive(struct tern_link *link, tern_time now, struct tern_frame *f, int max)
{
    (void)now;
    (void)f;
    (void)max;
    fake_of(link)->looks++;
    return fake_of(link)->gone ? TERN_ERR_LINK : 0;
}

static void fake_release(struct tern_link *link)
{
    (void)link;
}

static int fake_transmit(struct tern_link *link, tern_time now, const struct tern_frame *f,
                         int count)
{
    struct fake *fake = fake_of(link);
    int n = 0;

    (void)now;
    fake->offers++;
    for (; n < count && fake->room > 0; n++, fake->room--) {
        assert_true(fake->seen_count < SEEN_MAX);
        fake->seen_bytes[fake->seen_count] = gather(&f[n], fake->seen[fake->seen_count], FRAME_MAX);
        fake->seen_count++;
    }
    fake->turned_away += count - n;
    return n;
}

static int fake_fd(const struct tern_link *link)
{
    return fake_of(link)->fd;
}

static tern_time fake_deadline(const struct tern_link *link)
{
    (void)link;
    return TERN_TIME_NEVER;
}

static void fake_counters(const struct tern_link *link, struct tern_link_counters *out)
{
    (void)link;
    *out = (struct tern_link_counters){0};
}

static void fake_close(struct tern_link *link)
{
    fake_of(link)->closed = true;
}

static const struct tern_link_ops fake_ops = {
    .receive = fake_receive,
    .release = fake_release,
    .transmit = fake_transmit,
    .fd = fake_fd,
    .deadline = fake_deadline,
    .counters = fake_counters,
    .close = fake_close,
};

static struct tern_loop *open_loop(struct tern_link *link)
{
    struct tern_loop *loop = NULL;

    assert_int_equal(tern_loop_create(link, NULL, &loop), TERN_ERR_OK);
    assert_ptr_equal(tern_loop_link(loop), link);
    assert_non_null(tern_loop_stack(loop));
    return loop;
}

static struct fake new_fake(void)
{
    struct fake fake = {
        .fd = -1,
        .link = {.ops = &fake_ops, .info = {.name = "fake", .mtu_bytes = 1500, .mac = {{2, 1}}}}};

    return fake;
}

static void add_address(struct tern_loop *loop, uint8_t last, enum tern_claim claim)
{
    const struct tern_cidr address = {tern_addr_v4(10, 0, 0, last), 24};

    assert_int_equal(tern_stack_address_add(tern_loop_stack(loop), &address, claim), TERN_ERR_OK);
}

/* While the link is full and the stack has more to send, a turn sleeps before it offers again. */
static void no_spinning_at_a_full_link(void **state)
{
    const struct tern_endpoint any = {.port = 5000}, to = {tern_addr_v4(10, 0, 0, 255), 9};
    struct fake fake = new_fake();
    struct tern_loop *loop = open_loop(&fake.link);
    struct tern_udp_socket *udp;

    (void)state;
    add_address(loop, 1, TERN_CLAIM_NONE);
    assert_int_equal(tern_process(loop), TERN_ERR_OK); /* the announcement is turned away */
    assert_true(fake.turned_away > 0);
    assert_int_equal(tern_udp_open(tern_loop_stack(loop), &any, NULL, &udp), TERN_ERR_OK);
    assert_int_equal(tern_udp_send(udp, &to, "x", 1), TERN_ERR_OK);
    for (int turn = 0; turn < 10; turn++) {
        fake.offers = 0;
        assert_int_equal(tern_loop_run(loop, TERN_TIME_NEVER), TERN_ERR_OK);
        assert_int_equal(fake.offers, 2); /* at once, and after the sleep */
    }
    tern_loop_destroy(loop);
}

/*
 * A full link: what it did not take is kept whole, whatever is called on the stack meanwhile; it
 * leaves in order, and nothing further is pulled out of the stack before it has left.
 */
static void a_full_link(void **state)
{
    struct fake fake = new_fake();
    struct tern_loop *loop = open_loop(&fake.link);
    uint8_t expected[ARP_BYTES];

    (void)state;
    add_address(loop, 1, TERN_CLAIM_NONE);
    assert_int_equal(tern_process(loop), TERN_ERR_OK);
    assert_true(fake.turned_away > 0);
    assert_int_equal(fake.seen_count, 0);
    assert_in_range(tern_timeout(loop), 0, 1); /* it tries again soon */
    add_address(loop, 2, TERN_CLAIM_NONE);
    while (fake.seen_count < 2) {
        fake.room = 1;
        assert_int_equal(tern_process(loop), TERN_ERR_OK);
    }
    for (uint8_t i = 0; i < 2; i++) {
        (void)put_arp(expected, 1, fake.link.info.mac, tern_addr_v4(10, 0, 0, (uint8_t)(i + 1)),
                      tern_addr_v4(10, 0, 0, (uint8_t)(i + 1)));
        assert_true(fake.seen_bytes[i] >= ARP_BYTES);
        assert_memory_equal(fake.seen[i], expected, 32);
    }
    tern_loop_destroy(loop);
    assert_true(fake.closed);
}

static void meet(struct tern_loop *loop, uint8_t last)
{
    uint8_t bytes[ARP_BYTES];
    const struct tern_mac mac = {{2, 0, 0, 0, 0, last}};
    const struct tern_frame asks = one_piece(
        bytes, put_arp(bytes, 1, mac, tern_addr_v4(10, 0, 0, last), tern_addr_v4(10, 0, 0, 1)));

    tern_stack_input(tern_loop_stack(loop), &asks, 1, tern_loop_now(loop));
    assert_int_equal(tern_process(loop), TERN_ERR_OK);
}

static bool is_closed(struct tern_loop *loop)
{
    struct tern_event event;

    while (tern_stack_event(tern_loop_stack(loop), &event))
        if (event.kind == TERN_EVENT_CONN && (event.bits & TERN_CONN_CLOSED) != 0)
            return true;
    return false;
}

/* A link that takes nothing more: connecting gives up as it does where frames are lost
 * (RFC 9293 §3.8.3), and what was given up is counted. */
static void a_link_that_is_stuck(void **state)
{
    struct tern_tcp_settings settings;
    struct tern_tcp_options options = {.remote = {tern_addr_v4(10, 0, 0, 2), 80},
                                       .settings = &settings};
    struct fake fake = new_fake();
    struct tern_loop *loop = open_loop(&fake.link);
    struct tern_conn *conn;
    int turns = 0;

    (void)state;
    fake.room = SEEN_MAX;
    add_address(loop, 1, TERN_CLAIM_NONE);
    meet(loop, 2);
    fake.room = fake.seen_count = 0;
    tern_tcp_settings_defaults(&settings);
    settings.syn_retries = 2; /* after 1, 2 and 4 s it gives up */
    assert_int_equal(tern_tcp_connect(tern_loop_stack(loop), &options, &conn), TERN_ERR_OK);
    for (; !is_closed(loop); turns++) {
        assert_true(turns < 200);
        assert_int_equal(tern_process(loop), TERN_ERR_OK);
        leapt += 100 * TERN_MS;
    }
    assert_true(turns > 60);
    assert_int_equal(tern_tcp_reason(conn), TERN_ERR_TIMEOUT);
    assert_int_equal(fake.seen_count, 0);
    assert_in_range(tern_loop_dropped(loop), 3, 6); /* a SYN each time; ARP asks as well */
    tern_tcp_close(conn);
    tern_loop_destroy(loop);
}

/* A link that takes a frame a second gets all of them. */
static void a_slow_link(void **state)
{
    const struct tern_endpoint any = {.port = 5000}, to = {tern_addr_v4(10, 0, 0, 255), 9};
    struct fake fake = new_fake();
    struct tern_loop *loop = open_loop(&fake.link);
    struct tern_udp_socket *udp;

    (void)state;
    fake.room = SEEN_MAX;
    add_address(loop, 1, TERN_CLAIM_NONE);
    assert_int_equal(tern_process(loop), TERN_ERR_OK);
    fake.room = fake.seen_count = 0;
    assert_int_equal(tern_udp_open(tern_loop_stack(loop), &any, NULL, &udp), TERN_ERR_OK);
    for (int i = 0; i < 8; i++)
        assert_int_equal(tern_udp_send(udp, &to, "x", 1), TERN_ERR_OK);
    for (int turn = 1; turn <= 80; turn++) {
        fake.room = turn % 10 == 0;
        assert_int_equal(tern_process(loop), TERN_ERR_OK);
        leapt += 100 * TERN_MS;
    }
    assert_int_equal(fake.seen_count, 8);
    assert_int_equal(tern_loop_dropped(loop), 0);
    tern_loop_destroy(loop);
}

static void a_link_that_goes_away(void **state)
{
    struct fake fake = new_fake();
    struct tern_loop *loop = open_loop(&fake.link);

    (void)state;
    assert_int_equal(tern_process(loop), TERN_ERR_OK);
    fake.gone = true;
    assert_int_equal(tern_process(loop), TERN_ERR_LINK);
    assert_int_equal(tern_loop_run(loop, TERN_TIME_NEVER), TERN_ERR_LINK);
    tern_loop_destroy(loop);
}

/* A driver finds that its MTU has shrunk, and grown again: the stack hears of it. */
static void the_mtu_changes(void **state)
{
    const struct tern_endpoint any = {.port = 5000}, to = {tern_addr_v4(10, 0, 0, 255), 9};
    static const uint8_t text[1000];
    struct fake fake = new_fake();
    struct tern_loop *loop = open_loop(&fake.link);
    struct tern_udp_socket *udp;

    (void)state;
    fake.room = SEEN_MAX;
    add_address(loop, 1, TERN_CLAIM_NONE);
    assert_int_equal(tern_udp_open(tern_loop_stack(loop), &any, NULL, &udp), TERN_ERR_OK);
    assert_int_equal(tern_process(loop), TERN_ERR_OK); /* the announcement */
    assert_int_equal(tern_udp_send(udp, &to, text, sizeof text), TERN_ERR_OK);
    fake.link.info.mtu_bytes = 600;
    assert_int_equal(tern_process(loop), TERN_ERR_OK);
    assert_int_equal(tern_udp_send(udp, &to, text, sizeof text), TERN_ERR_TOO_BIG);
    fake.link.info.mtu_bytes = 1500;
    assert_int_equal(tern_process(loop), TERN_ERR_OK);
    assert_int_equal(tern_udp_send(udp, &to, text, sizeof text), TERN_ERR_OK);
    tern_loop_destroy(loop);
}

/* The sleep ends at `until`, at the stack's own deadline, and when woken; never before, never long
 * after all. */
static void sleeping(void **state)
{
    struct fake fake = new_fake();
    struct tern_loop *loop = open_loop(&fake.link);
    tern_time until;

    (void)state;
    until = tern_clock_now() + 3 * TERN_MS;
    do
        assert_int_equal(tern_loop_run(loop, until), TERN_ERR_OK);
    while (tern_loop_now(loop) < until);
    assert_true(tern_clock_now() >= until);
    assert_int_equal(tern_timeout(loop), -1);
    tern_loop_wake(loop);
    assert_int_equal(tern_loop_run(loop, TERN_TIME_NEVER), TERN_ERR_OK); /* or it hangs */
    fake.room = SEEN_MAX;
    add_address(loop, 1, TERN_CLAIM_FAST);
    for (int turn = 0; fake.seen_count < 3; turn++) {
        assert_true(turn < 1000);
        assert_int_equal(tern_loop_run(loop, TERN_TIME_NEVER), TERN_ERR_OK);
    }
    tern_loop_destroy(loop);
}

/* A descriptor that is readable though nothing comes: a sleep ends at once. */
static void ways_to_wait(void **state)
{
    struct fake fake = new_fake();
    struct tern_loop *loop;

    (void)state;
    fake.fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_true(fake.fd >= 0);
    loop = open_loop(&fake.link);
    tern_loop_wait_set(loop, TERN_LOOP_BLOCK);
    for (int turn = 0; turn < 10; turn++) {
        fake.looks = 0;
        assert_int_equal(tern_loop_run(loop, TERN_TIME_NEVER), TERN_ERR_OK);
        assert_int_equal(fake.looks, 2); /* before the sleep, and after it */
    }
    tern_loop_wait_set(loop, TERN_LOOP_SPIN);
    for (int turn = 0; turn < 10; turn++) {
        fake.looks = 0;
        assert_int_equal(tern_loop_run(loop, TERN_TIME_NEVER), TERN_ERR_OK);
        assert_true(fake.looks > 2);
    }
    tern_loop_destroy(loop);
    (void)close(fake.fd);
    fake = new_fake(); /* and now nothing would end a sleep */
    loop = open_loop(&fake.link);
    tern_loop_wait_set(loop, TERN_LOOP_SPIN);
    assert_int_equal(tern_loop_run(loop, TERN_TIME_NEVER), TERN_ERR_OK);
    tern_loop_destroy(loop);
}

static void on_pipe(void *user, int fd, uint32_t bits)
{
    char c;

    assert_true((bits & POLLIN) != 0);
    assert_int_equal(read(fd, &c, 1), 1);
    ++*(int *)user;
}

static void other_descriptors(void **state)
{
    struct fake fake = new_fake();
    struct tern_loop *loop = open_loop(&fake.link);
    struct pollfd p = {.events = POLLIN};
    int ends[2], calls = 0;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(tern_loop_watch(loop, ends[0], POLLIN, on_pipe, &calls), TERN_ERR_OK);
    p.fd = tern_fd(loop);
    assert_int_equal(poll(&p, 1, 0), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(poll(&p, 1, 0), 1); /* the loop's own descriptor tells */
    assert_int_equal(tern_loop_run(loop, TERN_TIME_NEVER), TERN_ERR_OK);
    assert_int_equal(calls, 1);
    assert_int_equal(tern_loop_watch(loop, ends[0], 0, NULL, NULL), TERN_ERR_OK);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(tern_process(loop), TERN_ERR_OK);
    assert_int_equal(calls, 1);
    tern_loop_destroy(loop);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* Two stacks on a cable, each with its loop, taking turns: one pings the other. */
static void two_loops(void **state)
{
    const struct tern_link_mem_options options = {
        .mtu_bytes = 1500, .mac = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}}};
    struct tern_link *ends[2];
    struct tern_loop *loops[2];
    struct tern_ping_socket *ping;
    struct tern_ping_reply reply;

    (void)state;
    assert_int_equal(tern_link_mem_open(&options, ends), TERN_ERR_OK);
    for (uint8_t i = 0; i < 2; i++) {
        loops[i] = open_loop(ends[i]);
        add_address(loops[i], (uint8_t)(i + 1), TERN_CLAIM_NONE);
        assert_int_equal(tern_process(loops[i]), TERN_ERR_OK);
    }
    assert_int_equal(tern_ping_open(tern_loop_stack(loops[0]), NULL, &ping), TERN_ERR_OK);
    assert_int_equal(tern_ping_send(ping, tern_addr_v4(10, 0, 0, 2), 1, 64, 56), TERN_ERR_OK);
    for (int turn = 0; tern_ping_receive(ping, &reply) != TERN_ERR_OK; turn++) {
        assert_true(turn < 100);
        for (int i = 0; i < 2; i++)
            assert_int_equal(tern_process(loops[i]), TERN_ERR_OK);
    }
    assert_true(reply.intact);
    tern_loop_destroy(loops[0]);
    /* The other end hears of it as of a pulled plug. */
    assert_int_equal(tern_process(loops[1]), TERN_ERR_LINK);
    tern_loop_destroy(loops[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_link),           cmocka_unit_test(a_link_that_is_stuck),
        cmocka_unit_test(a_slow_link),           cmocka_unit_test(no_spinning_at_a_full_link),
        cmocka_unit_test(a_link_that_goes_away), cmocka_unit_test(sleeping),
        cmocka_unit_test(the_mtu_changes),       cmocka_unit_test(other_descriptors),
        cmocka_unit_test(ways_to_wait),          cmocka_unit_test(two_loops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
