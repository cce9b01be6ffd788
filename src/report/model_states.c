/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The states of the left side, and the steps to which they belong.
 *
 * A change of state (from a trace) belongs to the frame that made it: SYN-SENT to our SYN,
 * CLOSE-WAIT to their FIN. Traces and frames reach the model in the order in which the loop happens
 * to hand them over, so a state looks back for its step, and where that is not there yet, it waits.
 *
 * In somebody else's capture there are no traces: then the state follows from the frames, as RFC
 * 9293 §3.3.2 has it.
 */
#include <string.h>

#include "base/assert.h"
#include "report/model_internal.h"

static bool from_us(const struct tern_step *s, enum tern_step_kind kind)
{
    return s->from == TERN_LANE_LEFT && s->kind == kind;
}

static bool from_peer(const struct tern_step *s, enum tern_step_kind kind)
{
    return s->from == TERN_LANE_RIGHT && s->kind == kind;
}

static bool completes_handshake(const struct tern_step *s)
{
    return (s->kind == TERN_STEP_ACK || s->kind == TERN_STEP_DATA) &&
           s->acks.class == TERN_ACK_HANDSHAKE;
}

static bool acks_a_fin(const struct tern_step *s)
{
    return s->acks.count > 0 && s->acks.class == TERN_ACK_FIN;
}

/* Is this the frame that makes a side go to a state? RFC 9293 §3.3.2, figure 5. */
static bool state_fits(const struct tern_step *s, enum tern_tcp_state to)
{
    switch (to) {
    case TERN_TCP_SYN_SENT:
        return from_us(s, TERN_STEP_SYN);
    case TERN_TCP_SYN_RECEIVED:
        return from_us(s, TERN_STEP_SYN_ACK);
    case TERN_TCP_ESTABLISHED:
        return completes_handshake(s);
    case TERN_TCP_FIN_WAIT_1:
    case TERN_TCP_LAST_ACK:
        return from_us(s, TERN_STEP_FIN);
    case TERN_TCP_FIN_WAIT_2:
        return from_peer(s, TERN_STEP_ACK) && acks_a_fin(s);
    case TERN_TCP_CLOSE_WAIT:
    case TERN_TCP_CLOSING:
        return from_peer(s, TERN_STEP_FIN);
    case TERN_TCP_TIME_WAIT:
        return s->kind == TERN_STEP_ACK && acks_a_fin(s);
    case TERN_TCP_CLOSED:
        return (s->kind == TERN_STEP_RST && s->from != TERN_LANE_KERNEL) ||
               (from_peer(s, TERN_STEP_ACK) && acks_a_fin(s));
    default:
        return false;
    }
}

static bool state_place(struct tern_step *s, enum tern_tcp_state to)
{
    if (s->has_state || s->again || !state_fits(s, to))
        return false;
    s->has_state = true;
    s->state = to;
    return true;
}

/* The connection that a stack's number means: the one so named, else the latest without a name. */
static struct model_conn *conn_of_id(struct tern_model *m, uint32_t id)
{
    struct model_conn *c = model_conn_named(m, id);
    size_t low = m->conn_count > MODEL_NAME_BACK ? m->conn_count - MODEL_NAME_BACK : 0;

    for (size_t i = m->conn_count; id != 0 && c == NULL && i-- > low;)
        if (m->conn[i]->out.id == 0) {
            c = m->conn[i];
            model_conn_name(m, c, id);
        }
    return c;
}

static void pending_remove(struct tern_model *m, size_t i)
{
    TERN_ASSERT(i < m->pending_count);
    m->pending_count--;
    memmove(&m->pending[i], &m->pending[i + 1], (m->pending_count - i) * sizeof m->pending[0]);
}

