/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_H
#define TERN_LINK_H
/*
 * The link contract: what carries Ethernet frames between a stack and the world.
 *
 * A link moves bursts of frame descriptors both ways. A descriptor points at its
 * bytes in pieces (a header, then slices of payload), so that nobody has to copy
 * to make a frame contiguous, and says what is known about its checksum and
 * whether it is a super-segment (TSO/GRO, up to 64 KiB) that the link cuts up.
 *
 * Bring your own link: embed struct tern_link as the first member of your
 * state, fill in ops and info, and hand its address to the stack's loop.
 * Calls on one link come from one thread. None of them blocks.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tern/addr.h>
#include <tern/cause.h>
#include <tern/err.h>
#include <tern/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that belong to somebody else. */
struct tern_slice {
    const uint8_t *data;
    size_t bytes;
};

enum tern_csum {
    TERN_CSUM_UNKNOWN, /* received: not checked; sent: already complete */
    TERN_CSUM_VALID,   /* received: the link vouches for it */
    TERN_CSUM_NEEDS,   /* only the pseudo-header sum is filled in; sum from csum_start to the end,
                          store at csum_start + csum_offset (virtio's and the kernel's meaning) */
};

enum tern_gso {
    TERN_GSO_NONE,
    TERN_GSO_TCP4,
    TERN_GSO_TCP6,
};

#define TERN_FRAME_PIECES_MAX 8
#define TERN_FRAME_BYTES_MAX  65550 /* an Ethernet header and the longest IPv4 packet, rounded up */
#define TERN_BURST_MAX        64

struct tern_frame {
    struct tern_slice piece[TERN_FRAME_PIECES_MAX];
    uint32_t piece_count;
    uint32_t bytes; /* sum of the pieces */
    enum tern_csum csum;
    uint16_t csum_start;  /* from the start of the frame, in bytes */
    uint16_t csum_offset; /* from csum_start, in bytes */
    enum tern_gso gso;
    uint16_t gso_bytes;    /* payload bytes of each piece that a super-segment is cut into */
    uint16_t header_bytes; /* Ethernet + IP + TCP headers of a super-segment */
    enum tern_cause cause; /* why we send it; NONE on received frames */
    uintptr_t mark;        /* the link's own, on received frames: pass it back untouched */
};

enum {
    TERN_OFFLOAD_CSUM_TX = 1u << 0, /* takes frames with TERN_CSUM_NEEDS */
    TERN_OFFLOAD_TSO4 = 1u << 1,    /* takes super-segments of TCP over IPv4 */
    TERN_OFFLOAD_TSO6 = 1u << 2,
};

struct tern_link_info {
    char name[64];             /* "lan:eth0", "slirp", "lab": as the user would write it */
    struct tern_mac mac;       /* the MAC that the stack on this link should use */
    uint32_t mtu_bytes;        /* longest IP packet, without the Ethernet header */
    uint32_t offloads;         /* TERN_OFFLOAD_… */
    uint32_t hold_frames;      /* frames that fit between us and the wire before one is lost */
    uint64_t hold_bytes;       /* the same in bytes, if every frame were of the longest kind;
                                no advertised window may promise more (0: no limit) */
    uint32_t long_bytes;       /* of frames longer than this, up to the longest super-frame, ... */
    uint32_t hold_long_frames; /* ... so many fit, however long (0: hold_bytes is the limit) */
    bool private_network;      /* nobody else can be there: claiming an address needs no probes */
    uint32_t queue, queues; /* one of several links that share an address, to which what concerns a
                               pair of endpoints comes or not; queues 0: it is alone */
};

struct tern_link_counters {
    uint64_t frames_in, bytes_in;
    uint64_t frames_out, bytes_out;
    uint64_t dropped_in;  /* lost between the wire and us: a full ring */
    uint64_t dropped_out; /* refused by the device or the kernel */
};

struct tern_link;

