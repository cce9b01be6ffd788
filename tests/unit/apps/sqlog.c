/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of the event log: records and their order, a full disk, and the queue of milestones.
 * That the events are those of the schema is judged elsewhere (tests/events).
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "apps/sqlog.h"

static char path[64];

static struct tern_sqlog *open_log(void)
{
    struct tern_sqlog_options o = {
        .path = path, .title = "test", .now = 1000, .wall_offset_ns = 1700000000 * TERN_SECOND};
    struct tern_sqlog *log;

    (void)snprintf(path, sizeof path, "/tmp/tern-sqlog-XXXXXX");
    assert_int_equal(close(mkstemp(path)), 0);
    assert_int_equal(tern_sqlog_open(&o, &log), TERN_ERR_OK);
    return log;
}

/* The records of the file as JSON, each of them whole. */
static json_t *read_records(void)
{
    FILE *f = fopen(path, "r");
    json_t *all = json_array();
    size_t room = 0;
    char *line = NULL;
    ssize_t n;

    assert_non_null(f);
    while ((n = getline(&line, &room, f)) > 0) {
        json_t *record = json_loads(line + 1, 0, NULL);

        assert_int_equal(line[0], 0x1e);
        assert_int_equal(line[n - 1], '\n');
        assert_non_null(record);
        assert_int_equal(json_array_append_new(all, record), 0);
    }
    free(line);
    (void)fclose(f);
    (void)unlink(path);
    return all;
}

static const char *name_of(json_t *records, size_t i)
{
    return json_string_value(json_object_get(json_array_get(records, i), "name"));
}

static json_int_t count_of(json_t *records, size_t i)
{
    json_t *data = json_object_get(json_array_get(records, i), "data");

    return json_integer_value(json_object_get(data, "count"));
}

static void note(struct tern_sqlog *log, tern_time at, enum tern_note_kind kind)
{
    const struct tern_note n = {.at = at, .kind = kind, .conn_id = 7};

    tern_sqlog_note(log, &n);
}

/* A received segment stands before what it did, and only before that. */
static void order(void **state)
{
    static const char *const names[] = {
        "tcp:timer_updated", "tcp:segment_received", "tcp:state_updated", "tcp:metrics_updated",
        "tcp:segment_sent",  "tcp:segment_received", "tcp:loss_detected"};
    struct tern_sqlog *log = open_log();
    json_t *records;

    (void)state;
    note(log, 1001, TERN_NOTE_TIMER);
    note(log, 1002, TERN_NOTE_FRAME_IN);
    note(log, 1002, TERN_NOTE_STATE);
    note(log, 1002, TERN_NOTE_METRICS);
    note(log, 1002, TERN_NOTE_SEGMENT_IN);
    note(log, 1002, TERN_NOTE_SEGMENT_OUT);
    note(log, 1002, TERN_NOTE_FRAME_IN);
    note(log, 1002, TERN_NOTE_LOSS);
    note(log, 1002, TERN_NOTE_SEGMENT_IN);
    note(log, 1002, TERN_NOTE_INPUT_END);
    tern_sqlog_close(log);
    records = read_records();
    assert_int_equal(json_array_size(records), 8);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(records, 0), "serialization_format")),
        "application/qlog+json-seq");
    for (size_t i = 0; i < 7; i++)
        assert_string_equal(name_of(records, i + 1), names[i]);
    assert_true(json_real_value(json_object_get(json_array_get(records, 1), "time")) == 0.000001);
    json_decref(records);
}

/* In time, without more traffic. */
static void flushed(void **state)
{
    struct tern_sqlog *log = open_log();
    json_t *records;

    (void)state;
    note(log, 1001, TERN_NOTE_TIMER);
    tern_sqlog_turn(log, 1001 + TERN_SECOND - 1);
    tern_sqlog_turn(log, 1001 + TERN_SECOND);
    records = read_records();
    assert_int_equal(json_array_size(records), 2);
    tern_sqlog_close(log);
    json_decref(records);
}

/* Writing fails in the middle of a buffer: whole records are left, and it is told. */
static void full_disk(void **state)
{
    struct tern_sqlog *log = open_log();
    struct rlimit before, small;
    json_t *records;

    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 300000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 0; i < 5000; i++)
        note(log, 1001 + i, TERN_NOTE_SEGMENT_OUT);
    assert_int_equal(tern_sqlog_error(log), EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    note(log, 9000, TERN_NOTE_TIMER);
    tern_sqlog_close(log);
    records = read_records();
    assert_true(json_array_size(records) > 500);
    assert_true(json_array_size(records) < 2000);
    json_decref(records);
}

static void refused(void **state)
{
    static const char *const paths[] = {"/dev/full", "/nowhere/at/all"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct tern_sqlog_options o = {.path = paths[i], .title = ""};
        struct tern_sqlog *log;

        errno = 0;
        assert_int_equal(tern_sqlog_open(&o, &log), TERN_ERR_SYSTEM);
        assert_int_equal(errno, i == 0 ? ENOSPC : ENOENT);
    }
}

/* The longest texts there can be, each byte of which takes six. */
static void milestones(void **state)
{
    struct tern_sqlog *log = open_log();
    static struct tern_milestones queue;
    struct tern_milestone m = {.at = 2000, .kind = TERN_MILESTONE_DNS_ANSWERED};
    json_t *records;

    (void)state;
    tern_milestones_init(&queue);
    memset(m.text, 1, sizeof m.text - 1);
    memset(m.more, 1, sizeof m.more - 1);
    m.addresses_count = TERN_MILESTONE_ADDRESSES_MAX;
    for (int i = 0; i < TERN_MILESTONES_MAX + 5; i++) {
        m.number = (uint64_t)i;
        tern_milestones_put(&queue, &m);
    }
    for (uint64_t i = 0; i < TERN_MILESTONES_MAX; i++) {
        assert_true(tern_milestones_take(&queue, &m));
        assert_int_equal(m.number, i);
        tern_sqlog_milestone(log, &m);
    }
    tern_milestones_put(&queue, &m); /* in order: no room until it was told */
    assert_true(tern_milestones_take(&queue, &m));
    tern_sqlog_milestone(log, &m);
    assert_false(tern_milestones_take(&queue, &m));
    tern_milestones_fini(&queue);
    tern_sqlog_close(log);
    records = read_records();
    assert_int_equal(json_array_size(records), TERN_MILESTONES_MAX + 2);
    assert_string_equal(name_of(records, 1), "dns:answer_received");
    assert_string_equal(name_of(records, TERN_MILESTONES_MAX + 1), "log:milestones_lost");
    assert_int_equal(count_of(records, TERN_MILESTONES_MAX + 1), 6);
    json_decref(records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order),   cmocka_unit_test(flushed),    cmocka_unit_test(full_disk),
        cmocka_unit_test(refused), cmocka_unit_test(milestones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
