/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What those above may ask without changing anything: of a stack, which addresses are its own, from
 * which of them packets would leave, which port is free, how a congestion controller is called; of
 * a connection or a listener, whether something waits there.
 */
#include "proto/tcp/isn.h"
#include "stack/internal.h"

bool tern_stack_address_is_own(struct tern_stack *s, struct tern_addr address)
{
    return tern_stack_own(s, address) != NULL;
}

bool tern_stack_source(struct tern_stack *s, struct tern_addr destination, struct tern_addr *out)
{
    return tern_stack_source_for(s, destination, out);
}

/* RFC 6056 §3.3.1: random picks; the counterpart in tcp_api.c knows the destination and does
 * better. */
uint16_t tern_tcp_port_pick(struct tern_stack *s, struct tern_addr local)
{
    for (uint32_t i = 0; i < TERN_PORT_EPHEMERAL_COUNT; i++) {
        const uint64_t random = tern_random_below(&s->random, TERN_PORT_EPHEMERAL_COUNT);
        const struct tern_endpoint at = {local, (uint16_t)(TERN_PORT_EPHEMERAL_MIN + random)};

        if (tern_stack_listener_find(s, &at) == NULL)
            return at.port;
    }
    return 0;
}

const char *tern_tcp_congestion_name(const struct tern_stack *s, const char *name)
{
    const struct tern_cc_ops *ops = tern_cc_find(name != NULL ? name : s->config.congestion);

    return ops != NULL ? ops->name : NULL;
}

uint64_t tern_tcp_unread(const struct tern_conn *conn)
{
    struct tern_tcb room;
    uint64_t from;

    return tern_tcb_readable(tern_conn_look(conn, &room), &from);
}

bool tern_tcp_urgent_waits(const struct tern_conn *conn)
{
    struct tern_tcb room;

    return tern_tcb_urgent_waits(tern_conn_look(conn, &room));
}

bool tern_tcp_peer_done(const struct tern_conn *conn)
{
    struct tern_tcb room;

    return tern_conn_look(conn, &room)->rcv.closed;
}

bool tern_listener_is_ready(const struct tern_listener *l)
{
    return !tern_list_is_empty(&l->accepted);
}
