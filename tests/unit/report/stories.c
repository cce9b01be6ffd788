/* SPDX-License-Identifier: BSD-2-Clause */
/* The synthetic conversations whose pictures are goldens. */
#include "stories.h"

#include <string.h>

#include "base/assert.h"

#define DATA (TERN_TCP_ACK | TERN_TCP_PSH)
#define MSS  1448

static void get(struct talk *t)
{
    talk_from(t, TERN_LANE_LEFT, 1300);
    talk_tcp(t, DATA, 0, 0, "GET / HTTP/1.0\r\n\r\n", 0);
}

/* The third of ten segments is lost, found by duplicate ACKs, and sent again. */
static void loss(struct talk *t)
{
    talk_handshake(t);
    get(t);
    for (uint32_t i = 0; i < 10; i++) {
        if (i == 2)
            continue;
        talk_from(t, TERN_LANE_RIGHT, 2000 + i * 10);
        talk_tcp(t, TERN_TCP_ACK, i * MSS, 18, NULL, MSS);
        if (i == 0)
            continue;
        talk_from(t, TERN_LANE_LEFT, 2005 + i * 10);
        t->sack_lo = 3 * MSS;
        t->sack_hi = i > 2 ? (i + 1) * MSS : 0;
        talk_tcp(t, TERN_TCP_ACK, 18, 2 * MSS, NULL, 0);
        t->sack_hi = 0;
    }
    talk_from(t, TERN_LANE_RIGHT, 2300);
    talk_tcp(t, TERN_TCP_ACK, 2 * MSS, 18, NULL, MSS);
    talk_from(t, TERN_LANE_LEFT, 2310);
    talk_tcp(t, TERN_TCP_ACK, 18, 10 * MSS, NULL, 0);
}

/* Our ACKs come late: the server sends again what we had. */
static void slow(struct talk *t)
{
    talk_handshake(t);
    get(t);
    for (uint32_t i = 0; i < 10; i++) {
        talk_from(t, TERN_LANE_RIGHT, 2000 + i);
        talk_tcp(t, TERN_TCP_ACK, i * MSS, 18, NULL, MSS);
    }
    talk_from(t, TERN_LANE_RIGHT, 10000);
    talk_tcp(t, TERN_TCP_ACK, 9 * MSS, 18, NULL, MSS);
    talk_from(t, TERN_LANE_LEFT, 102000);
    t->sack_lo = 9 * MSS;
    t->sack_hi = 10 * MSS;
    talk_tcp(t, TERN_TCP_ACK, 18, 10 * MSS, NULL, 0);
}

/* We use the kernel's own address, and it resets what it did not ask for. */
static void kernel(struct talk *t)
{
    talk_from(t, TERN_LANE_LEFT, 1000);
    talk_tcp(t, TERN_TCP_SYN, -1, 0, NULL, 0);
    talk_from(t, TERN_LANE_RIGHT, 1100);
    talk_tcp(t, TERN_TCP_SYN | TERN_TCP_ACK, -1, 0, NULL, 0);
    talk_from(t, TERN_LANE_KERNEL, 1150);
    talk_tcp(t, TERN_TCP_RST, 0, 0, NULL, 0);
    talk_from(t, TERN_LANE_LEFT, 1200);
    talk_tcp(t, TERN_TCP_ACK, 0, 0, NULL, 0);
    talk_from(t, TERN_LANE_RIGHT, 1250);
    talk_tcp(t, TERN_TCP_RST, 0, 0, NULL, 0);
    talk_state(t, TERN_TCP_CLOSED);
}

/* Half-close, then both FINs cross and TIME-WAIT follows. */
static void close_both(struct talk *t)
{
    talk_handshake(t);
    talk_from(t, TERN_LANE_LEFT, 2000);
    talk_tcp(t, DATA | TERN_TCP_FIN, 0, 0, "the question", 0);
    talk_state(t, TERN_TCP_FIN_WAIT_1);
    talk_from(t, TERN_LANE_RIGHT, 2100);
    talk_tcp(t, TERN_TCP_ACK, 0, 13, NULL, 0);
    talk_state(t, TERN_TCP_FIN_WAIT_2);
    talk_from(t, TERN_LANE_RIGHT, 52000);
    talk_tcp(t, DATA, 0, 13, "the answer", 0);
    talk_from(t, TERN_LANE_LEFT, 52010);
    talk_tcp(t, TERN_TCP_ACK, 13, 10, NULL, 0);
    talk_from(t, TERN_LANE_RIGHT, 52100);
    talk_tcp(t, TERN_TCP_ACK | TERN_TCP_FIN, 10, 13, NULL, 0);
    talk_state(t, TERN_TCP_TIME_WAIT);
    talk_from(t, TERN_LANE_LEFT, 52200);
    talk_tcp(t, TERN_TCP_ACK, 13, 11, NULL, 0);
}

static void close_crossed(struct talk *t)
{
    talk_handshake(t);
    talk_from(t, TERN_LANE_LEFT, 2000);
    talk_tcp(t, TERN_TCP_ACK | TERN_TCP_FIN, 0, 0, NULL, 0);
    talk_state(t, TERN_TCP_FIN_WAIT_1);
    talk_from(t, TERN_LANE_RIGHT, 2001);
    talk_tcp(t, TERN_TCP_ACK | TERN_TCP_FIN, 0, 0, NULL, 0);
    talk_state(t, TERN_TCP_CLOSING);
    talk_from(t, TERN_LANE_LEFT, 2100);
    talk_tcp(t, TERN_TCP_ACK, 1, 1, NULL, 0);
    talk_from(t, TERN_LANE_RIGHT, 2101);
    talk_tcp(t, TERN_TCP_ACK, 1, 1, NULL, 0);
    talk_state(t, TERN_TCP_TIME_WAIT);
}

