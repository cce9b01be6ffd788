/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of a bottleneck connections get, in virtual time, as text to be compared with what
 * stands in golden/: any change of how tern sends shows there, and must be looked at. The figures
 * are those of two whole stacks and repeat exactly. What must hold whatever the figures are is
 * asserted beside them: what a controller of a kind must reach and cannot honestly exceed, that
 * reordering costs next to nothing, that two flows share.
 *
 *   golden goodput|bounds|reorder|fair FILE [--write]
 */
#include "path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_UP (6 * TERN_SECOND)
#define MEASURE (10 * TERN_SECOND)

static FILE *out; /* the text of this run */
static unsigned failed;

static void expect(bool holds, const char *what, double got, double bound)
{
    if (holds)
        return;
    printf("FAIL %s: %.2f, the bound is %.2f\n", what, got, bound);
    failed++;
}

static double measure(const struct path_options *o, tern_time warm_up, tern_time time)
{
    struct path p;
    uint64_t before;
    double percent;

    path_open(&p, o);
    path_run(&p, TERN_SECOND + warm_up);
    before = p.flow[0].received;
    path_run(&p, TERN_SECOND + warm_up + time);
    percent = path_percent(&p, p.flow[0].received - before, time);
    path_close(&p);
    return percent;
}

static const char *const controllers[] = {"reno", "cubic", "bbr"};
static const uint32_t delays_ms[] = {1, 20, 100};

/* Percent of 50 Mbit/s: one line for a controller, a round trip and a loss; buffers side by side.
 */
static void goodput(void)
{
    static const uint32_t losses[] = {0, 1000, 10000, 30000};
    static const uint32_t buffers[] = {50, 100, 200};

    fprintf(out, "controller  RTT ms  loss %%   0.5 BDP   1 BDP   2 BDP\n");
    for (int c = 0; c < 3; c++)
        for (int d = 0; d < 3; d++)
            for (int l = 0; l < 4; l++) {
                fprintf(out, "%-10s  %6u  %6.1f ", controllers[c], delays_ms[d], losses[l] / 1e4);
                for (int b = 0; b < 3; b++) {
                    const struct path_options o = {.congestion = {controllers[c]},
                                                   .rate = 6250000,
                                                   .delay = delays_ms[d] * TERN_MS,
                                                   .buffer_percent = buffers[b],
                                                   .loss_ppm = losses[l]};
                    const double got = measure(&o, WARM_UP, MEASURE);

                    fprintf(out, "  %6.2f", got);
                    if (losses[l] == 0 && buffers[b] >= 100)
                        expect(got >= 95.0, "goodput without losses", got, 95.0);
                }
                fprintf(out, "\n");
            }
}

/* What a controller of a kind must reach, and what it cannot honestly exceed. */
static void bounds(void)
{
    static const struct {
        const char *congestion;
        uint64_t rate;
        uint32_t delay_ms, buffer_percent, loss_ppm, least, most;
    } rows[] = {
        {"reno", 1250000, 20, 100, 0, 90, 101},     {"cubic", 1250000, 20, 100, 0, 93, 101},
        {"bbr", 1250000, 20, 100, 0, 90, 101},      {"cubic", 12500000, 40, 100, 0, 93, 101},
        {"bbr", 12500000, 40, 100, 0, 90, 101},     {"cubic", 12500000, 40, 20, 0, 80, 101},
        {"bbr", 12500000, 40, 20, 0, 88, 101},      {"reno", 12500000, 40, 100, 1000, 5, 40},
        {"cubic", 12500000, 40, 100, 1000, 8, 60},  {"bbr", 12500000, 40, 100, 1000, 70, 101},
        {"bbr", 12500000, 40, 100, 10000, 60, 101}, {"cubic", 1250000, 2, 300, 0, 93, 101},
        {"bbr", 1250000, 2, 300, 0, 85, 101},
    };

    fprintf(out, "controller  Mbit/s  RTT ms  buffer %%  loss %%   got %%\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct path_options o = {.congestion = {rows[i].congestion},
                                       .rate = rows[i].rate,
                                       .delay = rows[i].delay_ms * TERN_MS,
                                       .buffer_percent = rows[i].buffer_percent,
                                       .loss_ppm = rows[i].loss_ppm};
        const double got = measure(&o, WARM_UP, MEASURE);

        fprintf(out, "%-10s  %6u  %6u  %8u  %6.1f  %6.2f\n", rows[i].congestion,
                (unsigned)(rows[i].rate / 125000), rows[i].delay_ms, rows[i].buffer_percent,
                rows[i].loss_ppm / 1e4, got);
        expect(got >= rows[i].least, "goodput in percent, at least", got, rows[i].least);
        expect(got <= rows[i].most, "goodput in percent, at most", got, rows[i].most);
    }
}

