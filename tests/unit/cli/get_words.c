/* SPDX-License-Identifier: BSD-2-Clause */
/* What get prints: -w, -v, the progress line, and the names of files. */
#include "test.h"

#include "cli/get_transfer.h"

/* A transfer that never was performed: libcurl's figures are zero, the outcome is ours. */
static struct get_job job;
static struct get_item item = {.url = "http://h/p"};
static struct get_transfer transfer = {
    .job = &job,
    .item = &item,
    .started_at = TERN_SECOND,
    .serial_before = 1,
    .code = 7,
    .words = "no luck",
    .outcome = {.serial = 2,
                .established = true,
                .resolved_at = TERN_SECOND + 5 * TERN_MS,
                .established_at = TERN_SECOND + 12345 * TERN_US},
};

static int open_job(void **state)
{
    (void)state;
    job.easy = curl_easy_init();
    transfer.outcome.remote.addr = tern_addr_v4(10, 0, 0, 7);
    transfer.outcome.remote.port = 80;
    transfer.outcome.local.addr = tern_addr_v4(10, 0, 0, 8);
    transfer.outcome.local.port = 55555;
    return job.easy == NULL;
}

static int close_job(void **state)
{
    (void)state;
    curl_easy_cleanup(job.easy);
    return 0;
}

static const struct {
    const char *format, *text;
} formats[] = {
    {"", ""},
    {"plain", "plain"},
    {"%{http_code}\\n", "000\n"},
    {"%{response_code} %{size_download}", "000 0"},
    {"%{time_total}", "0.000000"},
    {"%{time_namelookup} %{time_connect}", "0.005000 0.012345"},
    {"%{remote_ip}:%{remote_port}", "10.0.0.7:80"},
    {"%{local_ip}:%{local_port}", "10.0.0.8:55555"},
    {"%{exitcode} %{errormsg}", "7 no luck"},
    {"%{url}", "http://h/p"},
    {"100%%", "100%"},
    {"a\\tb\\rc\\q", "a\tb\rc\\q"},
    {"50% off", "50% off"},
    {"%{unclosed", "%{unclosed"},
    {"[%{no_such_thing}]", "[]"},
    {"trailing\\", "trailing\\"},
    {"%{filename_effective}", ""},
};

static void write_out(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(formats); i++) {
        char *text = tern_get_write_out(&transfer, formats[i].format);

        assert_non_null(text);
        assert_string_equal(text, formats[i].text);
        free(text);
    }
}

static void a_reused_connection_took_no_time(void **state)
{
    char *text;

    (void)state;
    transfer.serial_before = 2; /* the newest request is an older transfer's */
    text = tern_get_write_out(&transfer, "%{time_connect} %{remote_ip}");
    transfer.serial_before = 1;
    assert_string_equal(text, "0.000000 10.0.0.7");
    free(text);
}

static const struct {
    const char *url, *name;
} names[] = {
    {"http://h/a/b.txt", "b.txt"},
    {"http://h/a/b.txt?q=1#f", "b.txt"},
    {"h/b", "b"},
    {"http://h/", NULL},
    {"http://h", NULL},
    {"http://h/a/", NULL},
    {"http://h/a/..", NULL},
    {"http://h/a%20b", "a%20b"},
    {"http://", NULL},
};

static void remote_names(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(names); i++) {
        char *name = tern_get_remote_name(names[i].url);

        if (names[i].name == NULL)
            assert_null(name);
        else
            assert_string_equal(name, names[i].name);
        free(name);
    }
}

static void verbose_hides_the_way(void **state)
{
    static const char *const hidden[] = {
        "  Trying 127.0.0.1:1...",
        "Connected to 127.0.0.1 (127.0.0.1) port 1 (#0)",
        "SOCKS5 connect to h:80 (remotely resolved)",
        "Connection #0 to host 127.0.0.1 left intact",
        "TLSv1.3 (OUT), TLS handshake, Client hello (1):",
    };
    struct get_verbose verbose = {0};
    char out[512];
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(hidden); i++)
        assert_null(tern_get_verbose_text(&verbose, hidden[i], out, sizeof out));
    assert_string_equal(
        tern_get_verbose_text(&verbose, "Issue another request to this URL: 'x'", out, sizeof out),
        "Issue another request to this URL: 'x'");
}

static void verbose_makes_one_line_of_tls(void **state)
{
    struct get_verbose verbose = {0};
    char out[512];

    (void)state;
    assert_null(
        tern_get_verbose_text(&verbose, "SSL connection using TLSv1.3 / AES", out, sizeof out));
    assert_null(tern_get_verbose_text(&verbose, "ALPN: server accepted h2", out, sizeof out));
    assert_null(
        tern_get_verbose_text(&verbose, " subject: O=Org; CN=example.org", out, sizeof out));
    assert_string_equal(
        tern_get_verbose_text(&verbose, " SSL certificate verify ok.", out, sizeof out),
        "TLSv1.3 / AES · h2 · CN=example.org · certificate ok");
    assert_int_equal(verbose.tls[0], '\0');
}

static void meter_lines(void **state)
{
    struct get_progress p = {.now = 500000, .total = 1000000, .elapsed = TERN_SECOND};
    char line[256];

    (void)state;
    p.columns = 80;
    assert_string_equal(
        tern_get_meter_line(&p, false, line, sizeof line),
        " 50% [==============               ] 500.0 kB of 1.0 MB  500.0 kB/s  0:01 left");
    p.columns = 40;
    assert_string_equal(tern_get_meter_line(&p, false, line, sizeof line),
                        "500.0 kB of 1.0 MB  500.0 kB/s  0:01 le");
    p.total = 0;
    p.columns = 80;
    assert_string_equal(tern_get_meter_line(&p, false, line, sizeof line),
                        "500.0 kB  500.0 kB/s  0:01");
    p.total = 1000000;
    p.columns = 20;
    assert_string_equal(tern_get_meter_line(&p, true, line, sizeof line), "#####        50.0%");
    p.before = 1000000;
    assert_string_equal(tern_get_meter_line(&p, true, line, sizeof line), "########     75.0%");
}

static void meter_fits(void **state)
{
    char line[512];
    int columns;

    (void)state;
    for (columns = 20; columns <= 200; columns++) {
        struct get_progress p = {.now = INT64_C(999999999999),
                                 .total = INT64_C(9999999999999),
                                 .elapsed = 100 * TERN_SECOND,
                                 .columns = columns};

        assert_true(strlen(tern_get_meter_line(&p, false, line, sizeof line)) < (size_t)columns);
        assert_true(strlen(tern_get_meter_line(&p, true, line, sizeof line)) < (size_t)columns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_out),
        cmocka_unit_test(a_reused_connection_took_no_time),
        cmocka_unit_test(remote_names),
        cmocka_unit_test(verbose_hides_the_way),
        cmocka_unit_test(verbose_makes_one_line_of_tls),
        cmocka_unit_test(meter_lines),
        cmocka_unit_test(meter_fits),
    };

    return cmocka_run_group_tests(tests, open_job, close_job);
}
