/* SPDX-License-Identifier: BSD-2-Clause */
/* What the loop relies on: epoll's treatment of files, of closed descriptors and of other epolls;
 * abstract sockets. */
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

static int add(int epoll, int fd)
{
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0 ? 0 : errno;
}

static int ready(int epoll)
{
    struct epoll_event e;

    return epoll_wait(epoll, &e, 1, 0);
}

static void files(int epoll)
{
    int null = open("/dev/null", O_RDONLY);
    FILE *f = tmpfile();

    if (f == NULL || null < 0)
        skip_all("no temporary file");
    fact("epoll refuses a regular file with EPERM", add(epoll, fileno(f)) == EPERM);
    fact("epoll refuses /dev/null with EPERM", add(epoll, null) == EPERM);
    (void)fclose(f);
    (void)close(null);
}

static void closed_descriptors(int epoll)
{
    struct epoll_event e = {.events = EPOLLIN};
    int a[2], b[2];

    if (pipe(a) != 0)
        skip_all("no pipe");
    (void)add(epoll, a[0]);
    (void)close(a[0]);
    (void)close(a[1]);
    if (pipe(b) != 0)
        skip_all("no pipe");
    fact("a closed descriptor leaves the set: its number gives ENOENT",
         b[0] == a[0] && epoll_ctl(epoll, EPOLL_CTL_MOD, b[0], &e) != 0 && errno == ENOENT);
    (void)close(b[0]);
    (void)close(b[1]);
}

static void nested(int epoll)
{
    int inner = epoll_create1(EPOLL_CLOEXEC), p[2];
    struct pollfd poll_outer = {.fd = epoll, .events = POLLIN};

    if (inner < 0 || pipe(p) != 0)
        skip_all("no pipe");
    (void)add(inner, p[0]);
    fact("an epoll can be in an epoll", add(epoll, inner) == 0);
    fact("and is not ready by itself", ready(epoll) == 0);
    fact("something can be written", write(p[1], "x", 1) == 1);
    fact("then it is ready through both", ready(epoll) == 1);
    fact("and for poll()", poll(&poll_outer, 1, 0) == 1);
    (void)close(inner);
    (void)close(p[0]);
    (void)close(p[1]);
}

static void short_sleeps(int epoll)
{
    struct timespec t = {.tv_nsec = 1000};
    struct epoll_event e;
    int n = epoll_pwait2(epoll, &e, 1, &t, NULL);

    fact("epoll_pwait2() is there (Linux 5.11), or says ENOSYS", n == 0 || errno == ENOSYS);
}

static void abstract_sockets(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    socklen_t bytes = offsetof(struct sockaddr_un, sun_path) + 1;
    int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);

    bytes += (socklen_t)snprintf(at.sun_path + 1, sizeof at.sun_path - 1, "tern-probe-%d",
                                 (int)getpid());
    fact("an abstract socket can be bound", bind(server, (const void *)&at, bytes) == 0);
    fact("and listens", listen(server, 1) == 0);
    fact("and is connected to without a file", connect(client, (const void *)&at, bytes) == 0);
    (void)close(client);
    (void)close(server);
}

int main(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    if (epoll < 0)
        skip_all("no epoll");
    files(epoll);
    closed_descriptors(epoll);
    nested(epoll);
    short_sleeps(epoll);
    abstract_sockets();
    (void)close(epoll);
    return probe_failures == 0 ? 0 : 1;
}
