/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture: writes what a link carries to a pcapng file. Frames going out are written once the
 * inner link has taken them, each with its cause as a comment. Frames coming in are remembered for
 * as long as they are lent, and written when they go back or the next are sent, whichever is first:
 * by then the stack has digested them, and, where its observer tells the capture
 * (tern_link_capture_note()), each has a comment that says what it changed. So the order in the
 * file is what happened. Super-segments are written whole; checksums that the link was to fill in
 * are filled in, in the copy, so that no reader calls them wrong.
 *
 * Blocks gather in a buffer which goes to the file when it is full, a second after its first
 * frame, and at the end. Where writing fails (a full disk), the file is cut back to its last whole
 * block as far as that can be done, and the capture stops; the traffic goes on, and
 * tern_link_capture_error() tells.
 *
 * TLS keys (secrets.h) must stand in front of the first frame that they open, since readers go
 * through the file once; and they are known only after those frames went by: with TLS 1.3 the
 * server's first flight is encrypted in part, and a reader that cannot follow it never learns
 * where the data begins. So from the beginning of a handshake to its end the buffer is held
 * back, unless it is full, and keys go to the file in front of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tern/tern.h>

#include "base/assert.h"
#include "link/block_file.h"
#include "link/capture_words.h"
#include "link/frame.h"
#include "link/pcapng.h"
#include "link/secrets.h"
#include "link/words.h"
#include "link/wrap.h"

#define BUFFER_BYTES (256u * 1024)
#define FLUSH_NS     TERN_SECOND

struct capture_link {
    struct tern_wrap wrap;
    struct tern_block_file file;
    int64_t wall_offset_ns;
    tern_time flush_at;
    struct tern_frame held[TERN_BURST_MAX]; /* lent by the inner link, not yet written */
    int held_count;
    tern_time held_at;
    struct tern_capture_words words; /* of them */
    struct tern_secrets *secrets;    /* NULL: none are wanted */
    bool waits;                      /* the buffer, for keys */
    struct tern_writer buffer;
    uint8_t memory[BUFFER_BYTES];
};

static struct capture_link *capture_of(const struct tern_link *link)
{
    return (struct capture_link *)(uintptr_t)link;
}

/* The keys that came. */
static void write_keys(struct capture_link *c)
{
    size_t bytes = 0;
    char *lines = tern_secrets_take(c->secrets, &bytes);
    uint8_t *block = NULL;
    struct tern_writer w;

    if (lines != NULL)
        block = malloc(tern_pcapng_tls_keys_bytes(bytes));
    if (block != NULL) {
        w = tern_writer_of(block, tern_pcapng_tls_keys_bytes(bytes));
        tern_pcapng_tls_keys(&w, lines, bytes);
        tern_block_file_write(&c->file, block, w.bytes);
    }
    free(block);
    free(lines);
}

/* Write the buffer out, which always ends at the end of a block. */
static void flush(struct capture_link *c)
{
    if (c->secrets != NULL)
        write_keys(c);
    tern_block_file_write(&c->file, c->memory, c->buffer.bytes);
    c->buffer.bytes = 0;
    c->flush_at = TERN_TIME_NEVER;
}

/* Where a handshake has begun: what was before it goes to the file, so that there is room. */
static void hold_if_expected(struct capture_link *c)
{
    bool expected = c->secrets != NULL && tern_secrets_expected(c->secrets);

    if (expected && !c->waits)
        flush(c);
    c->waits = expected;
}

/* Make room for a block. False: the capture has stopped. */
static bool make_room(struct capture_link *c, size_t bytes)
{
    TERN_ASSERT(bytes <= BUFFER_BYTES);
    if (c->file.error == 0 && bytes > c->buffer.bytes_max - c->buffer.bytes)
        flush(c);
    return c->file.error == 0;
}

/* comment NULL: none */
static void write_frame(struct capture_link *c, tern_time now, const struct tern_frame *frame,
                        bool outbound, const char *comment)
{
    struct tern_pcapng_packet packet = {
        .unix_ns = now + c->wall_offset_ns,
        .outbound = outbound,
        .comment = comment,
        .bytes = frame->bytes,
    };
    uint8_t *data;

    hold_if_expected(c);
    if (frame->bytes > TERN_FRAME_BYTES_MAX || !make_room(c, tern_pcapng_packet_bytes(&packet)))
        return;
    data = tern_pcapng_packet(&c->buffer, &packet);
    TERN_ASSERT(data != NULL);
    (void)tern_frame_copy(frame, data, frame->bytes);
    if (frame->csum == TERN_CSUM_NEEDS)
        (void)tern_frame_fill_checksum(data, frame->bytes, frame->csum_start, frame->csum_offset);
    if (c->flush_at == TERN_TIME_NEVER)
        c->flush_at = now + FLUSH_NS;
}

