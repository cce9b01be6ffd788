/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern draw over any file: read as a capture or as an event log, drawn for a terminal, as SVG and
 * as a page, told as JSON. The first byte chooses the lists' length. Whatever a file holds, no
 * control character reaches the terminal, no element of its own the drawing, and the page's data
 * are JSON that ends no element.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>

#include "base/assert.h"
#include "report/capture.h"
#include "report/eventlog.h"
#include "report/html.h"
#include "report/json.h"
#include "report/overview.h"
#include "report/page.h"
#include "report/svg.h"
#include "screen.h"

static void draw(const struct tern_model *model, size_t columns, bool utf8)
{
    const struct tern_ladder_options screen = {.columns = columns, .utf8 = utf8};
    const struct tern_overview_options o = {.screen = &screen, .ladders_max = 4};
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    TERN_ASSERT(out != NULL);
    tern_overview_print(model, &o, out);
    fclose(out);
    fuzz_judge_screen(text, bytes, utf8);
    free(text);
}

static void tell(const struct tern_model *model)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    TERN_ASSERT(out != NULL);
    TERN_ASSERT(tern_report_json(model, TERN_JSON_ALL, out));
    fclose(out);
    free(text);
}

static void draw_svg(const struct tern_model *model)
{
    const struct tern_svg_options o = {.conns_max = 4};
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    TERN_ASSERT(out != NULL);
    TERN_ASSERT(tern_report_svg(model, &o, out));
    fclose(out);
    fuzz_judge_screen(text, bytes, true);
    for (const char *p = strchr(text, '<'); p != NULL; p = strchr(p + 1, '<'))
        TERN_ASSERT(strchr("/stdgp", p[1]) != NULL && strncmp(p, "<script", 7) != 0);
    free(text);
}

static void draw_page(const struct tern_model *model)
{
    const struct tern_html_options o = {.one_conn = false};
    const size_t frame_bytes = tern_page_head_bytes + tern_page_tail_bytes;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    json_t *data;

    TERN_ASSERT(out != NULL);
    TERN_ASSERT(tern_report_html(model, &o, out));
    fclose(out);
    TERN_ASSERT(bytes > frame_bytes);
    data = json_loadb(text + tern_page_head_bytes, bytes - frame_bytes, 0, NULL);
    TERN_ASSERT(json_is_object(data));
    TERN_ASSERT(memchr(text + tern_page_head_bytes, '<', bytes - frame_bytes) == NULL);
    json_decref(data);
    free(text);
}

static int file_of(const uint8_t *data, size_t size)
{
    int fd = memfd_create("capture", MFD_CLOEXEC);

    TERN_ASSERT(fd >= 0);
    TERN_ASSERT(write(fd, data, size) == (ssize_t)size);
    TERN_ASSERT(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct tern_capture_options how = {.filter = NULL};
    struct tern_capture_facts facts;

    if (size < 1 || size > FUZZ_INPUT_MAX)
        return 0;
    const struct tern_model_options o = {.steps_max = 16u + data[0] / 4,
                                         .all_steps_max = 2000,
                                         .marks_max = 256,
                                         .all_marks_max = 4000,
                                         .infer_states = data[0] % 2 == 0};
    struct tern_model *model = tern_model_create(&o);

    TERN_ASSERT(model != NULL);
    if (size > 1 && data[1] == 0x1e)
        (void)tern_eventlog_read_fd(file_of(data + 1, size - 1), &how, model, &facts);
    else
        (void)tern_capture_read_fd(file_of(data + 1, size - 1), &how, model, &facts);
    tern_model_check(model);
    draw(model, 80, true);
    draw(model, 60, false);
    draw_svg(model);
    draw_page(model);
    tell(model);
    tern_model_destroy(model);
    return 0;
}
