/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_WORDS_H
#define TERN_REPORT_WORDS_H
/*
 * The words of a step, for any kind of picture: a few parts, the most telling first, so that a
 * narrow picture can leave the last ones out. UTF-8; whatever came over the wire is escaped.
 */
#include "report/model.h"

#define TERN_WORDS_PARTS_MAX   5
#define TERN_WORDS_BYTES       112
#define TERN_WORDS_BRIEF_BYTES 48
#define TERN_WORDS_LOST_BYTES  160

struct tern_words {
    unsigned count;
    char part[TERN_WORDS_PARTS_MAX][TERN_WORDS_BYTES];
    /* The first `must` of them must stand, and if they do not fit, part `spare` is `brief` (which
     * is empty where it may be left out) instead. */
    unsigned must, spare;
    char brief[TERN_WORDS_BRIEF_BYTES];
};

void tern_words_step(const struct tern_step *step, struct tern_words *out);
/* Of the ACKs that a burst of data was answered with; step->acks.count must not be 0. */
void tern_words_acks(const struct tern_step *step, struct tern_words *out);
/* "bytes 0-77", or "byte 5"; "0.4 ms", "1.2 s" (32 bytes). Return out. */
char *tern_words_range(uint64_t start, uint64_t end, char *out, size_t out_bytes);
char *tern_words_time(tern_time t, char *out);
/* "bytes 0-77 · lost: sent again 0.4 ms later". out: TERN_WORDS_LOST_BYTES. Returns out. */
char *tern_words_lost(const struct tern_step_lost *lost, char *out);
/* How many of those that a burst lost are known one by one. */
uint32_t tern_words_lost_shown(const struct tern_step_data *data);
/* "… and 2 more of these lost". False: there are no more. */
bool tern_words_lost_more(const struct tern_step_data *data, char *out);
/* The parts joined by " · ", as many as fit into so many columns (the first one cut, if need be);
 * those that must stand rather than the whole of the spare one. */
void tern_words_join(const struct tern_words *words, size_t columns, char *out, size_t out_bytes);

#endif
