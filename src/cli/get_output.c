/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A body's destination. Nothing is made before the first byte, so a failed connection or a bad
 * certificate leaves no file. Writes go straight to the descriptor, on libcurl's thread: a slow
 * disk or reader holds up libcurl, and in the end TCP's window, but never an ACK.
 */
#include "cli/get_output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_WRITE 23

__attribute__((format(printf, 2, 3))) static void fail(struct get_output *out, const char *format,
                                                       ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(out->words, sizeof out->words, format, arguments);
    va_end(arguments);
}

char *tern_get_remote_name(const char *url)
{
    CURLU *parts = curl_url();
    char *path = NULL, *name = NULL;
    const char *last;

    if (parts == NULL)
        return NULL;
    if (curl_url_set(parts, CURLUPART_URL, url, CURLU_DEFAULT_SCHEME | CURLU_GUESS_SCHEME) ==
            CURLUE_OK &&
        curl_url_get(parts, CURLUPART_PATH, &path, 0) == CURLUE_OK) {
        last = strrchr(path, '/');
        last = last == NULL ? path : last + 1;
        if (*last != '\0' && strcmp(last, ".") != 0 && strcmp(last, "..") != 0)
            name = strdup(last);
    }
    curl_free(path);
    curl_url_cleanup(parts);
    return name;
}

static char *in_directory(const char *directory, const char *name)
{
    size_t bytes = strlen(directory) + strlen(name) + 2;
    char *path = malloc(bytes);

    if (path != NULL)
        (void)snprintf(path, bytes, "%s/%s", directory, name);
    return path;
}

/* NULL with words, or a path to be freed. */
static char *make_path(struct get_output *out, const struct get_options *options,
                       const struct get_item *item)
{
    char *name = item->remote_name ? tern_get_remote_name(item->url) : strdup(item->output);
    char *path;

    if (name == NULL) {
        fail(out, "-O: %s does not end in a name: give one with -o", item->url);
        return NULL;
    }
    if (options->output_dir == NULL)
        return name;
    path = in_directory(options->output_dir, name);
    free(name);
    if (path == NULL)
        fail(out, "no memory");
    return path;
}

int tern_get_output_init(struct get_output *out, const struct get_options *options,
                         const struct get_item *item)
{
    struct stat there;

    memset(out, 0, sizeof *out);
    out->fd = -1;
    out->create_dirs = options->create_dirs;
    out->append = options->resume;
    if (item->output != NULL && strcmp(item->output, "-") == 0) {
        out->may_be_binary = true;
        return 0;
    }
    if (item->output == NULL && !item->remote_name)
        return 0;
    out->path = make_path(out, options, item);
    if (out->path == NULL)
        return EXIT_WRITE;
    if (out->append && stat(out->path, &there) == 0 && S_ISREG(there.st_mode))
        out->size_before = there.st_size;
    return 0;
}

/* The directories before the last slash. */
static void make_directories(const char *path)
{
    char *copy = strdup(path);
    char *slash = copy;

    while (copy != NULL && (slash = strchr(slash + 1, '/')) != NULL) {
        *slash = '\0';
        (void)mkdir(copy, 0755); /* whatever is wrong shows when the file is opened */
        *slash = '/';
    }
    free(copy);
}

static bool open_output(struct get_output *out)
{
    if (out->fd >= 0)
        return true;
    if (out->path == NULL) {
        out->fd = STDOUT_FILENO;
        return true;
    }
    if (out->create_dirs)
        make_directories(out->path);
    out->fd =
        open(out->path, O_WRONLY | O_CREAT | O_CLOEXEC | (out->append ? O_APPEND : O_TRUNC), 0644);
    if (out->fd < 0)
        fail(out, "cannot write to %s: %s", out->path, strerror(errno));
    return out->fd >= 0;
}

static bool wait_writable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    return poll(&p, 1, -1) >= 0 || errno == EINTR;
}

static bool spoils_terminal(const struct get_output *out, const void *data, size_t bytes)
{
    return out->path == NULL && !out->may_be_binary && out->written == 0 &&
           memchr(data, 0, bytes) != NULL && isatty(STDOUT_FILENO);
}

bool tern_get_output_write(struct get_output *out, const void *data, size_t bytes)
{
    const char *p = data;

    if (!open_output(out))
        return false;
    if (spoils_terminal(out, data, bytes)) {
        fail(out, "this is not text and would spoil the terminal: add -o FILE, or -o - to see it");
        return false;
    }
    while (bytes > 0) {
        ssize_t n = write(out->fd, p, bytes);

        if (n < 0 && (errno == EINTR || (errno == EAGAIN && wait_writable(out->fd))))
            continue;
        if (n < 0) {
            fail(out, "cannot write to %s: %s", out->path == NULL ? "standard output" : out->path,
                 strerror(errno));
            return false;
        }
        p += n;
        bytes -= (size_t)n;
        out->written += n;
    }
    return true;
}

void tern_get_output_rewind(struct get_output *out)
{
    if (out->fd >= 0 && out->path != NULL && out->written > 0 &&
        ftruncate(out->fd, out->size_before) == 0)
        (void)lseek(out->fd, 0, SEEK_END);
    out->written = 0;
    out->words[0] = '\0';
}

int tern_get_output_finish(struct get_output *out, bool well)
{
    if (out->words[0] != '\0')
        return EXIT_WRITE;
    if (well && out->path != NULL && out->fd < 0 && !out->append && !open_output(out))
        return EXIT_WRITE;
    if (out->fd >= 0 && out->path != NULL) {
        int fd = out->fd;

        out->fd = -1;
        if (close(fd) != 0) {
            fail(out, "cannot write to %s: %s", out->path, strerror(errno));
            return EXIT_WRITE;
        }
    }
    return 0;
}

void tern_get_output_fini(struct get_output *out)
{
    if (out->fd >= 0 && out->path != NULL)
        (void)close(out->fd);
    out->fd = -1;
    free(out->path);
    out->path = NULL;
}
