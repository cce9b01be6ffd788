/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The picture of a run. A recorder around the link hands the head of each frame to the model, and
 * the traces of each turn follow; both happen on the stack's thread, so that there is nothing to
 * lock. At the end the model is drawn: the ladder on standard error, since standard output is the
 * verb's, and a file for each --draw.
 *
 * A run may last for weeks (tern serve): the model folds what a connection did, and keeps details
 * of so many connections only; the rest it counts.
 */
#include "cli/talk_picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/say.h"
#include "os/entropy.h"
#include "report/html.h"
#include "report/json.h"
#include "report/ladder.h"
#include "report/overview.h"
#include "report/svg.h"

#define EXIT_FAILED_INIT 2
#define EXIT_WRITE       23

#define CONNS_MAX   20000
#define STEPS_MAX   256   /* of one connection */
#define STEPS_ALL   50000 /* 22 MB */
#define MARKS_MAX   60000 /* of one connection, in the page's charts */
#define LADDERS_MAX 12    /* of more connections than this there is a table */

struct talk_picture {
    struct tern_model *model;
    struct tern_picture_file drawing[TERN_TALK_DRAW_MAX];
    unsigned drawing_count;
    bool ladder;
    struct tern_ladder_options screen;
};

static bool wants(const struct tern_talk_plan *plan, unsigned count, enum tern_picture_kind kind)
{
    for (unsigned i = 0; i < count; i++)
        if (plan->drawing[i] == kind)
            return true;
    return false;
}

static struct tern_model *make_model(bool charts)
{
    struct tern_model_options options = {
        .steps_max = STEPS_MAX, .all_steps_max = STEPS_ALL, .conns_max = CONNS_MAX};

    if (charts)
        options.marks_max = MARKS_MAX;
    if (tern_entropy(&options.seed, sizeof options.seed) != TERN_ERR_OK)
        options.seed = 0; /* only the speed of the table hangs on it */
    return tern_model_create(&options);
}

static void picture_free(struct talk_picture *p)
{
    for (unsigned i = 0; i < p->drawing_count; i++)
        tern_picture_file_drop(&p->drawing[i]);
    tern_model_destroy(p->model);
    free(p);
}

static void set_screen(struct talk_picture *p, const struct tern_talk_options *options,
                       const struct tern_talk_plan *plan)
{
    p->ladder = options->ladder;
    tern_ladder_options_for(stderr, &p->screen);
    if (plan->columns > 0)
        p->screen.columns = plan->columns;
    p->screen.utf8 = p->screen.utf8 && !options->ascii;
}

int talk_picture_open(const struct tern_talk_options *options, const struct tern_talk_plan *plan,
                      struct talk_picture **out, char *error_text)
{
    struct talk_picture *p;

    *out = NULL;
    if (!options->ladder && options->draw_count == 0)
        return 0;
    p = calloc(1, sizeof *p);
    if (p != NULL)
        p->model = make_model(wants(plan, options->draw_count, TERN_PICTURE_HTML));
    if (p == NULL || p->model == NULL) {
        free(p);
        (void)snprintf(error_text, TERN_LINK_ERROR_MAX, "no memory for the picture");
        return EXIT_FAILED_INIT;
    }
    set_screen(p, options, plan);
    for (unsigned i = 0; i < options->draw_count; i++) {
        struct tern_picture_file *d = &p->drawing[p->drawing_count++];

        d->kind = plan->drawing[i];
        if (tern_picture_file_make(d, options->draw[i]))
            continue;
        (void)snprintf(error_text, TERN_LINK_ERROR_MAX, "cannot write %s: %s", d->path,
                       strerror(errno));
        picture_free(p);
        return EXIT_WRITE;
    }
    *out = p;
    return 0;
}

static void on_record(void *user, const struct tern_record *record)
{
    const struct talk_picture *p = user;

    tern_model_frame(p->model, record);
}

enum tern_err talk_picture_wrap(struct talk_picture *p, struct tern_link **link)
{
    return tern_link_record_open(*link, on_record, p, link);
}

void talk_picture_trace(struct talk_picture *p, const struct tern_trace *trace)
{
    tern_model_trace(p->model, trace);
}

/* ---- the end ---- */

static bool render(const struct talk_picture *p, enum tern_picture_kind kind, FILE *out)
{
    const struct tern_svg_options svg = {.is_tern = true, .conns_max = LADDERS_MAX};
    const struct tern_html_options html = {.is_tern = true};

    if (kind == TERN_PICTURE_SVG)
        return tern_report_svg(p->model, &svg, out);
    if (kind == TERN_PICTURE_HTML)
        return tern_report_html(p->model, &html, out);
    return tern_report_json(p->model, TERN_JSON_ALL, out);
}

static int write_file(const struct talk_picture *p, struct tern_picture_file *d)
{
    FILE *out = tern_picture_file_open(d);
    bool fine = out != NULL && render(p, d->kind, out);

    if (out != NULL)
        fine = fclose(out) == 0 && fine;
    if (fine)
        return 0;
    tern_complain("the picture %s is not whole: %s", d->path,
                  errno != 0 ? strerror(errno) : "could not be written");
    return EXIT_WRITE;
}

static void print_ladder(const struct talk_picture *p)
{
    const struct tern_overview_options overview = {
        .screen = &p->screen, .is_tern = true, .ladders_max = LADDERS_MAX};

    (void)fputc('\n', stderr);
    tern_overview_print(p->model, &overview, stderr);
    (void)fflush(stderr);
}

int talk_picture_finish(struct talk_picture *p)
{
    int code = 0;

    if (p == NULL)
        return 0;
    if (tern_model_other(p->model)->packets > 0) {
        if (p->ladder)
            print_ladder(p);
        for (unsigned i = 0; i < p->drawing_count; i++)
            if (write_file(p, &p->drawing[i]) != 0)
                code = EXIT_WRITE;
    }
    picture_free(p);
    return code;
}
