/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern demo: stories with a picture, against the real kernel in a private namespace; no root, no
 * network. Here: the command line. The stories have a file each, demo_tour.c and its kin.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/demo.h"
#include "cli/number.h"
#include "cli/say.h"
#include "cli/talk_files.h"
#include "cli/verbs.h"

#define CAPTURE_DEFAULT "tern-demo.pcapng"

static const struct story {
    const char *name;
    int (*tell)(const struct demo_options *options);
    const char *words;
} stories[] = {
    {"tour", demo_tour, "an address, a handshake, a page in one burst, the end (the default)"},
    {"loss", demo_loss, "three frames are lost; the conversation mends itself"},
    {"slow", demo_slow, "one ACK each 300 ms: the server sends again; then ACKs in time"},
    {"kernel-rst", demo_kernel_rst, "the kernel's own address: its kernel resets; then the cure"},
    {"close", demo_close, "the three ways to end in order: they, we, both at once"},
};

#define STORIES_COUNT (sizeof stories / sizeof stories[0])

enum { FLAG_PCAP = 1, FLAG_SEED, FLAG_LINK, FLAG_DRAW };

static void print_help(void)
{
    (void)puts("Examples:\n"
               "  tern demo                    a page over tern's own TCP, told step by step\n"
               "  tern demo loss               what happens when segments are lost\n"
               "  tern demo slow --pcap s.pcapng\n"
               "\n"
               "Usage: tern demo [STORY] [flags]\n");
    for (size_t i = 0; i < STORIES_COUNT; i++)
        (void)printf("  %-11s%s\n", stories[i].name, stories[i].words);
    (void)puts("\n"
               "  --pcap FILE   where the capture goes (" CAPTURE_DEFAULT
               " in the current directory);\n"
               "                slow, kernel-rst and close capture the first of their parts\n"
               "  --draw FILE   that part as a picture too: FILE.svg, or FILE.html\n"
               "  --seed N      ports, numbers and losses repeat\n"
               "  --link LINK   lab (the default), or mem: a second tern in place of the kernel\n"
               "  -h, --help\n"
               "\n"
               "It needs no root: the stories play in a private network namespace, against the\n"
               "kernel's own TCP. Where that is refused they play in memory, and say so.");
}

static int usage(const char *what, const char *text)
{
    tern_complain("demo: %s '%s'. Try: tern demo --help", what, text);
    return 1 + DEMO_EXIT_USAGE;
}

static int set_link(struct demo_options *o, const char *link)
{
    o->mem = strcmp(link, "mem") == 0;
    return o->mem || strcmp(link, "lab") == 0 ? 0 : usage("no such link here:", link);
}

/* 0: go on; else leave with code - 1. */
static int set_flag(struct demo_options *o, int flag, const char *text)
{
    switch (flag) {
    case 'h':
        print_help();
        return 1;
    case FLAG_PCAP:
        o->pcap = text;
        o->pcap_asked = true;
        return 0;
    case FLAG_SEED:
        o->seeded = tern_number(text, 0, UINT64_MAX, &o->seed);
        return o->seeded ? 0 : usage("--seed takes a number, not", text);
    case FLAG_DRAW:
        o->draw = text;
        return demo_draw_is_known(text) ? 0 : usage("--draw takes F.svg or F.html, not", text);
    case FLAG_LINK:
        return set_link(o, text);
    default:
        return 1 + DEMO_EXIT_USAGE;
    }
}

static int check_files(const struct demo_options *o)
{
    const struct tern_talk_options capture = {.pcap = o->pcap};

    return tern_talk_files_writer(&capture, o->draw) == NULL
               ? 0
               : usage("--pcap and --draw would both write", o->draw);
}

static int parse(int argc, char **argv, struct demo_options *o)
{
    static const struct option flags[] = {{"help", no_argument, NULL, 'h'},
                                          {"pcap", required_argument, NULL, FLAG_PCAP},
                                          {"seed", required_argument, NULL, FLAG_SEED},
                                          {"link", required_argument, NULL, FLAG_LINK},
                                          {"draw", required_argument, NULL, FLAG_DRAW},
                                          {0}};
    const char *forced = getenv("TERN_DEMO_LINK");
    int flag, code = 0;

    *o = (struct demo_options){.story = stories[0].name, .pcap = CAPTURE_DEFAULT};
    if (forced != NULL && *forced != '\0')
        code = set_link(o, forced);
    while (code == 0 && (flag = getopt_long(argc, argv, "h", flags, NULL)) != -1)
        code = set_flag(o, flag, optarg);
    if (code != 0)
        return code;
    if (optind < argc)
        o->story = argv[optind++];
    if (optind < argc)
        return usage("one story at a time, and not also", argv[optind]);
    return o->draw != NULL ? check_files(o) : 0;
}

static int tell(const struct story *story, const struct demo_options *options)
{
    int code = demo_files_make(options);
    int files_code;

    if (code == 0)
        code = story->tell(options);
    files_code = demo_files_finish(options);
    return code != 0 ? code : files_code;
}

int tern_verb_demo(int argc, char **argv)
{
    struct demo_files files = {.picture.fd = -1};
    struct demo_options options;
    int code = parse(argc, argv, &options);

    if (code != 0)
        return code - 1;
    options.files = &files;
    for (size_t i = 0; i < STORIES_COUNT; i++)
        if (strcmp(stories[i].name, options.story) == 0)
            return tell(&stories[i], &options);
    return usage("no story", options.story) - 1;
}
