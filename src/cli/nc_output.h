/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_NC_OUTPUT_H
#define TERN_CLI_NC_OUTPUT_H
/*
 * Writing to standard output without ever waiting for it, and without changing the flags of a
 * description that is shared with other programs: pipes and terminals are opened anew, sockets are
 * told so with each call, files never make one wait.
 */
#include <stdbool.h>
#include <stddef.h>

struct tern_nc_output {
    int fd;
    bool opened; /* by us */
    bool is_socket;
    size_t chunk_bytes; /* at most so many in one write */
};

void tern_nc_output_open(struct tern_nc_output *out, int fd);
void tern_nc_output_close(struct tern_nc_output *out);
/* Bytes written; 0: full, wait until it polls writable; -1 with errno: broken. */
ptrdiff_t tern_nc_output_write(struct tern_nc_output *out, const void *data, size_t bytes);

#endif
