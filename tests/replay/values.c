/* SPDX-License-Identifier: BSD-2-Clause */
/* Structures of the core's interface on a tape: see values.h. */
#include "values.h"

#include "fields.h"
#include "tape.h"

_Static_assert(sizeof(struct tern_tcp_info) == 536, "fields.h knows every field");
_Static_assert(sizeof(struct tern_tcp_settings) == 112, "fields.h knows every field");

/* ---- arguments ---- */

void in_settings(const struct tern_tcp_settings **settings)
{
    struct tern_tcp_settings *copy;
    bool given = *settings != NULL;
    const void *data = *settings;
    const char *congestion = given ? (*settings)->congestion : NULL;

    tape_in(&given, sizeof given);
    if (!given) {
        *settings = NULL;
        return;
    }
    tape_in_bytes(&data, sizeof **settings);
    tape_in_text(&congestion);
    if (tape.mode == TAPE_RECORD)
        return;
    copy = (struct tern_tcp_settings *)(uintptr_t)data;
    copy->congestion = congestion;
    *settings = copy;
}

void in_options(const struct tern_tcp_options **options)
{
    const void *data = *options;
    const bool recording = tape.mode == TAPE_RECORD;
    const char *congestion = recording ? (*options)->congestion : NULL;
    const struct tern_tcp_settings *settings = recording ? (*options)->settings : NULL;
    struct tern_tcp_options *copy;

    tape_in_bytes(&data, sizeof **options);
    tape_in_text(&congestion);
    in_settings(&settings);
    if (recording)
        return;
    copy = (struct tern_tcp_options *)(uintptr_t)data;
    copy->congestion = congestion;
    copy->settings = settings;
    *options = copy;
}

static void in_frame(struct tern_frame *frame)
{
    tape_in(&frame->piece_count, sizeof frame->piece_count);
    tape_in(&frame->bytes, sizeof frame->bytes);
    tape_in(&frame->csum, sizeof frame->csum);
    tape_in(&frame->csum_start, sizeof frame->csum_start);
    tape_in(&frame->csum_offset, sizeof frame->csum_offset);
    tape_in(&frame->gso, sizeof frame->gso);
    tape_in(&frame->gso_bytes, sizeof frame->gso_bytes);
    tape_in(&frame->header_bytes, sizeof frame->header_bytes);
    for (uint32_t i = 0; i < frame->piece_count && i < TERN_FRAME_PIECES_MAX; i++) {
        const void *data = frame->piece[i].data;

        tape_in(&frame->piece[i].bytes, sizeof frame->piece[i].bytes);
        tape_in_bytes(&data, frame->piece[i].bytes);
        frame->piece[i].data = data;
    }
    tape.frames_in++;
}

void in_frames(const struct tern_frame **frames, int *count)
{
    struct tern_frame *copies;

    tape_in(count, sizeof *count);
    copies = tape_room(NULL, (size_t)*count * sizeof *copies);
    for (int i = 0; i < *count; i++) {
        struct tern_frame frame = tape.mode == TAPE_RECORD ? (*frames)[i] : (struct tern_frame){0};

        in_frame(&frame);
        if (tape.mode == TAPE_REPLAY)
            copies[i] = frame;
    }
    if (tape.mode == TAPE_REPLAY)
        *frames = copies;
}

/* What a pointer points at. */
void in_pointed(const void **pointer, size_t bytes)
{
    tape_in_bytes(pointer, bytes);
}

/* ---- results ---- */

static void out_frame(const struct tern_frame *frame)
{
    tape_out("a frame's bytes", frame->bytes);
    tape_out("a frame's checksum state", (uint64_t)frame->csum);
    if (frame->csum == TERN_CSUM_NEEDS)
        tape_out("a frame's checksum place",
                 (uint64_t)frame->csum_start << 16 | frame->csum_offset);
    tape_out("a frame's GSO kind", (uint64_t)frame->gso);
    if (frame->gso != TERN_GSO_NONE)
        tape_out("a frame's GSO sizes", (uint64_t)frame->gso_bytes << 16 | frame->header_bytes);
    tape_out("a frame's cause", (uint64_t)frame->cause);
    tape_out("a frame's pieces", frame->piece_count);
    for (uint32_t i = 0; i < frame->piece_count; i++)
        tape_out_bytes("a frame", frame->piece[i].data, frame->piece[i].bytes);
    tape.frames_out++;
}

