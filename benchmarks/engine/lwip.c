/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lwIP to itself, as the distribution has built it: one instance with two point-to-point
 * interfaces, in this thread, without the thread that its operating-system layer would make.
 *
 * lwIP would loop what goes to an address of its own back within the interface, by way of that
 * thread. So each end knows the other by an alias, to which its interface leads, and the wire
 * between exchanges alias and address in the IP header: 10.0.0.1 calls 10.0.0.6, and 10.0.0.2 is
 * called by 10.0.0.5. The sums of both pairs are the same, and so are all checksums.
 *
 * What is in TIME-WAIT is thrown away at once: lwIP would walk along all of it to find a free port,
 * and has 16,384 of them.
 *
 * As with tern, a turn carries at most 64 packets each way, each copied once; what comes is looked
 * at and let go.
 */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>

#define BURST       64
#define QUEUE_MAX   256
#define IP_SRC      12
#define IP_DST      16
#define PORT        80
#define WRITE_BYTES 16384 /* of a call: lwIP's lengths have 16 bits */
#define SEGMENT     1460

static const uint8_t addresses[2] = {1, 2}, aliases[2] = {5, 6}; /* 10.0.0.N, as the other has it */

struct talk {
    struct tcp_pcb *pcb;
    uint64_t heard;
    bool established, ended;
};

static struct {
    struct netif netif[2];
    struct pbuf *queue[2][QUEUE_MAX]; /* on the way to this end */
    uint32_t head[2], count[2];
    struct talk talk[2]; /* who connects and sends; who listens */
    struct tcp_pcb *listener;
    enum engine_work work;
    uint8_t text[ENGINE_WRITE_BYTES];
    uint64_t segments;
    bool begun;
} lwip;

static void fail(const char *why)
{
    fprintf(stderr, "engine: lwIP: %s\n", why);
    exit(1);
}

bool engine_lwip_is_there(void)
{
    return true;
}

/* ---- the wire ---- */

static err_t put(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
    const int from = netif == &lwip.netif[0] ? 0 : 1;
    const int at = 1 - from;
    struct pbuf *copy;
    uint8_t *bytes;

    (void)to;
    if (lwip.count[at] == QUEUE_MAX)
        fail("the wire is full");
    copy = pbuf_alloc(PBUF_RAW, p->tot_len, PBUF_RAM);
    if (copy == NULL || pbuf_copy(copy, p) != ERR_OK)
        fail("no memory");
    bytes = copy->payload;
    bytes[IP_SRC + 3] = aliases[from];
    bytes[IP_DST + 3] = addresses[at];
    if (p->tot_len > 100)
        lwip.segments++;
    lwip.queue[at][(lwip.head[at] + lwip.count[at]++) % QUEUE_MAX] = copy;
    return ERR_OK;
}

