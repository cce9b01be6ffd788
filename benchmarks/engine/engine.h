/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BENCH_ENGINE_H
#define TERN_BENCH_ENGINE_H
/*
 * The TCP engine measured against itself: two ends in one process and one thread, joined by memory.
 * Two such pairs are there, tern's and lwIP's; each does a workload and says how much of it was done.
 */
#include <stdbool.h>
#include <stdint.h>

enum engine_work {
    ENGINE_BULK, /* a unit is a segment with text */
    ENGINE_RR,   /* a byte there and a byte back */
    ENGINE_CONN, /* connect, a byte, and both sides close */
};

struct engine_setup {
    bool super; /* the link takes super-segments of 64 KiB, and hands them over whole */
    bool sums;  /* the link fills in no checksum and vouches for none: both ends sum all text */
    bool lend;  /* the sender lends what it sends, instead of having it copied */
};

#define ENGINE_WRITE_BYTES 65536 /* the sender's buffer, which it writes again and again */

struct engine_pair;

/* Ready to work: for bulk and round trips, with a connection; NULL: no memory. */
struct engine_pair *engine_tern_open(enum engine_work work, const struct engine_setup *setup);
/* Do so many units of work, or a few more; returns how many. */
uint64_t engine_tern_do(struct engine_pair *p, uint64_t units);
void engine_tern_close(struct engine_pair *p);

/* The same of lwIP; it has one way to be set up. */
bool engine_lwip_open(enum engine_work work);
uint64_t engine_lwip_do(uint64_t units);
void engine_lwip_close(void);
bool engine_lwip_is_there(void);

#endif
