/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the shared flags to a plan: which link, which address, next hop, resolver, MAC, seed and
 * way to claim. Each flag has its own small reader; what the flags leave out, the link's defaults
 * fill in; then the addresses are checked against each other. The first thing wrong ends it with
 * words that say what to give instead.
 */
#include "cli/talk_plan.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/number.h"
#include "cli/talk_files.h"
#include "report/ladder.h"

#define EXIT_USAGE     2
#define EXIT_INTERFACE 45

__attribute__((format(printf, 3, 4))) static int refuse(char *error_text, int code,
                                                        const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(error_text, TERN_LINK_ERROR_MAX, format, arguments);
    va_end(arguments);
    return code;
}

static int plan_link(const struct tern_talk_options *o, struct tern_talk_plan *plan, char *why)
{
    const char *link = o->link;

    if (link != NULL && o->interface != NULL)
        return refuse(why, EXIT_USAGE, "--link and --interface say the same thing: give one");
    if (o->interface != NULL || (link != NULL && strncmp(link, "lan:", 4) == 0)) {
        plan->kind = TERN_TALK_LAN;
        plan->interface = o->interface != NULL ? o->interface : link + 4;
        if (*plan->interface == '\0')
            return refuse(why, EXIT_USAGE, "--link lan: needs the interface's name: lan:eth0");
        if (strlen(plan->interface) >= IFNAMSIZ)
            return refuse(why, EXIT_INTERFACE,
                          "no such interface: %s (a name has at most %d characters)",
                          plan->interface, IFNAMSIZ - 1);
        return 0;
    }
    if (link != NULL && strncmp(link, "tap:", 4) == 0) {
        plan->kind = TERN_TALK_TAP;
        plan->interface = link + 4;
        if (*plan->interface == '\0')
            return refuse(why, EXIT_USAGE,
                          "--link tap: needs a name: tap:tap0, or a macvtap's path: tap:/dev/tap7");
        return 0;
    }
    if (link == NULL || strcmp(link, "slirp") == 0)
        plan->kind = TERN_TALK_SLIRP;
    else if (strcmp(link, "lab") == 0)
        plan->kind = TERN_TALK_LAB;
    else
        return refuse(
            why, EXIT_USAGE,
            "no link '%s': this version has lan:IF, tap:NAME, slirp and lab (xdp and unix "
            "are still to come)",
            link);
    return 0;
}

static void plan_defaults(struct tern_talk_plan *plan)
{
    plan->dns_port = 53;
    plan->claim = TERN_CLAIM_FAST;
    if (plan->kind == TERN_TALK_SLIRP) {
        plan->address = (struct tern_cidr){tern_addr_v4(10, 0, 2, 15), 24};
        plan->gateway = tern_addr_v4(10, 0, 2, 2);
        plan->dns = tern_addr_v4(10, 0, 2, 3);
        plan->claim = TERN_CLAIM_NONE;
    } else if (plan->kind == TERN_TALK_LAB) {
        plan->address = (struct tern_cidr){tern_addr_v4(10, 9, 0, 77), 24};
    }
}

static int plan_address(const struct tern_talk_options *o, struct tern_talk_plan *plan, char *why)
{
    const char *text = o->address;

    if (text == NULL && (plan->kind == TERN_TALK_LAN || plan->kind == TERN_TALK_TAP))
        return refuse(why, EXIT_USAGE,
                      "%s:%s needs an address of tern's own: add --address A/LEN, one of that "
                      "network that nobody uses, such as --address 192.168.1.77/24",
                      plan->kind == TERN_TALK_LAN ? "lan" : "tap", plan->interface);
    if (o->address_again)
        return refuse(why, EXIT_USAGE, "--address was given twice: this version has one address");
    if (text == NULL)
        return 0;
    if (strcmp(text, "dhcp") == 0 || strcmp(text, "auto") == 0)
        return refuse(why, EXIT_USAGE,
                      "--address %s: this version does not ask for an address by itself yet; give "
                      "one: --address A/LEN",
                      text);
    if (tern_cidr_parse(text, &plan->address) != TERN_ERR_OK)
        return refuse(why, EXIT_USAGE, "--address %s: not an address; write it as 192.168.1.77/24",
                      text);
    if (!tern_addr_is_v4(plan->address.addr))
        return refuse(why, EXIT_USAGE, "--address %s: this version speaks IPv4 only", text);
    if (strchr(text, '/') == NULL)
        return refuse(why, EXIT_USAGE, "--address %s: the prefix length is missing, such as %s/24",
                      text, text);
    return 0;
}

