/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of tern nc: netcat-openbsd's flags, as far as they mean something here. */
#include "cli/nc_options.h"

#include <getopt.h>
#include <stdio.h>

#include "cli/number.h"
#include "cli/say.h"

#define EXIT_USAGE 2

static const char help_text[] =
    "Examples:\n"
    "  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | tern nc 10.0.2.2 80      from the host's loopback\n"
    "  sudo tern nc -v --interface eth0 --address 192.168.1.77/24 192.168.1.1 22\n"
    "  sudo tern nc -l --interface eth0 --address 192.168.1.77/24 8080 > file\n"
    "\n"
    "Usage: tern nc [flags] HOST PORT\n"
    "       tern nc -l [flags] [ADDRESS] PORT\n"
    "\n"
    "  -l         listen on tern's own address, take one connection\n"
    "  -N         at the end of standard input, close our side (FIN) and go on receiving\n"
    "  -z         only connect, then close\n"
    "  -w SECS    give up connecting, or waiting in silence, after so long; -l itself waits\n"
    "             for its caller as long as it takes\n"
    "  -p PORT    own port\n"
    "  -v         say what happens\n"
    "  -h, --help\n"
    "\n";

static bool set_port(const char *text, uint16_t *out)
{
    uint64_t n;

    if (!tern_number(text, 1, 65535, &n))
        return false;
    *out = (uint16_t)n;
    return true;
}

static bool set_flag(struct tern_nc_options *o, int flag, const char *text)
{
    switch (flag) {
    case 'l':
        o->listen = true;
        return true;
    case 'N':
        o->half_close = true;
        return true;
    case 'z':
        o->only_connect = true;
        return true;
    case 'v':
        o->verbose = true;
        return true;
    case 'n':
        return true; /* numbers only: names cost nothing here unless they are given */
    case 'w':
        return tern_seconds(text, &o->wait) && o->wait > 0;
    case 'p':
        return set_port(text, &o->own_port);
    default:
        return tern_talk_flag(&o->talk, flag, text);
    }
}

static int usage(const char *what)
{
    tern_complain("nc: %s. Try: tern nc --help", what);
    return 1 + EXIT_USAGE;
}

/* What getopt refused: a flag that is none, or one without its argument. */
static int refused(int value, const char *text)
{
    if (value == ':')
        tern_complain("nc: %s needs an argument. Try: tern nc --help", text);
    else if (optopt > 0 && optopt < 256 && text[1] != '-')
        tern_complain("nc: unknown flag -%c. Try: tern nc --help", optopt);
    else
        tern_complain("nc: unknown flag %s. Try: tern nc --help", text);
    return 1 + EXIT_USAGE;
}

/* HOST PORT, or with -l [ADDRESS] [PORT]. */
static int set_operands(int count, char **operand, struct tern_nc_options *o)
{
    int wanted = o->listen && o->own_port != 0 ? 0 : 1;

    if (!o->listen && count != 2)
        return usage("give HOST and PORT");
    if (o->listen && (count < wanted || count > wanted + 1))
        return usage("give the PORT to listen on");
    if (o->listen && o->only_connect)
        return usage("-l and -z contradict each other");
    if (count == wanted + 1)
        o->host = operand[0];
    if (wanted == 1 && !set_port(operand[count - 1], &o->port))
        return usage("a PORT is a number from 1 to 65535");
    if (wanted == 0)
        o->port = o->own_port;
    return 0;
}

int tern_nc_parse(int argc, char **argv, struct tern_nc_options *o)
{
    static const struct option help[] = {{"help", no_argument, NULL, 'h'}};
    struct option flags[64] = {{0}};
    int flag;

    *o = (struct tern_nc_options){.host = NULL};
    tern_flags_join(flags, sizeof flags / sizeof flags[0], help, 1);
    while ((flag = getopt_long(argc, argv, ":lNzvnw:p:h", flags, NULL)) != -1) {
        if (flag == 'h') {
            (void)printf("%s%s", help_text, tern_talk_help);
            return 1;
        }
        if (flag == '?' || flag == ':')
            return refused(flag, argv[optind - 1]);
        if (!set_flag(o, flag, optarg))
            return usage(flag == 'w' ? "-w takes a number of seconds"
                                     : "-p takes a number from 1 to 65535");
    }
    return set_operands(argc - optind, argv + optind, o);
}
