/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BASE_BYTES_H
#define TERN_BASE_BYTES_H
/*
 * Bytes on the wire: big-endian getters and putters, a bounded reader and a bounded writer.
 * Reader and writer turn sticky-failed instead of running over; test ->failed once at the end.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <tern/link.h>

typedef struct tern_slice tern_span; /* input: read-only bytes of somebody else */

static inline tern_span tern_span_of(const void *data, size_t bytes)
{
    return (tern_span){.data = data, .bytes = bytes};
}

/* The span without its first n bytes; n must not exceed its length. */
static inline tern_span tern_span_from(tern_span s, size_t n)
{
    return (tern_span){.data = s.data + n, .bytes = s.bytes - n};
}

static inline tern_span tern_span_first(tern_span s, size_t n)
{
    return (tern_span){.data = s.data, .bytes = n < s.bytes ? n : s.bytes};
}

static inline uint16_t tern_get_be16(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t tern_get_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void tern_put_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void tern_put_be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

struct tern_reader {
    tern_span left;
    bool failed;
};

struct tern_writer {
    uint8_t *data;
    size_t bytes; /* written so far */
    size_t bytes_max;
    bool failed;
};

static inline struct tern_reader tern_reader_of(tern_span s)
{
    return (struct tern_reader){.left = s, .failed = false};
}

/* n bytes, or NULL (and sticky failure) where fewer are left. */
static inline const uint8_t *tern_read_bytes(struct tern_reader *r, size_t n)
{
    const uint8_t *p = r->left.data;

    if (r->failed || n > r->left.bytes) {
        r->failed = true;
        return NULL;
    }
    r->left = tern_span_from(r->left, n);
    return p;
}

static inline uint8_t tern_read_u8(struct tern_reader *r)
{
    const uint8_t *p = tern_read_bytes(r, 1);

    return p == NULL ? 0 : p[0];
}

static inline uint16_t tern_read_be16(struct tern_reader *r)
{
    const uint8_t *p = tern_read_bytes(r, 2);

    return p == NULL ? 0 : tern_get_be16(p);
}

static inline uint32_t tern_read_be32(struct tern_reader *r)
{
    const uint8_t *p = tern_read_bytes(r, 4);

    return p == NULL ? 0 : tern_get_be32(p);
}

static inline struct tern_writer tern_writer_of(uint8_t *data, size_t bytes_max)
{
    return (struct tern_writer){.data = data, .bytes = 0, .bytes_max = bytes_max, .failed = false};
}

/* Room for n bytes to be filled in by the caller, or NULL (and sticky failure). */
static inline uint8_t *tern_write_room(struct tern_writer *w, size_t n)
{
    uint8_t *p = w->data + w->bytes;

    if (w->failed || n > w->bytes_max - w->bytes) {
        w->failed = true;
        return NULL;
    }
    w->bytes += n;
    return p;
}

static inline void tern_write_u8(struct tern_writer *w, uint8_t v)
{
    uint8_t *p = tern_write_room(w, 1);

    if (p != NULL)
        p[0] = v;
}

static inline void tern_write_be16(struct tern_writer *w, uint16_t v)
{
    uint8_t *p = tern_write_room(w, 2);

    if (p != NULL)
        tern_put_be16(p, v);
}

static inline void tern_write_be32(struct tern_writer *w, uint32_t v)
{
    uint8_t *p = tern_write_room(w, 4);

    if (p != NULL)
        tern_put_be32(p, v);
}

static inline void tern_write_bytes(struct tern_writer *w, const void *data, size_t n)
{
    uint8_t *p = tern_write_room(w, n);

    if (p != NULL && n > 0)
        memcpy(p, data, n);
}

#endif
