/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first part of a story as a file: a drawing or a page, by the ending of its name. Written
 * once its ladder was shown, from the same model.
 */
#include <errno.h>
#include <string.h>

#include "cli/demo.h"
#include "cli/say.h"
#include "report/html.h"
#include "report/svg.h"

static bool ends_with(const char *text, const char *end)
{
    size_t bytes = strlen(text), end_bytes = strlen(end);

    return bytes > end_bytes && strcmp(text + bytes - end_bytes, end) == 0;
}

bool demo_draw_is_page(const char *path)
{
    return path != NULL && ends_with(path, ".html");
}

bool demo_draw_is_known(const char *path)
{
    return demo_draw_is_page(path) || ends_with(path, ".svg");
}

static bool write_to(const struct tern_model *model, const char *path, FILE *out)
{
    const struct tern_svg_options drawing = {.one_conn = true, .is_tern = true};
    const struct tern_html_options page = {.one_conn = true, .is_tern = true};
    bool fine = demo_draw_is_page(path) ? tern_report_html(model, &page, out)
                                        : tern_report_svg(model, &drawing, out);

    return fclose(out) == 0 && fine;
}

void demo_draw(struct demo_world *w, const struct tern_model *model)
{
    const char *path = w->options->draw;

    if (path == NULL || w->drawn || tern_model_conn_count(model) == 0)
        return;
    w->drawn = true;
    FILE *out = fopen(path, "w");

    if (out == NULL || !write_to(model, path, out))
        tern_say("tern: no picture: %s: %s", path, strerror(errno));
    else
        demo_line(w, "  this as a picture: %s", path);
}
