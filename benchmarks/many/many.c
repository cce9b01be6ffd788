/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many connections: what an idle one takes, what a segment costs among few and among many, and how
 * fast connections can come and go. Two stacks in this process, over memory, in virtual time.
 *
 *   many [--json] [--connections N] [--awake N] [--rounds N] [--messages N] [--turnover N]
 *        [--huge] [--keepalive]
 *
 * Memory: the pages of each stack's own mapping that are resident, before connections and after, by
 * mincore(2); and what tern_stack_bytes() asks for. Cost: nanoseconds of this thread a segment
 * received, both ends, the cable and the applications in it. Three pairs of stacks take turns, with
 * 10, a hundredth of N and N connections; active connections exchange messages of 64 bytes without
 * a pause:
 *
 *   few      10 of 10               some     N/100 of N/100
 *   many     N/100 of N             lone     10 of N
 *   resting  one after the other of N, so that each message wakes both ends, which were folded
 *
 * The first round is not counted, and ratios are of figures of the same round. Turnover: 100,000
 * connections a virtual second, each opened, asked, answered and closed by who answered, where they
 * stay in TIME-WAIT.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS_MAX 64
#define WORLDS     3

enum { FEW, SOME, MANY, LONE, RESTING, KINDS };

static const char *const kind_names[KINDS] = {"few", "some", "many", "lone", "resting"};

struct options {
    uint32_t connections, awake, rounds;
    uint64_t messages, turnover;
    bool json, huge, keepalive;
};

struct figures {
    uint32_t active[KINDS];
    double ns[KINDS][ROUNDS_MAX];
    double idle_bytes[2];   /* a connection, of the caller's stack and of the answerer's */
    double talked_bytes[2]; /* the same at the end, when each has had about one message */
    size_t before[2];
    double asked_bytes;
    double open_ns; /* a connection, both ends */
    double turnover_ns[ROUNDS_MAX];
    uint64_t time_waits;
    struct tern_stack_counters counters;
};

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void open_world(struct world *w, uint32_t connections, const struct options *o)
{
    const struct world_options wo = {.connections = connections + 2,
                                     .awake = o->awake,
                                     .time_waits = 4096,
                                     .keepalive = o->keepalive,
                                     .huge = o->huge};

    world_open(w, &wo);
}

static void fill(struct world *w, uint32_t connections, const struct options *o, struct figures *f)
{
    double begin;

    open_world(w, connections, o);
    world_connect(w, 1); /* what a stack takes once */
    for (int i = 0; i < 2; i++)
        f->before[i] = world_resident(w, i);
    begin = now_ns();
    world_connect(w, connections - 1);
    f->open_ns = (now_ns() - begin) / (connections - 1);
    for (int i = 0; i < 2; i++)
        f->idle_bytes[i] = (double)(world_resident(w, i) - f->before[i]) / (connections - 1);
}

static double chat(struct world *w, uint32_t active, const struct options *o)
{
    uint64_t segments;
    double begin, took;

    world_chat_begin(w, active);
    world_chat(w, active);
    segments = world_segments(w);
    begin = now_ns();
    world_chat(w, o->messages);
    took = now_ns() - begin;
    segments = world_segments(w) - segments;
    world_chat_end(w);
    return took / (double)segments;
}

/* Each message to one that rests, and slowly enough that most others rest again. */
static double wake(struct world *w, const struct options *o, uint32_t *at)
{
    const struct round_robin r = {o->connections / 100, 10, 1000 * TERN_MS / o->awake};
    uint64_t segments = world_segments(w);
    const double begin = now_ns();
    double took;

    world_round(w, &r, o->messages / 10, at);
    took = now_ns() - begin;
    segments = world_segments(w) - segments;
    world_run(w, TERN_SECOND); /* the last ACKs */
    return took / (double)segments;
}

static void measure_segments(struct world *w, const struct options *o, struct figures *f)
{
    struct world *const of[KINDS] = {&w[FEW], &w[SOME], &w[MANY], &w[MANY], &w[MANY]};
    uint32_t at = 0;

    for (uint32_t round = 0; round <= o->rounds; round++)
        for (int k = 0; k < KINDS; k++) {
            const double ns = k == RESTING ? wake(of[k], o, &at) : chat(of[k], f->active[k], o);

            if (round > 0)
                f->ns[k][round - 1] = ns;
        }
}

