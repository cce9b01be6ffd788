/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel itself keeps us inside: openat2() with RESOLVE_BENEATH refuses whatever leaves the
 * directory on its way (.., absolute links, a directory that is moved away meanwhile), and
 * RESOLVE_NO_MAGICLINKS what /proc would offer. Links that stay inside are followed.
 *
 * A FIFO must not block: files are opened with O_NONBLOCK, and all that is neither a file nor a
 * directory is closed again. Reading a regular file is not changed by that flag.
 */
#include "apps/http_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRIES 8 /* openat2() says EAGAIN where something was renamed on the way */

static int open_beneath(int root, const char *name)
{
    struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long fd = -1;

    for (int i = 0; i < TRIES; i++) {
        fd = syscall(SYS_openat2, root, name, &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return (int)fd;
}

int tern_http_root_open(const char *path)
{
    int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int probe, error;

    if (root < 0)
        return -1;
    probe = open_beneath(root, ".");
    if (probe >= 0) {
        (void)close(probe);
        return root;
    }
    error = errno;
    (void)close(root);
    errno = error;
    return -1;
}

static enum tern_http_open verdict_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case EXDEV:
    case EINVAL:
        return TERN_HTTP_OPEN_NONE;
    case EACCES:
    case EPERM:
    case ENXIO: /* a socket, or a device that nothing stands behind */
    case ENODEV:
        return TERN_HTTP_OPEN_FORBIDDEN;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
        return TERN_HTTP_OPEN_BUSY;
    default:
        return TERN_HTTP_OPEN_FAILED;
    }
}

enum tern_http_open tern_http_file_open(int root, const char *name, struct tern_http_file *out)
{
    struct stat st;
    int fd = open_beneath(root, name);

    out->fd = -1;
    if (fd < 0)
        return verdict_of(errno);
    if (fstat(fd, &st) != 0) {
        (void)close(fd);
        return TERN_HTTP_OPEN_FAILED;
    }
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        (void)close(fd);
        return TERN_HTTP_OPEN_FORBIDDEN;
    }
    *out = (struct tern_http_file){.fd = fd,
                                   .is_directory = S_ISDIR(st.st_mode),
                                   .bytes = (uint64_t)st.st_size,
                                   .device = st.st_dev,
                                   .inode = st.st_ino,
                                   .modified = st.st_mtim.tv_sec,
                                   .modified_ns = (uint32_t)st.st_mtim.tv_nsec,
                                   .changed = st.st_ctim.tv_sec,
                                   .changed_ns = (uint32_t)st.st_ctim.tv_nsec};
    return TERN_HTTP_OPEN_OK;
}
