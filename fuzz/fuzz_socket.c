/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket layer: two stacks back to back in virtual time, each with a table of sockets, and a
 * program gone mad at each: calls in any order, with any descriptor, option, length, address and
 * flag. Frames cross between commands; one may be lost, doubled, or changed on its way with its
 * checksums made right again, so that each end meets a peer that lies.
 *
 * Pointers are good, as the contract says; what a call writes must stay within the length that it
 * was given, and what it returns within what it was asked for. Both tables and both stacks are
 * checked after each command, and at the end everything is back in its pools.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/assert.h"
#include "base/checksum.h"
#include "mutate.h"
#include "wire/eth.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"
#include <tern/socket.h>
#include <tern/tern.h>

const size_t fuzz_head_bytes = 2;

#define COMMANDS_MAX 250
#define SOCKETS      8
#define TURNS_MAX    4000 /* of frames that cross while time stands still */
#define BUFFER       4096
#define CALL_BYTES   6 /* of input: command, descriptor, and what the call needs */

struct end {
    struct tern_stack *stack;
    struct tern_sockets *table;
    struct world *world;
};

struct world {
    struct end end[2];
    tern_time now;
    uint8_t lose, twice;       /* so many of the next frames */
    uint8_t change_at, change; /* of the next frame: a byte of the IP packet, and what to add */
    bool will_change;
};

/* A call, decoded. */
struct call {
    struct end *end;
    uint8_t which, fd, a, b, c;
};

enum {
    CALL_SOCKET,
    CALL_BIND,
    CALL_LISTEN,
    CALL_ACCEPT,
    CALL_CONNECT,
    CALL_NAME,
    CALL_SHUTDOWN,
    CALL_CLOSE,
    CALL_READ,
    CALL_WRITE,
    CALL_MESSAGE,
    CALL_SET,
    CALL_GET,
    CALL_FCNTL,
    CALL_IOCTL,
    CALL_POLL,
    CALL_EPOLL_CREATE,
    CALL_EPOLL_CTL,
    CALL_EPOLL_WAIT,
    CALL_COUNT,
    DO_WAIT = CALL_COUNT, /* not calls: time, and what befalls frames */
    DO_LOSE,
    DO_TWICE,
    DO_CHANGE,
    DO_COUNT,
};

/* ---- frames ---- */

static void mend_tcp(const struct tern_ipv4 *ip, uint8_t *tcp, size_t bytes)
{
    struct tern_sum sum = {0};

    if (bytes < TERN_TCP_HEADER_BYTES)
        return;
    tern_put_be16(tcp + TERN_TCP_OFF_CHECKSUM, 0);
    tern_sum_add_pseudo(&sum, ip->src, ip->dst, TERN_IP_TCP, (uint32_t)bytes);
    tern_sum_add(&sum, tcp, bytes);
    tern_put_be16(tcp + TERN_TCP_OFF_CHECKSUM, tern_sum_finish(&sum));
}

/* Change a byte behind the IP header, and make the checksum right again. */
static void change_frame(struct world *w, uint8_t *bytes, size_t count)
{
    struct tern_ipv4 ip;
    tern_span body;

    if (count < TERN_ETH_BYTES || tern_get_be16(bytes + 12) != TERN_ETHERTYPE_IPV4 ||
        tern_ipv4_parse(tern_span_of(bytes + TERN_ETH_BYTES, count - TERN_ETH_BYTES), &ip, &body) !=
            TERN_IPV4_OK ||
        body.bytes == 0)
        return;
    w->will_change = false;
    bytes[(size_t)(body.data - bytes) + w->change_at % body.bytes] ^= w->change;
    if (ip.protocol == TERN_IP_TCP)
        mend_tcp(&ip, bytes + (body.data - bytes), body.bytes);
}

