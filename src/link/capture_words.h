/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_CAPTURE_WORDS_H
#define TERN_LINK_CAPTURE_WORDS_H
/*
 * What received frames changed, in words: the notes that the stack tells of a burst, gathered frame
 * by frame. Too long a text is cut.
 */
#include <tern/observe.h>

#define TERN_CAPTURE_WORDS_MAX 512 /* with the zero */

struct tern_capture_words {
    uint32_t frames; /* of the burst, begun so far */
    bool open;       /* notes belong to the last of them */
    struct {
        char first[TERN_CAPTURE_WORDS_MAX / 2]; /* of the segment itself, which is told last */
        char more[TERN_CAPTURE_WORDS_MAX / 2];
    } frame[TERN_BURST_MAX];
};

/* A new burst. */
void tern_capture_words_begin(struct tern_capture_words *w);
void tern_capture_words_note(struct tern_capture_words *w, const struct tern_note *note);
/* Of the n-th frame of the burst; NULL: nothing was told of it. out: so many bytes as above. */
const char *tern_capture_words_of(const struct tern_capture_words *w, uint32_t n, char *out);

#endif
