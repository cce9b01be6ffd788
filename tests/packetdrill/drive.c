/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drives the plugin for packetdrill as packetdrill would, by its table of calls, in virtual time: a
 * handshake, bytes both ways and a close; the call that blocks on a second thread; the clock; and
 * TCP_INFO by libc's own getsockopt(). argv[1]: the plugin.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>

#include "base/checksum.h"
#include "packetdrill/interface.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"

#define PACKET_BYTES 65536
#define OUR_PORT     8080
#define PEER_PORT    40000
#define PEER_ISN     1000u

static const char *plugin_path;

struct peer {
    struct packetdrill_interface ifc;
    struct tern_addr ours, peers;
    uint32_t nxt, acked; /* the peer's next number, and the next that it wants */
};

static void load(struct peer *p, const char *flags)
{
    void *handle = dlopen(plugin_path, RTLD_NOW | RTLD_LOCAL);
    void (*init)(const char *flags, struct packetdrill_interface *ifc);
    void *symbol;

    if (handle == NULL)
        fail_msg("%s", dlerror());
    symbol = dlsym(handle, "packetdrill_interface_init");
    assert_non_null(symbol);
    memcpy(&init, &symbol, sizeof init);
    memset(p, 0, sizeof *p);
    init(flags, &p->ifc);
    for (const void **member = (const void **)&p->ifc; member < (const void **)(&p->ifc + 1);
         member++)
        assert_non_null(*member);
    p->ours = tern_addr_v4(192, 168, 7, 9); /* told to nobody, as packetdrill does */
    p->peers = tern_addr_v4(192, 0, 2, 1);
    p->nxt = PEER_ISN;
}

static int64_t now_usecs(struct peer *p)
{
    struct timeval tv;

    assert_int_equal(p->ifc.gettimeofday(p->ifc.userdata, &tv, NULL), 0);
    return (int64_t)tv.tv_sec * 1000000 + tv.tv_usec;
}

static void inject(struct peer *p, uint8_t flags, const void *text, size_t bytes)
{
    uint8_t packet[2048];
    struct tern_writer w = tern_writer_of(packet, sizeof packet);
    const struct tern_ipv4 ip = {
        .ttl = 255, .protocol = TERN_IP_TCP, .src = p->peers, .dst = p->ours};
    const struct tern_tcp_header h = {.src_port = PEER_PORT,
                                      .dst_port = OUR_PORT,
                                      .seq = tern_seq_of(p->nxt),
                                      .ack = tern_seq_of(p->acked),
                                      .flags = flags,
                                      .window = 65535};
    const size_t tcp_bytes = tern_tcp_header_bytes(&h) + bytes;
    struct tern_sum sum = {0};

    tern_ipv4_emit(&ip, (uint16_t)tcp_bytes, &w);
    tern_tcp_emit(&h, &w);
    if (bytes > 0)
        memcpy(packet + w.bytes, text, bytes);
    tern_sum_add_pseudo(&sum, p->peers, p->ours, TERN_IP_TCP, (uint32_t)tcp_bytes);
    tern_sum_add(&sum, packet + TERN_IPV4_BYTES, tcp_bytes);
    tern_put_be16(packet + TERN_IPV4_BYTES + TERN_TCP_OFF_CHECKSUM, tern_sum_finish(&sum));
    assert_int_equal(p->ifc.netdev_send(p->ifc.userdata, packet, TERN_IPV4_BYTES + tcp_bytes), 0);
    p->nxt += (uint32_t)bytes + ((flags & TERN_TCP_SYN) != 0) + ((flags & TERN_TCP_FIN) != 0);
}

