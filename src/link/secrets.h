/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_SECRETS_H
#define TERN_LINK_SECRETS_H
/*
 * TLS keys on their way into a capture: lines as SSLKEYLOGFILE has them, from whichever thread
 * speaks TLS to the stack's, whose link writes the capture.
 */
#include <stdbool.h>
#include <stddef.h>

#include <tern/link.h>

struct tern_secrets;

/* NULL: out of memory. */
struct tern_secrets *tern_secrets_create(void);
void tern_secrets_destroy(struct tern_secrets *s);

/* ---- whoever speaks TLS; any thread ---- */

/* A handshake begins: call before its first byte is sent. Frames wait for its keys from here on. */
void tern_secrets_expect(struct tern_secrets *s);
/* A line of keys, without its end; copied. */
void tern_secrets_add(struct tern_secrets *s, const char *line);
/* The handshake is over, well or not: its keys were added. */
void tern_secrets_settle(struct tern_secrets *s);

/* ---- the capture; the stack's thread ---- */

bool tern_secrets_expected(const struct tern_secrets *s);
/* All lines that came since the last call, each with its end; to be freed. NULL: none. */
char *tern_secrets_take(struct tern_secrets *s, size_t *bytes);

/*
 * tern_link_capture_open() with keys: those that come are written in front of the frames that they
 * are for. The file is its owner's alone (mode 0600), also where it was there before with another
 * mode: refused where that cannot be changed. secrets stay the caller's, and outlive the link; NULL
 * makes it an ordinary capture.
 */
TERN_NODISCARD enum tern_err tern_link_capture_open_secret(struct tern_link *inner,
                                                           const char *path, int64_t wall_offset_ns,
                                                           struct tern_secrets *secrets,
                                                           struct tern_link **out,
                                                           char *error_text);

#endif
