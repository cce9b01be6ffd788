/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_COMMENTS_H
#define TERN_REPORT_COMMENTS_H
/*
 * What libpcap passes over in a pcapng file: the comment and the direction of each packet, and who
 * wrote the file. Sees the file's bytes as they are read, in pieces of any size.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tern_comments;

struct tern_comment {
    char *text; /* NULL: none; to be freed */
    bool inbound, outbound;
};

/* NULL: out of memory. */
struct tern_comments *tern_comments_create(void);
void tern_comments_destroy(struct tern_comments *c);
void tern_comments_feed(struct tern_comments *c, const void *data, size_t bytes);
/* Of the next packet, in the order of the file. False: nothing is known of it. */
bool tern_comments_next(struct tern_comments *c, struct tern_comment *out);
/* Does the section say that tern wrote it? */
bool tern_comments_by_tern(const struct tern_comments *c);

#endif
