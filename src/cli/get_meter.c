/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The progress line: percent, a bar, bytes, speed and time left, or, with -#, curl's bare bar.
 * Plain characters and no colour, redrawn ten times a second at most.
 */
#include "cli/get_meter.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/say.h"

#define REDRAW_NS   (100 * TERN_MS)
#define COLUMNS_MAX 200
#define FIGURES_MAX 160
#define BAR_LEAST   8
#define SIZE_TEXT   32

int tern_get_meter_columns(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
        return 80;
    return size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
}

static char *size_text(double value, char *out)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;

    while (value >= 1000 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000;
        unit++;
    }
    (void)snprintf(out, SIZE_TEXT, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return out;
}

static char *clock_text(double seconds, char *out)
{
    long s = seconds > 359999 ? 359999 : (long)(seconds + 0.5);

    if (s >= 3600)
        (void)snprintf(out, SIZE_TEXT, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        (void)snprintf(out, SIZE_TEXT, "%ld:%02ld", s / 60, s % 60);
    return out;
}

static double fraction_of(const struct get_progress *p)
{
    double all = (double)(p->before + p->total);
    double part = p->total <= 0 ? 0 : (double)(p->before + p->now) / all;

    return part > 1 ? 1 : part;
}

static void fill_bar(char *bar, int width, double fraction, char full, char empty)
{
    int done = (int)(fraction * width);
    int i;

    for (i = 0; i < width; i++)
        bar[i] = i < done ? full : empty;
    bar[width] = '\0';
}

static char *bare_bar(const struct get_progress *p, char *out, size_t bytes)
{
    char bar[COLUMNS_MAX + 1];
    int width = p->columns - 9;

    fill_bar(bar, width < 1 ? 1 : width, fraction_of(p), '#', ' ');
    (void)snprintf(out, bytes, "%s %5.1f%%", bar, fraction_of(p) * 100);
    return out;
}

static void figures(const struct get_progress *p, char *out)
{
    char now[SIZE_TEXT], total[SIZE_TEXT], speed[SIZE_TEXT], left[SIZE_TEXT];
    double seconds = (double)p->elapsed / 1e9;
    double rate = seconds > 0 ? (double)p->now / seconds : 0;

    (void)size_text((double)(p->before + p->now), now);
    (void)size_text(rate, speed);
    if (p->total <= 0) {
        (void)snprintf(out, FIGURES_MAX, "%s  %s/s  %s", now, speed, clock_text(seconds, left));
        return;
    }
    (void)size_text((double)(p->before + p->total), total);
    if (p->now >= p->total || rate <= 0)
        (void)snprintf(out, FIGURES_MAX, "%s of %s  %s/s  %s", now, total, speed,
                       clock_text(seconds, left));
    else
        (void)snprintf(out, FIGURES_MAX, "%s of %s  %s/s  %s left", now, total, speed,
                       clock_text((double)(p->total - p->now) / rate, left));
}

char *tern_get_meter_line(const struct get_progress *progress, bool bar, char *out, size_t bytes)
{
    char text[FIGURES_MAX], drawn[COLUMNS_MAX + 1];
    int width;

    if (bar)
        return bare_bar(progress, out, bytes);
    figures(progress, text);
    width = progress->columns - 1 - (int)strlen(text) - 9;
    if (progress->total <= 0 || width < BAR_LEAST) {
        (void)snprintf(out, bytes, "%.*s", progress->columns - 1, text);
        return out;
    }
    fill_bar(drawn, width < 40 ? width : 40, fraction_of(progress), '=', ' ');
    (void)snprintf(out, bytes, "%3.0f%% [%s] %s", fraction_of(progress) * 100, drawn, text);
    return out;
}

void tern_get_meter_draw(struct get_meter *meter, const struct get_progress *progress,
                         tern_time now, bool last)
{
    char line[COLUMNS_MAX * 2];

    if (!meter->on || (!last && now - meter->drawn_at < REDRAW_NS))
        return;
    meter->drawn_at = now;
    tern_say_progress(tern_get_meter_line(progress, meter->bar, line, sizeof line), last);
}
