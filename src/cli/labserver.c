/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lab's web server: one process a connection, at most CHILDREN_MAX of them, plain blocking
 * sockets. Each child dies with its parent, and after PATIENCE_SECONDS without a word from its
 * client, so nothing outlives the lab.
 */
#include "cli/labserver.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/labpage.h"

#define CHILDREN_MAX     256
#define BACKLOG          512
#define PATIENCE_SECONDS 60
#define SEND_BUFFER      (1 << 20) /* the whole page leaves in one write */
#define HALF_PAUSE_MS    50

static void set_option(int fd, int level, int name, int value)
{
    (void)setsockopt(fd, level, name, &value, sizeof value);
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, BACKLOG) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static bool write_all(int fd, const char *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = send(fd, data, bytes, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        bytes -= (size_t)n;
    }
    return true;
}

/* Head and body from one buffer, so that the kernel sees them as one write where they fit. */
static bool send_page(int fd, const struct tern_labpage *page, uint64_t body_bytes)
{
    static char buffer[256 * 1024];
    size_t used = page->head_bytes;
    uint64_t sent = 0;

    memcpy(buffer, page->head, used);
    if (body_bytes > page->body_bytes)
        body_bytes = page->body_bytes;
    while (used > 0 || sent < body_bytes) {
        size_t room = sizeof buffer - used;

        if (room > body_bytes - sent)
            room = (size_t)(body_bytes - sent);
        room = tern_labpage_body(page, sent, buffer + used, room);
        sent += room;
        if (!write_all(fd, buffer, used + room))
            return false;
        used = 0;
    }
    return true;
}

static void pause_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        continue;
}

static void wait_for_fin(int fd)
{
    char rest[4096];

    while (recv(fd, rest, sizeof rest, 0) > 0)
        continue;
}

/* close() then sends RST and not FIN. */
static void prepare_reset(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

/* One request answered; false: the connection ends. */
static bool answer(int fd, const char *request, size_t bytes)
{
    struct tern_labpage page;

    tern_labpage_answer(request, bytes, &page);
    switch (page.manner) {
    case TERN_LABPAGE_RESET:
        (void)send_page(fd, &page, TERN_LABPAGE_RESET_BYTES);
        pause_ms(HALF_PAUSE_MS);
        prepare_reset(fd);
        return false;
    case TERN_LABPAGE_HALF:
        wait_for_fin(fd);
        pause_ms(HALF_PAUSE_MS);
        (void)send_page(fd, &page, UINT64_MAX);
        return false;
    default:
        /* So that the FIN rides on the last segment, where that is not full. */
        set_option(fd, IPPROTO_TCP, TCP_CORK, page.close);
        return send_page(fd, &page, UINT64_MAX) && !page.close;
    }
}

static void serve_connection(int fd)
{
    static char request[TERN_LABPAGE_REQUEST_MAX];
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    size_t have = 0;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    for (;;) {
        size_t end = tern_labpage_request_end(request, have);

        if (end > 0) {
            if (!answer(fd, request, end))
                return;
            have -= end;
            memmove(request, request + end, have);
            continue;
        }
        ssize_t n = recv(fd, request + have, sizeof request - have, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        have += (size_t)n;
    }
}

static void child_main(int fd, int listener, pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);
    (void)close(listener);
    serve_connection(fd);
    (void)close(fd);
    _exit(0);
}

/* Wait for children that are done; for one of them at least where there are too many. */
static int reap(int children)
{
    while (children > 0) {
        pid_t pid = waitpid(-1, NULL, children >= CHILDREN_MAX ? 0 : WNOHANG);

        if (pid <= 0 && errno != EINTR)
            break;
        if (pid == 0)
            break;
        if (pid > 0)
            children--;
    }
    return children;
}

void tern_labserver(void *user, void (*ready)(void))
{
    int listener = listen_on(TERN_LABSERVER_PORT);
    pid_t own = getpid();
    int children = 0;

    (void)user;
    if (listener < 0)
        return;
    ready();
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        children = reap(children);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            return;
        pid_t pid = fork();

        if (pid == 0)
            child_main(fd, listener, own);
        if (pid > 0)
            children++;
        (void)close(fd);
    }
}