void tern_model_state(struct tern_model *m, uint32_t conn_id, enum tern_tcp_state to)
{
    struct model_conn *c = conn_of_id(m, conn_id);

    if (c != NULL) {
        size_t count = c->steps.count;
        size_t low = count > MODEL_STATE_BACK ? count - MODEL_STATE_BACK : 0;

        for (size_t i = count; i-- > low;)
            if (state_place(&c->steps.item[i], to))
                return;
    }
    if (m->pending_count == MODEL_PENDING_MAX)
        pending_remove(m, 0);
    m->pending[m->pending_count++] = (struct model_pending){.conn_id = conn_id, .to = to};
}

void tern_model_trace(struct tern_model *m, const struct tern_trace *trace)
{
    if (trace->kind == TERN_TRACE_STATE)
        tern_model_state(m, trace->conn_id, trace->state.to);
}

void model_step_settled(struct tern_model *m, struct model_conn *c, struct tern_step *s)
{
    if (m->options.infer_states) {
        model_states_infer(m, c, s);
        return;
    }
    for (size_t i = 0; i < m->pending_count; i++)
        if (m->pending[i].conn_id == c->out.id && state_place(s, m->pending[i].to)) {
            pending_remove(m, i);
            return;
        }
}

/* A state may have been told before its connection was seen: then the name goes to the newcomer. */
void model_conn_started(struct tern_model *m, struct model_conn *c)
{
    for (size_t i = 0; i < m->pending_count && c->out.id == 0; i++) {
        uint32_t id = m->pending[i].conn_id;

        if (id != 0 && model_conn_named(m, id) == NULL)
            model_conn_name(m, c, id);
    }
}

/* ---- inferred ---- */

/* After their FIN. */
static enum tern_tcp_state after_their_fin(const struct tern_step *s, enum tern_tcp_state now)
{
    if (now == TERN_TCP_FIN_WAIT_1)
        return s->acks_fin ? TERN_TCP_TIME_WAIT : TERN_TCP_CLOSING;
    return now == TERN_TCP_FIN_WAIT_2 ? TERN_TCP_TIME_WAIT : TERN_TCP_CLOSE_WAIT;
}

/* After their ACK of our FIN. */
static enum tern_tcp_state after_their_ack(enum tern_tcp_state now)
{
    switch (now) {
    case TERN_TCP_FIN_WAIT_1:
        return TERN_TCP_FIN_WAIT_2;
    case TERN_TCP_CLOSING:
        return TERN_TCP_TIME_WAIT;
    case TERN_TCP_LAST_ACK:
        return TERN_TCP_CLOSED;
    default:
        return now;
    }
}

static enum tern_tcp_state state_after(const struct tern_step *s, enum tern_tcp_state now)
{
    bool ours = s->from == TERN_LANE_LEFT;

    switch (s->kind) {
    case TERN_STEP_SYN:
        return ours ? TERN_TCP_SYN_SENT : now;
    case TERN_STEP_SYN_ACK:
        return ours ? TERN_TCP_SYN_RECEIVED : now;
    case TERN_STEP_FIN:
        if (!ours)
            return after_their_fin(s, now);
        return now == TERN_TCP_CLOSE_WAIT ? TERN_TCP_LAST_ACK : TERN_TCP_FIN_WAIT_1;
    case TERN_STEP_RST:
        return TERN_TCP_CLOSED;
    case TERN_STEP_ACK:
    case TERN_STEP_DATA:
        if (completes_handshake(s))
            return TERN_TCP_ESTABLISHED;
        if (acks_a_fin(s) && (s->from == TERN_LANE_RIGHT) == (s->kind == TERN_STEP_ACK))
            return after_their_ack(now);
        return now;
    default:
        return now;
    }
}

void model_states_infer(struct tern_model *m, struct model_conn *c, struct tern_step *s)
{
    (void)m;
    if (s->again || s->has_state || s->from == TERN_LANE_KERNEL)
        return;
    enum tern_tcp_state now = c->state_known ? c->state : TERN_TCP_ESTABLISHED;
    enum tern_tcp_state then = state_after(s, now);

    if (then == now && (c->state_known || s->kind != TERN_STEP_FIN))
        return;
    c->state = then;
    c->state_known = true;
    s->has_state = true;
    s->state = then;
}
