/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_HTTP_LISTING_H
#define TERN_APPS_HTTP_LISTING_H
/* The page that shows a directory. */
#include "apps/http_file.h"
#include "apps/http_text.h"

#define TERN_HTTP_LISTING_MAX 10000 /* entries shown; of more, the page says so */

struct tern_http_entry {
    char *name; /* as it stands in the directory */
    bool is_directory;
    uint64_t bytes;
    int64_t modified;
};

/* The entries of a directory that can be asked for, unsorted: no dotfiles, unless they are served,
 * nothing special, no link that leads outside. name: relative to root. *more: there were too many.
 * False: out of memory, or the directory cannot be read. */
bool tern_http_entries(int root, const char *name, bool dotfiles, struct tern_http_entry **out,
                       size_t *count, bool *more);
void tern_http_entries_free(struct tern_http_entry *entries, size_t count);

/* The page itself; sorts the entries. shown: the directory's path, "" for the root. */
void tern_http_listing(struct tern_http_text *t, const char *shown, struct tern_http_entry *entries,
                       size_t count, bool more);

#endif
