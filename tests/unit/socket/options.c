/* SPDX-License-Identifier: BSD-2-Clause */
/* setsockopt, getsockopt, fcntl and ioctl: what is told before and after, ranges, and that what is
 * set reaches the connection. */
#include "world.h"

#include <limits.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <sys/ioctl.h>
#include <sys/time.h>

static int stream(struct tern_sockets *t)
{
    return tern_socket(t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
}

/* usual: told by a fresh socket; told: after `set`; bad: refused with EINVAL (0: none). */
static void numbers(void **state)
{
    static const struct {
        int level, name, usual, set, told, bad;
    } rows[] = {
        {SOL_SOCKET, SO_REUSEADDR, 0, 7, 1, 0},
        {SOL_SOCKET, SO_REUSEPORT, 0, 1, 1, 0},
        {SOL_SOCKET, SO_BROADCAST, 0, 1, 1, 0},
        {SOL_SOCKET, SO_KEEPALIVE, 0, 1, 1, 0},
        {SOL_SOCKET, SO_OOBINLINE, 0, 1, 1, 0},
        {SOL_SOCKET, SO_PRIORITY, 0, 6, 6, 0},
        {SOL_SOCKET, SO_RCVBUF, 131072, 5000, 10000, 0},
        {SOL_SOCKET, SO_RCVBUF, 131072, 1, 2304, 0},
        {SOL_SOCKET, SO_SNDBUF, 87040, 5000, 10000, 0},
        {SOL_SOCKET, SO_SNDBUF, 87040, 1, 4608, 0},
        {SOL_SOCKET, SO_RCVLOWAT, 1, 5, 5, 0},
        {SOL_SOCKET, SO_RCVLOWAT, 1, 0, 1, 0},
        {IPPROTO_IP, IP_TOS, 0, 0x13, 0x10, 0},
        {IPPROTO_IP, IP_TTL, 64, 7, 7, 256},
        {IPPROTO_IP, IP_TTL, 64, -1, 64, -2},
        {IPPROTO_IP, IP_MTU_DISCOVER, 1, 2, 2, 6},
        {IPPROTO_IP, IP_RECVERR, 0, 1, 1, 0},
        {IPPROTO_TCP, TCP_NODELAY, 0, 1, 1, 0},
        {IPPROTO_TCP, TCP_CORK, 0, 1, 1, 0},
        {IPPROTO_TCP, TCP_MAXSEG, 536, 1000, 1000, 87},
        {IPPROTO_TCP, TCP_KEEPIDLE, 7200, 60, 60, 32768},
        {IPPROTO_TCP, TCP_KEEPINTVL, 75, 5, 5, 32768},
        {IPPROTO_TCP, TCP_KEEPCNT, 9, 3, 3, 128},
        {IPPROTO_TCP, TCP_SYNCNT, 6, 3, 3, 128},
        {IPPROTO_TCP, TCP_LINGER2, 60, 10, 10, 0},
        {IPPROTO_TCP, TCP_LINGER2, 60, -3, -1, 0},
        {IPPROTO_TCP, TCP_LINGER2, 60, 120, 120, 0},
        {IPPROTO_TCP, TCP_LINGER2, 60, 121, 120, 0},
        {IPPROTO_TCP, TCP_LINGER2, 60, INT_MAX, 120, 0},
        {IPPROTO_TCP, TCP_DEFER_ACCEPT, 0, 3, 3, 0},
        {IPPROTO_TCP, TCP_WINDOW_CLAMP, 0, 5000, 5000, 0},
        {IPPROTO_TCP, TCP_WINDOW_CLAMP, 0, 1, 1152, 0},
        {IPPROTO_TCP, TCP_WINDOW_CLAMP, 0, -1, 1152, 0},
        {IPPROTO_TCP, TCP_WINDOW_CLAMP, 0, INT_MIN, 1152, 0},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, 0, 1500, 1500, -1},
        {IPPROTO_TCP, TCP_NOTSENT_LOWAT, 0, 4096, 4096, 0},
        {IPPROTO_TCP, TCP_FASTOPEN, 0, 5, 5, -1},
        {IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 0, 1, 1, 2},
        {IPPROTO_TCP, TCP_INQ, 0, 1, 1, 2},
    };
    struct world w;

    (void)state;
    world_open(&w);
    for (size_t i = 0; i < ROWS(rows); i++) {
        const int fd = stream(w.a);

        assert_int_equal(get_int(w.a, fd, rows[i].level, rows[i].name), rows[i].usual);
        set_int(w.a, fd, rows[i].level, rows[i].name, rows[i].set);
        assert_int_equal(get_int(w.a, fd, rows[i].level, rows[i].name), rows[i].told);
        if (rows[i].bad != 0)
            fails(tern_setsockopt(w.a, fd, rows[i].level, rows[i].name, &rows[i].bad, 4), EINVAL);
        assert_int_equal(get_int(w.a, fd, rows[i].level, rows[i].name), rows[i].told);
        assert_int_equal(tern_close(w.a, fd), 0);
    }
    world_close(&w);
}

