/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resolver over tern's UDP and TCP, against a server made of a few bytes at the far end. RFC
 * 1035 §4.1; §4.2.2 for TCP after a truncated answer.
 */
#include "world.h"

#include "apps/dns.h"
#include "base/bytes.h"

#define MESSAGE_MAX 512

static struct world world;
static struct tern_udp_socket *server_udp;
static struct tern_listener *server_tcp;
static int asked_udp, asked_tcp;
static bool server_mute;

/* What the server does is in the name's first letter. */
enum { FOUND = 'f', NOWHERE = 'n', TRUNCATED = 't', BROKEN = 'b', TWO = 'd', ODD = 'o' };

static size_t add_address(uint8_t *p, uint8_t last)
{
    static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 0};

    memcpy(p, record, sizeof record);
    p[sizeof record - 1] = last;
    return sizeof record;
}

/* Turn a question in place into its answer; returns its length. */
static size_t answer(uint8_t *m, size_t bytes, bool tcp)
{
    char what = (char)m[13];
    uint8_t count = 0;

    m[2] = 0x81;
    m[3] = 0x80;
    if (what == TRUNCATED && !tcp)
        m[2] |= 2;
    else if (what == NOWHERE)
        m[3] |= 3;
    else if (what == BROKEN)
        m[3] |= 2;
    else
        count = what == TWO ? 2 : what == ODD ? 0 : 1;
    m[7] = count;
    if (count > 0)
        bytes += add_address(m + bytes, 1);
    if (count > 1)
        bytes += add_address(m + bytes, 2);
    return bytes;
}

static void serve_udp(void)
{
    uint8_t message[MESSAGE_MAX];
    struct tern_endpoint from;
    ptrdiff_t n;

    while ((n = tern_udp_receive(server_udp, &from, message, sizeof message)) > 12) {
        size_t bytes = answer(message, (size_t)n, false);

        asked_udp++;
        if (!server_mute)
            assert_int_equal(tern_udp_send(server_udp, &from, message, bytes), TERN_ERR_OK);
    }
}

static void serve_tcp(struct tern_conn *conn)
{
    uint8_t message[MESSAGE_MAX];
    ptrdiff_t n = tern_tcp_read(conn, message, sizeof message);

    if (n == 0 || (n < 0 && n != TERN_ERR_AGAIN)) {
        tern_tcp_close(conn);
        return;
    }
    if (n < 14)
        return;
    asked_tcp++;
    n = (ptrdiff_t)answer(message + 2, (size_t)n - 2, true) + 2;
    tern_put_be16(message, (uint16_t)(n - 2));
    assert_int_equal(tern_tcp_write(conn, message, (size_t)n), n);
}

static void serve(struct world *w, const struct tern_event *event)
{
    struct tern_conn *conn;

    (void)w;
    if (event->kind == TERN_EVENT_UDP)
        serve_udp();
    else if (event->kind == TERN_EVENT_LISTENER)
        while (tern_tcp_accept(server_tcp, NULL, &conn) == TERN_ERR_OK)
            continue;
    else if (event->kind == TERN_EVENT_CONN && (event->bits & TERN_CONN_READABLE) != 0)
        serve_tcp(event->conn);
}

struct asked {
    bool done;
    int times;
    struct tern_dns_answer answer;
};

static void on_answer(void *user, const struct tern_dns_answer *a)
{
    struct asked *asked = user;

    asked->done = true;
    asked->times++;
    asked->answer = *a;
}

static struct tern_dns *open_dns(struct tern_endpoint server)
{
    struct tern_dns_options options = {.loop = world.near, .server = server};
    struct tern_dns *dns = NULL;

    assert_int_equal(tern_dns_create(&options, &dns), TERN_ERR_OK);
    return dns;
}

