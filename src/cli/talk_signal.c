/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIGINT and SIGTERM. The handler counts and wakes the loop; all else happens in the loop, so that
 * connections get their FIN and captures their end. The state is the process's, as
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

void tern_talk_signals(struct tern_loop *loop)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    atomic_store(&loop_to_wake, loop);
    if (loop == NULL)
        return;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

bool tern_talk_interrupted(void)
{
    return interrupts > 0;
}

int tern_talk_interrupts(void)
{
    return interrupts;
}
