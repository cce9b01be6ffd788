/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first part of a story as a file: a drawing or a page, by the ending of its name. Made
 * before the story begins, and written once its ladder was shown, from the same model.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/demo.h"
#include "cli/say.h"
#include "report/html.h"
#include "report/svg.h"

bool demo_draw_is_page(const char *path)
{
    enum tern_picture_kind kind;

    return path != NULL && tern_picture_kind_of(path, &kind) && kind == TERN_PICTURE_HTML;
}

bool demo_draw_is_known(const char *path)
{
    enum tern_picture_kind kind;

    return tern_picture_kind_of(path, &kind) && kind != TERN_PICTURE_JSON;
}

static int refuse(const char *path)
{
    tern_complain("demo: cannot write %s: %s", path, strerror(errno));
    return DEMO_EXIT_WRITE;
}

/* Its reader would take the end of a trial for the end of all. */
static bool is_fifo(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
}

int demo_files_make(const struct demo_options *options)
{
    struct tern_picture_file capture;

    if (options->pcap_asked && !is_fifo(options->pcap)) { /* a trial: the net makes it */
        if (!tern_picture_file_make(&capture, options->pcap))
            return refuse(options->pcap);
        tern_picture_file_drop(&capture);
    }
    if (options->draw != NULL && !tern_picture_file_make(&options->files->picture, options->draw))
        return refuse(options->draw);
    return 0;
}

int demo_files_finish(const struct demo_options *options)
{
    tern_picture_file_drop(&options->files->picture);
    return options->files->failed ? DEMO_EXIT_WRITE : 0;
}

static bool write_to(const struct tern_model *model, struct tern_picture_file *file)
{
    const struct tern_svg_options drawing = {.one_conn = true, .is_tern = true};
    const struct tern_html_options page = {.one_conn = true, .is_tern = true};
    FILE *out = tern_picture_file_open(file);
    bool fine =
        out != NULL && (demo_draw_is_page(file->path) ? tern_report_html(model, &page, out)
                                                      : tern_report_svg(model, &drawing, out));

    if (out != NULL)
        fine = fclose(out) == 0 && fine;
    return fine;
}

void demo_draw(struct demo_world *w, const struct tern_model *model)
{
    struct demo_files *files = w->options->files;

    if (files->picture.path == NULL || files->drawn || tern_model_conn_count(model) == 0)
        return;
    files->drawn = true;
    if (write_to(model, &files->picture)) {
        demo_line(w, "  this as a picture: %s", files->picture.path);
        return;
    }
    files->failed = true;
    tern_complain("demo: the picture %s is not whole: %s", files->picture.path,
                  errno != 0 ? strerror(errno) : "could not be written");
}
