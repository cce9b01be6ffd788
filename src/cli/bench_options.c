/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line of `tern bench`: the workload first, then flags, then the peer's host. What
 * contradicts itself is refused in words before anything is opened.
 */
#include "cli/bench_options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/number.h"
#include "cli/say.h"

#define EXIT_USAGE 2

#define SECONDS_DEFAULT (5 * TERN_SECOND)
#define WRITE_DEFAULT   (128u << 10) /* iperf3's */
#define RR_DEFAULT      1

enum {
    FLAG_SECONDS = 300,
    FLAG_BYTES,
    FLAG_COUNT,
    FLAG_STREAMS,
    FLAG_MESSAGE,
    FLAG_PORT,
    FLAG_SPIN,
    FLAG_BLOCK,
    FLAG_ADAPTIVE,
    FLAG_CONGESTION,
    FLAG_NO_OFFLOAD,
    FLAG_COPY,
    FLAG_ONCE,
    FLAG_JSON,
    FLAG_HELP,
};

static const struct option own_flags[] = {
    {"seconds", required_argument, NULL, FLAG_SECONDS},
    {"bytes", required_argument, NULL, FLAG_BYTES},
    {"count", required_argument, NULL, FLAG_COUNT},
    {"streams", required_argument, NULL, FLAG_STREAMS},
    {"message", required_argument, NULL, FLAG_MESSAGE},
    {"port", required_argument, NULL, FLAG_PORT},
    {"spin", no_argument, NULL, FLAG_SPIN},
    {"block", no_argument, NULL, FLAG_BLOCK},
    {"adaptive", no_argument, NULL, FLAG_ADAPTIVE},
    {"congestion", required_argument, NULL, FLAG_CONGESTION},
    {"no-offload", no_argument, NULL, FLAG_NO_OFFLOAD},
    {"copy", no_argument, NULL, FLAG_COPY},
    {"once", no_argument, NULL, FLAG_ONCE},
    {"json", no_argument, NULL, FLAG_JSON},
    {"help", no_argument, NULL, FLAG_HELP},
};

#define OWN_FLAGS_COUNT (sizeof own_flags / sizeof own_flags[0])

static const char bench_help[] =
    "Examples:\n"
    "  tern bench recv --link lab                       by itself: the peer is the kernel, in a\n"
    "                                                   private namespace; needs no root\n"
    "  tern bench peer --link kernel                    on the one side\n"
    "  tern bench recv --link tap:tap0 --address 10.1.0.5/24 10.1.0.2     on the other\n"
    "  tern bench recv --link kernel 10.1.0.2           the same over kernel sockets\n"
    "  tern bench rr --spin --message 100 --link lan:eth0 --address 10.1.0.5/24 10.1.0.2\n"
    "\n"
    "Usage: tern bench recv|send|rr|conn [flags] HOST\n"
    "       tern bench recv|send|rr|conn [flags] --link lab\n"
    "       tern bench peer [flags]\n"
    "\n"
    "  recv   the peer sends, we receive            rr     messages there and back\n"
    "  send   we send, the peer receives            conn   connect, a byte each way, close\n"
    "  peer   serves all of these, many clients, until ^C\n"
    "\n"
    "  --seconds N        how long (5)\n"
    "  --bytes N[K|M|G]   recv, send: so many bytes instead\n"
    "  --count N          rr, conn: so many round trips or connections instead\n"
    "  --streams N        connections at the same time (1)\n"
    "  --message N[K|M]   bytes of a message of rr (1), or of a write (128K); at most 1M\n"
    "  --spin             never sleep while waiting\n"
    "  --block            sleep at once\n"
    "  --adaptive         spin for a bounded time, then sleep (the default)\n"
    "  --congestion NAME  cubic, reno or bbr (the default of the stack, or of the kernel)\n"
    "  --no-offload       neither super-segments nor checksums are left to the link\n"
    "  --copy             copy what comes and goes, as kernel sockets do\n"
    "  --port N           the peer's port (5201); peer: 0 for any that is free\n"
    "  --once             peer: leave when the first clients have gone\n"
    "  --json             the figures as one JSON object\n"
    "  -h, --help\n"
    "\n"
    "--link kernel runs the same over the kernel's sockets, instead of a stack of tern's.\n"
    "\n";

