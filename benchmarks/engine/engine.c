/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nanoseconds a segment, a round trip, a connection: the engine to itself over memory, beside lwIP.
 *
 *   engine [--json] [--runs N] [--only WORD] [--count N] [--no-lwip]
 *
 * A figure has both ends in it and all that a program pays: writing (a copy), output, the link's
 * own copy of each frame, input, ACKs both ways, events, looking at what came and being done with
 * it, deadlines. tern and lwIP take turns, run by run; each run is a fresh pair, warmed up by a
 * tenth of its work. The figures of one workload are printed with their median.
 *
 * lwIP is the distribution's: TCP_MSS 1460 and a window of 64 KiB without options, all checksums in
 * software, both ends in one instance without Ethernet below; tern has Ethernet, timestamps (so
 * 1,448 bytes of text) and the rest of its defaults.
 */
#include "engine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUNS_MAX 64

struct workload {
    const char *name, *unit;
    enum engine_work work;
    struct engine_setup setup;
    bool rival; /* lwIP does the same */
    uint64_t count;
};

static const struct workload workloads[] = {
    {"bulk", "ns/segment", ENGINE_BULK, {false, false, false}, false, 400000},
    {"bulk-lent", "ns/segment", ENGINE_BULK, {false, false, true}, false, 400000},
    {"bulk-sums", "ns/segment", ENGINE_BULK, {false, true, false}, true, 400000},
    {"bulk-super", "ns/segment", ENGINE_BULK, {true, false, false}, false, 2000000},
    {"bulk-super-lent", "ns/segment", ENGINE_BULK, {true, false, true}, false, 2000000},
    {"rr", "ns/round trip", ENGINE_RR, {false, false, false}, false, 200000},
    {"rr-sums", "ns/round trip", ENGINE_RR, {false, true, false}, true, 200000},
    {"conn", "ns/connection", ENGINE_CONN, {false, false, false}, false, 40000},
    {"conn-sums", "ns/connection", ENGINE_CONN, {false, true, false}, true, 40000},
};

struct options {
    bool json, no_lwip;
    int runs;
    uint64_t count;
    const char *only;
};

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Of its own, for a profiler to begin and end here. */
__attribute__((noinline)) uint64_t engine_measured_tern(struct engine_pair *p, uint64_t units);
uint64_t engine_measured_tern(struct engine_pair *p, uint64_t units)
{
    return engine_tern_do(p, units);
}

static double run_tern(const struct workload *w, uint64_t count)
{
    struct engine_pair *p = engine_tern_open(w->work, &w->setup);
    double begin, took;
    uint64_t done;

    if (p == NULL)
        exit(1);
    (void)engine_tern_do(p, count / 10 + 1);
    begin = now_ns();
    done = engine_measured_tern(p, count);
    took = now_ns() - begin;
    engine_tern_close(p);
    return took / (double)done;
}

static double run_lwip(const struct workload *w, uint64_t count)
{
    double begin, took;
    uint64_t done;

    if (!engine_lwip_open(w->work))
        exit(1);
    (void)engine_lwip_do(count / 10 + 1);
    begin = now_ns();
    done = engine_lwip_do(count);
    took = now_ns() - begin;
    engine_lwip_close();
    return took / (double)done;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(const double *figures, int count)
{
    double sorted[RUNS_MAX];

    memcpy(sorted, figures, (size_t)count * sizeof(sorted[0]));
    qsort(sorted, (size_t)count, sizeof(sorted[0]), compare);
    return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static void print_list(const char *name, const double *figures, int count)
{
    printf(", \"%s\": [", name);
    for (int i = 0; i < count; i++)
        printf("%s%.1f", i > 0 ? ", " : "", figures[i]);
    printf("]");
}

static void print_json(const struct workload *w, const double *tern, const double *rival, int runs,
                       bool first)
{
    double ratios[RUNS_MAX];

    printf("%s{\"workload\": \"engine-%s\", \"link\": \"memory\", \"unit\": \"%s\", "
           "\"better\": \"lower\"",
           first ? "[" : ",\n ", w->name, w->unit);
    print_list("tern", tern, runs);
    if (rival != NULL) {
        for (int i = 0; i < runs; i++)
            ratios[i] = tern[i] / rival[i];
        print_list("rival", rival, runs);
        printf(", \"rival_name\": \"lwIP\", \"ratio\": %.3f", median(ratios, runs));
    }
    printf("}");
}

static void print_line(const struct workload *w, const double *tern, const double *rival, int runs)
{
    double least = tern[0], most = tern[0];

    for (int i = 1; i < runs; i++) {
        least = fmin(least, tern[i]);
        most = fmax(most, tern[i]);
    }
    printf("%-16s %-14s tern %8.1f  (%.1f to %.1f)", w->name, w->unit, median(tern, runs), least,
           most);
    if (rival != NULL)
        printf("  lwIP %8.1f", median(rival, runs));
    printf("\n");
    fflush(stdout);
}

static void measure(const struct workload *w, const struct options *o, bool first)
{
    double tern[RUNS_MAX] = {0}, rival[RUNS_MAX] = {0};
    const uint64_t count = o->count > 0 ? o->count : w->count;
    const bool lwip = w->rival && !o->no_lwip && engine_lwip_is_there();

    for (int i = 0; i < o->runs; i++) {
        tern[i] = run_tern(w, count);
        if (lwip)
            rival[i] = run_lwip(w, count);
    }
    if (o->json)
        print_json(w, tern, lwip ? rival : NULL, o->runs, first);
    else
        print_line(w, tern, lwip ? rival : NULL, o->runs);
}

static bool parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){.runs = 5};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--json") == 0)
            o->json = true;
        else if (strcmp(argv[i], "--no-lwip") == 0)
            o->no_lwip = true;
        else if (value != NULL && strcmp(argv[i], "--runs") == 0)
            o->runs = atoi(argv[++i]);
        else if (value != NULL && strcmp(argv[i], "--count") == 0)
            o->count = strtoull(argv[++i], NULL, 10);
        else if (value != NULL && strcmp(argv[i], "--only") == 0)
            o->only = argv[++i];
        else
            return false;
    }
    return o->runs >= 1 && o->runs <= RUNS_MAX;
}

int main(int argc, char **argv)
{
    struct options o;
    bool first = true;

    if (!parse(argc, argv, &o)) {
        fputs("usage: engine [--json] [--runs N] [--only WORKLOAD] [--count N] [--no-lwip]\n",
              stderr);
        return 2;
    }
    for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++) {
        if (o.only != NULL && strcmp(o.only, workloads[i].name) != 0)
            continue;
        measure(&workloads[i], &o, first);
        first = false;
    }
    if (o.json)
        printf("%s]\n", first ? "[" : "");
    return first ? 2 : 0;
}
