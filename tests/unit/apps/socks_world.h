/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_APPS_SOCKS_WORLD_H
#define TEST_APPS_SOCKS_WORLD_H
/*
 * The SOCKS endpoint with a client on its Unix socket, or one with a lane, and servers at the far
 * end of a cable in memory.
 */
#include "world.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "apps/socks.h"

#define PORT_ECHO 7  /* sends back what it gets, ends after the client's end */
#define PORT_POUR 80 /* sends POUR_BYTES at once and ends */
#define PORT_RST  81 /* resets */
#define PORT_SHUT 82 /* ends at once and swallows what comes */
#define PORT_MUTE 83 /* swallows what comes */

#define POUR_BYTES 6000000 /* more than all buffers between the two hold */
#define ECHO_BYTES 1000000
#define PEERS_MAX  80

/* A connection at the far end, in the order in which they came. */
struct socks_peer {
    struct tern_conn *conn;
    uint16_t port;
    size_t poured, swallowed;
    bool ended, failed;
};

extern struct world socks_world;
extern struct tern_socks *socks;
extern struct socks_peer socks_peers[PEERS_MAX];

/* For cmocka: clients on the Unix socket, or with lanes. */
int socks_set_up(void **state);
int socks_set_up_lane(void **state);
int socks_tear_down(void **state);
#define LANE(test) cmocka_unit_test_setup_teardown(test, socks_set_up_lane, socks_tear_down)

void socks_turn(void);
void socks_turns(int count);
/* What the endpoint tells of its latest connection. */
struct tern_socks_outcome socks_newest(void);
/* The byte at an offset of what is poured. */
uint8_t socks_pattern(size_t offset);

int client_connect(void);
/* Greeting and request; returns the reply's code. */
int client_ask(int fd, uint16_t port);
/* One read; turns the world where there is nothing. -1: reset. */
ssize_t client_read(int fd, void *data, size_t bytes);
void client_read_all(int fd, void *data, size_t bytes);
void client_leave(int fd);

#endif
