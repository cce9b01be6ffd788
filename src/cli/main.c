/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tern command: a table of verbs. Results go to standard output, words to standard error;
 * usage errors exit 2.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <tern/tern.h>

#include "cli/say.h"
#include "cli/verbs.h"

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *words;
} verbs[] = {
    {"get", tern_verb_get, "fetch URLs over tern's own TCP, with curl's flags and exit codes"},
    {"demo", tern_verb_demo, "a conversation with its picture, in a private namespace, no root"},
    {"draw", tern_verb_draw, "the picture of anybody's capture: what went by, and what was slow"},
    {"serve", tern_verb_serve, "files of a directory over HTTP/1.1, from an address of tern's own"},
    {"nc", tern_verb_nc, "netcat: standard input and output over one TCP connection"},
    {"ping", tern_verb_ping, "ICMP echo from an address of tern's own"},
    {"bench", tern_verb_bench,
     "measure: throughput, round trips, connections, tern's or the kernel's"},
};

#define VERBS_COUNT (sizeof verbs / sizeof verbs[0])

static const char help_head[] =
    "Examples:\n"
    "  tern demo                              see a real conversation; needs no root, no network\n"
    "  tern draw slow.pcap                    anybody's capture as a picture, and what was slow\n"
    "  tern get https://example.org           a page over tern's own TCP; needs no root\n"
    "  tern get -v -o page http://10.0.2.2/   the same from this host's loopback, told in detail\n"
    "  sudo tern get --interface eth0 --address 192.168.1.77/24 \\\n"
    "      --gateway 192.168.1.1 --dns 192.168.1.1 https://example.org\n"
    "                                         from an address of its own on the LAN\n"
    "  sudo tern ping --interface eth0 --address 192.168.1.77/24 192.168.1.1\n"
    "\n"
    "Usage: tern VERB [flags] ...\n"
    "\n";

static void print_help(FILE *out)
{
    size_t i;

    (void)fputs(help_head, out);
    for (i = 0; i < VERBS_COUNT; i++)
        (void)fprintf(out, "  %-6s %s\n", verbs[i].name, verbs[i].words);
    (void)fputs("\n"
                "  tern VERB --help   that verb's examples and flags\n"
                "  tern --version     the version\n",
                out);
}

static const struct verb *find_verb(const char *name)
{
    size_t i;

    for (i = 0; i < VERBS_COUNT; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

/* A closed pipe is an error of write(2), not the end of the process: connections are still open. */
static void ignore_sigpipe(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};

    (void)sigaction(SIGPIPE, &action, NULL);
}

static int run(int argc, char **argv)
{
    const char *first = argc > 1 ? argv[1] : "";
    const struct verb *verb = find_verb(first);

    if (verb != NULL)
        return verb->run(argc - 1, argv + 1);
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0 || strcmp(first, "help") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0) {
        (void)puts("tern " TERN_VERSION);
        return 0;
    }
    if (*first == '\0')
        print_help(stderr);
    else
        tern_complain("no verb '%s'; the verbs are get, demo, draw, serve, nc, ping and bench. "
                      "Try: tern --help",
                      first);
    return 2;
}

/* What the verb did not hear of: a write that failed, at the latest this flush. */
static int close_output(int code)
{
    bool failed = ferror(stdout) != 0;

    errno = 0;
    failed = fflush(stdout) != 0 || failed;
    if (!failed || code != 0)
        return code;
    tern_complain("write error: %s", errno != 0 ? strerror(errno) : "standard output");
    return 1;
}

/* No help is longer: what fails then does so in close_output(), which can say why. */
static void buffer_output(void)
{
    static char buffer[32768];

    if (isatty(STDOUT_FILENO) == 0)
        (void)setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
}

int main(int argc, char **argv)
{
    ignore_sigpipe();
    buffer_output();
    return close_output(run(argc, argv));
}
