/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_PICTURE_FILE_H
#define TERN_CLI_PICTURE_FILE_H
/*
 * The file of a picture: made before anything is sent, so that one that cannot be written is told
 * then; what was in it stays until there is a picture to take its place.
 */
#include <stdbool.h>
#include <stdio.h>

/* Renderings, by the end of the file's name. */
enum tern_picture_kind { TERN_PICTURE_SVG, TERN_PICTURE_HTML, TERN_PICTURE_JSON };

struct tern_picture_file {
    const char *path; /* NULL: there is none */
    enum tern_picture_kind kind;
    int fd;
    bool is_new; /* it was not there before */
};

/* False: the name ends in none of them. */
bool tern_picture_kind_of(const char *path, enum tern_picture_kind *out);
/* False, with errno. The path must live as long as the file. */
bool tern_picture_file_make(struct tern_picture_file *file, const char *path);
/* Empties it; what is returned is closed by the caller, and the file is done with. NULL: errno. */
FILE *tern_picture_file_open(struct tern_picture_file *file);
/* Nothing was written: as if it had never been made. */
void tern_picture_file_drop(struct tern_picture_file *file);

#endif
