/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wire and its ends. A frame that leaves is copied, waits for those before it (the wire has a
 * rate), and arrives after the wire's delay, or is lost, where the story says so. All is ordered
 * by time, then by when it was sent, and nothing is drawn by lot.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lesson.h"
#include "link/frame.h"
#include "link/record.h"
#include "wire/dissect.h"
#include "wire/tcp.h"

#define FRAMES_MAX  4096
#define FRAME_BYTES 1600
#define TURNS_MAX   1000000
#define MTU         1500
#define DELAY       (10 * TERN_MS)
#define RATE        12500000u
#define WINDOW      (1u << 20)
#define START       TERN_SECOND

struct frame_on_wire {
    tern_time at;
    uint64_t serial;
    bool to_server;
    bool by_kernel;
    enum tern_cause cause;
    uint32_t bytes;
    uint8_t data[FRAME_BYTES];
};

struct world {
    struct lesson lesson; /* must be first */
    struct tern_stack *stack[LESSON_ENDS];
    void *memory[LESSON_ENDS];
    size_t memory_bytes[LESSON_ENDS];
    struct tern_listener *listener;
    struct frame_on_wire *wire; /* no order */
    size_t count;
    uint64_t serial;
    tern_time free_at[2]; /* when the wire is free again, to the client and to the server */
    tern_time wake;
    uint32_t data_frames; /* of the server, so far */
};

void lesson_fail(const char *what)
{
    (void)fprintf(stderr, "lesson: %s\n", what);
    exit(1);
}

static struct world *world_of(struct lesson *l)
{
    return (struct world *)(void *)l;
}

void lesson_wake(struct lesson *l, tern_time at)
{
    struct world *w = world_of(l);
    tern_time absolute = l->start + at;

    if (absolute > l->now && absolute < w->wake)
        w->wake = absolute;
}

/* ---- the ends ---- */

static struct tern_cidr address_of(enum lesson_end end)
{
    return (struct tern_cidr){tern_addr_v4(10, 0, 0, end == LESSON_SERVER ? 2 : 1), 24};
}

static void end_open(struct world *w, enum lesson_end end)
{
    const struct tern_cidr own = address_of(end);
    struct tern_config config;

    tern_config_defaults(&config);
    memset(config.seed, (int)end + 1, sizeof config.seed);
    config.link = (struct tern_link_info){
        .name = "lesson",
        .mac = {{2, 0, 0, 0, 0, end == LESSON_SERVER ? 2 : 1}},
        .mtu_bytes = MTU,
    };
    config.connections_max = 8;
    config.chunks_max = 1024;
    size_t bytes = tern_stack_bytes(&config);

    w->memory_bytes[end] = bytes;
    w->memory[end] = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == 0 || w->memory[end] == MAP_FAILED ||
        tern_stack_init(w->memory[end], bytes, &config, w->lesson.now, &w->stack[end]) !=
            TERN_ERR_OK ||
        tern_stack_address_add(w->stack[end], &own, TERN_CLAIM_NONE) != TERN_ERR_OK)
        lesson_fail("a stack cannot be made");
}

static void settings_of(const struct lesson_story *story, enum lesson_end end,
                        struct tern_tcp_settings *out)
{
    tern_tcp_settings_defaults(out);
    out->nodelay = true;
    out->ecn = false;
    if (end == LESSON_CLIENT)
        out->receive_buffer_bytes = story->window > 0 ? story->window : WINDOW;
    else
        out->pacing = !story->unpaced;
}

static void listen(struct world *w)
{
    struct tern_tcp_settings settings;
    struct tern_tcp_options options = {.local = {.port = LESSON_PORT}, .settings = &settings};

    settings_of(w->lesson.story, LESSON_SERVER, &settings);
    if (tern_tcp_listen(w->stack[LESSON_SERVER], &options, 8, &w->listener) != TERN_ERR_OK)
        lesson_fail("nobody can listen");
}

static void dial(struct world *w)
{
    const struct lesson_story *story = w->lesson.story;
    struct tern_tcp_settings settings;
    struct tern_tcp_options options = {
        .local = {.port = 40000},
        .remote = {address_of(LESSON_SERVER).addr, LESSON_PORT},
        .ack_every = story->ack_every,
        .settings = &settings,
    };

    settings_of(story, LESSON_CLIENT, &settings);
    if (tern_tcp_connect(w->stack[LESSON_CLIENT], &options, &w->lesson.client) != TERN_ERR_OK)
        lesson_fail("nobody can call");
}

