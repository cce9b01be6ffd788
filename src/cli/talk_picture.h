/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_TALK_PICTURE_H
#define TERN_CLI_TALK_PICTURE_H
/*
 * --ladder and --draw: the picture of a run, from the frames that tern saw and sent, with their
 * causes, and from what the stack decided. The same model and the same renderings as tern draw's.
 */
#include "cli/talk.h"
#include "cli/talk_plan.h"

struct talk_picture;

/*
 * Make the files, so that one that cannot be written is told before anything is sent. *out is NULL
 * where no picture is wanted. 0, or the exit code with words in error_text (TERN_LINK_ERROR_MAX).
 */
int talk_picture_open(const struct tern_talk_options *options, const struct tern_talk_plan *plan,
                      struct talk_picture **out, char *error_text);
/* Put the model's recorder around a link. */
enum tern_err talk_picture_wrap(struct talk_picture *p, struct tern_link **link);
void talk_picture_trace(struct talk_picture *p, const struct tern_trace *trace);
/* Print and write what the model holds. Where no frame went by there is no picture, and files that
 * were not there before are removed. 0, or 23 with words on standard error. Frees p. */
int talk_picture_finish(struct talk_picture *p);

#endif
