/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams and pings. See beside.h. */
#include "beside.h"

#include <string.h>

#include "stream.h"
#include "world.h"

#define PORT  9
#define EVERY (70 * TERN_MS)
#define NAMES 60000 /* the streams of datagrams, beyond those of ends */

void beside_open(struct world *w)
{
    for (int i = 0; i < 2; i++) {
        struct side *s = &w->side[i];
        const struct tern_endpoint local = {tern_addr_v4(10, 0, 0, (uint8_t)(1 + i)), PORT};

        s->udp = NULL;
        s->ping = NULL;
        s->datagrams_sent = s->pings_sent = 0;
        s->next_beside = TERN_TIME_NEVER;
        if (w->plan.datagrams + w->plan.pings == 0)
            continue;
        s->next_beside = w->now;
        if (tern_udp_open(s->stack, &local, NULL, &s->udp) != TERN_ERR_OK ||
            tern_ping_open(s->stack, NULL, &s->ping) != TERN_ERR_OK)
            world_fail(w, "no socket for datagrams");
    }
}

static void send_datagram(struct world *w, int side)
{
    struct side *s = &w->side[side];
    const struct tern_endpoint to = {tern_addr_v4(10, 0, 0, (uint8_t)(2 - side)), PORT};
    const uint32_t bytes = 2 + s->datagrams_sent * 41 % 400;
    uint8_t text[512];

    stream_fill(NAMES + s->datagrams_sent, 0, text, bytes);
    if (tern_udp_send(s->udp, &to, text, bytes) == TERN_ERR_OK)
        s->datagrams_sent++;
}

static void read_datagrams(struct world *w, int side)
{
    uint8_t text[512];
    struct tern_endpoint from;
    ptrdiff_t n;

    while ((n = tern_udp_receive(w->side[side].udp, &from, text, sizeof(text))) > 0) {
        const uint32_t name = n < 2 ? 0 : (uint32_t)text[0] << 8 | text[1];

        if (name < NAMES || n != 2 + (ptrdiff_t)((name - NAMES) * 41 % 400) ||
            stream_compare(name, 0, text, (size_t)n) != (size_t)n)
            world_fail(w, "a datagram that nobody sent");
    }
}

static void read_pings(struct world *w, int side)
{
    struct tern_ping_reply reply;

    while (tern_ping_receive(w->side[side].ping, &reply) == TERN_ERR_OK)
        if (reply.icmp_type == 0 && !reply.intact)
            world_fail(w, "a ping came back with other bytes");
}

tern_time beside_run(struct world *w, int side)
{
    struct side *s = &w->side[side];
    const struct tern_addr other = tern_addr_v4(10, 0, 0, (uint8_t)(2 - side));

    if (s->udp == NULL)
        return TERN_TIME_NEVER;
    read_datagrams(w, side);
    read_pings(w, side);
    if (w->now < s->next_beside)
        return s->next_beside;
    s->next_beside = w->now + EVERY;
    if (s->datagrams_sent < w->plan.datagrams)
        send_datagram(w, side);
    if (s->pings_sent < w->plan.pings &&
        tern_ping_send(s->ping, other, (uint16_t)s->pings_sent++, 64, 30) == TERN_ERR_OK)
        return s->next_beside;
    if (s->datagrams_sent == w->plan.datagrams && s->pings_sent == w->plan.pings)
        s->next_beside = TERN_TIME_NEVER;
    return s->next_beside;
}
