/* SPDX-License-Identifier: BSD-2-Clause */
/* Events: objects with something to tell stand in one list; pulling takes the first and all its
 * bits. */
#include "stack/internal.h"

void tern_stack_event_raise(struct tern_stack *s, struct tern_event_node *node, uint32_t bits)
{
    if (bits == 0)
        return;
    node->bits |= bits;
    if (!tern_list_is_linked(&node->link))
        tern_list_push(&s->events, &node->link);
}

void tern_stack_event_drop(struct tern_event_node *node)
{
    tern_list_remove(&node->link);
    node->bits = 0;
}

bool tern_stack_event(struct tern_stack *s, struct tern_event *out)
{
    struct tern_list *link = tern_list_pop(&s->events);
    struct tern_event_node *node;

    if (link == NULL)
        return false;
    node = TERN_CONTAINER(link, struct tern_event_node, link);
    memset(out, 0, sizeof(*out));
    out->kind = node->kind;
    out->bits = node->bits;
    out->user = node->user;
    node->bits = 0;
    switch (node->kind) {
    case TERN_EVENT_CONN:
        out->conn = TERN_CONTAINER(node, struct tern_conn, event);
        break;
    case TERN_EVENT_LISTENER:
        out->listener = TERN_CONTAINER(node, struct tern_listener, event);
        break;
    case TERN_EVENT_UDP:
        out->udp = TERN_CONTAINER(node, struct tern_udp_socket, event);
        break;
    case TERN_EVENT_PING:
        out->ping = TERN_CONTAINER(node, struct tern_ping_socket, event);
        break;
    case TERN_EVENT_ADDRESS: {
        const struct tern_own_address *own = TERN_CONTAINER(node, struct tern_own_address, event);

        out->address = own->cidr.addr;
        out->mac = own->claim.other_mac;
        break;
    }
    }
    return true;
}
