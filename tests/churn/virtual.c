/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An hour of churn in virtual time: two stacks that call each other in turn over a bad network, so
 * many times a second, and answer each other.
 *
 *   churn_virtual SECONDS CALLS_PER_SECOND [SEED] [-v]
 *
 * Judged: every talk ends as it should (churn.h); both stacks' structures are sound, each second;
 * and nothing grows. For that the time is cut into WINDOWS pieces, of which the first warms up. In
 * each of the others these stay within 5 % of what they are in all of them together: the mean of
 * the connections, TIME-WAIT records and buffer chunks in use; and the stack's resident memory,
 * page by page as the kernel counts it, at the end of the window. At the end, once TIME-WAIT is
 * over, nothing at all is in use.
 */
#include "churn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "sim/network.h"

#define WINDOWS 12
#define SAMPLES 10 /* a second */
/* At once, when it begins: more than ever come together later, so that the pools' high-water marks
 * stand from then on, and any page that is touched later is growth. */
#define FIRST_CALLS 64
#define TOLERANCE   0.05
#define PORT        7000
#define TALKS_MAX   1024
#define LAST_WORDS  (300 * TERN_SECOND) /* for the talks under way when no more begin */
#define AFTER_WAITS (61 * TERN_SECOND)  /* TIME-WAIT is a minute */

enum figure { CONNECTIONS, TIME_WAITS, CHUNKS, RESIDENT, FIGURES };
static const char *const figure_text[FIGURES] = {"connections", "TIME-WAIT records", "chunks",
                                                 "resident pages"};

struct side {
    struct tern_stack *stack;
    struct churn *churn;
    uint8_t *memory;
    size_t bytes;
    double sum[WINDOWS][FIGURES]; /* over the samples of a window */
};

struct world {
    struct side side[2];
    struct sim_network *network;
    tern_time now, began;
    uint64_t seconds, calls_per_second, seed;
    uint64_t calls;
    unsigned failures;
};

static struct tern_addr address_of(int i)
{
    return tern_addr_v4(10, 0, 0, (uint8_t)(1 + i));
}

static void configure(struct tern_config *c, int i, uint64_t seed)
{
    tern_config_defaults(c);
    memcpy(c->seed, &seed, sizeof(seed));
    c->seed[31] = (uint8_t)(1 + i);
    c->link.mac = (struct tern_mac){{2, 0, 0, 0, 0, (uint8_t)(1 + i)}};
    c->link.mtu_bytes = 1500;
    c->link.offloads = i == 0 ? TERN_OFFLOAD_TSO4 | TERN_OFFLOAD_CSUM_TX : 0;
    c->connections_max = TALKS_MAX;
    c->time_waits_max = 16384;
}

static void make_side(struct world *w, int i)
{
    struct side *s = &w->side[i];
    const struct tern_cidr own = {address_of(i), 24};
    struct churn_options o = {.peer = address_of(1 - i), .port = PORT, .talks_max = TALKS_MAX};
    struct tern_config config;

    configure(&config, i, w->seed);
    s->bytes = tern_stack_bytes(&config);
    s->memory = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (s->memory == MAP_FAILED ||
        tern_stack_init(s->memory, s->bytes, &config, w->now, &s->stack) != TERN_ERR_OK ||
        tern_stack_address_add(s->stack, &own, TERN_CLAIM_NONE) != TERN_ERR_OK)
        abort();
    o.stack = s->stack;
    o.seed = w->seed + (uint64_t)i;
    s->churn = churn_create(&o);
    if (s->churn == NULL)
        abort();
}

static size_t resident_pages(const struct side *s)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t pages = (s->bytes + page - 1) / page;
    unsigned char *map = malloc(pages);
    size_t resident = 0;

    if (map == NULL || mincore(s->memory, s->bytes, map) != 0)
        abort();
    for (size_t i = 0; i < pages; i++)
        resident += map[i] & 1u;
    free(map);
    return resident;
}

