/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern ping: ICMP echo in the manner of iputils. One request each interval, replies as they come,
 * statistics at the end or at ^C. Exit code: 0 a reply came, 1 none did, 2 any other error.
 *
 * Requests that were answered are remembered by sequence number, so that a duplicate is
 * called one. After the last request it waits for twice the slowest round trip, or for -W.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/number.h"
#include "cli/say.h"
#include "cli/talk.h"
#include "cli/verbs.h"

#define EXIT_NO_REPLY 1
#define EXIT_ERROR    2

#define INTERVAL_DEFAULT (1 * TERN_SECOND)
#define INTERVAL_MIN     (2 * TERN_MS) /* a flood is not what this is for */
#define WAIT_DEFAULT     (10 * TERN_SECOND)
#define BYTES_DEFAULT    56
#define TTL_DEFAULT      64
#define HEADER_BYTES     28 /* IPv4 and ICMP, as iputils counts them */
#define ICMP_HEADER      8
#define LINGER           (100 * TERN_MS)

struct ping_options {
    struct tern_talk_options talk;
    const char *host;
    uint64_t count; /* 0: no limit */
    tern_time interval, wait;
    uint32_t bytes;
    uint8_t ttl;
    bool quiet;
};

struct ping {
    const struct ping_options *options;
    struct tern_talk talk;
    struct tern_ping_socket *socket;
    struct tern_addr to;
    uint64_t sent, received, duplicates, errors;
    uint64_t timed; /* of the received: those with room for the time at which they were sent */
    tern_time started, next, stop_at;
    double sum_ms, square_sum_ms, min_ms, max_ms;
    uint8_t answered[65536 / 8];
    bool failed;
};

static const char ping_help[] =
    "Examples:\n"
    "  sudo tern ping --interface eth0 --address 192.168.1.77/24 192.168.1.1\n"
    "  tern ping --link lab -c 3 10.9.0.1     in a private namespace, no root\n"
    "\n"
    "Usage: tern ping [flags] HOST\n"
    "\n"
    "  -c N       stop after N requests (and their answers)\n"
    "  -i SECS    time between requests (1)\n"
    "  -s BYTES   payload of a request (56); under 8 the time has no room in it\n"
    "  -W SECS    how long to wait for the last answer (10, or twice the slowest so far)\n"
    "  -t TTL     time to live (64)\n"
    "  -q         only the summary\n"
    "  -h, --help\n"
    "\n";

static bool ping_flag(struct ping_options *o, int flag, const char *text)
{
    uint64_t n = 0;

    switch (flag) {
    case 'c':
        return tern_number(text, 1, INT64_MAX, &o->count);
    case 'i':
        return tern_seconds(text, &o->interval) && o->interval >= INTERVAL_MIN;
    case 'W':
        return tern_seconds(text, &o->wait) && o->wait > 0;
    case 's':
        if (!tern_number(text, 0, 65507, &n))
            return false;
        o->bytes = (uint32_t)n;
        return true;
    case 't':
        if (!tern_number(text, 1, 255, &n))
            return false;
        o->ttl = (uint8_t)n;
        return true;
    case 'q':
        o->quiet = true;
        return true;
    default:
        return tern_talk_flag(&o->talk, flag, text);
    }
}

/* 0: go on; else leave with code - 1. */
static int ping_parse(int argc, char **argv, struct ping_options *o)
{
    static const struct option help[] = {{"help", no_argument, NULL, 'h'}};
    struct option flags[64] = {{0}};
    int flag;

    tern_flags_join(flags, sizeof flags / sizeof flags[0], help, 1);
    *o = (struct ping_options){
        .interval = INTERVAL_DEFAULT, .bytes = BYTES_DEFAULT, .ttl = TTL_DEFAULT};
    while ((flag = getopt_long(argc, argv, "c:i:s:W:t:qh", flags, NULL)) != -1) {
        if (flag == 'h') {
            (void)printf("%s%s", ping_help, tern_talk_help);
            return 1;
        }
        if (flag == '?')
            return 1 + EXIT_ERROR;
        if (!ping_flag(o, flag, optarg)) {
            tern_complain("ping: -%c %s: out of range. Try: tern ping --help", flag, optarg);
            return 1 + EXIT_ERROR;
        }
    }
    if (optind != argc - 1) {
        tern_complain("ping: give one HOST. Try: tern ping --help");
        return 1 + EXIT_ERROR;
    }
    o->host = argv[optind];
    return 0;
}

