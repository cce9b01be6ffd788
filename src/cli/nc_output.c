/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * O_NONBLOCK belongs to the open file description, which a shell shares with its programs: set on
 * standard output it would break them. A pipe or terminal opened again through /proc has a
 * description of its own. Where that is refused, a pipe that polls writable takes PIPE_BUF bytes
 * without waiting (POSIX).
 */
#include "cli/nc_output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void tern_nc_output_open(struct tern_nc_output *out, int fd)
{
    struct stat st;
    char path[64];
    int again;

    *out = (struct tern_nc_output){.fd = fd, .chunk_bytes = SIZE_MAX};
    if (fstat(fd, &st) != 0 || S_ISREG(st.st_mode))
        return;
    if (S_ISSOCK(st.st_mode)) {
        out->is_socket = true;
        return;
    }
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    again = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (again < 0) {
        out->chunk_bytes = PIPE_BUF;
        return;
    }
    out->fd = again;
    out->opened = true;
}

void tern_nc_output_close(struct tern_nc_output *out)
{
    if (out->opened)
        (void)close(out->fd);
    out->opened = false;
}

static bool is_writable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    return poll(&p, 1, 0) == 1 && (p.revents & (POLLOUT | POLLERR | POLLHUP)) != 0;
}

ptrdiff_t tern_nc_output_write(struct tern_nc_output *out, const void *data, size_t bytes)
{
    ptrdiff_t n;

    if (out->chunk_bytes != SIZE_MAX) {
        if (!is_writable(out->fd))
            return 0;
        bytes = bytes < out->chunk_bytes ? bytes : out->chunk_bytes;
    }
    if (out->is_socket)
        n = send(out->fd, data, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    else
        n = write(out->fd, data, bytes);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return 0;
    return n;
}
