/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_BLOCK_FILE_H
#define TERN_LINK_BLOCK_FILE_H
/*
 * A file that is written block by block (a capture, an event log) and ends at the end of one
 * whatever happens: where writing fails, it is cut back to its last whole block as far as that can
 * be done, and what comes later is dropped.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tern_block_file {
    int fd;
    int error;        /* the errno that stopped it; 0: none has */
    bool can_be_cut;  /* it is ours from its first byte on: no pipe, nothing appended to */
    off_t good_bytes; /* up to the end of a block */
};

/* Takes the descriptor over. */
void tern_block_file_init(struct tern_block_file *f, int fd, bool can_be_cut);
/* Whole blocks; returns when all of it is written, or f->error says why not. Waits where the
 * descriptor is full, though it may be one that does not block. */
void tern_block_file_write(struct tern_block_file *f, const void *data, size_t bytes);
/* Closes the descriptor. */
void tern_block_file_fini(struct tern_block_file *f);

#endif
