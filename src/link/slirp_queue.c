/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames lie one behind the other, never split: one that does not fit before the end begins
 * at the start again. The used part is from the oldest frame to the tail, maybe around the
 * end; when the queue runs empty it begins afresh, so that a quiet link touches few pages.
 */
#include "link/slirp_queue.h"

#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"

bool tern_slirp_queue_init(struct tern_slirp_queue *q)
{
    void *bytes = mmap(NULL, TERN_SLIRP_QUEUE_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    q->bytes = bytes == MAP_FAILED ? NULL : bytes;
    q->first = q->count = q->tail = q->used_bytes = 0;
    return q->bytes != NULL;
}

void tern_slirp_queue_fini(struct tern_slirp_queue *q)
{
    if (q->bytes != NULL)
        (void)munmap(q->bytes, TERN_SLIRP_QUEUE_BYTES);
    q->bytes = NULL;
}

/* Where so many bytes can go; UINT32_MAX: nowhere. */
static uint32_t place(const struct tern_slirp_queue *q, uint32_t bytes)
{
    uint32_t head = q->frame[q->first].at;

    if (q->count == 0)
        return 0;
    if (q->tail <= head) /* the used part goes around the end */
        return head - q->tail >= bytes ? q->tail : UINT32_MAX;
    if (TERN_SLIRP_QUEUE_BYTES - q->tail >= bytes)
        return q->tail;
    return head >= bytes ? 0 : UINT32_MAX;
}

bool tern_slirp_queue_put(struct tern_slirp_queue *q, const void *data, size_t bytes)
{
    uint32_t at, slot;

    if (bytes == 0 || bytes > TERN_FRAME_BYTES_MAX || q->count == TERN_SLIRP_QUEUE_FRAMES)
        return false;
    at = place(q, (uint32_t)bytes);
    if (at == UINT32_MAX)
        return false;
    slot = (q->first + q->count) % TERN_SLIRP_QUEUE_FRAMES;
    memcpy(q->bytes + at, data, bytes);
    q->frame[slot].at = at;
    q->frame[slot].bytes = (uint32_t)bytes;
    q->tail = at + (uint32_t)bytes;
    q->used_bytes += (uint32_t)bytes;
    q->count++;
    return true;
}

struct tern_slice tern_slirp_queue_peek(const struct tern_slirp_queue *q, uint32_t n)
{
    uint32_t slot = (q->first + n) % TERN_SLIRP_QUEUE_FRAMES;

    TERN_ASSERT(n < q->count);
    return (struct tern_slice){.data = q->bytes + q->frame[slot].at, .bytes = q->frame[slot].bytes};
}

void tern_slirp_queue_skip(struct tern_slirp_queue *q, uint32_t n)
{
    TERN_ASSERT(n <= q->count);
    for (; n > 0; n--) {
        q->used_bytes -= q->frame[q->first].bytes;
        q->first = (q->first + 1) % TERN_SLIRP_QUEUE_FRAMES;
        q->count--;
    }
}