static void facts(void **state)
{
    struct world w;
    int fd, one = 1;

    (void)state;
    world_open(&w);
    fd = stream(w.a);
    assert_int_equal(get_int(w.a, fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    assert_int_equal(get_int(w.a, fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
    assert_int_equal(get_int(w.a, fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    assert_int_equal(get_int(w.a, fd, SOL_SOCKET, SO_SNDLOWAT), 1);
    fails(tern_setsockopt(w.a, fd, SOL_SOCKET, SO_TYPE, &one, sizeof one), ENOPROTOOPT);
    fails(tern_setsockopt(w.a, fd, SOL_SOCKET, SO_TIMESTAMPING, &one, sizeof one), ENOPROTOOPT);
    fails(tern_setsockopt(w.a, fd, IPPROTO_TCP, 9999, &one, sizeof one), ENOPROTOOPT);
    fails(tern_setsockopt(w.a, fd, 9999, 1, &one, sizeof one), ENOPROTOOPT);
    fails(tern_setsockopt(w.a, fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one), ENOPROTOOPT);
    fails(tern_setsockopt(w.a, fd, SOL_SOCKET, SO_KEEPALIVE, &one, 3), EINVAL);
    fails(tern_setsockopt(w.a, fd, SOL_SOCKET, SO_KEEPALIVE, NULL, 4), EFAULT);
    assert_int_equal(tern_setsockopt(w.a, fd, IPPROTO_IP, IP_TTL, "\007", 1), 0);
    assert_int_equal(get_int(w.a, fd, IPPROTO_IP, IP_TTL), 7);
    fails(tern_setsockopt(w.a, fd, IPPROTO_IP, IP_TTL, "\007", 0), EINVAL);
    fails(tern_setsockopt(w.a, 99, SOL_SOCKET, SO_KEEPALIVE, &one, 4), EBADF);
    fails(tern_setsockopt(w.a, tern_epoll_create(w.a, 0), SOL_SOCKET, SO_KEEPALIVE, &one, 4),
          ENOTSOCK);
    fd = tern_socket(w.a, AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(get_int(w.a, fd, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
    assert_int_equal(get_int(w.a, fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
    fails(tern_setsockopt(w.a, fd, IPPROTO_TCP, TCP_NODELAY, &one, 4), ENOPROTOOPT);
    fd = tern_socket(w.a, AF_INET6, SOCK_STREAM, 0);
    set_int(w.a, fd, IPPROTO_IPV6, IPV6_TCLASS, 8);
    assert_int_equal(get_int(w.a, fd, IPPROTO_IPV6, IPV6_TCLASS), 8);
    assert_int_equal(get_int(w.a, fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 64);
    world_close(&w);
}

/* error: what getsockopt says; setsockopt says ENOPROTOOPT to all. */
static void unknown(void **state)
{
    static const struct {
        int domain, type, level, error;
    } rows[] = {
        {AF_INET, SOCK_STREAM, SOL_SOCKET, ENOPROTOOPT},
        {AF_INET, SOCK_STREAM, IPPROTO_IP, ENOPROTOOPT},
        {AF_INET, SOCK_STREAM, IPPROTO_TCP, ENOPROTOOPT},
        {AF_INET, SOCK_STREAM, IPPROTO_UDP, EOPNOTSUPP},
        {AF_INET, SOCK_STREAM, IPPROTO_IPV6, EOPNOTSUPP},
        {AF_INET, SOCK_STREAM, 9999, EOPNOTSUPP},
        {AF_INET, SOCK_DGRAM, IPPROTO_UDP, ENOPROTOOPT},
        {AF_INET, SOCK_DGRAM, IPPROTO_TCP, EOPNOTSUPP},
        {AF_INET, SOCK_DGRAM, -1, EOPNOTSUPP},
        {AF_INET6, SOCK_STREAM, IPPROTO_IPV6, ENOPROTOOPT},
        {AF_INET6, SOCK_STREAM, IPPROTO_UDP, ENOPROTOOPT},
        {AF_INET6, SOCK_DGRAM, 9999, ENOPROTOOPT},
    };
    struct world w;
    int value = 1;

    (void)state;
    world_open(&w);
    for (size_t i = 0; i < ROWS(rows); i++) {
        const int fd = tern_socket(w.a, rows[i].domain, rows[i].type, 0);
        socklen_t bytes = sizeof value;

        fails(tern_getsockopt(w.a, fd, rows[i].level, 9998, &value, &bytes), rows[i].error);
        fails(tern_setsockopt(w.a, fd, rows[i].level, 9998, &value, sizeof value), ENOPROTOOPT);
        assert_int_equal(tern_close(w.a, fd), 0);
    }
    world_close(&w);
}

static void structures(void **state)
{
    struct world w;
    struct linger l = {1, 30};
    struct timeval tv = {2, 500000};
    uint64_t rate = 1000000;
    uint32_t narrow = 0;
    uint16_t little = 0;
    char name[16] = "reno";
    socklen_t bytes;
    int fd;

    (void)state;
    world_open(&w);
    fd = stream(w.a);
    fails(tern_setsockopt(w.a, fd, SOL_SOCKET, SO_LINGER, &l, 4), EINVAL);
    assert_int_equal(tern_setsockopt(w.a, fd, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
    memset(&l, 0, sizeof l);
    bytes = sizeof l;
    assert_int_equal(tern_getsockopt(w.a, fd, SOL_SOCKET, SO_LINGER, &l, &bytes), 0);
    assert_int_equal(l.l_onoff, 1);
    assert_int_equal(l.l_linger, 30);
    assert_int_equal(tern_setsockopt(w.a, fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv), 0);
    memset(&tv, 0, sizeof tv);
    bytes = sizeof tv;
    assert_int_equal(tern_getsockopt(w.a, fd, SOL_SOCKET, SO_RCVTIMEO, &tv, &bytes), 0);
    assert_int_equal(tv.tv_sec, 2);
    assert_int_equal(tv.tv_usec, 500000);
    tv.tv_usec = 1000000;
    fails(tern_setsockopt(w.a, fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv), EDOM);
    assert_int_equal(tern_setsockopt(w.a, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof rate),
                     0);
    bytes = sizeof narrow;
    assert_int_equal(tern_getsockopt(w.a, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &narrow, &bytes), 0);
    assert_int_equal(narrow, 1000000);
    assert_int_equal(tern_setsockopt(w.a, fd, IPPROTO_TCP, TCP_CONGESTION, name, 4), 0);
    bytes = sizeof name;
    memset(name, 'x', sizeof name);
    assert_int_equal(tern_getsockopt(w.a, fd, IPPROTO_TCP, TCP_CONGESTION, name, &bytes), 0);
    assert_int_equal(bytes, 16);
    assert_string_equal(name, "reno");
    fails(tern_setsockopt(w.a, fd, IPPROTO_TCP, TCP_CONGESTION, "vegas", 5), ENOENT);
    set_int(w.a, fd, SOL_SOCKET, SO_PRIORITY, 0x12345);
    bytes = sizeof little; /* less room: cut */
    assert_int_equal(tern_getsockopt(w.a, fd, SOL_SOCKET, SO_PRIORITY, &little, &bytes), 0);
    assert_int_equal(bytes, 2);
    bytes = (socklen_t)-1;
    fails(tern_getsockopt(w.a, fd, SOL_SOCKET, SO_PRIORITY, &little, &bytes), EINVAL);
    world_close(&w);
}

static void reach_the_connection(void **state)
{
    struct world w;
    struct tern_tcp_settings set;
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    set_int(w.a, a, IPPROTO_TCP, TCP_USER_TIMEOUT, 1234);
    set_int(w.a, a, IPPROTO_TCP, TCP_KEEPIDLE, 50);
    set_int(w.a, a, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(w.a, a, IPPROTO_IP, IP_TTL, 9);
    set_int(w.a, a, SOL_SOCKET, SO_RCVLOWAT, 4);
    tern_tcp_settings(tern_sockets_conn(w.a, a), &set);
    assert_int_equal(set.user_timeout, 1234 * TERN_MS);
    assert_int_equal(set.keep_idle, 50 * TERN_SECOND);
    assert_true(set.keepalive);
    assert_int_equal(set.ttl, 9);
    assert_int_equal(set.readable_bytes, 4);
    assert_int_equal(get_int(w.a, a, IPPROTO_IP, IP_MTU), 1500);
    assert_true(get_int(w.a, a, IPPROTO_TCP, TCP_MAXSEG) > 1400);
    fails(tern_setsockopt(w.a, a, IPPROTO_TCP, TCP_FASTOPEN, &(int){1}, 4), EINVAL);
    fails(tern_setsockopt(w.a, a, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &(int){1}, 4), EINVAL);
    fails(tern_setsockopt(w.a, a, IPPROTO_TCP, TCP_WINDOW_CLAMP, &(int){0}, 4), EINVAL);
    assert_int_equal(tern_write(w.b, b, "abc", 3), 3); /* below the low mark: not readable yet */
    world_settle(&w);
    assert_int_equal(polled(w.a, a) & POLLIN, 0);
    assert_int_equal(tern_write(w.b, b, "d", 1), 1);
    world_settle(&w);
    assert_int_not_equal(polled(w.a, a) & POLLIN, 0);
    world_close(&w);
}

/* TCP_MAXSEG holds for the handshake to come: an open connection goes on as it was agreed. */
static void maxseg_when_open(void **state)
{
    const int short_ones = 200, bad = 87;
    struct world w;
    struct tern_tcp_info info;
    char text[3000] = "";
    int a, b, before;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    before = get_int(w.a, a, IPPROTO_TCP, TCP_MAXSEG);
    fails(tern_setsockopt(w.a, a, IPPROTO_TCP, TCP_MAXSEG, &bad, sizeof bad), EINVAL);
    set_int(w.a, a, IPPROTO_TCP, TCP_MAXSEG, short_ones);
    assert_int_equal(get_int(w.a, a, IPPROTO_TCP, TCP_MAXSEG), before);
    set_int(w.a, a, IPPROTO_TCP, TCP_NODELAY, 1);
    assert_int_equal(tern_write(w.a, a, text, sizeof text), sizeof text);
    world_settle(&w);
    tern_tcp_info(tern_sockets_conn(w.a, a), &info);
    assert_int_equal(info.data_segs_out, (sizeof text + (size_t)before - 1) / (size_t)before);
    world_close(&w);
}

/* A low mark that the buffer cannot hold: a full one is worth reading. */
static void low_mark_beyond_the_buffer(void **state)
{
    struct world w;
    char text[16384] = "";
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    set_int(w.b, b, SOL_SOCKET, SO_RCVBUF, 4096);
    set_int(w.b, b, SOL_SOCKET, SO_RCVLOWAT, INT_MAX);
    assert_int_equal(tern_write(w.a, a, text, 100), 100);
    world_settle(&w);
    assert_int_equal(polled(w.b, b) & POLLIN, 0);
    for (int i = 0; i < 9; i++) {
        (void)!tern_write(w.a, a, text, sizeof text);
        world_run(&w, TERN_SECOND);
    }
    assert_int_not_equal(polled(w.b, b) & POLLIN, 0);
    world_close(&w);
}

static void tcp_info(void **state)
{
    struct world w;
    struct tcp_info info;
    socklen_t bytes = sizeof info;
    char got[8];
    int a, b;

    (void)state;
    world_open(&w);
    b = stream(w.a);
    assert_int_equal(tern_getsockopt(w.a, b, IPPROTO_TCP, TCP_INFO, &info, &bytes), 0);
    assert_int_equal(info.tcpi_state, 7); /* closed */
    assert_int_equal(tern_listen(w.a, b, 1), 0);
    assert_int_equal(tern_getsockopt(w.a, b, IPPROTO_TCP, TCP_INFO, &info, &bytes), 0);
    assert_int_equal(info.tcpi_state, 10); /* listening */
    world_connect(&w, &a, &b);
    world_run(&w, 2 * TERN_SECOND);
    bytes = sizeof info;
    assert_int_equal(tern_getsockopt(w.b, b, IPPROTO_TCP, TCP_INFO, &info, &bytes), 0);
    assert_int_equal(info.tcpi_last_data_recv, 2000); /* since the handshake */
    assert_int_equal(tern_write(w.a, a, "12345", 5), 5);
    world_settle(&w);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 5);
    bytes = sizeof info;
    assert_int_equal(tern_getsockopt(w.a, a, IPPROTO_TCP, TCP_INFO, &info, &bytes), 0);
    assert_int_equal(bytes, sizeof info);
    assert_int_equal(info.tcpi_state, 1);
    assert_int_equal(info.tcpi_options & (TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE),
                     TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
    assert_true(info.tcpi_snd_cwnd >= 10);
    assert_int_equal(info.tcpi_snd_ssthresh, 0x7fffffff);
    assert_int_equal(info.tcpi_bytes_sent, 5);
    assert_int_equal(info.tcpi_data_segs_out, 1);
    bytes = sizeof info;
    assert_int_equal(tern_getsockopt(w.b, b, IPPROTO_TCP, TCP_INFO, &info, &bytes), 0);
    assert_int_equal(info.tcpi_bytes_received, 5);
    bytes = 1;
    memset(&info, 0, sizeof info);
    assert_int_equal(tern_getsockopt(w.b, b, IPPROTO_TCP, TCP_INFO, &info, &bytes), 0);
    assert_int_equal(bytes, 1);
    assert_int_equal(info.tcpi_options, 0);
    world_close(&w);
}

static void controls(void **state)
{
    struct world w;
    int a, b, value = 1, listener;

    (void)state;
    world_open(&w);
    listener = world_listen(&w, 1);
    fails(tern_ioctl(w.b, listener, FIONREAD, &value), EINVAL);
    fails(tern_ioctl(w.b, listener, TIOCOUTQ, &value), EINVAL);
    assert_int_equal(tern_close(w.b, listener), 0);
    world_connect(&w, &a, &b);
    assert_int_equal(tern_fcntl(w.a, a, F_GETFL, 0), O_RDWR | O_NONBLOCK);
    value = 0;
    assert_int_equal(tern_ioctl(w.a, a, FIONBIO, &value), 0);
    assert_int_equal(tern_fcntl(w.a, a, F_GETFL, 0), O_RDWR);
    assert_int_equal(tern_fcntl(w.a, a, F_SETFD, FD_CLOEXEC), 0);
    assert_int_equal(tern_fcntl(w.a, a, F_GETFD, 0), FD_CLOEXEC);
    fails(tern_fcntl(w.a, a, F_GETOWN, 0), EINVAL);
    fails(tern_fcntl(w.a, 99, F_GETFL, 0), EBADF);
    fails(tern_ioctl(w.a, 99, FIONREAD, &value), EBADF);
    fails(tern_ioctl(w.a, a, FIONREAD, NULL), EFAULT);
    fails(tern_ioctl(w.a, a, 0x1234, &value), ENOTTY);
    w.pair.cut = true;
    assert_int_equal(tern_write(w.a, a, "12345", 5), 5);
    assert_int_equal(tern_ioctl(w.a, a, SIOCOUTQNSD, &value), 0);
    assert_int_equal(value, 5);
    world_settle(&w);
    assert_int_equal(tern_ioctl(w.a, a, SIOCOUTQNSD, &value), 0);
    assert_int_equal(value, 0);
    assert_int_equal(tern_ioctl(w.a, a, TIOCOUTQ, &value), 0);
    assert_int_equal(value, 5);
    w.pair.cut = false;
    world_run(&w, 10 * TERN_SECOND);
    assert_int_equal(tern_ioctl(w.a, a, TIOCOUTQ, &value), 0);
    assert_int_equal(value, 0);
    assert_int_equal(tern_ioctl(w.b, b, FIONREAD, &value), 0);
    assert_int_equal(value, 5);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(facts),
        cmocka_unit_test(structures),
        cmocka_unit_test(reach_the_connection),
        cmocka_unit_test(tcp_info),
        cmocka_unit_test(controls),
        cmocka_unit_test(maxseg_when_open),
        cmocka_unit_test(unknown),
        cmocka_unit_test(low_mark_beyond_the_buffer),
    };

    return cmocka_run_group_tests_name("socket_options", tests, NULL, NULL);
}
