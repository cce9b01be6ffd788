/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper: a process that builds the laboratory, starts what serves in it, and then answers
 * requests until its owner closes the socket or dies. Nothing of a laboratory has a name in the
 * file system, so when the keeper ends, all of it is gone.
 *
 * It must end with its owner, however that ends: the kernel kills it when the owner dies
 * (PR_SET_PDEATHSIG, set again after unshare(), which clears it), and so the kernel kills the
 * serving process when the keeper dies. It has its own process group and ignores ^C: that is for
 * the owner, who closes things in order. Standard input and output are not kept.
 */
#include "link/lab_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "link/words.h"

#define READY_TIMEOUT_MS 5000

struct keeper {
    int socket_fd;
    struct tern_lab_rooms rooms;
    pid_t server_pid; /* 0: none */
};

/* The serving process's word that it listens; ready() has no argument to carry it. */
static int ready_fd = -1;

static void send_answer(const struct keeper *k, const struct tern_lab_answer *answer, int fd)
{
    union {
        struct cmsghdr header; /* for its alignment */
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec piece = {.iov_base = (void *)(uintptr_t)answer, .iov_len = sizeof(*answer)};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    struct cmsghdr *c;

    if (fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    }
    (void)sendmsg(k->socket_fd, &message, MSG_NOSIGNAL); /* the owner is gone: so are we, soon */
}

static void answer_socket(const struct keeper *k, struct tern_lab_answer *answer)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        answer->err = TERN_ERR_SYSTEM;
        answer->system_error = errno;
    }
    send_answer(k, answer, fd);
    if (fd >= 0)
        (void)close(fd);
}

static void answer_request(const struct keeper *k, struct tern_lab_request *request)
{
    struct tern_lab_answer answer = {.err = TERN_ERR_OK, .value = -1};

    request->counter[sizeof(request->counter) - 1] = '\0';
    if (!tern_lab_enter(&k->rooms, request->side)) {
        answer.err = TERN_ERR_SYSTEM;
        answer.system_error = errno;
        send_answer(k, &answer, -1);
        return;
    }
    switch (request->ask) {
    case TERN_LAB_ASK_SOCKET:
        answer_socket(k, &answer);
        return;
    case TERN_LAB_ASK_COUNTER:
        answer.value = tern_lab_read_counter(request->counter);
        break;
    }
    send_answer(k, &answer, -1);
}

/* Answer until the owner's end closes. */
static void answer_requests(const struct keeper *k)
{
    struct tern_lab_request request;
    ssize_t n;

    for (;;) {
        n = recv(k->socket_fd, &request, sizeof(request), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n != (ssize_t)sizeof(request))
            return;
        answer_request(k, &request);
    }
}

static void forget_terminal(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)dup2(fd, STDIN_FILENO);
    (void)dup2(fd, STDOUT_FILENO);
    if (fd > STDERR_FILENO)
        (void)close(fd);
}

static void die_with(pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1); /* it died before the kernel knew that we care */
}

static void reset_signals(void)
{
    static const int defaults[] = {SIGTERM, SIGHUP, SIGCHLD, SIGALRM, SIGUSR1, SIGUSR2, SIGWINCH};
    sigset_t none;

    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
        (void)signal(defaults[i], SIG_DFL);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGQUIT, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void say_ready(void)
{
    char one = 1;
    ssize_t n;

    if (ready_fd < 0)
        return;
    n = write(ready_fd, &one, 1);
    (void)n;
    (void)close(ready_fd);
    ready_fd = -1;
}

/* True once the process at the other end has said so; false: it ended, or said nothing for long. */
static bool wait_ready(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char one;
    int n;

    do
        n = poll(&p, 1, READY_TIMEOUT_MS);
    while (n < 0 && errno == EINTR);
    return n == 1 && read(fd, &one, 1) == 1;
}

static enum tern_err start_server(struct keeper *k, const struct tern_lab_options *options,
                                  char *words)
{
    pid_t keeper = getpid();
    int pipe_fd[2];
    bool ready;

    if (!tern_lab_enter(&k->rooms, TERN_LAB_SERVER) || pipe2(pipe_fd, O_CLOEXEC) != 0) {
        tern_link_say(words, "cannot start the lab's server: %s", strerror(errno));
        return TERN_ERR_SYSTEM;
    }
    k->server_pid = fork();
    if (k->server_pid == 0) {
        die_with(keeper);
        (void)close(k->socket_fd);
        (void)close(pipe_fd[0]);
        ready_fd = pipe_fd[1];
        options->serve(options->serve_user, say_ready);
        _exit(0);
    }
    (void)close(pipe_fd[1]);
    ready = k->server_pid > 0 && wait_ready(pipe_fd[0]);
    (void)close(pipe_fd[0]);
    if (!ready) {
        tern_link_say(words, "the lab's server did not start");
        return TERN_ERR_SYSTEM;
    }
    return TERN_ERR_OK;
}

static void stop_server(const struct keeper *k)
{
    if (k->server_pid <= 0)
        return;
    (void)kill(k->server_pid, SIGKILL);
    (void)waitpid(k->server_pid, NULL, 0);
}

_Noreturn void tern_lab_keeper_main(const struct tern_lab_options *options, int socket_fd,
                                    int owner_pid)
{
    struct keeper k = {.socket_fd = socket_fd, .rooms = {.namespace_fd = {-1, -1}}};
    struct tern_lab_answer hello = {0};

    TERN_ASSERT(socket_fd >= 0);
    (void)setpgid(0, 0);
    reset_signals();
    forget_terminal();
    die_with(owner_pid);
    hello.err = tern_lab_build(options, &k.rooms, hello.words);
    die_with(owner_pid);
    if (hello.err == TERN_ERR_OK && options->serve != NULL)
        hello.err = start_server(&k, options, hello.words);
    send_answer(&k, &hello, -1);
    if (hello.err == TERN_ERR_OK)
        answer_requests(&k);
    stop_server(&k);
    _exit(0);
}
