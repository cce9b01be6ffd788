/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_FUZZ_STACK_NOTES_H
#define TERN_FUZZ_STACK_NOTES_H
/*
 * The observer in the fuzz target of the whole stack. What it is told must make sense: every value
 * is one of its list, time never runs backwards, and each state of a connection begins where the
 * last one ended.
 */
#include "base/assert.h"
#include <tern/observe.h>

#define FUZZ_HEARD_MAX 64 /* connections whose state is known; of more the oldest is forgotten */

struct fuzz_notes {
    tern_time at;
    uint32_t heard; /* in all */
    struct {
        uint32_t id;
        enum tern_tcp_state state;
    } conn[FUZZ_HEARD_MAX];
};

static inline void fuzz_note_state(struct fuzz_notes *n, const struct tern_note *note)
{
    TERN_ASSERT(note->conn_id != 0);
    TERN_ASSERT(note->state.from != note->state.to);
    for (uint32_t i = 0; i < FUZZ_HEARD_MAX; i++)
        if (n->conn[i].id == note->conn_id) {
            TERN_ASSERT(n->conn[i].state == note->state.from);
            n->conn[i].state = note->state.to;
            return;
        }
    n->conn[n->heard % FUZZ_HEARD_MAX].id = note->conn_id;
    n->conn[n->heard % FUZZ_HEARD_MAX].state = note->state.to;
    n->heard++;
}

static inline void fuzz_note_segment(const struct tern_note_segment *s, bool out)
{
    TERN_ASSERT((s->cause != TERN_CAUSE_NONE) == out);
    TERN_ASSERT(s->cause < TERN_CAUSE_COUNT);
    TERN_ASSERT(s->sack_count <= 4);
    TERN_ASSERT(s->piece_bytes == 0 || s->piece_bytes < s->text_bytes);
    TERN_ASSERT(out || s->effect.drop <= TERN_DROP_COUNT);
}

/* user: a struct fuzz_notes. */
static inline void fuzz_note(void *user, const struct tern_note *note)
{
    struct fuzz_notes *n = user;

    TERN_ASSERT(note->at >= n->at);
    n->at = note->at;
    switch (note->kind) {
    case TERN_NOTE_SEGMENT_IN:
    case TERN_NOTE_SEGMENT_OUT:
        fuzz_note_segment(&note->segment, note->kind == TERN_NOTE_SEGMENT_OUT);
        break;
    case TERN_NOTE_STATE:
        fuzz_note_state(n, note);
        break;
    case TERN_NOTE_TIMER:
        TERN_ASSERT(note->timer.timer < TERN_TIMER_COUNT);
        TERN_ASSERT(note->timer.step != TERN_TIMER_SET || note->timer.due >= note->at);
        break;
    case TERN_NOTE_LOSS:
        TERN_ASSERT(note->loss.by < TERN_LOSS_COUNT && note->loss.bytes > 0);
        break;
    case TERN_NOTE_RECOVERY:
        TERN_ASSERT(note->recovery.from != note->recovery.to);
        break;
    case TERN_NOTE_UNDO:
        TERN_ASSERT(note->undo.by < TERN_UNDO_COUNT);
        break;
    case TERN_NOTE_METRICS:
        TERN_ASSERT(note->metrics.phase < TERN_PHASE_COUNT);
        TERN_ASSERT(note->metrics.cwnd > 0 && note->metrics.rto > 0);
        break;
    case TERN_NOTE_DROP:
        TERN_ASSERT(note->drop.reason < TERN_DROP_COUNT);
        break;
    default:
        TERN_ASSERT(note->kind < TERN_NOTE_COUNT);
    }
}

#endif
