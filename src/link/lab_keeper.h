/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_LAB_KEEPER_H
#define TERN_LINK_LAB_KEEPER_H
/*
 * The keeper of a laboratory: the process that holds its namespaces, and what its owner asks of it
 * over a SOCK_SEQPACKET pair. lab.c is the owner's side.
 */
#include "link/lab.h"

enum tern_lab_ask { TERN_LAB_ASK_SOCKET, TERN_LAB_ASK_COUNTER };

struct tern_lab_request {
    enum tern_lab_ask ask;
    enum tern_lab_side side;
    char counter[64];
};

/* Also the keeper's first word, unasked: err, and the reason in words. A socket comes with it as
 * SCM_RIGHTS. */
struct tern_lab_answer {
    enum tern_err err;
    int system_error;
    int64_t value;
    char words[TERN_LINK_ERROR_MAX];
};

#define TERN_LAB_CLIENT_NAME "va"
#define TERN_LAB_SERVER_NAME "vb"
extern const struct tern_mac tern_lab_client_mac, tern_lab_server_mac;

/* The life of the keeper: build, answer, clean up, exit. owner_pid dying ends it. */
_Noreturn void tern_lab_keeper_main(const struct tern_lab_options *options, int socket_fd,
                                    int owner_pid);

/* The namespaces, in the keeper. */
struct tern_lab_rooms {
    int namespace_fd[2]; /* by side */
};
/* Build them; the words say what was refused. The caller is left in the client's. */
enum tern_err tern_lab_build(const struct tern_lab_options *options, struct tern_lab_rooms *rooms,
                             char *words);
/* Step into one; false with errno. */
bool tern_lab_enter(const struct tern_lab_rooms *rooms, enum tern_lab_side side);
/* Read a counter of the namespace that the caller is in; -1: there is none of that name. */
int64_t tern_lab_read_counter(const char *name);

#endif
