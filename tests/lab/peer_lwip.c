/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A peer of another breed: Debian's lwIP on a packet socket, with a MAC and an address of its own.
 *
 *   peer_lwip [-l] [-r N] INTERFACE ADDRESS listen PORT       one conversation
 *   peer_lwip [-l] [-r N] INTERFACE ADDRESS connect HOST PORT
 *   peer_lwip INTERFACE ADDRESS http PORT                     pages until it is killed
 *
 * A conversation is netcat's: standard input, which is a file, goes to the peer and then our FIN;
 * what the peer says goes to standard output. -l: speak only after the peer's FIN. -r N: reset once
 * N bytes are here. http: to each connection, once an empty line was heard, standard input as it
 * is, head and all, and then our FIN.
 *
 * `ready` on standard error: the address answers, and the port is open. Exit 0: both sides ended in
 * order, and all of ours is acknowledged; 7: refused; 56: reset; 28: lwIP gave up; 1: else.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lwip/priv/tcp_priv.h>
#include <lwip/sys.h>
#include <lwip/tcp.h>

#include "lwip_wire.h"

#define QUEUE_BYTES   (4 << 20)
#define SILENCE_MS    1000 /* after the end: the peer's last segment may have to be said again */
#define LINGER_MS     20000
#define EXIT_REFUSED  7
#define EXIT_TIMEOUT  28
#define EXIT_RESET    56
#define EXIT_RUNNING  (-1)
#define PATTERN_BYTES 4

struct talk {
    struct tcp_pcb *pcb;
    size_t sent, heard;
    uint8_t last[PATTERN_BYTES]; /* the latest bytes heard, for http */
    bool spoken_to, shut, peer_ended, established;
};

static struct {
    const uint8_t *text; /* what we have to say */
    size_t text_bytes;
    size_t reset_after;
    bool listen_first, http;
    int exit_code;
    struct lwip_wire wire;
} peer = {.exit_code = EXIT_RUNNING};

/* ---- a conversation ---- */

static void over(struct talk *t, int code)
{
    free(t);
    if (!peer.http && peer.exit_code == EXIT_RUNNING)
        peer.exit_code = code;
}

static void say(struct talk *t)
{
    if (t->pcb == NULL || t->shut || (peer.listen_first && !t->peer_ended) ||
        (peer.http && !t->spoken_to))
        return;
    while (t->sent < peer.text_bytes && tcp_sndbuf(t->pcb) > 0) {
        size_t n = peer.text_bytes - t->sent;

        n = n > tcp_sndbuf(t->pcb) ? tcp_sndbuf(t->pcb) : n;
        n = n > 16384 ? 16384 : n;
        if (tcp_write(t->pcb, peer.text + t->sent, (u16_t)n, TCP_WRITE_FLAG_COPY) != ERR_OK)
            break;
        t->sent += n;
    }
    (void)tcp_output(t->pcb);
    if (t->sent == peer.text_bytes && tcp_shutdown(t->pcb, 0, 1) == ERR_OK)
        t->shut = true;
}

/* Both sides have ended: give it up. Nothing is heard of it from then on. */
static void end_if_done(struct talk *t)
{
    if (!t->shut || !t->peer_ended)
        return;
    tcp_arg(t->pcb, NULL);
    tcp_recv(t->pcb, NULL);
    tcp_sent(t->pcb, NULL);
    tcp_poll(t->pcb, NULL, 0);
    tcp_err(t->pcb, NULL);
    if (tcp_close(t->pcb) != ERR_OK) {
        (void)fputs("peer_lwip: tcp_close failed\n", stderr);
        exit(1);
    }
    over(t, 0);
}

static void write_out(const struct pbuf *p)
{
    for (; p != NULL; p = p->next) {
        const uint8_t *at = p->payload;
        size_t left = p->len;

        while (left > 0) {
            const ssize_t n = write(STDOUT_FILENO, at, left);

            if (n <= 0)
                exit(1);
            at += n;
            left -= (size_t)n;
        }
    }
}

/* Is an empty line among what was heard so far? */
static void look_for_empty_line(struct talk *t, const struct pbuf *p)
{
    for (u16_t i = 0; i < p->tot_len; i++) {
        memmove(t->last, t->last + 1, PATTERN_BYTES - 1);
        t->last[PATTERN_BYTES - 1] = pbuf_get_at(p, i);
        if (memcmp(t->last, "\r\n\r\n", PATTERN_BYTES) == 0)
            t->spoken_to = true;
    }
}

