/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The easy handle of one transfer: curl's flags as libcurl's options, and the way to tern. libcurl
 * is told of a SOCKS5 proxy that resolves names; the socket that it opens for it leads to the
 * endpoint in this process. Proxies of the environment are ignored.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/inet_guard.h"
#include "cli/get_keys.h"
#include "cli/get_transfer.h"
#include "os/clock.h"

#define EXIT_READ 26
#define EXIT_FINE 0

#define RECEIVE_BUFFER_BYTES (512L * 1024)
#define UPLOAD_BUFFER_BYTES  (256L * 1024)

/* No such proxy exists: sockets of this thread are taken to the endpoint. */
#define ENDPOINT_URL "socks5h://127.0.0.1:1"

/* A descriptor that is connected to the endpoint, whatever libcurl connects it to
 * (apps/inet_guard.h). */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct get_job *job = user;
    struct tern_lane *lane;
    int fd;

    (void)purpose;
    (void)address;
    if (tern_socks_open(job->socks, &fd, &lane) != TERN_ERR_OK)
        return CURL_SOCKET_BAD;
    if (tern_inet_guard_enter(fd, lane) == TERN_ERR_OK)
        return fd;
    (void)close(fd);
    tern_lane_give(lane);
    return CURL_SOCKET_BAD;
}

static int close_socket(void *user, curl_socket_t fd)
{
    (void)user;
    return tern_inet_guard_close(fd);
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct get_transfer *t = user;

    if (!tern_get_output_write(&t->output, data, size * count))
        return CURL_WRITEFUNC_ERROR;
    return size * count;
}

/* -D: every response's header lines. Flushed at once, so that on standard output they stand before
 * their body, which is written past stdio. */
static size_t on_header(char *line, size_t size, size_t count, void *user)
{
    struct get_transfer *t = user;
    FILE *dump = t->job->dump;

    if (fwrite(line, size, count, dump) == count && fflush(dump) == 0)
        return size * count;
    (void)snprintf(t->output.words, sizeof t->output.words, "cannot write to %.160s: %s",
                   t->job->options->dump_header, strerror(errno));
    return CURL_WRITEFUNC_ERROR;
}

static size_t on_upload(char *data, size_t size, size_t count, void *user)
{
    struct get_transfer *t = user;
    ssize_t n;

    do
        n = read(t->upload_fd, data, size * count);
    while (n < 0 && errno == EINTR && !atomic_load(&t->job->stop));
    return n < 0 ? CURL_READFUNC_ABORT : (size_t)n;
}

static int on_seek(void *user, curl_off_t offset, int origin)
{
    struct get_transfer *t = user;

    return lseek(t->upload_fd, offset, origin) < 0 ? CURL_SEEKFUNC_CANTSEEK : CURL_SEEKFUNC_OK;
}

static int on_progress(void *user, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    struct get_transfer *t = user;
    bool uploads = t->upload_fd >= 0 || t->job->options->has_body;
    bool shows_up = uploads && down == 0;
    tern_time now;
    struct get_progress progress = {
        .before = t->output.size_before,
        .now = shows_up ? up : down,
        .total = shows_up ? up_total : down_total,
    };

    if (atomic_load(&t->job->stop))
        return 1;
    if (!t->meter.on || (down == 0 && up == 0))
        return 0;
    now = tern_clock_now();
    progress.elapsed = now - t->started_at;
    progress.columns = tern_get_meter_columns();
    tern_get_meter_draw(&t->meter, &progress, now, false);
    return 0;
}

static void set_way(struct get_transfer *t, CURL *easy)
{
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, ENDPOINT_URL);
    (void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t->job);
    (void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 0L); /* a Unix socket has no such thing */
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_BYTES);
    (void)curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_BYTES);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_DEFAULT_PROTOCOL, "http");
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
}

static int on_debug(CURL *easy, curl_infotype kind, char *data, size_t bytes, void *user)
{
    struct get_transfer *t = user;

    if (t->job->milestones != NULL)
        tern_get_milestone(&t->milestone, t->job->milestones, kind, data, bytes);
    return t->job->options->talk.verbose ? tern_get_verbose(easy, kind, data, bytes, &t->verbose)
                                         : 0;
}

static void set_callbacks(struct get_transfer *t, CURL *easy)
{
    const struct get_options *o = t->job->options;

    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    (void)curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    (void)curl_easy_setopt(easy, CURLOPT_XFERINFODATA, t);
    if (t->job->dump != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
        (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    }
    if (!o->talk.verbose && t->job->milestones == NULL)
        return;
    (void)curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_debug);
    (void)curl_easy_setopt(easy, CURLOPT_DEBUGDATA, t);
}