/* A[:PORT]; the port only where port is not NULL. */
static bool read_hop(const char *text, struct tern_addr *out, uint16_t *port)
{
    char host[TERN_ADDR_TEXT_MAX];
    const char *colon = port == NULL ? NULL : strchr(text, ':');
    size_t length = colon == NULL ? strlen(text) : (size_t)(colon - text);
    char *end = NULL;
    unsigned long number;

    if (length >= sizeof host)
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    if (tern_addr_parse(host, out) != TERN_ERR_OK || !tern_addr_is_v4(*out))
        return false;
    if (colon == NULL)
        return true;
    number = strtoul(colon + 1, &end, 10);
    if (end == colon + 1 || *end != '\0' || number == 0 || number > 65535)
        return false;
    *port = (uint16_t)number;
    return true;
}

static int plan_hops(const struct tern_talk_options *o, struct tern_talk_plan *plan, char *why)
{
    if (o->gateway != NULL && !read_hop(o->gateway, &plan->gateway, NULL))
        return refuse(why, EXIT_USAGE, "--gateway %s: not an IPv4 address", o->gateway);
    if (o->dns != NULL && !read_hop(o->dns, &plan->dns, &plan->dns_port))
        return refuse(why, EXIT_USAGE, "--dns %s: not an IPv4 address (or ADDRESS:PORT)", o->dns);
    return 0;
}

static int plan_mac(const struct tern_talk_options *o, struct tern_talk_plan *plan, char *why)
{
    static const struct tern_mac nobody = {{0}};
    const char *text = o->mac;

    plan->mac_choice = TERN_MAC_OWN;
    if (text == NULL || strcmp(text, "own") == 0)
        return 0;
    if (strcmp(text, "host") == 0) {
        if (plan->kind != TERN_TALK_LAN)
            return refuse(why, EXIT_USAGE, "--mac host needs an interface: add --interface IF");
        plan->mac_choice = TERN_MAC_HOST;
        return 0;
    }
    if (tern_mac_parse(text, &plan->mac) != TERN_ERR_OK)
        return refuse(why, EXIT_USAGE, "--mac %s: give own, host, or xx:xx:xx:xx:xx:xx", text);
    if (tern_mac_is_group(plan->mac))
        return refuse(why, EXIT_USAGE, "--mac %s: a group address cannot be a host's own", text);
    if (memcmp(&plan->mac, &nobody, sizeof nobody) == 0)
        return refuse(why, EXIT_USAGE, "--mac %s: no host has the address of zeros", text);
    plan->mac_choice = TERN_MAC_GIVEN;
    return 0;
}

static int plan_seed(const struct tern_talk_options *o, struct tern_talk_plan *plan, char *why)
{
    char *end = NULL;

    if (o->seed == NULL)
        return 0;
    errno = 0;
    plan->seed = strtoull(o->seed, &end, 0);
    if (end == o->seed || *end != '\0' || errno != 0 || *o->seed == '-')
        return refuse(why, EXIT_USAGE, "--seed %s: not a whole number", o->seed);
    plan->seeded = true;
    return 0;
}

static int plan_claim(const struct tern_talk_options *o, struct tern_talk_plan *plan, char *why)
{
    if (o->claim == NULL)
        return 0;
    if (strcmp(o->claim, "fast") != 0 && strcmp(o->claim, "rfc") != 0)
        return refuse(why, EXIT_USAGE, "--claim %s: give fast or rfc", o->claim);
    if (plan->kind != TERN_TALK_SLIRP) /* nobody else can be there */
        plan->claim = strcmp(o->claim, "rfc") == 0 ? TERN_CLAIM_RFC : TERN_CLAIM_FAST;
    return 0;
}

static int plan_drawing(const char *path, enum tern_picture_kind *out, char *why)
{
    if (tern_picture_kind_of(path, out))
        return 0;
    return refuse(why, EXIT_USAGE,
                  "--draw %s: the name's end says what is drawn: .svg, .html or .json", path);
}

static int plan_picture(const struct tern_talk_options *o, struct tern_talk_plan *plan, char *why)
{
    uint64_t columns = 0;
    int code = 0;

    if (o->draw_count > TERN_TALK_DRAW_MAX)
        return refuse(why, EXIT_USAGE, "--draw was given %u times: %d files at most", o->draw_count,
                      TERN_TALK_DRAW_MAX);
    for (unsigned i = 0; i < o->draw_count && code == 0; i++)
        code = plan_drawing(o->draw[i], &plan->drawing[i], why);
    if (code != 0)
        return code;
    if ((o->width != NULL || o->ascii) && !o->ladder)
        return refuse(why, EXIT_USAGE, "%s is the ladder's: add --ladder",
                      o->ascii ? "--ascii" : "--width");
    if (o->width != NULL &&
        !tern_number(o->width, TERN_LADDER_COLUMNS_MIN, TERN_LADDER_COLUMNS_MAX, &columns))
        return refuse(why, EXIT_USAGE, "--width %s: give a number of columns from %d to %d",
                      o->width, TERN_LADDER_COLUMNS_MIN, TERN_LADDER_COLUMNS_MAX);
    plan->columns = (size_t)columns;
    return 0;
}

