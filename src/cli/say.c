/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines on standard error. A line is put together in a buffer and leaves in one write(2), under a
 * lock, so that the thread of the stack and the thread of libcurl never interleave. While a
 * progress line stands at the bottom of the terminal, each other line first wipes it; the next
 * drawing brings it back. Control characters that came from outside are shown as '?', since a
 * terminal obeys them.
 */
#include "cli/say.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SAY_LINE_MAX 4096
#define SAY_WIPE     "\r\033[K"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool progress_drawn;

static void write_all(const char *text, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = write(STDERR_FILENO, text, bytes);

        if (n <= 0)
            return;
        text += n;
        bytes -= (size_t)n;
    }
}

/* The two-byte form of the control characters that lie above ASCII. */
static bool is_high_control(const unsigned char *p)
{
    return p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0;
}

static void tame(char *text)
{
    unsigned char *p = (unsigned char *)text;

    for (; *p != '\0'; p++) {
        if (is_high_control(p))
            p[0] = p[1] = '?';
        if ((*p < 0x20 && *p != '\t') || *p == 0x7f)
            *p = '?';
    }
}

static void say(const char *prefix, const char *format, va_list arguments)
{
    char line[SAY_LINE_MAX];
    size_t head = strlen(SAY_WIPE) + strlen(prefix);
    size_t length;

    memcpy(line, SAY_WIPE, strlen(SAY_WIPE));
    memcpy(line + strlen(SAY_WIPE), prefix, strlen(prefix));
    (void)vsnprintf(line + head, sizeof line - head - 1, format, arguments);
    tame(line + strlen(SAY_WIPE));
    length = strlen(line);
    line[length++] = '\n';

    (void)pthread_mutex_lock(&lock);
    if (progress_drawn)
        write_all(line, length);
    else
        write_all(line + strlen(SAY_WIPE), length - strlen(SAY_WIPE));
    progress_drawn = false;
    (void)pthread_mutex_unlock(&lock);
}

void tern_say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say("", format, arguments);
    va_end(arguments);
}

void tern_complain(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say("tern: ", format, arguments);
    va_end(arguments);
}

void tern_say_progress(const char *line, int keep)
{
    char text[SAY_LINE_MAX];
    int length = snprintf(text, sizeof text, SAY_WIPE "%s%s", line == NULL ? "" : line,
                          keep && line != NULL ? "\n" : "");

    (void)pthread_mutex_lock(&lock);
    if (line != NULL || progress_drawn)
        write_all(text, length < (int)sizeof text ? (size_t)length : sizeof text - 1);
    progress_drawn = line != NULL && !keep;
    (void)pthread_mutex_unlock(&lock);
}