static int set_up(void **state)
{
    const struct tern_endpoint port53 = {.port = 53};
    const struct tern_tcp_options tcp = {.local = {.port = 53}};
    struct tern_stack *far;

    (void)state;
    world_open(&world);
    world.far_event = serve;
    far = tern_loop_stack(world.far);
    assert_int_equal(tern_udp_open(far, &port53, NULL, &server_udp), TERN_ERR_OK);
    assert_int_equal(tern_tcp_listen(far, &tcp, 4, &server_tcp), TERN_ERR_OK);
    asked_udp = asked_tcp = 0;
    server_mute = false;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static struct asked resolve(struct tern_dns *dns, const char *name)
{
    struct asked asked = {0};

    tern_dns_query(dns, name, on_answer, &asked);
    world_run(&world, &asked.done);
    assert_int_equal(asked.times, 1);
    return asked;
}

static void answers(void **state)
{
    struct tern_dns *dns = open_dns(world_far(53));
    struct asked asked = resolve(dns, "found.test");

    (void)state;
    assert_int_equal(asked.answer.result, TERN_DNS_FOUND);
    assert_int_equal(asked.answer.addresses_count, 1);
    assert_int_equal(tern_addr_to_be32(asked.answer.addresses[0]), 0xc0000201);
    asked = resolve(dns, "double.test");
    assert_int_equal(asked.answer.addresses_count, 2);
    assert_int_equal(tern_addr_to_be32(asked.answer.addresses[1]), 0xc0000202);
    assert_int_equal(resolve(dns, "nowhere.test").answer.result, TERN_DNS_NOT_FOUND);
    assert_int_equal(resolve(dns, "odd.test").answer.result, TERN_DNS_NOT_FOUND);
    assert_int_equal(resolve(dns, "broken.test").answer.result, TERN_DNS_FAILED);
    assert_int_equal(asked_tcp, 0);
    assert_true(tern_dns_deadline(dns) == TERN_TIME_NEVER);
    tern_dns_destroy(dns);
}

static void truncated_goes_over_tcp(void **state)
{
    struct tern_dns *dns = open_dns(world_far(53));
    struct asked asked = resolve(dns, "truncated.test");

    (void)state;
    assert_int_equal(asked.answer.result, TERN_DNS_FOUND);
    assert_int_equal(tern_addr_to_be32(asked.answer.addresses[0]), 0xc0000201);
    assert_int_equal(asked_udp, 1);
    assert_int_equal(asked_tcp, 1);
    tern_dns_destroy(dns);
}

static void needs_no_server(void **state)
{
    struct tern_dns *dns = open_dns((struct tern_endpoint){.port = 53});
    struct asked asked = resolve(dns, "10.1.2.3");

    (void)state;
    assert_int_equal(asked.answer.result, TERN_DNS_FOUND);
    assert_int_equal(tern_addr_to_be32(asked.answer.addresses[0]), 0x0a010203);
    asked = resolve(dns, "found.test");
    assert_int_equal(asked.answer.result, TERN_DNS_NO_SERVER);
    assert_int_equal(asked_udp, 0);
    tern_dns_destroy(dns);
}

static void bad_names(void **state)
{
    struct tern_dns *dns = open_dns(world_far(53));
    char label[80];

    (void)state;
    memset(label, 'x', sizeof label); /* longer than the 63 bytes of a label */
    label[sizeof label - 1] = '\0';
    assert_int_not_equal(resolve(dns, label).answer.result, TERN_DNS_FOUND);
    assert_int_equal(asked_udp, 0);
    tern_dns_destroy(dns);
}

static void a_closed_port_is_told(void **state)
{
    struct tern_dns *dns = open_dns(world_far(54));

    (void)state;
    assert_int_equal(resolve(dns, "found.test").answer.result, TERN_DNS_FAILED);
    tern_dns_destroy(dns);
}

static void stopped_while_waiting(void **state)
{
    struct tern_dns *dns = open_dns(world_far(53));
    struct asked asked = {0};
    int turns;

    (void)state;
    server_mute = true;
    tern_dns_query(dns, "found.test", on_answer, &asked);
    for (turns = 0; turns < 100; turns++)
        world_turn(&world);
    assert_false(asked.done);
    assert_true(tern_dns_deadline(dns) < TERN_TIME_NEVER);
    tern_dns_destroy(dns);
    assert_int_equal(asked.times, 1);
    assert_int_equal(asked.answer.result, TERN_DNS_STOPPED);
    world_turn(&world); /* nothing of it is left that could hear */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(truncated_goes_over_tcp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(needs_no_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_closed_port_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stopped_while_waiting, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
