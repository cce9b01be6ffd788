/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_FAIL_FAULTS_H
#define TERN_TESTS_FAIL_FAULTS_H
/*
 * The n-th call fails. Every call of the libraries to the heap and to the system that can fail
 * goes through this (the linker's --wrap; faults_list.h names them), is counted, and the n-th
 * since faults_arm() fails with an error that the call knows: which of several says the flavour. In
 * the persistent form all later calls of the same function fail as well.
 *
 * What the libraries hold is counted too: heap blocks, mappings, and the process's descriptors.
 *
 * With a clock of the test's own, clock_gettime() reads that, each reading moves it on by a
 * microsecond, and a sleep of the loop moves it to the sleep's end: nothing waits.
 */
#include <stdbool.h>
#include <stdint.h>

#include <tern/time.h>

enum faults_mode {
    FAULTS_ONCE,
    FAULTS_FOR_GOOD,
};

/* Which calls count and fail. */
enum faults_domain {
    FAULTS_SYSTEM, /* those of faults_list.h */
    FAULTS_DRIVER, /* those of a link (faulty_link.h) */
};

struct faults_plan {
    uint32_t at; /* 1: the first call; 0: none */
    uint32_t flavour;
    enum faults_mode mode;
    enum faults_domain domain;
};

struct faults_result {
    uint32_t calls;   /* made since armed */
    uint32_t hits;    /* failed by us */
    const char *name; /* the call that failed first; NULL: none */
    int error;
    uint32_t flavours; /* so many errors has that call */
};

void faults_arm(const struct faults_plan *plan);
struct faults_result faults_disarm(void);
/* A call of a driver: 0: it goes well; else which of its faults, from 1 on. */
uint32_t faults_driver(const char *name, uint32_t faults_count);

/* What each call asks first: the error to fail with; 0: it goes through. From FAULTS_OTHERS on the
 * numbers are free for calls that are not in faults_list.h. */
#define FAULTS_OTHERS 1000u
int faults_fail(uint32_t call, const char *name, const int *errors, uint32_t errors_count);

/* Calls of the test's own, which are not counted and do not fail. */
void faults_pause(bool on);

struct faults_held {
    int64_t blocks, mappings;
    int descriptors;
};
struct faults_held faults_held(void);

/* NULL: the system's. */
void faults_clock(tern_time *clock);
/* Since it was last asked: did somebody sleep with no end in sight? */
bool faults_slept_for_good(void);

#endif
