/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The endpoint's front: a listening abstract Unix socket with a name that nobody guesses, a list of
 * clients that threads of this process opened, a bounded table of connections, and the newest
 * outcome, which other threads may ask for. While the table is full the listener is not watched, so
 * that clients wait in its backlog; the others wait in the list.
 */
#include "apps/socks.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/socks_parts.h"
#include "os/entropy.h"

#define BACKLOG             16
#define CLIENT_BUFFER_BYTES (1 << 18) /* more, and the bytes grow cold in the cache */
#define NAME_TRIES          8
#define SAY_MAX             512

void tern_socks_say(const struct tern_socks *socks, const char *format, ...)
{
    char line[SAY_MAX];
    va_list arguments;

    if (socks->options.say == NULL)
        return;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    socks->options.say(line);
}

static bool is_own_process(int fd)
{
    struct ucred peer;
    socklen_t bytes = sizeof peer;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 && peer.pid == getpid();
}

/* Room for a burst between the two threads; the forced kind is for those who may pass the limit. */
static void widen(int fd)
{
    int bytes = CLIENT_BUFFER_BYTES;

    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

static struct tern_socks_conn *free_slot(struct tern_socks *socks)
{
    int i;

    for (i = 0; i < TERN_SOCKS_CONNECTIONS_MAX; i++) {
        if (socks->conns[i] == NULL)
            socks->conns[i] = calloc(1, sizeof *socks->conns[i]);
        if (socks->conns[i] != NULL && socks->conns[i]->state == TERN_SOCKS_FREE)
            return socks->conns[i];
    }
    return NULL;
}

static void on_listener(void *user, int fd, uint32_t poll_bits);

static void watch_listener(struct tern_socks *socks, bool on)
{
    if (socks->listen_fd < 0)
        return;
    /* Cannot fail: the descriptor was watched before. */
    (void)!tern_loop_watch(socks->options.loop, socks->listen_fd, on ? POLLIN : 0, on_listener,
                           socks);
}

static void on_listener(void *user, int fd, uint32_t poll_bits)
{
    struct tern_socks *socks = user;
    struct tern_socks_conn *slot = free_slot(socks);
    int client;

    (void)poll_bits;
    if (slot == NULL) {
        watch_listener(socks, false);
        return;
    }
    client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0)
        return;
    if (socks->options.own_process_only && !is_own_process(client)) {
        (void)close(client);
        return;
    }
    widen(client);
    socks->conns_count++;
    tern_socks_conn_start(slot, socks, client, NULL);
}

void tern_socks_released(struct tern_socks *socks)
{
    if (socks->conns_count == TERN_SOCKS_CONNECTIONS_MAX)
        watch_listener(socks, true);
    socks->conns_count--;
}

/* A random name in the abstract namespace: no file, gone with the socket. */
static enum tern_err make_name(struct tern_socks *socks)
{
    uint64_t number;
    enum tern_err err = tern_entropy(&number, sizeof number);

    if (err != TERN_ERR_OK)
        return err;
    socks->address.sun_family = AF_UNIX;
    (void)snprintf(socks->address.sun_path + 1, sizeof socks->address.sun_path - 1, "tern-%016llx",
                   (unsigned long long)number);
    socks->address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
                                       strlen(socks->address.sun_path + 1));
    return TERN_ERR_OK;
}

static enum tern_err open_listener(struct tern_socks *socks)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int tries = NAME_TRIES;
    int error;

    if (fd < 0)
        return TERN_ERR_SYSTEM;
    socks->listen_fd = fd;
    do {
        if (make_name(socks) != TERN_ERR_OK)
            return TERN_ERR_SYSTEM;
        error = bind(fd, (const struct sockaddr *)&socks->address, socks->address_bytes);
    } while (error != 0 && errno == EADDRINUSE && --tries > 0);
    if (error != 0 || listen(fd, BACKLOG) != 0)
        return TERN_ERR_SYSTEM;
    return tern_loop_watch(socks->options.loop, fd, POLLIN, on_listener, socks);
}

enum tern_err tern_socks_create(const struct tern_socks_options *options, struct tern_socks **out)
{
    struct tern_socks *socks = calloc(1, sizeof *socks);
    enum tern_err err;

    if (socks == NULL)
        return TERN_ERR_MEMORY;
    socks->options = *options;
    socks->listen_fd = -1;
    (void)pthread_mutex_init(&socks->lock, NULL);
    err = options->listen ? open_listener(socks) : TERN_ERR_OK;
    if (err != TERN_ERR_OK) {
        tern_socks_destroy(socks);
        return err;
    }
    *out = socks;
    return TERN_ERR_OK;
}

static void wake(void *user)
{
    tern_loop_wake(user);
}

