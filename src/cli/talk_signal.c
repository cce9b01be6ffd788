/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIGINT, SIGTERM and SIGHUP. The handler counts and wakes the loop; all else happens in the loop,
 * so that connections get their FIN and captures their end. The state is the process's, as
 * signals are: the handler can be given no argument.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

#include "cli/talk_parts.h"

static volatile sig_atomic_t interrupts;
static _Atomic(struct tern_loop *) loop_to_wake;

static void on_signal(int number)
{
    struct tern_loop *loop = atomic_load(&loop_to_wake);

    (void)number;
    if (interrupts < 100)
        interrupts = interrupts + 1;
    if (loop != NULL)
        tern_loop_wake(loop);
}

/* Under nohup it stays ignored. */
static void hear_hangups(const struct sigaction *action)
{
    struct sigaction before;

    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        (void)sigaction(SIGHUP, action, NULL);
}

void tern_talk_signals_hear(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    hear_hangups(&action);
}

void tern_talk_signals(struct tern_loop *loop)
{
    atomic_store(&loop_to_wake, loop);
    if (loop != NULL)
        tern_talk_signals_hear();
}

bool tern_talk_interrupted(void)
{
    return interrupts > 0;
}

int tern_talk_interrupts(void)
{
    return interrupts;
}
