/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PACKETDRILL_PLUGIN_H
#define TERN_PACKETDRILL_PLUGIN_H
/* The plugin's state, and what its files call of each other. */
#include <pthread.h>

#include "packetdrill/interface.h"
#include <tern/socket.h>
#include <tern/stack.h>
#include <tern/tcp.h>

/* The text of --so_flags, read. */
struct tern_pd_flags {
    struct tern_addr local;
    uint32_t mtu_bytes;
    uint32_t send_buffer_bytes, receive_buffer_bytes;
    bool tso;
    bool fastopen; /* each listener takes data in a SYN, asked to or not */
    bool sysctl;   /* take the rest from the kernel's sysctls, at each new socket */
    const char *congestion;
    struct tern_tcp_settings tcp; /* what new sockets begin with */
};

/* A packet that the stack sent, until packetdrill takes it. */
struct tern_pd_packet {
    struct tern_pd_packet *next;
    tern_time at;
    size_t bytes;
    uint8_t data[];
};

struct tern_pd_list {
    struct tern_pd_packet *first, **last;
};

#define TERN_PD_OWN_MAX 16

/* The call that blocks: packetdrill never has more than one. */
enum tern_pd_blocked {
    TERN_PD_NOBODY,
    TERN_PD_WAITING,   /* asleep until news or a time limit */
    TERN_PD_LOOKING,   /* awake, about to see whether it can go on */
    TERN_PD_RETURNING, /* it came back, and is to read the clock before that moves */
};

struct tern_pd {
    struct tern_pd_flags flags;
    pthread_mutex_t lock; /* around everything here: two threads call */
    pthread_cond_t news;  /* for the blocked call */
    pthread_cond_t calm;  /* for who wants to move the clock: the blocked call stands still */
    pthread_t main;
    enum tern_pd_blocked blocked;
    tern_time blocked_until;
    uint64_t calls; /* so that a sleeper sees that nobody moves the clock */

    tern_time now;
    void *stack_memory, *sockets_memory;
    size_t stack_bytes, sockets_bytes;
    struct tern_stack *stack;
    struct tern_sockets *sockets;
    struct tern_pd_list sent, arps;
    struct tern_addr owned[TERN_PD_OWN_MAX];
    uint32_t owned_count;
};

/* flags.c: false, and a word on standard error, where a flag is not known. text may be NULL. */
bool tern_pd_flags_parse(const char *text, struct tern_pd_flags *out);
/* What the sysctls of this network namespace say now. */
void tern_pd_flags_sysctl(struct tern_pd_flags *flags);

/* world.c: the stack, and time. All with the lock held. */
bool tern_pd_world_init(struct tern_pd *p);
void tern_pd_world_fini(struct tern_pd *p);
void tern_pd_own(struct tern_pd *p, struct tern_addr address); /* an address of ours from now on */
void tern_pd_input(struct tern_pd *p, const void *packet, size_t bytes);
struct tern_pd_packet *tern_pd_take(struct tern_pd_list *list); /* the first, or NULL */
/* Let everything happen that happens now; true: sockets heard of it. */
bool tern_pd_turn(struct tern_pd *p);

/* clock.c: moving the clock, and calls that block. With the lock held. */
void tern_pd_advance(struct tern_pd *p, tern_time to);
/* To the next moment when the stack or a time limit is due; false: there is none by `limit`. */
bool tern_pd_leap(struct tern_pd *p, tern_time limit);
void tern_pd_tell_blocked(struct tern_pd *p); /* there is news */
int tern_pd_wait(void *arg, tern_time until); /* the hook of tern_sockets */
void tern_pd_call_begins(struct tern_pd *p);
void tern_pd_call_ends(struct tern_pd *p);
tern_time tern_pd_read_clock(struct tern_pd *p);

/* calls.c */
void tern_pd_fill_interface(struct packetdrill_interface *ifc);
int tern_pd_getsockopt(struct tern_pd *p, int fd, int level, int name, void *value,
                       socklen_t *bytes);

/* hook.c: packetdrill reads TCP_INFO for the code in scripts past its own table of calls, from
 * libc. Lead its getsockopt() to the plugin. */
void tern_pd_hook(struct tern_pd *p);
void tern_pd_unhook(void);

#endif
