/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every verb that talks does first and last. Open: understand the flags (talk_plan.c), open
 * the link (talk_link.c), lay out a stack on it, claim the address and wait for the answer. Close:
 * let the connections finish on the wire, reset what will not, write the figures, and give
 * everything back. Between the two a verb calls tern_talk_run() and pulls the stack's events.
 *
 * Nothing is sent for an address before it was probed, and nothing stays after close: the link
 * takes the filter and the ring with it, the lab its namespaces.
 */
#include "cli/talk.h"

#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "cli/say.h"
#include "cli/talk_parts.h"
#include "cli/talk_picture.h"
#include "os/clock.h"

#define EXIT_WRITE       23
#define EXIT_INTERFACE   45
#define EXIT_INTERRUPTED 130

/* Enough for the samples of one busy turn. */
#define TRACES_COUNT 4096

#define CLAIM_PATIENCE (15 * TERN_SECOND) /* RFC 5227's own claim takes at most 7 s */
#define FLUSH_TURNS    8
#define CLOSE_TURN     (20 * TERN_MS)

static void make_config(struct tern_talk *talk, const struct tern_talk_plan *plan,
                        struct tern_config *config)
{
    int i;

    tern_config_defaults(config);
    if (plan->seeded) {
        for (i = 0; i < 8; i++)
            config->seed[i] = (uint8_t)(plan->seed >> (8 * i));
        config->seed[TERN_SEED_BYTES - 1] = 1; /* all zero would mean: draw one */
    }
    if (talk->options.connections_max > 0)
        config->connections_max = talk->options.connections_max;
    config->traces_count = talk->options.traces_count;
    if ((talk->options.verbose || talk->options.stats != NULL || talk->picture != NULL) &&
        config->traces_count < TRACES_COUNT)
        config->traces_count = TRACES_COUNT;
    tern_talk_observe(talk, config);
}

/* Returns what the picture's end is worth: 0, or 23. */
static int close_all(struct tern_talk *talk)
{
    int code;

    tern_talk_signals(NULL);
    if (talk->loop != NULL)
        tern_loop_destroy(talk->loop); /* its last words go through the picture's recorder */
    code = talk_picture_finish(talk->picture);
    tern_talk_sqlog_free(talk);
    if (talk->lab != NULL)
        tern_lab_close(talk->lab);
    if (talk->closed_json != NULL)
        json_decref(talk->closed_json);
    if (talk->address_lock >= 0)
        (void)close(talk->address_lock);
    memset(talk, 0, sizeof *talk);
    talk->address_lock = -1;
    return code;
}

static int make_loop(struct tern_talk *talk, const struct tern_talk_plan *plan)
{
    struct tern_link *link = NULL;
    struct tern_config config;
    enum tern_err err;
    int code = tern_talk_link_open(talk, plan, &link);

    if (code != 0)
        return code;
    code = tern_talk_sqlog_open(talk);
    if (code != 0) {
        link->ops->close(link);
        return code;
    }
    make_config(talk, plan, &config);
    err = tern_loop_create(link, &config, &talk->loop);
    if (err != TERN_ERR_OK) {
        tern_complain("cannot start the stack on %s: %s", talk->link_text, tern_err_text(err));
        link->ops->close(link);
        return EXIT_INTERFACE;
    }
    talk->stack = tern_loop_stack(talk->loop);
    talk->mac = link->info.mac;
    return 0;
}

static void say_link(const struct tern_talk *talk)
{
    char mac[TERN_MAC_TEXT_MAX], own[TERN_ADDR_TEXT_MAX], hop[TERN_ADDR_TEXT_MAX];
    bool routed = !tern_addr_is_any(talk->gateway);

    tern_say("* link %s · mac %s · %s/%u%s%s", talk->link_text, tern_mac_text(talk->mac, mac),
             tern_addr_text(talk->address.addr, own), talk->address.prefix_bits,
             routed ? " · gateway " : "", routed ? tern_addr_text(talk->gateway, hop) : "");
}

static int wait_claimed(struct tern_talk *talk)
{
    tern_time give_up = tern_loop_now(talk->loop) + CLAIM_PATIENCE;
    struct tern_event event;

    while (!talk->address_claimed) {
        if (tern_talk_interrupted()) /* before the turn: one may have come before the loop was */
            return EXIT_INTERRUPTED;
        if (tern_talk_run(talk, give_up) != TERN_ERR_OK)
            return EXIT_INTERFACE;
        while (tern_stack_event(talk->stack, &event))
            (void)tern_talk_event(talk, &event);
        if (talk->address_lost)
            return EXIT_INTERFACE;
        if (tern_loop_now(talk->loop) >= give_up && !talk->address_claimed) {
            tern_complain("the address could not be claimed on %s: nothing moves there",
                          talk->link_text);
            return EXIT_INTERFACE;
        }
    }
    return 0;
}