static void send_one(struct ping *p)
{
    enum tern_err err = tern_ping_send(p->socket, p->to, (uint16_t)(p->sent + 1), p->options->ttl,
                                       p->options->bytes);

    if (err == TERN_ERR_AGAIN) {
        p->next += TERN_MS;
        return;
    }
    if (err != TERN_ERR_OK) {
        tern_complain("ping: cannot send: %s", tern_err_text(err));
        p->failed = true;
        return;
    }
    p->sent++;
    p->answered[(p->sent & 0xffff) / 8] &= (uint8_t) ~(1u << (p->sent & 7));
    p->next += p->options->interval;
}

static void note_time(struct ping *p, double ms)
{
    if (p->timed == 0 || ms < p->min_ms)
        p->min_ms = ms;
    p->timed++;
    if (ms > p->max_ms)
        p->max_ms = ms;
    p->sum_ms += ms;
    p->square_sum_ms += ms * ms;
}

/* Three significant digits, as iputils has them. */
static const char *time_text(double ms, char *out, size_t bytes)
{
    (void)snprintf(out, bytes,
                   ms >= 100  ? "%.0f"
                   : ms >= 10 ? "%.1f"
                   : ms >= 1  ? "%.2f"
                              : "%.3f",
                   ms);
    return out;
}

static void on_echo(struct ping *p, const struct tern_ping_reply *r)
{
    bool timed = r->sent_at != TERN_TIME_NEVER;
    double ms = timed ? (double)(r->received_at - r->sent_at) / 1e6 : 0;
    uint8_t bit = (uint8_t)(1u << (r->sequence & 7));
    bool is_duplicate = (p->answered[r->sequence / 8] & bit) != 0;
    char from[TERN_ADDR_TEXT_MAX], digits[32], took[48] = "";

    p->answered[r->sequence / 8] |= bit;
    if (is_duplicate) {
        p->duplicates++;
    } else {
        if (timed)
            note_time(p, ms);
        p->received++;
    }
    if (timed)
        (void)snprintf(took, sizeof took, " time=%s ms", time_text(ms, digits, sizeof digits));
    if (!p->options->quiet)
        (void)printf("%u bytes from %s: icmp_seq=%u ttl=%u%s%s%s\n", r->bytes + ICMP_HEADER,
                     tern_addr_text(r->from, from), r->sequence, r->ttl, took,
                     is_duplicate ? " (DUP!)" : "", r->intact ? "" : " (payload changed!)");
}

static const char *error_words(const struct tern_ping_reply *r)
{
    static const char *const unreachable[] = {"Net", "Host", "Protocol", "Port"};
    static char text[64];

    if (r->icmp_type == 3 && r->icmp_code < 4) {
        (void)snprintf(text, sizeof text, "Destination %s Unreachable", unreachable[r->icmp_code]);
        return text;
    }
    if (r->icmp_type == 3 && r->icmp_code == 4)
        return "Frag needed and DF set";
    if (r->icmp_type == 11)
        return "Time to live exceeded";
    (void)snprintf(text, sizeof text, "ICMP type %u code %u", r->icmp_type, r->icmp_code);
    return text;
}

static void on_error(struct ping *p, const struct tern_ping_reply *r)
{
    char from[TERN_ADDR_TEXT_MAX];

    p->errors++;
    if (!p->options->quiet)
        (void)printf("From %s icmp_seq=%u %s\n", tern_addr_text(r->from, from), r->sequence,
                     error_words(r));
}

static void receive_all(struct ping *p)
{
    struct tern_ping_reply r;

    while (tern_ping_receive(p->socket, &r) == TERN_ERR_OK) {
        if (r.icmp_type == 0 && r.icmp_code == 0)
            on_echo(p, &r);
        else
            on_error(p, &r);
    }
    (void)fflush(stdout);
}

static bool all_sent(const struct ping *p)
{
    return p->options->count > 0 && p->sent >= p->options->count;
}