static bool announce(struct tern_socks *socks, struct tern_socks_newcomer *newcomer)
{
    struct tern_socks_newcomer **last = &socks->newcomers;
    bool shut;

    (void)pthread_mutex_lock(&socks->lock);
    shut = socks->shut;
    while (*last != NULL)
        last = &(*last)->next;
    if (!shut) {
        *last = newcomer;
        tern_loop_wake(socks->options.loop);
    }
    (void)pthread_mutex_unlock(&socks->lock);
    return !shut;
}

enum tern_err tern_socks_open(struct tern_socks *socks, int *fd, struct tern_lane **lane)
{
    struct tern_socks_newcomer *newcomer = calloc(1, sizeof *newcomer);

    if (newcomer == NULL)
        return TERN_ERR_MEMORY;
    newcomer->lane = tern_lane_open(wake, socks->options.loop, &newcomer->fd, fd);
    *lane = newcomer->lane;
    if (*lane == NULL) {
        free(newcomer);
        return TERN_ERR_SYSTEM;
    }
    if (announce(socks, newcomer))
        return TERN_ERR_OK;
    (void)close(*fd);
    (void)close(newcomer->fd);
    tern_lane_give(*lane);
    tern_lane_give(*lane);
    free(newcomer);
    return TERN_ERR_CLOSED;
}

static struct tern_socks_newcomer *take_newcomer(struct tern_socks *socks)
{
    struct tern_socks_newcomer *first;

    (void)pthread_mutex_lock(&socks->lock);
    first = socks->newcomers;
    if (first != NULL)
        socks->newcomers = first->next;
    (void)pthread_mutex_unlock(&socks->lock);
    return first;
}

static void let_in(struct tern_socks *socks)
{
    struct tern_socks_conn *slot;
    struct tern_socks_newcomer *newcomer;

    while ((slot = free_slot(socks)) != NULL && (newcomer = take_newcomer(socks)) != NULL) {
        socks->conns_count++;
        tern_socks_conn_start(slot, socks, newcomer->fd, newcomer->lane);
        free(newcomer);
    }
}

bool tern_socks_turn(struct tern_socks *socks)
{
    bool unrung = false;

    for (int i = 0; i < TERN_SOCKS_CONNECTIONS_MAX && socks->conns[i] != NULL; i++) {
        struct tern_socks_conn *c = socks->conns[i];

        if (c->state != TERN_SOCKS_PUMPING || c->lane == NULL)
            continue;
        tern_socks_pump_down(c);
        unrung = unrung || c->lane_unrung;
    }
    let_in(socks);
    return unrung;
}

void tern_socks_shut(struct tern_socks *socks)
{
    (void)pthread_mutex_lock(&socks->lock);
    socks->shut = true;
    (void)pthread_mutex_unlock(&socks->lock);
    for (int i = 0; i < TERN_SOCKS_CONNECTIONS_MAX && socks->conns[i] != NULL; i++)
        if (socks->conns[i]->state != TERN_SOCKS_FREE && socks->conns[i]->lane != NULL)
            tern_lane_cut(socks->conns[i]->lane);
}

static void end_conn(struct tern_socks_conn *c)
{
    c->client_gone = true; /* or it has been cut off */
    tern_socks_conn_end(c, TERN_ERR_ABORTED);
}

void tern_socks_destroy(struct tern_socks *socks)
{
    struct tern_socks_newcomer *newcomer;
    int i;

    if (socks == NULL)
        return;
    for (i = 0; i < TERN_SOCKS_CONNECTIONS_MAX; i++) {
        if (socks->conns[i] != NULL && socks->conns[i]->state != TERN_SOCKS_FREE)
            end_conn(socks->conns[i]);
        free(socks->conns[i]);
    }
    while ((newcomer = take_newcomer(socks)) != NULL) {
        tern_lane_end(newcomer->lane);
        tern_lane_give(newcomer->lane);
        (void)close(newcomer->fd);
        free(newcomer);
    }
    if (socks->listen_fd >= 0) {
        watch_listener(socks, false);
        (void)close(socks->listen_fd);
    }
    (void)pthread_mutex_destroy(&socks->lock);
    free(socks);
}

void tern_socks_address(const struct tern_socks *socks, struct sockaddr_un *out, socklen_t *bytes)
{
    *out = socks->address;
    *bytes = socks->address_bytes;
}

bool tern_socks_idle(struct tern_socks *socks)
{
    bool waiting;

    (void)pthread_mutex_lock(&socks->lock);
    waiting = socks->newcomers != NULL;
    (void)pthread_mutex_unlock(&socks->lock);
    return socks->conns_count == 0 && !waiting;
}

bool tern_socks_outcome(struct tern_socks *socks, uint64_t after, struct tern_socks_outcome *out)
{
    bool newer;

    (void)pthread_mutex_lock(&socks->lock);
    newer = socks->newest.serial > after;
    if (newer)
        *out = socks->newest;
    (void)pthread_mutex_unlock(&socks->lock);
    return newer;
}
