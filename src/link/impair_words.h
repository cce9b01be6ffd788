/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_IMPAIR_WORDS_H
#define TERN_LINK_IMPAIR_WORDS_H
/* The language of impairments: netem's words, parsed into figures for each direction. */
#include <tern/link.h>

#define TERN_IMPAIR_DROPS_MAX 64

/* One direction. Probabilities in parts per million; zero is "not at all" throughout. */
struct tern_impair_way {
    bool active; /* some word spoke of it */
    uint32_t loss_ppm;
    uint32_t burst_ppm;   /* that a frame begins a burst of losses */
    uint32_t burst_count; /* frames in a burst */
    uint32_t reorder_ppm; /* that a frame skips the delay */
    uint32_t duplicate_ppm;
    uint32_t corrupt_ppm;
    tern_time delay, jitter; /* delay -jitter … +jitter, uniformly */
    uint64_t rate_bits;      /* a second */
    uint32_t limit;          /* frames held at once; 0: the default */
    uint32_t mtu_bytes;      /* longer IP packets vanish */
    uint32_t drop_count;
    uint32_t drop[TERN_IMPAIR_DROPS_MAX]; /* frames by number, from 1 */
};

enum { TERN_IMPAIR_IN, TERN_IMPAIR_OUT };

/* TERN_ERR_INVAL: error_text (TERN_LINK_ERROR_MAX bytes, may be NULL) names the wrong word. */
enum tern_err tern_impair_parse(const char *words, struct tern_impair_way way[2], char *error_text);

#endif
