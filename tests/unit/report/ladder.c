/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ladder against goldens: text that was read by eye once and must not change unnoticed. Run the
 * program by hand with the golden folder and "write" to make them anew.
 */
#include "report/ladder.h"
#include "report/text.h"
#include "stories.h"
#include "test.h"

static const char *golden_folder;
static bool is_writing;

static const struct row {
    const char *story, *golden;
    size_t columns, steps_max;
    bool ascii, colour;
} rows[] = {
    {"tour", "tour-80", 80, 0, false, false},
    {"tour", "tour-60", 60, 0, false, false},
    {"tour", "tour-100", 100, 0, false, false},
    {"tour", "tour-ascii", 80, 0, true, false},
    {"tour", "tour-colour", 80, 0, false, true},
    {"loss", "loss", 80, 0, false, false},
    {"slow", "slow", 80, 0, false, false},
    {"kernel", "kernel", 80, 0, false, false},
    {"kernel", "kernel-60", 60, 0, false, false},
    {"close", "close", 80, 0, false, false},
    {"crossed", "crossed", 80, 0, false, false},
    {"hostile", "hostile", 80, 0, false, false},
    {"hostile", "hostile-ascii", 80, 0, true, false},
    {"alone", "alone", 80, 0, false, false},
    {"crowded", "crowded", 80, 40, false, false},
    {"riding", "riding", 80, 0, false, false},
};

static char *draw(const struct row *row)
{
    struct talk t;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    assert_non_null(out);
    talk_open(&t, row->steps_max);
    story_tell(&t, row->story);
    struct tern_ladder_options options = {.columns = row->columns,
                                          .utf8 = !row->ascii,
                                          .colour = row->colour,
                                          .us = "you 10.9.0.77",
                                          .kernel =
                                              tern_model_has_kernel(t.model) ? "your kernel" : NULL,
                                          .peer = "10.9.0.1:80 server"};

    tern_ladder_header(&options, out);
    tern_ladder_print(t.model, 0, &options, out);
    talk_close(&t);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void golden_path(const struct row *row, char *path, size_t bytes)
{
    (void)snprintf(path, bytes, "%s/%s.txt", golden_folder, row->golden);
}

static void golden_write(const struct row *row, const char *text)
{
    char path[512];

    golden_path(row, path, sizeof path);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    (void)fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static char *golden_read(const struct row *row)
{
    static char text[32768];
    char path[512];

    golden_path(row, path, sizeof path);
    FILE *f = fopen(path, "r");

    if (f == NULL)
        fail_msg("no golden %s", path);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    (void)fclose(f);
    return text;
}

static void test_goldens(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char *text = draw(&rows[i]);

        if (is_writing)
            golden_write(&rows[i], text);
        if (strcmp(text, golden_read(&rows[i])) != 0)
            fail_msg("%s differs; it is now:\n%s", rows[i].golden, text);
        free(text);
    }
}

static void test_lines_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char *text = draw(&rows[i]);
        char *save = NULL;

        if (rows[i].colour) {
            free(text);
            continue;
        }
        for (char *line = strtok_r(text, "\n", &save); line != NULL;
             line = strtok_r(NULL, "\n", &save))
            if (tern_text_columns(line) > rows[i].columns)
                fail_msg("%s: longer than %zu columns: %s", rows[i].golden, rows[i].columns, line);
        free(text);
    }
}

/* No byte but printable ASCII and line ends may reach an ASCII terminal, whatever the peer says. */
static void test_nothing_escapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct row row = rows[i];

        row.ascii = true;
        row.colour = false;
        char *text = draw(&row);

        for (const char *c = text; *c != '\0'; c++)
            if (*c != '\n' && (*c < 0x20 || *c > 0x7e))
                fail_msg("%s: byte %02x in ASCII mode", row.golden, (unsigned)(unsigned char)*c);
        free(text);
    }
}

static void test_words_fold(void **state)
{
    struct tern_ladder_options options = {.columns = 60, .utf8 = true, .us = "", .peer = ""};
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    (void)state;
    tern_ladder_words(&options, 2,
                      "one two three four five six seven eight nine ten eleven twelve thirteen",
                      out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "  one two three four five six seven eight nine ten eleven\n"
                              "  twelve thirteen\n");
    free(text);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goldens),
        cmocka_unit_test(test_lines_fit),
        cmocka_unit_test(test_nothing_escapes),
        cmocka_unit_test(test_words_fold),
    };

    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s GOLDEN-FOLDER [write]\n", argv[0]);
        return 2;
    }
    golden_folder = argv[1];
    is_writing = argc > 2 && strcmp(argv[2], "write") == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