/* ---- the wire ---- */

static void show(struct world *w, const struct frame_on_wire *f)
{
    const struct lesson_story *story = w->lesson.story;
    struct tern_dissect what;

    tern_dissect(TERN_DISSECT_ETHERNET, tern_span_of(f->data, f->bytes), f->bytes, &what);
    if (what.kind != TERN_DISSECT_IP)
        return;
    if (story->kernel) {
        struct tern_record record = {
            .at = w->lesson.now, .sent = f->to_server, .frame_bytes = f->bytes, .cause = f->cause};

        record.snap_bytes = f->bytes < sizeof record.snap ? f->bytes : sizeof record.snap;
        memcpy(record.snap, f->data, record.snap_bytes);
        if (f->by_kernel)
            tern_model_kernel_frame(w->lesson.model, &record);
        else
            tern_model_frame(w->lesson.model, &record);
        return;
    }
    const struct tern_model_packet packet = {.at = w->lesson.now, .what = what};

    tern_model_packet(w->lesson.model, &packet);
}

/* Is it a segment of the server's with data that the story loses? */
static bool is_lost(struct world *w, const struct frame_on_wire *f)
{
    struct tern_dissect what;
    struct tern_tcp_header h;
    tern_span payload;

    tern_dissect(TERN_DISSECT_ETHERNET, tern_span_of(f->data, f->bytes), f->bytes, &what);
    if (f->to_server || what.kind != TERN_DISSECT_IP || !tern_tcp_parse(what.body, &h, &payload) ||
        payload.bytes == 0)
        return false;
    w->data_frames++;
    for (size_t i = 0; i < LESSON_DROPS_MAX; i++)
        if (w->lesson.story->drop[i] == w->data_frames)
            return true;
    return false;
}

static void send_frame(struct world *w, enum lesson_end from, const struct tern_frame *frame)
{
    const struct lesson_story *story = w->lesson.story;
    uint64_t rate = story->bytes_per_second > 0 ? story->bytes_per_second : RATE;
    bool to_server = from != LESSON_SERVER;

    if (w->count == FRAMES_MAX || frame->bytes > FRAME_BYTES)
        lesson_fail("the wire is full");
    struct frame_on_wire *f = &w->wire[w->count];
    tern_time free_at =
        w->free_at[to_server] > w->lesson.now ? w->free_at[to_server] : w->lesson.now;

    w->free_at[to_server] = free_at + (tern_time)(frame->bytes * (uint64_t)TERN_SECOND / rate);
    f->to_server = to_server;
    f->by_kernel = from == LESSON_KERNEL;
    f->cause = frame->cause;
    f->bytes = (uint32_t)tern_frame_copy(frame, f->data, FRAME_BYTES);
    f->serial = w->serial++;
    f->at = w->free_at[to_server] + (story->delay > 0 ? story->delay : DELAY);
    if ((story->watch == LESSON_SERVER) != to_server)
        show(w, f);
    if (!is_lost(w, f))
        w->count++;
}

static void frame_arrives(struct world *w, enum lesson_end at, const struct frame_on_wire *f)
{
    const struct tern_frame frame = {
        .piece = {{f->data, f->bytes}}, .piece_count = 1, .bytes = f->bytes};

    tern_stack_input(w->stack[at], &frame, 1, w->lesson.now);
}

/* The next frame that has arrived; false: none has. */
static bool deliver(struct world *w)
{
    size_t first = w->count;

    for (size_t i = 0; i < w->count; i++)
        if (w->wire[i].at <= w->lesson.now &&
            (first == w->count || w->wire[i].at < w->wire[first].at ||
             (w->wire[i].at == w->wire[first].at && w->wire[i].serial < w->wire[first].serial)))
            first = i;
    if (first == w->count)
        return false;
    struct frame_on_wire f = w->wire[first];

    w->wire[first] = w->wire[--w->count];
    if ((w->lesson.story->watch == LESSON_SERVER) == f.to_server)
        show(w, &f);
    frame_arrives(w, f.to_server ? LESSON_SERVER : LESSON_CLIENT, &f);
    if (!f.to_server && w->stack[LESSON_KERNEL] != NULL)
        frame_arrives(w, LESSON_KERNEL, &f);
    return true;
}

/* ---- time ---- */

