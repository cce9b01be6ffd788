/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every call to the core that concerns a stack, described once: the linker brings each to
 * __wrap_NAME here. While recording, the description writes the call down; while replaying it makes
 * the call anew, as the journal says, and compares. judge_calls.py holds the list against the
 * headers.
 *
 * CALL(type, name, handle, (parameters), (arguments), (zeros), ins, outs): `ins` and `outs` are
 * made of the words below; in outs `result` is what the call returned. `handle` is the argument
 * that tells whether the call concerns the stack that is recorded.
 */
#include "calls.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tape.h"
#include "values.h"

/* The words. */

#define IN(x)           tape_in(&(x), sizeof(x));
#define HANDLE(x)       tape_in_handle((void **)(uintptr_t) & (x));
#define TEXT(x)         tape_in_text(&(x));
#define SETTINGS(x)     in_settings(&(x));
#define OPTIONS(x)      in_options(&(x));
#define VALUE(x)        in_pointed((const void **)&(x), sizeof *(x));
#define BYTES(x, count) tape_in_bytes((const void **)&(x), (count));
#define LENT(x, count)                                                                             \
    tape_in_bytes((const void **)&(x), (count));                                                   \
    keep_lent((const void **)&(x), (count));
#define ROOM(x)          (x) = tape_room((x), sizeof *(x));
#define ROOMS(x, count)  (x) = tape_room((x), sizeof *(x) * (size_t)(count));
#define ROOM_OF(x, size) (x) = tape_room((x), (size));

static size_t at_most(ptrdiff_t count, size_t limit)
{
    if (count <= 0)
        return 0;
    return (size_t)count < limit ? (size_t)count : limit;
}

#define RESULT         tape_out("the result", (uint64_t)result);
#define OK             if (result == TERN_ERR_OK)
#define MADE(x)        OK tape_out_handle("the handle", *(x));
#define OUT(x)         tape_out_bytes(#x, (x), sizeof *(x));
#define READ(x, count) tape_out_bytes("the bytes", (x), at_most(result, (count)));

static const struct tern_addr no_address;

/* Replay: lent bytes are needed beyond the call; nobody takes them back but the end of the run. */
static void keep_lent(const void **data, size_t bytes)
{
    uint8_t *kept;

    if (tape.mode != TAPE_REPLAY || bytes == 0)
        return;
    kept = malloc(bytes);
    if (kept == NULL) {
        perror("journal: lent bytes");
        exit(2);
    }
    memcpy(kept, *data, bytes);
    *data = kept;
}

static void *map_zeroed(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED) {
        perror("journal: the stack's memory");
        exit(2);
    }
    return memory;
}

#define CALL_COMMON(type, name, parameters)                                                        \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    static void replay_##name(void);

#define CALL(type, name, first, parameters, arguments, zeros, ins, outs)                           \
    CALL_COMMON(type, name, parameters)                                                            \
    static type call_##name parameters                                                             \
    {                                                                                              \
        type result;                                                                               \
                                                                                                   \
        tape_enter(CALL_##name);                                                                   \
        ins tape_called();                                                                         \
        result = __real_##name arguments;                                                          \
        tape_returned();                                                                           \
        outs tape_leave();                                                                         \
        return result;                                                                             \
    }                                                                                              \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return tape_wants(first) ? call_##name arguments : __real_##name arguments;                \
    }                                                                                              \
    static void replay_##name(void)                                                                \
    {                                                                                              \
        (void)call_##name zeros;                                                                   \
    }