static void sample(struct world *w, uint64_t number)
{
    const uint64_t window = number * WINDOWS / (w->seconds * SAMPLES);

    TERN_ASSERT(window < WINDOWS);
    for (int i = 0; i < 2; i++) {
        struct side *s = &w->side[i];
        struct tern_stack_counters c;

        if (number % SAMPLES == 0)
            tern_stack_check(s->stack);
        tern_stack_counters(s->stack, &c);
        s->sum[window][CONNECTIONS] += (double)c.connections_used;
        s->sum[window][TIME_WAITS] += (double)c.time_waits_used;
        s->sum[window][CHUNKS] += (double)c.chunks_used;
        if ((number + 1) * WINDOWS / (w->seconds * SAMPLES) > window)
            s->sum[window][RESIDENT] = (double)resident_pages(s);
    }
}

static void call_what_is_due(struct world *w, uint64_t limit)
{
    while (w->calls < limit &&
           w->now >= w->began + (tern_time)(w->calls * UINT64_C(1000000000) / w->calls_per_second))
        (void)churn_call(w->side[w->calls++ % 2].churn);
}

/* One moment: all that has arrived or is due, and what follows. When the next one is. */
static tern_time step(struct world *w)
{
    tern_time next = TERN_TIME_NEVER;
    struct tern_frame frames[TERN_BURST_MAX];
    struct sim_arrival arrived;

    for (int i = 0; i < 2; i++) {
        struct side *s = &w->side[i];
        int n;

        while (sim_network_receive(w->network, i, w->now, &arrived, 1) > 0)
            tern_stack_input(s->stack, &arrived.frame, 1, w->now);
        if (tern_stack_deadline(s->stack) <= w->now)
            tern_stack_expire(s->stack, w->now);
        churn_events(s->churn);
        while ((n = tern_stack_output(s->stack, frames, TERN_BURST_MAX, w->now)) > 0)
            for (int k = 0; k < n; k++)
                sim_network_send(w->network, i, &frames[k], 0, w->now);
        if (tern_stack_deadline(s->stack) < next)
            next = tern_stack_deadline(s->stack);
    }
    if (sim_network_deadline(w->network) < next)
        next = sim_network_deadline(w->network);
    return next > w->now ? next : w->now + TERN_US;
}

/* Until then, with calls up to a limit. */
static void run_until(struct world *w, tern_time until, uint64_t limit)
{
    while (w->now < until) {
        tern_time next, call_at;

        call_what_is_due(w, limit);
        next = step(w);
        call_at = w->began + (tern_time)(w->calls * UINT64_C(1000000000) / w->calls_per_second);
        if (w->calls < limit && call_at < next)
            next = call_at > w->now ? call_at : w->now + TERN_US;
        w->now = next < until ? next : until;
    }
}

static uint32_t talking(const struct world *w)
{
    struct churn_counts a, b;

    churn_counts(w->side[0].churn, &a);
    churn_counts(w->side[1].churn, &b);
    return a.talking + b.talking;
}

static void fail(struct world *w, int i, const char *what, double is, double meant)
{
    w->failures++;
    printf("side %d: %s: %.1f, not %.1f\n", i, what, is, meant);
}

static void judge_figures(struct world *w, int i, bool verbose)
{
    struct side *s = &w->side[i];

    for (int f = 0; f < FIGURES; f++) {
        const double per = f == RESIDENT ? 1 : (double)(w->seconds * SAMPLES) / WINDOWS;
        double mean = 0;

        for (int k = 1; k < WINDOWS; k++)
            mean += s->sum[k][f] / per / (WINDOWS - 1);
        if (verbose) {
            printf("side %d: %s:", i, figure_text[f]);
            for (int k = 0; k < WINDOWS; k++)
                printf(" %.1f", s->sum[k][f] / per);
            printf("\n");
        }
        for (int k = 1; k < WINDOWS; k++)
            if (fabs(s->sum[k][f] / per - mean) > TOLERANCE * mean)
                fail(w, i, figure_text[f], s->sum[k][f] / per, mean);
    }
}

