/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The workloads' wire over the kernel's sockets: the rival, and so written for speed. One
 * level-triggered epoll; interest in writing is registered when a write was cut short, and stays
 * as long as each is. A read or write that was cut short is not tried again before epoll says so,
 * and a line gets at most TRIES calls a wait(), so that the others have their turn.
 *
 * Who spins over a few lines asks recv(2) itself and no epoll, which is the kernel's shortest round
 * trip; every LOOK_EACH times epoll is asked as well, for callers and for room to write. Who
 * spins adaptively does it as tern's loop does: for SPIN_NS where the last sleep was short.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "apps/bench_wire.h"
#include "base/list.h"
#include "os/clock.h"

#define BACKLOG        1024
#define READ_BYTES     ((size_t)128 << 10)
#define TRIES          16
#define SPIN_LINES     8
#define LOOK_EACH      64
#define SPIN_NS        (30 * TERN_US)
#define SPIN_LEAST_NS  (2 * TERN_US)
#define SHORT_SLEEP_NS (60 * TERN_US)
#define SLEEP_MAX_NS   (200 * TERN_MS)

struct wire {
    struct tern_bench_wire base;
    struct tern_bench_wire_options options;
    struct tern_list lines;
    unsigned line_count, looks;
    int epoll_fd, listen_fd;
    tern_time spin_ns;
    bool may_spin;
    uint8_t *buffer;
};

struct line {
    struct tern_bench_line base;
    struct tern_list link;
    struct wire *wire;
    int fd;
    unsigned reads, writes; /* left in this turn */
    bool opening, watched_out, cut_short;
};

static enum tern_err err_of(int error)
{
    switch (error) {
    case EAGAIN:
    case EINTR:
        return TERN_ERR_AGAIN;
    case ECONNRESET:
    case EPIPE:
        return TERN_ERR_RESET;
    case ECONNREFUSED:
        return TERN_ERR_REFUSED;
    case ETIMEDOUT:
        return TERN_ERR_TIMEOUT;
    case EHOSTUNREACH:
    case ENETUNREACH:
        return TERN_ERR_UNREACHABLE;
    case EADDRINUSE:
    case EADDRNOTAVAIL:
        return TERN_ERR_ADDRESS_IN_USE;
    case EACCES:
    case EPERM:
        return TERN_ERR_PERMISSION;
    case EMFILE:
    case ENFILE:
        return TERN_ERR_FULL;
    case ENOMEM:
    case ENOBUFS:
        return TERN_ERR_MEMORY;
    default:
        return TERN_ERR_SYSTEM;
    }
}

static struct sockaddr_in sockaddr_of(struct tern_addr addr, uint16_t port)
{
    struct sockaddr_in out = {.sin_family = AF_INET, .sin_port = htons(port)};

    if (!tern_addr_is_any(addr))
        out.sin_addr.s_addr = htonl(tern_addr_to_be32(addr));
    return out;
}

/* What both kinds of sockets need. */
static enum tern_err set_up(const struct wire *w, int fd)
{
    const char *congestion = w->options.congestion;

    if (congestion != NULL &&
        setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion, (socklen_t)strlen(congestion)) != 0)
        return errno == ENOENT ? TERN_ERR_UNSUPPORTED : err_of(errno);
    return TERN_ERR_OK;
}

static enum tern_err watch(struct line *line, int how, bool out)
{
    struct epoll_event event = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = line};

    line->watched_out = out;
    return epoll_ctl(line->wire->epoll_fd, how, line->fd, &event) == 0 ? TERN_ERR_OK
                                                                       : err_of(errno);
}

/* A line of a socket, which it takes over; NULL: the socket was closed. */
static struct line *line_new(struct wire *w, int fd, void *user, bool opening)
{
    struct line *line = calloc(1, sizeof *line);

    if (line == NULL) {
        (void)close(fd);
        return NULL;
    }
    *line = (struct line){.base.user = user, .wire = w, .fd = fd, .opening = opening};
    line->reads = line->writes = TRIES;
    tern_list_push(&w->lines, &line->link);
    w->line_count++;
    if (watch(line, EPOLL_CTL_ADD, opening) == TERN_ERR_OK)
        return line;
    (void)close(fd);
    tern_list_remove(&line->link);
    w->line_count--;
    free(line);
    return NULL;
}

static enum tern_err kernel_listen(struct tern_bench_wire *wire, uint16_t *port)
{
    struct wire *w = (struct wire *)wire;
    struct sockaddr_in own = sockaddr_of((struct tern_addr){{0}}, *port);
    socklen_t own_bytes = sizeof own;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    enum tern_err err;
    int one = 1;

    w->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (w->listen_fd < 0)
        return err_of(errno);
    err = set_up(w, w->listen_fd);
    if (err != TERN_ERR_OK)
        return err;
    if (setsockopt(w->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(w->listen_fd, (const struct sockaddr *)&own, sizeof own) != 0 ||
        listen(w->listen_fd, BACKLOG) != 0 ||
        getsockname(w->listen_fd, (struct sockaddr *)&own, &own_bytes) != 0 ||
        epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->listen_fd, &event) != 0)
        return err_of(errno);
    *port = ntohs(own.sin_port);
    return TERN_ERR_OK;
}

