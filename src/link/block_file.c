/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Standard output may have been made non-blocking by whoever else holds it, so that a reader who is
 * slow for a moment is no error.
 */
#include "link/block_file.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <unistd.h>

void tern_block_file_init(struct tern_block_file *f, int fd, bool can_be_cut)
{
    *f = (struct tern_block_file){.fd = fd, .can_be_cut = can_be_cut};
}

/* False: it will not go on. */
static bool wait_for_room(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    return poll(&p, 1, -1) >= 0 || errno == EINTR;
}

void tern_block_file_write(struct tern_block_file *f, const void *data, size_t bytes)
{
    const uint8_t *p = data;
    size_t done = 0;

    while (f->error == 0 && done < bytes) {
        const ssize_t n = write(f->fd, p + done, bytes - done);

        if (n > 0)
            done += (size_t)n;
        else if (n == 0)
            f->error = EIO;
        else if (errno != EINTR && (errno != EAGAIN || !wait_for_room(f->fd)))
            f->error = errno;
    }
    if (f->error == 0)
        f->good_bytes += (off_t)bytes;
    else if (done > 0 && f->can_be_cut && ftruncate(f->fd, f->good_bytes) != 0)
        f->can_be_cut = false; /* a pipe after all */
}

void tern_block_file_fini(struct tern_block_file *f)
{
    (void)close(f->fd);
    f->fd = -1;
}