static int usage(const char *what)
{
    tern_complain("bench: %s. Try: tern bench --help", what);
    return 1 + EXIT_USAGE;
}

/* A number of bytes, with K, M or G as powers of 1024. */
static bool bench_bytes(const char *text, uint64_t low, uint64_t high, uint64_t *out)
{
    static const char units[] = "KMG";
    char digits[24];
    size_t length = strlen(text);
    const char *unit = length == 0 ? NULL : strchr(units, text[length - 1]);
    unsigned shift = unit == NULL ? 0 : 10 * (unsigned)(unit - units + 1);
    uint64_t n;

    if (length == 0 || length >= sizeof digits)
        return false;
    memcpy(digits, text, length + 1);
    if (unit != NULL)
        digits[length - 1] = '\0';
    if (!tern_number(digits, 0, UINT64_MAX >> 31, &n) || n << shift < low || n << shift > high)
        return false;
    *out = n << shift;
    return true;
}

static bool set_number(const char *text, uint64_t low, uint64_t high, uint32_t *out)
{
    uint64_t n;

    if (!bench_bytes(text, low, high, &n))
        return false;
    *out = (uint32_t)n;
    return true;
}

static bool set_port(const char *text, uint16_t *out)
{
    uint64_t n;

    if (!tern_number(text, 0, 65535, &n))
        return false;
    *out = (uint16_t)n;
    return true;
}

static bool is_congestion(const char *text)
{
    return strcmp(text, "cubic") == 0 || strcmp(text, "reno") == 0 || strcmp(text, "bbr") == 0;
}

/* The flags that say how to wait, and other switches. False: none of them. */
static bool take_switch(struct tern_bench_options *o, int flag)
{
    switch (flag) {
    case FLAG_SPIN:
        o->wire.wait = TERN_LOOP_SPIN;
        return true;
    case FLAG_BLOCK:
        o->wire.wait = TERN_LOOP_BLOCK;
        return true;
    case FLAG_ADAPTIVE:
        o->wire.wait = TERN_LOOP_ADAPTIVE;
        return true;
    case FLAG_NO_OFFLOAD:
        o->talk.no_offload = true;
        return true;
    case FLAG_COPY:
        o->wire.copy = true;
        return true;
    case FLAG_ONCE:
        o->once = true;
        return true;
    case FLAG_JSON:
        o->json = true;
        return true;
    default:
        return false;
    }
}

/* False: the argument is not what the flag takes. */
static bool take_flag(struct tern_bench_options *o, int flag, const char *text)
{
    switch (flag) {
    case FLAG_SECONDS:
        return tern_seconds(text, &o->plan.duration) && o->plan.duration > 0;
    case FLAG_BYTES:
        return bench_bytes(text, 1, UINT64_MAX >> 1, &o->bytes);
    case FLAG_COUNT:
        return tern_number(text, 1, UINT64_MAX >> 1, &o->count);
    case FLAG_STREAMS:
        return set_number(text, 1, TERN_BENCH_STREAMS_MAX, &o->plan.streams);
    case FLAG_MESSAGE:
        return set_number(text, 1, TERN_BENCH_MESSAGE_MAX, &o->plan.message_bytes);
    case FLAG_PORT:
        return set_port(text, &o->port);
    case FLAG_CONGESTION:
        o->wire.congestion = text;
        return is_congestion(text);
    default:
        return take_switch(o, flag) || tern_talk_flag(&o->talk, flag, text);
    }
}

static int refused(int value, const char *text)
{
    if (value == ':')
        tern_complain("bench: %s needs an argument. Try: tern bench --help", text);
    else
        tern_complain("bench: unknown flag %s. Try: tern bench --help", text);
    return 1 + EXIT_USAGE;
}

static int take_workload(const char *word, struct tern_bench_options *o)
{
    static const char *const names[TERN_BENCH_WORK_COUNT] = {"recv", "send", "rr", "conn"};

    o->workload = word;
    o->is_peer = strcmp(word, "peer") == 0;
    for (int i = 0; i < TERN_BENCH_WORK_COUNT; i++)
        if (strcmp(word, names[i]) == 0) {
            o->plan.work = (enum tern_bench_work)i;
            return 0;
        }
    return o->is_peer ? 0 : usage("the workloads are recv, send, rr and conn, and there is peer");
}