static void carry(struct world *w, const struct tern_frame *f, struct end *to)
{
    uint8_t *bytes = malloc(f->bytes);
    struct tern_frame copy = *f;
    size_t count = 0;

    TERN_ASSERT(bytes != NULL);
    for (uint32_t i = 0; i < f->piece_count; i++) {
        memcpy(bytes + count, f->piece[i].data, f->piece[i].bytes);
        count += f->piece[i].bytes;
    }
    if (w->will_change && f->csum != TERN_CSUM_NEEDS)
        change_frame(w, bytes, count);
    copy.piece_count = 1;
    copy.piece[0] = tern_span_of(bytes, count);
    if (w->lose > 0)
        w->lose--;
    else
        tern_stack_input(to->stack, &copy, 1, w->now);
    if (w->twice > 0) {
        w->twice--;
        tern_stack_input(to->stack, &copy, 1, w->now);
    }
    free(bytes);
}

static bool cross(struct world *w, int from)
{
    struct tern_frame frames[4];
    bool any = false;
    int n;

    while ((n = tern_stack_output(w->end[from].stack, frames, 1, w->now)) > 0) {
        carry(w, &frames[0], &w->end[1 - from]);
        any = true;
    }
    return any;
}

static void settle(struct world *w)
{
    int turns = 0;
    bool more;

    do {
        TERN_ASSERT(++turns < TURNS_MAX);
        more = cross(w, 0);
        more = cross(w, 1) || more;
        for (int i = 0; i < 2; i++) {
            (void)tern_sockets_pump(w->end[i].table);
            if (tern_stack_deadline(w->end[i].stack) <= w->now)
                tern_stack_expire(w->end[i].stack, w->now);
        }
    } while (more);
    for (int i = 0; i < 2; i++) {
        tern_stack_check(w->end[i].stack);
        tern_sockets_check(w->end[i].table);
    }
}

static void pass_time(struct world *w, uint8_t amount)
{
    tern_time at = TERN_TIME_NEVER;

    for (int i = 0; i < 2; i++)
        if (tern_stack_deadline(w->end[i].stack) < at)
            at = tern_stack_deadline(w->end[i].stack);
    if (amount < 64 && at != TERN_TIME_NEVER)
        w->now = at > w->now ? at : w->now;
    else
        w->now += amount < 192 ? amount * TERN_MS : (amount - 191) * 10 * TERN_SECOND;
    for (int i = 0; i < 2; i++)
        tern_stack_expire(w->end[i].stack, w->now);
}

/* ---- calls ---- */

static socklen_t address_of(const struct call *c, struct sockaddr_storage *out)
{
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)out;
    static const uint16_t ports[] = {80, 81, 0, 5000};

    memset(out, c->b == 255 ? 255 : 0, sizeof *out);
    in->sin_family = (c->a & 0xf0) == 0xf0 ? AF_INET6 : (c->a & 0xf0) == 0xe0 ? AF_UNSPEC : AF_INET;
    tern_put_be16((uint8_t *)&in->sin_port, ports[c->a & 3]);
    tern_put_be32((uint8_t *)&in->sin_addr.s_addr, (c->a & 4) != 0 ? 0 : 0x0a000001u + (c->b & 3));
    return c->c < 200 ? sizeof *in : (socklen_t)(c->c - 200) * 3;
}

static void call_address(const struct call *c)
{
    struct sockaddr_storage address;
    const socklen_t bytes = address_of(c, &address);
    const struct sockaddr *at = (const struct sockaddr *)(const void *)&address;

    (void)(c->which == CALL_BIND ? tern_bind(c->end->table, c->fd, at, bytes)
                                 : tern_connect(c->end->table, c->fd, at, bytes));
}

static void call_name(const struct call *c)
{
    uint8_t room[64];
    socklen_t bytes = c->b % 33;
    struct sockaddr *at = (struct sockaddr *)(void *)room;

    memset(room, 0xee, sizeof room);
    if (c->which == CALL_ACCEPT)
        (void)tern_accept4(c->end->table, c->fd, at, &bytes, c->a < 224 ? SOCK_NONBLOCK : c->a);
    else if ((c->a & 1) != 0)
        (void)tern_getsockname(c->end->table, c->fd, at, &bytes);
    else
        (void)tern_getpeername(c->end->table, c->fd, at, &bytes);
    for (size_t i = c->b % 33; i < sizeof room; i++)
        TERN_ASSERT(room[i] == 0xee);
}

