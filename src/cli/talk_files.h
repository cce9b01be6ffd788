/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_TALK_FILES_H
#define TERN_CLI_TALK_FILES_H
/* Two that write one file leave something that nobody can read. */
#include "cli/talk.h"

/* The flag among the shared ones that writes where `path` does; NULL: none. */
const char *tern_talk_files_writer(const struct tern_talk_options *options, const char *path);
/* 0, or 2 with words in error_text (TERN_LINK_ERROR_MAX): two of them write one file. */
int tern_talk_files_check(const struct tern_talk_options *options, char *error_text);

#endif
