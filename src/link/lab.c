/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The owner's side of a laboratory: fork the keeper, hear whether it could build, ask it for
 * sockets and counters, and end it. The keeper answers each request at once, so the owner waits for
 * it (at most ANSWER_TIMEOUT_MS); these calls are for setting up and for reading results.
 */
#include "link/lab.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "link/lab_keeper.h"
#include "link/words.h"

#define ANSWER_TIMEOUT_MS 10000
#define CLOSE_TIMEOUT_MS  2000

struct tern_lab {
    int socket_fd;
    pid_t keeper_pid;
};

/* Keep the descriptor that came with an answer. -1: none did. */
static int take_descriptor(struct msghdr *message)
{
    const struct cmsghdr *c = CMSG_FIRSTHDR(message);
    int fd = -1;

    if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    return fd;
}

/* Wait for the keeper's next answer. False: it is gone, or silent. */
static bool hear(const struct tern_lab *lab, struct tern_lab_answer *answer, int *fd)
{
    union {
        struct cmsghdr header; /* for its alignment */
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec piece = {.iov_base = answer, .iov_len = sizeof(*answer)};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    struct pollfd p = {.fd = lab->socket_fd, .events = POLLIN};
    int ready;

    do
        ready = poll(&p, 1, ANSWER_TIMEOUT_MS);
    while (ready < 0 && errno == EINTR);
    if (ready != 1)
        return false;
    if (recvmsg(lab->socket_fd, &message, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(*answer))
        return false;
    *fd = take_descriptor(&message);
    return true;
}

static bool ask(const struct tern_lab *lab, const struct tern_lab_request *request,
                struct tern_lab_answer *answer, int *fd)
{
    ssize_t n = send(lab->socket_fd, request, sizeof(*request), MSG_NOSIGNAL);

    return n == (ssize_t)sizeof(*request) && hear(lab, answer, fd);
}

static enum tern_err start_keeper(const struct tern_lab_options *options, struct tern_lab *lab)
{
    pid_t owner = getpid();
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return TERN_ERR_SYSTEM;
    lab->keeper_pid = fork();
    if (lab->keeper_pid == 0) {
        (void)close(pair[0]);
        tern_lab_keeper_main(options, pair[1], owner);
    }
    (void)close(pair[1]);
    lab->socket_fd = pair[0];
    if (lab->keeper_pid > 0)
        return TERN_ERR_OK;
    (void)close(pair[0]);
    return TERN_ERR_SYSTEM;
}

enum tern_err tern_lab_open(const struct tern_lab_options *options, struct tern_lab **out,
                            char *error_text)
{
    struct tern_lab *lab = calloc(1, sizeof(*lab));
    struct tern_lab_answer hello = {0};
    enum tern_err err;
    int fd = -1;

    if (lab == NULL) {
        tern_link_say(error_text, "cannot make a lab: out of memory");
        return TERN_ERR_MEMORY;
    }
    err = start_keeper(options, lab);
    if (err != TERN_ERR_OK) {
        tern_link_say(error_text, "cannot start the lab's keeper: %s", strerror(errno));
        free(lab);
        return err;
    }
    if (!hear(lab, &hello, &fd)) {
        hello.err = TERN_ERR_SYSTEM;
        tern_link_say(hello.words, "the lab's keeper ended without a word");
    }
    if (hello.err == TERN_ERR_OK) {
        *out = lab;
        return TERN_ERR_OK;
    }
    tern_link_say(error_text, "%.*s", TERN_LINK_ERROR_MAX - 1, hello.words);
    tern_lab_close(lab);
    return hello.err;
}

int tern_lab_packet_socket(struct tern_lab *lab, enum tern_lab_side side)
{
    struct tern_lab_request request = {.ask = TERN_LAB_ASK_SOCKET, .side = side};
    struct tern_lab_answer answer;
    int fd = -1;

    if (!ask(lab, &request, &answer, &fd)) {
        errno = EPIPE;
        return -1;
    }
    if (fd < 0)
        errno = answer.system_error;
    return fd;
}

const char *tern_lab_interface(const struct tern_lab *lab, enum tern_lab_side side)
{
    (void)lab;
    return side == TERN_LAB_CLIENT ? TERN_LAB_CLIENT_NAME : TERN_LAB_SERVER_NAME;
}

struct tern_mac tern_lab_mac(const struct tern_lab *lab, enum tern_lab_side side)
{
    (void)lab;
    return side == TERN_LAB_CLIENT ? tern_lab_client_mac : tern_lab_server_mac;
}

int64_t tern_lab_counter(struct tern_lab *lab, enum tern_lab_side side, const char *name)
{
    struct tern_lab_request request = {.ask = TERN_LAB_ASK_COUNTER, .side = side};
    struct tern_lab_answer answer;
    int fd = -1;

    if (strlen(name) >= sizeof(request.counter))
        return -1;
    memcpy(request.counter, name, strlen(name));
    if (!ask(lab, &request, &answer, &fd) || answer.err != TERN_ERR_OK)
        return -1;
    return answer.value;
}

void tern_lab_close(struct tern_lab *lab)
{
    struct pollfd p = {.fd = lab == NULL ? -1 : lab->socket_fd, .events = POLLIN};

    if (lab == NULL)
        return;
    TERN_ASSERT(lab->keeper_pid > 0);
    /* Its end closes when it has ended its server and itself; the signal is for one that hangs. */
    (void)shutdown(lab->socket_fd, SHUT_WR);
    (void)poll(&p, 1, CLOSE_TIMEOUT_MS);
    (void)kill(lab->keeper_pid, SIGKILL);
    while (waitpid(lab->keeper_pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    (void)close(lab->socket_fd);
    free(lab);
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

enum tern_err tern_link_lab_open(struct tern_lab *lab,
                                 const struct tern_link_packet_options *options,
                                 struct tern_link **out, char *error_text)
{
    struct tern_link_packet_options own = *options;
    enum tern_err err;

    own.interface = TERN_LAB_CLIENT_NAME;
    own.socket_fd = tern_lab_packet_socket(lab, TERN_LAB_CLIENT);
    own.second_socket_fd = tern_lab_packet_socket(lab, TERN_LAB_CLIENT);
    if (own.socket_fd < 0 || own.second_socket_fd < 0) {
        tern_link_say(error_text, "cannot open a socket in the lab: %s", strerror(errno));
        err = TERN_ERR_SYSTEM;
    } else {
        err = tern_link_packet_open(&own, out, error_text);
    }
    if (err != TERN_ERR_OK) {
        close_if_open(own.socket_fd);
        close_if_open(own.second_socket_fd);
        return err;
    }
    (void)snprintf((*out)->info.name, sizeof((*out)->info.name), "lab");
    (*out)->info.private_network = true;
    return TERN_ERR_OK;
}