static void call_bytes(const struct call *c)
{
    static const int flags[] = {0,         0,           MSG_PEEK, MSG_DONTWAIT, MSG_OOB,
                                MSG_TRUNC, MSG_WAITALL, MSG_MORE, MSG_EOR,      MSG_NOSIGNAL};
    static uint8_t data[BUFFER];
    const size_t bytes = c->a * 16u;
    const int flag = c->b > 250 ? c->b * 8355711 : flags[c->b % 10];
    const ssize_t n = c->which == CALL_READ ? tern_recv(c->end->table, c->fd, data, bytes, flag)
                                            : tern_send(c->end->table, c->fd, data, bytes, flag);

    TERN_ASSERT(n >= -1);
    TERN_ASSERT(n <= (ssize_t)bytes || (flag & MSG_TRUNC) != 0);
}

static void call_message(const struct call *c)
{
    static uint8_t data[BUFFER];
    uint8_t control[128];
    struct sockaddr_storage address;
    struct iovec part[4] = {{data, c->a}, {data + 1000, c->b}, {data, 0}, {data + 2000, 500}};
    struct msghdr m = {.msg_iov = part, .msg_iovlen = c->c & 3};

    if ((c->c & 4) != 0) {
        m.msg_name = &address;
        m.msg_namelen = address_of(c, &address);
    }
    memset(control, (c->c & 32) != 0 ? c->b : 0, sizeof control);
    if ((c->c & 8) != 0) {
        m.msg_control = control;
        m.msg_controllen = c->b % sizeof control;
    }
    if ((c->c & 16) != 0)
        (void)tern_sendmsg(c->end->table, c->fd, &m, c->a & MSG_MORE);
    else
        (void)tern_recvmsg(c->end->table, c->fd, &m, c->a & (MSG_PEEK | MSG_TRUNC | MSG_OOB));
}

static int level_of(uint8_t a)
{
    static const int levels[] = {SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6};

    return a > 250 ? a : levels[a & 3];
}

/* Values of all sizes around those that an option may take. */
static void call_option(const struct call *c)
{
    union {
        int number;
        uint8_t bytes[512];
        char name[16];
    } value;
    socklen_t bytes = (c->c & 7) == 7 ? c->c : sizeof(int);

    memset(&value, (c->c & 64) != 0 ? 0xff : 0, sizeof value);
    if (c->which == CALL_SET) {
        value.number = (c->c & 32) != 0 ? c->c * 65537 : (c->c >> 3) & 3;
        if (level_of(c->a) == IPPROTO_TCP && c->b == TCP_CONGESTION)
            snprintf(value.name, sizeof value.name, "%s", (c->c & 1) != 0 ? "reno" : "bbr");
        (void)tern_setsockopt(c->end->table, c->fd, level_of(c->a), c->b % 80, &value, bytes);
        return;
    }
    bytes = (c->c & 7) == 7 ? c->c : (socklen_t)sizeof value.bytes / 2;
    memset(&value, 0xee, sizeof value);
    (void)tern_getsockopt(c->end->table, c->fd, level_of(c->a), c->b % 80, &value, &bytes);
    for (size_t i = 256; i < sizeof value.bytes; i++)
        TERN_ASSERT(value.bytes[i] == 0xee);
}

static void call_descriptor(const struct call *c)
{
    static const unsigned long requests[] = {FIONREAD, TIOCOUTQ, 0x894b, 0x8905, FIONBIO, 7};
    static const int commands[] = {F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD};
    int value = c->b;

    if (c->which == CALL_FCNTL)
        (void)tern_fcntl(c->end->table, c->fd, commands[c->a % 5], c->b * 0x801L);
    else
        (void)tern_ioctl(c->end->table, c->fd, requests[c->a % 6], &value);
}

static void call_poll(const struct call *c)
{
    struct pollfd polled[4];

    for (int i = 0; i < 4; i++)
        polled[i] = (struct pollfd){.fd = c->fd + i - 1, .events = (short)(c->b << (i & 1))};
    TERN_ASSERT(tern_poll(c->end->table, polled, c->a % 5, 0) <= 4);
}

