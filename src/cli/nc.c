/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern nc: netcat over tern's TCP. Standard input goes to the peer, what the peer says goes to
 * standard output; both at once, and none waits for the other.
 *
 * The pump never blocks: input is read when it polls readable and the connection has room, output
 * is written as far as it takes it. Bytes that output does not take stay with the connection, which
 * closes its window in time; ACKs are the stack's affair and go out whatever we do here.
 *
 * It ends when the peer has sent its FIN and has all that we sent, everything is written out, and
 * input has nothing ready; or at -w SECS of silence (which, as netcat-openbsd has it, does not
 * count while -l waits for its caller), ^C, or an error. Exit code as netcat's: 0, 1
 * for a failure, 2 for usage.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/nc_options.h"
#include "cli/nc_output.h"
#include "cli/say.h"
#include "cli/talk.h"
#include "cli/verbs.h"

#define EXIT_FAILED      1
#define EXIT_USAGE       2
#define EXIT_INTERRUPTED 130

#define INPUT_BYTES     65536
#define QUIET_AFTER_END (500 * TERN_MS) /* the peer has ended, and no more input comes */
#define LINGER          (10 * TERN_SECOND)
#define LINGER_SHORT    (1 * TERN_SECOND)
#define LINGER_IDLE     (250 * TERN_MS) /* a peer that kept silent will hardly answer our FIN */
#define LISTEN_BACKLOG  1

struct nc {
    const struct tern_nc_options *options;
    struct tern_talk talk;
    struct tern_listener *listener;
    struct tern_conn *conn;
    struct tern_nc_output output;
    char peer[TERN_ENDPOINT_TEXT_MAX];
    uint8_t input[INPUT_BYTES];
    size_t input_start, input_end; /* read, and not yet taken by the connection */
    tern_time heard_at;            /* last time that anything moved */
    bool established, input_ended, input_watched, output_watched;
    bool peer_ended, over, failed, idle;
};

/* ---- the pump ---- */

static void nc_fail(struct nc *n, enum tern_err err)
{
    if (!n->failed && n->established)
        tern_complain("nc: %s: %s", n->peer, tern_err_text(err));
    else if (!n->failed)
        tern_complain("nc: cannot connect to %s: %s", n->peer, tern_err_text(err));
    n->failed = true;
    n->over = true;
}

/* A failure on our own side. */
static void nc_fail_here(struct nc *n, const char *what, int error)
{
    if (!n->failed)
        tern_complain("nc: %s: %s", what, strerror(error));
    n->failed = true;
    n->over = true;
}

static void nc_moved(struct nc *n)
{
    n->heard_at = tern_loop_now(n->talk.loop);
}

static void watch_input(struct nc *n, bool wanted);

static void input_end(struct nc *n)
{
    n->input_ended = true;
    watch_input(n, false);
}

/* Hand what was read to the connection; stop reading while it takes no more. */
static void push_input(struct nc *n)
{
    while (n->input_start < n->input_end) {
        ptrdiff_t taken =
            tern_tcp_write(n->conn, n->input + n->input_start, n->input_end - n->input_start);

        if (taken == TERN_ERR_AGAIN)
            break;
        if (taken < 0) {
            nc_fail(n, (enum tern_err)taken);
            return;
        }
        n->input_start += (size_t)taken;
        nc_moved(n);
    }
    if (n->input_start == n->input_end)
        n->input_start = n->input_end = 0;
    if (n->input_ended && n->input_end == 0 && n->options->half_close)
        tern_tcp_shutdown(n->conn);
    if (!n->input_ended)
        watch_input(n, n->input_end == 0);
}

static void on_input(void *user, int fd, uint32_t poll_bits)
{
    struct nc *n = user;
    ssize_t got;

    (void)poll_bits;
    if (n->over || n->input_ended || n->input_end > 0)
        return;
    got = read(fd, n->input, sizeof n->input);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        if (got < 0)
            nc_fail_here(n, "standard input", errno); /* what the peer has is not all of it */
        input_end(n);
    } else {
        n->input_end = (size_t)got;
    }
    push_input(n);
}

static void watch_input(struct nc *n, bool wanted)
{
    if (wanted == n->input_watched)
        return;
    n->input_watched = wanted;
    if (tern_loop_watch(n->talk.loop, STDIN_FILENO, wanted ? POLLIN : 0, on_input, n) ==
        TERN_ERR_OK)
        return;
    n->input_watched = false;
    n->input_ended = true;
    if (errno != EBADF) /* closed: nothing is to come */
        nc_fail_here(n, "standard input cannot be watched", errno);
}

static void drain_output(struct nc *n);

static void on_output(void *user, int fd, uint32_t poll_bits)
{
    struct nc *n = user;

    (void)fd;
    (void)poll_bits;
    drain_output(n);
}

