/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record: hands the head of each frame to a sink, with time, direction and cause. Frames going out
 * are recorded once the inner link has taken them, so that one which had to wait is not told
 * twice. Received frames are recorded as they are fetched, before the stack sees them: cause and
 * effect stay in order.
 *
 * The checksum in a record is what the link showed, maybe unfinished: records are for
 * pictures, captures for judging.
 */
#include "link/record.h"

#include <stdlib.h>

#include "base/assert.h"
#include "link/frame.h"
#include "link/wrap.h"

struct record_link {
    struct tern_wrap wrap;
    tern_record_fn *sink;
    void *user;
};

static struct record_link *record_of(struct tern_link *link)
{
    return (struct record_link *)(void *)link;
}

static void tell(const struct record_link *r, tern_time now, const struct tern_frame *frame,
                 bool sent)
{
    struct tern_record record = {
        .at = now,
        .sent = sent,
        .cause = frame->cause,
        .frame_bytes = frame->bytes,
        .gso_bytes = frame->gso == TERN_GSO_NONE ? 0 : frame->gso_bytes,
    };

    record.snap_bytes = (uint32_t)tern_frame_copy(frame, record.snap, sizeof(record.snap));
    r->sink(r->user, &record);
}

static int record_receive(struct tern_link *link, tern_time now, struct tern_frame *frames, int max)
{
    struct record_link *r = record_of(link);
    int n = tern_wrap_receive(&r->wrap, now, frames, max);

    for (int i = 0; i < n; i++)
        tell(r, now, &frames[i], false);
    return n;
}

static int record_transmit(struct tern_link *link, tern_time now, const struct tern_frame *frames,
                           int count)
{
    struct record_link *r = record_of(link);
    int n = r->wrap.inner->ops->transmit(r->wrap.inner, now, frames, count);

    for (int i = 0; i < n; i++)
        tell(r, now, &frames[i], true);
    return n;
}

static void record_close(struct tern_link *link)
{
    struct record_link *r = record_of(link);

    r->wrap.inner->ops->close(r->wrap.inner);
    free(r);
}

static const struct tern_link_ops record_ops = {
    .receive = record_receive,
    .release = tern_wrap_release,
    .transmit = record_transmit,
    .fd = tern_wrap_fd,
    .deadline = tern_wrap_deadline,
    .counters = tern_wrap_counters,
    .close = record_close,
};

enum tern_err tern_link_record_open(struct tern_link *inner, tern_record_fn *sink, void *user,
                                    struct tern_link **out)
{
    struct record_link *r;

    TERN_ASSERT(inner != NULL);
    TERN_ASSERT(sink != NULL);
    r = calloc(1, sizeof(*r));
    if (r == NULL)
        return TERN_ERR_MEMORY;
    tern_wrap_init(&r->wrap, &record_ops, inner);
    r->sink = sink;
    r->user = user;
    *out = &r->wrap.link;
    return TERN_ERR_OK;
}
