/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of the event log: the header record, then one record an event, each a record separator,
 * a line of JSON and a newline (RFC 7464 §2.2).
 *
 * The stack tells of a received segment last, after what it caused; a reader wants it first. So its
 * record is put in where the frame began, as long as that still stands in the buffer.
 */
#include "apps/sqlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apps/sqlog_events.h"
#include "base/assert.h"
#include "link/block_file.h"

#define BUFFER_BYTES     (256u * 1024)
#define FLUSH_NS         TERN_SECOND
#define RECORD_SEPARATOR 0x1e
#define RECORD_MAX       (TERN_SQLOG_EVENT_MAX + 2)

struct tern_sqlog {
    struct tern_block_file file;
    tern_time since;
    tern_time flush_at;
    size_t frame_at; /* in the buffer: where the frame began that is being looked at */
    size_t bytes;
    uint8_t memory[BUFFER_BYTES];
};

/* The buffer always ends at the end of a record. */
static void flush(struct tern_sqlog *log)
{
    tern_block_file_write(&log->file, log->memory, log->bytes);
    log->bytes = 0;
    log->frame_at = 0;
    log->flush_at = TERN_TIME_NEVER;
}

/* Room for a record at the end of the buffer; NULL: the log has stopped. */
static uint8_t *room(struct tern_sqlog *log)
{
    if (log->file.error == 0 && sizeof log->memory - log->bytes < RECORD_MAX)
        flush(log);
    return log->file.error == 0 ? log->memory + log->bytes : NULL;
}

/* A line that stands in the room is a record now. */
static void keep(struct tern_sqlog *log, const struct tern_json_line *j)
{
    uint8_t *record = log->memory + log->bytes;

    TERN_ASSERT(!j->w.failed);
    record[0] = RECORD_SEPARATOR;
    record[1 + j->w.bytes] = '\n';
    log->bytes += j->w.bytes + 2;
}

static struct tern_json_line line_in(uint8_t *record)
{
    struct tern_json_line j;

    tern_json_line_begin(&j, record + 1, TERN_SQLOG_EVENT_MAX);
    return j;
}

/* The last record, of so many bytes, to where its frame began. */
static void put_first(struct tern_sqlog *log, size_t bytes)
{
    uint8_t record[RECORD_MAX];
    uint8_t *to = log->memory + log->frame_at;
    const size_t between = log->bytes - bytes - log->frame_at;

    TERN_ASSERT(log->frame_at + bytes <= log->bytes);
    if (between == 0)
        return;
    memcpy(record, log->memory + log->bytes - bytes, bytes);
    memmove(to + bytes, to, between);
    memcpy(to, record, bytes);
}

static void due(struct tern_sqlog *log, tern_time at)
{
    if (log->flush_at == TERN_TIME_NEVER)
        log->flush_at = at + FLUSH_NS;
}

void tern_sqlog_note(struct tern_sqlog *log, const struct tern_note *note)
{
    uint8_t *record = room(log);
    struct tern_json_line j;
    size_t before = log->bytes;

    if (record == NULL)
        return;
    if (note->kind == TERN_NOTE_FRAME_IN)
        log->frame_at = log->bytes;
    j = line_in(record);
    if (!tern_sqlog_event(&j, note, log->since))
        return;
    keep(log, &j);
    if (note->kind == TERN_NOTE_SEGMENT_IN)
        put_first(log, log->bytes - before);
    due(log, note->at);
}

void tern_sqlog_milestone(struct tern_sqlog *log, const struct tern_milestone *milestone)
{
    uint8_t *record = room(log);
    struct tern_json_line j;

    if (record == NULL)
        return;
    j = line_in(record);
    tern_sqlog_milestone_event(&j, milestone, log->since);
    keep(log, &j);
    due(log, milestone->at);
}

void tern_sqlog_turn(struct tern_sqlog *log, tern_time now)
{
    if (log->flush_at <= now)
        flush(log);
}

int tern_sqlog_error(struct tern_sqlog *log)
{
    flush(log);
    return log->file.error;
}

void tern_sqlog_close(struct tern_sqlog *log)
{
    flush(log);
    tern_block_file_fini(&log->file);
    free(log);
}

/* RFC 3339, with nanoseconds. */
static void wall_clock(int64_t unix_ns, char *out, size_t bytes)
{
    const time_t seconds = (time_t)(unix_ns / TERN_SECOND);
    struct tm utc;
    char text[32];

    if (gmtime_r(&seconds, &utc) == NULL || strftime(text, sizeof text, "%FT%T", &utc) == 0)
        text[0] = '\0';
    (void)snprintf(out, bytes, "%s.%09lldZ", text, (long long)(unix_ns % TERN_SECOND));
}

static void put_trace(struct tern_json_line *j, const struct tern_sqlog_options *o)
{
    char when[64];

    wall_clock(o->now + o->wall_offset_ns, when, sizeof when);
    tern_json_open(j, "trace");
    tern_json_open(j, "common_fields");
    tern_json_text(j, "time_format", "relative_to_epoch");
    tern_json_open(j, "reference_time");
    tern_json_text(j, "clock_type", "monotonic");
    tern_json_text(j, "epoch", "unknown");
    tern_json_text(j, "wall_clock_time", when);
    tern_json_close(j);
    tern_json_close(j);
    tern_json_open(j, "vantage_point");
    tern_json_text(j, "name", "tern " TERN_VERSION);
    tern_json_text(j, "type", o->server ? "server" : "client");
    tern_json_close(j);
    tern_json_raw(j, "event_schemas", "[\"urn:tern:qlog:events:tcp-1\"]");
    tern_json_close(j);
}

static void put_header(struct tern_sqlog *log, const struct tern_sqlog_options *o)
{
    struct tern_json_line j = line_in(log->memory);

    tern_json_open(&j, NULL);
    tern_json_text(&j, "file_schema", "urn:ietf:params:qlog:file:sequential");
    tern_json_text(&j, "serialization_format", "application/qlog+json-seq");
    tern_json_text(&j, "qlog_version", "0.3"); /* as older readers know the same format */
    tern_json_text(&j, "qlog_format", "JSON-SEQ");
    tern_json_text(&j, "title", o->title);
    put_trace(&j, o);
    tern_json_close(&j);
    keep(log, &j);
}

static int open_file(const char *path)
{
    if (strcmp(path, "-") == 0)
        return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

enum tern_err tern_sqlog_open(const struct tern_sqlog_options *options, struct tern_sqlog **out)
{
    struct tern_sqlog *log = calloc(1, sizeof *log);

    if (log == NULL)
        return TERN_ERR_MEMORY;
    /* Standard output may be a file that had something before. */
    tern_block_file_init(&log->file, open_file(options->path), strcmp(options->path, "-") != 0);
    if (log->file.fd < 0) {
        free(log);
        return TERN_ERR_SYSTEM;
    }
    log->since = options->now;
    put_header(log, options);
    flush(log); /* a file that cannot be written is told at once */
    if (log->file.error != 0) {
        const int why = log->file.error;

        tern_block_file_fini(&log->file);
        free(log);
        errno = why;
        return TERN_ERR_SYSTEM;
    }
    *out = log;
    return TERN_ERR_OK;
}
