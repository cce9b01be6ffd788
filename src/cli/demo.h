/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_DEMO_H
#define TERN_CLI_DEMO_H
/*
 * Between the files of `tern demo`. A story opens a world (a lab with the real kernel in it, or,
 * where namespaces are refused, nothing), joins it with one net after the other (a link, a loop, a
 * stack, and the model of what was said), fetches pages over it, and prints what happened.
 */
#include <stdio.h>

#include <tern/tern.h>

#include "cli/demo_server.h"
#include "cli/picture_file.h"
#include "link/lab.h"
#include "report/ladder.h"
#include "report/model.h"

#define DEMO_EXIT_STORY       1 /* the story did not hold */
#define DEMO_EXIT_USAGE       2
#define DEMO_EXIT_WRITE       23 /* a file that was asked for could not be written */
#define DEMO_EXIT_INTERFACE   45
#define DEMO_EXIT_INTERRUPTED 130

/* The files of a story, while it is told. */
struct demo_files {
    struct tern_picture_file picture;
    bool drawn;
    bool failed; /* one that was asked for is not whole, which was said */
};

struct demo_options {
    const char *story;
    const char *pcap;
    bool pcap_asked;  /* else it is where it always is, and the story does without if it must */
    const char *draw; /* NULL: none; ends in .svg or .html */
    struct demo_files *files;
    uint64_t seed;
    bool seeded;
    bool mem; /* two stacks in memory, no namespaces */
};

struct demo_world_options {
    uint32_t initcwnd;   /* of the server; 0: the kernel's own */
    bool kernel_address; /* the kernel of our side holds DEMO_KERNEL_ADDRESS */
};

/* Where the story happens, and the words around it. */
struct demo_world {
    const struct demo_options *options;
    struct tern_lab *lab; /* NULL: in memory */
    bool is_mem;
    struct tern_ladder_options screen;
    char us_text[64], peer_text[64];
};

struct demo_net_options {
    const char *impair;  /* NULL: a good network */
    bool capture;        /* into options->pcap */
    bool kernel_address; /* use the kernel's own address and MAC */
    tern_record_fn *tap; /* where the frames go instead of the model; NULL: the model */
    void *tap_user;
};

struct demo_net {
    struct demo_world *world;
    struct tern_loop *loop;
    struct tern_stack *stack;
    struct tern_link *capture;
    struct tern_model *model;
    struct demo_server server; /* in memory only */
    struct tern_addr address;
    bool claimed, lost;
    tern_record_fn *tap; /* where frames go instead of the model; NULL: the model */
    void *tap_user;
    tern_time started;
};

struct demo_fetch_options {
    const char *path;
    tern_time ack_every;
    bool half_close;     /* FIN right behind the request */
    tern_time fin_after; /* FIN so long after the request; 0: when the page is there */
    tern_time linger;    /* so long after the page is there before our FIN */
    bool abort;          /* RST and not FIN */
    tern_time give_up;   /* 0: 20 s */
};

struct demo_fetch {
    enum tern_err err; /* TERN_OK: the page came to its end */
    bool established;
    bool intact; /* each byte is the one that the server was to send */
    uint64_t bytes, bytes_wanted;
    tern_time took;
};

/* Counters of both sides, of before or of a difference; -1: there is no such thing here. */
struct demo_counters {
    int64_t resent_by_them, resent_by_us, kernel_resets, probes_by_them, timeouts_by_them;
};

#define DEMO_SERVER_ADDRESS tern_addr_v4(10, 9, 0, 1)
#define DEMO_OWN_ADDRESS    tern_addr_v4(10, 9, 0, 77)
#define DEMO_KERNEL_ADDRESS tern_addr_v4(10, 9, 0, 5)

/* ---- demo_world.c ---- */
/* 0, or an exit code with words on standard error. Falls back to memory where namespaces are
 * refused. */
int demo_world_open(struct demo_world *w, const struct demo_options *options,
                    const struct demo_world_options *world);
void demo_world_close(struct demo_world *w);
/* The line at the top, and words folded at the screen's width. */
void demo_title(const struct demo_world *w);
void demo_words(const struct demo_world *w, const char *text);
/* Header and ladder of all that the model holds. */
void demo_picture(struct demo_world *w, const struct demo_net *net);
/* The same from a step on, without the ARP before it, time beginning there. */
void demo_picture_from(struct demo_world *w, const struct demo_net *net, size_t first);
/* One line of printf, in the screen's character set. */
void demo_line(const struct demo_world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- demo_draw.c ---- */
/* By its ending: is it a page, or anything that can be drawn? */
bool demo_draw_is_page(const char *path);
bool demo_draw_is_known(const char *path);
/* Before anything is sent: can the files that were asked for be written? 0, or 23 with words. */
int demo_files_make(const struct demo_options *options);
/* At the end: 0, or 23 where one is not whole. */
int demo_files_finish(const struct demo_options *options);
/* The model's conversation into options->draw, where that is asked for, and was not done before. */
void demo_draw(struct demo_world *w, const struct tern_model *model);

/* ---- demo_net.c ---- */
int demo_net_open(struct demo_net *net, struct demo_world *w,
                  const struct demo_net_options *options);
void demo_net_close(struct demo_net *net);
/* One turn; false: the link is gone, or the user interrupted. */
bool demo_net_turn(struct demo_net *net, tern_time until);
void demo_counters(const struct demo_net *net, struct demo_counters *out);
/* after - before, where both are known. */
struct demo_counters demo_counters_since(const struct demo_counters *before,
                                         const struct demo_counters *after);

/* ---- demo_fetch.c ---- */
void demo_fetch(struct demo_net *net, const struct demo_fetch_options *options,
                struct demo_fetch *out);

/* An empty line. */
void demo_gap(void);
/* "0 resent by them · 0 by us · 0 resets from the kernel", as far as it is known. */
void demo_say_counters(const struct demo_world *w, const struct demo_counters *c);
/* Where the capture is, and what to try next. */
void demo_say_end(const struct demo_world *w, const struct demo_net *net, const char *next);
/* Why a fetch failed; the exit code. */
int demo_say_failure(const struct demo_net *net, const struct demo_fetch *fetch);

/* ---- demo_tour.c and its kin: the stories; the exit code ---- */
int demo_tour(const struct demo_options *options);
int demo_loss(const struct demo_options *options);
int demo_slow(const struct demo_options *options);
int demo_close(const struct demo_options *options);
int demo_kernel_rst(const struct demo_options *options);

#endif
