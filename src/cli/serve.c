/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern serve: files of a directory over HTTP/1.1 from tern's own TCP. The server (src/apps/http_*)
 * knows HTTP and files; here are the stack's calls that it is given, the loop, and the ends: at ^C
 * nothing more is accepted, transfers get a moment, connections their FIN.
 *
 * A connection's buffers are kept small: requests are short, and of an answer only so much waits in
 * the stack as the network can use (notsent_lowat), so that a slow reader costs just that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "apps/http_serve.h"
#include "cli/say.h"
#include "cli/serve_log.h"
#include "cli/serve_options.h"
#include "cli/talk.h"
#include "cli/verbs.h"
#include "os/clock.h"

#define EXIT_FAILED      1
#define EXIT_USAGE       2
#define EXIT_INTERRUPTED 130

#define BACKLOG       256
#define RECEIVE_BYTES 65536
#define NOTSENT_BYTES 262144
#define LINGER        (2 * TERN_SECOND)
#define FAREWELL_MAX  (60 * TERN_SECOND)

struct serve {
    const struct tern_serve_options *options;
    struct tern_talk talk;
    struct tern_http_server server;
    struct tern_listener *listener;
    struct tern_serve_log log;
    tern_time wall_offset, wall_until; /* from the loop's clock to Unix time */
    tern_time linger;                  /* for the stack to bring the last bytes over */
    bool failed;
};

/* ---- what a connection is to the server ---- */

static ptrdiff_t io_peek(void *conn, const uint8_t **data)
{
    struct tern_slice slice = {.data = NULL};
    ptrdiff_t n = tern_tcp_peek(conn, &slice);

    *data = slice.data;
    return n;
}

static void io_skip(void *conn, size_t bytes)
{
    tern_tcp_skip(conn, bytes);
}

static ptrdiff_t io_write(void *conn, const void *data, size_t bytes)
{
    return tern_tcp_write(conn, data, bytes);
}

static size_t io_space(void *conn)
{
    return tern_tcp_write_space(conn);
}

static enum tern_err io_lend(void *conn, const void *data, size_t bytes, void *loan)
{
    return tern_tcp_lend(conn, data, bytes, loan);
}

static void io_progress(void *conn, uint64_t *acked, uint64_t *left)
{
    struct tern_tcp_info info;

    tern_tcp_info(conn, &info);
    *acked = info.bytes_acked;
    *left = info.state == TERN_TCP_CLOSED ? 0 : info.unacked_bytes + info.notsent_bytes;
}

static void io_shutdown(void *conn)
{
    tern_tcp_shutdown(conn);
}

static void io_close(void *conn)
{
    tern_tcp_close(conn);
}

static void io_abort(void *conn)
{
    tern_tcp_abort(conn);
}

static const struct tern_http_io io = {
    .peek = io_peek,
    .skip = io_skip,
    .write = io_write,
    .space = io_space,
    .lend = io_lend,
    .progress = io_progress,
    .shutdown = io_shutdown,
    .close = io_close,
    .abort = io_abort,
};

/* ---- the loop ---- */

static void accept_all(struct serve *s)
{
    struct tern_http_conn *conn;
    struct tern_tcp_info info;
    struct tern_conn *tcp;

    while (s->listener != NULL && tern_http_server_has_room(&s->server) &&
           tern_tcp_accept(s->listener, NULL, &tcp) == TERN_ERR_OK) {
        tern_tcp_info(tcp, &info);
        conn = tern_http_conn_open(&s->server, tcp, info.remote.addr);
        tern_tcp_set_user(tcp, conn);
        tern_http_conn_turn(conn);
    }
}

static void pull_events(struct serve *s)
{
    struct tern_event event;

    while (tern_stack_event(s->talk.stack, &event))
        if (event.kind == TERN_EVENT_CONN && event.user != NULL)
            tern_http_conn_turn(event.user);
        else if (event.kind == TERN_EVENT_LOAN)
            tern_http_server_back(&s->server, event.user);
        else
            (void)tern_talk_event(&s->talk, &event);
    accept_all(s);
}

static void read_clock(struct serve *s)
{
    tern_time now = tern_loop_now(s->talk.loop);

    if (now >= s->wall_until) { /* somebody may set the clock; that is no matter of each turn */
        s->wall_offset = tern_clock_wall_offset_ns();
        s->wall_until = now + 100 * TERN_MS;
    }
    tern_http_server_clock(&s->server, now, (now + s->wall_offset) / TERN_SECOND);
}

/* One turn; false: the link or the address is gone. */
static bool turn(struct serve *s, tern_time until)
{
    tern_time deadline = tern_http_server_deadline(&s->server);
    enum tern_err err = tern_talk_run(&s->talk, deadline < until ? deadline : until);

    read_clock(s);
    if (err != TERN_ERR_OK) {
        s->failed = true;
        return false;
    }
    pull_events(s);
    tern_http_server_expire(&s->server);
    tern_serve_log_flush(&s->log);
    return true;
}

/* After the first ^C: transfers may end. */
static void finish(struct serve *s)
{
    tern_time until = tern_loop_now(s->talk.loop) + s->options->grace;

    tern_tcp_unlisten(s->listener);
    s->listener = NULL;
    tern_http_server_end(&s->server);
    while (tern_http_server_busy(&s->server) > 0 && tern_talk_interrupts() < 2 &&
           tern_loop_now(s->talk.loop) < until)
        if (!turn(s, until))
            return;
    if (tern_http_server_busy(&s->server) > 0)
        tern_complain("serve: %u transfers were cut off", tern_http_server_busy(&s->server));
    tern_http_server_end(&s->server); /* those that waited for the client's FIN */
    until -= tern_loop_now(s->talk.loop);
    s->linger = until > LINGER ? until : LINGER;
}

