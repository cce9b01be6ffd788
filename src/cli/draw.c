/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern draw: a capture is read into a model, and the model is drawn. Exit code: 0 all of it, 1 it
 * could not be read or a picture could not be written, 2 usage, 3 a partial picture: the capture is
 * damaged or ends early.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/draw.h"
#include "cli/say.h"
#include "cli/verbs.h"
#include "os/entropy.h"
#include "report/capture.h"
#include "report/eventlog.h"
#include "report/html.h"
#include "report/json.h"
#include "report/ladder.h"
#include "report/overview.h"
#include "report/svg.h"

#define EXIT_FAILED  1
#define EXIT_USAGE   2
#define EXIT_PARTIAL 3

#define MARKS_MAX   60000 /* of a connection, in the page's charts */
#define LADDERS_MAX 12    /* more connections than this: the table, and --stream for one of them */

static const char draw_help[] =
    "Examples:\n"
    "  tern draw slow.pcap                     the conversations in it, and what was slow\n"
    "  tern draw slow.pcap --stream 3          one of them\n"
    "  tern draw slow.pcap --html slow.html    to look around in: one file, needs no network\n"
    "  tern draw slow.pcap --svg slow.svg      for a ticket or a page\n"
    "  tern draw --json slow.pcap              the figures, for programs\n"
    "  tern draw slow.pcap host 10.0.0.7 and port 443\n"
    "  sudo tcpdump -w - -c 1000 | tern draw -\n"
    "\n"
    "Usage: tern draw FILE [flags] [filter, in tcpdump's words]\n"
    "\n"
    "  FILE          pcap or pcapng, of Ethernet, Linux cooked, raw IP or loopback ('-': standard\n"
    "                input), or the event log of a run of tern's (--sqlog)\n"
    "  --stream N    one connection; they are numbered from 0 in order of appearance\n"
    "  --json        figures as JSON to standard output, or to a file: --json=F\n"
    "  --svg F       a drawing that stands alone\n"
    "  --html F      a page that stands alone: ladder, sequence numbers, windows, round trips\n"
    "  --ladder      the ladder too, where one of these is asked for\n"
    "  --width N     columns of the ladder (60 to 200)\n"
    "  --ascii       no character but ASCII\n"
    "  -h, --help\n";

static bool show_progress(void *user, const struct tern_capture_facts *facts)
{
    char line[120];

    (void)user;
    if (facts->bytes_all > 0)
        (void)snprintf(line, sizeof line, "%llu packets, %.0f %%",
                       (unsigned long long)facts->packets,
                       100.0 * (double)facts->bytes / (double)facts->bytes_all);
    else
        (void)snprintf(line, sizeof line, "%llu packets", (unsigned long long)facts->packets);
    tern_say_progress(line, 0);
    return true;
}

/* Only the speed of the tables hangs on it. */
static uint64_t seed_of_tables(void)
{
    uint64_t seed = 0;

    return tern_entropy(&seed, sizeof seed) == TERN_ERR_OK ? seed : 0;
}

static struct tern_model *model_for(const struct draw_options *o)
{
    struct tern_model_options options = {
        .infer_states = true, .steps_max = 256, .seed = seed_of_tables()};

    if (o->html != NULL)
        options.marks_max = MARKS_MAX;
    return tern_model_create(&options);
}

/* ---- writing ---- */

static bool write_json(const struct tern_model *m, const struct draw_options *o, FILE *out)
{
    return tern_report_json(m, o->has_stream ? o->stream : TERN_JSON_ALL, out);
}

static bool write_svg(const struct tern_model *m, const struct draw_options *o, FILE *out)
{
    struct tern_svg_options options = {.one_conn = o->has_stream,
                                       .conn = o->stream,
                                       .is_tern = o->is_tern,
                                       .conns_max = LADDERS_MAX};

    return tern_report_svg(m, &options, out);
}

static bool write_html(const struct tern_model *m, const struct draw_options *o, FILE *out)
{
    struct tern_html_options options = {
        .one_conn = o->has_stream, .conn = o->stream, .is_tern = o->is_tern};

    return tern_report_html(m, &options, out);
}

typedef bool writer(const struct tern_model *m, const struct draw_options *o, FILE *out);

/* 0, or EXIT_FAILED with words. */
static int write_to(const char *path, writer *write, const struct tern_model *m,
                    const struct draw_options *o)
{
    bool is_stdout = strcmp(path, "-") == 0;
    FILE *out = is_stdout ? stdout : fopen(path, "w");
    bool fine = out != NULL && write(m, o, out);

    if (out != NULL && !is_stdout)
        fine = fclose(out) == 0 && fine;
    if (fine)
        return 0;
    tern_complain("draw: %s: %s", is_stdout ? "standard output" : path,
                  errno != 0 ? strerror(errno) : "could not be written");
    return EXIT_FAILED;
}

