/* SPDX-License-Identifier: BSD-2-Clause */
/* One side of a life: see half.h. Its sockets block; the whole world takes turns meanwhile. */
#include "half.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

bool life_fail(struct life_end *end, const char *step, int error)
{
    if (end->step == NULL) {
        end->step = step;
        end->error = error;
    }
    return false;
}

bool life_fail_errno(struct life_end *end, const char *step)
{
    return life_fail(end, step, errno);
}

bool life_wrong(struct life_end *end, const char *step)
{
    end->wrong = true;
    return life_fail(end, step, EILSEQ);
}

bool life_refused(struct life_end *end, const char *step, int error, const char *words)
{
    return words[0] == '\0' ? life_wrong(end, step) : life_fail(end, step, error);
}

uint8_t life_byte(uint32_t at)
{
    return (uint8_t)(at * 2654435761u >> 24);
}

static int hook_wait(void *arg, tern_time until)
{
    struct half *h = arg;

    (void)until;
    if (!half_turn(h))
        return EIO;
    return h->meanwhile != NULL && !h->meanwhile(h->user) ? EIO : 0;
}

static tern_time hook_now(void *arg)
{
    const struct half *h = arg;

    return tern_loop_now(h->loop);
}

static void small_config(struct tern_config *config)
{
    tern_config_defaults(config);
    config->connections_max = 8;
    config->time_waits_max = 4;
    config->chunk_bytes = 16384; /* no less for slirp's MTU */
    config->chunks_max = 64;
    config->send_buffer_bytes = 65536;
    config->receive_buffer_bytes = 65536;
}

static bool open_sockets(struct half *h)
{
    struct tern_sockets_config config;
    size_t bytes;

    tern_sockets_config_defaults(&config);
    config.stack = h->stack;
    config.sockets_max = config.watches_max = 8;
    config.arg = h;
    config.now = hook_now;
    config.wait = hook_wait;
    bytes = (tern_sockets_bytes(&config) + 63) / 64 * 64;
    h->memory = aligned_alloc(64, bytes);
    if (h->memory == NULL)
        return life_fail(h->end, "memory for sockets", ENOMEM);
    if (tern_sockets_init(h->memory, bytes, &config, &h->sockets) != TERN_ERR_OK)
        return life_fail(h->end, "sockets", EINVAL);
    return true;
}

bool half_open(struct half *h, struct tern_link *link, const char *address, struct life_end *end)
{
    struct tern_config config;
    struct tern_cidr own;
    enum tern_err err;

    h->link = link;
    h->end = end;
    small_config(&config);
    err = tern_loop_create(link, &config, &h->loop);
    if (err != TERN_ERR_OK)
        return life_fail(end, "tern_loop_create", err);
    h->link = NULL;
    h->stack = tern_loop_stack(h->loop);
    err = tern_cidr_parse(address, &own);
    if (err == TERN_ERR_OK)
        err = tern_stack_address_add(
            h->stack, &own, link->info.private_network ? TERN_CLAIM_NONE : TERN_CLAIM_FAST);
    if (err != TERN_ERR_OK)
        return life_fail(end, "address", err);
    return open_sockets(h);
}

bool half_claimed(struct half *h)
{
    struct tern_addr own;

    while (!tern_stack_source(h->stack, tern_addr_v4(10, 0, 2, 2), &own))
        if (!half_turn(h))
            return false;
    return true;
}

/* Short sleeps while frames come, so that two halves that take turns keep the same time; longer
 * ones when nothing does. */
static tern_time turn_length(struct half *h)
{
    struct tern_stack_counters c;

    tern_stack_counters(h->stack, &c);
    h->quiet = c.frames_in == h->frames_seen ? h->quiet + 1 : 0;
    h->frames_seen = c.frames_in;
    return HALF_TURN << (h->quiet < 80 ? h->quiet / 8 : 10);
}