static err_t netif_begin(struct netif *netif)
{
    netif->mtu = 1500;
    netif->name[0] = 'm';
    netif->name[1] = 'e';
    netif->output = put;
    netif->flags = NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

/* At most a burst, to one end. */
static void take(int to)
{
    for (uint32_t i = 0; i < BURST && lwip.count[to] > 0; i++) {
        struct pbuf *p = lwip.queue[to][lwip.head[to]];

        lwip.head[to] = (lwip.head[to] + 1) % QUEUE_MAX;
        lwip.count[to]--;
        if (lwip.netif[to].input(p, &lwip.netif[to]) != ERR_OK)
            pbuf_free(p);
    }
}

static void turn(void)
{
    take(1);
    take(0);
    sys_check_timeouts();
}

static void begin(void)
{
    lwip_init();
    for (int i = 0; i < 2; i++) {
        ip4_addr_t own, mask, peer;

        IP4_ADDR(&own, 10, 0, 0, addresses[i]);
        IP4_ADDR(&mask, 255, 255, 255, 255);
        IP4_ADDR(&peer, 10, 0, 0, aliases[1 - i]);
        if (netif_add(&lwip.netif[i], &own, &mask, &peer, NULL, netif_begin, ip4_input) == NULL)
            fail("no interface");
        netif_set_up(&lwip.netif[i]);
    }
    memset(lwip.text, 'x', sizeof(lwip.text));
    lwip.begun = true;
}

/* ---- the applications ---- */

static void forget(struct talk *t)
{
    tcp_arg(t->pcb, NULL);
    tcp_recv(t->pcb, NULL);
    tcp_err(t->pcb, NULL);
}

static err_t on_heard(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct talk *t = arg;

    (void)err;
    if (p == NULL) {
        t->ended = true;
        return ERR_OK;
    }
    t->heard += p->tot_len;
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static void on_error(void *arg, err_t err)
{
    (void)arg;
    (void)err;
    fail("the connection failed");
}

static void attach(struct talk *t, struct tcp_pcb *pcb)
{
    t->pcb = pcb;
    tcp_arg(pcb, t);
    tcp_recv(pcb, on_heard);
    tcp_err(pcb, on_error);
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    if (err != ERR_OK || pcb == NULL)
        return ERR_VAL;
    attach(&lwip.talk[1], pcb);
    lwip.talk[1].established = true;
    return ERR_OK;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct talk *t = arg;

    (void)pcb;
    (void)err;
    t->established = true;
    return ERR_OK;
}

static void dial(void)
{
    struct tcp_pcb *pcb = tcp_new();
    ip_addr_t own, peer;

    if (pcb == NULL)
        fail("no control block");
    lwip.talk[0] = lwip.talk[1] = (struct talk){NULL, 0, false, false};
    IP_ADDR4(&own, 10, 0, 0, addresses[0]);
    IP_ADDR4(&peer, 10, 0, 0, aliases[1]);
    attach(&lwip.talk[0], pcb);
    if (tcp_bind(pcb, &own, 0) != ERR_OK || tcp_connect(pcb, &peer, PORT, on_connected) != ERR_OK)
        fail("cannot connect");
    for (int i = 0; i < 100 && !(lwip.talk[0].established && lwip.talk[1].established); i++)
        turn();
    if (!lwip.talk[0].established || !lwip.talk[1].established)
        fail("not connected");
    tcp_nagle_disable(lwip.talk[0].pcb);
    tcp_nagle_disable(lwip.talk[1].pcb);
}

bool engine_lwip_open(enum engine_work work)
{
    struct tcp_pcb *pcb;

    if (!lwip.begun)
        begin();
    lwip.work = work;
    pcb = tcp_new();
    if (pcb == NULL || tcp_bind(pcb, IP_ANY_TYPE, PORT) != ERR_OK)
        fail("cannot bind");
    lwip.listener = tcp_listen_with_backlog(pcb, 64);
    if (lwip.listener == NULL)
        fail("cannot listen");
    tcp_accept(lwip.listener, on_accept);
    if (work != ENGINE_CONN)
        dial();
    return true;
}

void engine_lwip_close(void)
{
    if (lwip.work != ENGINE_CONN) { /* the reset ends the other end as well */
        forget(&lwip.talk[0]);
        forget(&lwip.talk[1]);
        tcp_abort(lwip.talk[0].pcb);
        turn();
    }
    if (tcp_close(lwip.listener) != ERR_OK)
        fail("cannot stop listening");
    for (int i = 0; i < 10; i++)
        turn();
}

static void write_some(struct tcp_pcb *pcb)
{
    for (size_t done = 0; done < sizeof(lwip.text); done += WRITE_BYTES) {
        size_t n = tcp_sndbuf(pcb);

        n = n > WRITE_BYTES ? WRITE_BYTES : n;
        if (n == 0 || tcp_write(pcb, lwip.text, (u16_t)n, TCP_WRITE_FLAG_COPY) != ERR_OK)
            break;
    }
    (void)tcp_output(pcb);
}

static uint64_t do_bulk(uint64_t units)
{
    const uint64_t before = lwip.talk[1].heard;

    while ((lwip.talk[1].heard - before) / SEGMENT < units) {
        write_some(lwip.talk[0].pcb);
        turn();
    }
    return (lwip.talk[1].heard - before) / SEGMENT;
}

static void say_byte(struct talk *t)
{
    if (tcp_write(t->pcb, "x", 1, TCP_WRITE_FLAG_COPY) != ERR_OK || tcp_output(t->pcb) != ERR_OK)
        fail("cannot write a byte");
}

static uint64_t do_rr(uint64_t units)
{
    struct talk *a = &lwip.talk[0], *b = &lwip.talk[1];

    for (uint64_t i = 0; i < units; i++) {
        const uint64_t asked = a->heard, answered = b->heard;

        say_byte(a);
        take(1);
        if (b->heard == answered)
            fail("the question did not come");
        say_byte(b);
        take(0);
        if (a->heard == asked)
            fail("the answer did not come");
        sys_check_timeouts();
    }
    return units;
}

static void hang_up(struct talk *t)
{
    forget(t);
    if (tcp_close(t->pcb) != ERR_OK)
        fail("cannot close");
    t->pcb = NULL;
}

static uint64_t do_conn(uint64_t units)
{
    struct talk *a = &lwip.talk[0], *b = &lwip.talk[1];

    for (uint64_t i = 0; i < units; i++) {
        dial();
        say_byte(a);
        if (tcp_shutdown(a->pcb, 0, 1) != ERR_OK)
            fail("cannot shut down");
        for (int k = 0; k < 100 && !b->ended; k++)
            turn();
        hang_up(b);
        for (int k = 0; k < 100 && !a->ended; k++)
            turn();
        if (!a->ended)
            fail("the connection does not end");
        hang_up(a);
        turn();
        while (tcp_tw_pcbs != NULL)
            tcp_abort(tcp_tw_pcbs);
    }
    return units;
}

uint64_t engine_lwip_do(uint64_t units)
{
    switch (lwip.work) {
    case ENGINE_BULK:
        return do_bulk(units);
    case ENGINE_RR:
        return do_rr(units);
    case ENGINE_CONN:
        return do_conn(units);
    }
    return 0;
}
