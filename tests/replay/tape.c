/* SPDX-License-Identifier: BSD-2-Clause */
/* A journal of the calls to the core: see tape.h. */
#include "tape.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_BYTES (8u << 20) /* more than any one call's arguments */
#define ROOM_ALIGN 16u
#define RECORD_MAX (64u << 20)
#define NO_HANDLE  UINT64_MAX
#define NO_TEXT    UINT32_MAX

struct tape tape;

/* FNV-1a, eight bytes at a time: it tells of a difference, not of an enemy. */
static uint64_t hash(const void *data, size_t bytes)
{
    const uint8_t *p = data;
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ bytes;

    while (bytes > 0) {
        const size_t n = bytes < 8 ? bytes : 8;
        uint64_t word = 0;

        memcpy(&word, p, n);
        h = (h ^ word) * UINT64_C(0x100000001b3);
        h ^= h >> 32;
        p += n;
        bytes -= n;
    }
    return h;
}

static void die(const char *words)
{
    (void)fprintf(stderr, "journal: %s\n", words);
    abort();
}

bool tape_wants(const void *handle)
{
    const uint8_t *p = handle;

    return tape.mode == TAPE_RECORD && !tape.inside && tape.stack != NULL && p >= tape.stack &&
           p < tape.stack + tape.stack_bytes;
}

static void put(const void *data, size_t bytes)
{
    if (tape.bytes + bytes > tape.bytes_max) {
        tape.bytes_max = (tape.bytes + bytes) * 2;
        tape.body = realloc(tape.body, tape.bytes_max);
        if (tape.body == NULL)
            die("out of memory");
    }
    memcpy(tape.body + tape.bytes, data, bytes);
    tape.bytes += bytes;
}

static const void *take(size_t bytes)
{
    static const uint8_t zeros[64];
    const void *data = tape.body + tape.at;

    if (bytes > tape.bytes - tape.at) {
        if (tape.wrong == NULL && !tape.unfinished)
            tape.wrong = "the record's length";
        return bytes <= sizeof zeros ? zeros : tape_room(NULL, bytes);
    }
    tape.at += bytes;
    return data;
}

static void write_record(void)
{
    const uint32_t head[2] = {(uint32_t)tape.bytes, (uint32_t)hash(tape.body, tape.bytes)};

    if (fwrite(head, sizeof head, 1, tape.file) != 1 ||
        (tape.bytes > 0 && fwrite(tape.body, tape.bytes, 1, tape.file) != 1) ||
        fflush(tape.file) != 0)
        die("cannot be written");
    tape.bytes = 0;
}

static void end_record(void)
{
    if (tape.mode == TAPE_RECORD)
        write_record();
    else if (tape.at != tape.bytes && tape.wrong == NULL)
        tape.wrong = "the record's length";
}

void tape_enter(uint32_t call)
{
    tape.inside = true;
    tape.call = call;
    tape.room_used = tape.room_kept;
    if (tape.mode == TAPE_RECORD)
        put(&call, sizeof call);
}

void tape_called(void)
{
    end_record();
}

void tape_returned(void)
{
    const char *damage;

    if (tape.mode == TAPE_RECORD)
        return;
    tape.unfinished = !tape_next(&damage) && damage == NULL;
    if (damage != NULL && tape.wrong == NULL)
        tape.wrong = damage;
}

void tape_leave(void)
{
    tape.inside = false;
    tape.records++;
    end_record();
}

void tape_in(void *value, size_t bytes)
{
    if (tape.mode == TAPE_RECORD)
        put(value, bytes);
    else
        memcpy(value, take(bytes), bytes);
}

void tape_in_bytes(const void **data, size_t bytes)
{
    if (tape.mode == TAPE_RECORD) {
        if (bytes > 0)
            put(*data, bytes);
        return;
    }
    *data = tape_room(NULL, bytes);
    if (bytes > 0)
        memcpy((void *)(uintptr_t)*data, take(bytes), bytes);
}

void tape_in_text(const char **text)
{
    uint32_t bytes = *text == NULL ? NO_TEXT : (uint32_t)strlen(*text) + 1;
    const void *data = *text;

    tape_in(&bytes, sizeof bytes);
    if (bytes == NO_TEXT) {
        *text = NULL;
        return;
    }
    tape_in_bytes(&data, bytes);
    *text = data;
}

static uint64_t distance(const void *handle)
{
    return handle == NULL ? NO_HANDLE : (uint64_t)((const uint8_t *)handle - tape.stack);
}

void tape_in_handle(void **handle)
{
    uint64_t at = tape.mode == TAPE_RECORD ? distance(*handle) : 0;

    tape_in(&at, sizeof at);
    if (tape.mode == TAPE_RECORD)
        return;
    if (at >= tape.stack_bytes && at != NO_HANDLE)
        tape.wrong = "a handle";
    *handle = at == NO_HANDLE || at >= tape.stack_bytes ? NULL : tape.stack + at;
}

void tape_out(const char *what, uint64_t value)
{
    uint64_t recorded = 0;

    if (tape.mode == TAPE_RECORD) {
        put(&value, sizeof value);
        return;
    }
    memcpy(&recorded, take(sizeof recorded), sizeof recorded);
    if (recorded == value || tape.wrong != NULL || tape.unfinished)
        return;
    tape.wrong = what;
    tape.recorded = recorded;
    tape.replayed = value;
}

void tape_out_bytes(const char *what, const void *data, size_t bytes)
{
    tape_out(what, hash(data, bytes));
}

void tape_out_text(const char *what, const char *text)
{
    tape_out(what, text == NULL ? 0 : hash(text, strlen(text) + 1));
}

void tape_out_handle(const char *what, const void *handle)
{
    tape_out(what, distance(handle));
}

void tape_stay(bool stay)
{
    tape.room_kept = stay ? tape.room_used : 0;
}

void *tape_room(void *own, size_t bytes)
{
    void *room;

    if (tape.mode == TAPE_RECORD)
        return own;
    if (tape.room == NULL)
        tape.room = calloc(1, ROOM_BYTES);
    if (tape.room == NULL || bytes > ROOM_BYTES - tape.room_used)
        die("more arguments than there is room for");
    room = tape.room + tape.room_used;
    tape.room_used += (bytes + ROOM_ALIGN - 1) / ROOM_ALIGN * ROOM_ALIGN;
    return room;
}

bool tape_next(const char **damage)
{
    uint32_t head[2];

    *damage = NULL;
    if (fread(head, 1, sizeof head, tape.file) == 0 && feof(tape.file))
        return false;
    *damage = "it ends within a record, or has no records";
    if (ferror(tape.file) || head[0] > RECORD_MAX)
        return false;
    if (head[0] > tape.bytes_max) {
        free(tape.body);
        tape.bytes_max = head[0];
        tape.body = malloc(tape.bytes_max);
        if (tape.body == NULL)
            die("out of memory");
    }
    tape.bytes = head[0];
    if (tape.bytes > 0 && fread(tape.body, tape.bytes, 1, tape.file) != 1)
        return false;
    *damage = "a record is not what was written";
    if ((uint32_t)hash(tape.body, tape.bytes) != head[1])
        return false;
    *damage = NULL;
    tape.at = 0;
    return true;
}
