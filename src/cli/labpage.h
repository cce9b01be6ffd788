/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_LABPAGE_H
#define TERN_CLI_LABPAGE_H
/*
 * What the lab's little web server says, whoever carries it: the kernel's sockets in the lab, or a
 * second stack in memory. Paths:
 *   /        a page; with its header exactly TERN_LABPAGE_BYTES bytes, 100 full segments
 *   /N       N bytes of a pattern
 *   /reset   the beginning of an answer, then a reset
 *   /half    an answer once the client has sent its FIN, and a moment later
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERN_LABPAGE_BYTES       144800 /* 100 segments of 1,448 */
#define TERN_LABPAGE_HEAD_MAX    256
#define TERN_LABPAGE_REQUEST_MAX 8192
#define TERN_LABPAGE_RESET_BYTES 20000 /* of the body, before /reset resets */

enum tern_labpage_manner { TERN_LABPAGE_PLAIN, TERN_LABPAGE_RESET, TERN_LABPAGE_HALF };

struct tern_labpage {
    enum tern_labpage_manner manner;
    bool close; /* after the answer, the connection ends */
    bool pattern;
    char head[TERN_LABPAGE_HEAD_MAX];
    size_t head_bytes;
    uint64_t body_bytes; /* that follow; 0 for HEAD */
};

/* Where a request that ends with an empty line ends; 0: not yet whole. */
size_t tern_labpage_request_end(const char *text, size_t bytes);
/* The answer to a whole request. */
void tern_labpage_answer(const char *request, size_t bytes, struct tern_labpage *out);
/* The body from an offset on: up to len bytes, copied. Returns the bytes, 0 at the end. */
size_t tern_labpage_body(const struct tern_labpage *page, uint64_t offset, void *out, size_t len);

#endif