struct tern_link_ops {
    /*
     * Fetch up to max received frames. Their pieces stay valid until release().
     * Returns the number fetched (0: nothing now), or TERN_ERR_LINK once the link is gone.
     */
    int (*receive)(struct tern_link *link, tern_time now, struct tern_frame *frames, int max);
    /* Give back everything that the last receive() lent. */
    void (*release)(struct tern_link *link);
    /*
     * Send up to count frames, in order. The pieces may be reused on return.
     * Returns the number taken; fewer than count means full: wait for fd or deadline.
     * A frame that the device refuses is taken and counted in dropped_out.
     * TERN_ERR_LINK once the link is gone.
     */
    int (*transmit)(struct tern_link *link, tern_time now, const struct tern_frame *frames,
                    int count);
    /* A descriptor that polls readable when receive() would return something; -1: none (mem). */
    int (*fd)(const struct tern_link *link);
    /* When the link next needs a call of receive() though its fd is silent. */
    tern_time (*deadline)(const struct tern_link *link);
    void (*counters)(const struct tern_link *link, struct tern_link_counters *out);
    /* Release everything, the link's own memory and any link that it wraps included. */
    void (*close)(struct tern_link *link);
};

/* Of info a driver may change mtu_bytes later, within receive(): the loop tells the stack. */
struct tern_link {
    const struct tern_link_ops *ops;
    struct tern_link_info info;
};

/*
 * Drivers. Each opens a link or says why not: the words go to error_text
 * (at least TERN_LINK_ERROR_MAX bytes; may be NULL), one line, no full stop.
 */
#define TERN_LINK_ERROR_MAX 256

enum tern_mac_choice { TERN_MAC_OWN, TERN_MAC_HOST, TERN_MAC_GIVEN };

struct tern_link_packet_options {
    const char *interface;
    enum tern_mac_choice mac_choice;
    struct tern_mac mac;      /* with TERN_MAC_GIVEN */
    uint64_t seed;            /* for an own MAC: locally administered, made from this */
    struct tern_addr address; /* the address that the stack will use: the filter lets it and ARP in;
                                 all-zero: everything for the MAC */
    int socket_fd;            /* an AF_PACKET socket handed over (from another namespace), or -1;
                                 on success the link owns it, on failure it is still the caller's */
    int second_socket_fd;     /* with socket_fd: another of the same namespace, for short frames;
                                 0 or -1: none, and then the ring holds fewer of them */
    uint32_t ring_slots;      /* for frames of 64 KiB; 0: the default, 384 */
    bool allow_kernel_address; /* take an address that the kernel itself holds: for showing what
                                  the kernel then does */
};
/* AF_PACKET on an existing interface (lan:IF). Needs CAP_NET_RAW unless socket_fd is given. */
TERN_EXPORT TERN_NODISCARD enum tern_err
tern_link_packet_open(const struct tern_link_packet_options *options, struct tern_link **out,
                      char *error_text);

/*
 * Several links on an interface that share one MAC and one address (which must be an IPv4 one),
 * each for a stack and a thread of its own: out[queues], all or none. Each TCP or UDP packet, and
 * each ICMP error about one, comes to one of them, chosen by addresses and ports; a stack's own
 * connections pick local ports whose answers come to it. ARP comes to all, and the first answers;
 * ICMP echo and fragments come to the first. The first stack claims the address; once it has it,
 * the others add it with TERN_CLAIM_NONE. What an unconnected UDP socket hears depends on its
 * peers' ports: open one on each. Close all together: once one is closed, what others are to have
 * may be lost. Not with socket_fd.
 */
#define TERN_LINK_QUEUES_MAX 64
TERN_EXPORT TERN_NODISCARD enum tern_err
tern_link_packet_open_queues(const struct tern_link_packet_options *options, uint32_t queues,
                             struct tern_link **out, char *error_text);

