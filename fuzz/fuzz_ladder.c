/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The picture of a conversation, drawn from frames that strangers sent. Each command is a frame on
 * one of the lanes: a TCP segment near the numbers of one of two conversations (segment.h), any
 * packet, any frame, or a change of state; time passes between them. The model is checked after
 * each, and at the end the ladder is drawn, wide and narrow, in each character set: whatever a
 * frame held, no control character reaches the terminal.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "report/ladder.h"
#include "screen.h"
#include "segment.h"
#include "wire/eth.h"
#include "wire/ipv4.h"

const size_t fuzz_head_bytes = 2;

#define COMMANDS_MAX 300
#define PEERS        2
#define FRAME_MAX    (TERN_ETH_BYTES + 8000)

enum command { COMMAND_SEGMENT, COMMAND_SEGMENT_TOO, COMMAND_PACKET, COMMAND_FRAME, COMMAND_STATE };

struct world {
    struct tern_model *model;
    struct fuzz_peer end[PEERS][2]; /* of each conversation: what either end knows of the other */
    tern_time now;
};

static void record(struct world *w, tern_span frame, uint8_t how)
{
    struct tern_record r = {.at = w->now, .sent = (how & 1) != 0};

    r.cause = (how & 1) != 0 ? (enum tern_cause)((how >> 3) % TERN_CAUSE_COUNT) : TERN_CAUSE_NONE;
    r.frame_bytes = (uint32_t)frame.bytes;
    r.snap_bytes = (uint32_t)(frame.bytes < sizeof r.snap ? frame.bytes : sizeof r.snap);
    r.gso_bytes = (how & 2) != 0 ? 700 : 0;
    memcpy(r.snap, frame.data, r.snap_bytes);
    if ((how & 5) == 5)
        tern_model_kernel_frame(w->model, &r);
    else
        tern_model_frame(w->model, &r);
}

static void packet(struct world *w, uint8_t how, uint8_t protocol, tern_span body)
{
    static uint8_t bytes[FRAME_MAX];
    struct tern_writer to = tern_writer_of(bytes, sizeof bytes);
    const bool sent = (how & 1) != 0;
    const struct tern_addr us = tern_addr_v4(10, 0, 0, 1), peer = tern_addr_v4(10, 0, 0, 2);
    const struct tern_eth eth = {
        {{2, 0, 0, 0, 0, sent ? 2 : 1}}, {{2, 0, 0, 0, 0, sent ? 1 : 2}}, TERN_ETHERTYPE_IPV4};
    const struct tern_ipv4 ip = {
        .ttl = 9, .protocol = protocol, .src = sent ? us : peer, .dst = sent ? peer : us};

    tern_eth_emit(&eth, &to);
    tern_ipv4_emit(&ip, (uint16_t)body.bytes, &to);
    tern_write_bytes(&to, body.data, body.bytes);
    TERN_ASSERT(!to.failed);
    record(w, tern_span_of(bytes, to.bytes), how);
}

/* One end says something, near what it knows; the other hears it. */
static void segment(struct world *w, struct tern_reader *in, uint8_t how)
{
    static uint8_t bytes[TERN_TCP_HEADER_BYTES_MAX + FUZZ_TEXT_BYTES_MAX];
    struct fuzz_peer *end = w->end[(how >> 2) % PEERS];
    struct fuzz_peer *speaker = &end[how & 1], *hearer = &end[1 - (how & 1)];
    struct tern_writer to = tern_writer_of(bytes, sizeof bytes);
    struct tern_tcp_header h;
    const uint32_t text = fuzz_read_segment(in, speaker, &h);

    tern_tcp_emit(&h, &to);
    (void)tern_write_room(&to, text);
    TERN_ASSERT(!to.failed);
    packet(w, how, TERN_IP_TCP, tern_span_of(bytes, to.bytes));
    fuzz_hear_segment(hearer, &h,
                      text + ((h.flags & TERN_TCP_SYN) != 0) + ((h.flags & TERN_TCP_FIN) != 0));
    speaker->nxt = hearer->our_nxt;
}

static void bytes_of(struct world *w, struct tern_reader *in, uint8_t how, bool framed)
{
    static const uint8_t protocols[] = {TERN_IP_UDP, TERN_IP_ICMP, TERN_IP_TCP, 47};
    size_t count = tern_read_u8(in);
    const uint8_t *data;

    count = count < in->left.bytes ? count : in->left.bytes;
    data = count > 0 ? tern_read_bytes(in, count) : in->left.data;
    if (framed)
        record(w, tern_span_of(data, count), how);
    else
        packet(w, how, protocols[(how >> 3) & 3], tern_span_of(data, count));
}