static void flush_if_due(struct capture_link *c, tern_time now)
{
    if (c->flush_at > now)
        return;
    hold_if_expected(c);
    if (c->waits)
        c->flush_at = now + FLUSH_NS;
    else
        flush(c);
}

static void write_held(struct capture_link *c)
{
    char words[TERN_CAPTURE_WORDS_MAX];

    for (int i = 0; i < c->held_count; i++)
        write_frame(c, c->held_at, &c->held[i], false,
                    tern_capture_words_of(&c->words, (uint32_t)i, words));
    c->held_count = 0;
    tern_capture_words_begin(&c->words);
}

static int capture_receive(struct tern_link *link, tern_time now, struct tern_frame *frames,
                           int max)
{
    struct capture_link *c = capture_of(link);
    int n;

    write_held(c); /* by one who fetched and never gave back */
    n = tern_wrap_receive(&c->wrap, now, frames, max < TERN_BURST_MAX ? max : TERN_BURST_MAX);
    for (int i = 0; i < n; i++)
        c->held[i] = frames[i];
    c->held_count = n > 0 ? n : 0;
    c->held_at = now;
    flush_if_due(c, now);
    return n;
}

static void capture_release(struct tern_link *link)
{
    write_held(capture_of(link));
    tern_wrap_release(link);
}

static int capture_transmit(struct tern_link *link, tern_time now, const struct tern_frame *frames,
                            int count)
{
    struct capture_link *c = capture_of(link);
    int n = c->wrap.inner->ops->transmit(c->wrap.inner, now, frames, count);

    write_held(c);
    for (int i = 0; i < n; i++)
        write_frame(c, now, &frames[i], true,
                    frames[i].cause != TERN_CAUSE_NONE ? tern_cause_text(frames[i].cause) : NULL);
    flush_if_due(c, now);
    return n;
}

static tern_time capture_deadline(const struct tern_link *link)
{
    const struct capture_link *c = capture_of(link);
    tern_time at = tern_wrap_deadline(link);

    return c->flush_at < at ? c->flush_at : at;
}

static void capture_close(struct tern_link *link)
{
    struct capture_link *c = capture_of(link);

    write_held(c);
    c->wrap.inner->ops->close(c->wrap.inner);
    flush(c);
    tern_block_file_fini(&c->file);
    free(c);
}

static const struct tern_link_ops capture_ops = {
    .receive = capture_receive,
    .release = capture_release,
    .transmit = capture_transmit,
    .fd = tern_wrap_fd,
    .deadline = capture_deadline,
    .counters = tern_wrap_counters,
    .close = capture_close,
};

/* The file, made anew. -1: see errno. */
static int open_file(const char *path, bool secret)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, secret ? 0600 : 0644);
    struct stat there;
    int error;

    if (fd < 0 || !secret || fstat(fd, &there) != 0 || !S_ISREG(there.st_mode))
        return fd;
    if ((there.st_mode & 0077) == 0 || fchmod(fd, 0600) == 0) /* it may have been there before */
        return fd;
    error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

enum tern_err tern_link_capture_open_secret(struct tern_link *inner, const char *path,
                                            int64_t wall_offset_ns, struct tern_secrets *secrets,
                                            struct tern_link **out, char *error_text)
{
    struct capture_link *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        tern_link_say(error_text, "cannot write %s: out of memory", path);
        return TERN_ERR_MEMORY;
    }
    tern_block_file_init(&c->file, open_file(path, secrets != NULL), true);
    if (c->file.fd < 0) {
        tern_link_say(error_text, "cannot write %s: %s", path, strerror(errno));
        free(c);
        return TERN_ERR_SYSTEM;
    }
    tern_wrap_init(&c->wrap, &capture_ops, inner);
    c->wall_offset_ns = wall_offset_ns;
    c->secrets = secrets;
    c->buffer = tern_writer_of(c->memory, sizeof(c->memory));
    tern_pcapng_begin(&c->buffer, "tern " TERN_VERSION, &inner->info);
    flush(c); /* a file that cannot be written is told at once */
    if (c->file.error != 0) {
        tern_link_say(error_text, "cannot write %s: %s", path, strerror(c->file.error));
        tern_block_file_fini(&c->file);
        free(c);
        return TERN_ERR_SYSTEM;
    }
    *out = &c->wrap.link;
    return TERN_ERR_OK;
}

void tern_link_capture_note(struct tern_link *capture, const struct tern_note *note)
{
    tern_capture_words_note(&capture_of(capture)->words, note);
}

enum tern_err tern_link_capture_open(struct tern_link *inner, const char *path,
                                     int64_t wall_offset_ns, struct tern_link **out,
                                     char *error_text)
{
    return tern_link_capture_open_secret(inner, path, wall_offset_ns, NULL, out, error_text);
}

int tern_link_capture_error(const struct tern_link *capture)
{
    struct capture_link *c = capture_of(capture);

    write_held(c);
    flush(c);
    return c->file.error;
}
