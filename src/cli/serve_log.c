/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines wait in a buffer and leave once a turn of the loop, in whole, a piece that any pipe takes
 * at a time, and only while the descriptor says that it has room. When the buffer is full, lines
 * are counted instead, and their number is told as soon as there is room.
 */
#include "cli/serve_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/say.h"

bool tern_serve_log_open(struct tern_serve_log *log, const char *path)
{
    log->fd = STDERR_FILENO;
    log->opened = log->failed = false;
    log->lost = 0;
    log->bytes = 0;
    if (path == NULL)
        return true;
    log->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    log->opened = log->fd >= 0;
    return log->opened;
}

static void keep(struct tern_serve_log *log, const char *line, size_t bytes)
{
    memcpy(log->waiting + log->bytes, line, bytes);
    log->bytes += bytes;
}

void tern_serve_log_line(void *user, const char *line, size_t bytes)
{
    struct tern_serve_log *log = user;

    if (bytes > sizeof log->waiting - log->bytes)
        tern_serve_log_flush(log);
    if (bytes > sizeof log->waiting - log->bytes)
        log->lost++;
    else
        keep(log, line, bytes);
}

static bool has_room(const struct tern_serve_log *log)
{
    struct pollfd p = {.fd = log->fd, .events = POLLOUT};

    return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0;
}

static void tell_lost(struct tern_serve_log *log)
{
    char line[80];
    int n =
        snprintf(line, sizeof line, "# %llu lines were lost here\n", (unsigned long long)log->lost);

    if (log->lost == 0 || n <= 0 || (size_t)n > sizeof log->waiting - log->bytes)
        return;
    keep(log, line, (size_t)n);
    log->lost = 0;
}

void tern_serve_log_flush(struct tern_serve_log *log)
{
    size_t done = 0;

    while (done < log->bytes && has_room(log)) {
        size_t left = log->bytes - done;
        ssize_t n = write(log->fd, log->waiting + done, left < PIPE_BUF ? left : PIPE_BUF);

        if (n < 0 && errno != EINTR && errno != EAGAIN && !log->failed) {
            log->failed = true;
            tern_complain("serve: the access log: %s", strerror(errno));
        }
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (log->failed)
        done = log->bytes;
    memmove(log->waiting, log->waiting + done, log->bytes - done);
    log->bytes -= done;
    tell_lost(log);
}

void tern_serve_log_close(struct tern_serve_log *log)
{
    tern_serve_log_flush(log);
    if (log->opened)
        (void)close(log->fd);
    log->fd = -1;
}
