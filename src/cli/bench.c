/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern bench: the workloads of src/apps/bench*.c over a stack of tern's or, with --link kernel,
 * over kernel sockets. Exit code 0, 1 for a run that failed, 2 for usage, 130 after ^C (what was
 * measured until then is printed all the same).
 */
#include <stdlib.h>
#include <string.h>

#include "cli/bench_report.h"
#include "cli/say.h"
#include "cli/verbs.h"

#define EXIT_FAILED      1
#define EXIT_USAGE       2
#define EXIT_INTERRUPTED 130

#define LINGER       (2 * TERN_SECOND)
#define LINGER_SHORT (250 * TERN_MS)

static enum tern_err turn(void *user, tern_time until)
{
    return tern_talk_run(user, until);
}

static bool hear(void *user, const struct tern_event *event)
{
    return tern_talk_event(user, event);
}

static int run_peer(const struct tern_bench_options *o, struct tern_bench_wire *wire)
{
    struct tern_bench_peer *peer = NULL;
    uint16_t port = o->port;
    enum tern_err err = tern_bench_peer_open(wire, &port, &peer);

    if (err == TERN_ERR_OK)
        tern_say("bench: listening on port %u", port);
    while (err == TERN_ERR_OK && !tern_talk_interrupted() &&
           !(o->once && tern_bench_peer_is_done(peer)))
        err = tern_bench_peer_turn(peer, TERN_TIME_NEVER);
    tern_bench_peer_close(peer);
    if (err == TERN_ERR_OK)
        return 0;
    tern_complain("bench: peer on port %u: %s", o->port, tern_err_text(err));
    return EXIT_FAILED;
}

static void complain(const struct tern_bench_options *o, const struct tern_bench_result *r)
{
    char peer[TERN_ENDPOINT_TEXT_MAX];

    tern_endpoint_text(&o->plan.peer, peer);
    if (!r->connected)
        tern_complain("bench: cannot connect to %s: %s. Is 'tern bench peer' there?", peer,
                      tern_err_text(r->err));
    else
        tern_complain("bench: %s: %s", peer,
                      r->err == TERN_ERR_CLOSED ? "the peer closed too early"
                                                : tern_err_text(r->err));
}

static int run_client(struct tern_bench_options *o, struct tern_bench_wire *wire, const char *link)
{
    struct tern_bench_result *result = malloc(sizeof *result);
    int code = EXIT_FAILED;

    if (result == NULL) {
        tern_complain("bench: out of memory");
        return code;
    }
    o->plan.stop = tern_talk_interrupted;
    o->plan.peer.port = o->port;
    if (tern_bench_run(wire, &o->plan, result) != TERN_ERR_OK)
        complain(o, result);
    else
        code = tern_bench_report(o, link, result);
    if (result->stopped)
        code = EXIT_INTERRUPTED;
    free(result);
    return code;
}

static int run(struct tern_bench_options *o, struct tern_bench_wire *wire, const char *link)
{
    int code = o->is_peer ? run_peer(o, wire) : run_client(o, wire, link);

    wire->ops->destroy(wire);
    return code;
}

static int no_wire(enum tern_err err)
{
    tern_complain("bench: cannot begin: %s", tern_err_text(err));
    return EXIT_FAILED;
}

static int over_kernel(struct tern_bench_options *o)
{
    struct tern_bench_wire *wire;
    enum tern_err err;

    if (!o->is_peer && tern_addr_parse(o->host, &o->plan.peer.addr) != TERN_ERR_OK) {
        tern_complain("bench: %s: with --link kernel HOST is an address", o->host);
        return EXIT_USAGE;
    }
    tern_talk_signals_hear();
    err = tern_bench_kernel_create(&o->wire, &wire);
    return err != TERN_ERR_OK ? no_wire(err) : run(o, wire, "kernel");
}

/* The lab's server: a peer over the real kernel's sockets, until it is killed. */
static void lab_peer(void *user, void (*ready)(void))
{
    const struct tern_bench_options *o = user;
    struct tern_bench_peer *peer = NULL;
    struct tern_bench_wire *wire;
    uint16_t port = o->port;

    if (tern_bench_kernel_create(&o->wire, &wire) != TERN_ERR_OK)
        return;
    if (tern_bench_peer_open(wire, &port, &peer) == TERN_ERR_OK)
        ready();
    while (peer != NULL && tern_bench_peer_turn(peer, TERN_TIME_NEVER) == TERN_ERR_OK)
        continue;
    tern_bench_peer_close(peer);
    wire->ops->destroy(wire);
}

static int over_tern(struct tern_bench_options *o)
{
    struct tern_talk talk;
    struct tern_bench_tern_options options = {
        .common = o->wire, .turn = turn, .hear = hear, .user = &talk};
    struct tern_bench_wire *wire;
    enum tern_err err;
    int code;

    o->talk.lab_serve = lab_peer;
    o->talk.lab_serve_user = o;
    code = tern_talk_open(&talk, &o->talk);
    if (code != 0)
        return code == EXIT_USAGE || code == EXIT_INTERRUPTED ? code : EXIT_FAILED;
    options.loop = talk.loop;
    options.address = talk.address.addr;
    if (!o->is_peer)
        code = tern_talk_resolve(&talk, o->host, &o->plan.peer.addr);
    if (code == 0) {
        err = tern_bench_tern_create(&options, &wire);
        code = err != TERN_ERR_OK ? no_wire(err) : run(o, wire, talk.link_text);
    } else if (code != EXIT_INTERRUPTED) {
        code = EXIT_FAILED;
    }
    if (tern_talk_close(&talk, tern_talk_interrupted() ? LINGER_SHORT : LINGER) != 0 && code == 0)
        code = EXIT_FAILED;
    return code;
}

int tern_verb_bench(int argc, char **argv)
{
    struct tern_bench_options options;
    int code = tern_bench_parse(argc, argv, &options);

    if (code != 0)
        return code - 1;
    return options.kernel ? over_kernel(&options) : over_tern(&options);
}
