/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Milestones out of libcurl's debug lines and headers. A TLS handshake is told once its lines are
 * over: with the first that goes over it, the request.
 */
#include "cli/get_milestone.h"

#include <stdlib.h>
#include <string.h>

#include "os/clock.h"

static struct tern_milestone milestone(enum tern_milestone_kind kind)
{
    return (struct tern_milestone){.at = tern_clock_now(), .kind = kind};
}

/* The rest of a line behind its known beginning; NULL: it begins otherwise. */
static const char *behind(const char *data, size_t bytes, const char *beginning, size_t *left)
{
    const size_t known = strlen(beginning);

    if (bytes < known || memcmp(data, beginning, known) != 0)
        return NULL;
    *left = bytes - known;
    while (*left > 0 && (data[known + *left - 1] == '\n' || data[known + *left - 1] == '\r'))
        --*left;
    return data + known;
}

static void hear_text(struct get_milestone *state, const char *data, size_t bytes)
{
    size_t left;
    const char *rest = behind(data, bytes, "SSL connection using ", &left);

    if (rest != NULL)
        tern_milestone_text(state->cipher, sizeof state->cipher, rest, left);
    rest = behind(data, bytes, "ALPN: server accepted ", &left);
    if (rest != NULL)
        tern_milestone_text(state->alpn, sizeof state->alpn, rest, left);
}

static void tell_tls(struct get_milestone *state, struct tern_milestones *to)
{
    struct tern_milestone m = milestone(TERN_MILESTONE_TLS_DONE);

    if (state->cipher[0] == '\0')
        return;
    tern_milestone_text(m.text, sizeof m.text, state->cipher, strlen(state->cipher));
    tern_milestone_text(m.more, sizeof m.more, state->alpn, strlen(state->alpn));
    state->cipher[0] = state->alpn[0] = '\0';
    tern_milestones_put(to, &m);
}

/* The next word of a line, which it is shortened by. */
static size_t word(const char **at, size_t *bytes)
{
    size_t n = 0;

    while (*bytes > 0 && **at == ' ') {
        ++*at;
        --*bytes;
    }
    while (n < *bytes && (*at)[n] != ' ' && (*at)[n] != '\r' && (*at)[n] != '\n')
        n++;
    return n;
}

static void take_word(const char **at, size_t *bytes, char *to, size_t to_bytes)
{
    const size_t n = word(at, bytes);

    tern_milestone_text(to, to_bytes, *at, n);
    *at += n;
    *bytes -= n;
}

static void tell_request(struct tern_milestones *to, const char *data, size_t bytes)
{
    struct tern_milestone m = milestone(TERN_MILESTONE_HTTP_REQUEST);

    take_word(&data, &bytes, m.text, sizeof m.text);
    take_word(&data, &bytes, m.more, sizeof m.more);
    take_word(&data, &bytes, m.version, sizeof m.version);
    tern_milestones_put(to, &m);
}

static void tell_response(struct tern_milestones *to, const char *data, size_t bytes)
{
    struct tern_milestone m = milestone(TERN_MILESTONE_HTTP_RESPONSE);
    char status[8];

    if (bytes < 5 || memcmp(data, "HTTP/", 5) != 0)
        return;
    take_word(&data, &bytes, m.version, sizeof m.version);
    take_word(&data, &bytes, status, sizeof status);
    m.number = strtoul(status, NULL, 10);
    tern_milestones_put(to, &m);
}

void tern_get_milestone(struct get_milestone *state, struct tern_milestones *to, curl_infotype kind,
                        const char *data, size_t bytes)
{
    if (kind == CURLINFO_TEXT)
        hear_text(state, data, bytes);
    if (kind == CURLINFO_HEADER_OUT) {
        tell_tls(state, to);
        tell_request(to, data, bytes);
    }
    if (kind == CURLINFO_HEADER_IN)
        tell_response(to, data, bytes);
}

void tern_get_milestone_body(struct tern_milestones *to, uint64_t bytes)
{
    struct tern_milestone m = milestone(TERN_MILESTONE_HTTP_BODY);

    m.number = bytes;
    tern_milestones_put(to, &m);
}
