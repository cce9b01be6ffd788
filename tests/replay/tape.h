/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_REPLAY_TAPE_H
#define TERN_TESTS_REPLAY_TAPE_H
/*
 * A journal of the calls to the core. calls.c describes each call once; the same description
 * writes the call's arguments and results while recording, and while replaying takes the arguments
 * from the journal and compares the results.
 *
 * Handles (stack, connection, …) lie in the stack's memory, laid out by its configuration alone, so
 * they stand in the journal as their distance from the stack.
 *
 * File: MAGIC, then records: u32 bytes of the body, u32 sum of the body, body. A call is two of
 * them: its number and arguments, written out before it is made, so that a call that ends the
 * process stands in the journal; and its results. Integers as the machine has them: a journal is
 * replayed on the kind of machine, and by the build, that recorded it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TAPE_MAGIC "tern journal 1\n"

enum tape_mode { TAPE_OFF, TAPE_RECORD, TAPE_REPLAY };

struct tape {
    enum tape_mode mode;
    FILE *file;
    bool inside; /* a recorded call is under way: what it calls is its own affair */
    uint32_t call;
    uint8_t *body;
    size_t bytes, bytes_max, at;
    uint8_t *stack; /* its memory */
    size_t stack_bytes;
    uint8_t *room; /* replay: memory for arguments, given anew for each call */
    size_t room_used, room_kept;
    bool unfinished;   /* replay: the journal ends within this call */
    const char *wrong; /* replay: what differs first */
    uint64_t recorded, replayed;
    uint64_t records, frames_in, frames_out;
};

extern struct tape tape;

/* Is this call to be recorded? `handle`: its first argument. */
bool tape_wants(const void *handle);
/* Around a call: enter, its arguments, called, the call, returned, its results, leave. */
void tape_enter(uint32_t call);
void tape_called(void);
void tape_returned(void);
void tape_leave(void);

/* Arguments: written, or taken from the journal. */
void tape_in(void *value, size_t bytes);
void tape_in_bytes(const void **data, size_t bytes);
void tape_in_text(const char **text); /* or NULL */
void tape_in_handle(void **handle);

/* Results: written, or compared. Of bytes stands a hash in the journal. */
void tape_out(const char *what, uint64_t value);
void tape_out_bytes(const char *what, const void *data, size_t bytes);
void tape_out_text(const char *what, const char *text);
void tape_out_handle(const char *what, const void *handle);

/* Memory for an argument that the call writes to: recording, the caller's own. */
void *tape_room(void *own, size_t bytes);
/* What this call was given stays where it is, until the call after tape_stay(false). */
void tape_stay(bool stay);

/* Replay: the next record; false: the end, or damage, which *damage tells. */
bool tape_next(const char **damage);

#endif