static int claim(struct tern_talk *talk, const struct tern_talk_plan *plan)
{
    enum tern_err err = tern_stack_address_add(talk->stack, &plan->address, plan->claim);

    if (err != TERN_ERR_OK) {
        tern_complain("cannot use the address: %s", tern_err_text(err));
        return EXIT_INTERFACE;
    }
    if (!tern_addr_is_any(plan->gateway))
        tern_stack_gateway_set(talk->stack, plan->gateway);
    return wait_claimed(talk);
}

int tern_talk_open(struct tern_talk *talk, const struct tern_talk_options *options)
{
    char why[TERN_LINK_ERROR_MAX];
    struct tern_talk_plan plan;
    int code;

    memset(talk, 0, sizeof *talk);
    talk->options = *options;
    talk->address_lock = -1;
    talk->wall_offset_ns = tern_clock_wall_offset_ns();
    code = tern_talk_plan(options, &plan, why);
    if (code == 0)
        code = talk_picture_open(options, &plan, &talk->picture, why);
    if (code != 0) {
        tern_complain("%s", why);
        return code;
    }
    if (options->secrets && options->keys == NULL)
        tern_say("* --secrets: this verb speaks no TLS of its own, so that there are no keys");
    talk->address = plan.address;
    talk->gateway = plan.gateway;
    talk->dns = plan.dns;
    talk->dns_port = plan.dns_port;
    talk->seed_given = plan.seeded ? (int64_t)(plan.seed & INT64_MAX) : -1;
    if (options->stats != NULL)
        talk->closed_json = json_array();
    tern_talk_signals_hear(); /* from here on there is something to bring to a good end */
    code = tern_talk_lock(talk, &plan);
    if (code == 0)
        code = make_loop(talk, &plan);
    if (code == 0) {
        tern_talk_signals(talk->loop);
        code = claim(talk, &plan);
    }
    if (code == EXIT_INTERRUPTED)
        (void)tern_talk_close(talk, 0); /* with --stats and --pcap, like any other end */
    else if (code != 0)
        (void)close_all(talk); /* with a picture of how far it came */
    else if (options->verbose)
        say_link(talk);
    return code;
}

enum tern_err tern_talk_run(struct tern_talk *talk, tern_time until)
{
    enum tern_err err = tern_loop_run(talk->loop, until);

    tern_talk_traces(talk);
    tern_talk_sqlog_turn(talk);
    if (err != TERN_ERR_OK && !talk->link_lost) {
        talk->link_lost = true;
        tern_complain("the link %s went away", talk->link_text);
    }
    if (err == TERN_ERR_OK && talk->address_lost)
        err = TERN_ERR_ADDRESS_IN_USE;
    return err;
}

bool tern_talk_event(struct tern_talk *talk, const struct tern_event *event)
{
    char own[TERN_ADDR_TEXT_MAX], mac[TERN_MAC_TEXT_MAX];

    if (event->kind != TERN_EVENT_ADDRESS)
        return false;
    if ((event->bits & TERN_ADDRESS_CLAIMED) != 0)
        talk->address_claimed = true;
    if ((event->bits & TERN_ADDRESS_CONFLICT) != 0 && !talk->address_lost) {
        talk->address_lost = true;
        tern_complain("%s is in use by %s: give an address that nobody uses",
                      tern_addr_text(talk->address.addr, own), tern_mac_text(event->mac, mac));
    }
    return true;
}

/* Turns of the loop until all connections are told, the time is over, or the user insists. */
static void let_finish(struct tern_talk *talk, tern_time linger)
{
    tern_time give_up = tern_loop_now(talk->loop) + linger;
    struct tern_event event;

    while (tern_stack_connections_unfinished(talk->stack) > 0 && !talk->link_lost &&
           tern_talk_interrupts() < 2 && tern_loop_now(talk->loop) < give_up) {
        (void)tern_talk_run(talk, tern_loop_now(talk->loop) + CLOSE_TURN);
        while (tern_stack_event(talk->stack, &event))
            continue;
    }
}

/* What is queued leaves: the last ACK, the last reset. */
static void flush(struct tern_talk *talk)
{
    int turn;

    for (turn = 0; turn < FLUSH_TURNS && !talk->link_lost; turn++)
        if (tern_process(talk->loop) != TERN_ERR_OK)
            talk->link_lost = true;
}

int tern_talk_close(struct tern_talk *talk, tern_time linger)
{
    int code = 0;
    int why;

    let_finish(talk, linger);
    if (tern_stack_connections_unfinished(talk->stack) > 0)
        tern_stack_abort_all(talk->stack);
    flush(talk);
    tern_talk_traces(talk);
    tern_talk_sqlog_turn(talk);
    if (talk->options.stats != NULL)
        code = tern_talk_stats_write(talk);
    if (tern_talk_sqlog_close(talk) != 0)
        code = EXIT_WRITE;
    why = talk->capture == NULL ? 0 : tern_link_capture_error(talk->capture);
    if (why != 0) {
        tern_complain("the capture %s is not whole: %s", talk->options.pcap, strerror(why));
        code = EXIT_WRITE;
    }
    why = close_all(talk);
    return code != 0 ? code : why;
}
