/* SPDX-License-Identifier: BSD-2-Clause */
/* The application's calls of a script. */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOVE_MAX (4 << 20) /* bytes in one write or read */

const char *script_word(const struct script_step *step, int i)
{
    return i < step->word_count ? step->word[i] : "";
}

bool script_refuse(struct script_world *w, const struct script_step *step, const char *got)
{
    char words[256];

    snprintf(words, sizeof words, "%s %s %s %s", script_word(step, 0), script_word(step, 1),
             script_word(step, 2), script_word(step, 3));
    script_fail(w, step->line, words, got);
    return false;
}

enum tern_err script_err_named(const char *name)
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
    const char *text = script_word(step, i + 1);

    if (strcmp(script_word(step, i), "=") != 0)
        return otherwise;
    return text[0] >= '0' && text[0] <= '9' ? (ptrdiff_t)atol(text)
                                            : (ptrdiff_t)script_err_named(text);
}

static bool judge(struct script_world *w, const struct script_step *step, ptrdiff_t got,
                  ptrdiff_t want)
{
    char text[64];

    if (got == want)
        return true;
    snprintf(text, sizeof text, "returned %td%s%s", got, got < 0 ? " " : "",
             got < 0 ? tern_err_name((enum tern_err)got) : "");
    return script_refuse(w, step, text);
}

bool script_has_conn(struct script_world *w, const struct script_step *step)
{
    return w->flow->conn != NULL || script_refuse(w, step, "there is no connection");
}

/* set FIELD VALUE [= ERROR]: of the connection, else of the listener, else of those to come. */
static bool do_set(struct script_world *w, const struct script_step *step)
{
    enum tern_err err = TERN_ERR_OK;

    if (w->flow->conn != NULL)
        tern_tcp_settings(w->flow->conn, &w->settings);
    else if (w->listener != NULL)
        tern_listener_settings(w->listener, &w->settings);
    if (!script_setting(&w->settings, script_word(step, 1), script_word(step, 2)))
        return script_refuse(w, step, "no setting is called that, or has that value");
    if (w->flow->conn != NULL)
        err = tern_tcp_set(w->flow->conn, &w->settings);
    else if (w->listener != NULL)
        err = tern_listener_set(w->listener, &w->settings);
    return judge(w, step, err, wanted(step, 3, TERN_ERR_OK));
}

/* flow N: the steps that follow are about the peer's port 40000 + N. */
static bool do_flow(struct script_world *w, const struct script_step *step)
{
    const long n = atol(script_word(step, 1));

    if (n < 0 || n >= SCRIPT_FLOWS_MAX)
        return script_refuse(w, step, "there is no such flow");
    w->flow = &w->flows[n];
    return true;
}

