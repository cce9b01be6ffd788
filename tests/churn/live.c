/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Churn in real time over an interface: one stack that calls a peer so many times a second, or
 * answers the peer's calls, or both; tests/lab/churn.py runs it against the kernel.
 *
 *   churn_live INTERFACE ADDRESS/LEN PEER CALLS_PER_SECOND SECONDS SAMPLE_SECONDS [IMPAIR]
 *
 * Begins with a burst of calls, more than come together later unless the machine stalls: so that
 * the pools' high-water marks stand from then on, and what is touched later is growth.
 *
 * Says `ready` once its address is its own. Each sample is a line of JSON: what was done, what is
 * in use, and the process's resident memory. Ends after SECONDS, or where it only answers at the
 * end of standard input, and when the talks under way then are over and all is acknowledged; with
 * exit 0 where none failed.
 */
#include "churn.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT       7000
#define TALKS_MAX  8192
#define LAST_WORDS (60 * TERN_SECOND)
#define FIRST      256

struct live {
    struct tern_loop *loop;
    struct churn *churn;
    uint64_t per_second, calls;
    tern_time began, ends, sample_every, sample_at;
};

static long resident_kb(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long pages = 0, resident = 0;

    if (f == NULL || fscanf(f, "%ld %ld", &pages, &resident) != 2)
        resident = -1;
    if (f != NULL)
        (void)fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void print_sample(const struct live *l)
{
    struct tern_stack_counters c;
    struct churn_counts t;

    tern_stack_counters(tern_loop_stack(l->loop), &c);
    churn_counts(l->churn, &t);
    printf("{\"at\": %.1f, \"called\": %llu, \"answered\": %llu, \"done\": %llu, \"failed\": %llu, "
           "\"talking\": %u, \"talking_most\": %u, \"connections\": %llu, \"time_waits\": %llu, "
           "\"chunks\": %llu, \"sent_again\": %llu, \"bytes_in\": %llu, \"rss_kb\": %ld}\n",
           (double)(tern_loop_now(l->loop) - l->began) / 1e9, (unsigned long long)t.called,
           (unsigned long long)t.answered, (unsigned long long)t.done, (unsigned long long)t.failed,
           t.talking, t.talking_most, (unsigned long long)c.connections_used,
           (unsigned long long)c.time_waits_used, (unsigned long long)c.chunks_used,
           (unsigned long long)c.tcp_retransmits, (unsigned long long)t.bytes_in, resident_kb());
    (void)fflush(stdout);
}

static int refuse(const char *what, const char *why)
{
    (void)fprintf(stderr, "churn_live: %s: %s\n", what, why);
    return 1;
}

static int open_loop(struct live *l, char **argv, const struct tern_cidr *own)
{
    struct tern_link_packet_options o = {.interface = argv[1],
                                         .mac_choice = TERN_MAC_OWN,
                                         .seed = own->addr.b[15],
                                         .address = own->addr,
                                         .socket_fd = -1};
    char error[TERN_LINK_ERROR_MAX];
    struct tern_link *link;
    struct tern_config config;

    if (tern_link_packet_open(&o, &link, error) != TERN_ERR_OK)
        return refuse(argv[1], error);
    if (argv[7] != NULL &&
        tern_link_impair_open(link, argv[7], own->addr.b[15], &link, error) != TERN_ERR_OK)
        return refuse(argv[7], error);
    tern_config_defaults(&config);
    config.connections_max = TALKS_MAX;
    config.time_waits_max = 32768;
    if (tern_loop_create(link, &config, &l->loop) != TERN_ERR_OK)
        return refuse(argv[1], "no loop");
    if (tern_stack_address_add(tern_loop_stack(l->loop), own, TERN_CLAIM_FAST) != TERN_ERR_OK)
        return refuse(argv[2], "cannot be an address of ours");
    return 0;
}

/* The address is ours once the claim is through. */
static int claim(struct live *l, const struct tern_cidr *own)
{
    const tern_time until = tern_loop_now(l->loop) + 10 * TERN_SECOND;

    while (!tern_stack_address_is_own(tern_loop_stack(l->loop), own->addr)) {
        if (tern_loop_run(l->loop, until) != TERN_ERR_OK || tern_loop_now(l->loop) > until)
            return refuse("claim", "the address did not become ours");
    }
    return 0;
}

static tern_time call_at(const struct live *l)
{
    if (l->per_second == 0)
        return TERN_TIME_NEVER;
    return l->began + (tern_time)(l->calls * UINT64_C(1000000000) / l->per_second);
}

static tern_time earlier(tern_time a, tern_time b)
{
    return a < b ? a : b;
}

/* Talks, or connections whose last words the peer has not acknowledged. */
static bool is_talking(const struct live *l)
{
    struct churn_counts t;

    churn_counts(l->churn, &t);
    return t.talking > 0 || tern_stack_connections_unfinished(tern_loop_stack(l->loop)) > 0;
}

/* Standard input has ended: so do we. */
static void on_input(void *user, int fd, uint32_t poll_bits)
{
    struct live *l = user;
    char byte;

    (void)poll_bits;
    if (read(fd, &byte, 1) > 0)
        return;
    l->ends = tern_loop_now(l->loop);
    (void)!tern_loop_watch(l->loop, fd, 0, NULL, NULL);
}

static int run(struct live *l)
{
    for (int i = 0; i < FIRST && l->per_second > 0; i++)
        (void)churn_call(l->churn);
    for (;;) {
        const tern_time now = tern_loop_now(l->loop);

        while (now < l->ends && call_at(l) <= now) {
            (void)churn_call(l->churn);
            l->calls++;
        }
        if (now >= l->sample_at) {
            print_sample(l);
            l->sample_at += l->sample_every;
        }
        if (now >= l->ends && (!is_talking(l) || now >= l->ends + LAST_WORDS))
            return 0;
        if (tern_loop_run(l->loop, earlier(now < l->ends ? call_at(l) : TERN_TIME_NEVER,
                                           l->sample_at)) != TERN_ERR_OK)
            return refuse("run", "the link is gone");
        churn_events(l->churn);
    }
}

int main(int argc, char **argv)
{
    struct churn_options o = {.port = PORT, .talks_max = TALKS_MAX};
    struct live l = {0};
    struct tern_cidr own;
    struct churn_counts t;

    if (argc < 7 || tern_cidr_parse(argv[2], &own) != TERN_ERR_OK ||
        tern_addr_parse(argv[3], &o.peer) != TERN_ERR_OK)
        return refuse("usage", "INTERFACE ADDRESS/LEN PEER CALLS SECONDS SAMPLE_SECONDS [IMPAIR]");
    if (open_loop(&l, argv, &own) != 0 || claim(&l, &own) != 0)
        return 1;
    l.per_second = strtoull(argv[4], NULL, 10);
    o.stack = tern_loop_stack(l.loop);
    o.seed = own.addr.b[15];
    l.churn = churn_create(&o);
    if (l.churn == NULL)
        return refuse("churn", "cannot listen");
    l.began = tern_loop_now(l.loop);
    l.ends = l.began + (tern_time)strtoull(argv[5], NULL, 10) * TERN_SECOND;
    l.sample_every = (tern_time)strtoull(argv[6], NULL, 10) * TERN_SECOND;
    l.sample_at = l.began;
    if (l.per_second == 0 &&
        tern_loop_watch(l.loop, STDIN_FILENO, POLLIN, on_input, &l) != TERN_ERR_OK)
        return refuse("standard input", "cannot be watched");
    printf("ready\n");
    (void)fflush(stdout);
    if (l.sample_every <= 0 || run(&l) != 0)
        return 1;
    print_sample(&l);
    churn_counts(l.churn, &t);
    if (t.failed > 0)
        (void)fprintf(stderr, "churn_live: the last that failed: %s\n", churn_complaint(l.churn));
    churn_destroy(l.churn);
    tern_loop_destroy(l.loop);
    return t.failed == 0 && t.talking == 0 ? 0 : 1;
}
