/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks against each other over bad networks, by seeds.
 *
 *   sim FIRST [COUNT]      run the seeds, print those that fail
 *   sim -f FILE            the seeds of a file, one at the start of each line
 *   sim -t FIRST COUNT     each seed twice: the same frames at the same times?
 *   sim -r FIRST COUNT     each seed with its connections folded at rest, and not: the same frames?
 *   sim -k FIRST COUNT     in how many of the seeds did each kind of trouble befall a frame? None: fail
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
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SIM_COMMIT
#define SIM_COMMIT "unknown"
#endif

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
        const uint64_t seed = strtoull(line, NULL, 10);

        count++;
        if (world_run(w, seed, c->off, c->flows))
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

/* A fault that never strikes tests nothing, however often it is drawn. */
static int run_kinds(struct world *w, uint64_t first, uint64_t count)
{
#define SIM_KIND_COUNTER(name, what) uint64_t name = 0;
    SIM_TOLL_KINDS(SIM_KIND_COUNTER)
#undef SIM_KIND_COUNTER
    unsigned never = 0, failed = 0;

    for (uint64_t seed = first; seed - first < count; seed++) {
        const struct sim_toll *toll;

        failed += !world_run(w, seed, 0, UINT64_MAX);
        toll = sim_network_toll(w->network);
#define SIM_KIND_COUNT(name, what) name += toll->name > 0;
        SIM_TOLL_KINDS(SIM_KIND_COUNT)
#undef SIM_KIND_COUNT
    }
#define SIM_KIND_PRINT(name, what)                                                                 \
    printf("%6llu  frames %s\n", (unsigned long long)name, what);                                  \
    never += name == 0;
    SIM_TOLL_KINDS(SIM_KIND_PRINT)
#undef SIM_KIND_PRINT
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

static uint64_t parse_off(const char *words)
{
    uint64_t off = 0;

    for (int i = 0; i < SIM_SWITCH_COUNT; i++) {
        const char *word = plan_switch_word(i);
        const size_t n = strlen(word);

        for (const char *at = words; (at = strstr(at, word)) != NULL; at += n)
            if ((at == words || at[-1] == ',') && (at[n] == ',' || at[n] == '\0'))
                off |= UINT64_C(1) << i;
    }
    return off;
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
    fputs("usage: see the head of tests/sim/main.c\n", stderr);
    return 2;
}

static int dispatch(struct world *w, int argc, char **argv, const struct choice *c)
{
    const uint64_t number = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    const char *verb = argc > 1 ? argv[1] : "1";

    if (verb[0] != '-')
        return run_range(w, strtoull(verb, NULL, 10), number, c);
    if (argc == 3 && strcmp(verb, "-f") == 0)
        return run_file(w, argv[2], c);
    if (argc == 4 && strcmp(verb, "-t") == 0)
        return run_twice(w, number, strtoull(argv[3], NULL, 10));
    if (argc == 4 && strcmp(verb, "-r") == 0)
        return run_rested(w, number, strtoull(argv[3], NULL, 10));
    if (argc == 4 && strcmp(verb, "-k") == 0)
        return run_kinds(w, number, strtoull(argv[3], NULL, 10));
    if (argc == 3 && (strcmp(verb, "-h") == 0 || strcmp(verb, "-v") == 0))
        return run_one(w, number, c, verb[1] == 'v');
    if (argc == 3 && strcmp(verb, "--script") == 0)
        return run_script(w, number, c);
    if (argc == 3 && strcmp(verb, "--shrink") == 0)
        return shrink(w, number, c->off, c->flows);
    if (argc == 2 && strcmp(verb, "--list") == 0)
        return list_switches();
    return usage();
}

int main(int argc, char **argv)
{
    struct choice c = {0, UINT64_MAX};
    struct world *w;
    int result;

    for (; argc > 2; argc -= 2, argv += 2) {
        if (strcmp(argv[1], "--off") == 0)
            c.off = parse_off(argv[2]);
        else if (strcmp(argv[1], "--flows") == 0)
            c.flows = strtoull(argv[2], NULL, 0);
        else
            break;
    }
    w = world_create();
    result = dispatch(w, argc, argv, &c);
    world_destroy(w);
    return result;
}