/* connect-to ADDRESS PORT [= ERROR] */
static bool do_connect_to(struct script_world *w, const struct script_step *step)
{
    struct tern_tcp_options o = {.local = {tern_addr_v4(0, 0, 0, 0), 0}, .settings = &w->settings};
    uint32_t a, b, c, d;

    if (sscanf(script_word(step, 1), "%u.%u.%u.%u", &a, &b, &c, &d) != 4)
        return script_refuse(w, step, "not an address");
    o.remote.addr = tern_addr_v4((uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d);
    o.remote.port = (uint16_t)atol(script_word(step, 2));
    return judge(w, step, tern_tcp_connect(w->stack, &o, &w->flow->conn),
                 wanted(step, 3, TERN_ERR_OK));
}

/* connect [nodelay] [timeout SECONDS] [= ERROR] */
static bool do_connect(struct script_world *w, const struct script_step *step)
{
    struct tern_tcp_options o = {.local = {tern_addr_v4(0, 0, 0, 0), 0},
                                 .remote = {script_peer_addr(), w->flow->ports.peers},
                                 .settings = &w->settings};
    int i = 1;

    if (strcmp(script_word(step, i), "nodelay") == 0) {
        o.nodelay = true;
        i++;
    }
    if (strcmp(script_word(step, i), "timeout") == 0) {
        o.connect_timeout = atol(script_word(step, i + 1)) * TERN_SECOND;
        i += 2;
    }
    return judge(w, step, tern_tcp_connect(w->stack, &o, &w->flow->conn),
                 wanted(step, i, TERN_ERR_OK));
}

/* listen [backlog N] [= ERROR] */
static bool do_listen(struct script_world *w, const struct script_step *step)
{
    const struct tern_tcp_options o = {
        .local = {tern_addr_v4(0, 0, 0, 0), SCRIPT_LISTEN_PORT},
        .settings = &w->settings,
    };
    const bool given = strcmp(script_word(step, 1), "backlog") == 0;
    const uint32_t backlog = given ? (uint32_t)atol(script_word(step, 2)) : 4;

    return judge(w, step, tern_tcp_listen(w->stack, &o, backlog, &w->listener),
                 wanted(step, given ? 3 : 1, TERN_ERR_OK));
}

static bool do_unlisten(struct script_world *w, const struct script_step *step)
{
    if (w->listener == NULL)
        return script_refuse(w, step, "there is no listener");
    tern_tcp_unlisten(w->listener);
    w->listener = NULL;
    return true;
}

/* accept [= AGAIN]: and the steps that follow are about that connection. */
static bool do_accept(struct script_world *w, const struct script_step *step)
{
    struct tern_conn *conn = NULL;
    struct tern_tcp_info info;
    enum tern_err err;

    if (w->listener == NULL)
        return script_refuse(w, step, "there is no listener");
    err = tern_tcp_accept(w->listener, NULL, &conn);
    if (err == TERN_ERR_OK) {
        tern_tcp_info(conn, &info);
        w->flow = &w->flows[(info.remote.port - SCRIPT_PEER_PORT) % SCRIPT_FLOWS_MAX];
        w->flow->conn = conn;
    }
    return judge(w, step, err, wanted(step, 1, TERN_ERR_OK));
}

/* write N [urgent|more|record] [= N|ERROR] */
static bool do_write(struct script_world *w, const struct script_step *step)
{
    static uint8_t data[MOVE_MAX];
    const long n = atol(script_word(step, 1));
    const bool urgent = strcmp(script_word(step, 2), "urgent") == 0;
    const bool more = strcmp(script_word(step, 2), "more") == 0;
    const bool record = strcmp(script_word(step, 2), "record") == 0;
    ptrdiff_t got;

    if (!script_has_conn(w, step) || n < 0 || n > MOVE_MAX)
        return script_refuse(w, step, "cannot write that");
    for (long i = 0; i < n; i++)
        data[i] = script_byte(w->flow->n.written + (uint32_t)i);
    if (urgent)
        got = tern_tcp_write_urgent(w->flow->conn, data, (size_t)n);
    else
        got = tern_tcp_write(w->flow->conn, data, (size_t)n);
    if (got > 0)
        w->flow->n.written += (uint32_t)got;
    if (more || record)
        tern_tcp_mark(w->flow->conn, more ? TERN_TCP_MARK_MORE : TERN_TCP_MARK_RECORD);
    return judge(w, step, got, wanted(step, urgent || more || record ? 3 : 2, n));
}

/* lend N [= ERROR] */
static bool do_lend(struct script_world *w, const struct script_step *step)
{
    const long n = atol(script_word(step, 1));
    uint8_t *bytes;
    enum tern_err err;

    if (!script_has_conn(w, step) || n < 0 || n > MOVE_MAX)
        return script_refuse(w, step, "cannot lend that");
    bytes = malloc((size_t)n + 1);
    if (bytes == NULL)
        abort();
    for (long i = 0; i < n; i++)
        bytes[i] = script_byte(w->flow->n.written + (uint32_t)i);
    err = tern_tcp_lend(w->flow->conn, bytes, (size_t)n, bytes);
    if (err == TERN_ERR_OK)
        w->flow->n.written += (uint32_t)n;
    else
        free(bytes);
    return judge(w, step, err, wanted(step, 2, TERN_ERR_OK));
}

/* read N [= N|ERROR]: and the bytes must be the peer's stream, in order. */
static bool do_read(struct script_world *w, const struct script_step *step)
{
    static uint8_t data[MOVE_MAX];
    const long n = atol(script_word(step, 1));
    ptrdiff_t got;

    if (!script_has_conn(w, step) || n < 0 || n > MOVE_MAX)
        return script_refuse(w, step, "cannot read that");
    got = tern_tcp_read(w->flow->conn, data, (size_t)n);
    for (ptrdiff_t i = 0; i < got; i++) {
        if (data[i] != script_byte(w->flow->n.read + (uint32_t)i))
            return script_refuse(w, step, "a byte that the peer did not send");
    }
    if (got > 0)
        w->flow->n.read += (uint32_t)got;
    return judge(w, step, got, wanted(step, 2, n));
}

/* read-urgent [peek] [= ERROR]: the byte that stands out of the stream, which reading passes. */
static bool do_read_urgent(struct script_world *w, const struct script_step *step)
{
    const bool peek = strcmp(script_word(step, 1), "peek") == 0;
    uint8_t byte = 0;
    size_t ahead = 0;
    enum tern_err err;

    if (!script_has_conn(w, step))
        return false;
    (void)tern_tcp_urgent_mark(w->flow->conn, &ahead);
    err = tern_tcp_read_urgent(w->flow->conn, &byte, peek);
    if (err == TERN_ERR_OK && byte != script_byte(w->flow->n.read + (uint32_t)ahead))
        return script_refuse(w, step, "another byte than the peer's urgent one");
    return judge(w, step, err, wanted(step, peek ? 2 : 1, TERN_ERR_OK));
}

/* pass-urgent: the stream goes on behind the urgent byte. */
static bool do_pass_urgent(struct script_world *w, const struct script_step *step)
{
    (void)step;
    w->flow->n.read++;
    return true;
}

static bool do_shutdown(struct script_world *w, const struct script_step *step)
{
    if (!script_has_conn(w, step))
        return false;
    tern_tcp_shutdown(w->flow->conn);
    return true;
}

static bool do_close(struct script_world *w, const struct script_step *step)
{
    if (!script_has_conn(w, step))
        return false;
    tern_tcp_close(w->flow->conn);
    w->flow->conn = NULL;
    return true;
}

static bool do_abort(struct script_world *w, const struct script_step *step)
{
    if (!script_has_conn(w, step))
        return false;
    tern_tcp_abort(w->flow->conn);
    w->flow->conn = NULL;
    return true;
}

/* The next SYN of ours begins new numbers, on new ports; streams start over. */
static bool do_again(struct script_world *w, const struct script_step *step)
{
    (void)step;
    w->flow->before = w->flow->n;
    memset(&w->flow->n, 0, sizeof w->flow->n);
    return true;
}

/* To the numbers before the last `again`; and from there to those after it. */
static bool do_back(struct script_world *w, const struct script_step *step)
{
    const struct script_numbers now = w->flow->n;

    (void)step;
    w->flow->n = w->flow->before;
    w->flow->before = now;
    return true;
}

/* feed COUNT BYTES SEQ ACK: segments in order, each of which is acknowledged at once. */
static bool do_feed(struct script_world *w, const struct script_step *step)
{
    const long count = atol(script_word(step, 1)), bytes = atol(script_word(step, 2));
    struct script_segment s = {.flags = 0x10, .has_window = true, .window = 65535};

    s.length = (uint32_t)bytes;
    s.seq = (uint32_t)atol(script_word(step, 3));
    s.ack = (uint32_t)atol(script_word(step, 4));
    for (long i = 0; i < count; i++) {
        struct script_sent sent;

        script_peer_sends(w, &s);
        s.seq += s.length;
        if (!script_take_sent(w, &sent) || sent.segment.length != 0 || sent.segment.ack != s.seq)
            return script_refuse(w, step, "a segment was not acknowledged at once");
    }
    return true;
}

/* What was sent since joins what waits to be acknowledged. */
static void note_waiting(struct script_world *w)
{
    struct script_sent sent;

    while (w->waiting_count < SCRIPT_SENT_MAX && script_take_sent(w, &sent)) {
        if (sent.segment.length > 0)
            w->waiting[w->waiting_count++] = (struct script_waiting){sent.at, sent.segment};
    }
}

/* acks DELAY SECONDS: for so long the peer acknowledges each segment with text a moment after it
 * was sent, in order; what is then still to be acknowledged waits for another `acks`. What the peer
 * sends carries a timestamp where that is agreed. */
static bool do_acks(struct script_world *w, const struct script_step *step)
{
    const tern_time delay = (tern_time)(atof(script_word(step, 1)) * 1e6) * TERN_US;
    const tern_time until = w->now + (tern_time)(atof(script_word(step, 2)) * 1e6) * TERN_US;
    struct script_segment s = {.flags = 0x10, .has_window = true};
    struct tern_tcp_info info;

    if (!script_has_conn(w, step))
        return false;
    tern_tcp_info(w->flow->conn, &info);
    s.window = 65535;
    s.has_timestamps = info.timestamps;
    for (note_waiting(w); !w->failed; note_waiting(w)) {
        const struct script_waiting first = w->waiting[0];

        if (w->waiting_count == 0 || first.at + delay > until) {
            if (w->now >= until)
                break;
            script_world_await(w, until);
            continue;
        }
        if (first.at + delay > w->now)
            script_world_advance(w, first.at + delay);
        w->waiting_count--;
        memmove(w->waiting, w->waiting + 1, w->waiting_count * sizeof w->waiting[0]);
        s.seq = first.segment.ack;
        if (first.segment.seq + first.segment.length > s.ack)
            s.ack = first.segment.seq + first.segment.length;
        s.ts_value = (uint32_t)((w->now - w->start.base) / TERN_MS) + 1000;
        s.ts_echo = first.segment.ts_value;
        script_peer_sends(w, &s);
    }
    w->last = w->now;
    return !w->failed;
}

static bool do_quiet(struct script_world *w, const struct script_step *step)
{
    (void)w;
    (void)step;
    return true;
}

bool script_command(struct script_world *w, const struct script_step *step)
{
    static const struct {
        const char *name;
        bool (*run)(struct script_world *w, const struct script_step *step);
    } commands[] = {
        {"set", do_set},
        {"flow", do_flow},
        {"connect", do_connect},
        {"connect-to", do_connect_to},
        {"listen", do_listen},
        {"unlisten", do_unlisten},
        {"accept", do_accept},
        {"read-urgent", do_read_urgent},
        {"pass-urgent", do_pass_urgent},
        {"write", do_write},
        {"lend", do_lend},
        {"read", do_read},
        {"shutdown", do_shutdown},
        {"close", do_close},
        {"abort", do_abort},
        {"again", do_again},
        {"back", do_back},
        {"feed", do_feed},
        {"acks", do_acks},
        {"quiet", do_quiet},
    };

    bool known;
    const bool as_expected = script_expect(w, step, &known);

    if (known)
        return as_expected;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, script_word(step, 0)) == 0) {
            const bool good = commands[i].run(w, step);

            script_world_drain(w);
            return good;
        }
    }
    return script_refuse(w, step, "no command is called that");
}
