/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of tern serve. Each limit is a row of a table, which knows its bounds. */
#include "cli/serve_options.h"

#include <string.h>

#include "cli/number.h"
#include "cli/say.h"

#define EXIT_USAGE  2
#define STACK_SPARE 512 /* connections of the stack beside those served: handshakes, farewells */

static const char help[] =
    "Examples:\n"
    "  sudo tern serve --interface eth0 --address 192.168.1.77/24 .\n"
    "                                this directory, at http://192.168.1.77/\n"
    "  sudo tern serve -p 8080 --no-listing --log access.log --interface eth0 \\\n"
    "      --address 192.168.1.77/24 /srv/www\n"
    "  sudo tern serve --link tap:tern0 --address 10.78.0.5/24 .\n"
    "                                to this host alone, once tern0 has an address of its own:\n"
    "                                sudo ip address add 10.78.0.1/24 dev tern0\n"
    "\n"
    "Usage: tern serve [flags] DIR\n"
    "\n"
    "Files of DIR and below over HTTP/1.1 from tern's own TCP: GET and HEAD, keep-alive, ranges,\n"
    "conditional requests, index.html or a listing. Nothing outside of DIR is served, whatever a\n"
    "link or a path says. ^C lets transfers end for a moment, a second one does not.\n"
    "\n"
    "  -p, --port PORT        listen there; 80 by default\n"
    "  --no-listing           a directory without index.html is refused (403)\n"
    "  --dotfiles             serve names that begin with a dot as well\n"
    "  --log FILE             the access log, appended to; standard error by default\n"
    "  -q, --quiet            no access log\n"
    "  --connections N        at once; beyond, idle ones give way; 512 by default\n"
    "  --requests N           on one connection, then it is closed; 1000\n"
    "  --header-bytes N       the longest head of a request; 8192, at most 16384\n"
    "  --body-bytes N         of a request, read and thrown away; beyond it 413; 65536\n"
    "  --header-time SECS     for a request to come in whole; 10\n"
    "  --idle-time SECS       between two requests of a connection; 30\n"
    "  --least-rate N         bytes a second that a client must take on average; 512, 0: any\n"
    "  --grace SECS           for transfers to end, after ^C; 5\n"
    "  -v, --verbose          say what happens\n"
    "  -h, --help\n"
    "\n";

enum {
    FLAG_NO_LISTING = 256,
    FLAG_DOTFILES,
    FLAG_LOG,
    FLAG_LIMITS, /* the first row of the table, and so on */
};

#define LIMIT(flag, seconds, low, high, field)                                                     \
    {                                                                                              \
        flag, seconds, low, high, offsetof(struct tern_serve_options, field)                       \
    }

static const struct limit {
    const char *flag;
    bool seconds;
    uint64_t low, high;
    size_t offset; /* of a uint64_t */
} limits[] = {
    LIMIT("connections", false, 1, 100000, limits.connections),
    LIMIT("requests", false, 1, UINT32_MAX, limits.requests),
    LIMIT("header-bytes", false, 64, TERN_HTTP_HEAD_MAX, limits.head_bytes),
    LIMIT("body-bytes", false, 0, UINT32_MAX, limits.body_bytes),
    LIMIT("least-rate", false, 0, UINT32_MAX, limits.rate_bytes),
    LIMIT("header-time", true, TERN_MS, 0, limits.head_time),
    LIMIT("idle-time", true, TERN_MS, 0, limits.idle_time),
    LIMIT("grace", true, 0, 0, grace),
};

#define LIMITS_COUNT (sizeof limits / sizeof limits[0])

static const struct option own[] = {
    {"port", required_argument, NULL, 'p'},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {"no-listing", no_argument, NULL, FLAG_NO_LISTING},
    {"dotfiles", no_argument, NULL, FLAG_DOTFILES},
    {"log", required_argument, NULL, FLAG_LOG},
};

#define OWN_COUNT (sizeof own / sizeof own[0])

static int usage(const char *what)
{
    tern_complain("serve: %s. Try: tern serve --help", what);
    return 1 + EXIT_USAGE;
}

