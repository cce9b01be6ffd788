/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The picture of a run. A recorder around the link hands the head of each frame to the model, and
 * the traces of each turn follow; both happen on the stack's thread, so that there is nothing to
 * lock. At the end the model is drawn: the ladder on standard error, since standard output is the
 * verb's, and a file for each --draw.
 *
 * A run may last for weeks (tern serve): the model folds what a connection did, and keeps details
 * of so many connections only; the rest it counts.
 *
 * Files are made before anything is sent, and what was in them stays until there is a picture to
 * take its place.
 */
#include "cli/talk_picture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

struct drawing {
    const char *path;
    enum tern_talk_drawing kind;
    int fd;
    bool is_new; /* it was not there before */
};

struct talk_picture {
    struct tern_model *model;
    struct drawing drawing[TERN_TALK_DRAW_MAX];
    unsigned drawing_count;
    bool ladder;
    struct tern_ladder_options screen;
};

static bool wants(const struct tern_talk_plan *plan, unsigned count, enum tern_talk_drawing kind)
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

static bool make_file(struct drawing *d)
{
    d->fd = open(d->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    d->is_new = d->fd >= 0;
    if (!d->is_new && errno == EEXIST)
        d->fd = open(d->path, O_WRONLY | O_CLOEXEC);
    return d->fd >= 0;
}

static void drop_file(struct drawing *d)
{
    if (d->fd >= 0)
        (void)close(d->fd);
    if (d->fd >= 0 && d->is_new)
        (void)unlink(d->path);
    d->fd = -1;
}

static void picture_free(struct talk_picture *p)
{
    for (unsigned i = 0; i < p->drawing_count; i++)
        drop_file(&p->drawing[i]);
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
        p->model = make_model(wants(plan, options->draw_count, TERN_TALK_HTML));
    if (p == NULL || p->model == NULL) {
        free(p);
        (void)snprintf(error_text, TERN_LINK_ERROR_MAX, "no memory for the picture");
        return EXIT_FAILED_INIT;
    }
    set_screen(p, options, plan);
    for (unsigned i = 0; i < options->draw_count; i++) {
        struct drawing *d = &p->drawing[p->drawing_count++];

        *d = (struct drawing){.path = options->draw[i], .kind = plan->drawing[i], .fd = -1};
        if (make_file(d))
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

static bool render(const struct talk_picture *p, enum tern_talk_drawing kind, FILE *out)
{
    const struct tern_svg_options svg = {.is_tern = true, .conns_max = LADDERS_MAX};
    const struct tern_html_options html = {.is_tern = true};

    if (kind == TERN_TALK_SVG)
        return tern_report_svg(p->model, &svg, out);
    if (kind == TERN_TALK_HTML)
        return tern_report_html(p->model, &html, out);
    return tern_report_json(p->model, TERN_JSON_ALL, out);
}

static int write_file(const struct talk_picture *p, struct drawing *d)
{
    FILE *out = NULL;
    bool fine;

    errno = 0;
    if (ftruncate(d->fd, 0) == 0 || errno == EINVAL) /* a pipe has no length */
        out = fdopen(d->fd, "w");
    fine = out != NULL && render(p, d->kind, out);
    if (out != NULL) {
        fine = fclose(out) == 0 && fine;
        d->fd = -1;
    }
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
