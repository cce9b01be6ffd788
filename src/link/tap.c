/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tap (tap:NAME): frames by read() and writev() on a TAP, each behind a virtio header, up to 64 KiB
 * long in either direction.
 *
 * Receiving: a burst is read into one arena, frame behind frame, until nothing waits or the arena
 * has no room for a longest frame more. The arena is small on purpose: seven long frames, so that
 * it stays in the processor's cache until the stack has taken the bytes out of it, where 64 buffers
 * of the longest kind would push each other out. Short frames lie 64 to a burst. The first frame
 * after nothing is a burst by itself, for it is an answer as a rule, and to find out by a system
 * call that no other came with it would hold it up; one that did is there at the next look.
 *
 * Sending: one writev() a frame, since a TAP takes no sendmmsg(); short ones in one piece.
 *
 * What a TAP holds for us is its interface's transmit queue. A device that was deleted answers
 * EBADFD, one that is down refuses each frame with EIO, which is counted. Reading fails for no
 * reason that passes but that nothing is there: else the device is lost, and to look again would be
 * to look for ever.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/assert.h"
#include "link/frame.h"
#include "link/own_mac.h"
#include "link/tap.h"
#include "link/vnet.h"
#include "link/words.h"

#define LONGEST_BYTES (sizeof(struct virtio_net_hdr) + TERN_FRAME_BYTES_MAX)
#define ARENA_BYTES   ((size_t)512 * 1024)
/* The Ethernet header's end, 24 bytes behind the virtio header's start, is then 8-aligned. */
#define ALIGN       64u
#define SHORT_BYTES 256u

struct tap_link {
    struct tern_link link;
    struct tern_tap_device device;
    uint8_t *arena;
    bool gone;
    bool empty; /* as it was seen last */
    struct tern_link_counters counters;
};

static struct tap_link *tap_of(const struct tern_link *link)
{
    return (struct tap_link *)(uintptr_t)link;
}

static bool is_gone(int error)
{
    return error == EBADFD || error == ENODEV || error == ENXIO;
}

/* The next frame into the arena at `at`. Bytes it takes there; 0: none waits; negative: gone. */
static ssize_t read_frame(struct tap_link *t, size_t at)
{
    ssize_t n;

    do {
        n = read(t->device.fd, t->arena + at, LONGEST_BYTES);
    } while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    t->gone = errno != EAGAIN && errno != ENOMEM && errno != ENOBUFS;
    return t->gone ? TERN_ERR_LINK : 0;
}

/* False: not to be passed on. */
static bool describe(const struct tap_link *t, size_t at, size_t bytes, struct tern_frame *out)
{
    const struct virtio_net_hdr *v = (const void *)(t->arena + at);

    if (bytes <= sizeof(*v))
        return false;
    *out = (struct tern_frame){.piece_count = 1, .bytes = (uint32_t)(bytes - sizeof(*v))};
    out->piece[0] = (struct tern_slice){.data = t->arena + at + sizeof(*v), .bytes = out->bytes};
    return tern_vnet_to_frame(v, out);
}

static int tap_receive(struct tern_link *link, tern_time now, struct tern_frame *frames, int max)
{
    struct tap_link *t = tap_of(link);
    size_t at = 0;
    int n = 0;

    (void)now;
    if (t->empty && max > 1)
        max = 1;
    t->empty = false;
    while (n < max && at + LONGEST_BYTES <= ARENA_BYTES && !t->gone) {
        const ssize_t bytes = read_frame(t, at);

        if (bytes <= 0) {
            t->empty = true;
            break;
        }
        if (!describe(t, at, (size_t)bytes, &frames[n])) {
            t->counters.dropped_in++;
            continue;
        }
        t->counters.frames_in++;
        t->counters.bytes_in += frames[n].bytes;
        at += ((size_t)bytes + ALIGN - 1) / ALIGN * ALIGN;
        n++;
    }
    return n == 0 && t->gone ? TERN_ERR_LINK : n;
}

static void tap_release(struct tern_link *link)
{
    (void)link; /* the arena is written over by the next receive() only */
}

enum write_verdict { WRITE_TAKEN, WRITE_FULL, WRITE_REFUSED, WRITE_GONE };

static ssize_t write_pieces(const struct tap_link *t, const struct tern_frame *frame)
{
    struct virtio_net_hdr v = tern_vnet_of_frame(frame);
    struct iovec piece[TERN_FRAME_PIECES_MAX + 1];

    TERN_ASSERT(frame->piece_count <= TERN_FRAME_PIECES_MAX);
    piece[0] = (struct iovec){.iov_base = &v, .iov_len = sizeof(v)};
    for (uint32_t i = 0; i < frame->piece_count; i++) {
        piece[i + 1] = (struct iovec){
            .iov_base = (void *)(uintptr_t)frame->piece[i].data, /* writev() only reads */
            .iov_len = frame->piece[i].bytes,
        };
    }
    return writev(t->device.fd, piece, (int)frame->piece_count + 1);
}

/* Cheaper to put together than to have the kernel look up each piece. */
static ssize_t write_short(const struct tap_link *t, const struct tern_frame *frame)
{
    struct virtio_net_hdr v = tern_vnet_of_frame(frame);
    uint8_t bytes[sizeof(v) + SHORT_BYTES];
    size_t count = sizeof(v) + tern_frame_copy(frame, bytes + sizeof(v), SHORT_BYTES);

    memcpy(bytes, &v, sizeof(v));
    return write(t->device.fd, bytes, count);
}