struct tern_link_tap_options {
    const char *name; /* "tap0": attached to, or made and brought up where there is none (needs
                         CAP_NET_ADMIN); "/dev/tap7": a macvtap by its path. NULL with fd */
    int fd;       /* a TAP's or macvtap's descriptor handed over, or -1; on success the link owns
                         it, on failure it is still the caller's */
    bool macvtap; /* with fd: which of the two it is */
    enum tern_mac_choice mac_choice; /* of a macvtap always the device's own */
    struct tern_mac mac;             /* with TERN_MAC_GIVEN */
    uint64_t seed;                   /* for an own MAC: made from this */
    uint32_t mtu_bytes; /* 0: the interface's; needed where fd is of another network namespace */
    bool no_offloads;   /* neither super-segments nor checksums are left to it, either way */
};
/* A TAP or macvtap (tap:NAME), with super-segments and checksums left to the kernel, both ways. */
TERN_EXPORT TERN_NODISCARD enum tern_err
tern_link_tap_open(const struct tern_link_tap_options *o, struct tern_link **out, char *error_text);
/*
 * Several links on one TAP that share one MAC and one IPv4 address, as those of
 * tern_link_packet_open_queues() do: out[queues], all or none, each for a stack and a thread of its
 * own. The kernel sends what it has heard of to the queue that it was heard on; what comes to a
 * wrong one, such as half of the callers, is copied to the right one. A TAP that is there already
 * must have been made with multi_queue. Not with fd or a macvtap.
 */
TERN_EXPORT TERN_NODISCARD enum tern_err
tern_link_tap_open_queues(const struct tern_link_tap_options *o, uint32_t queues,
                          struct tern_link **out, char *error_text);

struct tern_link_slirp_options {
    struct tern_mac mac;
    bool restricted; /* no way out: only slirp's own services */
};
/* libslirp in process: 10.0.2.0/24, us .15, gateway (the host's loopback) .2, DNS .3. */
TERN_EXPORT TERN_NODISCARD enum tern_err
tern_link_slirp_open(const struct tern_link_slirp_options *options, struct tern_link **out,
                     char *error_text);

/*
 * Two ends of a cable in memory; each is a link, both must be closed.
 * mtu_bytes and offloads as in info; hold_frames is the queue's length each way.
 */
struct tern_link_mem_options {
    uint32_t mtu_bytes;
    uint32_t offloads;
    uint32_t hold_frames;
    struct tern_mac mac[2];
};
TERN_EXPORT TERN_NODISCARD enum tern_err
tern_link_mem_open(const struct tern_link_mem_options *options, struct tern_link *out[2]);

/*
 * Wrap a link in a bad network. `words` is netem's language:
 *   [in|out] loss P% | burst P% N | delay T [jitter T] | reorder P% | duplicate P% | corrupt P% |
 *   rate R | limit N | mtu N | drop N     (T: 20ms, 1s, 100us; R: 10mbit, 1gbit)
 * Without in or out, both directions. `drop N` drops exactly the N-th frame of a direction.
 * On failure inner is still the caller's and error_text points at the wrong word.
 */
TERN_EXPORT TERN_NODISCARD enum tern_err tern_link_impair_open(struct tern_link *inner,
                                                               const char *words, uint64_t seed,
                                                               struct tern_link **out,
                                                               char *error_text);

/*
 * Wrap a link so that all it carries is written to a pcapng file (draft-ietf-opsawg-pcapng),
 * with nanosecond times and, on each frame sent, its cause as a comment. Received frames are
 * written when they are released, or before the next are sent. Checksums
 * that the link was to fill in are filled in. wall_offset_ns is added to `now` to get UNIX time.
 * A full disk stops the capture, not the traffic; tern_link_capture_error() tells.
 */
TERN_EXPORT TERN_NODISCARD enum tern_err
tern_link_capture_open(struct tern_link *inner, const char *path, int64_t wall_offset_ns,
                       struct tern_link **out, char *error_text);
/*
 * For the observer of the stack on this link (observe.h): all notes, so that each received frame
 * has a comment that says what it changed. Without it they have none.
 */
struct tern_note;
TERN_EXPORT void tern_link_capture_note(struct tern_link *capture, const struct tern_note *note);
/* Write out what is buffered; 0, or the errno that stopped the capture. Ask before closing. */
TERN_EXPORT int tern_link_capture_error(const struct tern_link *capture);

#ifdef __cplusplus
}
#endif
#endif