/* The stack's next segment, which must have these flags (PSH aside) and so many bytes. */
static long long expect(struct peer *p, uint8_t flags, size_t bytes)
{
    static uint8_t packet[PACKET_BYTES];
    size_t count = sizeof packet;
    long long at = 0;
    struct tern_ipv4 ip;
    struct tern_tcp_header h;
    struct tern_sum sum = {0};
    tern_span body, text;

    assert_int_equal(p->ifc.netdev_receive(p->ifc.userdata, packet, &count, &at), 0);
    assert_int_not_equal(count, 0);
    assert_int_equal(tern_ipv4_parse(tern_span_of(packet, count), &ip, &body), TERN_IPV4_OK);
    tern_sum_add_pseudo(&sum, ip.src, ip.dst, TERN_IP_TCP, (uint32_t)body.bytes);
    tern_sum_add(&sum, body.data, body.bytes);
    assert_int_equal(tern_sum_fold(&sum), 0xffff);
    assert_true(tern_tcp_parse(body, &h, &text));
    assert_true(tern_addr_equal(ip.src, p->ours));
    assert_int_equal(h.flags & ~TERN_TCP_PSH, flags);
    assert_int_equal(text.bytes, bytes);
    if ((flags & TERN_TCP_ACK) != 0)
        assert_int_equal(h.ack.value, p->nxt);
    p->acked = h.seq.value + (uint32_t)text.bytes + ((flags & TERN_TCP_SYN) != 0) +
               ((flags & TERN_TCP_FIN) != 0);
    return at;
}

static int listener(struct peer *p)
{
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(OUR_PORT)};
    const int fd = p->ifc.socket(p->ifc.userdata, AF_INET, SOCK_STREAM, IPPROTO_TCP);

    assert_true(fd >= 0);
    assert_int_equal(p->ifc.fcntl(p->ifc.userdata, fd, F_GETFL), O_RDWR);
    assert_int_equal(p->ifc.bind(p->ifc.userdata, fd, (const struct sockaddr *)&any, sizeof any),
                     0);
    assert_int_equal(p->ifc.listen(p->ifc.userdata, fd, 1), 0);
    return fd;
}

static void shake_hands(struct peer *p)
{
    inject(p, TERN_TCP_SYN, NULL, 0);
    (void)expect(p, TERN_TCP_SYN | TERN_TCP_ACK, 0);
    inject(p, TERN_TCP_ACK, NULL, 0);
}

static void converses(void **state)
{
    char text[32];
    struct peer p;
    struct sockaddr_in from;
    socklen_t from_bytes = sizeof from;
    int fd, conn;

    (void)state;
    load(&p, NULL);
    fd = listener(&p);
    shake_hands(&p);
    conn = p.ifc.accept(p.ifc.userdata, fd, (struct sockaddr *)&from, &from_bytes);
    assert_true(conn >= 0);
    assert_int_equal(ntohs(from.sin_port), PEER_PORT);
    assert_int_equal(ntohl(from.sin_addr.s_addr), 0xc0000201);

    inject(&p, TERN_TCP_ACK, "hello", 5);
    (void)expect(&p, TERN_TCP_ACK, 0);
    assert_int_equal(p.ifc.read(p.ifc.userdata, conn, text, sizeof text), 5);
    assert_memory_equal(text, "hello", 5);
    assert_int_equal(p.ifc.write(p.ifc.userdata, conn, "good day", 8), 8);
    (void)expect(&p, TERN_TCP_ACK, 8);
    inject(&p, TERN_TCP_ACK, NULL, 0);

    assert_int_equal(p.ifc.close(p.ifc.userdata, conn), 0);
    (void)expect(&p, TERN_TCP_ACK | TERN_TCP_FIN, 0);
    inject(&p, TERN_TCP_ACK | TERN_TCP_FIN, NULL, 0);
    (void)expect(&p, TERN_TCP_ACK, 0);
    assert_int_equal(p.ifc.close(p.ifc.userdata, fd), 0);
    p.ifc.free(p.ifc.userdata);
}

/* An unanswered segment goes again when its time has come, and the clock says so. */
static void keeps_time(void **state)
{
    struct peer p;
    long long first, again;
    int fd, conn;

    (void)state;
    load(&p, "ecn=0,wscale=0,sack=0,timestamps=0");
    fd = listener(&p);
    shake_hands(&p);
    conn = p.ifc.accept(p.ifc.userdata, fd, NULL, NULL);
    assert_true(conn >= 0);
    assert_int_equal(p.ifc.write(p.ifc.userdata, conn, "x", 1), 1);
    first = expect(&p, TERN_TCP_ACK, 1);
    p.acked--;
    again = expect(&p, TERN_TCP_ACK, 1);
    assert_true(again - first >= 200000);
    assert_true(now_usecs(&p) >= again);
    assert_int_equal(p.ifc.usleep(p.ifc.userdata, 3600u * 1000000u), 0);
    assert_true(now_usecs(&p) >= again + INT64_C(3600000000));
    p.ifc.free(p.ifc.userdata);
}