static enum write_verdict write_frame(const struct tap_link *t, const struct tern_frame *frame)
{
    ssize_t n = frame->bytes <= SHORT_BYTES ? write_short(t, frame) : write_pieces(t, frame);

    if (n >= 0)
        return WRITE_TAKEN;
    if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == EINTR)
        return WRITE_FULL;
    return is_gone(errno) ? WRITE_GONE : WRITE_REFUSED;
}

static int tap_transmit(struct tern_link *link, tern_time now, const struct tern_frame *frames,
                        int count)
{
    struct tap_link *t = tap_of(link);

    (void)now;
    for (int i = 0; i < count; i++) {
        switch (write_frame(t, &frames[i])) {
        case WRITE_TAKEN:
            t->counters.frames_out++;
            t->counters.bytes_out += frames[i].bytes;
            break;
        case WRITE_REFUSED:
            t->counters.dropped_out++;
            break;
        case WRITE_FULL:
            return i;
        case WRITE_GONE:
            t->gone = true;
            return TERN_ERR_LINK;
        }
    }
    return count;
}

static int tap_fd(const struct tern_link *link)
{
    return tap_of(link)->device.fd;
}

static tern_time tap_deadline(const struct tern_link *link)
{
    return tap_of(link)->gone ? 0 : TERN_TIME_NEVER;
}

static void tap_counters(const struct tern_link *link, struct tern_link_counters *out)
{
    *out = tap_of(link)->counters;
}

static void tap_free(struct tap_link *t, bool keep_fd)
{
    if (t->arena != NULL)
        (void)munmap(t->arena, ARENA_BYTES);
    if (t->device.fd >= 0 && !keep_fd)
        (void)close(t->device.fd);
    free(t);
}

static void tap_close(struct tern_link *link)
{
    tap_free(tap_of(link), false);
}

static const struct tern_link_ops tap_ops = {
    .receive = tap_receive,
    .release = tap_release,
    .transmit = tap_transmit,
    .fd = tap_fd,
    .deadline = tap_deadline,
    .counters = tap_counters,
    .close = tap_close,
};

static enum tern_err choose_mac(struct tap_link *t, const struct tern_link_tap_options *o,
                                char *error_text)
{
    struct tern_mac *mac = &t->link.info.mac;

    *mac = o->mac_choice == TERN_MAC_GIVEN ? o->mac : tern_link_own_mac(o->seed);
    if (t->device.is_macvtap)
        *mac = t->device.mac;
    if (!t->device.is_macvtap &&
        (o->mac_choice == TERN_MAC_HOST || tern_mac_equal(*mac, t->device.mac))) {
        tern_link_say(error_text,
                      "the host's MAC is at the other end of tap %s: take one of tern's "
                      "own (--mac own)",
                      t->device.name);
        return TERN_ERR_INVAL;
    }
    if (tern_mac_is_group(*mac)) {
        tern_link_say(error_text, "a group address (odd first byte) cannot be a host's MAC");
        return TERN_ERR_INVAL;
    }
    return TERN_ERR_OK;
}

static void fill_info(struct tap_link *t, bool no_offloads)
{
    struct tern_link_info *info = &t->link.info;

    (void)snprintf(info->name, sizeof(info->name), "tap:%.15s", t->device.name);
    info->mtu_bytes = t->device.mtu_bytes;
    if (!no_offloads)
        info->offloads = TERN_OFFLOAD_CSUM_TX | TERN_OFFLOAD_TSO4 | TERN_OFFLOAD_TSO6;
    /* An eighth is left for ARP, probes, frames sent twice; each may be as short as the MTU. */
    info->hold_frames = t->device.queue_frames - t->device.queue_frames / 8;
    info->hold_bytes = (uint64_t)info->hold_frames * info->mtu_bytes;
    info->hold_long_frames = info->hold_frames;
    info->long_bytes = info->mtu_bytes;
}

static enum tern_err say_no_memory(char *words)
{
    tern_link_say(words, "cannot open the tap: out of memory");
    return TERN_ERR_MEMORY;
}

enum tern_err tern_tap_open(const struct tern_link_tap_options *options, bool many_queues,
                            struct tern_link **out, char *error_text)
{
    struct tap_link *t = calloc(1, sizeof(*t));
    enum tern_err err;

    if (t == NULL)
        return say_no_memory(error_text);
    t->link.ops = &tap_ops;
    err = tern_tap_device_open(options, many_queues, &t->device, error_text);
    if (err == TERN_ERR_OK)
        err = choose_mac(t, options, error_text);
    if (err == TERN_ERR_OK) {
        t->arena =
            mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (t->arena == MAP_FAILED) {
            t->arena = NULL;
            err = say_no_memory(error_text);
        }
    }
    if (err != TERN_ERR_OK) {
        tap_free(t, options->fd >= 0);
        return err;
    }
    fill_info(t, options->no_offloads);
    *out = &t->link;
    return TERN_ERR_OK;
}

enum tern_err tern_link_tap_open(const struct tern_link_tap_options *options,
                                 struct tern_link **out, char *error_text)
{
    return tern_tap_open(options, false, out, error_text);
}