static int check_link(const struct tern_bench_options *o)
{
    const struct tern_talk_options *t = &o->talk;

    if (!o->kernel)
        return 0;
    if (t->interface != NULL || t->address != NULL || t->gateway != NULL || t->dns != NULL ||
        t->mac != NULL || t->pcap != NULL || t->impair != NULL || t->stats != NULL ||
        t->seed != NULL || t->claim != NULL || t->secrets || t->ladder || t->draw_count > 0)
        return usage("--link kernel uses the kernel's own addresses and links: the flags of tern's "
                     "have no place beside it");
    if (t->no_offload)
        return usage("--link kernel: offloads are the interface's: ethtool -K IF tx off tso off "
                     "gso off gro off");
    return 0;
}

/* What was given must be of the workload, and fit together. */
static int check(struct tern_bench_options *o)
{
    bool bulk = o->plan.work == TERN_BENCH_RECV || o->plan.work == TERN_BENCH_SEND;

    if (o->is_peer && (o->bytes != 0 || o->count != 0 || o->plan.duration != 0))
        return usage("--seconds, --bytes and --count are the client's to give");
    if (o->port == 0 && !o->is_peer)
        return usage("--port 0 is the peer's, for any that is free");
    if (o->once && !o->is_peer)
        return usage("--once is the peer's");
    if (o->bytes != 0 && !bulk)
        return usage("--bytes goes with recv and send: give --count");
    if (o->count != 0 && bulk)
        return usage("--count goes with rr and conn: give --bytes");
    if (o->bytes + o->count != 0 && o->plan.duration != 0)
        return usage("--seconds and a number of bytes or rounds are two ends: give one");
    o->plan.limit = o->bytes + o->count;
    if (o->plan.duration == 0)
        o->plan.duration = SECONDS_DEFAULT;
    if (o->plan.message_bytes == 0)
        o->plan.message_bytes = o->plan.work == TERN_BENCH_RR ? RR_DEFAULT : WRITE_DEFAULT;
    o->kernel = o->talk.link != NULL && strcmp(o->talk.link, "kernel") == 0;
    return check_link(o);
}

static bool is_lab(const struct tern_bench_options *o)
{
    return o->talk.link != NULL && strcmp(o->talk.link, "lab") == 0;
}

static int take_operands(int count, char **operand, struct tern_bench_options *o)
{
    if (count < 1)
        return usage("give a workload: recv, send, rr, conn or peer");
    if (take_workload(operand[0], o) != 0)
        return 1 + EXIT_USAGE;
    if (o->is_peer && count != 1)
        return usage("peer takes no operand");
    if (!o->is_peer && count != (is_lab(o) ? 1 : 2))
        return usage(is_lab(o) ? "--link lab has a peer of its own" : "give the peer's HOST");
    if (o->is_peer && is_lab(o))
        return usage("nobody can come into the lab: give another --link");
    o->host = count == 2 ? operand[1] : TERN_BENCH_LAB_HOST;
    return check(o);
}

int tern_bench_parse(int argc, char **argv, struct tern_bench_options *o)
{
    struct option flags[64] = {{0}};
    int flag;

    *o = (struct tern_bench_options){.port = TERN_BENCH_PORT, .plan = {.streams = 1}};
    tern_flags_join(flags, sizeof flags / sizeof flags[0], own_flags, OWN_FLAGS_COUNT);
    optind = 0; /* from the start: the tests parse again and again */
    while ((flag = getopt_long(argc, argv, ":h", flags, NULL)) != -1) {
        if (flag == 'h' || flag == FLAG_HELP) {
            (void)printf("%s%s", bench_help, tern_talk_help);
            return 1;
        }
        if (flag == '?' || flag == ':')
            return refused(flag, argv[optind - 1]);
        if (!take_flag(o, flag, optarg)) {
            tern_complain("bench: %s: not what this flag takes. Try: tern bench --help", optarg);
            return 1 + EXIT_USAGE;
        }
    }
    return take_operands(argc - optind, argv + optind, o);
}
