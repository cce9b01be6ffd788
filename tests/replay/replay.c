/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replay a journal on a fresh stack: the same calls with the same arguments at the same times.
 * Every result and every frame out must be what was recorded, bit for bit.
 *
 *     replay [-s] [-v] JOURNAL
 *
 * -s: with another seed, which must make a difference. -v: name each call before it is made. The
 * exit status is 0 where all was the same, 1 where something differed, 2 where there is no journal.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "calls.h"
#include "tape.h"

static bool open_journal(const char *path)
{
    char magic[sizeof TAPE_MAGIC] = "";

    tape.mode = TAPE_REPLAY;
    tape.file = fopen(path, "rb");
    if (tape.file == NULL) {
        perror(path);
        return false;
    }
    if (fread(magic, sizeof magic - 1, 1, tape.file) == 1 && strcmp(magic, TAPE_MAGIC) == 0)
        return true;
    (void)fprintf(stderr, "%s is no journal\n", path);
    return false;
}

static int end_differs(const char *wrong)
{
    (void)printf("differs at call %llu, %s: %s", (unsigned long long)tape.records + 1,
                 calls_name(tape.call), wrong);
    if (tape.recorded != tape.replayed)
        (void)printf(" (recorded %#llx, now %#llx)", (unsigned long long)tape.recorded,
                     (unsigned long long)tape.replayed);
    (void)putchar('\n');
    return 1;
}

static int run(bool aloud)
{
    const char *damage;

    while (tape_next(&damage)) {
        if (aloud)
            (void)printf("%llu\n", (unsigned long long)tape.records + 1);
        calls_replay();
        if (tape.wrong != NULL)
            return end_differs(tape.wrong);
        if (aloud)
            (void)printf("    %s\n", calls_name(tape.call));
    }
    if (damage != NULL)
        return end_differs(damage);
    (void)printf("the same: %llu calls, %llu frames in, %llu frames out%s\n",
                 (unsigned long long)tape.records, (unsigned long long)tape.frames_in,
                 (unsigned long long)tape.frames_out,
                 tape.unfinished ? "; the recording ends within the last call" : "");
    return tape.records > 0 ? 0 : 2;
}

int main(int argc, char **argv)
{
    bool aloud = false;
    int option;

    while ((option = getopt(argc, argv, "sv")) != -1) {
        if (option == 's')
            calls_other_seed(1);
        else if (option == 'v')
            aloud = true;
        else
            return 2;
    }
    if (optind + 1 != argc) {
        (void)fprintf(stderr, "usage: replay [-s] [-v] JOURNAL\n");
        return 2;
    }
    return open_journal(argv[optind]) ? run(aloud) : 2;
}
