/* SPDX-License-Identifier: BSD-2-Clause */
/* Events: objects with something to tell stand in one list; pulling takes the first and all its
 * bits. Loans that came back stand in the engine's list, and are told of first. */
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

static bool loan_event(struct tern_stack *s, struct tern_event *out)
{
    void *user;
    bool acked;

    if (!tern_tcp_loan_returned(&s->tcp, &user, &acked))
        return false;
    tern_stack_loan_is_free(s);
    memset(out, 0, sizeof(*out));
    out->kind = TERN_EVENT_LOAN;
    out->bits = acked ? TERN_LOAN_ACKED : 0;
    out->user = user;
    return true;
}

bool tern_stack_event(struct tern_stack *s, struct tern_event *out)
{
    struct tern_event_node *node;
    struct tern_list *link;

    if (loan_event(s, out))
        return true;
    link = tern_list_pop(&s->events);
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
        out->conn = TERN_CONTAINER(node, struct tern_awake, event)->conn;
        out->user = out->conn->user;
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
    case TERN_EVENT_LOAN: /* has no node */
        break;
    }
    return true;
}