static void watch_output(struct nc *n, bool wanted)
{
    if (wanted == n->output_watched)
        return;
    n->output_watched = wanted;
    if (tern_loop_watch(n->talk.loop, n->output.fd, wanted ? POLLOUT : 0, on_output, n) !=
        TERN_ERR_OK)
        nc_fail_here(n, "standard output cannot be watched", errno);
}

/* Write out what came, as far as output takes it now. */
static void drain_output(struct nc *n)
{
    struct tern_slice slice;
    ptrdiff_t wrote = 1;

    while (!n->over) {
        ptrdiff_t waiting = tern_tcp_peek(n->conn, &slice);

        if (waiting == 0)
            n->peer_ended = true;
        if (waiting < 0 && waiting != TERN_ERR_AGAIN)
            nc_fail(n, (enum tern_err)waiting);
        if (waiting <= 0)
            break;
        wrote = tern_nc_output_write(&n->output, slice.data, slice.bytes);
        if (wrote < 0)
            nc_fail_here(n, "standard output", errno);
        if (wrote <= 0)
            break;
        tern_tcp_skip(n->conn, (size_t)wrote);
        nc_moved(n);
    }
    watch_output(n, wrote == 0);
}

/* ---- events ---- */

static void on_established(struct nc *n)
{
    n->established = true;
    nc_moved(n);
    if (n->options->verbose && !n->options->listen)
        tern_say("Connection to %s %u port [tcp/*] succeeded!", n->options->host, n->options->port);
    if (n->options->only_connect)
        n->over = true;
    else
        watch_input(n, true);
}

static void on_conn(struct nc *n, uint32_t bits)
{
    enum tern_err reason = tern_tcp_reason(n->conn);

    if ((bits & TERN_CONN_ESTABLISHED) != 0 && !n->established)
        on_established(n);
    if (n->over)
        return;
    if (n->established && (bits & (TERN_CONN_READABLE | TERN_CONN_PEER_FIN)) != 0)
        drain_output(n);
    if (n->established && (bits & TERN_CONN_WRITABLE) != 0)
        push_input(n);
    if ((bits & TERN_CONN_CLOSED) != 0 && reason != TERN_ERR_OK)
        nc_fail(n, reason);
}

static void on_listener(struct nc *n)
{
    struct tern_tcp_info info;

    if (n->conn != NULL || tern_tcp_accept(n->listener, n, &n->conn) != TERN_ERR_OK)
        return;
    tern_tcp_unlisten(n->listener);
    n->listener = NULL;
    tern_tcp_info(n->conn, &info);
    tern_endpoint_text(&info.remote, n->peer);
    if (n->options->verbose)
        tern_say("Connection received on %s", n->peer);
    on_established(n);
    drain_output(n);
}

static void pull_events(struct nc *n)
{
    struct tern_event event;

    while (!n->over && tern_stack_event(n->talk.stack, &event)) {
        if (event.kind == TERN_EVENT_CONN && event.conn == n->conn)
            on_conn(n, event.bits);
        else if (event.kind == TERN_EVENT_LISTENER)
            on_listener(n);
        else
            (void)tern_talk_event(&n->talk, &event);
    }
}

/* ---- the run ---- */

static bool input_is_ready(void)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

    return poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0;
}

/* The peer has all that it was sent, so that leaving loses nothing. */
static bool all_arrived(const struct nc *n)
{
    struct tern_tcp_info info;

    tern_tcp_info(n->conn, &info);
    return info.state == TERN_TCP_CLOSED || (info.unacked_bytes == 0 && info.notsent_bytes == 0);
}

/* Nothing more can come, and there is nothing more to send: standard input has ended, or was still
 * for a while; who types has seen that the peer is gone. */
static bool is_finished(const struct nc *n)
{
    if (!n->peer_ended || n->input_end > 0 || !all_arrived(n))
        return false;
    if (n->input_ended)
        return true;
    return !input_is_ready() && (isatty(STDIN_FILENO) != 0 ||
                                 tern_loop_now(n->talk.loop) >= n->heard_at + QUIET_AFTER_END);
}

/* -w is over: no connection in that time, or a connection without a word. A peer that says nothing
 * is no failure; bytes that are left on the way are. */
static void nc_idle(struct nc *n)
{
    if (!n->established) {
        nc_fail(n, TERN_ERR_TIMEOUT);
        return;
    }
    n->idle = true;
    if (tern_tcp_unread(n->conn) > 0)
        nc_fail_here(n, "standard output takes no more", ETIMEDOUT);
    else if (!all_arrived(n) || n->input_end > 0)
        nc_fail(n, TERN_ERR_TIMEOUT);
    if (n->options->verbose)
        tern_say("nc: %s: nothing moved for %.3g s: closed", n->peer,
                 (double)n->options->wait / (double)TERN_SECOND);
}

