/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_FLOOD_FLOODS_H
#define TERN_TESTS_FLOOD_FLOODS_H
/* The floods: what each sends, who sends it, and how much the victim may say to it. */
#include "world.h"

enum answers {
    ANSWER_NONE,    /* nothing at all */
    ANSWER_LIMITED, /* some hundreds a second, whatever comes */
    ANSWER_EACH,    /* no more than what comes */
};

struct flood_kind {
    const char *name;
    void (*hostile)(struct flood *f, uint32_t n); /* the nth frame */
    uint32_t thieves;                             /* connections that it holds, times scale */
    enum serve serve;
    enum answers answers;
};

extern const struct flood_kind flood_kinds[];
extern const size_t flood_kinds_count;

#endif
