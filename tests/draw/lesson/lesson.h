/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TEST_DRAW_LESSON_H
#define TERN_TEST_DRAW_LESSON_H
/*
 * The conversations of docs/learn-tcp.md: stacks of tern in one process, a wire between them, and
 * virtual time, so that each run is the same, frame for frame. What goes by at one end of the wire
 * goes into a model, and from there into a picture.
 */
#include <tern/tern.h>

#include "report/model.h"

/* The kernel is a third stack, with the client's address and MAC, which nobody spoke to. */
enum lesson_end { LESSON_CLIENT, LESSON_SERVER, LESSON_KERNEL, LESSON_ENDS };

#define LESSON_DROPS_MAX 8
#define LESSON_PORT      80

struct lesson;

struct lesson_story {
    const char *name;
    enum lesson_end watch;           /* where the picture is taken */
    bool kernel;                     /* the client has a kernel that knows nothing of this */
    tern_time delay;                 /* of the wire, one way; 0: 10 ms */
    uint64_t bytes_per_second;       /* of the wire; 0: 12,500,000 (100 Mbit/s) */
    uint32_t window;                 /* the client's receive buffer; 0: 1 MB */
    tern_time ack_every;             /* tern_tcp_options */
    bool unpaced;                    /* the server sends a burst as one */
    uint32_t drop[LESSON_DROPS_MAX]; /* the server's segments with data that are lost, from 1 */
    tern_time until;                 /* the story ends here */
    /* What both applications do, whenever something may have happened. */
    void (*act)(struct lesson *lesson);
};

struct lesson {
    const struct lesson_story *story;
    struct tern_model *model;
    tern_time now, start;
    struct tern_conn *client, *server; /* NULL: not yet, or given up */
    unsigned step;                     /* the story's own: how far it is */
    uint64_t written, read;
};

/* Play a story into a model, which is the caller's; NULL with words: it could not be. */
struct tern_model *lesson_play(const struct lesson_story *story);

/* Since the story began. */
static inline tern_time lesson_time(const struct lesson *l)
{
    return l->now - l->start;
}

/* Ask to be called again at this time, counted from the beginning. */
void lesson_wake(struct lesson *l, tern_time at);
_Noreturn void lesson_fail(const char *what);

extern const struct lesson_story lesson_stories[];
extern const size_t lesson_stories_count;

#endif
