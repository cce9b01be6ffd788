/* SPDX-License-Identifier: BSD-2-Clause */
/* From libcurl's result and the connection's fate to curl's exit code. */
#include "test.h"

#include "cli/get_code.h"

#define DIALLED .asked = true
#define OPEN    .established = true

static const struct {
    const char *what;
    struct get_end end;
    int code;
    const char *words;
} rows[] = {
    {"all well", {.result = CURLE_OK, DIALLED, .outcome = {OPEN}}, 0, ""},
    {"no such name",
     {.result = CURLE_PROXY,
      DIALLED,
      .outcome = {.host = "x", .dns = TERN_DNS_NOT_FOUND, .ended = true}},
     6,
     "could not resolve host: x"},
    {"silent resolver",
     {.result = CURLE_PROXY,
      DIALLED,
      .outcome = {.host = "x", .dns = TERN_DNS_SILENT, .ended = true}},
     6,
     "does not answer"},
    {"no resolver",
     {.result = CURLE_PROXY,
      DIALLED,
      .outcome = {.host = "x", .dns = TERN_DNS_NO_SERVER, .ended = true}},
     6,
     "--dns"},
    {"refused",
     {.result = CURLE_PROXY,
      DIALLED,
      .outcome = {.host = "x", .port = 81, .err = TERN_ERR_REFUSED, .ended = true}},
     7,
     "x port 81: connection refused"},
    {"no neighbour",
     {.result = CURLE_PROXY, DIALLED, .outcome = {.err = TERN_ERR_UNREACHABLE, .ended = true}},
     7,
     "unreachable"},
    {"no route",
     {.result = CURLE_PROXY, DIALLED, .outcome = {.err = TERN_ERR_NO_ROUTE, .ended = true}},
     7,
     "--gateway"},
    {"refused, and libcurl saw it as such",
     {.result = CURLE_COULDNT_CONNECT,
      DIALLED,
      .outcome = {.err = TERN_ERR_REFUSED, .ended = true}},
     7,
     "connection refused"},
    {"our own endpoint broke: the user has no proxy to hear of",
     {.result = CURLE_PROXY, .error = "Recv failure: Connection reset by peer"},
     7,
     "endpoint failed: Recv failure"},
    {"no answer to the SYN",
     {.result = CURLE_PROXY, DIALLED, .outcome = {.err = TERN_ERR_TIMEOUT, .ended = true}},
     28,
     "timed out"},
    {"libcurl's own patience ended first",
     {.result = CURLE_OPERATION_TIMEDOUT, .error = "Connection timed out after 1 ms", DIALLED},
     28,
     "after 1 ms"},
    {"reset in the middle of a body",
     {.result = CURLE_PARTIAL_FILE,
      DIALLED,
      .outcome = {OPEN, .ended = true, .err = TERN_ERR_RESET}},
     56,
     "reset by peer"},
    {"reset before any answer",
     {.result = CURLE_GOT_NOTHING,
      DIALLED,
      .outcome = {OPEN, .ended = true, .err = TERN_ERR_RESET}},
     56,
     "reset by peer"},
    {"reset where the end of the connection ends the body",
     {.result = CURLE_OK,
      .until_close = true,
      DIALLED,
      .outcome = {OPEN, .ended = true, .err = TERN_ERR_RESET}},
     56,
     "reset by peer"},
    {"reset after a body of known length",
     {.result = CURLE_OK, DIALLED, .outcome = {OPEN, .ended = true, .err = TERN_ERR_RESET}},
     0,
     ""},
    {"an orderly end too early",
     {.result = CURLE_PARTIAL_FILE,
      .error = "too early",
      DIALLED,
      .outcome = {OPEN, .ended = true}},
     18,
     "too early"},
    {"an orderly end without an answer",
     {.result = CURLE_GOT_NOTHING, DIALLED, .outcome = {OPEN, .ended = true}},
     52,
     ""},
    {"nothing was asked", {.result = CURLE_UNSUPPORTED_PROTOCOL}, 1, ""},
    {"certificate", {.result = CURLE_PEER_FAILED_VERIFICATION, DIALLED, .outcome = {OPEN}}, 60, ""},
    {"too many redirects",
     {.result = CURLE_TOO_MANY_REDIRECTS, DIALLED, .outcome = {OPEN}},
     47,
     ""},
};

static void table(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        char words[TERN_GET_WORDS_MAX];
        struct get_end end = rows[i].end;
        int code;

        if (end.error == NULL)
            end.error = "";
        code = tern_get_code(&end, words);
        if (code != rows[i].code || strstr(words, rows[i].words) == NULL)
            fail_msg("%s: code %d, words '%s'", rows[i].what, code, words);
        assert_int_equal(code == 0, words[0] == '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(table)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
