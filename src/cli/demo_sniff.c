/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An AF_PACKET socket of its own, bound to the interface that tern drives. Frames come with the
 * time at which the kernel saw them, and marked when they leave. Those that leave are compared with
 * what tern's recorder noted: header for header, but for the checksum, which the device fills in.
 */
#include "cli/demo_sniff.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "os/clock.h"
#include "wire/eth.h"

#define COMPARE_BYTES (TERN_ETH_BYTES + 36) /* IP and TCP up to the checksum */
#define FRAMES_MAX    (4 * DEMO_SNIFF_MAX)

static bool bind_to(int fd, const char *interface)
{
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    struct ifreq request = {0};
    int on = 1;

    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
    if (ioctl(fd, SIOCGIFINDEX, &request) != 0)
        return false;
    at.sll_ifindex = request.ifr_ifindex;
    return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0 &&
           bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
}

bool demo_sniff_open(struct demo_sniff *sniff, struct tern_lab *lab)
{
    memset(sniff, 0, sizeof *sniff);
    sniff->fd = tern_lab_packet_socket(lab, TERN_LAB_CLIENT);
    if (sniff->fd < 0)
        return false;
    if (bind_to(sniff->fd, tern_lab_interface(lab, TERN_LAB_CLIENT)))
        return true;
    demo_sniff_close(sniff);
    return false;
}

void demo_sniff_close(struct demo_sniff *sniff)
{
    if (sniff->fd >= 0)
        (void)close(sniff->fd);
    sniff->fd = -1;
}

void demo_sniff_tap(void *user, const struct tern_record *record)
{
    struct demo_sniff *sniff = user;

    if (record->sent && sniff->own_count < DEMO_SNIFF_MAX)
        sniff->own[sniff->own_count++] = *record;
}

/* The time of a control message, on our clock; 0: none. */
static tern_time time_of(struct msghdr *message)
{
    struct timespec t;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            memcpy(&t, CMSG_DATA(c), sizeof t);
            return (tern_time)t.tv_sec * TERN_SECOND + t.tv_nsec - tern_clock_wall_offset_ns();
        }
    return 0;
}

/* The next frame; false: none is left. */
static bool sniff_next(const struct demo_sniff *sniff, struct tern_record *out)
{
    char control[256];
    struct sockaddr_ll from;
    struct iovec piece = {.iov_base = out->snap, .iov_len = sizeof out->snap};
    struct msghdr message = {.msg_name = &from,
                             .msg_namelen = sizeof from,
                             .msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};

    memset(out, 0, sizeof *out);
    ssize_t n = recvmsg(sniff->fd, &message, MSG_DONTWAIT | MSG_TRUNC);

    if (n < 0)
        return false;
    out->frame_bytes = (uint32_t)n;
    out->snap_bytes = out->frame_bytes < sizeof out->snap ? out->frame_bytes : sizeof out->snap;
    out->sent = from.sll_pkttype == PACKET_OUTGOING;
    out->at = time_of(&message);
    return true;
}

/* Tern's record of a frame that left; NULL: tern did not send it. Each record matches once. */
static struct tern_record *own_find(struct demo_sniff *sniff, const struct tern_record *seen)
{
    for (size_t i = 0; i < sniff->own_count; i++) {
        struct tern_record *own = &sniff->own[i];

        if (own->frame_bytes == seen->frame_bytes && own->snap_bytes >= COMPARE_BYTES &&
            memcmp(own->snap, seen->snap, COMPARE_BYTES) == 0)
            return own;
    }
    return NULL;
}

static bool is_ipv4(const struct tern_record *r)
{
    struct tern_eth eth;
    tern_span body;

    return tern_eth_parse(tern_span_of(r->snap, r->snap_bytes), &eth, &body) &&
           eth.type == TERN_ETHERTYPE_IPV4;
}

void demo_sniff_tell(struct demo_sniff *sniff, struct tern_model *model)
{
    struct tern_record seen;

    for (size_t i = 0; i < FRAMES_MAX && sniff_next(sniff, &seen); i++) {
        struct tern_record *own = seen.sent ? own_find(sniff, &seen) : NULL;

        if (!is_ipv4(&seen))
            continue;
        if (own != NULL) {
            seen.cause = own->cause;
            own->frame_bytes = 0; /* used */
        }
        if (seen.sent && own == NULL)
            tern_model_kernel_frame(model, &seen);
        else
            tern_model_frame(model, &seen);
    }
}
