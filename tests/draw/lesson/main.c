/* SPDX-License-Identifier: BSD-2-Clause */
/* Play every story and leave its pictures in a folder: NAME.svg, and NAME.txt as a terminal shows
 * it.   lesson FOLDER */
#include <stdio.h>

#include "lesson.h"
#include "report/ladder.h"
#include "report/svg.h"

#define PATH_BYTES 4096
#define QUIET      (80 * TERN_MS) /* longer than a round trip of any story */

static FILE *file_open(const char *folder, const char *name, const char *ending)
{
    char path[PATH_BYTES];
    FILE *out;

    if (snprintf(path, sizeof path, "%s/%s.%s", folder, name, ending) >= (int)sizeof path)
        lesson_fail("the folder's name is too long");
    out = fopen(path, "w");
    if (out == NULL)
        lesson_fail("a picture cannot be written");
    return out;
}

static void drawing(const struct tern_model *model, FILE *out)
{
    const struct tern_svg_options options = {.one_conn = true, .bare = true};

    if (!tern_report_svg(model, &options, out) || fclose(out) != 0)
        lesson_fail("a drawing was not written");
}

static void ladder(const struct tern_model *model, FILE *out)
{
    const struct tern_model_conn *c = tern_model_conn(model, 0);
    const struct tern_ladder_options options = {
        .columns = TERN_LADDER_COLUMNS_DEFAULT,
        .utf8 = true,
        .one_conn = true,
        .us = tern_model_has_kernel(model) ? "you" : "client",
        .kernel = tern_model_has_kernel(model) ? "your kernel" : NULL,
        .peer = "server",
        .origin = c->at,
        .quiet_gap = QUIET,
    };

    tern_ladder_header(&options, out);
    tern_ladder_print(model, 0, &options, out);
    if (fclose(out) != 0)
        lesson_fail("a ladder was not written");
}

int main(int argc, char **argv)
{
    if (argc != 2)
        lesson_fail("usage: lesson FOLDER");
    for (size_t i = 0; i < lesson_stories_count; i++) {
        const struct lesson_story *story = &lesson_stories[i];
        struct tern_model *model = lesson_play(story);

        if (tern_model_conn_count(model) != 1)
            lesson_fail("a story is not of one connection");
        drawing(model, file_open(argv[1], story->name, "svg"));
        ladder(model, file_open(argv[1], story->name, "txt"));
        tern_model_destroy(model);
    }
    return 0;
}
