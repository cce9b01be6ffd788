/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_WIRE_TEST_H
#define TERN_TESTS_WIRE_TEST_H
/*
 * What the tests of the wire formats share: bytes from hexadecimal text, and memory that ends
 * at an unmapped page, so that reading or writing one byte too far is a crash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

#define GUARDED_BYTES_MAX ((size_t)1 << 17)

/* Room for n bytes, the last of them right before an unmapped page. One room at a time. */
static inline uint8_t *guarded_room(size_t n)
{
    static uint8_t *end;

    if (end == NULL) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        uint8_t *p = mmap(NULL, GUARDED_BYTES_MAX + page, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        assert_true(p != MAP_FAILED);
        end = p + GUARDED_BYTES_MAX;
        assert_int_equal(mprotect(end, page, PROT_NONE), 0);
    }
    assert_true(n <= GUARDED_BYTES_MAX);
    return end - n;
}

static inline tern_span guarded(const void *bytes, size_t n)
{
    uint8_t *p = guarded_room(n);

    if (n > 0)
        memmove(p, bytes, n);
    return tern_span_of(p, n);
}

/* "01 ff a0": two digits a byte, spaces between. Returns the number of bytes. */
static inline size_t from_hex(const char *hex, uint8_t *out, size_t max)
{
    size_t n = 0;

    while (*hex != '\0') {
        unsigned value;

        if (*hex == ' ') {
            hex++;
            continue;
        }
        assert_int_equal(sscanf(hex, "%2x", &value), 1);
        assert_true(n < max);
        out[n++] = (uint8_t)value;
        hex += 2;
    }
    return n;
}

/* For every room smaller than what emit needs: it fails, and stays inside. */
static inline void check_small_rooms(void (*emit)(struct tern_writer *w), size_t needed)
{
    struct tern_writer w;

    for (size_t room = 0; room < needed; room++) {
        w = tern_writer_of(guarded_room(room), room);
        emit(&w);
        assert_true(w.failed);
    }
    w = tern_writer_of(guarded_room(needed), needed);
    emit(&w);
    assert_false(w.failed);
    assert_int_equal(w.bytes, needed);
}

#endif
