/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Very many callers on the kernel's TCP, in one process: they connect, stay, and some of them talk
 * when told to.
 *
 *     callers ADDRESS PORTS FIRST_SOURCE SOURCES MOST
 *
 * Connections go to the ports 1 to PORTS of ADDRESS, from SOURCES addresses on from FIRST_SOURCE;
 * at most MOST at once (it raises its own limit of descriptors). Lines on standard input:
 *
 *     open N            connect so many more
 *     chat A MESSAGES   A of them, evenly spread, say 64 bytes and wait for them to come back, again
 *                       and again until so many came back in all
 *     close             all of them, each in order
 *
 * Each is answered by a line: `ok` with the seconds that it took, or what went wrong.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE     512u /* connecting */
#define MESSAGE     64u
#define PATIENCE_MS 90000
#define BATCH       512
#define OTHER_FDS   32u

struct callers {
    struct sockaddr_in to, from;
    uint32_t ports, sources, most, count;
    int *fd;
    int epoll_fd;
};

static bool fail(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    return false;
}

static double now(void)
{
    struct timespec t = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool watch(const struct callers *c, uint32_t number, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.u32 = number};

    return epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, c->fd[number], &e) == 0 || fail("epoll");
}

static void unwatch(const struct callers *c, uint32_t number)
{
    (void)epoll_ctl(c->epoll_fd, EPOLL_CTL_DEL, c->fd[number], NULL);
}

static int wait_for(const struct callers *c, struct epoll_event *e)
{
    int n;

    do {
        n = epoll_wait(c->epoll_fd, e, BATCH, PATIENCE_MS);
    } while (n < 0 && errno == EINTR);
    if (n == 0)
        errno = ETIMEDOUT;
    return n;
}

/* ---- open ---- */

static bool begin(struct callers *c, uint32_t number)
{
    const int one = 1;
    struct sockaddr_in to = c->to, from = c->from;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return fail("socket");
    c->fd[number] = fd;
    from.sin_addr.s_addr = htonl(ntohl(from.sin_addr.s_addr) + number % c->sources);
    to.sin_port = htons((uint16_t)(1 + number / c->sources % c->ports));
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(fd, (const struct sockaddr *)&from, sizeof from) != 0)
        return fail("bind");
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
        return fail("connect");
    return watch(c, number, EPOLLOUT);
}

static bool is_connected(const struct callers *c, uint32_t number)
{
    int error = 0;
    socklen_t bytes = sizeof error;

    (void)getsockopt(c->fd[number], SOL_SOCKET, SO_ERROR, &error, &bytes);
    unwatch(c, number);
    errno = error;
    return error == 0 || fail("connecting");
}

static bool open_more(struct callers *c, uint32_t count)
{
    const uint32_t end = c->count + count;
    uint32_t under_way = 0;

    if (end > c->most) {
        errno = EMFILE;
        return fail("open");
    }
    while (c->count < end || under_way > 0) {
        struct epoll_event e[BATCH];
        int n;

        for (; c->count < end && under_way < AT_ONCE; under_way++)
            if (!begin(c, c->count++))
                return false;
        n = wait_for(c, e);
        if (n <= 0)
            return fail("connecting");
        for (int i = 0; i < n; i++, under_way--)
            if (!is_connected(c, e[i].data.u32))
                return false;
    }
    return true;
}

/* ---- chat ---- */

static bool say(const struct callers *c, uint32_t number)
{
    static const char text[MESSAGE] = "how do you do";

    return write(c->fd[number], text, sizeof text) == (ssize_t)sizeof text || fail("write");
}

static bool chat(struct callers *c, uint32_t active, uint64_t messages)
{
    const uint32_t step = active > 0 ? c->count / active : 0;
    uint64_t asked = active, answered = 0;

    if (step == 0 || messages < active) {
        errno = EINVAL;
        return fail("chat");
    }
    for (uint32_t i = 0; i < active; i++)
        if (!watch(c, i * step, EPOLLIN) || !say(c, i * step))
            return false;
    while (answered < messages) {
        struct epoll_event e[BATCH];
        const int n = wait_for(c, e);

        if (n <= 0)
            return fail("waiting for answers");
        for (int i = 0; i < n; i++) {
            char text[MESSAGE];
            const uint32_t number = e[i].data.u32;

            if (recv(c->fd[number], text, sizeof text, MSG_WAITALL) != (ssize_t)sizeof text)
                return fail("read");
            answered++;
            if (asked < messages && say(c, number))
                asked++;
            else
                unwatch(c, number);
        }
    }
    return true;
}

static bool close_all(struct callers *c)
{
    while (c->count > 0)
        (void)close(c->fd[--c->count]);
    return true;
}

/* ---- to begin with ---- */

static bool may_hold(uint32_t most)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    limit.rlim_cur = most + OTHER_FDS;
    if (limit.rlim_max < limit.rlim_cur)
        limit.rlim_max = limit.rlim_cur;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 || fail("limit of descriptors");
}

static bool set_up(struct callers *c, char **argv)
{
    c->to.sin_family = c->from.sin_family = AF_INET;
    c->ports = (uint32_t)strtoul(argv[2], NULL, 10);
    c->sources = (uint32_t)strtoul(argv[4], NULL, 10);
    c->most = (uint32_t)strtoul(argv[5], NULL, 10);
    if (inet_pton(AF_INET, argv[1], &c->to.sin_addr) != 1 ||
        inet_pton(AF_INET, argv[3], &c->from.sin_addr) != 1 || c->ports == 0 || c->sources == 0 ||
        !may_hold(c->most))
        return false;
    c->fd = calloc(c->most, sizeof c->fd[0]);
    c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return c->fd != NULL && c->epoll_fd >= 0;
}

static bool obey(struct callers *c, const char *line)
{
    unsigned long active;
    unsigned long long count;

    if (sscanf(line, "open %llu", &count) == 1)
        return open_more(c, (uint32_t)count);
    if (sscanf(line, "chat %lu %llu", &active, &count) == 2)
        return chat(c, (uint32_t)active, count);
    if (strcmp(line, "close\n") == 0)
        return close_all(c);
    errno = EINVAL;
    return fail(line);
}

int main(int argc, char **argv)
{
    static struct callers c;
    char line[128];

    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc != 6 || !set_up(&c, argv)) {
        fputs("callers ADDRESS PORTS FIRST_SOURCE SOURCES MOST\n", stderr);
        return 2;
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        const double from = now();

        if (obey(&c, line))
            printf("ok %.6f\n", now() - from);
    }
    return 0;
}
