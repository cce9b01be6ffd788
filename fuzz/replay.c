/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replays a corpus: every file of the directories on the command line goes through the fuzz target
 * that this is linked with, each in memory of exactly its size, so that valgrind and the sanitizers
 * see one byte too far. Prints how many there were, and fails where there were none.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz.h"

static bool replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    uint8_t *data;
    size_t bytes;

    if (file == NULL || fstat(fileno(file), &info) != 0) {
        perror(path);
        return false;
    }
    bytes = (size_t)info.st_size;
    data = malloc(bytes > 0 ? bytes : 1);
    if (data == NULL || fread(data, 1, bytes, file) != bytes) {
        perror(path);
        return false;
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, bytes);
    free(data);
    return true;
}

/* The number of files replayed, or -1. */
static int replay_directory(const char *directory)
{
    struct dirent **entry;
    int entry_count = scandir(directory, &entry, NULL, alphasort);
    int count = 0;

    if (entry_count < 0) {
        perror(directory);
        return -1;
    }
    for (int i = 0; i < entry_count; i++) {
        char path[4096];
        struct stat info;

        snprintf(path, sizeof path, "%s/%s", directory, entry[i]->d_name);
        free(entry[i]);
        if (count < 0 || stat(path, &info) != 0 || !S_ISREG(info.st_mode))
            continue;
        count = replay_file(path) ? count + 1 : -1;
    }
    free(entry);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;

    for (int i = 1; i < argc; i++) {
        int count = replay_directory(argv[i]);

        if (count < 0)
            return 1;
        total += count;
    }
    printf("%d inputs replayed\n", total);
    return total > 0 ? 0 : 1;
}
