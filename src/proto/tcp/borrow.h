/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_TCP_BORROW_H
#define TERN_PROTO_TCP_BORROW_H
/*
 * Text that arrived and still stands in the link's frames. Where the caller says that a burst of
 * frames stays for a while, text in order is not copied at once: its room in the receive queue is
 * taken, and the reader is shown the frame. What it has not read when the frames go back is copied
 * then. So a reader that keeps up costs no copy, and one that does not costs the one it always did.
 */
#include <stdint.h>

#define TERN_BORROWED_MAX 64 /* texts at once: a burst */

struct tern_tcb;

struct tern_borrowed {
    struct tern_tcb *tcb; /* NULL: read, or its connection is over */
    uint64_t at;
    const uint8_t *data;
    uint32_t bytes;
    uint32_t next; /* of this connection, an index + 1; 0: the last */
};

struct tern_borrow {
    uint32_t count;
    struct tern_borrowed item[TERN_BORROWED_MAX];
};

struct tern_tcp_env;

/* The frames go: copy what was not read. */
void tern_tcp_borrow_settle(struct tern_tcp_env *env);

#endif
