/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The link that a plan asks for, dressed: driver, then impair, then capture, then the recorder of
 * the picture. So the capture and the picture see what tern saw and sent: after the impairment on
 * the way in, before it on the way out.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/labserver.h"
#include "cli/say.h"
#include "cli/talk_parts.h"
#include "cli/talk_picture.h"
#include "os/entropy.h"

#define EXIT_USAGE     2
#define EXIT_WRITE     23
#define EXIT_INTERFACE 45

#define LAB_INITCWND 10

/* FNV-1a: names an own MAC after interface and address, so that a host keeps its MAC from run to
 * run and no neighbour's cache goes stale. */
static uint64_t fold(uint64_t hash, const void *data, size_t bytes)
{
    const uint8_t *p = data;
    size_t i;

    for (i = 0; i < bytes; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t mac_seed(const struct tern_talk_plan *plan, const char *interface)
{
    uint64_t hash = fold(UINT64_C(0xcbf29ce484222325), interface, strlen(interface));

    return fold(hash, plan->address.addr.b, sizeof plan->address.addr.b);
}

static int open_lan(struct tern_talk *talk, const struct tern_talk_plan *plan,
                    struct tern_link **out, char *why)
{
    struct tern_link_packet_options options = {
        .interface = plan->interface,
        .mac_choice = plan->mac_choice,
        .mac = plan->mac,
        .seed = mac_seed(plan, plan->interface),
        .address = plan->address.addr,
        .socket_fd = -1,
    };
    enum tern_err err;

    (void)snprintf(talk->link_text, sizeof talk->link_text, "lan:%.60s", plan->interface);
    err = tern_link_packet_open(&options, out, why);
    if (err == TERN_ERR_PERMISSION) {
        size_t length = strlen(why);

        (void)snprintf(why + length, TERN_LINK_ERROR_MAX - length,
                       ". Try it with sudo, or without --interface: 'tern get URL' and 'tern demo' "
                       "need no root");
    }
    return err == TERN_ERR_OK ? 0 : EXIT_INTERFACE;
}

static int open_tap(struct tern_talk *talk, const struct tern_talk_plan *plan,
                    struct tern_link **out, char *why)
{
    struct tern_link_tap_options options = {
        .name = plan->interface,
        .fd = -1,
        .mac_choice = plan->mac_choice,
        .mac = plan->mac,
        .seed = mac_seed(plan, plan->interface),
        .no_offloads = talk->options.no_offload,
    };

    (void)snprintf(talk->link_text, sizeof talk->link_text, "tap:%.60s", plan->interface);
    return tern_link_tap_open(&options, out, why) == TERN_ERR_OK ? 0 : EXIT_INTERFACE;
}

static int open_slirp(struct tern_talk *talk, const struct tern_talk_plan *plan,
                      struct tern_link **out, char *why)
{
    struct tern_link_slirp_options options = {
        .mac = {{0x02, 0x54, 0x45, 0x52, 0x4e, 0x01}},
    };

    if (plan->mac_choice == TERN_MAC_GIVEN)
        options.mac = plan->mac;
    (void)snprintf(talk->link_text, sizeof talk->link_text,
                   "slirp (in process; it opens the host's connections)");
    return tern_link_slirp_open(&options, out, why) == TERN_ERR_OK ? 0 : EXIT_INTERFACE;
}

static int open_lab(struct tern_talk *talk, const struct tern_talk_plan *plan,
                    struct tern_link **out, char *why)
{
    struct tern_lab_options lab = {
        .server = {tern_addr_v4(10, 9, 0, 1), 24},
        .server_initcwnd = LAB_INITCWND,
        .serve = talk->options.lab_serve != NULL ? talk->options.lab_serve : tern_labserver,
        .serve_user = talk->options.lab_serve_user,
    };
    struct tern_link_packet_options options = {
        .mac_choice = plan->mac_choice,
        .mac = plan->mac,
        .seed = mac_seed(plan, "lab"),
        .address = plan->address.addr,
        .socket_fd = -1,
    };

    (void)snprintf(talk->link_text, sizeof talk->link_text, "lab (veth in a private namespace)");
    if (tern_lab_open(&lab, &talk->lab, why) != TERN_ERR_OK)
        return EXIT_INTERFACE;
    return tern_link_lab_open(talk->lab, &options, out, why) == TERN_ERR_OK ? 0 : EXIT_INTERFACE;
}

static int open_bare(struct tern_talk *talk, const struct tern_talk_plan *plan,
                     struct tern_link **out, char *why)
{
    switch (plan->kind) {
    case TERN_TALK_LAN:
        return open_lan(talk, plan, out, why);
    case TERN_TALK_TAP:
        return open_tap(talk, plan, out, why);
    case TERN_TALK_LAB:
        return open_lab(talk, plan, out, why);
    case TERN_TALK_SLIRP:
    default:
        return open_slirp(talk, plan, out, why);
    }
}

static int impair(const struct tern_talk_options *o, const struct tern_talk_plan *plan,
                  struct tern_link **link, char *why)
{
    uint64_t seed = plan->seed;
    enum tern_err err;

    if (!plan->seeded && tern_entropy(&seed, sizeof seed) != TERN_ERR_OK) {
        (void)snprintf(why, TERN_LINK_ERROR_MAX, "the system gives no randomness: %s",
                       strerror(errno));
        return EXIT_INTERFACE;
    }
    err = tern_link_impair_open(*link, o->impair, seed, link, why);
    if (err == TERN_ERR_OK)
        return 0;
    return err == TERN_ERR_INVAL ? EXIT_USAGE : EXIT_INTERFACE;
}

/* Each wrapper takes *link over and puts itself there; on failure *link stays what it was. */
static int wrap(struct tern_talk *talk, const struct tern_talk_plan *plan, struct tern_link **link,
                char *why)
{
    const struct tern_talk_options *o = &talk->options;
    int code = o->impair == NULL ? 0 : impair(o, plan, link, why);

    if (code != 0)
        return code;
    if (o->pcap != NULL) {
        if (tern_link_capture_open_secret(*link, o->pcap, talk->wall_offset_ns,
                                          o->secrets ? o->keys : NULL, link, why) != TERN_ERR_OK)
            return EXIT_WRITE;
        talk->capture = *link;
    }
    if (talk->picture != NULL && talk_picture_wrap(talk->picture, link) != TERN_ERR_OK) {
        (void)snprintf(why, TERN_LINK_ERROR_MAX, "%s", tern_err_text(TERN_ERR_MEMORY));
        return EXIT_INTERFACE;
    }
    return 0;
}

int tern_talk_link_open(struct tern_talk *talk, const struct tern_talk_plan *plan,
                        struct tern_link **out)
{
    char why[TERN_LINK_ERROR_MAX] = "";
    struct tern_link *link = NULL;
    int code = open_bare(talk, plan, &link, why);

    if (code == 0 && talk->options.no_offload)
        link->info.offloads = 0;
    if (code == 0) {
        code = wrap(talk, plan, &link, why);
        if (code != 0)
            link->ops->close(link);
    }
    if (code != 0)
        tern_complain("%s", why);
    else
        *out = link;
    return code;
}
