/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks against each other over bad networks, by seeds.
 *
 *   sim FIRST [COUNT]      run the seeds, print those that fail
 *   sim -f FILE            the seeds of a file, one at the start of each line; 60-jitter,mtu: what
 *                          is off for it, such as kinds of trouble that are younger
 *   sim -t FIRST COUNT     each seed twice: the same frames at the same times?
 *   sim -r FIRST COUNT     each seed with its connections folded at rest, and not: the same frames?
 *   sim -k FIRST COUNT     how many seeds does each kind of trouble strike? None fails
 *   sim -h SEED            the hash of all frames
 *   sim -v SEED            print each segment as the observer sees it
 *   sim --shrink SEED      switch off what the failure does not need
 *   sim --script SEED      the connection that broke a rule, else the last, as a packet script
 *   sim --off WORDS ...    before any of these: kinds of trouble that stay off (a,b,c)
 *   sim --flows MASK ...   the same: only these flows, a bit each
 *   sim --list             the switches
 */
#include "ends.h"
#include "shrink.h"
#include "sim_commit.h"
#include "world.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct choice {
    uint64_t off, flows;
};

static void print_failure(const struct world *w, uint64_t seed)
{
    printf("seed %llu (commit %s): %s; at %.3f s, %llu steps, %llu frames\n",
           (unsigned long long)seed, SIM_COMMIT, w->why, (double)w->now / 1e9,
           (unsigned long long)w->steps, (unsigned long long)w->frames);
}

static int run_range(struct world *w, uint64_t first, uint64_t count, const struct choice *c)
{
    uint64_t failed = 0;

    for (uint64_t seed = first; seed - first < count; seed++) {
        if (world_run(w, seed, c->off, c->flows))
            continue;
        failed++;
        print_failure(w, seed);
        fflush(stdout);
    }
    printf("%llu seeds, %llu failed\n", (unsigned long long)count, (unsigned long long)failed);
    return failed == 0 ? 0 : 1;
}

/* Words with commas between; false: one of them is no switch. */
static bool parse_off(const char *words, size_t bytes, uint64_t *off)
{
    for (size_t at = 0; at < bytes;) {
        const char *comma = memchr(words + at, ',', bytes - at);
        const size_t n = comma != NULL ? (size_t)(comma - words) - at : bytes - at;
        int which = 0;

        while (which < SIM_SWITCH_COUNT && (strlen(plan_switch_word(which)) != n ||
                                            memcmp(plan_switch_word(which), words + at, n) != 0))
            which++;
        if (which == SIM_SWITCH_COUNT)
            return false;
        *off |= UINT64_C(1) << which;
        at += n + 1;
    }
    return true;
}

static bool parse_number(const char *text, int base, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, base);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

/* A line of a file: the seed, and what stays off for it. */
static bool parse_line(const char *line, uint64_t *seed, uint64_t *off)
{
    char *end;

    *seed = strtoull(line, &end, 10);
    if (end == line)
        return false;
    return *end != '-' || parse_off(end + 1, strcspn(end + 1, " \n"), off);
}

static int run_file(struct world *w, const char *path, const struct choice *c)
{
    FILE *file = fopen(path, "r");
    char line[512];
    unsigned count = 0, failed = 0;

    if (file == NULL) {
        perror(path);
        return 2;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        uint64_t seed, off = c->off;

        count++;
        if (!parse_line(line, &seed, &off)) {
            printf("%s: not a seed, or a word that is no kind of trouble: %s", path, line);
            failed++;
            continue;
        }
        if (world_run(w, seed, off, c->flows))
            continue;
        failed++;
        print_failure(w, seed);
    }
    fclose(file);
    printf("%u seeds, %u failed\n", count, failed);
    return failed == 0 && count > 0 ? 0 : 1;
}