/* How long the stack waits for the FIN of those that were closed: whoever never sends it holds one
 * of its places meanwhile. No shorter than the wait after ^C, which some need to read what came. */
static tern_time farewell(tern_time grace)
{
    if (grace < LINGER)
        return LINGER;
    return grace < FAREWELL_MAX ? grace : FAREWELL_MAX;
}

static enum tern_err listen_there(struct serve *s)
{
    struct tern_tcp_settings settings;
    struct tern_tcp_options options = {
        .local = {.addr = s->talk.address.addr, .port = s->options->port}, .settings = &settings};

    tern_tcp_settings_defaults(&settings);
    settings.nodelay = true;
    settings.receive_buffer_bytes = RECEIVE_BYTES;
    settings.notsent_lowat_bytes = NOTSENT_BYTES;
    settings.fin_wait_2 = farewell(s->options->grace);
    return tern_tcp_listen(s->talk.stack, &options, BACKLOG, &s->listener);
}

/* Nobody outside can call in by these links. */
static bool is_out_of_reach(const struct tern_talk_options *talk)
{
    if (talk->interface != NULL)
        return false;
    return talk->link == NULL || strcmp(talk->link, "slirp") == 0 || strcmp(talk->link, "lab") == 0;
}

static void say_ready(const struct serve *s)
{
    char own[TERN_ADDR_TEXT_MAX];
    bool usual = s->options->port == 80;

    tern_addr_text(s->talk.address.addr, own);
    if (usual)
        tern_say("tern serve: %s at http://%s/ · ^C ends it", s->options->directory, own);
    else
        tern_say("tern serve: %s at http://%s:%u/ · ^C ends it", s->options->directory, own,
                 s->options->port);
    if (is_out_of_reach(&s->options->talk))
        tern_complain("serve: nobody can reach an address behind %s; give --interface, or "
                      "--link tap:NAME",
                      s->options->talk.link != NULL ? s->options->talk.link : "slirp");
}

static int serve_on(struct serve *s)
{
    enum tern_err err = listen_there(s);

    if (err != TERN_ERR_OK) {
        tern_complain("serve: cannot listen on port %u: %s", s->options->port, tern_err_text(err));
        return EXIT_FAILED;
    }
    say_ready(s);
    while (!tern_talk_interrupted() && turn(s, TERN_TIME_NEVER))
        continue;
    if (!s->failed)
        finish(s);
    return s->failed ? EXIT_FAILED : 0;
}

/* ---- start and end ---- */

static int open_site(const struct tern_serve_options *o, struct tern_http_site *site)
{
    uint64_t random = 0;
    int root = tern_http_root_open(o->directory);

    if (root < 0) {
        tern_complain("serve: cannot serve %s: %s", o->directory,
                      errno == ENOSYS ? "this needs openat2(), Linux 5.6" : strerror(errno));
        return EXIT_FAILED;
    }
    if (getrandom(&random, sizeof random, 0) != sizeof random) {
        tern_complain("serve: no randomness: %s", strerror(errno));
        (void)close(root);
        return EXIT_FAILED;
    }
    tern_http_site_init(site, root, random);
    site->listing = !o->no_listing;
    site->dotfiles = o->dotfiles;
    return 0;
}

static void close_all(struct serve *s)
{
    int root = s->server.site.root;

    tern_http_server_fini(&s->server);
    (void)close(root);
    tern_serve_log_close(&s->log);
}

static int open_all(struct serve *s)
{
    const struct tern_serve_options *o = s->options;
    struct tern_http_site site;
    int code = open_site(o, &site);

    if (code != 0)
        return code;
    if (!tern_http_server_init(&s->server, &site, &o->limits, &io)) {
        tern_complain("serve: out of memory for %llu connections",
                      (unsigned long long)o->limits.connections);
        tern_http_site_fini(&site);
        (void)close(site.root);
        return EXIT_FAILED;
    }
    if (!tern_serve_log_open(&s->log, o->log)) {
        tern_complain("serve: cannot write %s: %s", o->log, strerror(errno));
        close_all(s);
        return EXIT_FAILED;
    }
    s->server.log = o->quiet ? NULL : tern_serve_log_line;
    s->server.log_user = &s->log;
    return 0;
}

static int run(struct serve *s)
{
    int code = open_all(s), closed;

    if (code != 0)
        return code;
    code = tern_talk_open(&s->talk, &s->options->talk);
    if (code == 0) {
        read_clock(s);
        code = serve_on(s);
    } else if (code != EXIT_USAGE && code != EXIT_INTERRUPTED) {
        code = EXIT_FAILED;
    }
    if (s->talk.loop != NULL) {
        tern_http_server_close(&s->server);
        closed = tern_talk_close(&s->talk, s->linger); /* it still sends what was lent */
        code = code == 0 && closed != 0 ? EXIT_FAILED : code;
    }
    close_all(s);
    return code;
}

int tern_verb_serve(int argc, char **argv)
{
    struct tern_serve_options options;
    int code = tern_serve_parse(argc, argv, &options);
    struct serve *s;

    if (code != 0)
        return code - 1;
    s = calloc(1, sizeof *s);
    if (s == NULL)
        return EXIT_FAILED;
    s->options = &options;
    code = run(s);
    free(s);
    return code;
}
