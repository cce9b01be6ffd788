/* SPDX-License-Identifier: BSD-2-Clause */
/* The application's calls and the expectations of a script. */
#include "script.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOVE_MAX 65536 /* bytes in one write or read */

static const char *word(const struct script_step *step, int i)
{
    return i < step->word_count ? step->word[i] : "";
}

static bool fail(struct script_world *w, const struct script_step *step, const char *got)
{
    char words[256];

    snprintf(words, sizeof words, "%s %s %s %s", word(step, 0), word(step, 1), word(step, 2),
             word(step, 3));
    script_fail(w, step->line, words, got);
    return false;
}

static enum tern_err err_named(const char *name)
{
    for (int e = 0; e > -30; e--) {
        if (strcmp(tern_err_name((enum tern_err)e), name) == 0)
            return (enum tern_err)e;
    }
    fprintf(stderr, "no error is called '%s'\n", name);
    abort();
}

/* What a call should return: "= VALUE" or "= ERROR" at word i, else this. */
static ptrdiff_t wanted(const struct script_step *step, int i, ptrdiff_t otherwise)
{
    const char *text = word(step, i + 1);

    if (strcmp(word(step, i), "=") != 0)
        return otherwise;
    return text[0] >= '0' && text[0] <= '9' ? (ptrdiff_t)atol(text) : (ptrdiff_t)err_named(text);
}

static bool judge(struct script_world *w, const struct script_step *step, ptrdiff_t got,
                  ptrdiff_t want)
{
    char text[64];

    if (got == want)
        return true;
    snprintf(text, sizeof text, "returned %td%s%s", got, got < 0 ? " " : "",
             got < 0 ? tern_err_name((enum tern_err)got) : "");
    return fail(w, step, text);
}

static bool has_conn(struct script_world *w, const struct script_step *step)
{
    return w->conn != NULL || fail(w, step, "there is no connection");
}

/* connect [nodelay] [timeout SECONDS] [= ERROR] */
static bool do_connect(struct script_world *w, const struct script_step *step)
{
    struct tern_tcp_options o = {.local = {tern_addr_v4(0, 0, 0, 0), 0},
                                 .remote = {script_peer_addr(), SCRIPT_PEER_PORT}};
    struct tern_tcp_settings set;
    int i = 1;

    tern_tcp_settings_defaults(&set);
    set.ecn = w->script->connect_ecn;
    o.settings = &set;
    if (strcmp(word(step, i), "nodelay") == 0) {
        o.nodelay = true;
        i++;
    }
    if (strcmp(word(step, i), "timeout") == 0) {
        o.connect_timeout = atol(word(step, i + 1)) * TERN_SECOND;
        i += 2;
    }
    return judge(w, step, tern_tcp_connect(w->stack, &o, &w->conn), wanted(step, i, TERN_ERR_OK));
}

/* listen [backlog N] */
static bool do_listen(struct script_world *w, const struct script_step *step)
{
    struct tern_tcp_settings set;
    const struct tern_tcp_options o = {
        .local = {tern_addr_v4(0, 0, 0, 0), SCRIPT_LISTEN_PORT},
        .settings = &set,
    };
    const bool given = strcmp(word(step, 1), "backlog") == 0;
    const uint32_t backlog = given ? (uint32_t)atol(word(step, 2)) : 4;

    tern_tcp_settings_defaults(&set);
    set.ecn = w->script->listen_ecn;
    return judge(w, step, tern_tcp_listen(w->stack, &o, backlog, &w->listener), TERN_ERR_OK);
}

static bool do_unlisten(struct script_world *w, const struct script_step *step)
{
    if (w->listener == NULL)
        return fail(w, step, "there is no listener");
    tern_tcp_unlisten(w->listener);
    w->listener = NULL;
    return true;
}

/* accept [= AGAIN] */
static bool do_accept(struct script_world *w, const struct script_step *step)
{
    struct tern_conn *conn = NULL;
    enum tern_err err;

    if (w->listener == NULL)
        return fail(w, step, "there is no listener");
    err = tern_tcp_accept(w->listener, NULL, &conn);
    if (err == TERN_ERR_OK)
        w->conn = conn;
    return judge(w, step, err, wanted(step, 1, TERN_ERR_OK));
}

