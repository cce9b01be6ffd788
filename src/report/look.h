/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_LOOK_H
#define TERN_REPORT_LOOK_H
/* How a step looks, whatever it is drawn with: on a terminal, in a drawing, on a page. */
#include "report/model.h"

enum tern_tone {
    TERN_TONE_USUAL,
    TERN_TONE_WARN, /* sent again, missing, late; an ACK that repeats itself, or shuts the window */
    TERN_TONE_BAD,  /* a reset */
};

/* answer: of the ACKs that a burst of data was answered with, instead of the data. */
enum tern_tone tern_look_tone(const struct tern_step *step, bool answer);
/* Words without an arrow: nothing goes from one side to the other. */
bool tern_look_is_line(const struct tern_step *step);
/* Several segments, or ACKs, in one arrow. */
bool tern_look_is_burst(const struct tern_step *step);
/* What stands behind it: a comment of the capture's (bytes of a stranger's: escape them), or the
 * cause that its sender told. NULL: nothing. */
const char *tern_look_reason(const struct tern_step *step);

#endif