/* What a hostile server says first, and a window that closes and opens. */
static void hostile(struct talk *t)
{
    talk_handshake(t);
    talk_from(t, TERN_LANE_LEFT, 1300);
    talk_tcp(t, DATA, 0, 0, "GET /\033[2J\\\t HTTP/1.0\r\n", 0);
    talk_from(t, TERN_LANE_RIGHT, 1400);
    talk_tcp(t, DATA, 0, 24, "220 \033]0;owned\007 hello\r\n", 0);
    talk_from(t, TERN_LANE_LEFT, 1410);
    t->window = 0;
    talk_tcp(t, TERN_TCP_ACK, 24, 22, NULL, 0);
    talk_from(t, TERN_LANE_LEFT, 31410);
    t->window = 512;
    talk_tcp(t, TERN_TCP_ACK, 24, 22, NULL, 0);
    talk_from(t, TERN_LANE_LEFT, 31500);
    t->cause = TERN_CAUSE_RST_ABORT;
    talk_tcp(t, TERN_TCP_RST | TERN_TCP_ACK, 24, 22, NULL, 0);
}

/* Nobody answers, then somebody else has our address. */
static void alone(struct talk *t)
{
    talk_from(t, TERN_LANE_LEFT, 0);
    talk_arp(t, TERN_ARP_REQUEST, tern_addr_v4(0, 0, 0, 0), talk_us());
    talk_from(t, TERN_LANE_RIGHT, 100);
    talk_arp(t, TERN_ARP_REPLY, talk_us(), talk_us());
    for (uint32_t i = 0; i < 3; i++) {
        talk_from(t, TERN_LANE_LEFT, 1000000 * ((1u << i) - 1) + 1000);
        talk_tcp(t, TERN_TCP_SYN, -1, 0, NULL, 0);
    }
    tern_model_note(t->model, t->now, "and so on, twice as long each time");
}

/* More lines than there is room for. */
static void crowded(struct talk *t)
{
    uint32_t at = 0;

    talk_handshake(t);
    for (uint32_t i = 0; i < 200; i++) {
        talk_from(t, TERN_LANE_RIGHT, 2000 + i * 10);
        talk_tcp(t, TERN_TCP_ACK, at, 0, NULL, MSS);
        if (i % 3 == 0) {
            talk_from(t, TERN_LANE_RIGHT, 2000 + i * 10);
            talk_tcp(t, TERN_TCP_ACK, at, 0, NULL, MSS);
        }
        at += i % 5 == 0 ? 2 * MSS : MSS;
        talk_from(t, TERN_LANE_LEFT, 2005 + i * 10);
        talk_tcp(t, TERN_TCP_ACK, 0, at, NULL, 0);
    }
    for (uint32_t i = 0; i < 20; i++) {
        talk_from(t, TERN_LANE_LEFT, 90000 + 30000 * i);
        talk_tcp(t, TERN_TCP_ACK | TERN_TCP_FIN, 0, at, NULL, 0);
    }
}

/* The FIN rides on the last segment; ACKs of the burst come behind it. Some segments come twice. */
static void riding(struct talk *t)
{
    talk_handshake(t);
    get(t);
    for (uint32_t i = 0; i < 4; i++) {
        talk_from(t, TERN_LANE_RIGHT, 2000 + i);
        talk_tcp(t, i == 3 ? DATA | TERN_TCP_FIN : TERN_TCP_ACK, i * MSS, 18, NULL, MSS);
    }
    for (uint32_t i = 0; i < 2; i++) {
        talk_from(t, TERN_LANE_LEFT, 2010 + i);
        talk_tcp(t, TERN_TCP_ACK, 18, (i + 1) * MSS, NULL, 0);
    }
    talk_from(t, TERN_LANE_LEFT, 2012);
    talk_state(t, TERN_TCP_CLOSE_WAIT);
    talk_tcp(t, TERN_TCP_ACK, 18, 4 * MSS + 1, NULL, 0);
    talk_from(t, TERN_LANE_RIGHT, 2020);
    talk_tcp(t, DATA | TERN_TCP_FIN, 3 * MSS, 18, NULL, MSS);
    t->sack_lo = 3 * MSS;
    t->sack_hi = 4 * MSS + 1;
    talk_from(t, TERN_LANE_LEFT, 2030);
    talk_tcp(t, TERN_TCP_ACK, 18, 4 * MSS + 1, NULL, 0);
}

void story_tell(struct talk *t, const char *name)
{
    static const struct {
        const char *name;
        void (*tell)(struct talk *t);
    } stories[] = {{"tour", talk_tour},  {"loss", loss},        {"slow", slow},
                   {"kernel", kernel},   {"close", close_both}, {"crossed", close_crossed},
                   {"hostile", hostile}, {"alone", alone},      {"crowded", crowded},
                   {"riding", riding}};

    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++)
        if (strcmp(stories[i].name, name) == 0) {
            stories[i].tell(t);
            return;
        }
    TERN_ASSERT(!"a story of that name");
}
