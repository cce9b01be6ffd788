/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bump in the wire: two interfaces joined through tern's impair, so that anybody's TCP meets the
 * same bad network.
 *
 *     bump A B WORDS SEED
 *
 * What arrives at A leaves at B, and the other way round, ARP and all, after the line of its
 * direction has had it: `out` is from A to B, `in` from B to A, both in the words of --impair.
 * Super-segments are cut into the frames of a wire, with their checksums, before anything befalls
 * them.
 * `ready` is said on standard output; at SIGTERM or SIGINT one JSON object, and the end.
 *
 * A frame enters its line at the time at which the kernel got it, and what was due earlier is sent
 * first: so a frame's fate is that of its time, however late we wake up. We look TICK_NS apart, so
 * that a fast transfer costs some thousand wake-ups a second; a frame leaves that much late at
 * the most, unless the machine is too busy. That shows: `late_ms` is the worst, and what was lost
 * for want of room in a socket (`unread`) or was not taken by the device (`refused`) is counted by
 * itself. A test that compares speeds looks at these first: they are the machine's and not the
 * network's.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* After sys/socket.h. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>

#include "base/assert.h"
#include "link/impair_line.h"
#include "link/vnet.h"
#include "os/clock.h"

#define TICK_NS       (200 * TERN_US)
#define SOCKET_BYTES  (128 * 1024 * 1024)
#define FRAME_BYTES   9216u /* the longest frame on the line: a jumbo one */
#define ROUNDS_MAX    64
#define NICE          (-10)
#define CONTROL_BYTES 64

/* One interface, and the line that leads away from it to the other. */
struct side {
    const char *name;
    int fd;
    struct tern_impair_line line;
    tern_time late; /* the worst, of frames that left the line */
    uint64_t unknown, unread, refused;
    uint64_t dropped_at_start; /* by the device, when we began to send */
};

/* What recvmmsg() fills. */
struct inbox {
    struct mmsghdr message[TERN_BURST_MAX];
    struct iovec piece[TERN_BURST_MAX][2];
    struct virtio_net_hdr header[TERN_BURST_MAX];
    _Alignas(struct cmsghdr) uint8_t control[TERN_BURST_MAX][CONTROL_BYTES];
    uint8_t bytes[TERN_BURST_MAX][TERN_FRAME_BYTES_MAX];
};

static struct inbox inbox;
static struct tern_impair_scratch scratch;
static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static void fail(const char *what)
{
    fprintf(stderr, "bump: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void set_option(int fd, int level, int option, int value, const char *what)
{
    if (setsockopt(fd, level, option, &value, sizeof(value)) != 0)
        fail(what);
}

/* What the device has dropped of what it was to send, as the kernel's table of devices has it. */
static uint64_t device_drops(const char *name)
{
    FILE *table = fopen("/proc/self/net/dev", "r");
    size_t name_bytes = strlen(name);
    uint64_t drops = 0;
    char line[512];

    while (table != NULL && fgets(line, sizeof(line), table) != NULL) {
        const char *at = line + strspn(line, " ");

        if (strncmp(at, name, name_bytes) == 0 && at[name_bytes] == ':')
            (void)sscanf(at + name_bytes + 1,
                         "%*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &drops);
    }
    if (table != NULL)
        (void)fclose(table);
    return drops;
}

static void side_open(struct side *s, const char *name)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};

    s->name = name;
    to.sll_ifindex = (int)if_nametoindex(name);
    if (to.sll_ifindex == 0)
        fail(name);
    s->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0)
        fail("socket");
    set_option(s->fd, SOL_PACKET, PACKET_VNET_HDR, 1, "offload headers");
    set_option(s->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, "direction");
    set_option(s->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1, "time stamps");
    if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){SOCKET_BYTES}, sizeof(int)) != 0)
        set_option(s->fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BYTES, "receive buffer");
    if (setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &(int){SOCKET_BYTES}, sizeof(int)) != 0)
        set_option(s->fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BYTES, "send buffer");
    s->dropped_at_start = device_drops(name);
    if (bind(s->fd, (const void *)&to, sizeof(to)) != 0)
        fail("bind");
}

