/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One URL: prepare, perform, judge, and perhaps again. The multi interface is used for one
 * transfer at a time, because its wait can be ended from the stack's thread (^C), and because the
 * connections live in it from one URL to the next.
 */
#include "cli/get_transfer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/say.h"
#include "os/clock.h"

#define POLL_MS          1000
#define RETRY_MS_FIRST   1000
#define RETRY_MS_LONGEST 600000

static CURLcode perform(struct get_transfer *t)
{
    struct get_job *job = t->job;
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    int running = 1, left = 0;
    CURLMsg *message;

    if (curl_multi_add_handle(job->multi, job->easy) != CURLM_OK)
        return CURLE_FAILED_INIT;
    while (running > 0 && !atomic_load(&job->stop)) {
        if (curl_multi_perform(job->multi, &running) != CURLM_OK) {
            result = CURLE_FAILED_INIT;
            break;
        }
        if (running > 0)
            (void)curl_multi_poll(job->multi, NULL, 0, POLL_MS, NULL);
    }
    while ((message = curl_multi_info_read(job->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            result = message->data.result;
    (void)curl_multi_remove_handle(job->multi, job->easy);
    return result;
}

static bool has_header(CURL *easy, const char *name)
{
    struct curl_header *header;

    return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK;
}

/* HTTP/1 without a length: only the end of the connection ends the body. */
static bool ends_with_connection(const struct get_transfer *t)
{
    CURL *easy = t->job->easy;
    long version = 0, status = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return version <= CURL_HTTP_VERSION_1_1 && status >= 200 && status != 204 && status != 304 &&
           !t->job->options->head && !has_header(easy, "Content-Length") &&
           !has_header(easy, "Transfer-Encoding");
}

static long status_of(const struct get_transfer *t)
{
    long status = 0;

    (void)curl_easy_getinfo(t->job->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static void tell_body(const struct get_transfer *t)
{
    curl_off_t bytes = 0;

    (void)curl_easy_getinfo(t->job->easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    if (t->job->milestones != NULL && status_of(t) > 0)
        tern_get_milestone_body(t->job->milestones, (uint64_t)bytes);
}

static void judge(struct get_transfer *t, CURLcode result)
{
    struct get_end end = {.result = result, .error = t->error};

    tell_body(t);
    end.asked = tern_socks_outcome(t->job->socks, t->serial_before, &end.outcome);
    end.until_close = result == CURLE_OK && ends_with_connection(t);
    t->code = tern_get_code(&end, t->words);
    (void)tern_socks_outcome(t->job->socks, 0, &t->outcome);
    if (t->output.words[0] != '\0') { /* more exact than libcurl's words */
        t->code = CURLE_WRITE_ERROR;
        (void)snprintf(t->words, sizeof t->words, "%s", t->output.words);
    }
    if (t->code == 0 && t->job->options->fail_with_body && status_of(t) >= 400) {
        t->code = CURLE_HTTP_RETURNED_ERROR;
        (void)snprintf(t->words, sizeof t->words, "the server answered %ld", status_of(t));
    }
}

static void attempt(struct get_transfer *t)
{
    struct tern_socks_outcome newest = {0};

    t->error[0] = '\0';
    t->words[0] = '\0';
    t->serial_before = tern_socks_outcome(t->job->socks, 0, &newest) ? newest.serial : 0;
    t->started_at = tern_clock_now();
    t->code = tern_get_easy_setup(t);
    if (t->code == 0)
        judge(t, perform(t));
    if (t->job->keys != NULL)
        tern_secrets_settle(t->job->keys); /* of a handshake that failed, none come */
    if (t->upload_fd >= 0)
        (void)close(t->upload_fd);
    t->upload_fd = -1;
}

/* Failures that may pass by themselves: curl's list. */
static bool may_pass(const struct get_transfer *t)
{
    const struct get_options *o = t->job->options;
    long status = status_of(t);

    if (o->retry_all && t->code != 0)
        return true;
    if (t->code == CURLE_OPERATION_TIMEDOUT || t->code == CURLE_COULDNT_RESOLVE_HOST)
        return true;
    if (t->code == CURLE_COULDNT_CONNECT)
        return o->retry_connrefused && t->outcome.err == TERN_ERR_REFUSED;
    if (t->code != 0 && t->code != CURLE_HTTP_RETURNED_ERROR)
        return false;
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
           status == 504;
}

static long wait_ms(const struct get_transfer *t, int tries)
{
    curl_off_t asked = 0;
    long ms = RETRY_MS_FIRST;

    (void)curl_easy_getinfo(t->job->easy, CURLINFO_RETRY_AFTER, &asked);
    if (asked > 0)
        return asked < RETRY_MS_LONGEST / 1000 ? (long)asked * 1000 : RETRY_MS_LONGEST;
    if (t->job->options->retry_delay_ms > 0)
        return t->job->options->retry_delay_ms;
    while (tries-- > 0 && ms < RETRY_MS_LONGEST)
        ms *= 2;
    return ms < RETRY_MS_LONGEST ? ms : RETRY_MS_LONGEST;
}

static void sleep_ms(struct get_job *job, long ms)
{
    tern_time end = tern_clock_now() + ms * TERN_MS;

    while (ms > 0 && !atomic_load(&job->stop)) {
        (void)curl_multi_poll(job->multi, NULL, 0, (int)ms, NULL);
        ms = (long)((end - tern_clock_now()) / TERN_MS);
    }
}

static void attempts(struct get_transfer *t)
{
    const struct get_options *o = t->job->options;
    int tries;

    attempt(t);
    for (tries = 0; tries < o->retry && may_pass(t) && !atomic_load(&t->job->stop); tries++) {
        long ms = wait_ms(t, tries);

        if (!o->silent)
            tern_complain("%s; trying again in %.1f s, %ld tries left",
                          t->words[0] != '\0' ? t->words : "the server cannot just now",
                          (double)ms / 1000, o->retry - tries);
        sleep_ms(t->job, ms);
        if (atomic_load(&t->job->stop))
            return;
        tern_get_output_rewind(&t->output);
        attempt(t);
    }
}

static char *join(const char *a, const char *between, const char *b)
{
    size_t bytes = strlen(a) + strlen(between) + strlen(b) + 1;
    char *text = malloc(bytes);

    if (text != NULL)
        (void)snprintf(text, bytes, "%s%s%s", a, between, b);
    return text;
}

/* The URL with -G's data, and with the name of -T's file where it ends in a slash. */
static char *make_url(const struct get_options *o, const struct get_item *item)
{
    const char *name;

    if (o->as_get && o->has_body)
        return join(item->url, strchr(item->url, '?') == NULL ? "?" : "&", o->body);
    if (item->upload == NULL || strcmp(item->upload, "-") == 0 || *item->url == '\0' ||
        item->url[strlen(item->url) - 1] != '/')
        return strdup(item->url);
    name = strrchr(item->upload, '/');
    return join(item->url, "", name == NULL ? item->upload : name + 1);
}

static void last_meter(struct get_transfer *t)
{
    curl_off_t down = 0, up = 0;
    struct get_progress progress = {.before = t->output.size_before};

    (void)curl_easy_getinfo(t->job->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
    (void)curl_easy_getinfo(t->job->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    progress.now = down > 0 ? down : up;
    progress.total = t->code == 0 ? progress.now : 0;
    progress.elapsed = tern_clock_now() - t->started_at;
    progress.columns = tern_get_meter_columns();
    if (progress.now > 0 && t->code == 0)
        tern_get_meter_draw(&t->meter, &progress, tern_clock_now(), true);
    else
        tern_say_progress(NULL, false);
}

static void report(struct get_transfer *t)
{
    const struct get_options *o = t->job->options;
    char *text;

    if (t->meter.on)
        last_meter(t);
    if (t->code != 0 && !atomic_load(&t->job->stop) && (!o->silent || o->show_error))
        tern_complain("(%d) %s", t->code, t->words);
    if (o->write_out == NULL)
        return;
    text = tern_get_write_out(t, o->write_out);
    if (text != NULL)
        (void)fputs(text, stdout);
    (void)fflush(stdout);
    free(text);
}

static bool meter_wanted(const struct get_options *o, const struct get_output *output)
{
    return !o->silent && !o->no_meter && isatty(STDERR_FILENO) &&
           (output->path != NULL || !isatty(STDOUT_FILENO));
}

static void run(struct get_transfer *t)
{
    const struct get_options *o = t->job->options;
    int code;

    t->code = tern_get_output_init(&t->output, o, t->item);
    if (t->code == 0) {
        t->meter.on = meter_wanted(o, &t->output);
        t->meter.bar = o->bar;
        attempts(t);
    }
    code = tern_get_output_finish(&t->output, t->code == 0);
    if (code != 0 && (t->code == 0 || t->code == CURLE_WRITE_ERROR)) {
        t->code = code;
        (void)snprintf(t->words, sizeof t->words, "%s", t->output.words);
    }
    report(t);
}

int tern_get_item_run(struct get_job *job, const struct get_item *item)
{
    struct get_transfer *t = calloc(1, sizeof *t);
    int code = CURLE_OUT_OF_MEMORY;

    if (t == NULL) {
        tern_complain("(%d) %s: out of memory", code, item->url);
        return code;
    }
    t->job = job;
    t->item = item;
    t->upload_fd = -1;
    t->url = make_url(job->options, item);
    if (t->url != NULL) {
        run(t);
        code = t->code;
    } else {
        tern_complain("(%d) %s: out of memory", code, item->url);
    }
    tern_get_output_fini(&t->output);
    free(t->url);
    free(t);
    return code;
}
