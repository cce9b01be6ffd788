/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of bodies: made late, appended to, rewound, and failures told in words. */
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "cli/get_output.h"

static char directory[] = "/tmp/tern-test-XXXXXX";
static char path[64];

static int make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return 1;
    (void)snprintf(path, sizeof path, "%s/file", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    (void)remove(path);
    return rmdir(directory);
}

static void assert_contents(const char *expected)
{
    char data[64] = "";
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    (void)!fread(data, 1, sizeof data - 1, file);
    (void)fclose(file);
    assert_string_equal(data, expected);
}

static void open_for(struct get_output *out, bool resume)
{
    struct get_options options = {.resume = resume};
    struct get_item item = {.url = "http://h/", .output = path};

    assert_int_equal(tern_get_output_init(out, &options, &item), 0);
}

static void made_with_the_first_byte(void **state)
{
    struct get_output out;

    (void)state;
    open_for(&out, false);
    assert_int_equal(access(path, F_OK), -1);
    assert_true(tern_get_output_write(&out, "hello", 5));
    assert_int_equal(tern_get_output_finish(&out, true), 0);
    tern_get_output_fini(&out);
    assert_contents("hello");
}

static void appended_to_when_resumed(void **state)
{
    struct get_output out;

    (void)state;
    open_for(&out, true);
    assert_int_equal(out.size_before, 5);
    assert_true(tern_get_output_write(&out, " wrong", 6));
    tern_get_output_rewind(&out);
    assert_true(tern_get_output_write(&out, " world", 6));
    assert_int_equal(tern_get_output_finish(&out, true), 0);
    tern_get_output_fini(&out);
    assert_contents("hello world");
}

static void nothing_after_a_failure(void **state)
{
    struct get_output out;

    (void)state;
    assert_int_equal(remove(path), 0);
    open_for(&out, false);
    assert_int_equal(tern_get_output_finish(&out, false), 0);
    tern_get_output_fini(&out);
    assert_int_equal(access(path, F_OK), -1);
}

static void empty_after_an_empty_body(void **state)
{
    struct get_output out;

    (void)state;
    open_for(&out, false);
    assert_int_equal(tern_get_output_finish(&out, true), 0);
    tern_get_output_fini(&out);
    assert_contents("");
}

static void a_full_disk_is_told(void **state)
{
    struct get_options options = {0};
    struct get_item item = {.url = "http://h/", .output = "/dev/full"};
    struct get_output out;

    (void)state;
    assert_int_equal(tern_get_output_init(&out, &options, &item), 0);
    assert_false(tern_get_output_write(&out, "x", 1));
    assert_non_null(strstr(out.words, "No space left"));
    assert_int_equal(tern_get_output_finish(&out, false), 23);
    tern_get_output_fini(&out);
}

static void directories(void **state)
{
    struct get_options options = {.output_dir = "/nonexistent"};
    struct get_item item = {.url = "http://h/a", .remote_name = true};
    struct get_output out;

    (void)state;
    assert_int_equal(tern_get_output_init(&out, &options, &item), 0);
    assert_string_equal(out.path, "/nonexistent/a");
    assert_false(tern_get_output_write(&out, "x", 1));
    assert_non_null(strstr(out.words, "/nonexistent/a"));
    tern_get_output_fini(&out);
    item.url = "http://h/";
    assert_int_equal(tern_get_output_init(&out, &options, &item), 23);
    assert_non_null(strstr(out.words, "does not end in a name"));
    tern_get_output_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_with_the_first_byte), cmocka_unit_test(appended_to_when_resumed),
        cmocka_unit_test(nothing_after_a_failure),  cmocka_unit_test(empty_after_an_empty_body),
        cmocka_unit_test(a_full_disk_is_told),      cmocka_unit_test(directories),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