/* Nothing will ever come: that is said, and is no hang. */
static void says_that_nothing_comes(void **state)
{
    uint8_t packet[128];
    size_t count = sizeof packet;
    long long at;
    struct peer p;

    (void)state;
    load(&p, NULL);
    assert_int_equal(p.ifc.netdev_receive(p.ifc.userdata, packet, &count, &at), 0);
    assert_int_equal(count, 0);
    p.ifc.free(p.ifc.userdata);
}

struct blocked {
    struct peer *p;
    int fd, result;
    int64_t until;
};

static void *accept_blocking(void *arg)
{
    struct blocked *b = arg;

    b->result = b->p->ifc.accept(b->p->ifc.userdata, b->fd, NULL, NULL);
    b->until = now_usecs(b->p);
    return NULL;
}

/* The call that blocks ends at the moment of the ACK that lets it, to the microsecond or two. */
static void blocks(void **state)
{
    struct peer p;
    struct blocked b = {.p = &p, .result = -1};
    pthread_t thread;
    int64_t acked_at;

    (void)state;
    load(&p, NULL);
    b.fd = listener(&p);
    assert_int_equal(pthread_create(&thread, NULL, accept_blocking, &b), 0);
    inject(&p, TERN_TCP_SYN, NULL, 0);
    (void)expect(&p, TERN_TCP_SYN | TERN_TCP_ACK, 0);
    assert_int_equal(p.ifc.usleep(p.ifc.userdata, 250000), 0);
    acked_at = now_usecs(&p);
    inject(&p, TERN_TCP_ACK, NULL, 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(b.result >= 0);
    assert_true(b.until >= acked_at);
    assert_true(b.until < acked_at + 100);
    p.ifc.free(p.ifc.userdata);
}

/* packetdrill asks libc. */
static void tells_by_libc(void **state)
{
    struct tcp_info info;
    socklen_t bytes = sizeof info;
    struct peer p;
    int fd, conn, type = 0;

    (void)state;
    load(&p, NULL);
    fd = listener(&p);
    shake_hands(&p);
    conn = p.ifc.accept(p.ifc.userdata, fd, NULL, NULL);
    assert_int_equal(getsockopt(conn, IPPROTO_TCP, TCP_INFO, &info, &bytes), 0);
    assert_int_equal(bytes, sizeof info);
    assert_int_equal(info.tcpi_state, TCP_ESTABLISHED);
    assert_int_equal(info.tcpi_snd_cwnd, 10);
    p.ifc.free(p.ifc.userdata);
    bytes = sizeof type; /* and the process has its own again */
    assert_int_equal(getsockopt(0, SOL_SOCKET, SO_TYPE, &type, &bytes), -1);
    assert_int_equal(errno, ENOTSOCK);
}

/* Records do not share segments; what is followed by more waits, at most 200 ms. */
static void marks(void **state)
{
    struct peer p;
    long long first, held;
    int fd, conn;
    const int on = 1;

    (void)state;
    load(&p, NULL);
    fd = listener(&p);
    shake_hands(&p);
    conn = p.ifc.accept(p.ifc.userdata, fd, NULL, NULL);
    assert_int_equal(
        p.ifc.setsockopt(p.ifc.userdata, conn, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    assert_int_equal(p.ifc.usleep(p.ifc.userdata, 1000), 0);
    assert_int_equal(p.ifc.send(p.ifc.userdata, conn, "x", 1, MSG_EOR | MSG_MORE), 1);
    assert_int_equal(p.ifc.send(p.ifc.userdata, conn, "yz", 2, 0), 2);
    first = expect(&p, TERN_TCP_ACK, 1);
    assert_int_equal(expect(&p, TERN_TCP_ACK, 2), first);
    inject(&p, TERN_TCP_ACK, NULL, 0);
    first = now_usecs(&p);
    assert_int_equal(p.ifc.send(p.ifc.userdata, conn, "more", 4, MSG_MORE), 4);
    held = expect(&p, TERN_TCP_ACK, 4);
    assert_true(held >= first + 190000);
    assert_true(held <= first + 210000);
    p.ifc.free(p.ifc.userdata);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(converses),
        cmocka_unit_test(keeps_time),
        cmocka_unit_test(says_that_nothing_comes),
        cmocka_unit_test(blocks),
        cmocka_unit_test(tells_by_libc),
        cmocka_unit_test(marks),
    };

    plugin_path = argv[argc > 1 ? 1 : 0];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
