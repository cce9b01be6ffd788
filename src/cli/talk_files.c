/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Do two paths name one file? They do where they are the same text, where both are there already
 * and are one regular file, and where the same name is to be made in one directory. What is no
 * regular file (/dev/null, a pipe) takes what both write.
 */
#include "cli/talk_files.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define EXIT_USAGE 2
#define FILES_MAX  (3 + TERN_TALK_DRAW_MAX)

struct written {
    const char *flag, *path;
};

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static bool stat_directory(const char *path, struct stat *out)
{
    const size_t bytes = (size_t)(last_name(path) - path);
    char directory[PATH_MAX];

    if (bytes >= sizeof directory)
        return false;
    memcpy(directory, path, bytes);
    directory[bytes] = '\0';
    return stat(bytes == 0 ? "." : directory, out) == 0;
}

static bool is_one_file(const char *a, const char *b)
{
    const bool named_alike = strcmp(a, b) == 0;
    struct stat x, y;

    if (strcmp(a, "-") == 0 || strcmp(b, "-") == 0)
        return named_alike;
    const bool a_is = stat(a, &x) == 0, b_is = stat(b, &y) == 0;

    if (a_is && b_is)
        return S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
    if (named_alike)
        return true;
    return !a_is && !b_is && strcmp(last_name(a), last_name(b)) == 0 && stat_directory(a, &x) &&
           stat_directory(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static size_t list(const struct tern_talk_options *o, struct written out[FILES_MAX])
{
    const struct written fixed[] = {
        {"--pcap", o->pcap}, {"--sqlog", o->sqlog}, {"--stats", o->stats}};
    size_t count = 0;

    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (fixed[i].path != NULL)
            out[count++] = fixed[i];
    for (unsigned i = 0; i < o->draw_count && i < TERN_TALK_DRAW_MAX; i++)
        if (o->draw[i] != NULL)
            out[count++] = (struct written){"--draw", o->draw[i]};
    return count;
}

const char *tern_talk_files_writer(const struct tern_talk_options *options, const char *path)
{
    struct written files[FILES_MAX];
    const size_t count = list(options, files);

    for (size_t i = 0; i < count; i++)
        if (is_one_file(files[i].path, path))
            return files[i].flag;
    return NULL;
}

int tern_talk_files_check(const struct tern_talk_options *options, char *error_text)
{
    struct written files[FILES_MAX];
    const size_t count = list(options, files);

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            if (!is_one_file(files[i].path, files[j].path))
                continue;
            (void)snprintf(error_text, TERN_LINK_ERROR_MAX,
                           "%s and %s would both write %s: give two names", files[j].flag,
                           files[i].flag, files[i].path);
            return EXIT_USAGE;
        }
    return 0;
}