/* Send what is due by then; at the most the length of the queue, so that it ends. */
static void release(struct side *from, const struct side *to, tern_time by)
{
    struct tern_frame frames[TERN_BURST_MAX];
    struct mmsghdr message[TERN_BURST_MAX];
    struct iovec piece[TERN_BURST_MAX][2];
    static struct virtio_net_hdr plain;
    tern_time late = tern_clock_now() - tern_impair_line_next(&from->line);
    int n;

    while ((n = tern_impair_line_take(&from->line, by, frames, TERN_BURST_MAX)) > 0) {
        int done = 0;

        if (late > from->late)
            from->late = late;
        for (int i = 0; i < n; i++) {
            piece[i][0] = (struct iovec){.iov_base = &plain, .iov_len = sizeof(plain)};
            piece[i][1] = (struct iovec){.iov_base = (void *)(uintptr_t)frames[i].piece[0].data,
                                         .iov_len = frames[i].bytes};
            message[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = piece[i], .msg_iovlen = 2}};
        }
        while (done < n) {
            int sent = sendmmsg(to->fd, message + done, (unsigned)(n - done), MSG_DONTWAIT);

            if (sent <= 0)
                from->refused++;
            done += sent > 0 ? sent : 1;
        }
        tern_impair_line_give(&from->line);
    }
}

/* When the kernel got a frame, on our clock; not in the future. */
static tern_time arrival(struct msghdr *m, tern_time now, int64_t wall_offset)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
        struct timespec t;
        tern_time at;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&t, CMSG_DATA(c), sizeof(t));
        at = (tern_time)t.tv_sec * TERN_SECOND + t.tv_nsec - wall_offset;
        return at < now ? at : now;
    }
    return now;
}

static void inbox_prepare(void)
{
    for (int i = 0; i < TERN_BURST_MAX; i++) {
        inbox.piece[i][0] =
            (struct iovec){.iov_base = &inbox.header[i], .iov_len = sizeof(inbox.header[i])};
        inbox.piece[i][1] =
            (struct iovec){.iov_base = inbox.bytes[i], .iov_len = sizeof(inbox.bytes[i])};
        inbox.message[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = inbox.piece[i],
                                                        .msg_iovlen = 2,
                                                        .msg_control = inbox.control[i],
                                                        .msg_controllen = CONTROL_BYTES}};
    }
}

/* The next burst from the kernel onto the line. False: there was less than a burst. */
static bool take_in(struct side *from, const struct side *to)
{
    tern_time now = tern_clock_now();
    int64_t wall_offset = tern_clock_wall_offset_ns();
    int n;

    inbox_prepare();
    n = recvmmsg(from->fd, inbox.message, TERN_BURST_MAX, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        tern_time at = arrival(&inbox.message[i].msg_hdr, now, wall_offset);
        struct tern_frame frame = {.piece_count = 1};

        if (inbox.message[i].msg_len < sizeof(struct virtio_net_hdr))
            continue;
        frame.bytes = inbox.message[i].msg_len - (uint32_t)sizeof(struct virtio_net_hdr);
        frame.piece[0] = (struct tern_slice){.data = inbox.bytes[i], .bytes = frame.bytes};
        if (!tern_vnet_to_frame(&inbox.header[i], &frame)) {
            from->unknown++;
            continue;
        }
        release(from, to, at);
        tern_impair_line_offer_frame(&from->line, at, &frame, &scratch);
    }
    return n == TERN_BURST_MAX;
}

static void carry(struct side *from, const struct side *to)
{
    for (int round = 0; round < ROUNDS_MAX; round++)
        if (!take_in(from, to))
            break;
    release(from, to, tern_clock_now());
}

