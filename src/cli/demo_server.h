/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_DEMO_SERVER_H
#define TERN_CLI_DEMO_SERVER_H
/*
 * The lab's pages from a second stack of tern's own, for machines that refuse namespaces. One loop
 * on the far end of a mem link; turn it together with the client's.
 */
#include <tern/tern.h>

#include "cli/labpage.h"

#define DEMO_SERVER_CONNS 4

struct demo_server_conn {
    struct tern_conn *conn; /* NULL: free */
    char request[1024];
    size_t have;
    bool asked; /* the request is whole; page is the answer */
    struct tern_labpage page;
    uint64_t written; /* of head and body */
    tern_time not_before;
    bool peer_ended;
};

struct demo_server {
    struct tern_loop *loop; /* NULL: not there */
    struct tern_listener *listener;
    struct demo_server_conn conn[DEMO_SERVER_CONNS];
};

/* Takes the link over. */
enum tern_err demo_server_open(struct demo_server *s, struct tern_link *link,
                               const struct tern_cidr *address, uint64_t seed);
void demo_server_close(struct demo_server *s);
/* Move what is ready; never sleeps. */
void demo_server_turn(struct demo_server *s);

#endif
