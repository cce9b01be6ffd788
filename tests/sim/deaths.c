/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deaths, by signals and a long jump out of them. That is no way to go on in general, for what was
 * under way stays half done; but a world consists of memory that the next seed fills anew. Where
 * AddressSanitizer stands by, bad addresses are left to it, for it says more. See deaths.h.
 */
#include "deaths.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/assert.h"

static volatile sig_atomic_t living;
static sigjmp_buf out;
static char words[300];

/* In place of the library's own, which always ends the process. */
_Noreturn void tern_assert_failed(const char *what, const char *file, int line)
{
    if (!living) {
        fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
        abort();
    }
    snprintf(words, sizeof(words), "it dies: %s:%d: assertion failed: %s", file, line, what);
    siglongjmp(out, 1);
}

static void on_signal(int number)
{
    if (!living) { /* nowhere to go: the signal again, and none catches it */
        signal(number, SIG_DFL);
        return;
    }
    if (number == SIGVTALRM)
        snprintf(words, sizeof(words), "it loops for ever");
    else
        snprintf(words, sizeof(words), "it dies: %s", strsignal(number));
    siglongjmp(out, 1);
}

static void watch(void)
{
#ifdef __SANITIZE_ADDRESS__
    static const int deadly[] = {SIGVTALRM, SIGABRT};
#else
    static const int deadly[] = {SIGVTALRM, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
#endif
    struct sigaction action = {.sa_handler = on_signal};

    for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
        sigaction(deadly[i], &action, NULL);
}

static void set_timer(int seconds)
{
    const struct itimerval timer = {.it_value = {.tv_sec = seconds}};

    setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

const char *deaths_of(void (*life)(void *about), void *about, int seconds_max)
{
    watch();
    set_timer(seconds_max);
    if (sigsetjmp(out, 1) == 0) {
        living = 1;
        life(about);
        words[0] = '\0';
    }
    living = 0;
    set_timer(0);
    return words[0] != '\0' ? words : NULL;
}
