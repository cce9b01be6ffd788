/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcurl's own account, minus what is not so: it believes that it talks to a proxy at 127.0.0.1,
 * and tern's own lines tell of the connection instead. Its dozen lines about TLS become one.
 */
#include "cli/get_verbose.h"

#include <stdio.h>
#include <string.h>

#include "cli/say.h"

#define LINE_MAX_BYTES 2000

/* Beginnings of lines that are about the way to the endpoint, or noise. */
static const char *const hidden[] = {
    "  Trying ",
    "Connected to ",
    "SOCKS5 ",
    "Connection #",
    "Closing connection",
    "Re-using existing connection",
    "Callback aborted",
    "Found bundle",
    "Can not multiplex",
    "Immediate connect fail",
    "TLSv1",
    " CAfile",
    " CApath",
    "ALPN: offers",
    "Server certificate",
    " start date",
    " expire date",
    " issuer",
    " subjectAltName",
    "using HTTP/",
    "Using Stream ID",
    "h2h3 [",
    "h2 [",
    "Connection state chan",
    "Could not set TCP_NODELAY",
    "Can't complete SO",
    "Hostname ",
    "Mark bundle",
    "Uses proxy env",
    "old SSL session ID",
    "Copying HTTP/2 data",
};

static bool begins(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

static void keep(char *part, const char *text)
{
    (void)snprintf(part, TERN_TLS_PART_MAX, "%s", text);
}

/* The common name is what people look for; the rest of the subject only where there is none. */
static void keep_subject(struct get_verbose *state, const char *subject)
{
    const char *name = strstr(subject, "CN=");
    size_t bytes;

    keep(state->subject, name == NULL ? subject : name);
    bytes = strcspn(state->subject, ";,");
    state->subject[bytes] = '\0';
}

static const char *tls_line(struct get_verbose *state, const char *verdict, char *out, size_t bytes)
{
    (void)snprintf(out, bytes, "%s%s%s · %s · %s", state->tls, state->alpn[0] != '\0' ? " · " : "",
                   state->alpn, state->subject, verdict);
    memset(state, 0, sizeof *state);
    return out;
}

const char *tern_get_verbose_text(struct get_verbose *state, const char *line, char *out,
                                  size_t bytes)
{
    static const char connection[] = "SSL connection using ";
    static const char accepted[] = "ALPN: server accepted ";
    static const char subject[] = " subject: ";
    static const char unsure[] = " SSL certificate verify result: ";
    size_t i;

    if (begins(line, connection)) {
        keep(state->tls, line + strlen(connection));
        return NULL;
    }
    if (begins(line, accepted)) {
        keep(state->alpn, line + strlen(accepted));
        return NULL;
    }
    if (begins(line, subject)) {
        keep_subject(state, line + strlen(subject));
        return NULL;
    }
    if (begins(line, " SSL certificate verify ok"))
        return tls_line(state, "certificate ok", out, bytes);
    if (begins(line, unsure))
        return tls_line(state, line + strlen(unsure), out, bytes);
    for (i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        if (begins(line, hidden[i]))
            return NULL;
    return line;
}

static void say_text(struct get_verbose *state, const char *data, size_t bytes)
{
    char line[LINE_MAX_BYTES], other[LINE_MAX_BYTES];
    const char *shown;

    (void)snprintf(line, sizeof line, "%.*s", (int)bytes, data);
    line[strcspn(line, "\r\n")] = '\0';
    shown = tern_get_verbose_text(state, line, other, sizeof other);
    if (shown != NULL && *shown != '\0')
        tern_say("* %s", shown);
}

static void say_headers(const char *prefix, const char *data, size_t bytes)
{
    while (bytes > 0) {
        const char *end = memchr(data, '\n', bytes);
        size_t length = end == NULL ? bytes : (size_t)(end - data);
        size_t shown = length > 0 && data[length - 1] == '\r' ? length - 1 : length;

        tern_say("%s %.*s", prefix, (int)(shown < LINE_MAX_BYTES ? shown : LINE_MAX_BYTES), data);
        if (end == NULL)
            return;
        data += length + 1;
        bytes -= length + 1;
    }
}

int tern_get_verbose(CURL *easy, curl_infotype kind, char *data, size_t bytes, void *user)
{
    (void)easy;
    if (kind == CURLINFO_TEXT)
        say_text(user, data, bytes);
    else if (kind == CURLINFO_HEADER_OUT)
        say_headers(">", data, bytes);
    else if (kind == CURLINFO_HEADER_IN)
        say_headers("<", data, bytes);
    return 0;
}
