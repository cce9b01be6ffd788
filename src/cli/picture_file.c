/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/picture_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

bool tern_picture_kind_of(const char *path, enum tern_picture_kind *out)
{
    static const char *const ends[] = {
        [TERN_PICTURE_SVG] = ".svg", [TERN_PICTURE_HTML] = ".html", [TERN_PICTURE_JSON] = ".json"};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (ends_with(path, ends[i])) {
            *out = (enum tern_picture_kind)i;
            return true;
        }
    return false;
}

bool tern_picture_file_make(struct tern_picture_file *file, const char *path)
{
    file->path = path;
    file->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    file->is_new = file->fd >= 0;
    if (!file->is_new && errno == EEXIST)
        file->fd = open(path, O_WRONLY | O_CLOEXEC);
    return file->fd >= 0;
}

FILE *tern_picture_file_open(struct tern_picture_file *file)
{
    FILE *out = NULL;

    errno = 0;
    if (ftruncate(file->fd, 0) == 0 || errno == EINVAL) /* a pipe has no length */
        out = fdopen(file->fd, "w");
    if (out != NULL)
        file->fd = -1;
    return out;
}

void tern_picture_file_drop(struct tern_picture_file *file)
{
    if (file->path == NULL || file->fd < 0)
        return;
    (void)close(file->fd);
    if (file->is_new)
        (void)unlink(file->path);
    file->fd = -1;
}
