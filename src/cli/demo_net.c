/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A net joins a world: a link (dressed with impairment, capture, and the recorder that feeds the
 * model), a loop and a stack on it, and an own address that was claimed. In memory the server's
 * loop is turned together with ours.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "cli/demo.h"
#include "cli/say.h"
#include "cli/talk.h"
#include "os/clock.h"
#include "os/entropy.h"

#define TRACES_COUNT   4096
#define CLAIM_PATIENCE (5 * TERN_SECOND)
#define MEM_ROUNDS     32
#define MEM_HOLD       256
#define MARKS_MAX      20000 /* of the page's charts */

static void on_record(void *user, const struct tern_record *record)
{
    struct demo_net *net = user;

    if (net->tap != NULL)
        net->tap(net->tap_user, record);
    else
        tern_model_frame(net->model, record);
}

static enum tern_err lab_link(struct demo_net *net, const struct demo_net_options *options,
                              uint64_t seed, struct tern_link **out, char *why)
{
    struct tern_link_packet_options packet = {
        .mac_choice = options->kernel_address ? TERN_MAC_HOST : TERN_MAC_OWN,
        .seed = seed,
        .address = net->address,
        .socket_fd = -1,
        .allow_kernel_address = options->kernel_address,
    };

    return tern_link_lab_open(net->world->lab, &packet, out, why);
}

static enum tern_err mem_link(struct demo_net *net, uint64_t seed, struct tern_link **out)
{
    struct tern_link_mem_options mem = {
        .mtu_bytes = 1500,
        .hold_frames = MEM_HOLD,
        .mac = {{{0x02, 0x54, 0x45, 0x52, 0x4e, 0x01}}, {{0x02, 0x54, 0x45, 0x52, 0x4e, 0x02}}},
    };
    struct tern_cidr server = {DEMO_SERVER_ADDRESS, 24};
    struct tern_link *ends[2];
    enum tern_err err = tern_link_mem_open(&mem, ends);

    if (err != TERN_ERR_OK)
        return err;
    err = demo_server_open(&net->server, ends[1], &server, seed);
    if (err != TERN_ERR_OK)
        ends[0]->ops->close(ends[0]);
    else
        *out = ends[0];
    return err;
}

static void capture_failed(const struct demo_net *net, const char *what, const char *why)
{
    tern_say("tern: %s: %s", what, why);
    if (net->world->options->pcap_asked)
        net->world->options->files->failed = true;
}

/* A capture that cannot be written is said, and the story goes on without; whether there could be
 * one that was asked for has been tried before (demo_files_make). */
static void capture_on(struct demo_net *net, struct tern_link **link)
{
    const char *path = net->world->options->pcap;
    char why[TERN_LINK_ERROR_MAX] = "";

    if (tern_link_capture_open(*link, path, tern_clock_wall_offset_ns(), link, why) == TERN_ERR_OK)
        net->capture = *link;
    else
        capture_failed(net, "no capture", why[0] != '\0' ? why : strerror(errno));
}

static enum tern_err dress(struct demo_net *net, const struct demo_net_options *options,
                           uint64_t seed, struct tern_link **link, char *why)
{
    enum tern_err err = TERN_ERR_OK;

    if (options->impair != NULL)
        err = tern_link_impair_open(*link, options->impair, seed, link, why);
    if (err == TERN_ERR_OK && options->capture && net->world->options->pcap != NULL)
        capture_on(net, link);
    if (err == TERN_ERR_OK)
        err = tern_link_record_open(*link, on_record, net, link);
    return err;
}

static void observe(void *user, const struct tern_note *note)
{
    tern_link_capture_note(user, note);
}

static enum tern_err stack_on(struct demo_net *net, struct tern_link *link, uint64_t seed)
{
    struct tern_config config;

    tern_config_defaults(&config);
    memcpy(config.seed, &seed, sizeof seed);
    config.seed[TERN_SEED_BYTES - 1] = 1;
    config.traces_count = TRACES_COUNT;
    if (net->capture != NULL) {
        config.observer = observe;
        config.observer_user = net->capture;
    }
    enum tern_err err = tern_loop_create(link, &config, &net->loop);

    if (err != TERN_ERR_OK)
        return err;
    net->stack = tern_loop_stack(net->loop);
    net->started = tern_loop_now(net->loop);
    tern_talk_signals(net->loop);
    return TERN_ERR_OK;
}

static enum tern_err link_open(struct demo_net *net, const struct demo_net_options *options,
                               char *why)
{
    struct tern_link *link = NULL;
    uint64_t seed = net->world->options->seed;
    enum tern_err err;

    if (!net->world->options->seeded) {
        err = tern_entropy(&seed, sizeof seed);
        if (err != TERN_ERR_OK)
            return err;
    }
    if (net->world->is_mem)
        err = mem_link(net, seed, &link);
    else
        err = lab_link(net, options, seed, &link, why);
    if (err != TERN_ERR_OK)
        return err;
    err = dress(net, options, seed, &link, why);
    if (err == TERN_ERR_OK)
        err = stack_on(net, link, seed);
    if (err != TERN_ERR_OK)
        link->ops->close(link);
    return err;
}

static enum tern_err claim(struct demo_net *net, const struct demo_net_options *options)
{
    struct tern_cidr own = {net->address, 24};
    enum tern_err err = tern_stack_address_add(
        net->stack, &own, options->kernel_address ? TERN_CLAIM_NONE : TERN_CLAIM_FAST);
    tern_time give_up = net->started + CLAIM_PATIENCE;
    struct tern_event event;

