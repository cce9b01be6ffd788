/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flags that every talking verb shares, as getopt_long() wants them. One list makes the table,
 * the values and the setter, so that they cannot disagree.
 */
#include "cli/talk.h"

/* X(flag, field): those that take an argument. */
#define TALK_FLAGS(X)                                                                              \
    X("link", link)                                                                                \
    X("interface", interface)                                                                      \
    X("address", address)                                                                          \
    X("gateway", gateway)                                                                          \
    X("dns", dns)                                                                                  \
    X("mac", mac)                                                                                  \
    X("pcap", pcap)                                                                                \
    X("sqlog", sqlog)                                                                              \
    X("impair", impair)                                                                            \
    X("stats", stats)                                                                              \
    X("seed", seed)                                                                                \
    X("claim", claim)                                                                              \
    X("width", width)

/* X(flag, field): those that do not. */
#define TALK_SWITCHES(X)                                                                           \
    X("secrets", secrets)                                                                          \
    X("ladder", ladder)                                                                            \
    X("ascii", ascii)

enum {
    TALK_BEFORE = TERN_TALK_FLAGS_FIRST - 1,
#define TALK_VALUE(flag, field) TALK_##field,
    TALK_FLAGS(TALK_VALUE) TALK_SWITCHES(TALK_VALUE)
#undef TALK_VALUE
        TALK_DRAW,
    TALK_AFTER
};

const struct option tern_talk_flags[] = {
#define TALK_ROW(flag, field) {flag, required_argument, NULL, TALK_##field},
    TALK_FLAGS(TALK_ROW)
#undef TALK_ROW
#define TALK_ROW(flag, field) {flag, no_argument, NULL, TALK_##field},
        TALK_SWITCHES(TALK_ROW)
#undef TALK_ROW
            {"draw", required_argument, NULL, TALK_DRAW},
    {0},
};

const size_t tern_talk_flags_count = TALK_AFTER - TERN_TALK_FLAGS_FIRST;

bool tern_talk_flag(struct tern_talk_options *options, int value, const char *argument)
{
    if (value == TALK_address && options->address != NULL)
        options->address_again = true;
    switch (value) {
#define TALK_CASE(flag, field)                                                                     \
    case TALK_##field:                                                                             \
        options->field = argument;                                                                 \
        return true;
        TALK_FLAGS(TALK_CASE)
#undef TALK_CASE
#define TALK_CASE(flag, field)                                                                     \
    case TALK_##field:                                                                             \
        options->field = true;                                                                     \
        return true;
        TALK_SWITCHES(TALK_CASE)
#undef TALK_CASE
    case TALK_DRAW:
        if (options->draw_count < TERN_TALK_DRAW_MAX)
            options->draw[options->draw_count] = argument;
        options->draw_count++;
        return true;
    default:
        return false;
    }
}

const char tern_talk_help[] =
    "The link and the address (all talking verbs):\n"
    "  --interface IF       an address of tern's own on this interface (needs CAP_NET_RAW)\n"
    "  --link LINK          lan:IF (the same), slirp (in process, no root; the default),\n"
    "                       tap:NAME (a TAP, made where there is none), or\n"
    "                       lab (private namespace with a server of the kernel's at 10.9.0.1)\n"
    "  --address A/LEN      tern's own address; an address in use is never taken\n"
    "  --gateway A          next hop beyond A/LEN; without it only A/LEN is reached\n"
    "  --dns A[:PORT]       resolver; without it (on lan and lab) names do not resolve:\n"
    "                       /etc/resolv.conf is the kernel's affair and is not read\n"
    "  --mac MAC            own (default), host, or xx:xx:xx:xx:xx:xx\n"
    "  --claim fast|rfc     probe the address for 0.3 s (default), or RFC 5227's seconds\n"
    "  --impair WORDS       a bad network: 'loss 2% delay 80ms', 'in drop 3', 'out rate 10mbit'\n"
    "  --seed N             makes --impair and all other randomness repeat\n"
    "  --pcap FILE          what tern saw and sent, each sent frame with its reason\n"
    "  --secrets            with the TLS keys in it, so that others can read what was encrypted\n"
    "  --sqlog FILE         the event log: all that the stack decided; - is standard output\n"
    "  --ladder             the picture at the end, on standard error; --width N (60 to 200)\n"
    "                       and --ascii change its shape\n"
    "  --draw FILE          the picture as a file: .svg, .html or .json; may be given again\n"
    "  --stats FILE         figures as one JSON object at exit; - is standard output\n";
