/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections that come and go at a given rate, and what each costs the stack that answers. Virtual
 * time; the callers are frames made by hand (callers.c), so that all that is measured is one stack.
 *
 *     turnover [--rate N] [--seconds N] [--rounds N] [--json]
 *
 *   half-open   each SYN is followed by its ACK after a round trip of 10 ms, 100 ms or 900 ms: at
 *               100,000 a second 1,000, 10,000 or 90,000 wait meanwhile; then all are reset
 *   flood       SYNs that nothing follows: a backlog of 4,096 is full, and cookies are sent
 *   reuse       connections that we close first: TIME-WAIT here, and the same 10,000, 100,000 or
 *               1,000,000 pairs come again and again, with later timestamps (passed over where the
 *               rate would take longer than half of TIME-WAIT for a round)
 *   full        the same from pairs that never come again, where 65,536 records are all there are
 *
 * The figure is nanoseconds of this thread in calls of the stack, for each connection, and what
 * share of a processor that is at the rate. The memory that the stack has touched is told at the
 * half and at the end. It fails where a connection is not opened, accepted or closed as it must.
 */
#include "callers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 32u

struct row {
    const char *name;
    struct callers_options options;
};

struct options {
    uint32_t rate, seconds, rounds;
    bool json;
};

static const struct row rows[] = {
    {"half-open, 1,000", {.then = THEN_RESET, .trip = 10 * TERN_MS, .backlog = 200000}},
    {"half-open, 10,000", {.then = THEN_RESET, .trip = 100 * TERN_MS, .backlog = 200000}},
    {"half-open, 90,000", {.then = THEN_RESET, .trip = 900 * TERN_MS, .backlog = 200000}},
    {"flood", {.then = THEN_NOTHING, .trip = TERN_MS, .backlog = 4096}},
    {"reuse, 10,000", {.then = THEN_CLOSE, .trip = TERN_MS, .pairs = 10000}},
    {"reuse, 100,000", {.then = THEN_CLOSE, .trip = TERN_MS, .pairs = 100000}},
    {"reuse, 1,000,000", {.then = THEN_CLOSE, .trip = TERN_MS, .pairs = 1000000}},
    {"full", {.then = THEN_CLOSE, .trip = TERN_MS, .time_waits = 65536}},
};

#define ROWS (sizeof rows / sizeof rows[0])

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *figures, uint32_t count)
{
    qsort(figures, count, sizeof figures[0], compare);
    return count % 2 == 1 ? figures[count / 2] : (figures[count / 2 - 1] + figures[count / 2]) / 2;
}

/* Pairs come again while they are in TIME-WAIT, or it is no such row. */
static bool fits(const struct row *row, const struct options *o)
{
    return row->options.pairs / o->rate < 30;
}

static void print_json(const struct row *row, const struct options *o, const struct callers *c,
                       const double *ns, size_t half, bool first)
{
    printf("%s{\"workload\": \"%s\", \"ns\": [", first ? "[" : ",\n ", row->name);
    for (uint32_t i = 0; i < o->rounds; i++)
        printf("%s%.1f", i > 0 ? ", " : "", ns[i]);
    printf("], \"time_waits\": %llu, \"half_bytes\": %zu, \"end_bytes\": %zu}",
           (unsigned long long)callers_counters(c).time_waits_used, half, callers_resident(c));
}

static void measure(const struct row *row, const struct options *o, bool first)
{
    static struct callers c;
    struct callers_options options = row->options;
    double ns[ROUNDS_MAX];
    size_t half = 0;

    options.rate = o->rate;
    callers_open(&c, &options);
    callers_run(&c, options.trip * 4 + TERN_SECOND / 10); /* full of what is under way */
    if (options.pairs > 0)                                /* each pair has its record */
        callers_run(&c, (tern_time)options.pairs * TERN_SECOND / o->rate);
    if (options.time_waits > 0) /* no record is free any more */
        callers_run(&c, (tern_time)options.time_waits * TERN_SECOND / o->rate + TERN_SECOND / 10);
    for (uint32_t i = 0; i < o->rounds; i++) {
        const uint64_t count = c.begun, spent = c.spent_ns;

        callers_run(&c, o->seconds * TERN_SECOND);
        ns[i] = (double)(c.spent_ns - spent) / (double)(c.begun - count);
        if (i == o->rounds / 2)
            half = callers_resident(&c);
    }
    callers_judge(&c);
    if (options.time_waits > 0 && callers_counters(&c).time_waits_used < options.time_waits) {
        fprintf(stderr, "turnover: %s: it was not\n", row->name);
        exit(1);
    }
    if (o->json)
        print_json(row, o, &c, ns, half, first);
    else
        printf("%-20s %7.0f ns a connection, %5.1f %% of a processor; %8llu in TIME-WAIT, "
               "%6.1f MB, %6.1f MB at the end\n",
               row->name, median(ns, o->rounds), median(ns, o->rounds) * o->rate / 1e7,
               (unsigned long long)callers_counters(&c).time_waits_used, (double)half / 1e6,
               (double)callers_resident(&c) / 1e6);
    (void)fflush(stdout);
    callers_close(&c);
}

static bool parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){.rate = 100000, .seconds = 2, .rounds = 5};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "0";

        if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
            continue;
        }
        if (strcmp(argv[i], "--rate") == 0)
            o->rate = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--seconds") == 0)
            o->seconds = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--rounds") == 0)
            o->rounds = (uint32_t)strtoul(value, NULL, 10);
        else
            return false;
        i++;
    }
    return o->rate >= 1000 && o->rate <= 1000000 && o->seconds > 0 && o->rounds > 0 &&
           o->rounds <= ROUNDS_MAX;
}

int main(int argc, char **argv)
{
    struct options o;

    if (!parse(argc, argv, &o)) {
        fputs("usage: turnover [--rate N] [--seconds N] [--rounds N] [--json]\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < ROWS; i++)
        if (fits(&rows[i], &o))
            measure(&rows[i], &o, i == 0);
    if (o.json)
        printf("]\n");
    return 0;
}
