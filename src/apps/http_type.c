/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small table of what the web is made of, which is the same on every machine, and for the rest
 * /etc/mime.types, where there is one: lines of a type and its endings. It is read once, at most
 * FILE_BYTES_MAX of it.
 */
#include "apps/http_type.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define FILE_BYTES_MAX (1u << 20)
#define ENDING_MAX     16
#define UNKNOWN        "application/octet-stream"
#define UTF8           "; charset=utf-8"

static const struct tern_http_type_row own[] = {
    {"avif", "image/avif"},
    {"bin", UNKNOWN},
    {"c", "text/plain" UTF8},
    {"css", "text/css" UTF8},
    {"csv", "text/csv" UTF8},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"h", "text/plain" UTF8},
    {"htm", "text/html" UTF8},
    {"html", "text/html" UTF8},
    {"ico", "image/vnd.microsoft.icon"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript" UTF8},
    {"json", "application/json"},
    {"log", "text/plain" UTF8},
    {"md", "text/markdown" UTF8},
    {"mjs", "text/javascript" UTF8},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"ogg", "audio/ogg"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"py", "text/x-python" UTF8},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"txt", "text/plain" UTF8},
    {"wasm", "application/wasm"},
    {"webm", "video/webm"},
    {"webp", "image/webp"},
    {"woff2", "font/woff2"},
    {"xml", "application/xml"},
    {"zip", "application/zip"},
};

static int compare(const void *a, const void *b)
{
    const struct tern_http_type_row *x = a, *y = b;

    return strcasecmp(x->ending, y->ending);
}

/* The file as one text; NULL: none. */
static char *read_all(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = fd < 0 ? NULL : malloc(FILE_BYTES_MAX + 1);
    size_t bytes = 0;
    ssize_t n = 1;

    while (text != NULL && n > 0 && bytes < FILE_BYTES_MAX) {
        n = read(fd, text + bytes, FILE_BYTES_MAX - bytes);
        bytes += n > 0 ? (size_t)n : 0;
    }
    if (text != NULL)
        text[bytes] = '\0';
    if (fd >= 0)
        (void)close(fd);
    return text;
}

static void add(struct tern_http_types *types, size_t *room, const char *ending, const char *type)
{
    struct tern_http_type_row *row = types->row;

    if (types->count == *room) {
        *room = *room == 0 ? 1024 : 2 * *room;
        row = realloc(types->row, *room * sizeof *row);
        if (row == NULL) {
            *room = types->count;
            return;
        }
        types->row = row;
    }
    row[types->count++] = (struct tern_http_type_row){ending, type};
}

static void cut_line(struct tern_http_types *types, size_t *room, char *line)
{
    char *rest = line;
    char *type = strtok_r(line, " \t", &rest);
    char *ending;

    if (type == NULL || *type == '#')
        return;
    while ((ending = strtok_r(NULL, " \t", &rest)) != NULL)
        add(types, room, ending, type);
}

void tern_http_types_init(struct tern_http_types *types, const char *path)
{
    char *line, *rest = NULL;
    size_t room = 0;

    *types = (struct tern_http_types){.text = read_all(path == NULL ? "/etc/mime.types" : path)};
    if (types->text == NULL)
        return;
    for (line = strtok_r(types->text, "\r\n", &rest); line != NULL;
         line = strtok_r(NULL, "\r\n", &rest))
        cut_line(types, &room, line);
    if (types->count > 0)
        qsort(types->row, types->count, sizeof *types->row, compare);
}

void tern_http_types_fini(struct tern_http_types *types)
{
    free(types->row);
    free(types->text);
    *types = (struct tern_http_types){.text = NULL};
}

const char *tern_http_type(const struct tern_http_types *types, const char *name)
{
    const char *slash = strrchr(name, '/'), *dot;
    struct tern_http_type_row wanted, *found;

    dot = strrchr(slash == NULL ? name : slash + 1, '.');
    if (dot == NULL || dot[1] == '\0' || strlen(dot + 1) > ENDING_MAX)
        return UNKNOWN;
    wanted.ending = dot + 1;
    found = bsearch(&wanted, own, sizeof own / sizeof own[0], sizeof own[0], compare);
    if (found == NULL && types->count > 0)
        found = bsearch(&wanted, types->row, types->count, sizeof *types->row, compare);
    return found == NULL ? UNKNOWN : found->type;
}
