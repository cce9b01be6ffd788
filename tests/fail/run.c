/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live a life again and again, and let the n-th call fail each time, until a run makes fewer calls
 * than that.
 *
 *     fail_run LIFE [STRIDE [FIRST [LAST]]]
 *
 * STRIDE: every so manieth call only (1: all). FIRST and LAST: these calls only, told one by one.
 * Each time: no crash, no life without end, nothing kept that was not kept before, and either every
 * byte is right or a step says that it failed. Then, in the same process, a life without a failure
 * must go well.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "life.h"

#define CALLS_MAX     200000u
#define WORK_MAX      2500000u /* calls a life: ten for each turn that it may take */
#define CLEAN_EVERY   64u
#define SKIPPED       77  /* meson's word for it */
#define SECONDS_A_RUN 20u /* a system call that blocks for good: the alarm ends the program */

static const struct {
    const char *name;
    life_fn *live;
    enum faults_domain domain;
    const char *(*prepare)(void); /* once; NULL: nothing is to be prepared */
} lives[] = {
    {"pair", life_pair, FAULTS_SYSTEM, NULL},
    {"slirp", life_slirp, FAULTS_SYSTEM, NULL},
    {"tap", life_tap, FAULTS_SYSTEM, life_tap_prepare},
    {"tap_queues", life_tap_queues, FAULTS_SYSTEM, life_tap_queues_prepare},
    {"driver", life_driver, FAULTS_DRIVER, NULL},
};

struct tally {
    uint32_t runs, survived, told, failures;
    uint32_t calls_most;
    bool aloud;
};

static life_fn *live;
static const char *(*prepare)(void);
static enum faults_domain domain;
static tern_time clock_now;

static const struct faults_plan *under_way;

/* A crash, an assertion, or the alarm: say in which life. */
static void last_words(int signal_number)
{
    char text[128];
    const int n = snprintf(text, sizeof text, "signal %d: call %u, flavour %u, mode %d\n",
                           signal_number, under_way->at, under_way->flavour, under_way->mode);

    (void)faults_disarm();
    (void)!write(STDOUT_FILENO, text, (size_t)n);
    _exit(1);
}

static void judge(struct tally *t, const struct faults_plan *plan, const struct life_end *end,
                  const struct faults_result *r, const struct faults_held *before)
{
    const struct faults_held after = faults_held();
    const char *wrong = NULL;

    if (end->hung)
        wrong = "no end";
    else if (r->calls > WORK_MAX)
        wrong = "too much work";
    else if (end->wrong)
        wrong = "wrong bytes";
    else if (end->step != NULL && end->error == 0)
        wrong = "no error";
    else if (end->step != NULL && r->hits == 0)
        wrong = "failed by itself";
    else if (after.blocks != before->blocks)
        wrong = "memory kept";
    else if (after.mappings != before->mappings)
        wrong = "a mapping kept";
    else if (after.descriptors != before->descriptors)
        wrong = "a descriptor kept";
    t->runs++;
    t->survived += r->hits > 0 && end->step == NULL;
    t->told += r->hits > 0 && end->step != NULL;
    t->failures += wrong != NULL;
    if (wrong != NULL || t->aloud)
        (void)printf("%s: call %u (%s, error %d, flavour %u, %s) of %u: ended at %s with %d\n",
                     wrong == NULL ? "right" : wrong, plan->at, r->name == NULL ? "-" : r->name,
                     r->error, plan->flavour, plan->mode == FAULTS_ONCE ? "once" : "for good",
                     r->calls, end->step == NULL ? "the end" : end->step, end->error);
    (void)fflush(stdout);
}

static struct faults_result one(struct tally *t, const struct faults_plan *plan)
{
    const struct faults_held before = faults_held();
    struct life_end end = {0};
    struct faults_result result;

    under_way = plan;
    clock_now = TERN_SECOND;
    faults_clock(&clock_now);
    (void)alarm(SECONDS_A_RUN);
    faults_arm(plan);
    live(&end);
    result = faults_disarm();
    (void)alarm(0);
    faults_clock(NULL);
    if (result.hits == 0)
        t->calls_most = result.calls > t->calls_most ? result.calls : t->calls_most;
    judge(t, plan, &end, &result, &before);
    return result;
}

static void clean(struct tally *t)
{
    const struct faults_plan none = {.domain = domain};

    (void)one(t, &none);
}

/* The n-th call with each of its errors, once and for good; false: there was none. */
static bool nth(struct tally *t, uint32_t n)
{
    struct faults_plan plan = {.at = n, .domain = domain};
    uint32_t flavours = 1, hits = 0;

    for (plan.flavour = 0; plan.flavour < flavours; plan.flavour++) {
        for (plan.mode = FAULTS_ONCE; plan.mode <= FAULTS_FOR_GOOD; plan.mode++) {
            const struct faults_result result = one(t, &plan);

            hits += result.hits;
            flavours = result.hits > 0 ? result.flavours : flavours;
        }
    }
    return hits > 0;
}

static void all(struct tally *t, uint32_t stride, uint32_t first, uint32_t last)
{
    for (uint32_t n = first; n <= last && nth(t, n); n += stride)
        if (n / stride % CLEAN_EVERY == 0)
            clean(t);
    clean(t);
}

static long number(int argc, char **argv, int at, long otherwise)
{
    return argc > at ? strtol(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    struct tally t = {.aloud = argc > 3};
    long stride = number(argc, argv, 2, 1);
    const char *why;

    for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
        if (argc > 1 && strcmp(argv[1], lives[i].name) == 0) {
            live = lives[i].live;
            domain = lives[i].domain;
            prepare = lives[i].prepare;
        }
    }
    if (live == NULL || stride < 1) {
        (void)fprintf(stderr, "usage: fail_run LIFE [STRIDE [FIRST [LAST]]]\n");
        return 2;
    }
    why = prepare == NULL ? NULL : prepare();
    if (why != NULL) {
        (void)printf("%s: skipped: %s\n", argv[1], why);
        return SKIPPED;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGALRM, last_words);
    (void)signal(SIGABRT, last_words);
    (void)signal(SIGSEGV, last_words);
    clean(&t); /* what is set up once and kept: libraries, locales */
    if (t.failures > 0)
        (void)printf("(the first life may keep what libraries set up once)\n");
    t = (struct tally){.aloud = t.aloud};
    clean(&t);
    all(&t, (uint32_t)stride, (uint32_t)number(argc, argv, 3, 1),
        (uint32_t)number(argc, argv, 4, CALLS_MAX));
    (void)printf("%s: %u calls a life; %u lives: %u went well in spite of it, %u said why not, "
                 "%u failures\n",
                 argv[1], t.calls_most, t.runs, t.survived, t.told, t.failures);
    if (t.survived + t.told == 0) {
        (void)fprintf(stderr, "fail_run: no call of this life has such a number\n");
        return 2;
    }
    return t.failures == 0 ? 0 : 1;
}