static int run_twice(struct world *w, uint64_t first, uint64_t count)
{
    uint64_t differ = 0;

    for (uint64_t seed = first; seed - first < count; seed++) {
        struct world *fresh = world_create();
        uint64_t hash;

        world_run(w, seed, 0, UINT64_MAX);
        hash = w->hash;
        world_run(fresh, seed, 0, UINT64_MAX);
        if (hash != fresh->hash) {
            printf("seed %llu: %016llx, then %016llx\n", (unsigned long long)seed,
                   (unsigned long long)hash, (unsigned long long)fresh->hash);
            differ++;
        }
        world_destroy(fresh);
    }
    printf("%llu seeds twice, %llu differ\n", (unsigned long long)count,
           (unsigned long long)differ);
    return differ == 0 ? 0 : 1;
}

/* Whether connections fold or not, the wire must not show it. */
static int run_rested(struct world *w, uint64_t first, uint64_t count)
{
    const uint64_t awake = UINT64_C(1) << SIM_SWITCH_AWAKE, rest = UINT64_C(1) << SIM_SWITCH_REST;
    uint64_t differ = 0;

    for (uint64_t seed = first; seed - first < count; seed++) {
        uint64_t hash;

        world_run(w, seed, awake, UINT64_MAX);
        hash = w->hash;
        world_run(w, seed, awake | rest, UINT64_MAX);
        if (hash == w->hash)
            continue;
        printf("seed %llu: another when it does not rest\n", (unsigned long long)seed);
        differ++;
    }
    printf("%llu seeds with rest and without, %llu differ\n", (unsigned long long)count,
           (unsigned long long)differ);
    return differ == 0 ? 0 : 1;
}

/* A fault that never strikes tests nothing, however often it is drawn. Returns whether one does. */
static bool has_struck(uint64_t seeds, const char *what)
{
    printf("%6llu  %s\n", (unsigned long long)seeds, what);
    return seeds > 0;
}

static int run_kinds(struct world *w, uint64_t first, uint64_t count)
{
    static const struct {
        const char *what;
        size_t at;
    } kinds[] = {
#define SIM_KIND(name, what) {"frames " what, offsetof(struct sim_toll, name)},
        SIM_TOLL_KINDS(SIM_KIND)
#undef SIM_KIND
    };
    enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };
    uint64_t struck[KINDS] = {0}, numbers_pass = 0, stamps_pass = 0;
    unsigned never = 0, failed = 0;

    for (uint64_t seed = first; seed - first < count; seed++) {
        uint64_t frames, numbers, stamps;

        failed += !world_run(w, seed, 0, UINT64_MAX);
        for (int i = 0; i < KINDS; i++) {
            memcpy(&frames, (const char *)sim_network_toll(w->network) + kinds[i].at,
                   sizeof(frames));
            struck[i] += frames > 0;
        }
        observer_wraps(w->observer, &numbers, &stamps);
        numbers_pass += numbers > 0;
        stamps_pass += stamps > 0;
    }
    for (int i = 0; i < KINDS; i++)
        never += !has_struck(struck[i], kinds[i].what);
    never += !has_struck(numbers_pass, "sequence numbers passed 2^31 or 2^32");
    never += !has_struck(stamps_pass, "timestamps passed 2^31 or 2^32");
    printf("%llu seeds, %u failed, %u kinds of trouble never struck\n", (unsigned long long)count,
           failed, never);
    return failed + never == 0 ? 0 : 1;
}

static int run_one(struct world *w, uint64_t seed, const struct choice *c, bool show)
{
    bool ok;

    observer_show(w->observer, show);
    ok = world_run(w, seed, c->off, c->flows);
    if (show)
        ends_print(w);
    if (ok)
        printf("seed %llu: ok, %016llx, %llu frames, %llu steps, over at %.3f s\n",
               (unsigned long long)seed, (unsigned long long)w->hash, (unsigned long long)w->frames,
               (unsigned long long)w->steps, (double)w->ended_at / 1e9);
    else
        print_failure(w, seed);
    return ok ? 0 : 1;
}

