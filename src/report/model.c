/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of steps, and the states that find their place in it.
 *
 * Steps live in one array, made once. When three quarters of it are used, bursts are folded
 * harder (model_tcp.c); when all of it is used the last step counts what is not shown. So a
 * picture of any length of traffic costs the same memory.
 *
 * A change of state (from a trace) belongs to the frame that made it: SYN-SENT to our SYN,
 * CLOSE-WAIT to their FIN. Traces and frames reach the model in the order in which the loop happens
 * to hand them over, so a state looks back for its step, and where that is not there yet, it waits.
 */
#include "report/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "report/model_internal.h"

struct tern_model *tern_model_create(const struct tern_model_options *options)
{
    struct tern_model *m = calloc(1, sizeof *m);

    if (m == NULL)
        return NULL;
    if (options != NULL)
        m->options = *options;
    if (m->options.steps_max == 0)
        m->options.steps_max = MODEL_STEPS_DEFAULT;
    if (m->options.steps_max < MODEL_STEPS_MIN)
        m->options.steps_max = MODEL_STEPS_MIN;
    if (m->options.fold_gap == 0)
        m->options.fold_gap = 20 * TERN_MS;
    m->step = calloc(m->options.steps_max, sizeof *m->step);
    m->scratch = calloc(1, TERN_FRAME_BYTES_MAX);
    if (m->step == NULL || m->scratch == NULL) {
        tern_model_destroy(m);
        return NULL;
    }
    return m;
}

void tern_model_destroy(struct tern_model *m)
{
    if (m == NULL)
        return;
    free(m->step);
    free(m->scratch);
    free(m);
}

struct tern_step *model_step_last(struct tern_model *m)
{
    return m->step_count == 0 ? NULL : &m->step[m->step_count - 1];
}

bool model_is_crowded(const struct tern_model *m)
{
    return m->step_count >= m->options.steps_max - m->options.steps_max / 4;
}

struct tern_step *model_step_add(struct tern_model *m, enum tern_step_kind kind,
                                 enum tern_lane from, tern_time at)
{
    struct tern_step *last = model_step_last(m);
    bool is_final = m->step_count == m->options.steps_max - 1;

    TERN_ASSERT(kind < TERN_STEP_KIND_COUNT);
    if (last != NULL && last->kind == TERN_STEP_OMITTED) {
        last->count++;
        last->until = at;
        return NULL;
    }
    TERN_ASSERT(m->step_count < m->options.steps_max);
    struct tern_step *s = &m->step[m->step_count++];

    memset(s, 0, sizeof *s);
    s->kind = is_final ? TERN_STEP_OMITTED : kind;
    s->from = from;
    s->at = at;
    s->until = at;
    s->conn = TERN_MODEL_NO_CONN;
    s->count = 1;
    return is_final ? NULL : s;
}

void tern_model_note(struct tern_model *m, tern_time at, const char *words)
{
    struct tern_step *s = model_step_add(m, TERN_STEP_NOTE, TERN_LANE_US, at);

    if (s == NULL)
        return;
    size_t n = strlen(words);

    if (n >= sizeof s->words)
        n = sizeof s->words - 1;
    memcpy(s->words, words, n);
}

static bool from_us(const struct tern_step *s, enum tern_step_kind kind)
{
    return s->from == TERN_LANE_US && s->kind == kind;
}