static void set_text(CURL *easy, CURLoption option, const char *text)
{
    if (text != NULL)
        (void)curl_easy_setopt(easy, option, text);
}

static void set_flag(CURL *easy, CURLoption option, bool on)
{
    if (on)
        (void)curl_easy_setopt(easy, option, 1L);
}

static void set_request(const struct get_options *o, CURL *easy)
{
    set_flag(easy, CURLOPT_FOLLOWLOCATION, o->location);
    (void)curl_easy_setopt(easy, CURLOPT_MAXREDIRS, o->max_redirs);
    set_flag(easy, CURLOPT_HEADER, o->head || o->include);
    set_flag(easy, CURLOPT_FAILONERROR, o->fail);
    set_text(easy, CURLOPT_USERAGENT, o->agent == NULL ? "tern/" TERN_VERSION : o->agent);
    set_text(easy, CURLOPT_REFERER, o->referer);
    set_text(easy, CURLOPT_USERPWD, o->user);
    set_text(easy, CURLOPT_RANGE, o->range);
    if (o->headers != NULL)
        (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, o->headers);
    if (o->compressed)
        (void)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    if (o->cookie != NULL)
        set_text(easy, strchr(o->cookie, '=') != NULL ? CURLOPT_COOKIE : CURLOPT_COOKIEFILE,
                 o->cookie);
    set_text(easy, CURLOPT_COOKIEJAR, o->cookie_jar);
    if (o->http_version != 0)
        (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, o->http_version);
}

static void set_limits(const struct get_options *o, CURL *easy)
{
    if (o->max_ms > 0)
        (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, o->max_ms);
    if (o->connect_ms > 0)
        (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, o->connect_ms);
    if (o->limit_rate > 0) {
        (void)curl_easy_setopt(easy, CURLOPT_MAX_RECV_SPEED_LARGE, o->limit_rate);
        (void)curl_easy_setopt(easy, CURLOPT_MAX_SEND_SPEED_LARGE, o->limit_rate);
    }
}

static void set_tls(const struct get_options *o, CURL *easy)
{
    /* The variables that curl's own command reads. */
    const char *bundle = getenv("CURL_CA_BUNDLE");

    if (bundle == NULL || *bundle == '\0')
        bundle = getenv("SSL_CERT_FILE");
    if (o->insecure) {
        (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (o->tls_version != 0)
        (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, o->tls_version);
    set_text(easy, CURLOPT_CAINFO,
             o->cacert == NULL && bundle != NULL && *bundle != '\0' ? bundle : o->cacert);
    set_text(easy, CURLOPT_CAPATH, o->capath);
    set_text(easy, CURLOPT_SSLCERT, o->cert);
    set_text(easy, CURLOPT_SSLKEY, o->key);
}

static int set_upload(struct get_transfer *t, CURL *easy)
{
    const char *path = t->item->upload;
    struct stat there;

    if (path == NULL)
        return EXIT_FINE;
    t->upload_fd =
        strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (t->upload_fd < 0 || fstat(t->upload_fd, &there) != 0) {
        (void)snprintf(t->words, sizeof t->words, "cannot read %s: %s", path, strerror(errno));
        return EXIT_READ;
    }
    (void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
    (void)curl_easy_setopt(easy, CURLOPT_READDATA, t);
    (void)curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
    (void)curl_easy_setopt(easy, CURLOPT_SEEKDATA, t);
    if (S_ISREG(there.st_mode))
        (void)curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)there.st_size);
    return EXIT_FINE;
}

/* What is sent, and under which method. */
static int set_body(struct get_transfer *t, CURL *easy)
{
    const struct get_options *o = t->job->options;

    if (o->has_body && !o->as_get) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, o->body);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)o->body_bytes);
    }
    set_flag(easy, CURLOPT_NOBODY, o->head);
    set_text(easy, CURLOPT_CUSTOMREQUEST, o->method);
    return set_upload(t, easy);
}

int tern_get_easy_setup(struct get_transfer *t)
{
    const struct get_options *o = t->job->options;
    CURL *easy = t->job->easy;

    curl_easy_reset(easy);
    set_way(t, easy);
    set_callbacks(t, easy);
    set_request(o, easy);
    set_limits(o, easy);
    set_tls(o, easy);
    if (t->job->keys != NULL)
        tern_get_keys_ask(easy, t->job->keys);
    if (o->resume)
        (void)curl_easy_setopt(easy, CURLOPT_RESUME_FROM_LARGE,
                               o->resume_auto ? t->output.size_before : o->resume_from);
    (void)curl_easy_setopt(easy, CURLOPT_URL, t->url);
    return set_body(t, easy);
}