void out_info(const struct tern_tcp_info *info)
{
#define INFO_OUT(field) tape_out("info." #field, (uint64_t)info->field);
    INFO_FIELDS(INFO_OUT)
#undef INFO_OUT
    tape_out_bytes("info.local", &info->local.addr, sizeof info->local.addr);
    tape_out_bytes("info.remote", &info->remote.addr, sizeof info->remote.addr);
    tape_out_text("info.congestion", info->congestion);
}

void out_settings(const struct tern_tcp_settings *settings)
{
#define SETTINGS_OUT(field) tape_out("settings." #field, (uint64_t)settings->field);
    SETTINGS_FIELDS(SETTINGS_OUT)
#undef SETTINGS_OUT
    tape_out_text("settings.congestion", settings->congestion);
}

void out_event(const struct tern_event *event)
{
    tape_out("event.kind", (uint64_t)event->kind);
    tape_out("event.bits", event->bits);
    if (event->kind == TERN_EVENT_ADDRESS) {
        tape_out_bytes("event.address", &event->address, sizeof event->address);
        if ((event->bits & TERN_ADDRESS_CONFLICT) != 0)
            tape_out_bytes("event.mac", &event->mac, sizeof event->mac);
        return;
    }
    tape_out("event.user", (uint64_t)(uintptr_t)event->user);
    if (event->kind == TERN_EVENT_LOAN)
        return;
    tape_out_handle("event's handle", event->conn);
}

void out_trace(const struct tern_trace *trace)
{
    tape_out("trace.at", (uint64_t)trace->at);
    tape_out("trace.kind", (uint64_t)trace->kind);
    tape_out("trace.conn_id", trace->conn_id);
    switch (trace->kind) {
    case TERN_TRACE_STATE:
        tape_out("trace.state", (uint64_t)trace->state.from << 8 | (uint64_t)trace->state.to);
        break;
    case TERN_TRACE_RTT:
        tape_out("trace.rtt.sample", (uint64_t)trace->rtt.sample);
        tape_out("trace.rtt.srtt", (uint64_t)trace->rtt.srtt);
        tape_out("trace.rtt.rto", (uint64_t)trace->rtt.rto);
        break;
    case TERN_TRACE_LOSS:
        tape_out("trace.loss.cause", (uint64_t)trace->loss.cause);
        tape_out("trace.loss.offset", trace->loss.offset);
        tape_out("trace.loss.bytes", trace->loss.bytes);
        break;
    case TERN_TRACE_DROP:
        tape_out("trace.drop", (uint64_t)trace->drop.reason);
        break;
    case TERN_TRACE_WINDOW:
        tape_out("trace.window", trace->window.bytes);
        break;
    case TERN_TRACE_CLOSED:
        out_info(&trace->closed);
        break;
    case TERN_TRACE_ADDRESS:
        tape_out_bytes("trace.address", &trace->address.address, sizeof trace->address.address);
        tape_out("trace.address.step", (uint64_t)trace->address.step);
        break;
    }
}

void out_frames(const struct tern_frame *frames, int count)
{
    for (int i = 0; i < count; i++)
        out_frame(&frames[i]);
}

void out_slices(const struct tern_slice *slices, int count)
{
    for (int i = 0; i < count; i++) {
        tape_out("a slice's bytes", slices[i].bytes);
        tape_out_bytes("a slice", slices[i].data, slices[i].bytes);
    }
}

void out_reply(const struct tern_ping_reply *reply)
{
    tape_out_bytes("reply.from", &reply->from, sizeof reply->from);
    tape_out("reply.sequence", reply->sequence);
    tape_out("reply.ttl", reply->ttl);
    tape_out("reply.icmp", (uint64_t)reply->icmp_type << 8 | reply->icmp_code);
    tape_out("reply.bytes", reply->bytes);
    tape_out("reply.intact", reply->intact);
    tape_out("reply.sent_at", (uint64_t)reply->sent_at);
    tape_out("reply.received_at", (uint64_t)reply->received_at);
}

void out_endpoint(const struct tern_endpoint *endpoint)
{
    tape_out_bytes("endpoint.addr", &endpoint->addr, sizeof endpoint->addr);
    tape_out("endpoint.port", endpoint->port);
}
