/* SPDX-License-Identifier: BSD-2-Clause */
/* curl's flags: where each goes, which arguments are refused, and how URLs and outputs pair up. */
#include "test.h"

#include "cli/get_options.h"

#define ARGS_MAX 24

/* Parse a command line that is one string, split at blanks. The strings live until the next call.
 * */
static int parse(struct get_options *options, const char *line)
{
    static char copy[512];
    char *argv[ARGS_MAX] = {copy};
    int argc = 1;
    char *p, *rest = NULL;

    (void)snprintf(copy, sizeof copy, "get %s", line);
    (void)strtok_r(copy, " ", &rest);
    while (argc < ARGS_MAX - 1 && (p = strtok_r(NULL, " ", &rest)) != NULL)
        argv[argc++] = p;
    return tern_get_options_parse(options, argc, argv);
}

static const struct {
    const char *line;
    int code;
} verdicts[] = {
    {"", 2},
    {"--help", 0},
    {"http://a/", 0},
    {"--frobnicate http://a/", 2},
    {"-Z http://a/", 2},
    {"http://a/ -o", 2},
    {"-m x http://a/", 2},
    {"-m -1 http://a/", 2},
    {"--connect-timeout 1.5 http://a/", 0},
    {"--retry 1x http://a/", 2},
    {"-C x http://a/", 2},
    {"-C -5 http://a/", 2},
    {"-C 5 http://a/", 0},
    {"-C - http://a/", 0},
    {"--limit-rate 0 http://a/", 2},
    {"--limit-rate 5q http://a/", 2},
    {"--limit-rate 5kk http://a/", 2},
    {"--resolve a:80 http://a/", 2},
    {"--resolve a:b:1.2.3.4 http://a/", 2},
    {"--resolve a:0:1.2.3.4 http://a/", 2},
    {"--resolve a:80:b http://a/", 2},
    {"--resolve a:80:1.2.3.4 http://a/", 0},
    {"--resolve *:*:1.2.3.4 http://a/", 0},
    {"-6 http://a/", 6},
    {"-4 http://a/", 0},
    {"-x http://p/ http://a/", 2},
    {"-o x -o y http://a/", 2},
    {"-T x -T y http://a/", 2},
    {"-o no/x --pcap no/x http://a/", 2},
    {"-O -o ./nx --sqlog nx http://a/ http://b/", 2},
    {"-D nx --stats nx http://a/", 2},
    {"-o nx --pcap ny --sqlog nz http://a/", 0},
    {"-o /dev/null --stats /dev/null http://a/", 0},
    {"-o - --sqlog - http://a/", 0},
    {"-D nx -o nx http://a/", 0},
    {"-d x -I http://a/", 2},
    {"-d x -T y http://a/", 2},
    {"-d x -G -I http://a/", 0},
    {"-d @/nonexistent/file http://a/", 26},
    {"--interface eth0 --address 10.0.0.1/24 http://a/", 0},
};

static void verdict_table(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(verdicts); i++) {
        struct get_options options;
        int code = parse(&options, verdicts[i].line);

        if (code != verdicts[i].code)
            fail_msg("'%s': exit code %d, expected %d", verdicts[i].line, code, verdicts[i].code);
        tern_get_options_free(&options);
    }
}

static void flags_and_values(void **state)
{
    struct get_options o;

    (void)state;
    assert_int_equal(parse(&o,
                           "-LIvsSfk -m 1.5 --connect-timeout 0.25 --retry 3 -r 0-9 -A me -e ref "
                           "-u a:b --max-redirs 7 --limit-rate 2k --http1.1 http://a/"),
                     0);
    assert_true(o.location && o.head && o.talk.verbose && o.silent && o.show_error && o.fail);
    assert_true(o.insecure);
    assert_int_equal(o.max_ms, 1500);
    assert_int_equal(o.connect_ms, 250);
    assert_int_equal(o.retry, 3);
    assert_string_equal(o.range, "0-9");
    assert_string_equal(o.agent, "me");
    assert_string_equal(o.referer, "ref");
    assert_string_equal(o.user, "a:b");
    assert_int_equal(o.max_redirs, 7);
    assert_int_equal(o.limit_rate, 2048);
    assert_int_equal(o.http_version, CURL_HTTP_VERSION_1_1);
    tern_get_options_free(&o);
}

