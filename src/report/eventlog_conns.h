/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_EVENTLOG_CONNS_H
#define TERN_REPORT_EVENTLOG_CONNS_H
/*
 * What must be remembered of the connections that an event log tells of: the window scales that two
 * endpoints agreed on, and whose a group of events is. It grows with the connections, up to more of
 * them than a model tells apart.
 */
#include <tern/addr.h>

#include "base/hash.h"
#include "base/table.h"

#define TERN_EVENTLOG_CONNS_MAX (1u << 17) /* of either kind */

/* What a pair of endpoints agreed on: as its SYNs said. */
struct tern_eventlog_pair {
    struct tern_table_node node;
    struct tern_endpoint local, remote;
    int shift[2]; /* of the window that we send, that they send; -1: not heard of */
};

/* Whose a group of events is. */
struct tern_eventlog_group {
    struct tern_table_node node;
    uint64_t id;
    struct tern_endpoint local, remote;
};

struct tern_eventlog_conns {
    struct tern_table pairs, groups;
    uint32_t pair_count, group_count;
    struct tern_hash_key key; /* strangers choose what is hashed */
};

/* False: out of memory; fini is fine all the same. */
bool tern_eventlog_conns_init(struct tern_eventlog_conns *c, uint64_t seed);
void tern_eventlog_conns_fini(struct tern_eventlog_conns *c);
/* Found, or new, with shifts of -1. NULL: there is no room for it. Valid until fini. */
struct tern_eventlog_pair *tern_eventlog_pair(struct tern_eventlog_conns *c,
                                              const struct tern_endpoint *local,
                                              const struct tern_endpoint *remote);
/* NULL: nobody said whose it is. */
const struct tern_eventlog_group *tern_eventlog_group(const struct tern_eventlog_conns *c,
                                                      uint64_t id);
/* A number that was used before is whose it is now. False: there is no room for it. */
bool tern_eventlog_group_set(struct tern_eventlog_conns *c, uint64_t id,
                             const struct tern_endpoint *local, const struct tern_endpoint *remote);

#endif