/* Once to see what goes wrong, and where; once more to write it down. */
static int run_script(struct world *w, uint64_t seed, const struct choice *c)
{
    uint32_t number;
    int side;

    world_run(w, seed, c->off, c->flows);
    number = observer_suspect(w->observer, &side);
    printf("# seed %llu (commit %s), connection %u, stack %d: %s\n", (unsigned long long)seed,
           SIM_COMMIT, number, side, w->failed ? w->why : "nothing went wrong");
    printf("config mtu %u\n", w->plan.stack[side].link.mtu_bytes);
    observer_transcribe(w->observer, number, side);
    world_run(w, seed, c->off, c->flows);
    return 0;
}

static int list_switches(void)
{
#define SIM_SWITCH_PRINT(name, word, what) printf("%-12s %s\n", word, what);
    SIM_SWITCHES(SIM_SWITCH_PRINT)
#undef SIM_SWITCH_PRINT
    return 0;
}

static int usage(void)
{
    fputs("usage: sim [--off WORDS] [--flows MASK] FIRST [COUNT]\n"
          "           -f FILE | -t FIRST COUNT | -r FIRST COUNT | -k FIRST COUNT | -h SEED |\n"
          "           -v SEED | --shrink SEED | --script SEED | --list (the WORDS)\n"
          "       what each does stands at the head of tests/sim/main.c\n",
          stderr);
    return 2;
}

/* What is asked with two numbers. */
static int dispatch_range(struct world *w, const char *verb, uint64_t first, uint64_t count,
                          const struct choice *c)
{
    if (strcmp(verb, "") == 0)
        return run_range(w, first, count, c);
    if (strcmp(verb, "-t") == 0)
        return run_twice(w, first, count);
    if (strcmp(verb, "-r") == 0)
        return run_rested(w, first, count);
    return strcmp(verb, "-k") == 0 ? run_kinds(w, first, count) : usage();
}

static int dispatch_one(struct world *w, const char *verb, uint64_t seed, const struct choice *c)
{
    if (strcmp(verb, "-h") == 0 || strcmp(verb, "-v") == 0)
        return run_one(w, seed, c, verb[1] == 'v');
    if (strcmp(verb, "--script") == 0)
        return run_script(w, seed, c);
    return strcmp(verb, "--shrink") == 0 ? shrink(w, seed, c->off, c->flows) : usage();
}

static int dispatch(struct world *w, int argc, char **argv, const struct choice *c)
{
    const char *verb = argc > 1 && argv[1][0] == '-' ? argv[1] : "";
    const int numbers = argc - 1 - (verb[0] == '-');
    uint64_t number[2] = {1, 1};

    if (strcmp(verb, "-f") == 0 && argc == 3)
        return run_file(w, argv[2], c);
    if (strcmp(verb, "--list") == 0 && argc == 2)
        return list_switches();
    if (numbers > 2)
        return usage();
    for (int i = 0; i < numbers; i++)
        if (!parse_number(argv[argc - numbers + i], 10, &number[i]))
            return usage();
    if ((verb[0] == '\0' || numbers == 2) && number[1] > 0)
        return dispatch_range(w, verb, number[0], number[1], c);
    return verb[0] == '-' && numbers == 1 ? dispatch_one(w, verb, number[0], c) : usage();
}

/* Options before all else; false: what follows one is none of its words, or no number. */
static bool take_options(int *argc, char ***argv, struct choice *c)
{
    for (; *argc > 2; *argc -= 2, *argv += 2) {
        const char *word = (*argv)[1], *value = (*argv)[2];

        if (strcmp(word, "--off") == 0
                ? !parse_off(value, strlen(value), &c->off)
                : strcmp(word, "--flows") == 0 && !parse_number(value, 0, &c->flows)) {
            fprintf(stderr, "sim: %s %s?\n", word, value);
            return false;
        }
        if (strcmp(word, "--off") != 0 && strcmp(word, "--flows") != 0)
            return true;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct choice c = {0, UINT64_MAX};
    struct world *w;
    int result;

    if (!take_options(&argc, &argv, &c))
        return usage();
    w = world_create();
    result = dispatch(w, argc, argv, &c);
    world_destroy(w);
    return result;
}
