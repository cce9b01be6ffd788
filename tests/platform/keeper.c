/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the lab relies on: that its processes end with its owner even if that is killed, which is
 * told by a pipe that all of them hold; and that ^C does not reach them.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "link/lab.h"
#include "probe.h"

#define WAIT_MS 20000 /* only so that a failure ends */

static void serve(void *user, void (*ready)(void))
{
    (void)user;
    ready();
    for (;;)
        (void)pause();
}

/* An owner in a process of its own group: opens a lab, says so on the pipe, and waits to be killed.
 */
static void own_a_lab(int out)
{
    struct tern_lab_options options = {.server = {tern_addr_v4(10, 9, 0, 1), 24}, .serve = serve};
    struct tern_lab *lab;
    enum tern_err err = tern_lab_open(&options, &lab, NULL);
    char word = err == TERN_ERR_OK ? 'y' : 'n';

    (void)signal(SIGINT, SIG_IGN); /* only now, or the keeper would have it from here */
    if (write(out, &word, 1) != 1 || err != TERN_ERR_OK)
        _exit(1);
    (void)close(out); /* from here on only the lab's processes hold it */
    for (;;)
        (void)pause();
}

static pid_t start_owner(const int pipe_fd[2])
{
    pid_t owner = fork();
    char word = 'n';

    if (owner == 0) {
        (void)setpgid(0, 0);
        (void)close(pipe_fd[0]);
        own_a_lab(pipe_fd[1]);
    }
    (void)close(pipe_fd[1]);
    if (read(pipe_fd[0], &word, 1) != 1 || word != 'y') {
        (void)waitpid(owner, NULL, 0);
        skip_all("no lab");
    }
    return owner;
}

/* Everyone who holds the other end is gone. */
static bool all_gone(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char c;

    return poll(&p, 1, WAIT_MS) == 1 && read(fd, &c, 1) == 0;
}

int main(void)
{
    struct pollfd p = {.events = POLLIN};
    int pipe_fd[2];
    pid_t owner;

    if (pipe(pipe_fd) != 0)
        skip_all("no pipe");
    owner = start_owner(pipe_fd);
    (void)kill(owner, SIGKILL);
    (void)waitpid(owner, NULL, 0);
    fact("the owner killed: keeper and server end", all_gone(pipe_fd[0]));
    (void)close(pipe_fd[0]);

    if (pipe(pipe_fd) != 0)
        skip_all("no pipe");
    owner = start_owner(pipe_fd);
    (void)kill(-owner, SIGINT); /* as the terminal sends it to a foreground group */
    p.fd = pipe_fd[0];
    fact("^C to the owner's group does not reach them", poll(&p, 1, 200) == 0);
    (void)kill(owner, SIGKILL);
    (void)waitpid(owner, NULL, 0);
    fact("and they end with it all the same", all_gone(pipe_fd[0]));
    return probe_failures == 0 ? 0 : 1;
}