/* The last request is out: how long to wait for what is missing. */
static tern_time last_wait(const struct ping *p)
{
    tern_time twice = (tern_time)(p->max_ms * 2e6);

    if (p->options->wait > 0)
        return p->options->wait;
    if (p->received == 0)
        return WAIT_DEFAULT;
    return twice > TERN_SECOND ? twice : TERN_SECOND;
}

static void ping_run(struct ping *p)
{
    struct tern_event event;

    p->started = p->next = tern_loop_now(p->talk.loop);
    p->stop_at = TERN_TIME_NEVER;
    while (!p->failed && !tern_talk_interrupted()) {
        tern_time now = tern_loop_now(p->talk.loop);

        if (!all_sent(p) && now >= p->next)
            send_one(p);
        if (all_sent(p) && p->stop_at == TERN_TIME_NEVER)
            p->stop_at = now + last_wait(p);
        if (now >= p->stop_at || (all_sent(p) && p->received + p->errors >= p->sent))
            return;
        if (tern_talk_run(&p->talk, all_sent(p) ? p->stop_at : p->next) != TERN_ERR_OK) {
            p->failed = true;
            return;
        }
        while (tern_stack_event(p->talk.stack, &event))
            if (event.kind == TERN_EVENT_PING)
                receive_all(p);
            else
                (void)tern_talk_event(&p->talk, &event);
    }
}

/* The square root by Newton's steps: exact enough for three digits, and no libm. */
static double root(double x)
{
    double r = x > 1 ? x : 1;

    for (int i = 0; i < 64 && x > 0; i++)
        r = (r + x / r) / 2;
    return x > 0 ? r : 0;
}

static void print_summary(const struct ping *p)
{
    double lost = p->sent == 0 ? 0 : 100.0 * (double)(p->sent - p->received) / (double)p->sent;
    tern_time took = tern_loop_now(p->talk.loop) - p->started;

    (void)printf("\n--- %s ping statistics ---\n", p->options->host);
    (void)printf("%llu packets transmitted, %llu received", (unsigned long long)p->sent,
                 (unsigned long long)p->received);
    if (p->duplicates > 0)
        (void)printf(", +%llu duplicates", (unsigned long long)p->duplicates);
    if (p->errors > 0)
        (void)printf(", +%llu errors", (unsigned long long)p->errors);
    (void)printf(", %.6g%% packet loss, time %lldms\n", lost, (long long)(took / TERN_MS));
    if (p->timed > 0) {
        double n = (double)p->timed;
        double average = p->sum_ms / n;
        double variance = p->square_sum_ms / n - average * average;

        (void)printf("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", p->min_ms, average,
                     p->max_ms, root(variance));
    }
    (void)fflush(stdout);
}

static int ping_talk(struct ping *p)
{
    char to[TERN_ADDR_TEXT_MAX];
    enum tern_err err;

    if (tern_talk_resolve(&p->talk, p->options->host, &p->to) != 0)
        return EXIT_ERROR;
    err = tern_ping_open(p->talk.stack, p, &p->socket);
    if (err != TERN_ERR_OK) {
        tern_complain("ping: %s", tern_err_text(err));
        return EXIT_ERROR;
    }
    (void)printf("PING %s (%s) %u(%u) bytes of data.\n", p->options->host,
                 tern_addr_text(p->to, to), p->options->bytes, p->options->bytes + HEADER_BYTES);
    (void)fflush(stdout);
    ping_run(p);
    if (tern_talk_interrupted())
        tern_complain("ping: interrupted");
    print_summary(p);
    tern_ping_close(p->socket);
    if (p->failed)
        return EXIT_ERROR;
    return p->received > 0 ? 0 : EXIT_NO_REPLY;
}

int tern_verb_ping(int argc, char **argv)
{
    struct ping_options options;
    struct ping p;
    int code = ping_parse(argc, argv, &options);

    if (code != 0)
        return code - 1;
    memset(&p, 0, sizeof p);
    p.options = &options;
    if (tern_talk_open(&p.talk, &options.talk) != 0)
        return EXIT_ERROR;
    code = ping_talk(&p);
    if (tern_talk_close(&p.talk, LINGER) != 0 && code == 0)
        code = EXIT_ERROR;
    return code;
}
