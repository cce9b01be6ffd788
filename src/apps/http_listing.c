/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directories first, then files, each by name as a reader would sort (a2 before a10). A link is
 * shown as what it leads to, asked in the way that would serve it, so that the page offers nothing
 * that is refused afterwards. Names are any bytes: escaped as text, percent-encoded as references.
 */
#include "apps/http_listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "apps/http_page.h"
#include "apps/http_path.h"

/* What a link leads to; false: nowhere that is served. */
static bool follow(int root, const char *directory, const char *name, struct tern_http_entry *out)
{
    char path[TERN_HTTP_PATH_MAX];
    struct tern_http_file file;
    size_t length = strlen(directory);

    if (length + 1 + strlen(name) >= sizeof path)
        return false;
    memcpy(path, directory, length);
    path[length] = '/';
    memcpy(path + length + 1, name, strlen(name) + 1);
    if (tern_http_file_open(root, path, &file) != TERN_HTTP_OPEN_OK)
        return false;
    (void)close(file.fd);
    out->is_directory = file.is_directory;
    out->bytes = file.bytes;
    out->modified = file.modified;
    return true;
}

static bool look(int root, const char *directory, int fd, const char *name,
                 struct tern_http_entry *out)
{
    struct stat st;

    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    if (S_ISLNK(st.st_mode))
        return follow(root, directory, name, out);
    out->is_directory = S_ISDIR(st.st_mode);
    out->bytes = (uint64_t)st.st_size;
    out->modified = st.st_mtim.tv_sec;
    return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
}

static bool is_wanted(const char *name, bool dotfiles)
{
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && (dotfiles || name[0] != '.');
}

static bool append(struct tern_http_entry **entries, size_t *count,
                   const struct tern_http_entry *entry, const char *name)
{
    struct tern_http_entry *grown = *entries;

    if ((*count & (*count - 1)) == 0) /* a power of two, or none: full */
        grown = realloc(grown, (*count == 0 ? 1 : 2 * *count) * sizeof *grown);
    if (grown == NULL)
        return false;
    *entries = grown;
    grown[*count] = *entry;
    grown[*count].name = strdup(name);
    if (grown[*count].name == NULL)
        return false;
    (*count)++;
    return true;
}

static bool read_entries(int root, const char *name, bool dotfiles, DIR *dir,
                         struct tern_http_entry **out, size_t *count, bool *more)
{
    const struct dirent *d;
    struct tern_http_entry entry;

    while (!*more && (d = readdir(dir)) != NULL) {
        if (!is_wanted(d->d_name, dotfiles) || !look(root, name, dirfd(dir), d->d_name, &entry))
            continue;
        if (*count == TERN_HTTP_LISTING_MAX)
            *more = true;
        else if (!append(out, count, &entry, d->d_name))
            return false;
    }
    return true;
}

bool tern_http_entries(int root, const char *name, bool dotfiles, struct tern_http_entry **out,
                       size_t *count, bool *more)
{
    struct tern_http_file file;
    bool read;
    DIR *dir;

    *out = NULL;
    *count = 0;
    *more = false;
    if (tern_http_file_open(root, name, &file) != TERN_HTTP_OPEN_OK)
        return false;
    dir = fdopendir(file.fd);
    if (dir == NULL) {
        (void)close(file.fd);
        return false;
    }
    read = read_entries(root, name, dotfiles, dir, out, count, more);
    (void)closedir(dir);
    if (!read) {
        tern_http_entries_free(*out, *count);
        *out = NULL;
        *count = 0;
    }
    return read;
}

void tern_http_entries_free(struct tern_http_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(entries[i].name);
    free(entries);
}

static int compare(const void *a, const void *b)
{
    const struct tern_http_entry *x = a, *y = b;

    if (x->is_directory != y->is_directory)
        return x->is_directory ? -1 : 1;
    return strverscmp(x->name, y->name);
}

/* 0, 999, 1.2 k, 34 M: three figures at the most. */
static void put_size(struct tern_http_text *t, uint64_t bytes)
{
    static const char units[] = " kMGTPE";
    uint64_t rest = 0;
    size_t unit = 0;

    while (bytes >= 1000) {
        rest = bytes % 1000 / 100;
        bytes /= 1000;
        unit++;
    }
    tern_http_put_number(t, bytes);
    if (unit > 0 && bytes < 10) {
        tern_http_put(t, ".");
        tern_http_put_number(t, rest);
    }
    if (unit > 0) {
        tern_http_put(t, " ");
        tern_http_put_bytes(t, &units[unit], 1);
    }
    tern_http_put(t, unit > 0 ? "B" : " B");
}

static void put_date(struct tern_http_text *t, int64_t seconds)
{
    time_t at = seconds;
    char text[32];
    struct tm tm;

    if (gmtime_r(&at, &tm) == NULL)
        return;
    tern_http_put_bytes(t, text, strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm));
}

static void put_row(struct tern_http_text *t, const struct tern_http_entry *entry)
{
    const char *slash = entry->is_directory ? "/" : "";

    tern_http_put(t, "<tr><td><a href=\"./");
    tern_http_put_path(t, entry->name);
    tern_http_put(t, slash);
    tern_http_put(t, "\">");
    tern_http_put_html(t, entry->name);
    tern_http_put(t, slash);
    tern_http_put(t, "</a></td><td>");
    if (!entry->is_directory)
        put_size(t, entry->bytes);
    tern_http_put(t, "</td><td>");
    put_date(t, entry->modified);
    tern_http_put(t, "</td></tr>\n");
}

static void put_title(struct tern_http_text *t, const char *shown)
{
    struct tern_http_text title = {.data = NULL};

    tern_http_put(&title, "/");
    tern_http_put(&title, shown);
    tern_http_put(&title, *shown == '\0' ? "" : "/");
    tern_http_put_bytes(&title, "", 1);
    t->failed = t->failed || title.failed;
    tern_http_page_begin(t, title.failed ? "" : title.data);
    tern_http_text_fini(&title);
}

void tern_http_listing(struct tern_http_text *t, const char *shown, struct tern_http_entry *entries,
                       size_t count, bool more)
{
    if (count > 0)
        qsort(entries, count, sizeof *entries, compare);
    put_title(t, shown);
    tern_http_put(t, "<table>\n");
    if (*shown != '\0')
        tern_http_put(t, "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
    for (size_t i = 0; i < count; i++)
        put_row(t, &entries[i]);
    tern_http_put(t, "</table>\n");
    if (count == 0)
        tern_http_put(t, "<p>Nothing is in here.</p>\n");
    if (more)
        tern_http_put(t, "<p>There is more than this page shows.</p>\n");
    tern_http_page_end(t);
}