static void end_turn(struct world *w, enum lesson_end end)
{
    struct tern_frame frames[TERN_BURST_MAX];
    struct tern_stack *stack = w->stack[end];
    struct tern_event event;
    int n;

    if (tern_stack_deadline(stack) <= w->lesson.now)
        tern_stack_expire(stack, w->lesson.now);
    while (tern_stack_event(stack, &event)) {
    }
    while ((n = tern_stack_output(stack, frames, TERN_BURST_MAX, w->lesson.now)) > 0)
        for (int i = 0; i < n; i++)
            send_frame(w, end, &frames[i]);
}

static void all_turn(struct world *w)
{
    struct lesson *l = &w->lesson;

    if (l->server == NULL && w->listener != NULL &&
        tern_tcp_accept(w->listener, NULL, &l->server) != TERN_ERR_OK)
        l->server = NULL;
    l->story->act(l);
    /* The kernel is the quicker one. */
    for (int end = LESSON_ENDS - 1; end >= 0; end--)
        if (w->stack[end] != NULL)
            end_turn(w, (enum lesson_end)end);
}

static tern_time next_moment(const struct world *w)
{
    tern_time next = w->wake;

    for (size_t i = 0; i < w->count; i++)
        if (w->wire[i].at < next)
            next = w->wire[i].at;
    for (size_t i = 0; i < LESSON_ENDS; i++)
        if (w->stack[i] != NULL && tern_stack_deadline(w->stack[i]) < next)
            next = tern_stack_deadline(w->stack[i]);
    return next;
}

static void play(struct world *w)
{
    struct lesson *l = &w->lesson;

    for (int turn = 0; turn < TURNS_MAX; turn++) {
        while (deliver(w))
            all_turn(w);
        all_turn(w);
        tern_time next = next_moment(w);

        if (next == TERN_TIME_NEVER || next > l->start + l->story->until)
            return;
        if (next > l->now)
            l->now = next;
        if (w->wake <= l->now)
            w->wake = TERN_TIME_NEVER;
    }
    lesson_fail("a story has no end");
}

/* Who is who on the wire is asked before the picture begins. */
static void introduce(struct world *w)
{
    const struct tern_tcp_options knock = {
        .remote = {address_of(LESSON_SERVER).addr, LESSON_PORT + 1}};
    struct tern_conn *conn[LESSON_ENDS] = {NULL};
    tern_time until = w->lesson.now + TERN_SECOND;

    for (int end = 0; end < LESSON_ENDS; end++)
        if (end != LESSON_SERVER && w->stack[end] != NULL &&
            tern_tcp_connect(w->stack[end], &knock, &conn[end]) != TERN_ERR_OK)
            lesson_fail("nobody can knock");
    for (int turn = 0; turn < TURNS_MAX && next_moment(w) < until; turn++) {
        w->lesson.now = next_moment(w) > w->lesson.now ? next_moment(w) : w->lesson.now;
        while (deliver(w)) {
        }
        for (int end = 0; end < LESSON_ENDS; end++)
            if (w->stack[end] != NULL)
                end_turn(w, (enum lesson_end)end);
    }
    for (int end = 0; end < LESSON_ENDS; end++)
        if (conn[end] != NULL)
            tern_tcp_close(conn[end]);
    w->lesson.now = until;
    w->count = 0;
}

struct tern_model *lesson_play(const struct lesson_story *story)
{
    struct tern_model_options options = {.infer_states = true, .steps_max = 256};
    struct tern_model *model = tern_model_create(&options);
    struct tern_model *other = tern_model_create(NULL);
    struct world w = {.lesson = {.story = story, .now = START}, .wake = TERN_TIME_NEVER};

    w.wire = calloc(FRAMES_MAX, sizeof *w.wire);
    if (w.wire == NULL || model == NULL || other == NULL)
        lesson_fail("out of memory");
    for (int end = 0; end < LESSON_ENDS - !story->kernel; end++)
        end_open(&w, (enum lesson_end)end);
    w.lesson.model = other;
    introduce(&w);
    w.lesson.model = model;
    w.data_frames = 0;
    w.lesson.start = w.lesson.now;
    listen(&w);
    dial(&w);
    play(&w);
    for (int end = 0; end < LESSON_ENDS; end++)
        if (w.memory[end] != NULL)
            (void)munmap(w.memory[end], w.memory_bytes[end]);
    free(w.wire);
    tern_model_destroy(other);
    return model;
}