static err_t on_heard(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct talk *t = arg;

    (void)err;
    if (p == NULL) {
        t->peer_ended = true;
    } else {
        t->heard += p->tot_len;
        if (peer.http)
            look_for_empty_line(t, p);
        else
            write_out(p);
        tcp_recved(pcb, p->tot_len);
        pbuf_free(p);
    }
    if (peer.reset_after > 0 && t->heard >= peer.reset_after) {
        tcp_arg(pcb, NULL);
        tcp_err(pcb, NULL);
        tcp_abort(pcb);
        over(t, 0);
        return ERR_ABRT;
    }
    say(t);
    end_if_done(t);
    return ERR_OK;
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t bytes)
{
    (void)pcb;
    (void)bytes;
    say(arg);
    end_if_done(arg);
    return ERR_OK;
}

/* Where memory was short, nothing else would make us go on. */
static err_t on_poll(void *arg, struct tcp_pcb *pcb)
{
    (void)pcb;
    say(arg);
    end_if_done(arg);
    return ERR_OK;
}

static void on_error(void *arg, err_t err)
{
    struct talk *t = arg;

    if (err == ERR_RST)
        over(t, t->established ? EXIT_RESET : EXIT_REFUSED);
    else
        over(t, EXIT_TIMEOUT);
}

static err_t begin(struct talk *t, struct tcp_pcb *pcb)
{
    t->pcb = pcb;
    tcp_arg(pcb, t);
    tcp_recv(pcb, on_heard);
    tcp_sent(pcb, on_sent);
    tcp_poll(pcb, on_poll, 2);
    tcp_err(pcb, on_error);
    return ERR_OK;
}

static struct talk *talk_new(void)
{
    struct talk *t = calloc(1, sizeof(*t));

    if (t == NULL)
        exit(1);
    return t;
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct talk *t;

    (void)arg;
    if (err != ERR_OK || pcb == NULL)
        return ERR_VAL;
    t = talk_new();
    t->established = true;
    (void)begin(t, pcb);
    say(t);
    return ERR_OK;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct talk *t = arg;

    (void)pcb;
    (void)err;
    t->established = true;
    say(t);
    return ERR_OK;
}

/* ---- the program ---- */

static bool read_text(void)
{
    struct stat st;

    if (fstat(STDIN_FILENO, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return true; /* nothing to say */
    peer.text_bytes = (size_t)st.st_size;
    peer.text = mmap(NULL, peer.text_bytes, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
    return peer.text != MAP_FAILED;
}

static bool listen_on(u16_t port)
{
    struct tcp_pcb *pcb = tcp_new();

    if (pcb == NULL || tcp_bind(pcb, IP_ADDR_ANY, port) != ERR_OK)
        return false;
    pcb = tcp_listen(pcb);
    if (pcb == NULL)
        return false;
    tcp_accept(pcb, on_accept);
    return true;
}

static bool connect_to(const char *host, u16_t port)
{
    struct talk *t = talk_new();
    struct tcp_pcb *pcb = tcp_new();
    ip_addr_t to;

    if (pcb == NULL || !ipaddr_aton(host, &to))
        return false;
    (void)begin(t, pcb);
    return tcp_connect(pcb, &to, port, on_connected) == ERR_OK;
}

/* All of ours acknowledged, and nothing heard for a while that would need an answer. */
static void last_words(void)
{
    for (u32_t began = sys_now(); sys_now() - began < LINGER_MS && tcp_active_pcbs != NULL;)
        (void)lwip_wire_turn(&peer.wire, 100);
    for (u32_t heard = sys_now(); sys_now() - heard < SILENCE_MS;)
        if (lwip_wire_turn(&peer.wire, 100) > 0)
            heard = sys_now();
}

static int fail(const char *what)
{
    (void)fprintf(stderr, "peer_lwip: %s: %s\n", what, strerror(errno));
    return 1;
}

int main(int argc, char **argv)
{
    int flag;

    while ((flag = getopt(argc, argv, "lr:")) != -1) {
        if (flag == 'l')
            peer.listen_first = true;
        else if (flag == 'r')
            peer.reset_after = strtoul(optarg, NULL, 10);
        else
            return 2;
    }
    argc -= optind;
    argv += optind;
    if (argc < 4)
        return fail("usage: [-l] [-r N] INTERFACE ADDRESS listen|http PORT | connect HOST PORT");
    peer.http = strcmp(argv[2], "http") == 0;
    if (!read_text() || !lwip_wire_packet(&peer.wire, argv[0], QUEUE_BYTES) ||
        !lwip_wire_up(&peer.wire, argv[1]))
        return fail(argv[0]);
    if (strcmp(argv[2], "connect") == 0 && argc > 4) {
        if (!connect_to(argv[3], (u16_t)strtoul(argv[4], NULL, 10)))
            return fail("connect");
    } else if (!listen_on((u16_t)strtoul(argv[3], NULL, 10))) {
        return fail("listen");
    }
    (void)fputs("ready\n", stderr);
    while (peer.exit_code == EXIT_RUNNING)
        (void)lwip_wire_turn(&peer.wire, 1000);
    last_words();
    return peer.exit_code;
}
