/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_GET_TRANSFER_H
#define TERN_CLI_GET_TRANSFER_H
/* One URL's transfer, and the thread that makes them one after the other. */
#include <pthread.h>
#include <stdatomic.h>

#include "cli/get_code.h"
#include "cli/get_meter.h"
#include "cli/get_milestone.h"
#include "cli/get_options.h"
#include "cli/get_output.h"
#include "cli/get_verbose.h"

/* What both threads share. The stack's thread makes it before and frees it after the other ran. */
struct get_job {
    const struct get_options *options;
    struct tern_socks *socks;
    struct tern_milestones *milestones; /* NULL: nobody listens */
    _Atomic(struct tern_loop *) loop;   /* to wake when done; NULL: not any more */
    CURLM *multi;
    CURL *easy;                /* the same for all transfers: cookies and such live on */
    FILE *dump;                /* -D */
    struct tern_secrets *keys; /* --secrets; NULL: none are wanted */
    _Atomic bool stop, done;
    int code; /* valid once done */
};

struct get_transfer {
    struct get_job *job;
    const struct get_item *item;
    struct get_output output;
    struct get_meter meter;
    struct get_verbose verbose;
    struct get_milestone milestone;
    char *url;     /* with -G's data and -T's name */
    int upload_fd; /* -1: none */
    curl_off_t upload_before;
    uint64_t serial_before; /* newer requests of the endpoint are this transfer's */
    tern_time started_at;
    char error[CURL_ERROR_SIZE];
    char words[TERN_GET_WORDS_MAX];
    struct tern_socks_outcome outcome; /* of the newest request; serial 0: none was made */
    int code;
};

/* Set every option of the easy handle. 0, or an exit code with words. */
int tern_get_easy_setup(struct get_transfer *t);
/* Run one item with its retries, say what went wrong, print -w. Returns the exit code. */
int tern_get_item_run(struct get_job *job, const struct get_item *item);
/* -w: format filled in from the transfer. To be freed; NULL: no memory. */
char *tern_get_write_out(const struct get_transfer *t, const char *format);
/* pthread_create()'s function; user is the job. */
void *tern_get_worker(void *user);

#endif
