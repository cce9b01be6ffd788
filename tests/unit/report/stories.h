/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TEST_STORIES_H
#define TERN_TEST_STORIES_H
#include "conversation.h"

/* Tell one of: tour loss slow kernel close crossed hostile alone crowded riding. */
void story_tell(struct talk *t, const char *name);

#endif