    while (err == TERN_ERR_OK && !net->claimed) {
        if (!demo_net_turn(net, give_up) || tern_loop_now(net->loop) >= give_up)
            return TERN_ERR_TIMEOUT;
        while (tern_stack_event(net->stack, &event)) {
            if (event.kind != TERN_EVENT_ADDRESS)
                continue;
            net->claimed = (event.bits & TERN_ADDRESS_CLAIMED) != 0;
            if ((event.bits & TERN_ADDRESS_CONFLICT) != 0)
                err = TERN_ERR_ADDRESS_IN_USE;
        }
    }
    return err;
}

int demo_net_open(struct demo_net *net, struct demo_world *w,
                  const struct demo_net_options *options)
{
    const struct tern_model_options model = {
        .marks_max = demo_draw_is_page(w->options->draw) ? MARKS_MAX : 0};
    char why[TERN_LINK_ERROR_MAX] = "";
    enum tern_err err = TERN_ERR_MEMORY;

    memset(net, 0, sizeof *net);
    net->world = w;
    net->tap = options->tap;
    net->tap_user = options->tap_user;
    net->address = options->kernel_address ? DEMO_KERNEL_ADDRESS : DEMO_OWN_ADDRESS;
    net->model = tern_model_create(&model);
    if (net->model != NULL)
        err = link_open(net, options, why);
    if (err == TERN_ERR_OK)
        err = claim(net, options);
    if (err == TERN_ERR_OK)
        return 0;
    demo_net_close(net);
    if (tern_talk_interrupted()) {
        tern_complain("demo: interrupted");
        return DEMO_EXIT_INTERRUPTED;
    }
    tern_complain("demo: %s", why[0] != '\0' ? why : tern_err_text(err));
    return DEMO_EXIT_INTERFACE;
}

void demo_net_close(struct demo_net *net)
{
    int why = net->capture != NULL ? tern_link_capture_error(net->capture) : 0;

    if (why != 0)
        capture_failed(net, "the capture is not whole", strerror(why));
    tern_talk_signals(NULL);
    if (net->loop != NULL)
        tern_loop_destroy(net->loop);
    demo_server_close(&net->server);
    tern_model_destroy(net->model);
    net->loop = NULL;
    net->model = NULL;
}

/* How long both loops may sleep, at most until `until`: milliseconds. */
static int mem_sleep(const struct demo_net *net, tern_time until)
{
    int ours = tern_timeout(net->loop), theirs = tern_timeout(net->server.loop);
    tern_time left = until - tern_clock_now();
    int ms = ours >= 0 && (theirs < 0 || ours < theirs) ? ours : theirs;

    if (ms < 0 || ms > 10)
        ms = 10;
    return left < ms * TERN_MS ? (left > 0 ? 1 : 0) : ms;
}

static uint64_t frames_moved(const struct demo_net *net)
{
    struct tern_stack_counters c;

    tern_stack_counters(net->stack, &c);
    return c.frames_in + c.frames_out;
}

/* Both loops, in turn, as long as frames move; sleep only where none did. */
static enum tern_err mem_turn(struct demo_net *net, tern_time until)
{
    struct pollfd none = {.fd = -1};
    uint64_t before = frames_moved(net);
    enum tern_err err = TERN_ERR_OK;

    for (int i = 0; i < MEM_ROUNDS && err == TERN_ERR_OK; i++) {
        uint64_t moved = frames_moved(net);

        err = tern_process(net->loop);
        demo_server_turn(&net->server);
        if (i > 0 && moved == frames_moved(net))
            break;
    }
    if (err == TERN_ERR_OK && before == frames_moved(net))
        (void)poll(&none, 1, mem_sleep(net, until));
    return err;
}

bool demo_net_turn(struct demo_net *net, tern_time until)
{
    struct tern_trace trace;
    enum tern_err err = net->world->is_mem ? mem_turn(net, until) : tern_loop_run(net->loop, until);

    while (tern_stack_trace(net->stack, &trace))
        tern_model_trace(net->model, &trace);
    if (err != TERN_ERR_OK && !net->lost) {
        net->lost = true;
        tern_complain("demo: %s", tern_err_text(err));
    }
    return !net->lost && !tern_talk_interrupted();
}

void demo_counters(const struct demo_net *net, struct demo_counters *out)
{
    struct tern_lab *lab = net->world->lab;
    struct tern_stack_counters own, other;

    *out = (struct demo_counters){-1, -1, -1, -1, -1};
    tern_stack_counters(net->stack, &own);
    out->resent_by_us = (int64_t)own.tcp_retransmits;
    if (net->world->is_mem) {
        tern_stack_counters(tern_loop_stack(net->server.loop), &other);
        out->resent_by_them = (int64_t)other.tcp_retransmits;
        return;
    }
    out->resent_by_them = tern_lab_counter(lab, TERN_LAB_SERVER, "TcpRetransSegs");
    out->probes_by_them = tern_lab_counter(lab, TERN_LAB_SERVER, "TcpExtTCPLossProbes");
    out->timeouts_by_them = tern_lab_counter(lab, TERN_LAB_SERVER, "TcpExtTCPTimeouts");
    out->kernel_resets = tern_lab_counter(lab, TERN_LAB_CLIENT, "TcpOutRsts");
}

static int64_t since(int64_t before, int64_t after)
{
    return before < 0 || after < 0 ? -1 : after - before;
}

struct demo_counters demo_counters_since(const struct demo_counters *before,
                                         const struct demo_counters *after)
{
    return (struct demo_counters){
        .resent_by_them = since(before->resent_by_them, after->resent_by_them),
        .resent_by_us = since(before->resent_by_us, after->resent_by_us),
        .kernel_resets = since(before->kernel_resets, after->kernel_resets),
        .probes_by_them = since(before->probes_by_them, after->probes_by_them),
        .timeouts_by_them = since(before->timeouts_by_them, after->timeouts_by_them),
    };
}