static int write_ladders(const struct tern_model *m, const struct draw_options *o)
{
    struct tern_ladder_options screen;
    struct tern_overview_options overview = {.screen = &screen, .ladders_max = LADDERS_MAX};

    tern_ladder_options_for(stdout, &screen);
    if (o->width > 0)
        screen.columns = o->width;
    screen.utf8 = screen.utf8 && !o->ascii;
    overview.is_tern = o->is_tern;
    overview.one_conn = o->has_stream;
    overview.conn = o->stream;
    tern_overview_print(m, &overview, stdout);
    return 0;
}

static int write_all(const struct tern_model *m, const struct draw_options *o)
{
    int code = 0;

    if (o->has_stream && o->stream >= tern_model_conn_count(m)) {
        tern_complain("draw: no connection %u: there are %zu, numbered from 0", o->stream,
                      tern_model_conn_count(m));
        return EXIT_USAGE;
    }
    if (o->json != NULL)
        code = write_to(o->json, write_json, m, o);
    if (code == 0 && o->svg != NULL)
        code = write_to(o->svg, write_svg, m, o);
    if (code == 0 && o->html != NULL)
        code = write_to(o->html, write_html, m, o);
    if (code == 0 && (o->ladder || (o->json == NULL && o->svg == NULL && o->html == NULL)))
        code = write_ladders(m, o);
    return code;
}

static int read_and_draw(struct tern_model *m, struct draw_options *o)
{
    struct tern_capture_options how = {.filter = o->filter, .seed = seed_of_tables()};
    struct tern_capture_facts facts;
    enum tern_capture_result result;

    if (isatty(STDERR_FILENO) == 1)
        how.progress = show_progress;
    if (!tern_eventlog_is(o->file)) {
        result = tern_capture_read(o->file, &how, m, &facts);
    } else if (o->filter[0] != '\0') {
        tern_complain("draw: %s is an event log, and a filter is for captures", o->file);
        return EXIT_USAGE;
    } else {
        result = tern_eventlog_read(o->file, &how, m, &facts);
    }
    if (how.progress != NULL)
        tern_say_progress(NULL, 0);
    if (result == TERN_CAPTURE_UNREADABLE) {
        tern_complain("draw: %s: %s", o->file, facts.words);
        return EXIT_FAILED;
    }
    if (result == TERN_CAPTURE_BAD_FILTER) {
        tern_complain("draw: the filter '%s': %s", o->filter, facts.words);
        return EXIT_USAGE;
    }
    if (result == TERN_CAPTURE_PARTIAL)
        tern_complain("draw: %s: %s; this is what came before, %llu packets", o->file, facts.words,
                      (unsigned long long)facts.packets);
    if (facts.chosen == 0 && facts.packets > 0 && o->filter[0] != '\0')
        tern_complain("draw: the filter '%s' lets none of %llu packets through", o->filter,
                      (unsigned long long)facts.packets);
    if (facts.no_room > 0)
        tern_complain("draw: %s: %llu records are of further connections than there is room for",
                      o->file, (unsigned long long)facts.no_room);
    o->is_tern = facts.is_tern;
    int code = write_all(m, o);

    return code == 0 && result == TERN_CAPTURE_PARTIAL ? EXIT_PARTIAL : code;
}

/* A picture in the capture's place would be the end of the capture. True: it was said. */
static bool would_overwrite(const struct draw_options *o)
{
    const char *const outputs[] = {o->json, o->svg, o->html};
    struct stat in, out;

    if (strcmp(o->file, "-") == 0 ? fstat(STDIN_FILENO, &in) != 0 : stat(o->file, &in) != 0)
        return false; /* reading it will say why */
    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
        if (outputs[i] == NULL || strcmp(outputs[i], "-") == 0 || stat(outputs[i], &out) != 0)
            continue;
        if (S_ISREG(out.st_mode) && out.st_dev == in.st_dev && out.st_ino == in.st_ino) {
            tern_complain("draw: %s is the capture: give another name to write to", outputs[i]);
            return true;
        }
    }
    return false;
}

int tern_verb_draw(int argc, char **argv)
{
    struct draw_options o;

    if (!draw_parse(argc, argv, &o))
        return EXIT_USAGE;
    if (o.help) {
        (void)fputs(draw_help, stdout);
        return 0;
    }
    if (would_overwrite(&o))
        return EXIT_USAGE;
    struct tern_model *m = model_for(&o);

    if (m == NULL) {
        tern_complain("draw: out of memory");
        return EXIT_FAILED;
    }
    int code = read_and_draw(m, &o);

    tern_model_destroy(m);
    return code;
}