static struct timespec in_parts(tern_time t)
{
    return (struct timespec){.tv_sec = t / TERN_SECOND, .tv_nsec = t % TERN_SECOND};
}

/* Until a frame has come or is due, and a tick has passed since the last turn. */
static void wait_turn(struct side side[2], tern_time last)
{
    tern_time a = tern_impair_line_next(&side[0].line), b = tern_impair_line_next(&side[1].line);
    struct pollfd watched[2] = {{.fd = side[0].fd, .events = POLLIN},
                                {.fd = side[1].fd, .events = POLLIN}};
    tern_time next = a < b ? a : b, now = tern_clock_now();
    struct timespec tick = in_parts(last + TICK_NS), wait;

    if (now < last + TICK_NS)
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &tick, NULL);
    now = tern_clock_now();
    if (next <= now || stopped)
        return;
    wait = in_parts(next == TERN_TIME_NEVER ? TERN_SECOND : next - now);
    (void)ppoll(watched, 2, &wait, NULL);
}

static void report(const char *key, struct side *from, const struct side *to)
{
    const struct tern_impair_counts *c = &from->line.counts;
    struct tpacket_stats stats = {0};
    socklen_t bytes = sizeof(stats);

    if (getsockopt(from->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &bytes) == 0)
        from->unread = stats.tp_drops;
    from->refused += device_drops(to->name) - to->dropped_at_start;
    printf("\"%s\": {\"frames\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"too_long\": %" PRIu64
           ", \"full\": %" PRIu64 ", \"duplicated\": %" PRIu64 ", \"corrupted\": %" PRIu64
           ", \"reordered\": %" PRIu64 ", \"unknown\": %" PRIu64 ", \"unread\": %" PRIu64
           ", \"refused\": %" PRIu64 ", \"late_ms\": %.3f}",
           key, c->offered, c->lost, c->too_long, c->full, c->duplicated, c->corrupted,
           c->reordered, from->unknown, from->unread, from->refused,
           (double)from->late / (double)TERN_MS);
}

static void run(struct side side[2])
{
    tern_time last = 0;

    while (!stopped) {
        wait_turn(side, last);
        last = tern_clock_now();
        carry(&side[0], &side[1]);
        carry(&side[1], &side[0]);
    }
}

int main(int argc, char **argv)
{
    static const char *const purpose[2] = {"out", "in"};
    static const int which[2] = {TERN_IMPAIR_OUT, TERN_IMPAIR_IN};
    struct sigaction on_stop = {.sa_handler = stop};
    static struct side side[2];
    struct tern_impair_way way[2] = {{0}};
    char error_text[TERN_LINK_ERROR_MAX];
    struct rusage used;
    uint64_t seed;

    if (argc != 5) {
        fprintf(stderr, "usage: bump A B WORDS SEED\n");
        return 2;
    }
    seed = strtoull(argv[4], NULL, 0);
    if (argv[3][0] != '\0' && tern_impair_parse(argv[3], way, error_text) != TERN_ERR_OK) {
        fprintf(stderr, "bump: %s\n", error_text);
        return 2;
    }
    for (int i = 0; i < 2; i++) {
        side_open(&side[i], argv[1 + i]);
        if (!tern_impair_line_init(&side[i].line, &way[which[i]], seed, purpose[i], FRAME_BYTES))
            fail("memory");
    }
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* a network does not wait for its users; if we may */
    (void)sigaction(SIGTERM, &on_stop, NULL);
    (void)sigaction(SIGINT, &on_stop, NULL);
    printf("ready\n");
    (void)fflush(stdout);
    run(side);
    (void)getrusage(RUSAGE_SELF, &used);
    printf("{");
    report("out", &side[0], &side[1]);
    printf(", ");
    report("in", &side[1], &side[0]);
    printf(", \"cpu_ms\": %ld}\n", (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000L +
                                       (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000L);
    return 0;
}