static void call_epoll(const struct call *c)
{
    struct epoll_event events[3] = {{.events = c->c | (c->c & 1 ? (uint32_t)EPOLLET : 0) |
                                               (c->c & 2 ? (uint32_t)EPOLLONESHOT : 0)}};

    if (c->which == CALL_EPOLL_CREATE)
        (void)tern_epoll_create(c->end->table, c->a < 250 ? 0 : c->a);
    else if (c->which == CALL_EPOLL_CTL)
        (void)tern_epoll_ctl(c->end->table, c->fd, c->a & 3, c->b % (SOCKETS + 4), events);
    else
        TERN_ASSERT(tern_epoll_wait(c->end->table, c->fd, events, c->a % 4, 0) <= 3);
}

static void make_call(const struct call *c)
{
    struct tern_sockets *t = c->end->table;

    switch (c->which) {
    case CALL_SOCKET:
        (void)tern_socket(t, c->a < 240 ? AF_INET : c->a & 15,
                          (c->b < 160   ? SOCK_STREAM
                           : c->b < 240 ? SOCK_DGRAM
                                        : c->b) |
                              ((c->c & 1) != 0 ? SOCK_NONBLOCK : 0),
                          c->c < 250 ? 0 : c->c);
        break;
    case CALL_BIND:
    case CALL_CONNECT:
        call_address(c);
        break;
    case CALL_LISTEN:
        (void)tern_listen(t, c->fd, c->a < 250 ? c->a & 3 : -c->a);
        break;
    case CALL_ACCEPT:
    case CALL_NAME:
        call_name(c);
        break;
    case CALL_SHUTDOWN:
        (void)tern_shutdown(t, c->fd, c->a % 4);
        break;
    case CALL_CLOSE:
        (void)tern_close(t, c->fd);
        break;
    case CALL_READ:
    case CALL_WRITE:
        call_bytes(c);
        break;
    case CALL_MESSAGE:
        call_message(c);
        break;
    case CALL_SET:
    case CALL_GET:
        call_option(c);
        break;
    case CALL_FCNTL:
    case CALL_IOCTL:
        call_descriptor(c);
        break;
    case CALL_POLL:
        call_poll(c);
        break;
    default:
        call_epoll(c);
    }
}

/* ---- commands ---- */

void fuzz_skip_command(struct tern_reader *in)
{
    for (int i = 0; i < CALL_BYTES; i++)
        (void)tern_read_u8(in);
}

size_t fuzz_fresh_command(uint32_t *random, uint8_t *out)
{
    static const uint8_t likely[] = {CALL_SOCKET,  CALL_BIND, CALL_LISTEN, CALL_ACCEPT,
                                     CALL_CONNECT, CALL_READ, CALL_WRITE,  CALL_WRITE,
                                     DO_WAIT,      DO_WAIT,   CALL_SET};

    out[0] = fuzz_draw(random, 2) == 0 ? likely[fuzz_draw(random, sizeof likely)]
                                       : (uint8_t)fuzz_draw(random, DO_COUNT);
    out[1] = (uint8_t)(fuzz_draw(random, 2) << 7 | fuzz_draw(random, SOCKETS / 2));
    for (int i = 2; i < CALL_BYTES; i++)
        out[i] = (uint8_t)fuzz_draw(random, fuzz_draw(random, 2) == 0 ? 4 : 256);
    if (out[0] == CALL_BIND || out[0] == CALL_CONNECT) { /* one of the two that are there */
        out[2] &= 0x83;
        out[3] = (uint8_t)((out[1] >> 7) ^ (out[0] == CALL_CONNECT));
        out[4] = 0;
    }
    return CALL_BYTES;
}

static void step(struct world *w, struct tern_reader *in)
{
    const uint8_t which = tern_read_u8(in) % DO_COUNT, at = tern_read_u8(in);
    struct call c = {.end = &w->end[at >> 7], .which = which, .fd = at & 15};

    c.a = tern_read_u8(in);
    c.b = tern_read_u8(in);
    c.c = tern_read_u8(in);
    if (tern_read_u8(in) >= 128 && which < CALL_COUNT) { /* the next call at the same moment */
        make_call(&c);
        return;
    }
    if (which == DO_WAIT)
        pass_time(w, c.a);
    else if (which == DO_LOSE)
        w->lose = c.a & 7;
    else if (which == DO_TWICE)
        w->twice = c.a & 3;
    else if (which == DO_CHANGE) {
        w->will_change = true;
        w->change_at = c.a;
        w->change = c.b;
    } else {
        make_call(&c);
    }
    settle(w);
}