/* write N [= N|ERROR] */
static bool do_write(struct script_world *w, const struct script_step *step)
{
    static uint8_t data[MOVE_MAX];
    const long n = atol(word(step, 1));
    ptrdiff_t got;

    if (!has_conn(w, step) || n < 0 || n > MOVE_MAX)
        return fail(w, step, "cannot write that");
    for (long i = 0; i < n; i++)
        data[i] = script_byte(w->written + (uint32_t)i);
    got = tern_tcp_write(w->conn, data, (size_t)n);
    if (got > 0)
        w->written += (uint32_t)got;
    return judge(w, step, got, wanted(step, 2, n));
}

/* read N [= N|ERROR]: and the bytes must be the peer's stream, in order. */
static bool do_read(struct script_world *w, const struct script_step *step)
{
    static uint8_t data[MOVE_MAX];
    const long n = atol(word(step, 1));
    ptrdiff_t got;

    if (!has_conn(w, step) || n < 0 || n > MOVE_MAX)
        return fail(w, step, "cannot read that");
    got = tern_tcp_read(w->conn, data, (size_t)n);
    for (ptrdiff_t i = 0; i < got; i++) {
        if (data[i] != script_byte(w->read + (uint32_t)i))
            return fail(w, step, "a byte that the peer did not send");
    }
    if (got > 0)
        w->read += (uint32_t)got;
    return judge(w, step, got, wanted(step, 2, n));
}

static bool do_shutdown(struct script_world *w, const struct script_step *step)
{
    if (!has_conn(w, step))
        return false;
    tern_tcp_shutdown(w->conn);
    return true;
}

static bool do_close(struct script_world *w, const struct script_step *step)
{
    if (!has_conn(w, step))
        return false;
    tern_tcp_close(w->conn);
    w->conn = NULL;
    return true;
}

static bool do_abort(struct script_world *w, const struct script_step *step)
{
    if (!has_conn(w, step))
        return false;
    tern_tcp_abort(w->conn);
    w->conn = NULL;
    return true;
}

/* The next SYN of ours begins new numbers, on new ports; streams start over. */
static bool do_again(struct script_world *w, const struct script_step *step)
{
    (void)step;
    w->know_isn = w->know_ts = false;
    w->our_isn = 0;
    w->written = w->read = 0;
    return true;
}

/* feed COUNT BYTES SEQ ACK: segments in order, each of which is acknowledged at once. */
static bool do_feed(struct script_world *w, const struct script_step *step)
{
    const long count = atol(word(step, 1)), bytes = atol(word(step, 2));
    struct script_segment s = {.flags = 0x10, .has_window = true, .window = 65535};

    s.length = (uint32_t)bytes;
    s.seq = (uint32_t)atol(word(step, 3));
    s.ack = (uint32_t)atol(word(step, 4));
    for (long i = 0; i < count; i++) {
        struct script_sent sent;

        script_peer_sends(w, &s);
        s.seq += s.length;
        if (!script_take_sent(w, &sent) || sent.segment.length != 0 || sent.segment.ack != s.seq)
            return fail(w, step, "a segment was not acknowledged at once");
    }
    return true;
}

static bool do_quiet(struct script_world *w, const struct script_step *step)
{
    (void)w;
    (void)step;
    return true;
}

static bool expect_state(struct script_world *w, const struct script_step *step)
{
    for (int i = 0; i < TERN_TCP_STATE_COUNT; i++) {
        const char *text = tern_tcp_state_text((enum tern_tcp_state)i);

        if (strcmp(text, word(step, 1)) == 0)
            return w->state == (enum tern_tcp_state)i ||
                   fail(w, step, tern_tcp_state_text(w->state));
    }
    return fail(w, step, "no state is called that");
}

static bool expect_reason(struct script_world *w, const struct script_step *step)
{
    const enum tern_err got = w->conn != NULL ? tern_tcp_reason(w->conn) : w->reason;

    return got == err_named(word(step, 1)) || fail(w, step, tern_err_name(got));
}

