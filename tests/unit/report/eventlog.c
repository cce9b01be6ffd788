/* SPDX-License-Identifier: BSD-2-Clause */
/* An event log read into the model: windows of many connections at once, times that no clock
 * has. */
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

#include "report/eventlog.h"
#include "report/eventlog_conns.h"
#include "test.h"

#define HEADER                                                                                     \
    "\x1e{\"trace\":{\"common_fields\":{\"reference_time\":{\"wall_clock_time\":"                  \
    "\"2023-11-14T22:13:20.000000000Z\"}}}}\n"
#define EPOCH (INT64_C(1700000000) * TERN_SECOND)

struct log {
    FILE *file;
    int fd;
    struct tern_model *model;
    struct tern_capture_facts facts;
};

static void begin(struct log *log)
{
    *log = (struct log){.fd = memfd_create("log", MFD_CLOEXEC)};
    assert_true(log->fd >= 0);
    log->file = fdopen(dup(log->fd), "w");
    assert_non_null(log->file);
    (void)fputs(HEADER, log->file);
}

static void read_it(struct log *log)
{
    const struct tern_capture_options how = {.filter = NULL};
    const struct tern_model_options options = {.marks_max = 64};

    assert_int_equal(fclose(log->file), 0);
    assert_int_equal(lseek(log->fd, 0, SEEK_SET), 0);
    log->model = tern_model_create(&options);
    assert_non_null(log->model);
    assert_int_equal(tern_eventlog_read_fd(log->fd, &how, log->model, &log->facts),
                     TERN_CAPTURE_OK);
    tern_model_check(log->model);
}

static void segment_in(const struct log *log, const char *group, bool sent, unsigned n,
                       const char *rest)
{
    (void)fprintf(log->file,
                  "\x1e{\"time\":%u,\"name\":\"tcp:segment_%s\",%s\"data\":{\"local\":"
                  "\"10.9.0.77:%u\",\"remote\":\"10.9.%u.%u:80\",\"ack\":1,\"text_bytes\":0,%s}}\n",
                  n, sent ? "sent" : "received", group, 1024 + n % 60000, n / 250, 1 + n % 250,
                  rest);
}

static void segment(const struct log *log, bool sent, unsigned n, const char *rest)
{
    segment_in(log, "\"group_id\":\"1\",", sent, n, rest);
}

static void opened(const struct log *log, unsigned n)
{
    (void)fprintf(log->file,
                  "\x1e{\"time\":1,\"name\":\"tcp:connection_opened\",\"group_id\":\"%u\","
                  "\"data\":{\"local\":\"10.9.0.77:%u\",\"remote\":\"10.9.%u.%u:80\"}}\n",
                  n + 1, 1024 + n % 60000, n / 250, 1 + n % 250);
}

#define SHIFTED "\"seq\":0,\"window_bytes\":65535,\"window_shift\":10"

/* Each agrees on a shift of 10 and then has a window of 64 KiB, as it was sent; none forgets of
 * another's. */
static void windows_of_many(void **state)
{
    const unsigned count = 20000;
    struct log log;

    (void)state;
    begin(&log);
    for (unsigned n = 0; n < count; n++) {
        opened(&log, n);
        segment(&log, true, n, "\"flags\":\"SYN\"," SHIFTED);
        segment(&log, false, n, "\"flags\":\"SYN ACK\"," SHIFTED);
    }
    for (unsigned n = 0; n < count; n++)
        segment(&log, true, n, "\"flags\":\"ACK\",\"seq\":1,\"window_bytes\":65536");
    read_it(&log);
    assert_int_equal(tern_model_conn_count(log.model), count);
    for (unsigned n = 0; n < count; n++)
        assert_int_equal(tern_model_conn(log.model, n)->side[TERN_SIDE_LEFT].window_max, 65536);
    tern_model_destroy(log.model);
}

#define TEXT "\"flags\":\"ACK\",\"seq\":1,\"window_bytes\":65536,\"text_bytes\":"