/* ---- birth and end ---- */

static tern_time hook_now(void *arg)
{
    const struct end *end = arg;

    return end->world->now;
}

/* Zeroed memory, the same each time: taking it afresh would cost more than a run. */
static void *memory_of(uint8_t n, int which, size_t bytes)
{
    static void *memory[2][2];
    static size_t had[2][2];

    if (had[n][which] < bytes) {
        free(memory[n][which]);
        memory[n][which] = aligned_alloc(64, bytes);
        had[n][which] = bytes;
    }
    TERN_ASSERT(memory[n][which] != NULL);
    memset(memory[n][which], 0, bytes);
    return memory[n][which];
}

static void open_end(struct world *w, uint8_t n, uint8_t how)
{
    struct end *end = &w->end[n];
    struct tern_config c;
    struct tern_sockets_config t;
    struct tern_cidr own = {tern_addr_v4(10, 0, 0, (uint8_t)(n + 1)), 24};
    size_t bytes;

    end->world = w;
    tern_config_defaults(&c);
    memset(c.seed, n + 1, sizeof c.seed);
    c.link.mac = (struct tern_mac){{2, 0, 0, 0, 0, (uint8_t)(n + 1)}};
    c.link.mtu_bytes = 1500;
    c.connections_max = 6;
    c.time_waits_max = c.fastopen_peers_max = 2;
    c.listeners_max = c.udp_sockets_max = 2;
    c.ping_sockets_max = c.neighbours_max = c.addresses_max = c.reassembly_max = 1;
    c.chunk_bytes = 1024;
    c.chunks_max = (how & 1) != 0 ? 12 : 200;
    c.send_buffer_bytes = c.receive_buffer_bytes = (how & 2) != 0 ? 4000 : 65535;
    bytes = (tern_stack_bytes(&c) + 63) / 64 * 64;
    TERN_ASSERT(tern_stack_init(memory_of(n, 0, bytes), bytes, &c, w->now, &end->stack) ==
                TERN_ERR_OK);
    TERN_ASSERT(tern_stack_address_add(end->stack, &own, TERN_CLAIM_NONE) == TERN_ERR_OK);
    tern_sockets_config_defaults(&t);
    t.stack = end->stack;
    t.sockets_max = SOCKETS;
    t.watches_max = 3;
    t.fd_first = 0;
    t.arg = end;
    t.now = hook_now;
    bytes = (tern_sockets_bytes(&t) + 63) / 64 * 64;
    TERN_ASSERT(tern_sockets_init(memory_of(n, 1, bytes), bytes, &t, &end->table) == TERN_ERR_OK);
}

static void judge_end(const struct end *end)
{
    struct tern_stack_counters counters;

    tern_stack_counters(end->stack, &counters);
    TERN_ASSERT(counters.connections_used == 0);
    TERN_ASSERT(counters.chunks_used == 0);
}

static void finish(struct world *w)
{
    w->lose = w->twice = 0;
    for (int i = 0; i < 2; i++) {
        tern_sockets_fini(w->end[i].table);
        tern_stack_abort_all(w->end[i].stack);
    }
    for (int turn = 0; turn < 5; turn++) {
        while (cross(w, 0) || cross(w, 1)) {
        }
        w->now += 100 * TERN_SECOND;
        for (int i = 0; i < 2; i++)
            tern_stack_expire(w->end[i].stack, w->now);
    }
    judge_end(&w->end[0]);
    judge_end(&w->end[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    struct world *w = &world;
    struct tern_reader in = tern_reader_of(tern_span_of(data, size));
    const uint8_t how = tern_read_u8(&in), more = tern_read_u8(&in);

    memset(w, 0, sizeof *w);
    w->now = TERN_SECOND;
    open_end(w, 0, how);
    open_end(w, 1, more);
    settle(w);
    for (int i = 0; i < COMMANDS_MAX && in.left.bytes > 0; i++)
        step(w, &in);
    settle(w);
    finish(w);
    return 0;
}
