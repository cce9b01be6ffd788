/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floods against a stack that has a friend. For each kind: the friend's transfer, both ways, ends
 * with the right bytes and within a bound of the time that it takes undisturbed; what the victim
 * says to strangers is bounded; its tables hold no more than their maximum, and once the flood is
 * over and everyone has closed, all memory is back and a newcomer is served.
 *
 *     flood [KIND...]     all, or these
 */
#include <stdio.h>

#include "floods.h"

#define EACH_MS 50 /* hostile frames a millisecond: 50,000 a second */
#define SLOWER_PARTS                                                                               \
    25 /* the transfer may take so many hundredths longer: a fifth of its goodput */
#define LIMIT_SECOND 400 /* challenges, resets and ICMP a second, drawn anew each: limit.c, icmp */
#define GAP          (200 * TERN_SECOND)

/* So long that it is stuck for sure. */
#define PATIENCE (60 * TERN_SECOND)

static void judge_answers(const struct flood *f, const struct flood_kind *kind, tern_time took)
{
    const uint64_t seconds = (uint64_t)(took / TERN_SECOND) + 2;
    const uint64_t bound[] = {[ANSWER_NONE] = 0,
                              [ANSWER_LIMITED] = LIMIT_SECOND * seconds,
                              [ANSWER_EACH] = f->counts.hostile};

    flood_require(f->counts.strangers <= bound[kind->answers], "answers to strangers",
                  f->counts.strangers, bound[kind->answers]);
    flood_require(f->counts.challenges <= LIMIT_SECOND * seconds, "challenges",
                  f->counts.challenges, LIMIT_SECOND * seconds);
}

static void judge_tables(const struct flood *f)
{
    struct tern_stack_counters c;

    tern_stack_check(f->victim);
    tern_stack_counters(f->victim, &c);
    flood_require(c.connections_used <= 64, "connections", c.connections_used, 64);
    flood_require(c.time_waits_used <= 64, "TIME-WAITs", c.time_waits_used, 64);
    flood_require(c.chunks_used <= 4096, "chunks", c.chunks_used, 4096);
}

/* The flood runs until the transfer is done; how long that took. */
static tern_time transfer(struct flood *f, const struct flood_kind *kind)
{
    const tern_time began = f->now;
    uint32_t n = 0;

    while (!flood_is_done(f)) {
        for (int i = 0; i < EACH_MS && kind != NULL; i++) {
            kind->hostile(f, n++);
            if ((i & 15) == 15)
                flood_hear(f);
        }
        flood_run(f, f->now + TERN_MS);
        if (n % (100 * EACH_MS) == 0)
            judge_tables(f);
        flood_require(f->now - began < PATIENCE, "seconds of a transfer",
                      (uint64_t)((f->now - began) / TERN_SECOND), PATIENCE / TERN_SECOND);
    }
    return f->now - began;
}

/* All give up their ends; thieves' connections time out; what is left in the pools? */
static void judge_end(struct flood *f)
{
    struct tern_stack_counters c;

    tern_tcp_close(f->conn[1]);
    tern_tcp_close(f->conn[0]);
    f->conn[0] = f->conn[1] = NULL;
    flood_run(f, f->now + TERN_SECOND);
    flood_drop_held(f);
    flood_run(f, f->now + GAP);
    tern_stack_counters(f->victim, &c);
    flood_require(c.connections_used == 0, "connections afterwards", c.connections_used, 0);
    flood_require(c.chunks_used == 0, "chunks afterwards", c.chunks_used, 0);
    flood_require(c.time_waits_used == 0, "TIME-WAITs afterwards", c.time_waits_used, 0);
    tern_stack_check(f->victim);
}

/* A real host comes along, while the flood's state is all there. */
static void judge_newcomer(struct flood *f)
{
    const struct tern_tcp_options dial = {.remote = {tern_addr_v4(10, 0, 0, 1), PORT}};
    struct tern_conn *conn;
    const tern_time began = f->now;

    f->serve = SERVE_LEAVE;
    flood_require(tern_tcp_connect(f->friend, &dial, &conn) == TERN_ERR_OK, "a dial", 0, 0);
    while (tern_tcp_state(conn) == TERN_TCP_SYN_SENT && f->now - began < 3 * TERN_SECOND) {
        tern_time until = f->now + TERN_MS;

        while (f->now < until) { /* flood_run() ends at once where the streams are whole */
            struct tern_conn *had[2] = {f->conn[0], f->conn[1]};

            f->conn[0] = f->conn[1] = NULL;
            flood_run(f, until);
            f->conn[0] = had[0];
            f->conn[1] = had[1];
        }
    }
    flood_require(tern_tcp_state(conn) == TERN_TCP_ESTABLISHED, "state of a newcomer",
                  tern_tcp_state(conn), TERN_TCP_ESTABLISHED);
    tern_tcp_abort(conn);
}

static tern_time undisturbed(void)
{
    static struct flood f;
    tern_time took;

    flood_open(&f, 1);
    took = transfer(&f, NULL);
    judge_end(&f);
    flood_close(&f);
    return took;
}

static void judge(const struct flood_kind *kind, tern_time calm)
{
    static struct flood f;
    tern_time took, bound = calm + calm * SLOWER_PARTS / 100;

    printf("%-17s", kind->name);
    fflush(stdout);
    flood_open(&f, 1);
    f.serve = kind->serve;
    flood_steal(&f, kind->thieves);
    took = transfer(&f, kind);
    printf("%7llu frames, %6llu answers, %4llu challenges, %llu ms\n",
           (unsigned long long)f.counts.hostile, (unsigned long long)f.counts.strangers,
           (unsigned long long)f.counts.challenges, (unsigned long long)(took / TERN_MS));
    flood_require(took <= bound, "milliseconds of a transfer", (uint64_t)(took / TERN_MS),
                  (uint64_t)(bound / TERN_MS));
    judge_answers(&f, kind, took);
    judge_tables(&f);
    judge_newcomer(&f);
    judge_end(&f);
    flood_close(&f);
}

static bool is_wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return argc < 2;
}

static bool is_kind(const char *word)
{
    for (size_t i = 0; i < flood_kinds_count; i++)
        if (strcmp(flood_kinds[i].name, word) == 0)
            return true;
    return false;
}

/* A misspelt word must not pass for a flood that was withstood. */
static int usage(const char *word)
{
    fprintf(stderr, "flood: no flood is named %s; there are:", word);
    for (size_t i = 0; i < flood_kinds_count; i++)
        fprintf(stderr, " %s", flood_kinds[i].name);
    fputs("\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    tern_time calm;

    for (int i = 1; i < argc; i++)
        if (!is_kind(argv[i]))
            return usage(argv[i]);
    calm = undisturbed();
    printf("undisturbed: %llu ms\n", (unsigned long long)(calm / TERN_MS));
    for (size_t i = 0; i < flood_kinds_count; i++)
        if (is_wanted(flood_kinds[i].name, argc, argv))
            judge(&flood_kinds[i], calm);
    return 0;
}
