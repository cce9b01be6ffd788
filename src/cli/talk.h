/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_TALK_H
#define TERN_CLI_TALK_H
/*
 * What every verb that talks has in common: the shared flags (--link, --interface, --address,
 * --gateway, --dns, --mac, --pcap, --secrets, --sqlog, --ladder, --draw, --impair, --seed, --stats,
 * --claim), and bringing a link, a stack and an own address up, and down again in good order.
 */
#include <getopt.h>
#include <stdio.h>

#include <tern/tern.h>

#include "apps/sqlog.h"
#include "link/lab.h"
#include "link/record.h"
#include "link/secrets.h"

#define TERN_TALK_DRAW_MAX 4

struct tern_talk_options {
    const char *link; /* "lan:IF", "tap:NAME", "slirp", "lab", NULL: lan:interface, or slirp */
    const char *interface;
    const char
        *address; /* A/LEN; NULL: the link's own default, or an error that says what to give */
    const char *gateway, *dns;
    const char *mac; /* "own" (default), "host", xx:xx:… */
    const char *pcap, *impair, *stats, *sqlog;
    bool server; /* connections come to it: how the event log calls the vantage point */
    const char *seed;
    const char *claim;                    /* "fast" (default), "rfc" */
    const char *draw[TERN_TALK_DRAW_MAX]; /* files of the picture */
    unsigned draw_count;                  /* how often the flag was given */
    const char *width;                    /* of the ladder */
    bool ladder, ascii, secrets;
    struct tern_secrets *keys; /* of the verb, which speaks TLS; NULL: it does not */
    void (*lab_serve)(void *user, void (*ready)(void)); /* the lab's server (see lab.h); NULL: the
                                                           one of pages */
    void *lab_serve_user;
    bool no_offload;    /* the link is not asked for super-segments or checksums */
    bool address_again; /* --address was given more than once */
    bool verbose;
    uint32_t traces_count;    /* 0: off */
    uint32_t connections_max; /* of the stack; 0: as many as it has by default */
};

/* getopt_long() entries, and what to do with the values that they return (1000 and up). */
#define TERN_TALK_FLAGS_FIRST 1000
extern const struct option tern_talk_flags[]; /* ends with a zeroed entry */
extern const size_t tern_talk_flags_count;    /* without that entry */
bool tern_talk_flag(struct tern_talk_options *options, int value,
                    const char *argument); /* false: not ours */
extern const char tern_talk_help[];        /* their part of --help */

/* Filled by tern_talk_open(); read what you like, change nothing. */
struct tern_talk {
    struct tern_talk_options options;
    struct tern_loop *loop;
    struct tern_stack *stack;
    struct tern_lab *lab;               /* with --link lab */
    struct tern_link *capture;          /* with --pcap */
    struct tern_sqlog *sqlog;           /* with --sqlog */
    struct tern_milestones *milestones; /* the same: of the protocols above, from any thread */
    struct talk_picture *picture;       /* with --ladder or --draw */
    struct tern_cidr address;           /* ours */
    struct tern_addr gateway, dns;      /* any address: none */
    uint16_t dns_port;
    struct tern_mac mac;
    char link_text[80];     /* "lan:eth0", "slirp (…)": for words */
    void *closed_json;      /* json_t array: connections that ended, for --stats */
    int64_t seed_given;     /* -1: none */
    int64_t wall_offset_ns; /* one for capture and log, so that their times are the same */
    int address_lock;       /* holds the address against other terns of this host; -1: none */
    bool address_claimed;   /* it was probed and announced */
    bool address_lost;      /* somebody else took it, and said so on standard error */
    bool link_lost;         /* the same for the link */
};

/*
 * Open the link (with impair, capture and picture around it), make the loop, claim the address.
 * Errors are said on standard error, one line 'tern: …' with what failed, why, and what to try.
 * Call before there are threads (--link lab forks). *talk needs no preparation.
 * Returns 0, or curl's exit code: 2 usage, 23 the capture or picture cannot be written, 45
 * interface error (also: address in use, no permission), 130 interrupted.
 */
int tern_talk_open(struct tern_talk *talk, const struct tern_talk_options *options);
/*
 * One turn of the loop until `until`; drains traces into verbose lines and statistics. Pull
 * stack events after each turn, and hand those of kind TERN_EVENT_ADDRESS to tern_talk_event().
 * TERN_ERR_LINK or TERN_ERR_ADDRESS_IN_USE: it is over (and was said): leave with exit code 45.
 */
enum tern_err tern_talk_run(struct tern_talk *talk, tern_time until);
/* An event of the stack that is no connection's; false: not ours. */
bool tern_talk_event(struct tern_talk *talk, const struct tern_event *event);
/*
 * Let connections finish closing on the wire (at most linger, then reset; at once after a second
 * ^C), write --stats and the picture, close captures, free all.
 * Returns 0, or 23 where the capture, the picture or statistics could not be written.
 */
int tern_talk_close(struct tern_talk *talk, tern_time linger);

/* Resolve text: a literal address, or a name by DNS over this stack. One line on stderr where
 * it fails. Returns 0, or curl's exit code 6, or 130 when interrupted. Not while other sockets of
 * the stack are open: their events would be lost. */
int tern_talk_resolve(struct tern_talk *talk, const char *host, struct tern_addr *out);

/* Count SIGINT, SIGTERM and SIGHUP from now on. */
void tern_talk_signals_hear(void);
/* The same, and wake this loop; NULL: wake nothing any more. */
void tern_talk_signals(struct tern_loop *loop);

/* SIGINT, SIGTERM and SIGHUP set this and wake the loop. */
bool tern_talk_interrupted(void);
/* How often they came: from two on, the user is impatient. */
int tern_talk_interrupts(void);

#endif