static void judge_end(struct world *w, int i)
{
    struct tern_stack_counters c;
    struct churn_counts t;

    tern_stack_check(w->side[i].stack);
    tern_stack_counters(w->side[i].stack, &c);
    churn_counts(w->side[i].churn, &t);
    printf("side %d: %llu called, %llu answered, %llu done, %llu failed, %u at once at the most, "
           "%llu bytes in, %llu segments sent again\n",
           i, (unsigned long long)t.called, (unsigned long long)t.answered,
           (unsigned long long)t.done, (unsigned long long)t.failed, t.talking_most,
           (unsigned long long)t.bytes_in, (unsigned long long)c.tcp_retransmits);
    if (t.failed > 0) {
        fail(w, i, "talks failed", (double)t.failed, 0);
        printf("side %d: the last one: %s\n", i, churn_complaint(w->side[i].churn));
    }
    if (t.talking > 0)
        fail(w, i, "talks that never ended", t.talking, 0);
    if (c.connections_used > 0)
        fail(w, i, "connections kept", (double)c.connections_used, 0);
    if (c.time_waits_used > 0)
        fail(w, i, "TIME-WAIT records kept", (double)c.time_waits_used, 0);
    if (c.chunks_used > 0)
        fail(w, i, "chunks kept", (double)c.chunks_used, 0);
    if (c.tcp_retransmits == 0)
        fail(w, i, "segments sent again over a bad network", 0, 1);
}

static void run(struct world *w)
{
    const uint64_t calls = w->seconds * w->calls_per_second;
    tern_time end;

    for (int i = 0; i < FIRST_CALLS; i++)
        (void)churn_call(w->side[i % 2].churn);
    for (uint64_t k = 0; k < w->seconds * SAMPLES; k++) {
        run_until(w, w->began + (tern_time)(k + 1) * TERN_SECOND / SAMPLES, calls);
        sample(w, k);
    }
    end = w->now + LAST_WORDS;
    while (w->now < end && talking(w) > 0)
        run_until(w, w->now + TERN_SECOND, calls);
    run_until(w, w->now + AFTER_WAITS, calls);
}

int main(int argc, char **argv)
{
    const struct sim_faults faults = {.delay = 10 * TERN_MS,
                                      .jitter = 2 * TERN_MS,
                                      .loss_ppm = 15000,
                                      .duplicate_ppm = 10000,
                                      .corrupt_ppm = 5000,
                                      .reorder_ppm = 20000};
    struct world w = {.now = TERN_SECOND, .began = TERN_SECOND, .seed = 1};

    if (argc < 3) {
        (void)fprintf(stderr, "usage: churn_virtual SECONDS CALLS_PER_SECOND [SEED] [-v]\n");
        return 2;
    }
    w.seconds = strtoull(argv[1], NULL, 10);
    w.calls_per_second = strtoull(argv[2], NULL, 10);
    if (argc > 3)
        w.seed = strtoull(argv[3], NULL, 10);
    if (w.seconds < WINDOWS || w.calls_per_second == 0) {
        (void)fprintf(stderr, "churn_virtual: at least %d seconds, and 1 call a second\n", WINDOWS);
        return 2;
    }
    w.network = sim_network_create(&faults, w.seed);
    make_side(&w, 0);
    make_side(&w, 1);
    run(&w);
    for (int i = 0; i < 2; i++) {
        judge_figures(&w, i, argc > 4);
        judge_end(&w, i);
    }
    sim_network_destroy(w.network);
    for (int i = 0; i < 2; i++) {
        churn_destroy(w.side[i].churn);
        (void)munmap(w.side[i].memory, w.side[i].bytes);
    }
    printf("%llu calls in %llu s of virtual time: %s\n", (unsigned long long)w.calls,
           (unsigned long long)w.seconds, w.failures == 0 ? "nothing grew" : "FAILED");
    return w.failures == 0 ? 0 : 1;
}