bool half_turn(struct half *h)
{
    const tern_time until = tern_loop_now(h->loop) + turn_length(h);
    const enum tern_err err = tern_loop_run(h->loop, until);

    h->gone = err == TERN_ERR_LINK ? h->gone + 1 : 0;
    if (err != TERN_ERR_OK && !(h->stubborn && h->gone > 0 && h->gone < HALF_GONE_MAX))
        return life_fail(h->end, "tern_loop_run", err);
    tern_stack_check(h->stack);
    (void)tern_sockets_pump(h->sockets);
    if (h->turns++ < HALF_TURNS_MAX)
        return true;
    h->end->hung = true;
    return life_fail(h->end, "without end", EDEADLK);
}

void half_close(struct half *h)
{
    if (h->sockets != NULL)
        tern_sockets_fini(h->sockets);
    free(h->memory);
    tern_loop_destroy(h->loop);
    if (h->link != NULL)
        h->link->ops->close(h->link);
    memset(h, 0, sizeof *h);
}

static bool send_all(struct half *h, int fd)
{
    uint8_t piece[1500];
    uint32_t at = 0;

    while (at < LIFE_BYTES) {
        uint32_t count = LIFE_BYTES - at < sizeof piece ? LIFE_BYTES - at : sizeof piece;
        ssize_t n;

        for (uint32_t i = 0; i < count; i++)
            piece[i] = life_byte(at + i);
        n = tern_write(h->sockets, fd, piece, count);
        if (n <= 0)
            return life_fail_errno(h->end, "write");
        at += (uint32_t)n;
    }
    return tern_shutdown(h->sockets, fd, SHUT_WR) == 0 || life_fail_errno(h->end, "shutdown");
}

static bool read_back(struct half *h, int fd)
{
    uint8_t piece[4000];
    uint32_t at = 0;

    for (;;) {
        const ssize_t n = tern_read(h->sockets, fd, piece, sizeof piece);

        if (n < 0)
            return life_fail_errno(h->end, "read");
        if (n == 0)
            return at == LIFE_BYTES || life_wrong(h->end, "an end too early");
        for (ssize_t i = 0; i < n; i++, at++)
            if (at >= LIFE_BYTES || piece[i] != life_byte(at))
                return life_wrong(h->end, "a byte");
    }
}

/* Nothing waits for ever: bytes for an ACK, a reader for bytes, a SYN for a link that is full. */
static bool be_impatient(struct half *h, int fd)
{
    const bool soon = h->stubborn || h->fills_up;
    const int unacked_ms = soon ? 4000 : 20000;
    const struct timeval reader = {.tv_sec = 200}; /* longer than an RTO can be */
    const struct timeval writer = {.tv_sec = soon ? 4 : 200};
    struct tern_sockets *t = h->sockets;

    if (tern_setsockopt(t, fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked_ms, sizeof unacked_ms) !=
            0 ||
        tern_setsockopt(t, fd, SOL_SOCKET, SO_RCVTIMEO, &reader, sizeof reader) != 0 ||
        tern_setsockopt(t, fd, SOL_SOCKET, SO_SNDTIMEO, &writer, sizeof writer) != 0)
        return life_fail_errno(h->end, "setsockopt");
    return true;
}

bool half_echo(struct half *h, struct tern_addr host, uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    const int fd = tern_socket(h->sockets, AF_INET, SOCK_STREAM, 0);
    bool ok;

    if (fd < 0)
        return life_fail_errno(h->end, "socket");
    if (!be_impatient(h, fd))
        return false;
    at.sin_addr.s_addr = htonl(tern_addr_to_be32(host));
    if (tern_connect(h->sockets, fd, (const struct sockaddr *)&at, sizeof at) != 0)
        return life_fail_errno(h->end, "connect");
    ok = send_all(h, fd) && read_back(h, fd);
    return tern_close(h->sockets, fd) == 0 ? ok : life_fail_errno(h->end, "close");
}
