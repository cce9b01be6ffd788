/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern get: two threads. This one runs the stack: link, TCP, resolver and the SOCKS endpoint; the
 * other runs libcurl, which talks to the endpoint and writes the output. So a slow disk, a slow
 * terminal or a long TLS computation never delays an ACK. They share a struct get_job, the lanes
 * with their sockets (apps/lane.h) and nothing else.
 *
 * Order: the link first (--link lab forks, which must come before there are threads), then the
 * endpoint, then the thread. At ^C libcurl is told to stop; its connections are then closed on the
 * wire like any others. A second ^C, or a libcurl that hangs in a blocked write, is not waited
 * for.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/inet_guard.h"
#include "apps/sink.h"
#include "cli/get_keys.h"
#include "cli/get_transfer.h"
#include "cli/say.h"
#include "cli/verbs.h"
#include "os/schedule.h"

#define EXIT_FAILED_INIT 2
#define EXIT_INTERFACE   45
#define EXIT_INTERRUPTED 130

#define LINGER        TERN_SECOND     /* for the last FINs to be answered */
#define LINGER_SHORT  (100 * TERN_MS) /* the same when the time was up already */
#define STOP_PATIENCE TERN_SECOND     /* for libcurl to stop */
#define SETTLE_TURNS  64

struct get {
    struct get_options options;
    struct tern_talk talk;
    struct tern_dns *dns;
    struct tern_socks *socks;
    struct get_job job;
    bool unrung; /* the endpoint's clients are not told yet of what came */
    pthread_t thread;
    bool thread_left; /* it would not stop: leave without it */
};

void *tern_get_worker(void *user)
{
    struct get_job *job = user;
    struct tern_loop *loop;
    int i;

    tern_inet_guard();
    for (i = 0; i < job->options->items_count && !atomic_load(&job->stop); i++)
        job->code = tern_get_item_run(job, &job->options->items[i]);
    curl_easy_cleanup(job->easy); /* writes the cookie jar */
    (void)curl_multi_cleanup(job->multi);
    atomic_store(&job->done, true);
    loop = atomic_load(&job->loop);
    if (loop != NULL)
        tern_loop_wake(loop);
    return NULL;
}

static void say_line(const char *line)
{
    tern_say("%s", line);
}

static enum tern_err open_apps(struct get *get)
{
    struct tern_dns_options dns = {.loop = get->talk.loop,
                                   .milestones = get->talk.milestones,
                                   .server = {get->talk.dns, get->talk.dns_port}};
    struct tern_socks_options socks = {
        .loop = get->talk.loop,
        .overrides = get->options.overrides,
        .say = get->options.talk.verbose ? say_line : NULL,
    };
    enum tern_err err = tern_dns_create(&dns, &get->dns);

    if (err != TERN_ERR_OK)
        return err;
    socks.dns = get->dns;
    return tern_socks_create(&socks, &get->socks);
}

static bool open_curl(struct get *get)
{
    struct get_job *job = &get->job;

    job->options = &get->options;
    job->socks = get->socks;
    job->milestones = get->talk.milestones;
    atomic_store(&job->loop, get->talk.loop);
    if (get->options.dump_header != NULL) {
        bool to_stdout = strcmp(get->options.dump_header, "-") == 0;

        job->dump = to_stdout ? stdout : fopen(get->options.dump_header, "wb");
        if (job->dump == NULL) {
            tern_complain("(23) cannot write to %s: %s", get->options.dump_header, strerror(errno));
            job->code = CURLE_WRITE_ERROR;
            return false;
        }
    }
    tern_inet_guard(); /* libcurl looks whether the kernel has IPv6 by opening a socket */
    job->multi = curl_multi_init();
    job->easy = curl_easy_init();
    tern_inet_unguard();
    if (job->multi != NULL && job->easy != NULL)
        return true;
    tern_complain("(2) libcurl would not start");
    job->code = EXIT_FAILED_INIT;
    return false;
}

/* Signals are this thread's: they wake its loop. */
static bool start_thread(struct get *get)
{
    sigset_t all, before;
    int error;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    error = pthread_create(&get->thread, NULL, tern_get_worker, &get->job);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        tern_complain("(2) cannot start a thread: %s", strerror(error));
    tern_schedule_soon(); /* not libcurl's thread: ACKs come before files */
    return error == 0;
}

static enum tern_err turn(struct get *get, tern_time until)
{
    tern_time deadline = get->unrung ? 0 : tern_dns_deadline(get->dns);
    struct tern_event event;
    enum tern_err err = tern_talk_run(&get->talk, deadline < until ? deadline : until);

    while (tern_stack_event(get->talk.stack, &event))
        if (!tern_talk_event(&get->talk, &event))
            tern_sink_hear(&event);
    get->unrung = tern_socks_turn(get->socks);
    tern_dns_expire(get->dns, tern_loop_now(get->talk.loop));
    return err;
}

static void tell_to_stop(struct get *get)
{
    if (!atomic_exchange(&get->job.stop, true))
        (void)curl_multi_wakeup(get->job.multi);
}