static void defaults(void **state)
{
    struct get_options o;

    (void)state;
    assert_int_equal(parse(&o, "http://a/"), 0);
    assert_int_equal(o.max_redirs, 50);
    assert_false(o.location || o.silent || o.resume || o.has_body);
    assert_null(o.overrides);
    assert_null(o.talk.interface);
    tern_get_options_free(&o);
}

static void urls_and_outputs_pair_up(void **state)
{
    struct get_options o;

    (void)state;
    assert_int_equal(parse(&o, "-o one http://a/1 -O http://a/2 --url http://a/3 -T up"), 0);
    /* --url comes before the URLs that stand alone, which getopt puts last. */
    assert_int_equal(o.items_count, 3);
    assert_string_equal(o.items[0].url, "http://a/3");
    assert_string_equal(o.items[0].output, "one");
    assert_string_equal(o.items[0].upload, "up");
    assert_true(o.items[1].remote_name);
    assert_null(o.items[1].output);
    assert_string_equal(o.items[1].url, "http://a/1");
    assert_null(o.items[2].output);
    assert_false(o.items[2].remote_name);
    assert_null(o.items[2].upload);
    tern_get_options_free(&o);
}

static void data_is_joined(void **state)
{
    struct get_options o;
    char path[] = "/tmp/tern-test-XXXXXX";
    char line[128];
    FILE *file = fdopen(mkstemp(path), "w");

    (void)state;
    assert_non_null(file);
    (void)fputs("c=\n3\r\n", file);
    (void)fclose(file);
    (void)snprintf(line, sizeof line, "-d a=1 --data-raw @b -d @%s http://a/", path);
    assert_int_equal(parse(&o, line), 0);
    assert_string_equal(o.body, "a=1&@b&c=3");
    assert_int_equal(o.body_bytes, 10);
    tern_get_options_free(&o);
    (void)snprintf(line, sizeof line, "--data-binary @%s http://a/", path);
    assert_int_equal(parse(&o, line), 0);
    assert_string_equal(o.body, "c=\n3\r\n");
    tern_get_options_free(&o);
    (void)remove(path);
    assert_int_equal(parse(&o, "--data-raw a -G http://a/"), 0);
    assert_true(o.as_get);
    tern_get_options_free(&o);
}

static void resolve_entries(void **state)
{
    struct get_options o;
    char text[TERN_ADDR_TEXT_MAX];

    (void)state;
    assert_int_equal(parse(&o, "--resolve a:80:1.2.3.4 --resolve b:*:5.6.7.8 http://a/"), 0);
    assert_string_equal(o.overrides->host, "b");
    assert_int_equal(o.overrides->port, 0);
    assert_string_equal(tern_addr_text(o.overrides->addr, text), "5.6.7.8");
    assert_string_equal(o.overrides->next->host, "a");
    assert_int_equal(o.overrides->next->port, 80);
    assert_null(o.overrides->next->next);
    tern_get_options_free(&o);
}

static const char *const documented[] = {
    "--output",      "--remote-name",  "--location",    "--head",        "--include",
    "--verbose",     "--silent",       "--show-error",  "--fail",        "--insecure",
    "--header",      "--data",         "--request",     "--upload-file", "--range",
    "--continue-at", "--max-time",     "--retry",       "--resolve",     "--ipv4",
    "--write-out",   "--user-agent",   "--cookie",      "--referer",     "--user",
    "--compressed",  "--cacert",       "--http1.1",     "--http2",       "--max-redirs",
    "--limit-rate",  "--progress-bar", "--create-dirs", "--output-dir",  "--fail-with-body",
};

/* A flag with whatever argument: it is known, and its value is fine. */
static void is_known(const char *name)
{
    struct get_options o;
    char line[64];

    (void)snprintf(line, sizeof line, "%s 1 http://a/ --help", name);
    assert_int_equal(parse(&o, line), strcmp(name, "--resolve") == 0 ? 2 : 0);
    tern_get_options_free(&o);
}

static void every_flag_is_in_the_help(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(documented); i++) {
        if (strstr(tern_get_help, documented[i]) == NULL)
            fail_msg("%s is not in the help", documented[i]);
        is_known(documented[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdict_table),
        cmocka_unit_test(flags_and_values),
        cmocka_unit_test(defaults),
        cmocka_unit_test(urls_and_outputs_pair_up),
        cmocka_unit_test(data_is_joined),
        cmocka_unit_test(resolve_entries),
        cmocka_unit_test(every_flag_is_in_the_help),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
