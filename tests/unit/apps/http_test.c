/* SPDX-License-Identifier: BSD-2-Clause */
/* Directories for the tests of the HTTP server. */
#include "http_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/http_file.h"

const char *place_path(const struct place *p, const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", p->path, name);
    return path;
}

void place_open(struct place *p)
{
    (void)snprintf(p->path, sizeof p->path, "/tmp/tern-http-XXXXXX");
    assert_non_null(mkdtemp(p->path));
    place_directory(p, "www");
    place_write(p, "secret", "secret", 6);
    p->root = tern_http_root_open(place_path(p, "www"));
    assert_true(p->root >= 0);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void place_close(struct place *p)
{
    (void)close(p->root);
    assert_int_equal(nftw(p->path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void place_write(const struct place *p, const char *name, const char *data, size_t bytes)
{
    int fd = open(place_path(p, name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, bytes), bytes);
    (void)close(fd);
}

void place_directory(const struct place *p, const char *name)
{
    assert_int_equal(mkdir(place_path(p, name), 0755), 0);
}

void place_link(const struct place *p, const char *name, const char *target)
{
    assert_int_equal(symlink(target, place_path(p, name)), 0);
}