/* Until libcurl is done, or was told to stop and has had its time. */
static int run_loop(struct get *get)
{
    tern_time give_up = TERN_TIME_NEVER;
    int code = 0;

    while (!atomic_load(&get->job.done)) {
        bool failed = turn(get, give_up) != TERN_ERR_OK;
        bool stopping = failed || tern_talk_interrupted();

        if (stopping && give_up == TERN_TIME_NEVER) {
            code = failed ? EXIT_INTERFACE : EXIT_INTERRUPTED;
            give_up = tern_loop_now(get->talk.loop) + STOP_PATIENCE;
            tell_to_stop(get);
        }
        if (failed) /* nothing moves any more: wait for libcurl alone */
            (void)usleep(1000);
        if (give_up != TERN_TIME_NEVER &&
            (tern_talk_interrupts() > 1 || tern_loop_now(get->talk.loop) >= give_up))
            break;
    }
    get->thread_left = !atomic_load(&get->job.done);
    if (!get->thread_left)
        (void)pthread_join(get->thread, NULL);
    return code;
}

/* The endpoint hears that libcurl closed its sockets, and closes the connections. */
static void settle(struct get *get)
{
    int i;

    for (i = 0; i < SETTLE_TURNS && !tern_socks_idle(get->socks); i++)
        if (turn(get, tern_loop_now(get->talk.loop) + TERN_MS) != TERN_ERR_OK)
            return;
}

static int fetch(struct get *get)
{
    int code;

    if (open_apps(get) != TERN_ERR_OK) {
        tern_complain("(2) cannot start: %s", strerror(errno));
        return EXIT_FAILED_INIT;
    }
    if (!open_curl(get))
        return get->job.code;
    if (!start_thread(get))
        return EXIT_FAILED_INIT;
    code = run_loop(get);
    settle(get);
    return code != 0 ? code : get->job.code;
}

static tern_time linger(const struct get *get, int code)
{
    bool hurry = code == CURLE_OPERATION_TIMEDOUT || code == EXIT_INTERRUPTED;

    if (get->thread_left)
        return 0;
    return hurry ? LINGER_SHORT : LINGER;
}

static void say_interrupted(const struct get *get)
{
    if (!get->options.silent || get->options.show_error)
        tern_complain("(%d) interrupted", EXIT_INTERRUPTED);
}

/* --secrets: where the keys of libcurl's thread wait for the capture of this one. */
static int open_keys(struct get *get)
{
    if (!get->options.talk.secrets)
        return 0;
    if (!tern_get_keys_possible()) {
        tern_complain("(2) --secrets: this libcurl speaks TLS by %s, which tern cannot ask for its "
                      "keys; with OpenSSL it can",
                      curl_version_info(CURLVERSION_NOW)->ssl_version);
        return EXIT_FAILED_INIT;
    }
    get->job.keys = tern_secrets_create();
    get->options.talk.keys = get->job.keys;
    if (get->job.keys != NULL)
        return 0;
    tern_complain("(2) out of memory");
    return EXIT_FAILED_INIT;
}

static int talk_and_fetch(struct get *get)
{
    int code = open_keys(get);
    int close_code;

    if (code == 0)
        code = tern_talk_open(&get->talk, &get->options.talk);
    if (code == 0)
        code = fetch(get);
    else if (code != EXIT_INTERRUPTED)
        return code;
    if (code == EXIT_INTERRUPTED)
        say_interrupted(get);
    if (get->talk.loop == NULL)
        return code;
    if (get->thread_left) { /* it may still ask the endpoint, which stays; but not the loop */
        atomic_store(&get->job.loop, NULL);
        get->talk.milestones = NULL; /* they are that thread's, as long as it lives */
        tern_socks_shut(get->socks);
    } else {
        tern_dns_destroy(get->dns);
        tern_socks_destroy(get->socks);
    }
    close_code = tern_talk_close(&get->talk, linger(get, code));
    if (get->job.dump != NULL && get->job.dump != stdout && !get->thread_left &&
        fclose(get->job.dump) != 0)
        close_code = CURLE_WRITE_ERROR;
    return code != 0 ? code : close_code;
}

int tern_verb_get(int argc, char **argv)
{
    struct get *get = calloc(1, sizeof *get);
    int code;

    if (get == NULL) {
        tern_complain("(%d) out of memory", EXIT_FAILED_INIT);
        return EXIT_FAILED_INIT;
    }
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    code = tern_get_options_parse(&get->options, argc, argv);
    if (code == 0 && get->options.help) {
        (void)fputs(tern_get_help, stdout);
        (void)fputs(tern_talk_help, stdout);
    } else if (code == 0) {
        code = talk_and_fetch(get);
    }
    if (get->thread_left)
        _exit(code); /* the other thread still uses all of this */
    tern_secrets_destroy(get->job.keys);
    tern_get_options_free(&get->options);
    curl_global_cleanup();
    free(get);
    return code;
}