static void nc_pump(struct nc *n)
{
    tern_time wait = n->options->wait;

    nc_moved(n);
    while (!n->over && !tern_talk_interrupted()) {
        tern_time until = wait > 0 && n->conn != NULL ? n->heard_at + wait : TERN_TIME_NEVER;

        if (tern_loop_now(n->talk.loop) >= until) {
            nc_idle(n);
            return;
        }
        if (is_finished(n))
            return;
        if (n->peer_ended && n->heard_at + QUIET_AFTER_END < until)
            until = tern_loop_now(n->talk.loop) + QUIET_AFTER_END;
        if (tern_talk_run(&n->talk, until) != TERN_ERR_OK) {
            n->failed = true;
            return;
        }
        pull_events(n);
    }
}

/* -l ADDRESS: there is none but tern's own. */
static bool nc_is_own(const struct nc *n)
{
    struct tern_addr own = n->talk.address.addr, wanted;
    char text[TERN_ADDR_TEXT_MAX];

    if (n->options->host == NULL)
        return true;
    if (tern_addr_parse(n->options->host, &wanted) == TERN_ERR_OK &&
        (tern_addr_equal(wanted, own) || tern_addr_is_any(wanted)))
        return true;
    tern_complain("nc: cannot listen on %s: tern's own address is %s. Give that one, or none",
                  n->options->host, tern_addr_text(own, text));
    return false;
}

static enum tern_err nc_listen(struct nc *n)
{
    struct tern_tcp_options options = {.local = {.port = n->options->port}, .user = n};
    char own[TERN_ENDPOINT_TEXT_MAX];

    options.local.addr = n->talk.address.addr;
    if (n->options->verbose)
        tern_say("Listening on %s", tern_endpoint_text(&options.local, own));
    return tern_tcp_listen(n->talk.stack, &options, LISTEN_BACKLOG, &n->listener);
}

static enum tern_err nc_connect(struct nc *n)
{
    struct tern_tcp_options options = {.local = {.port = n->options->own_port},
                                       .user = n,
                                       .connect_timeout = n->options->wait,
                                       .nodelay = true};

    if (tern_talk_resolve(&n->talk, n->options->host, &options.remote.addr) != 0) {
        n->failed = true;
        return TERN_ERR_OK;
    }
    options.remote.port = n->options->port;
    tern_endpoint_text(&options.remote, n->peer);
    return tern_tcp_connect(n->talk.stack, &options, &n->conn);
}

static int nc_talk(struct nc *n)
{
    enum tern_err err;

    if (n->options->listen && !nc_is_own(n))
        return EXIT_FAILED;
    err = n->options->listen ? nc_listen(n) : nc_connect(n);
    if (n->failed)
        return tern_talk_interrupted() ? EXIT_INTERRUPTED : EXIT_FAILED;
    if (err != TERN_ERR_OK) {
        tern_complain("nc: cannot %s %s: %s", n->options->listen ? "listen on port" : "connect to",
                      n->options->listen ? "" : n->peer, tern_err_text(err));
        return EXIT_FAILED;
    }
    tern_nc_output_open(&n->output, STDOUT_FILENO);
    nc_pump(n);
    watch_input(n, false);
    watch_output(n, false);
    tern_nc_output_close(&n->output);
    if (n->listener != NULL)
        tern_tcp_unlisten(n->listener);
    if (n->conn != NULL)
        tern_tcp_close(n->conn);
    if (tern_talk_interrupted()) {
        tern_complain("nc: interrupted");
        return EXIT_INTERRUPTED;
    }
    return n->failed ? EXIT_FAILED : 0;
}

static tern_time nc_linger(const struct nc *n)
{
    if (n->idle)
        return LINGER_IDLE;
    return tern_talk_interrupted() ? LINGER_SHORT : LINGER;
}

int tern_verb_nc(int argc, char **argv)
{
    struct nc n;
    struct tern_nc_options options;
    int code = tern_nc_parse(argc, argv, &options);

    if (code != 0)
        return code - 1;
    memset(&n, 0, sizeof n);
    n.options = &options;
    options.talk.verbose = options.verbose;
    options.talk.server = options.listen;
    code = tern_talk_open(&n.talk, &options.talk);
    if (code != 0)
        return code == EXIT_USAGE || code == EXIT_INTERRUPTED ? code : EXIT_FAILED;
    code = nc_talk(&n);
    if (tern_talk_close(&n.talk, nc_linger(&n)) != 0 && code == 0)
        code = EXIT_FAILED;
    return code;
}