static uint32_t event_named(const char *name)
{
    static const char *const names[] = {"ESTABLISHED", "READABLE", "WRITABLE",
                                        "PEER_FIN",    "CLOSED",   "SENT_ALL"};

    for (uint32_t i = 0; i < 6; i++) {
        if (strcmp(names[i], name) == 0)
            return 1u << i;
    }
    return 0;
}

/* expect-event NAME: it was heard since the last time that somebody asked. */
static bool expect_event(struct script_world *w, const struct script_step *step)
{
    const uint32_t bit = event_named(word(step, 1));
    const bool heard = (w->events & bit) != 0;

    w->events &= ~bit;
    return heard || fail(w, step, "not heard");
}

static bool expect_no_event(struct script_world *w, const struct script_step *step)
{
    const uint32_t bit = event_named(word(step, 1));

    return (bit != 0 && (w->events & bit) == 0) || fail(w, step, "heard");
}

/* expect-drop REASON [COUNT]: so many since the start. */
static bool expect_drop(struct script_world *w, const struct script_step *step)
{
    const uint64_t want = step->word_count > 2 ? (uint64_t)atol(word(step, 2)) : 1;
    struct tern_stack_counters counters;
    char text[64];

    tern_stack_counters(w->stack, &counters);
    for (int i = 0; i < TERN_DROP_COUNT; i++) {
        if (strcmp(tern_drop_key((enum tern_drop)i), word(step, 1)) != 0)
            continue;
        snprintf(text, sizeof text, "counted %llu", (unsigned long long)counters.drops[i]);
        return counters.drops[i] == want || fail(w, step, text);
    }
    return fail(w, step, "no reason is called that");
}

/* expect FIELD VALUE: of tern_tcp_info; times in milliseconds. */
static bool expect_info(struct script_world *w, const struct script_step *step)
{
    struct tern_tcp_info info;
    char text[64];

    if (!has_conn(w, step))
        return false;
    tern_tcp_info(w->conn, &info);
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {
        {"cwnd", info.cwnd_bytes},
        {"ssthresh", info.ssthresh_bytes},
        {"mss", info.mss_bytes},
        {"rto", (uint64_t)(info.rto / TERN_MS)},
        {"srtt", (uint64_t)(info.srtt / TERN_MS)},
        {"retrans", info.retrans},
        {"rtos", info.rtos},
        {"fast-recoveries", info.fast_recoveries},
        {"unacked", info.unacked_bytes},
        {"notsent", info.notsent_bytes},
        {"unread", info.unread_bytes},
        {"snd-wnd", info.snd_wnd_bytes},
        {"rcv-wnd", info.rcv_wnd_bytes},
        {"snd-wscale", info.snd_wscale},
        {"bytes-acked", info.bytes_acked},
        {"bytes-received", info.bytes_received},
        {"probes", info.window_probes_out},
        {"timestamps", info.timestamps},
        {"sack", info.sack},
        {"wscale", info.wscale},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(fields[i].name, word(step, 1)) != 0)
            continue;
        snprintf(text, sizeof text, "it is %llu", (unsigned long long)fields[i].value);
        return fields[i].value == strtoull(word(step, 2), NULL, 10) || fail(w, step, text);
    }
    return fail(w, step, "no field is called that");
}

bool script_command(struct script_world *w, const struct script_step *step)
{
    static const struct {
        const char *name;
        bool (*run)(struct script_world *w, const struct script_step *step);
    } commands[] = {
        {"connect", do_connect},
        {"listen", do_listen},
        {"unlisten", do_unlisten},
        {"accept", do_accept},
        {"write", do_write},
        {"read", do_read},
        {"shutdown", do_shutdown},
        {"close", do_close},
        {"abort", do_abort},
        {"again", do_again},
        {"feed", do_feed},
        {"quiet", do_quiet},
        {"expect", expect_info},
        {"expect-state", expect_state},
        {"expect-reason", expect_reason},
        {"expect-event", expect_event},
        {"expect-no-event", expect_no_event},
        {"expect-drop", expect_drop},
    };

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, word(step, 0)) == 0) {
            const bool good = commands[i].run(w, step);

            script_world_drain(w);
            return good;
        }
    }
    return fail(w, step, "no command is called that");
}
