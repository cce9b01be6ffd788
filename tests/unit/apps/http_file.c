/* SPDX-License-Identifier: BSD-2-Clause */
/* Nothing outside is opened, nothing special either, and nothing blocks. */
#include "http_test.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "apps/http_file.h"

static void make_world(struct place *p)
{
    place_open(p);
    place_directory(p, "www/d");
    place_write(p, "www/d/f", "12345", 5);
    place_write(p, "www/locked", "x", 1);
    place_link(p, "www/inside", "d/f");
    place_link(p, "www/d/up", "../d/f");
    place_link(p, "www/out", "../secret");
    place_link(p, "www/d/out", "../../secret");
    place_link(p, "www/absolute", place_path(p, "secret"));
    place_link(p, "www/absolute_inside", place_path(p, "www/d/f"));
    place_link(p, "www/whole", "..");
    place_link(p, "www/loop", "loop");
    place_link(p, "www/self", "/proc/self/root");
    assert_int_equal(mkfifo(place_path(p, "www/fifo"), 0644), 0);
}

static const struct {
    const char *name;
    enum tern_http_open verdict;
} rows[] = {
    {".", TERN_HTTP_OPEN_OK},
    {"d", TERN_HTTP_OPEN_OK},
    {"d/f", TERN_HTTP_OPEN_OK},
    {"inside", TERN_HTTP_OPEN_OK},
    {"d/up", TERN_HTTP_OPEN_OK},
    {"none", TERN_HTTP_OPEN_NONE},
    {"d/f/g", TERN_HTTP_OPEN_NONE},
    {"out", TERN_HTTP_OPEN_NONE},
    {"d/out", TERN_HTTP_OPEN_NONE},
    {"absolute", TERN_HTTP_OPEN_NONE},
    {"absolute_inside", TERN_HTTP_OPEN_NONE}, /* it cannot be told apart */
    {"whole/secret", TERN_HTTP_OPEN_NONE},
    {"../secret", TERN_HTTP_OPEN_NONE}, /* the path's judge never lets these come */
    {"d/../../secret", TERN_HTTP_OPEN_NONE},
    {"/etc/passwd", TERN_HTTP_OPEN_NONE},
    {"self/etc/passwd", TERN_HTTP_OPEN_NONE},
    {"loop", TERN_HTTP_OPEN_NONE},
    {"fifo", TERN_HTTP_OPEN_FORBIDDEN},
    {"socket", TERN_HTTP_OPEN_FORBIDDEN},
};

static void table(void **state)
{
    struct tern_http_file file;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct place p;
    int listener;

    (void)state;
    make_world(&p);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)snprintf(name.sun_path, sizeof name.sun_path, "%s", place_path(&p, "www/socket"));
    assert_int_equal(bind(listener, (struct sockaddr *)(void *)&name, sizeof name), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum tern_http_open verdict = tern_http_file_open(p.root, rows[i].name, &file);

        if (verdict != rows[i].verdict)
            fail_msg("%s: %d", rows[i].name, (int)verdict);
        assert_int_equal(file.fd >= 0, verdict == TERN_HTTP_OPEN_OK);
        if (file.fd >= 0)
            (void)close(file.fd);
    }
    (void)close(listener);
    place_close(&p);
}

static void facts(void **state)
{
    struct tern_http_file file;
    struct place p;

    (void)state;
    make_world(&p);
    assert_int_equal(tern_http_file_open(p.root, "d/f", &file), TERN_HTTP_OPEN_OK);
    assert_false(file.is_directory);
    assert_int_equal(file.bytes, 5);
    assert_int_equal(fcntl(file.fd, F_GETFD), FD_CLOEXEC);
    (void)close(file.fd);
    assert_int_equal(tern_http_file_open(p.root, "d", &file), TERN_HTTP_OPEN_OK);
    assert_true(file.is_directory);
    (void)close(file.fd);
    place_close(&p);
}

static void no_root(void **state)
{
    struct place p;

    (void)state;
    make_world(&p);
    assert_int_equal(tern_http_root_open(place_path(&p, "none")), -1);
    assert_int_equal(tern_http_root_open(place_path(&p, "secret")), -1);
    place_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(table), cmocka_unit_test(facts),
                                       cmocka_unit_test(no_root)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