static void measure_turnover(const struct options *o, struct figures *f)
{
    static struct world w;
    const struct world_options wo = {.connections = 65536, .time_waits = 7u << 20, .huge = o->huge};

    if (o->turnover == 0)
        return;
    world_open(&w, &wo);
    world_turnover(&w, 10000, 64, 100000);
    for (uint32_t round = 0; round < o->rounds; round++) {
        const uint64_t count = o->turnover / o->rounds, before = w.ended;
        const double begin = now_ns();

        world_turnover(&w, count, 64, 100000);
        f->turnover_ns[round] = (now_ns() - begin) / (double)(w.ended - before);
    }
    f->time_waits = world_counters(&w, 1).time_waits_used;
    world_close(&w);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(const double *figures, uint32_t count)
{
    double sorted[ROUNDS_MAX];

    memcpy(sorted, figures, count * sizeof(sorted[0]));
    qsort(sorted, count, sizeof(sorted[0]), compare);
    return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static double ratio(const struct figures *f, int kind, uint32_t rounds)
{
    double ratios[ROUNDS_MAX];

    for (uint32_t i = 0; i < rounds; i++)
        ratios[i] = f->ns[kind][i] / f->ns[FEW][i];
    return median(ratios, rounds);
}

static void print_list(const char *name, const double *figures, uint32_t count)
{
    printf(", \"%s\": [", name);
    for (uint32_t i = 0; i < count; i++)
        printf("%s%.1f", i > 0 ? ", " : "", figures[i]);
    printf("]");
}

static void print_json(const struct options *o, const struct figures *f)
{
    printf("{\"workload\": \"many\", \"link\": \"memory\", \"connections\": %u, \"awake\": %u",
           o->connections, o->awake);
    printf(", \"idle_bytes\": [%.1f, %.1f], \"asked_bytes\": %.1f, \"open_ns\": %.1f",
           f->idle_bytes[0], f->idle_bytes[1], f->asked_bytes, f->open_ns);
    printf(", \"talked_bytes\": [%.1f, %.1f]", f->talked_bytes[0], f->talked_bytes[1]);
    for (int k = 0; k < KINDS; k++) {
        printf(",\n \"%s_active\": %u, \"%s_ratio\": %.3f", kind_names[k], f->active[k],
               kind_names[k], ratio(f, k, o->rounds));
        print_list(kind_names[k], f->ns[k], o->rounds);
    }
    if (o->turnover > 0) {
        printf(",\n \"time_waits\": %llu", (unsigned long long)f->time_waits);
        print_list("turnover_ns", f->turnover_ns, o->rounds);
    }
    printf("}\n");
}

static void print_words(const struct options *o, const struct figures *f)
{
    printf("idle: %.0f and %.0f bytes a connection resident (caller, answerer); %.0f asked for\n",
           f->idle_bytes[0], f->idle_bytes[1], f->asked_bytes);
    printf("after %llu messages each: %.0f and %.0f\n",
           (unsigned long long)(f->counters.wakes / o->connections), f->talked_bytes[0],
           f->talked_bytes[1]);
    printf("opening: %.0f ns a connection, both ends\n", f->open_ns);
    for (int k = 0; k < KINDS; k++)
        printf("%-8s %8u active of %8u: %7.1f ns a segment, %.2f of few\n", kind_names[k],
               f->active[k],
               k == FEW    ? f->active[k]
               : k == SOME ? f->active[k]
                           : o->connections,
               median(f->ns[k], o->rounds), ratio(f, k, o->rounds));
    printf(
        "resting: %llu of %llu at the end; %llu rests, %llu wakes, %llu segments found no block\n",
        (unsigned long long)f->counters.connections_resting,
        (unsigned long long)f->counters.connections_used, (unsigned long long)f->counters.rests,
        (unsigned long long)f->counters.wakes,
        (unsigned long long)f->counters.drops[TERN_DROP_TCP_ASLEEP]);
    if (o->turnover > 0)
        printf("turnover: %.0f ns a connection, both ends, open, ask, answer, close "
               "(first slice %.0f, last %.0f); %llu in TIME-WAIT at the end\n",
               median(f->turnover_ns, o->rounds), f->turnover_ns[0], f->turnover_ns[o->rounds - 1],
               (unsigned long long)f->time_waits);
}

static bool parse_number(const char *word, const char *name, const char *value, uint64_t *out)
{
    if (value == NULL || strcmp(word, name) != 0)
        return false;
    *out = strtoull(value, NULL, 10);
    return true;
}

static bool parse(int argc, char **argv, struct options *o)
{
    uint64_t connections = 1000000, awake = 0, rounds = 5;
    bool given = true;

    *o = (struct options){.messages = 200000, .turnover = 2000000};
    for (int i = 1; i < argc && given; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        o->json |= strcmp(argv[i], "--json") == 0;
        o->huge |= strcmp(argv[i], "--huge") == 0;
        o->keepalive |= strcmp(argv[i], "--keepalive") == 0;
        if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "--huge") == 0 ||
            strcmp(argv[i], "--keepalive") == 0)
            continue;
        given = parse_number(argv[i], "--connections", value, &connections) ||
                parse_number(argv[i], "--awake", value, &awake) ||
                parse_number(argv[i], "--rounds", value, &rounds) ||
                parse_number(argv[i], "--messages", value, &o->messages) ||
                parse_number(argv[i], "--turnover", value, &o->turnover);
        i++;
    }
    o->connections = (uint32_t)connections;
    o->awake = (uint32_t)(awake > 0 ? awake : connections / 64 + 64);
    o->rounds = (uint32_t)rounds;
    return given && connections >= 1000 && connections <= 8000000 && rounds >= 1 &&
           rounds <= ROUNDS_MAX && o->messages > 0;
}

int main(int argc, char **argv)
{
    static struct world w[WORLDS];
    static struct figures f;
    struct options o;

    if (!parse(argc, argv, &o)) {
        fputs("usage: many [--json] [--connections N] [--awake N] [--rounds N] "
              "[--messages N] [--turnover N] [--huge] [--keepalive]\n",
              stderr);
        return 2;
    }
    f.active[FEW] = f.active[LONE] = 10;
    f.active[SOME] = f.active[MANY] = o.connections / 100;
    f.active[RESTING] = o.connections - f.active[MANY];
    fill(&w[FEW], f.active[FEW], &o, &f);
    fill(&w[SOME], f.active[SOME], &o, &f);
    fill(&w[MANY], o.connections, &o, &f);
    f.asked_bytes = (double)w[MANY].side[1].bytes / o.connections;
    measure_segments(w, &o, &f);
    f.counters = world_counters(&w[MANY], 1);
    for (int i = 0; i < 2; i++)
        f.talked_bytes[i] = (double)(world_resident(&w[MANY], i) - f.before[i]) / o.connections;
    for (int i = 0; i < WORLDS; i++)
        world_close(&w[i]);
    measure_turnover(&o, &f);
    if (o.json)
        print_json(&o, &f);
    else
        print_words(&o, &f);
    return 0;
}