/* Every twentieth frame is overtaken by those of an eighth of a round trip, and of a bit more than
 * a quarter. RACK's point is that the first is no loss (RFC 8985 §6.2 begins with a quarter); the
 * second it has to learn from the duplicates that are reported. */
static void reorder(void)
{
    fprintf(out, "controller  RTT ms  without %%  by RTT/8 %%  by RTT/4 + 0.1 ms %%\n");
    for (int c = 0; c < 3; c++)
        for (int d = 0; d < 3; d++) {
            struct path_options o = {.congestion = {controllers[c]},
                                     .rate = 6250000,
                                     .delay = delays_ms[d] * TERN_MS,
                                     .buffer_percent = 100};
            const double without = measure(&o, WARM_UP, MEASURE);
            double near, far;

            o.reorder_ppm = 50000;
            o.reorder_by = o.delay / 8;
            near = measure(&o, WARM_UP, MEASURE);
            o.reorder_by = o.delay / 4 + TERN_MS / 10;
            far = measure(&o, WARM_UP, MEASURE);
            fprintf(out, "%-10s  %6u  %9.2f  %10.2f  %19.2f\n", controllers[c], delays_ms[d],
                    without, near, far);
            expect(near >= 0.95 * without, "goodput with reordering", near, 0.95 * without);
            expect(far >= 0.95 * without, "goodput with late frames", far, 0.95 * without);
        }
}

/* Two flows of a kind from the same place to the same place, the second five seconds later. */
static void fair(void)
{
    fprintf(out, "controller  buffer BDP  first %%  second %%   Jain\n");
    for (int c = 0; c < 3; c++)
        for (uint32_t buffer = 100; buffer <= 200; buffer += 100) {
            const struct path_options o = {.congestion = {controllers[c], controllers[c]},
                                           .rate = 2500000,
                                           .delay = 20 * TERN_MS,
                                           .buffer_percent = buffer,
                                           .apart = 5 * TERN_SECOND};
            struct path p;
            double got[2], jain;

            path_open(&p, &o);
            path_run(&p, 31 * TERN_SECOND);
            got[0] = (double)p.flow[0].received;
            got[1] = (double)p.flow[1].received;
            path_run(&p, 91 * TERN_SECOND);
            got[0] = path_percent(&p, p.flow[0].received - (uint64_t)got[0], 60 * TERN_SECOND);
            got[1] = path_percent(&p, p.flow[1].received - (uint64_t)got[1], 60 * TERN_SECOND);
            path_close(&p);
            jain =
                (got[0] + got[1]) * (got[0] + got[1]) / (2 * (got[0] * got[0] + got[1] * got[1]));
            fprintf(out, "%-10s  %10u  %7.2f  %8.2f  %5.3f\n", controllers[c], buffer / 100, got[0],
                    got[1], jain);
            expect(jain >= 0.95, "Jain's index", jain, 0.95);
        }
}

static char *read_all(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 65536);

    if (text == NULL)
        abort();
    if (file == NULL)
        return text;
    if (fread(text, 1, 65535, file) == 0)
        text[0] = '\0';
    fclose(file);
    return text;
}

static void compare(const char *path, const char *text, bool write)
{
    char *before = read_all(path);
    const bool same = strcmp(before, text) == 0;
    const bool missing = before[0] == '\0';

    free(before);
    if (same)
        return;
    if (!write && missing) {
        printf("FAIL %s cannot be read, or is empty\n", path);
        failed++;
        return;
    }
    if (!write) {
        printf("FAIL %s holds something else than:\n%s", path, text);
        failed++;
        return;
    }
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0) {
        perror(path);
        failed++;
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *word;
        void (*run)(void);
    } tables[] = {{"goodput", goodput}, {"bounds", bounds}, {"reorder", reorder}, {"fair", fair}};
    char *text = NULL;
    size_t bytes = 0;

    for (size_t i = 0; argc >= 3 && i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (strcmp(argv[1], tables[i].word) != 0)
            continue;
        out = open_memstream(&text, &bytes);
        if (out == NULL)
            abort();
        tables[i].run();
        fclose(out);
        compare(argv[2], text, argc > 3 && strcmp(argv[3], "--write") == 0);
        free(text);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    fputs("usage: golden goodput|bounds|reorder|fair FILE [--write]\n", stderr);
    return 2;
}