#define CALL_VOID(name, first, parameters, arguments, zeros, ins, outs)                            \
    CALL_COMMON(void, name, parameters)                                                            \
    static void call_##name parameters                                                             \
    {                                                                                              \
        tape_enter(CALL_##name);                                                                   \
        ins tape_called();                                                                         \
        __real_##name arguments;                                                                   \
        tape_returned();                                                                           \
        outs tape_leave();                                                                         \
    }                                                                                              \
    void __wrap_##name parameters                                                                  \
    {                                                                                              \
        if (tape_wants(first))                                                                     \
            call_##name arguments;                                                                 \
        else                                                                                       \
            __real_##name arguments;                                                               \
    }                                                                                              \
    static void replay_##name(void)                                                                \
    {                                                                                              \
        call_##name zeros;                                                                         \
    }

/* ---- the calls ---- */

CALL_VOID(tern_stack_input, stack,
          (struct tern_stack * stack, const struct tern_frame *frames, int count, tern_time now),
          (stack, frames, count, now), (NULL, NULL, 0, 0),
          HANDLE(stack) IN(now) in_frames(&frames, &count);
          , )
CALL_VOID(tern_stack_input_borrowed, stack,
          (struct tern_stack * stack, const struct tern_frame *frames, int count, tern_time now),
          (stack, frames, count, now), (NULL, NULL, 0, 0),
          HANDLE(stack) IN(now) in_frames(&frames, &count);
          , tape_stay(true);)
CALL_VOID(tern_stack_settle, stack, (struct tern_stack * stack), (stack), (NULL), HANDLE(stack),
          tape_stay(false);)
CALL(int, tern_stack_output, stack,
     (struct tern_stack * stack, struct tern_frame *frames, int max, tern_time now),
     (stack, frames, max, now), (NULL, NULL, 0, 0),
     HANDLE(stack) IN(now) IN(max) ROOMS(frames, max), RESULT out_frames(frames, result);)
CALL(tern_time, tern_stack_deadline, stack, (const struct tern_stack *stack), (stack), (NULL),
     HANDLE(stack), RESULT)
CALL_VOID(tern_stack_expire, stack, (struct tern_stack * stack, tern_time now), (stack, now),
          (NULL, 0), HANDLE(stack) IN(now), )
CALL(enum tern_err, tern_stack_address_add, stack,
     (struct tern_stack * stack, const struct tern_cidr *address, enum tern_claim claim),
     (stack, address, claim), (NULL, NULL, TERN_CLAIM_FAST), HANDLE(stack) VALUE(address) IN(claim),
     RESULT)
CALL_VOID(tern_stack_address_remove, stack, (struct tern_stack * stack, struct tern_addr address),
          (stack, address), (NULL, no_address), HANDLE(stack) IN(address), )
CALL_VOID(tern_stack_gateway_set, stack, (struct tern_stack * stack, struct tern_addr gateway),
          (stack, gateway), (NULL, no_address), HANDLE(stack) IN(gateway), )
CALL(bool, tern_stack_address_is_own, stack, (struct tern_stack * stack, struct tern_addr address),
     (stack, address), (NULL, no_address), HANDLE(stack) IN(address), RESULT)
CALL(bool, tern_stack_source, stack,
     (struct tern_stack * stack, struct tern_addr destination, struct tern_addr *out),
     (stack, destination, out), (NULL, no_address, NULL), HANDLE(stack) IN(destination) ROOM(out),
     RESULT if (result) OUT(out))
CALL(bool, tern_stack_neighbour, stack,
     (const struct tern_stack *stack, struct tern_addr address, struct tern_mac *out),
     (stack, address, out), (NULL, no_address, NULL), HANDLE(stack) IN(address) ROOM(out),
     RESULT if (result) OUT(out))
CALL_VOID(tern_stack_link_changed, stack,
          (struct tern_stack * stack, const struct tern_link_info *info), (stack, info),
          (NULL, NULL), HANDLE(stack) VALUE(info), )
CALL_VOID(tern_stack_counters, stack,
          (const struct tern_stack *stack, struct tern_stack_counters *out), (stack, out),
          (NULL, NULL), HANDLE(stack) ROOM(out), OUT(out))
CALL(uint32_t, tern_stack_connections_unfinished, stack, (const struct tern_stack *stack), (stack),
     (NULL), HANDLE(stack), RESULT)
CALL_VOID(tern_stack_abort_all, stack, (struct tern_stack * stack), (stack), (NULL),
          HANDLE(stack), )
CALL_VOID(tern_stack_check, stack, (const struct tern_stack *stack), (stack), (NULL),
          HANDLE(stack), )
CALL(bool, tern_stack_event, stack, (struct tern_stack * stack, struct tern_event *out),
     (stack, out), (NULL, NULL), HANDLE(stack) ROOM(out), RESULT if (result) out_event(out);)
CALL(bool, tern_stack_trace, stack, (struct tern_stack * stack, struct tern_trace *out),
     (stack, out), (NULL, NULL), HANDLE(stack) ROOM(out), RESULT if (result) out_trace(out);)
CALL(uint64_t, tern_stack_traces_lost, stack, (const struct tern_stack *stack), (stack), (NULL),
     HANDLE(stack), RESULT)
CALL(enum tern_err, tern_tcp_connect, stack,
     (struct tern_stack * stack, const struct tern_tcp_options *options, struct tern_conn **out),
     (stack, options, out), (NULL, NULL, NULL), HANDLE(stack) OPTIONS(options) ROOM(out),
     RESULT MADE(out))
CALL(enum tern_err, tern_tcp_listen, stack,
     (struct tern_stack * stack, const struct tern_tcp_options *options, uint32_t backlog,
      struct tern_listener **out),
     (stack, options, backlog, out), (NULL, NULL, 0, NULL),
     HANDLE(stack) OPTIONS(options) IN(backlog) ROOM(out), RESULT MADE(out))
CALL_VOID(tern_listener_backlog_set, listener, (struct tern_listener * listener, uint32_t backlog),
          (listener, backlog), (NULL, 0), HANDLE(listener) IN(backlog), )
CALL_VOID(tern_tcp_unlisten, listener, (struct tern_listener * listener), (listener), (NULL),
          HANDLE(listener), )
CALL(enum tern_err, tern_tcp_accept, listener,
     (struct tern_listener * listener, void *user, struct tern_conn **out), (listener, user, out),
     (NULL, NULL, NULL), HANDLE(listener) IN(user) ROOM(out), RESULT MADE(out))
CALL(uint16_t, tern_listener_port, listener, (const struct tern_listener *listener), (listener),
     (NULL), HANDLE(listener), RESULT)
CALL_VOID(tern_listener_settings, listener,
          (const struct tern_listener *listener, struct tern_tcp_settings *out), (listener, out),
          (NULL, NULL), HANDLE(listener) ROOM(out), out_settings(out);)
CALL(enum tern_err, tern_listener_set, listener,
     (struct tern_listener * listener, const struct tern_tcp_settings *settings),
     (listener, settings), (NULL, NULL), HANDLE(listener) SETTINGS(settings), RESULT)
CALL(bool, tern_listener_is_ready, listener, (const struct tern_listener *listener), (listener),
     (NULL), HANDLE(listener), RESULT)
CALL(ptrdiff_t, tern_tcp_write, conn, (struct tern_conn * conn, const void *data, size_t len),
     (conn, data, len), (NULL, NULL, 0), HANDLE(conn) IN(len) BYTES(data, len), RESULT)
CALL(ptrdiff_t, tern_tcp_write_urgent, conn,
     (struct tern_conn * conn, const void *data, size_t len), (conn, data, len), (NULL, NULL, 0),
     HANDLE(conn) IN(len) BYTES(data, len), RESULT)
CALL(enum tern_err, tern_tcp_lend, conn,
     (struct tern_conn * conn, const void *data, size_t len, void *user), (conn, data, len, user),
     (NULL, NULL, 0, NULL), HANDLE(conn) IN(len) IN(user) LENT(data, len), RESULT)
CALL_VOID(tern_tcp_mark, conn, (struct tern_conn * conn, enum tern_tcp_mark mark), (conn, mark),
          (NULL, TERN_TCP_MARK_MORE), HANDLE(conn) IN(mark), )
CALL(size_t, tern_tcp_write_space, conn, (const struct tern_conn *conn), (conn), (NULL),
     HANDLE(conn), RESULT)
CALL(ptrdiff_t, tern_tcp_peek, conn, (const struct tern_conn *conn, struct tern_slice *out),
     (conn, out), (NULL, NULL), HANDLE(conn) ROOM(out), RESULT out_slices(out, result > 0);)
CALL(int, tern_tcp_peekv, conn, (const struct tern_conn *conn, struct tern_slice *out, int max),
     (conn, out, max), (NULL, NULL, 0), HANDLE(conn) IN(max) ROOMS(out, max),
     RESULT out_slices(out, result);)
CALL(int, tern_tcp_peekv_from, conn,
     (const struct tern_conn *conn, uint64_t offset, struct tern_slice *out, int max),
     (conn, offset, out, max), (NULL, 0, NULL, 0), HANDLE(conn) IN(offset) IN(max) ROOMS(out, max),
     RESULT out_slices(out, result);)
CALL_VOID(tern_tcp_skip, conn, (struct tern_conn * conn, size_t bytes), (conn, bytes), (NULL, 0),
          HANDLE(conn) IN(bytes), )
CALL(ptrdiff_t, tern_tcp_read, conn, (struct tern_conn * conn, void *data, size_t len),
     (conn, data, len), (NULL, NULL, 0), HANDLE(conn) IN(len) ROOM_OF(data, len),
     RESULT READ(data, len))
CALL(bool, tern_tcp_urgent_mark, conn, (const struct tern_conn *conn, size_t *ahead), (conn, ahead),
     (NULL, NULL), HANDLE(conn) ROOM(ahead), RESULT if (result) OUT(ahead))
CALL(enum tern_err, tern_tcp_read_urgent, conn, (struct tern_conn * conn, uint8_t *byte, bool peek),
     (conn, byte, peek), (NULL, NULL, false), HANDLE(conn) IN(peek) ROOM(byte), RESULT OK OUT(byte))
CALL_VOID(tern_tcp_shutdown, conn, (struct tern_conn * conn), (conn), (NULL), HANDLE(conn), )
CALL_VOID(tern_tcp_shutdown_read, conn, (struct tern_conn * conn), (conn), (NULL), HANDLE(conn), )
CALL_VOID(tern_tcp_close, conn, (struct tern_conn * conn), (conn), (NULL), HANDLE(conn), )
CALL_VOID(tern_tcp_abort, conn, (struct tern_conn * conn), (conn), (NULL), HANDLE(conn), )
CALL(enum tern_err, tern_tcp_reason, conn, (const struct tern_conn *conn), (conn), (NULL),
     HANDLE(conn), RESULT)
CALL(enum tern_tcp_state, tern_tcp_state, conn, (const struct tern_conn *conn), (conn), (NULL),
     HANDLE(conn), RESULT)
CALL_VOID(tern_tcp_set_user, conn, (struct tern_conn * conn, void *user), (conn, user),
          (NULL, NULL), HANDLE(conn) IN(user), )
CALL(uint32_t, tern_tcp_id, conn, (const struct tern_conn *conn), (conn), (NULL), HANDLE(conn),
     RESULT)
CALL_VOID(tern_tcp_settings, conn, (const struct tern_conn *conn, struct tern_tcp_settings *out),
          (conn, out), (NULL, NULL), HANDLE(conn) ROOM(out), out_settings(out);)
CALL(enum tern_err, tern_tcp_set, conn,
     (struct tern_conn * conn, const struct tern_tcp_settings *settings), (conn, settings),
     (NULL, NULL), HANDLE(conn) SETTINGS(settings), RESULT)
CALL(uint64_t, tern_tcp_unread, conn, (const struct tern_conn *conn), (conn), (NULL), HANDLE(conn),
     RESULT)
CALL(bool, tern_tcp_urgent_waits, conn, (const struct tern_conn *conn), (conn), (NULL),
     HANDLE(conn), RESULT)
CALL(bool, tern_tcp_peer_done, conn, (const struct tern_conn *conn), (conn), (NULL), HANDLE(conn),
     RESULT)
CALL(uint16_t, tern_tcp_port_pick, stack, (struct tern_stack * stack, struct tern_addr local),
     (stack, local), (NULL, no_address), HANDLE(stack) IN(local), RESULT)
CALL(const char *, tern_tcp_congestion_name, stack,
     (const struct tern_stack *stack, const char *name), (stack, name), (NULL, NULL),
     HANDLE(stack) TEXT(name), tape_out_text("the name", result);)
CALL_VOID(tern_tcp_info, conn, (const struct tern_conn *conn, struct tern_tcp_info *out),
          (conn, out), (NULL, NULL), HANDLE(conn) ROOM(out), out_info(out);)
CALL(enum tern_err, tern_udp_open, stack,
     (struct tern_stack * stack, const struct tern_endpoint *local, void *user,
      struct tern_udp_socket **out),
     (stack, local, user, out), (NULL, NULL, NULL, NULL),
     HANDLE(stack) VALUE(local) IN(user) ROOM(out), RESULT MADE(out))
CALL_VOID(tern_udp_close, udp, (struct tern_udp_socket * udp), (udp), (NULL), HANDLE(udp), )
CALL_VOID(tern_udp_connect, udp, (struct tern_udp_socket * udp, const struct tern_endpoint *peer),
          (udp, peer), (NULL, NULL), HANDLE(udp) VALUE(peer), )
CALL(struct tern_endpoint, tern_udp_local, udp, (const struct tern_udp_socket *udp), (udp), (NULL),
     HANDLE(udp), out_endpoint(&result);)
CALL(enum tern_err, tern_udp_send, udp,
     (struct tern_udp_socket * udp, const struct tern_endpoint *to, const void *data, size_t len),
     (udp, to, data, len), (NULL, NULL, NULL, 0), HANDLE(udp) VALUE(to) IN(len) BYTES(data, len),
     RESULT)
CALL(ptrdiff_t, tern_udp_receive, udp,
     (struct tern_udp_socket * udp, struct tern_endpoint *from, void *data, size_t len),
     (udp, from, data, len), (NULL, NULL, NULL, 0),
     HANDLE(udp) IN(len) ROOM(from) ROOM_OF(data, len), RESULT if (result >= 0) out_endpoint(from);
     READ(data, len))
CALL(enum tern_err, tern_udp_error, udp, (struct tern_udp_socket * udp), (udp), (NULL), HANDLE(udp),
     RESULT)
CALL(ptrdiff_t, tern_udp_peek, udp,
     (const struct tern_udp_socket *udp, struct tern_endpoint *from, struct tern_slice *out),
     (udp, from, out), (NULL, NULL, NULL), HANDLE(udp) ROOM(from) ROOM(out),
     RESULT if (result >= 0) out_endpoint(from);
     out_slices(out, result > 0);)
CALL_VOID(tern_udp_skip, udp, (struct tern_udp_socket * udp), (udp), (NULL), HANDLE(udp), )
CALL(enum tern_err, tern_ping_open, stack,
     (struct tern_stack * stack, void *user, struct tern_ping_socket **out), (stack, user, out),
     (NULL, NULL, NULL), HANDLE(stack) IN(user) ROOM(out), RESULT MADE(out))
CALL_VOID(tern_ping_close, ping, (struct tern_ping_socket * ping), (ping), (NULL), HANDLE(ping), )
CALL(enum tern_err, tern_ping_send, ping,
     (struct tern_ping_socket * ping, struct tern_addr to, uint16_t sequence, uint8_t ttl,
      uint32_t bytes),
     (ping, to, sequence, ttl, bytes), (NULL, no_address, 0, 0, 0),
     HANDLE(ping) IN(to) IN(sequence) IN(ttl) IN(bytes), RESULT)
CALL(enum tern_err, tern_ping_receive, ping,
     (struct tern_ping_socket * ping, struct tern_ping_reply *out), (ping, out), (NULL, NULL),
     HANDLE(ping) ROOM(out), RESULT OK out_reply(out);)

/* ---- the first call: the stack itself ---- */

enum tern_err __real_tern_stack_init(void *memory, size_t bytes, const struct tern_config *config,
                                     tern_time now, struct tern_stack **out);
enum tern_err __wrap_tern_stack_init(void *memory, size_t bytes, const struct tern_config *config,
                                     tern_time now, struct tern_stack **out);

static uint8_t seed_bits;

void calls_other_seed(uint8_t bits)
{
    seed_bits = bits;
}

static void in_config(const struct tern_config **config)
{
    const void *data = *config;
    const char *congestion = tape.mode == TAPE_RECORD ? (*config)->congestion : NULL;
    struct tern_config *copy;

    tape_in_bytes(&data, sizeof **config);
    tape_in_text(&congestion);
    if (tape.mode == TAPE_RECORD)
        return;
    copy = (struct tern_config *)(uintptr_t)data;
    copy->congestion = congestion;
    copy->seed[0] ^= seed_bits;
    *config = copy;
}

static enum tern_err call_init(void *memory, size_t bytes, const struct tern_config *config,
                               tern_time now, struct tern_stack **out)
{
    enum tern_err result;

    tape_enter(CALL_tern_stack_init);
    IN(bytes) IN(now) in_config(&config);
    ROOM(out)
    tape_called();
    if (tape.mode == TAPE_REPLAY)
        memory = map_zeroed(bytes);
    tape.stack = memory;
    tape.stack_bytes = bytes;
    result = __real_tern_stack_init(memory, bytes, config, now, out);
    tape_returned();
    RESULT
    MADE(out)
    tape_leave();
    return result;
}

/* The first stack of the process, where the environment asks for it. */
static bool start_recording(void)
{
    const char *path = getenv("TERN_JOURNAL");

    if (tape.mode != TAPE_OFF || path == NULL)
        return false;
    tape.file = fopen(path, "wb");
    if (tape.file == NULL || fputs(TAPE_MAGIC, tape.file) == EOF) {
        perror(path);
        exit(2);
    }
    tape.mode = TAPE_RECORD;
    return true;
}

enum tern_err __wrap_tern_stack_init(void *memory, size_t bytes, const struct tern_config *config,
                                     tern_time now, struct tern_stack **out)
{
    return start_recording() ? call_init(memory, bytes, config, now, out)
                             : __real_tern_stack_init(memory, bytes, config, now, out);
}

static void replay_tern_stack_init(void)
{
    if (tape.stack != NULL)
        tape.wrong = "a second stack";
    else
        (void)call_init(NULL, 0, NULL, 0, NULL);
}

/* ---- replay ---- */

static void (*const replays[])(void) = {
#define CALL_REPLAY(name) replay_##name,
    CALLS(CALL_REPLAY)
#undef CALL_REPLAY
};

static const char *const names[] = {
#define CALL_NAME(name) #name,
    CALLS(CALL_NAME)
#undef CALL_NAME
};

void calls_replay(void)
{
    uint32_t call = CALL_COUNT;

    tape_in(&call, sizeof call);
    tape.call = call;
    if (call >= CALL_COUNT || (call == CALL_tern_stack_init) != (tape.stack == NULL))
        tape.wrong = "the call";
    else
        replays[call]();
}

const char *calls_name(uint32_t call)
{
    return call < CALL_COUNT ? names[call] : "no call";
}