/* Windows are scaled where both SYNs said by how much, and not where one did (RFC 7323 §2.2). */
static void windows_and_shifts(void **state)
{
    static const struct {
        const char *answer;
        uint64_t ours;
    } rows[] = {{"\"flags\":\"SYN ACK\"," SHIFTED, 65536},
                {"\"flags\":\"SYN ACK\",\"seq\":0,\"window_bytes\":2048", 65535}};

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct log log;

        begin(&log);
        segment(&log, true, 7, "\"flags\":\"SYN\"," SHIFTED);
        segment(&log, false, 7, rows[i].answer);
        segment(&log, true, 7, TEXT "0");
        /* in TIME-WAIT, as it stands in the header */
        segment_in(&log, "", true, 7, "\"flags\":\"ACK\",\"seq\":1,\"window_bytes\":64");
        read_it(&log);
        assert_int_equal(tern_model_conn(log.model, 0)->side[TERN_SIDE_LEFT].window_max,
                         rows[i].ours);
        assert_int_equal(tern_model_conn(log.model, 0)->side[TERN_SIDE_LEFT].zero_windows, 0);
        tern_model_destroy(log.model);
    }
}

/* Four blocks are the most that fit (RFC 2018 §3). */
static void blocks(void **state)
{
    struct log log;

    (void)state;
    begin(&log);
    segment(&log, true, 7, "\"flags\":\"SYN\",\"sack_permitted\":true," SHIFTED);
    segment(&log, false, 7, "\"flags\":\"SYN ACK\",\"sack_permitted\":true," SHIFTED);
    segment(&log, true, 7, TEXT "100");
    segment(&log, false, 7,
            "\"flags\":\"ACK\",\"seq\":1,\"window_bytes\":65536,"
            "\"sack\":[[10,20],[30,40],[50,60],[70,80],[90,99]]");
    read_it(&log);
    assert_int_equal(tern_model_conn(log.model, 0)->side[TERN_SIDE_RIGHT].sack_blocks_max, 4);
    tern_model_destroy(log.model);
}

static size_t congestion_marks(const struct log *log)
{
    size_t found = 0;

    for (size_t i = 0; i < tern_model_mark_count(log->model, 0); i++)
        found += tern_model_mark(log->model, 0, i)->kind == TERN_MARK_CWND;
    return found;
}

/* What no sender's window can be is passed over. */
static void congestion_windows(void **state)
{
    static const struct {
        const char *cwnd, *ssthresh;
        size_t marks;
    } rows[] = {{"14600", "7300", 1},
                {"1099511627776", "1099511627776", 1},
                {"1099511627777", "0", 0},
                {"14600", "9223372036854775807", 0}};

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct log log;

        begin(&log);
        opened(&log, 7);
        segment(&log, true, 7, "\"flags\":\"SYN\"," SHIFTED);
        (void)fprintf(log.file,
                      "\x1e{\"time\":9,\"name\":\"tcp:metrics_updated\",\"group_id\":\"8\","
                      "\"data\":{\"cwnd_bytes\":%s,\"ssthresh_bytes\":%s}}\n",
                      rows[i].cwnd, rows[i].ssthresh);
        read_it(&log);
        assert_int_equal(congestion_marks(&log), rows[i].marks);
        tern_model_destroy(log.model);
    }
}

/* Marks are in the order of their times, though a log may not be. */
static void marks_in_order(void **state)
{
    struct log log;

    (void)state;
    begin(&log);
    opened(&log, 7);
    segment(&log, true, 7, "\"flags\":\"SYN\"," SHIFTED);
    (void)fputs("\x1e{\"time\":90.00013,\"name\":\"tcp:metrics_updated\",\"group_id\":\"8\","
                "\"data\":{\"cwnd_bytes\":14600}}\n",
                log.file);
    segment(&log, false, 7, "\"flags\":\"SYN ACK\"," SHIFTED);
    read_it(&log);
    assert_int_equal(congestion_marks(&log), 1);
    for (size_t i = 1; i < tern_model_mark_count(log.model, 0); i++)
        assert_true(tern_model_mark(log.model, 0, i - 1)->until <=
                    tern_model_mark(log.model, 0, i)->at);
    assert_int_equal(tern_model_other(log.model)->backwards, 1);
    tern_model_destroy(log.model);
}

