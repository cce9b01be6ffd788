/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcurl sees a Unix socket and a SOCKS proxy, so its results speak of those. What became of the
 * real connection stands in the endpoint's outcome; together they give the exit code that curl
 * has on kernel sockets:
 *
 *   the name did not resolve                            6
 *   refused, unreachable, no route                      7
 *   no answer to the SYN                                28
 *   reset or timed out later, where libcurl saw an end  56
 *
 *   the endpoint itself failed                          7
 *
 * and in all other cases libcurl's own.
 */
#include "cli/get_code.h"

#include <stdio.h>
#include <string.h>

/* It never came to a connection. */
static int dial_code(const struct get_end *end, char *words)
{
    const struct tern_socks_outcome *o = &end->outcome;

    if (o->dns != TERN_DNS_FOUND) {
        (void)snprintf(words, TERN_GET_WORDS_MAX, "could not resolve host: %s (%s)", o->host,
                       tern_dns_text(o->dns));
        return CURLE_COULDNT_RESOLVE_HOST;
    }
    (void)snprintf(words, TERN_GET_WORDS_MAX, "could not connect to %s port %u: %s%s", o->host,
                   o->port, tern_err_text(o->err),
                   o->err == TERN_ERR_NO_ROUTE ? " (add --gateway ADDRESS)" : "");
    return o->err == TERN_ERR_TIMEOUT ? CURLE_OPERATION_TIMEDOUT : CURLE_COULDNT_CONNECT;
}

/* Results that libcurl gives for an end of stream that comes too early, or seems in time. */
static bool saw_an_end(const struct get_end *end)
{
    switch (end->result) {
    case CURLE_OK:
        return end->until_close;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return true;
    default:
        return false;
    }
}

int tern_get_code(const struct get_end *end, char *words)
{
    const struct tern_socks_outcome *o = &end->outcome;
    bool failed_to_dial = end->asked && !o->established && o->ended;
    bool torn = end->asked && o->established && o->ended && o->err != TERN_ERR_OK &&
                o->err != TERN_ERR_ABORTED;

    words[0] = '\0';
    if (failed_to_dial && (end->result == CURLE_PROXY || end->result == CURLE_COULDNT_CONNECT))
        return dial_code(end, words);
    if (torn && saw_an_end(end)) {
        (void)snprintf(words, TERN_GET_WORDS_MAX, "%s port %u: %s in the middle", o->host, o->port,
                       tern_err_text(o->err));
        return CURLE_RECV_ERROR;
    }
    if (end->result == CURLE_OK)
        return 0;
    if (end->result == CURLE_PROXY) {
        (void)snprintf(words, TERN_GET_WORDS_MAX,
                       "could not connect: tern's own endpoint failed: %s", end->error);
        return CURLE_COULDNT_CONNECT;
    }
    (void)snprintf(words, TERN_GET_WORDS_MAX, "%s",
                   end->error[0] != '\0' ? end->error : curl_easy_strerror(end->result));
    return (int)end->result;
}
