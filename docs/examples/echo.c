/* SPDX-License-Identifier: BSD-2-Clause */
/* An echo server on an interface, with an address of its own: echo INTERFACE ADDRESS/LEN PORT */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <tern/socket.h>
#include <tern/tern.h>

static tern_time loop_now(void *loop)
{
    return tern_loop_now(loop);
}

static int loop_wait(void *loop, tern_time until)
{
    return tern_loop_run(loop, until) == TERN_ERR_OK ? 0 : ENETDOWN;
}

static void serve(struct tern_sockets *t, int fd)
{
    char text[4096];
    ssize_t n;

    while ((n = tern_read(t, fd, text, sizeof text)) > 0) {
        if (tern_send(t, fd, text, (size_t)n, MSG_NOSIGNAL) < 0)
            break;
    }
    tern_close(t, fd);
}

int main(int count, char **argument)
{
    struct tern_link_packet_options options = {.socket_fd = -1};
    struct sockaddr_in at = {.sin_family = AF_INET};
    struct tern_sockets_config config;
    struct tern_sockets *t;
    struct tern_cidr own;
    struct tern_link *link;
    struct tern_loop *loop;
    int listener, fd;

    if (count != 4 || tern_cidr_parse(argument[2], &own) != TERN_ERR_OK)
        return fputs("echo INTERFACE ADDRESS/LEN PORT\n", stderr), 2;
    options.interface = argument[1];
    options.address = own.addr;
    at.sin_port = htons((uint16_t)strtoul(argument[3], NULL, 10));
    if (tern_link_packet_open(&options, &link, NULL) != TERN_ERR_OK ||
        tern_loop_create(link, NULL, &loop) != TERN_ERR_OK ||
        tern_stack_address_add(tern_loop_stack(loop), &own, TERN_CLAIM_FAST) != TERN_ERR_OK)
        return fputs("echo: no link\n", stderr), 1;
    tern_sockets_config_defaults(&config);
    config.stack = tern_loop_stack(loop);
    config.arg = loop;
    config.now = loop_now;
    config.wait = loop_wait;
    if (tern_sockets_init(aligned_alloc(64, tern_sockets_bytes(&config) / 64 * 64 + 64),
                          tern_sockets_bytes(&config), &config, &t) != TERN_ERR_OK)
        return 1;
    listener = tern_socket(t, AF_INET, SOCK_STREAM, 0);
    if (tern_bind(t, listener, (struct sockaddr *)&at, sizeof at) < 0 ||
        tern_listen(t, listener, 10) < 0)
        return perror("echo"), 1;
    while ((fd = tern_accept(t, listener, NULL, NULL)) >= 0)
        serve(t, fd); /* one after the other */
    return perror("echo"), 1;
}