/* An end that there cannot be is nobody's. */
static void ports_that_there_are(void **state)
{
    static const struct {
        const char *local;
        size_t count;
    } rows[] = {{"10.9.0.1:65535", 1}, {"10.9.0.1:65537", 0}, {"10.9.0.1", 0}, {"10.9.0:7", 0}};

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct log log;

        begin(&log);
        (void)fprintf(log.file,
                      "\x1e{\"time\":1,\"name\":\"tcp:segment_sent\",\"data\":{\"local\":\"%s\","
                      "\"remote\":\"10.9.0.2:2\",\"flags\":\"SYN\"}}\n",
                      rows[i].local);
        read_it(&log);
        assert_int_equal(tern_model_conn_count(log.model), rows[i].count);
        tern_model_destroy(log.model);
    }
}

/* Full is said, and forgets nobody. */
static void more_than_there_is_room_for(void **state)
{
    const struct tern_endpoint local = {tern_addr_v4(10, 0, 0, 1), 7};
    struct tern_endpoint remote = {tern_addr_v4(10, 0, 0, 2), 1};
    struct tern_eventlog_conns c;

    (void)state;
    assert_true(tern_eventlog_conns_init(&c, 1));
    for (uint32_t n = 0; n < TERN_EVENTLOG_CONNS_MAX; n++) {
        remote.addr = tern_addr_from_be32(n);
        tern_eventlog_pair(&c, &local, &remote)->shift[0] = (int)(n % 15);
        assert_true(tern_eventlog_group_set(&c, n + 1, &local, &remote));
    }
    remote.port = 2;
    assert_null(tern_eventlog_pair(&c, &local, &remote));
    assert_false(tern_eventlog_group_set(&c, UINT64_MAX, &local, &remote));
    assert_null(tern_eventlog_group(&c, UINT64_MAX));
    remote.port = 1;
    for (uint32_t n = 0; n < TERN_EVENTLOG_CONNS_MAX; n++) {
        remote.addr = tern_addr_from_be32(n);
        assert_int_equal(tern_eventlog_pair(&c, &local, &remote)->shift[0], n % 15);
        assert_true(tern_endpoint_equal(&tern_eventlog_group(&c, n + 1)->remote, &remote));
    }
    tern_eventlog_conns_fini(&c);
}

/* What is too late stays late; nothing was before the log began. */
static void times_that_no_clock_has(void **state)
{
    static const struct {
        const char *ms;
        unsigned backwards;
    } odd[] = {{"9.0e12", 0}, {"9.3e14", 0}, {"1e300", 0},  {"9223372036854775807", 0},
               {"-1", 1},     {"-1e15", 1},  {"-1e300", 1}, {"\"late\"", 1}};
    struct log log;

    (void)state;
    for (size_t i = 0; i < ROWS(odd); i++) {
        begin(&log);
        segment(&log, true, 7, "\"flags\":\"SYN\",\"seq\":1,\"window_bytes\":1");
        (void)fprintf(log.file,
                      "\x1e{\"time\":%s,\"name\":\"tcp:segment_sent\",\"data\":{\"local\":"
                      "\"10.9.0.1:1\",\"remote\":\"10.9.0.2:2\",\"flags\":\"SYN\"}}\n",
                      odd[i].ms);
        read_it(&log);
        assert_int_equal(tern_model_origin(log.model), EPOCH + 7 * TERN_MS);
        assert_int_equal(tern_model_other(log.model)->backwards, odd[i].backwards);
        assert_true(tern_model_end(log.model) >= EPOCH);
        tern_model_destroy(log.model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_of_many),
        cmocka_unit_test(windows_and_shifts),
        cmocka_unit_test(blocks),
        cmocka_unit_test(congestion_windows),
        cmocka_unit_test(marks_in_order),
        cmocka_unit_test(ports_that_there_are),
        cmocka_unit_test(more_than_there_is_room_for),
        cmocka_unit_test(times_that_no_clock_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
