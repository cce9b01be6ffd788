/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_TALK_H
#define TERN_CLI_TALK_H
/*
 * What every verb that talks has in common: the shared flags (--link, --interface, --address,
 * --gateway, --dns, --mac, --pcap, --impair, --seed, --stats, --claim), and bringing a link, a stack and an own
 * address up, and down again in good order.
 */
#include <getopt.h>
#include <stdio.h>

#include <tern/tern.h>

#include "link/lab.h"
#include "link/record.h"

struct tern_talk_options {
    const char *link; /* "lan:IF", "slirp", "lab", NULL: lan:interface, or slirp */
    const char *interface;
    const char
        *address; /* A/LEN; NULL: the link's own default, or an error that says what to give */
    const char *gateway, *dns;
    const char *mac; /* "own" (default), "host", xx:xx:… */
    const char *pcap, *impair, *stats;
    const char *seed;
    const char *claim; /* "fast" (default), "rfc" */
    bool verbose;
    tern_record_fn *record; /* for pictures; may be NULL */
    void *record_user;
    uint32_t traces_count; /* 0: off */
};

/* getopt_long() entries, and what to do with the values that they return (1000 and up). */
#define TERN_TALK_FLAGS_FIRST 1000
extern const struct option tern_talk_flags[]; /* ends with a zeroed entry */
extern const size_t tern_talk_flags_count;    /* without that entry */
bool tern_talk_flag(struct tern_talk_options *options, int value,
                    const char *argument); /* false: not ours */
extern const char tern_talk_help[];        /* their part of --help */

struct tern_talk {
    struct tern_talk_options options;
    struct tern_loop *loop;
    struct tern_stack *stack;
    struct tern_lab *lab;      /* with --link lab */
    struct tern_link *capture; /* with --pcap */
    struct tern_cidr address;  /* ours */
    struct tern_addr gateway, dns;
    struct tern_mac mac;
    char link_text[80]; /* "lan:eth0", "slirp (…)": for words */
    void *closed_json;  /* json_t array: connections that ended, for --stats */
    int64_t seed_given; /* -1: none */
};

/*
 * Open the link (with impair, capture and record around it), make the loop, claim the address. Errors are
 * said on standard error, one line 'tern: …' with what failed, why, and what to try.
 * Returns 0, or curl's exit code: 2 usage, 45 interface error (also: address in use, no permission).
 */
int tern_talk_open(struct tern_talk *talk, const struct tern_talk_options *options);
/* One turn of the loop until `until`; drains traces into verbose lines and statistics. */
enum tern_err tern_talk_run(struct tern_talk *talk, tern_time until);
/* Let connections finish closing on the wire (at most linger, then reset), write --stats, close captures, free all.
 * Returns 0, or 23 where the capture or statistics could not be written. */
int tern_talk_close(struct tern_talk *talk, tern_time linger);

/* Resolve text: a literal address, or a name by DNS over this stack. One line on stderr where it fails; exit code 6. */
int tern_talk_resolve(struct tern_talk *talk, const char *host, struct tern_addr *out);

/* SIGINT and SIGTERM set this and wake the loop. */
bool tern_talk_interrupted(void);

#endif