static void state(struct world *w, uint8_t how)
{
    struct tern_trace t = {.at = w->now, .kind = TERN_TRACE_STATE, .conn_id = how & 3};

    t.state.to = (enum tern_tcp_state)((how >> 2) % TERN_TCP_STATE_COUNT);
    if ((how & 0x80) != 0)
        tern_model_state(w->model, how & 3, t.state.to);
    else
        tern_model_trace(w->model, &t);
}

void fuzz_skip_command(struct tern_reader *in)
{
    const struct fuzz_peer nobody = {.port = 80};
    const uint8_t command = tern_read_u8(in) & 7;
    struct tern_tcp_header h;
    size_t bytes;

    (void)tern_read_u8(in);
    if (command <= COMMAND_SEGMENT_TOO) {
        (void)fuzz_read_segment(in, &nobody, &h);
    } else if (command <= COMMAND_FRAME) {
        bytes = tern_read_u8(in);
        if (bytes > 0 && in->left.bytes > 0)
            (void)tern_read_bytes(in, bytes < in->left.bytes ? bytes : in->left.bytes);
    }
}

size_t fuzz_fresh_command(uint32_t *random, uint8_t *out)
{
    const uint32_t kind = fuzz_draw(random, 8);

    out[0] = (uint8_t)(fuzz_draw(random, 32) << 3);
    out[1] = (uint8_t)fuzz_draw(random, 256);
    if (kind < 6)
        return 2 + fuzz_fresh_segment(random, out + 2);
    out[0] |= kind == 6 ? COMMAND_STATE : COMMAND_PACKET;
    out[2] = kind == 6 ? 0 : (uint8_t)fuzz_draw(random, 32);
    for (uint8_t i = 0; i < out[2]; i++)
        out[3 + i] = (uint8_t)fuzz_draw(random, 256);
    return kind == 6 ? 2 : 3u + out[2];
}

static void step(struct world *w, struct tern_reader *in)
{
    const uint8_t command = tern_read_u8(in);
    const uint8_t how = tern_read_u8(in);

    w->now += (tern_time)(command >> 3) * (command >> 3) * TERN_MS / 8;
    switch (command & 7) {
    case COMMAND_SEGMENT:
    case COMMAND_SEGMENT_TOO:
        segment(w, in, how);
        break;
    case COMMAND_PACKET:
    case COMMAND_FRAME:
        bytes_of(w, in, how, (command & 7) == COMMAND_FRAME);
        break;
    default:
        state(w, how);
    }
    tern_model_check(w->model);
}

/* ---- the picture ---- */

static void draw(const struct tern_model *model, size_t columns, bool utf8)
{
    const struct tern_ladder_options o = {
        .columns = columns, .utf8 = utf8, .us = "you", .kernel = "kernel", .peer = "peer"};
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    TERN_ASSERT(out != NULL);
    tern_ladder_header(&o, out);
    tern_ladder_print(model, 0, &o, out);
    fclose(out);
    fuzz_judge_screen(text, bytes, utf8);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = {.now = TERN_SECOND};
    struct tern_reader in = tern_reader_of(tern_span_of(data, size));
    const uint8_t steps = tern_read_u8(&in), how = tern_read_u8(&in);
    const struct tern_model_options o = {.steps_max = 1u + steps, .fold_gap = how * TERN_MS};

    w.model = tern_model_create(&o);
    TERN_ASSERT(w.model != NULL);
    for (uint16_t i = 0; i < PEERS; i++)
        for (uint16_t lane = 0; lane < 2; lane++)
            w.end[i][lane] = (struct fuzz_peer){.our_port = lane == 0 ? 5000 + i : 80,
                                                .port = lane == 0 ? 80 : 5000 + i,
                                                .nxt = UINT32_MAX - 20,
                                                .our_nxt = UINT32_MAX - 20};
    for (int i = 0; i < COMMANDS_MAX && in.left.bytes > 0; i++) {
        struct tern_reader same = in;

        fuzz_skip_command(&same);
        step(&w, &in);
        TERN_ASSERT(in.left.data == same.left.data);
    }
    draw(w.model, how, true);
    draw(w.model, 80, false);
    tern_model_destroy(w.model);
    return 0;
}
