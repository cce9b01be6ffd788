/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_ERR_H
#define TERN_ERR_H
/*
 * Every way that a call of libtern can fail, in one list. 0 is fine, failures
 * are negative, so that a call that returns a byte count can return them too.
 */
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TERN_NODISCARD __attribute__((warn_unused_result))
#define TERN_EXPORT    __attribute__((visibility("default")))
#else
#define TERN_NODISCARD
#define TERN_EXPORT
#endif

/* X(name, number, text) */
#define TERN_ERR_LIST(X)                                                                           \
    X(OK, 0, "ok")                                                                                 \
    X(INVAL, -1, "an argument is out of range")                                                    \
    X(AGAIN, -2, "nothing can be done now; try again after an event")                              \
    X(FULL, -3, "a table, pool or buffer is full")                                                 \
    X(MEMORY, -4, "out of memory")                                                                 \
    X(CLOSED, -5, "this side is already shut down")                                                \
    X(RESET, -6, "connection reset by peer")                                                       \
    X(REFUSED, -7, "connection refused")                                                           \
    X(TIMEOUT, -8, "timed out")                                                                    \
    X(UNREACHABLE, -9, "host or network unreachable")                                              \
    X(NO_ROUTE, -10, "no route: no address or gateway leads there")                                \
    X(ADDRESS_IN_USE, -11, "address already in use")                                               \
    X(ABORTED, -12, "aborted by this side")                                                        \
    X(PERMISSION, -13, "permission denied")                                                        \
    X(NO_DEVICE, -14, "no such interface")                                                         \
    X(LINK, -15, "the link failed or went away")                                                   \
    X(UNSUPPORTED, -16, "not supported here")                                                      \
    X(TOO_BIG, -17, "message too long")                                                            \
    X(SYSTEM, -18, "a system call failed")

enum tern_err {
#define TERN_ERR_ENUM(name, number, text) TERN_ERR_##name = (number),
    TERN_ERR_LIST(TERN_ERR_ENUM)
#undef TERN_ERR_ENUM
};

/* The text of an error, without a full stop; never NULL. */
TERN_EXPORT const char *tern_err_text(enum tern_err err);

/* The name of an error as it stands in the list ("REFUSED"); never NULL. */
TERN_EXPORT const char *tern_err_name(enum tern_err err);

#ifdef __cplusplus
}
#endif
#endif
