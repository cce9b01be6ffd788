/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_MILESTONE_H
#define TERN_APPS_MILESTONE_H
/*
 * What the protocols above the stack did: for the event log, beside the stack's own notes. Threads
 * that are not the stack's leave theirs in a queue, which the stack's thread empties each turn; a
 * full queue loses what comes until it has been emptied, and says at its end how many that were.
 */
#include <pthread.h>

#include <tern/tern.h>

enum tern_milestone_kind {
    TERN_MILESTONE_DNS_ASKED,     /* text: the name */
    TERN_MILESTONE_DNS_ANSWERED,  /* text: the name; more: what came of it, in words; addresses */
    TERN_MILESTONE_TLS_DONE,      /* text: version and cipher; more: the protocol agreed, or "" */
    TERN_MILESTONE_HTTP_REQUEST,  /* text: method; more: target; version */
    TERN_MILESTONE_HTTP_RESPONSE, /* version, number: status */
    TERN_MILESTONE_HTTP_BODY,     /* number: bytes */
    TERN_MILESTONE_LOST,          /* number: so many found the queue full; at: the first of them */
};

#define TERN_MILESTONE_TEXT_MAX      256
#define TERN_MILESTONE_ADDRESSES_MAX 8
#define TERN_MILESTONES_MAX          64

struct tern_milestone {
    tern_time at;
    enum tern_milestone_kind kind;
    uint64_t number;
    char text[TERN_MILESTONE_TEXT_MAX], more[TERN_MILESTONE_TEXT_MAX];
    char version[16];
    int addresses_count;
    struct tern_addr addresses[TERN_MILESTONE_ADDRESSES_MAX];
};

struct tern_milestones {
    pthread_mutex_t lock;
    uint32_t count;
    uint64_t lost; /* since the queue was last empty */
    tern_time lost_at;
    struct tern_milestone queue[TERN_MILESTONES_MAX];
};

void tern_milestones_init(struct tern_milestones *m);
void tern_milestones_fini(struct tern_milestones *m);
/* Any thread. Texts that are longer than there is room are cut. */
void tern_milestones_put(struct tern_milestones *m, const struct tern_milestone *milestone);
/* The oldest, those that were lost after the last that fitted; false: none. */
bool tern_milestones_take(struct tern_milestones *m, struct tern_milestone *out);
/* A text, cut to what fits. */
void tern_milestone_text(char *to, size_t to_bytes, const char *text, size_t bytes);

#endif
