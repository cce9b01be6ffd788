/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_HTTP_FILE_H
#define TERN_APPS_HTTP_FILE_H
/* Files below one directory, and nothing else. */
#include <stdbool.h>
#include <stdint.h>

struct tern_http_file {
    int fd; /* -1: none; the taker closes it */
    bool is_directory;
    uint64_t bytes, device, inode;
    int64_t modified, changed; /* seconds of Unix time: of what it holds, and of anything */
    uint32_t modified_ns, changed_ns;
};

enum tern_http_open {
    TERN_HTTP_OPEN_OK,
    TERN_HTTP_OPEN_NONE,      /* no such file, or a way that leads outside */
    TERN_HTTP_OPEN_FORBIDDEN, /* not readable, or neither file nor directory */
    TERN_HTTP_OPEN_BUSY,      /* no descriptor or no memory now */
    TERN_HTTP_OPEN_FAILED,
};

/* The directory to serve; -1 and errno: it cannot be. ENOSYS: the kernel has no openat2(). */
int tern_http_root_open(const char *path);
/* name: relative to root. Blocks for nothing but the disk. */
enum tern_http_open tern_http_file_open(int root, const char *name, struct tern_http_file *out);

#endif