static enum tern_err kernel_connect(struct tern_bench_wire *wire, const struct tern_endpoint *peer,
                                    void *user, struct tern_bench_line **out)
{
    struct wire *w = (struct wire *)wire;
    struct sockaddr_in to = sockaddr_of(peer->addr, peer->port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct line *line;
    enum tern_err err;

    if (fd < 0)
        return err_of(errno);
    err = set_up(w, fd);
    if (err == TERN_ERR_OK && connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 &&
        errno != EINPROGRESS)
        err = err_of(errno);
    if (err != TERN_ERR_OK) {
        (void)close(fd);
        return err;
    }
    line = line_new(w, fd, user, true);
    if (line == NULL)
        return TERN_ERR_MEMORY;
    *out = &line->base;
    return TERN_ERR_OK;
}

static ptrdiff_t kernel_peek(struct tern_bench_line *base, struct tern_slice *out)
{
    struct line *line = (struct line *)base;
    struct wire *w = line->wire;
    ssize_t got;

    if (line->reads == 0)
        return TERN_ERR_AGAIN;
    got = recv(line->fd, w->buffer, READ_BYTES, 0);
    if (got < 0)
        return err_of(errno);
    line->reads = (size_t)got < READ_BYTES ? 0 : line->reads - 1; /* there was no more */
    *out = (struct tern_slice){w->buffer, (size_t)got};
    return got;
}

static void kernel_skip(struct tern_bench_line *line, size_t bytes)
{
    (void)line; /* recv(2) did */
    (void)bytes;
}

static ptrdiff_t kernel_write(struct tern_bench_line *base, const void *data, size_t len)
{
    struct line *line = (struct line *)base;
    ssize_t sent = 0;

    if (line->writes > 0)
        sent = send(line->fd, data, len, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        return err_of(errno);
    line->cut_short = sent < (ssize_t)len;
    line->writes = line->cut_short ? 0 : line->writes - 1;
    if (line->cut_short && !line->watched_out) {
        enum tern_err err = watch(line, EPOLL_CTL_MOD, true);

        if (err != TERN_ERR_OK)
            return err;
    }
    return sent > 0 ? sent : TERN_ERR_AGAIN;
}

static void kernel_shutdown(struct tern_bench_line *line)
{
    (void)shutdown(((struct line *)line)->fd, SHUT_WR);
}

static void kernel_nodelay(struct tern_bench_line *line)
{
    int one = 1;

    (void)setsockopt(((struct line *)line)->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void kernel_close(struct tern_bench_line *base, bool abort)
{
    struct line *line = (struct line *)base;
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    if (abort)
        (void)setsockopt(line->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    (void)close(line->fd);
    line->wire->line_count--;
    tern_list_remove(&line->link);
    free(line);
}

static uint64_t kernel_retransmits(struct tern_bench_line *line)
{
    struct tcp_info info;
    socklen_t bytes = sizeof info;

    memset(&info, 0, sizeof info);
    (void)getsockopt(((struct line *)line)->fd, IPPROTO_TCP, TCP_INFO, &info, &bytes);
    return info.tcpi_total_retrans;
}

/* ---- waiting ---- */

static int accept_callers(struct wire *w, struct tern_bench_event *events, int max)
{
    int count = 0;

    while (count < max) {
        int fd = accept4(w->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct line *line = fd < 0 ? NULL : line_new(w, fd, NULL, false);

        if (line == NULL)
            return count;
        events[count++] = (struct tern_bench_event){&line->base, TERN_BENCH_CALLER, TERN_ERR_OK};
    }
    return count;
}

static enum tern_err socket_error(const struct line *line)
{
    int error = 0;
    socklen_t bytes = sizeof error;

    (void)getsockopt(line->fd, SOL_SOCKET, SO_ERROR, &error, &bytes);
    return error == 0 ? TERN_ERR_OK : err_of(error);
}

/* What epoll said of a line, in the workload's words; false: nothing that it should hear. */
static bool translate(struct line *line, uint32_t found, struct tern_bench_event *out)
{
    *out = (struct tern_bench_event){&line->base, 0, TERN_ERR_OK};
    line->reads = line->writes = TRIES;
    if (line->opening && (found & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
        out->reason = socket_error(line);
        out->bits |= out->reason == TERN_ERR_OK ? TERN_BENCH_OPEN : TERN_BENCH_OVER;
        line->opening = false;
        line->cut_short = true; /* whoever writes now need not hear of room */
        return true;
    }
    if ((found & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
        out->bits |= TERN_BENCH_READABLE;
    if ((found & EPOLLOUT) != 0 && line->cut_short)
        out->bits |= TERN_BENCH_WRITABLE;
    else if ((found & EPOLLOUT) != 0)
        (void)watch(line, EPOLL_CTL_MOD, false);
    line->cut_short = false;
    return out->bits != 0;
}

/* One look at epoll, which may sleep. */
static int look(struct wire *w, struct tern_bench_event *events, int timeout_ms)
{
    struct epoll_event found[TERN_BENCH_EVENTS_MAX];
    int n = epoll_wait(w->epoll_fd, found, TERN_BENCH_EVENTS_MAX, timeout_ms);
    bool callers = false;
    int count = 0;

    if (n < 0)
        return errno == EINTR ? 0 : (int)TERN_ERR_SYSTEM;
    for (int i = 0; i < n; i++) {
        if (found[i].data.ptr == NULL)
            callers = true;
        else if (translate(found[i].data.ptr, found[i].events, &events[count]))
            count++;
    }
    if (callers)
        count += accept_callers(w, events + count, TERN_BENCH_EVENTS_MAX - count);
    return count;
}

/* Every line is said to be readable: recv(2) knows. 0: epoll must be asked. */
static int guess(struct wire *w, struct tern_bench_event *events)
{
    struct tern_list *node;
    int count = 0;

    if (w->line_count > SPIN_LINES || ++w->looks % LOOK_EACH == 0)
        return 0;
    for (node = w->lines.next; node != &w->lines; node = node->next) {
        struct line *line = TERN_CONTAINER(node, struct line, link);

        if (line->opening || line->cut_short)
            return 0;
        line->reads = line->writes = TRIES;
        events[count++] = (struct tern_bench_event){&line->base, TERN_BENCH_READABLE, TERN_ERR_OK};
    }
    return count;
}

static int spin(struct wire *w, struct tern_bench_event *events, tern_time until)
{
    tern_time now = tern_clock_now();
    tern_time end = until < now + w->spin_ns ? until : now + w->spin_ns;

    for (; now < end; now = tern_clock_now()) {
        int count = look(w, events, 0);

        if (count != 0) {
            w->spin_ns = SPIN_NS;
            return count;
        }
    }
    w->spin_ns = w->spin_ns / 2 < SPIN_LEAST_NS ? 0 : w->spin_ns / 2;
    return 0;
}

/* Not for ever: a signal that came a moment before the sleep does not end it. */
static int sleep_ms(tern_time before, tern_time until)
{
    if (until <= before)
        return 0;
    return until - before > SLEEP_MAX_NS ? (int)(SLEEP_MAX_NS / TERN_MS)
                                         : (int)((until - before - 1) / TERN_MS + 1);
}

static int kernel_wait(struct tern_bench_wire *wire, struct tern_bench_event *events,
                       tern_time until)
{
    struct wire *w = (struct wire *)wire;
    tern_time before;
    int count = 0;

    if (w->options.wait == TERN_LOOP_SPIN) {
        count = guess(w, events);
        return count != 0 ? count : look(w, events, 0);
    }
    if (w->spin_ns > 0)
        count = spin(w, events, until);
    if (count != 0)
        return count;
    before = tern_clock_now();
    count = look(w, events, sleep_ms(before, until));
    if (w->may_spin && count > 0 && tern_clock_now() - before < SHORT_SLEEP_NS)
        w->spin_ns = SPIN_NS;
    return count;
}

static void kernel_destroy(struct tern_bench_wire *wire)
{
    struct wire *w = (struct wire *)wire;

    while (!tern_list_is_empty(&w->lines))
        kernel_close(&TERN_CONTAINER(w->lines.next, struct line, link)->base, true);
    if (w->listen_fd >= 0)
        (void)close(w->listen_fd);
    if (w->epoll_fd >= 0)
        (void)close(w->epoll_fd);
    free(w->buffer);
    free(w);
}

static const struct tern_bench_ops kernel_ops = {
    .listen = kernel_listen,
    .connect = kernel_connect,
    .peek = kernel_peek,
    .skip = kernel_skip,
    .write = kernel_write,
    .shutdown = kernel_shutdown,
    .nodelay = kernel_nodelay,
    .close = kernel_close,
    .retransmits = kernel_retransmits,
    .wait = kernel_wait,
    .destroy = kernel_destroy,
};

/* On one processor spinning would only keep the peer from running. */
static bool several_processors(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 1;
}

enum tern_err tern_bench_kernel_create(const struct tern_bench_wire_options *options,
                                       struct tern_bench_wire **out)
{
    struct wire *w = calloc(1, sizeof *w);

    if (w == NULL)
        return TERN_ERR_MEMORY;
    w->base.ops = &kernel_ops;
    w->options = *options;
    w->listen_fd = -1;
    tern_list_init(&w->lines);
    w->may_spin = options->wait == TERN_LOOP_ADAPTIVE && several_processors();
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    w->buffer = malloc(READ_BYTES);
    if (w->epoll_fd >= 0 && w->buffer != NULL) {
        *out = &w->base;
        return TERN_ERR_OK;
    }
    kernel_destroy(&w->base);
    return TERN_ERR_SYSTEM;
}