static bool from_peer(const struct tern_step *s, enum tern_step_kind kind)
{
    return s->from == TERN_LANE_PEER && s->kind == kind;
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

static bool state_place(struct tern_step *s, uint16_t conn, enum tern_tcp_state to)
{
    if (s->conn != conn || s->has_state || s->again || !state_fits(s, to))
        return false;
    s->has_state = true;
    s->state = to;
    return true;
}

/* The connection that a stack's number means: the one so named, else the latest without a name. */
static size_t conn_of_id(struct tern_model *m, uint32_t id)
{
    for (size_t i = 0; i < m->conn_count; i++)
        if (m->conn[i].out.id == id)
            return i;
    for (size_t i = m->conn_count; i-- > 0;)
        if (m->conn[i].out.id == 0) {
            m->conn[i].out.id = id;
            return i;
        }
    return m->conn_count;
}

static void pending_remove(struct tern_model *m, size_t i)
{
    TERN_ASSERT(i < m->pending_count);
    m->pending_count--;
    memmove(&m->pending[i], &m->pending[i + 1], (m->pending_count - i) * sizeof m->pending[0]);
}

void tern_model_state(struct tern_model *m, uint32_t conn_id, enum tern_tcp_state to)
{
    size_t conn = conn_of_id(m, conn_id);
    size_t low = m->step_count > MODEL_STATE_BACK ? m->step_count - MODEL_STATE_BACK : 0;

    if (conn < m->conn_count)
        for (size_t i = m->step_count; i-- > low;)
            if (state_place(&m->step[i], (uint16_t)conn, to))
                return;
    if (m->pending_count == MODEL_PENDING_MAX)
        pending_remove(m, 0);
    m->pending[m->pending_count++] = (struct model_pending){.conn_id = conn_id, .to = to};
}

void tern_model_trace(struct tern_model *m, const struct tern_trace *trace)
{
    if (trace->kind == TERN_TRACE_STATE)
        tern_model_state(m, trace->conn_id, trace->state.to);
}

void model_step_settled(struct tern_model *m, struct tern_step *s)
{
    if (s->conn == TERN_MODEL_NO_CONN)
        return;
    TERN_ASSERT(s->conn < m->conn_count);
    for (size_t i = 0; i < m->pending_count; i++)
        if (m->pending[i].conn_id == m->conn[s->conn].out.id &&
            state_place(s, s->conn, m->pending[i].to)) {
            pending_remove(m, i);
            return;
        }
}

/* A state may have been told before its connection was seen: then the name goes to the newcomer. */
void model_conn_started(struct tern_model *m, struct model_conn *c)
{
    for (size_t i = 0; i < m->pending_count && c->out.id == 0; i++) {
        uint32_t id = m->pending[i].conn_id;
        bool is_taken = false;

        for (size_t k = 0; k < m->conn_count; k++)
            is_taken = is_taken || m->conn[k].out.id == id;
        if (!is_taken)
            c->out.id = id;
    }
}

size_t tern_model_step_count(const struct tern_model *m)
{
    return m->step_count;
}

const struct tern_step *tern_model_step(const struct tern_model *m, size_t index)
{
    TERN_ASSERT(index < m->step_count);
    return &m->step[index];
}

size_t tern_model_conn_count(const struct tern_model *m)
{
    return m->conn_count;
}

const struct tern_model_conn *tern_model_conn(const struct tern_model *m, size_t index)
{
    TERN_ASSERT(index < m->conn_count);
    return &m->conn[index].out;
}

tern_time tern_model_origin(const struct tern_model *m)
{
    return m->origin;
}

bool tern_model_has_kernel(const struct tern_model *m)
{
    return m->has_kernel;
}

void tern_model_check(const struct tern_model *m)
{
    TERN_ASSERT(m->step_count <= m->options.steps_max);
    TERN_ASSERT(m->pending_count <= MODEL_PENDING_MAX);
    for (size_t i = 0; i < m->step_count; i++) {
        TERN_ASSERT(m->step[i].kind < TERN_STEP_KIND_COUNT);
        TERN_ASSERT(m->step[i].at <= m->step[i].until);
        TERN_ASSERT(m->step[i].conn == TERN_MODEL_NO_CONN || m->step[i].conn < m->conn_count);
        TERN_ASSERT(m->step[i].data.start <= m->step[i].data.end);
    }
    for (size_t i = 0; i < m->conn_count; i++)
        for (size_t d = 0; d < 2; d++) {
            TERN_ASSERT(m->conn[i].dir[d].next <= m->conn[i].dir[d].max);
            tern_ranges_check(&m->conn[i].dir[d].beyond);
        }
}
