/* SPDX-License-Identifier: BSD-2-Clause */
/* Every kind of picture asks here, so that what is a warning in one is a warning in all. */
#include "report/look.h"

static bool is_old(const struct tern_step *s)
{
    return s->kind == TERN_STEP_DATA &&
           (s->data.class == TERN_DATA_FILL || s->data.class == TERN_DATA_AGAIN);
}

static bool is_odd_ack(const struct tern_step *s)
{
    return s->acks.count > 0 &&
           (s->acks.class == TERN_ACK_DUPLICATE || s->acks.class == TERN_ACK_CLOSED);
}

enum tern_tone tern_look_tone(const struct tern_step *s, bool answer)
{
    if (answer)
        return is_odd_ack(s) ? TERN_TONE_WARN : TERN_TONE_USUAL;
    if (s->kind == TERN_STEP_RST)
        return TERN_TONE_BAD;
    if (s->kind == TERN_STEP_HOLE || s->again || is_old(s) ||
        (s->kind == TERN_STEP_ACK && is_odd_ack(s)))
        return TERN_TONE_WARN;
    return TERN_TONE_USUAL;
}

bool tern_look_is_line(const struct tern_step *s)
{
    return s->kind == TERN_STEP_NOTE || s->kind == TERN_STEP_ARP_CLAIM ||
           s->kind == TERN_STEP_OMITTED;
}

bool tern_look_is_burst(const struct tern_step *s)
{
    return (s->kind == TERN_STEP_DATA && s->data.segments > 1) ||
           (s->kind == TERN_STEP_ACK && s->acks.count > 1) || s->kind == TERN_STEP_TALK;
}

const char *tern_look_reason(const struct tern_step *s)
{
    /* The words of these two are what they say themselves. */
    bool are_its_own = s->kind == TERN_STEP_NOTE || s->kind == TERN_STEP_UDP;

    if (s->words != NULL && !are_its_own)
        return s->words;
    return s->why != TERN_CAUSE_NONE ? tern_cause_text(s->why) : NULL;
}
