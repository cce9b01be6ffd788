/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_PAGE_H
#define TERN_REPORT_PAGE_H
/* The page of tern draw --html, without its data: made at build time from page/. */
#include <stddef.h>

extern const unsigned char tern_page_head[], tern_page_tail[];
extern const size_t tern_page_head_bytes, tern_page_tail_bytes;

#endif