static int plan_capture(const struct tern_talk_options *o, struct tern_talk_plan *plan, char *why)
{
    (void)plan;
    if (o->secrets && o->pcap == NULL)
        return refuse(why, EXIT_USAGE, "--secrets puts TLS keys into the capture: add --pcap FILE");
    return tern_talk_files_check(o, why);
}

/* The first address of a prefix: the network's own name, which no host may have. */
static bool is_network(const struct tern_cidr *net)
{
    uint32_t mask = net->prefix_bits == 0 ? 0 : UINT32_MAX << (32 - net->prefix_bits);

    return net->prefix_bits < 31 && (tern_addr_to_be32(net->addr) & ~mask) == 0;
}

static int check_address(const struct tern_talk_plan *plan, char *why)
{
    char text[TERN_ADDR_TEXT_MAX];
    const struct tern_cidr *own = &plan->address;
    uint32_t value = tern_addr_to_be32(own->addr);

    (void)tern_addr_text(own->addr, text);
    if (own->prefix_bits == 0)
        return refuse(why, EXIT_USAGE, "--address %s/0: no network is that large", text);
    if (tern_addr_is_any(own->addr) || tern_addr_is_multicast(own->addr) || value >> 24 == 127 ||
        value >> 24 == 0 || value >= 0xf0000000U)
        return refuse(why, EXIT_INTERFACE, "%s is not an address that a host may have", text);
    if (is_network(own))
        return refuse(why, EXIT_INTERFACE, "%s/%u is the network's own name, not a host's address",
                      text, own->prefix_bits);
    if (own->prefix_bits < 31 && tern_addr_equal(tern_cidr_broadcast(own), own->addr))
        return refuse(why, EXIT_INTERFACE, "%s is the broadcast address of its /%u", text,
                      own->prefix_bits);
    return 0;
}

/* A LAN's address without a word of the LAN. */
static int check_slirp(const struct tern_talk_options *o, const struct tern_talk_plan *plan,
                       char *why)
{
    bool unsaid = o->link == NULL && o->interface == NULL && o->gateway == NULL;

    if (!unsaid || tern_cidr_contains(&plan->address, plan->gateway))
        return 0;
    return refuse(why, EXIT_USAGE,
                  "--address %s: on which interface? Add --interface IF (without one, the link is "
                  "slirp, whose network is 10.0.2.0/24)",
                  o->address);
}

static int check_gateway(const struct tern_talk_plan *plan, char *why)
{
    char text[TERN_ADDR_TEXT_MAX], own[TERN_ADDR_TEXT_MAX];

    if (tern_addr_is_any(plan->gateway))
        return 0;
    (void)tern_addr_text(plan->gateway, text);
    (void)tern_addr_text(plan->address.addr, own);
    if (tern_addr_equal(plan->gateway, plan->address.addr))
        return refuse(why, EXIT_INTERFACE,
                      "%s is the gateway's own address: take another, which nobody uses", own);
    if (!tern_cidr_contains(&plan->address, plan->gateway))
        return refuse(why, EXIT_USAGE,
                      "gateway %s is not on the network %s/%u, so nothing can be sent to it", text,
                      own, plan->address.prefix_bits);
    return 0;
}

int tern_talk_plan(const struct tern_talk_options *options, struct tern_talk_plan *plan,
                   char *error_text)
{
    static int (*const readers[])(const struct tern_talk_options *, struct tern_talk_plan *,
                                  char *) = {plan_address, plan_hops,    plan_mac,    plan_seed,
                                             plan_claim,   plan_capture, plan_picture};
    size_t i;
    int code;

    memset(plan, 0, sizeof *plan);
    error_text[0] = '\0';
    code = plan_link(options, plan, error_text);
    if (code != 0)
        return code;
    plan_defaults(plan);
    for (i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        code = readers[i](options, plan, error_text);
        if (code != 0)
            return code;
    }
    code = check_address(plan, error_text);
    if (code == 0)
        code = check_slirp(options, plan, error_text);
    return code != 0 ? code : check_gateway(plan, error_text);
}
