/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's own counters, named as nstat names them: the section and the field run together.
 * Both files hold pairs of lines, names above and values below:
 *
 *     Tcp: RtoAlgorithm RtoMin … OutRsts …
 *     Tcp: 1 200 … 0 …
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "link/lab_keeper.h"

#define FILE_BYTES_MAX 65536

static bool read_file(const char *path, char *out, size_t bytes_max)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t done = 0;
    ssize_t n = 1;

    if (fd < 0)
        return false;
    while (n > 0 && done < bytes_max - 1) {
        n = read(fd, out + done, bytes_max - 1 - done);
        if (n > 0)
            done += (size_t)n;
    }
    (void)close(fd);
    out[done] = '\0';
    return n >= 0;
}

/* The value under a field's name in one pair of lines; both are cut up. */
static int64_t find_field(char *names, char *values, const char *field)
{
    char *names_at = NULL, *values_at = NULL;
    const char *name = strtok_r(names, " ", &names_at);
    const char *value = strtok_r(values, " ", &values_at);

    while (name != NULL && value != NULL) {
        if (strcmp(name, field) == 0)
            return strtoll(value, NULL, 10);
        name = strtok_r(NULL, " ", &names_at);
        value = strtok_r(NULL, " ", &values_at);
    }
    return -1;
}

static int64_t search_text(char *text, const char *wanted)
{
    char *lines_at = NULL;
    char *names = strtok_r(text, "\n", &lines_at);

    while (names != NULL) {
        char *values = strtok_r(NULL, "\n", &lines_at);
        char *colon = strchr(names, ':');
        size_t section_bytes;
        int64_t found = -1;

        if (values == NULL || colon == NULL)
            return -1;
        section_bytes = (size_t)(colon - names);
        if (strncmp(wanted, names, section_bytes) == 0)
            found = find_field(names, values, wanted + section_bytes);
        if (found >= 0)
            return found;
        names = strtok_r(NULL, "\n", &lines_at);
    }
    return -1;
}

int64_t tern_lab_read_counter(const char *name)
{
    static const char *const path[] = {"/proc/self/net/snmp", "/proc/self/net/netstat"};
    char *text = malloc(FILE_BYTES_MAX);
    int64_t found = -1;

    if (text == NULL)
        return -1;
    for (size_t i = 0; i < sizeof(path) / sizeof(path[0]) && found < 0; i++) {
        if (read_file(path[i], text, FILE_BYTES_MAX))
            found = search_text(text, name);
    }
    free(text);
    return found;
}
