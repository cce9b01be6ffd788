/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event log, record by record (RFC 7464 §2.1), each read by jansson. Anybody may have written
 * the file: one that is no log at all, or whose records are damaged or too long, is said to be so.
 */
#include "report/eventlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "report/eventlog_event.h"

#define RECORD_SEPARATOR 0x1e
#define RECORD_MAX       65536
#define PROGRESS_EVERY   16384
#define SECONDS_MAX      (INT64_C(1) << 32) /* of the epoch: the year 2106 */

struct log_reader {
    const struct tern_capture_options *options;
    struct tern_capture_facts *facts;
    FILE *file;
    struct tern_eventlog_events events;
    char line[RECORD_MAX];
};

static enum tern_capture_result wrong(struct tern_capture_facts *facts,
                                      enum tern_capture_result result, const char *words)
{
    (void)snprintf(facts->words, sizeof facts->words, "%s", words);
    return result;
}

/* The moment from which times count, in UNIX nanoseconds; 0: the header does not say. */
static tern_time epoch_of(json_t *header)
{
    json_t *common = json_object_get(json_object_get(header, "trace"), "common_fields");
    const char *when = json_string_value(
        json_object_get(json_object_get(common, "reference_time"), "wall_clock_time"));
    struct tm utc = {.tm_isdst = 0};
    const char *fraction = when == NULL ? NULL : strptime(when, "%Y-%m-%dT%H:%M:%S", &utc);
    const time_t seconds = fraction == NULL ? 0 : timegm(&utc);
    unsigned long ns = 0;
    int digits = 0;

    if (fraction == NULL || seconds < 0 || seconds > SECONDS_MAX)
        return 0;
    for (fraction += *fraction == '.'; digits < 9; digits++)
        ns = ns * 10 +
             (*fraction >= '0' && *fraction <= '9' ? (unsigned long)(*fraction++ - '0') : 0);
    return (tern_time)seconds * TERN_SECOND + (tern_time)ns;
}

/* The next record's text in r->line; its length, 0 at the end, -1: it is too long. */
static long next_line(struct log_reader *r)
{
    size_t n = 0;
    int c;

    while ((c = getc_unlocked(r->file)) != EOF && c != '\n') {
        if (n == sizeof r->line - 1)
            return -1;
        r->line[n++] = (char)c;
    }
    r->facts->bytes += n + (c == '\n');
    r->line[n] = '\0';
    return c == EOF && n == 0 ? 0 : (long)n + 1;
}

/* NULL: it is no record. */
static json_t *parse(const struct log_reader *r, long bytes)
{
    json_t *record;

    if (r->line[0] != RECORD_SEPARATOR || bytes < 3)
        return NULL;
    record = json_loadb(r->line + 1, (size_t)bytes - 2, 0, NULL);
    if (!json_is_object(record)) {
        json_decref(record);
        return NULL;
    }
    return record;
}

static bool go_on(struct log_reader *r)
{
    if (r->options->progress == NULL || r->facts->packets % PROGRESS_EVERY != 0)
        return true;
    r->facts->stopped = !r->options->progress(r->options->user, r->facts);
    return !r->facts->stopped;
}

static enum tern_capture_result read_header(struct log_reader *r)
{
    const long bytes = next_line(r);
    json_t *header = bytes > 0 ? parse(r, bytes) : NULL;
    const bool ours = header != NULL && json_object_get(header, "trace") != NULL;

    if (ours)
        r->events.epoch = epoch_of(header);
    json_decref(header);
    return ours ? TERN_CAPTURE_OK
                : wrong(r->facts, TERN_CAPTURE_UNREADABLE, "it is no event log of tern's");
}

static enum tern_capture_result read_all(struct log_reader *r)
{
    enum tern_capture_result result = read_header(r);
    long bytes = 0;

    while (result == TERN_CAPTURE_OK && (bytes = next_line(r)) > 0) {
        json_t *record = parse(r, bytes);

        if (record == NULL) /* RFC 7464 §2.3: the rest of it may be fine, but this is cut off */
            return wrong(r->facts, TERN_CAPTURE_PARTIAL, "a record is damaged");
        r->facts->packets++;
        tern_eventlog_event(&r->events, record);
        json_decref(record);
        if (!go_on(r))
            break;
    }
    if (ferror_unlocked(r->file) != 0)
        return wrong(r->facts, TERN_CAPTURE_PARTIAL, "it cannot be read to its end");
    return bytes < 0 ? wrong(r->facts, TERN_CAPTURE_PARTIAL, "a record is too long") : result;
}

enum tern_capture_result tern_eventlog_read_fd(int fd, const struct tern_capture_options *options,
                                               struct tern_model *model,
                                               struct tern_capture_facts *facts)
{
    struct log_reader *r = calloc(1, sizeof *r);
    FILE *file = fdopen(fd, "r");
    enum tern_capture_result result = TERN_CAPTURE_UNREADABLE;
    struct stat st;

    *facts = (struct tern_capture_facts){.is_tern = true};
    if (r == NULL || !tern_eventlog_conns_init(&r->events.conns, options->seed) || file == NULL) {
        result = wrong(facts, result, strerror(ENOMEM));
    } else {
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
            facts->bytes_all = (uint64_t)st.st_size;
        r->options = options;
        r->facts = facts;
        r->events.model = model;
        r->events.facts = facts;
        r->file = file;
        result = read_all(r);
    }
    if (file != NULL)
        (void)fclose(file);
    else
        (void)close(fd);
    if (r != NULL)
        tern_eventlog_conns_fini(&r->events.conns);
    free(r);
    return result;
}

static int open_path(const char *path)
{
    return strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
}

bool tern_eventlog_is(const char *path)
{
    const int fd = open_path(path);
    uint8_t first = 0;
    const bool is = fd >= 0 && pread(fd, &first, 1, 0) == 1 && first == RECORD_SEPARATOR;

    if (fd >= 0)
        (void)close(fd);
    return is;
}

enum tern_capture_result tern_eventlog_read(const char *path,
                                            const struct tern_capture_options *options,
                                            struct tern_model *model,
                                            struct tern_capture_facts *facts)
{
    const int fd = open_path(path);

    *facts = (struct tern_capture_facts){.packets = 0};
    if (fd < 0)
        return wrong(facts, TERN_CAPTURE_UNREADABLE, strerror(errno));
    return tern_eventlog_read_fd(fd, options, model, facts);
}
