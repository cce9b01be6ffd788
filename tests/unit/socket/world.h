/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_SOCKET_WORLD_H
#define TERN_TESTS_SOCKET_WORLD_H
/*
 * Two stacks back to back in virtual time (bench.h), each with a table of sockets. `a` is the table
 * at 10.0.0.1, `b` the one at 10.0.0.2. A call that blocks lets frames cross; when nothing moves
 * any more it calls the test's `meanwhile` (the other thread, so to speak), once, and then lets
 * time pass from deadline to deadline.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>

#include "../stack/bench.h"
#include <tern/socket.h>

#define PORT 80

struct world;

struct side {
    struct world *world;
    struct bench *bench;
    struct tern_sockets *table;
    void *memory;
    uint32_t changes;   /* calls of the hook */
    uint32_t strangers; /* events of no socket */
};

struct world {
    struct pair pair;
    struct side side[2];
    struct tern_sockets *a, *b;
    void (*meanwhile)(struct world *w); /* cleared when called */
    int fd[4];                          /* the test's own */
    int interrupt;                      /* errno value that the wait hook returns, once */
};

void world_open(struct world *w);
/* change: what the configurations are to be. */
void world_open_with(struct world *w,
                     void (*change)(struct tern_config *stack, struct tern_sockets_config *table));
void world_close(struct world *w);
/* All that is under way arrives, and both tables hear of it. */
void world_settle(struct world *w);
void world_run(struct world *w, tern_time step);

struct sockaddr_in world_at(uint8_t host, uint16_t port); /* 10.0.0.host */
int world_bind(struct tern_sockets *t, int fd, uint8_t host, uint16_t port);
int world_dial(struct tern_sockets *t, int fd, uint8_t host, uint16_t port);
/* A listening socket at b, port 80, of this backlog. */
int world_listen(struct world *w, int backlog);
/* A connection from a to b; neither end blocks. */
void world_connect(struct world *w, int *at_a, int *at_b);

#define fails(call, error)                                                                         \
    do {                                                                                           \
        errno = 0;                                                                                 \
        assert_int_equal((call), -1);                                                              \
        assert_int_equal(errno, (error));                                                          \
    } while (0)

void set_int(struct tern_sockets *t, int fd, int level, int name, int value);
int get_int(struct tern_sockets *t, int fd, int level, int name);
/* The bits that poll tells, all asked for. */
uint32_t polled(struct tern_sockets *t, int fd);

#endif
