/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memcpy(3) and its kin for the guard's program: libc chooses among many by the processor, which
 * would make the counts the machine's. These take an instruction or so for eight bytes, anywhere,
 * so that a copy more is seen among the instructions.
 */
#include <stddef.h>
#include <stdint.h>

typedef uint64_t __attribute__((may_alias, aligned(1))) word;

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

static void copy_up(uint8_t *to, const uint8_t *from, size_t bytes)
{
    for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
        *(word *)to = *(const word *)from;
        to += sizeof(word);
        from += sizeof(word);
    }
    while (bytes-- > 0)
        *to++ = *from++;
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    copy_up(to, from, bytes);
    return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
    uint8_t *out = to;
    const uint8_t *in = from;

    if ((uintptr_t)out - (uintptr_t)in >= bytes)
        copy_up(out, in, bytes);
    else
        while (bytes-- > 0)
            out[bytes] = in[bytes];
    return to;
}

void *memset(void *to, int value, size_t bytes)
{
    uint8_t *out = to;
    uint64_t all = (uint8_t)value * UINT64_C(0x0101010101010101);

    for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
        *(word *)out = all;
        out += sizeof(word);
    }
    while (bytes-- > 0)
        *out++ = (uint8_t)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const uint8_t *x = a, *y = b;

    for (; bytes > 0; bytes--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}