/* What getopt refused: a flag that is none, or one without its argument. */
static int refused(int value, const char *text)
{
    if (value == ':')
        tern_complain("serve: %s needs an argument. Try: tern serve --help", text);
    else if (optopt > 0 && optopt < 256 && text[1] != '-')
        tern_complain("serve: unknown flag -%c. Try: tern serve --help", optopt);
    else
        tern_complain("serve: unknown flag %s. Try: tern serve --help", text);
    return 1 + EXIT_USAGE;
}

static int set_limit(struct tern_serve_options *o, const struct limit *limit, const char *text)
{
    uint64_t *field = (uint64_t *)(void *)((char *)o + limit->offset);
    tern_time seconds = 0;

    if (limit->seconds && (!tern_seconds(text, &seconds) || (uint64_t)seconds < limit->low)) {
        tern_complain("serve: --%s takes a number of seconds. Try: tern serve --help", limit->flag);
        return 1 + EXIT_USAGE;
    }
    if (limit->seconds) {
        *field = (uint64_t)seconds;
        return 0;
    }
    if (!tern_number(text, limit->low, limit->high, field)) {
        tern_complain("serve: --%s takes a number from %llu to %llu", limit->flag,
                      (unsigned long long)limit->low, (unsigned long long)limit->high);
        return 1 + EXIT_USAGE;
    }
    return 0;
}

static int set_port(struct tern_serve_options *o, const char *text)
{
    uint64_t port;

    if (!tern_number(text, 1, 65535, &port))
        return usage("-p takes a number from 1 to 65535");
    o->port = (uint16_t)port;
    return 0;
}

static int set_flag(struct tern_serve_options *o, int flag, const char *text)
{
    switch (flag) {
    case 'p':
        return set_port(o, text);
    case 'q':
        o->quiet = true;
        return 0;
    case 'v':
        o->talk.verbose = true;
        return 0;
    case FLAG_NO_LISTING:
        o->no_listing = true;
        return 0;
    case FLAG_DOTFILES:
        o->dotfiles = true;
        return 0;
    case FLAG_LOG:
        o->log = text;
        return 0;
    default:
        break;
    }
    if (flag >= FLAG_LIMITS && flag < FLAG_LIMITS + (int)LIMITS_COUNT)
        return set_limit(o, &limits[flag - FLAG_LIMITS], text);
    return tern_talk_flag(&o->talk, flag, text) ? 0 : usage("a flag that nobody knows");
}

/* Own flags, limits and the shared ones, in one table. */
static void join(struct option *flags, size_t count)
{
    struct option mine[OWN_COUNT + LIMITS_COUNT];

    memcpy(mine, own, sizeof own);
    for (size_t i = 0; i < LIMITS_COUNT; i++)
        mine[OWN_COUNT + i] =
            (struct option){limits[i].flag, required_argument, NULL, FLAG_LIMITS + (int)i};
    tern_flags_join(flags, count, mine, OWN_COUNT + LIMITS_COUNT);
}

int tern_serve_parse(int argc, char **argv, struct tern_serve_options *o)
{
    struct option flags[64] = {{0}};
    int flag, code = 0;

    *o = (struct tern_serve_options){.port = 80, .grace = 5 * TERN_SECOND};
    tern_http_limits_defaults(&o->limits);
    join(flags, sizeof flags / sizeof flags[0]);
    while (code == 0 && (flag = getopt_long(argc, argv, ":p:qvh", flags, NULL)) != -1) {
        if (flag == 'h') {
            (void)printf("%s%s", help, tern_talk_help);
            return 1;
        }
        code = flag == '?' || flag == ':' ? refused(flag, argv[optind - 1])
                                          : set_flag(o, flag, optarg);
    }
    if (code != 0)
        return code;
    if (argc - optind != 1)
        return usage(argc == optind ? "give the directory to serve" : "give one directory");
    o->directory = argv[optind];
    o->talk.server = true;
    o->talk.connections_max = (uint32_t)o->limits.connections + STACK_SPARE;
    return o->log != NULL && o->quiet ? usage("--log and --quiet contradict each other") : 0;
}
