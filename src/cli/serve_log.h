/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_SERVE_LOG_H
#define TERN_CLI_SERVE_LOG_H
/* Where the access log goes. A place that takes no more for a while costs lines, never the server's
 * time. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERN_SERVE_LOG_BYTES 65536

struct tern_serve_log {
    int fd; /* -1: none */
    bool opened, failed;
    uint64_t lost; /* lines that found no room, not yet told of */
    size_t bytes;
    char waiting[TERN_SERVE_LOG_BYTES];
};

/* path NULL: standard error. False: it cannot be opened (errno). */
bool tern_serve_log_open(struct tern_serve_log *log, const char *path);
/* A line, with its end. */
void tern_serve_log_line(void *log, const char *line, size_t bytes);
/* Write what waits, as far as it is taken without waiting. */
void tern_serve_log_flush(struct tern_serve_log *log);
/* The same, and close it. */
void tern_serve_log_close(struct tern_serve_log *log);

#endif
