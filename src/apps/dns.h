/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_DNS_H
#define TERN_APPS_DNS_H
/*
 * Names to addresses: c-ares over tern's own UDP, and TCP where an answer was truncated. No kernel
 * socket, no /etc/resolv.conf, no /etc/hosts. IPv4 addresses. The stack's thread.
 */
#include <tern/tern.h>

#include "apps/milestone.h"

#define TERN_DNS_ADDRESSES_MAX 8

enum tern_dns_result {
    TERN_DNS_FOUND,
    TERN_DNS_NOT_FOUND, /* the server says that there is no such name, or no address for it */
    TERN_DNS_SILENT,    /* the server did not answer, or cannot be reached */
    TERN_DNS_FAILED,    /* it refused, or answered with an error or nonsense */
    TERN_DNS_NO_SERVER, /* no server was given */
    TERN_DNS_BAD_NAME,  /* not a name that DNS can hold */
    TERN_DNS_STOPPED,   /* the resolver was destroyed */
};

struct tern_dns_answer {
    enum tern_dns_result result;
    int addresses_count;
    struct tern_addr addresses[TERN_DNS_ADDRESSES_MAX];
};

struct tern_dns_options {
    struct tern_loop *loop;
    struct tern_endpoint server;        /* any address: none; each query says so */
    int timeout_ms;                     /* of the first try, doubled each time; 0: 2000 */
    int tries;                          /* 0: 3 */
    struct tern_milestones *milestones; /* questions and answers are told there; NULL: nowhere */
};

struct tern_dns;
typedef void tern_dns_fn(void *user, const struct tern_dns_answer *answer);

/* TERN_ERR_MEMORY; TERN_ERR_SYSTEM: c-ares would not start. */
TERN_NODISCARD enum tern_err tern_dns_create(const struct tern_dns_options *options,
                                             struct tern_dns **out);
/* Queries that wait are answered TERN_DNS_STOPPED. */
void tern_dns_destroy(struct tern_dns *dns);
/* Ask; the answer may come before the return. A literal address is its own answer. */
void tern_dns_query(struct tern_dns *dns, const char *name, tern_dns_fn *answered, void *user);
/* When it next needs the clock, and that it has come. */
tern_time tern_dns_deadline(const struct tern_dns *dns);
void tern_dns_expire(struct tern_dns *dns, tern_time now);
/* Plain words for a result; never NULL. */
const char *tern_dns_text(enum tern_dns_result result);

#endif
