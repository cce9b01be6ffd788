/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BASE_ASSERT_H
#define TERN_BASE_ASSERT_H
/*
 * TERN_ASSERT is for our own mistakes and stays on in release. Nothing that a peer, a user or a
 * kernel sends may trip one. tern_assert_failed() is the one hook by which the pure layers
 * stop; src/base/assert.c prints and aborts.
 */
_Noreturn void tern_assert_failed(const char *what, const char *file, int line);

#define TERN_ASSERT(what) ((what) ? (void)0 : tern_assert_failed(#what, __FILE__, __LINE__))

#endif
