/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TEST_SCRIPT_H
#define TERN_TEST_SCRIPT_H
/*
 * Scripts of packets: the language, one step a line, and the world that a script runs in. README.md
 * describes the language. packet.c shares no code with the engine: it reads and writes headers
 * by itself, so that a fault of the engine's formats shows.
 */
#include <stdbool.h>
#include <stdint.h>

#include <tern/tern.h>

#define SCRIPT_STEPS_MAX  400
#define SCRIPT_BYTES_MAX  1600  /* of a frame on the wire */
#define SCRIPT_SUPER_MAX  70000 /* of one that the link is to cut up */
#define SCRIPT_SENT_MAX   512   /* segments that wait to be expected */
#define SCRIPT_BLOCKS_MAX 4
#define SCRIPT_RAW_MAX    36
#define SCRIPT_FLOWS_MAX  8  /* ports of the peer's */
#define SCRIPT_COOKIE_MAX 16 /* RFC 7413 §4.1.1 */

/* A segment in a script's words: numbers relative to the first of their direction. */
struct script_segment {
    uint8_t flags;
    uint32_t seq, length, ack;
    bool has_window;
    uint16_t window; /* as it stands in the header */
    bool any_options;
    bool has_mss, has_wscale, has_timestamps, sack_permitted, any_ts_value;
    uint16_t mss;
    uint8_t wscale;
    uint32_t ts_value, ts_echo;
    uint8_t block_count;
    struct {
        uint32_t start, end;
    } block[SCRIPT_BLOCKS_MAX];
    uint8_t ecn; /* the mark in the IP header: RFC 3168 §5 */
    bool has_tos, has_ttl, has_urgent;
    uint8_t tos, ttl; /* tos: all eight bits, less ECN's */
    uint16_t urgent;
    bool has_cookie, any_cookie; /* any: the one that the stack gave last */
    uint8_t cookie_bytes, cookie[SCRIPT_COOKIE_MAX];
    uint8_t raw_bytes, raw[SCRIPT_RAW_MAX]; /* options of the peer's, as they are */
    bool bad_checksum, has_offset, has_from, has_to;
    uint8_t offset, reserved; /* of the peer's: the header's length in words, the bits behind it */
    uint8_t from[4], to[4];   /* of the peer's: other addresses */
    bool has_cause;
    enum tern_cause cause;
    uint16_t piece_bytes; /* of the peer's: the link joined pieces of so many bytes; 0: none */
};

enum script_verb {
    SCRIPT_PEER_SENDS, /* < */
    SCRIPT_PEER_ICMP,  /* < icmp */
    SCRIPT_WE_SEND,    /* > */
    SCRIPT_COMMAND,
};

#define SCRIPT_WORDS_MAX 6
#define SCRIPT_WORD_MAX  40

struct script_step {
    int line;
    tern_time delay; /* after the step before */
    bool any_time;   /* *: whenever it comes */
    enum script_verb verb;
    struct script_segment segment;
    char word[SCRIPT_WORDS_MAX][SCRIPT_WORD_MAX];
    int word_count;
};

struct script {
    const char *path;
    struct tern_config config;
    struct tern_tcp_settings settings;
    char congestion[16];
    int step_count;
    struct script_step step[SCRIPT_STEPS_MAX];
};

/* Reads a script; prints what is wrong with it and returns false. */
bool script_read(struct script *s, const char *path);
/* settings.c: a field of the settings, by name; false: no such field, or no such value. */
bool script_setting(struct tern_tcp_settings *set, const char *name, const char *value);

/* A segment that the stack sent: raw numbers as on the wire. */
struct script_sent {
    tern_time at;
    struct script_segment segment;
    uint16_t src_port, dst_port;
    bool ends_super; /* the last piece of a super-segment, which bears PSH whatever it holds */
    uint8_t bytes[SCRIPT_BYTES_MAX]; /* text */
};

/* The peer's frame for a segment, all numbers raw. Returns its length. */
struct script_ports {
    uint16_t ours, peers;
};
uint32_t script_frame_build(const struct script_segment *raw, struct script_ports ports,
                            const uint8_t *text, uint8_t *frame);
/* An ICMP error of the peer's about a packet of ours (its first 28 bytes are quoted). */
uint32_t script_frame_icmp(uint8_t type, uint8_t code, uint16_t mtu, const uint8_t *packet,
                           uint8_t *frame);
uint32_t script_frame_arp(bool reply, uint8_t *frame);
/* What kind of frame did the stack send? TCP is parsed, its checksums checked. */
enum script_frame_kind {
    SCRIPT_FRAME_TCP,
    SCRIPT_FRAME_ARP_REQUEST,
    SCRIPT_FRAME_OTHER,
    SCRIPT_FRAME_BAD
};
/* What the link does for the stack: cut a super-segment up and fill in checksums. Returns the
 * length of the wire's frame number i; 0: there is none. */
uint32_t script_frame_cut(const struct tern_frame *frame, const uint8_t *bytes, uint32_t i,
                          uint8_t *out);
enum script_frame_kind script_frame_parse(const uint8_t *frame, uint32_t bytes,
                                          struct script_sent *out);
/* A segment in the script's own words. */
void script_segment_print(const struct script_segment *s, char *out, size_t out_bytes);

extern const struct tern_mac script_our_mac, script_peer_mac;
struct tern_addr script_our_addr(void);
struct tern_addr script_peer_addr(void);

#define SCRIPT_LISTEN_PORT 8080
#define SCRIPT_PEER_PORT   40000

/* Where the numbers of both sides begin. */
struct script_start {
    tern_time base;
    uint32_t peer_isn;
    bool offloads; /* the link takes super-segments and unfinished checksums */
};

/* By which numbers the stack began; a stamp of 0: none. */
struct script_first {
    uint32_t isn, stamp;
};

/* Where our numbers of a connection begin, and how far its streams are. */
struct script_numbers {
    bool know_isn, know_ts;
    uint32_t our_isn, our_ts;
    uint32_t written, read; /* bytes of the streams so far */
};

/* A connection of the script's: what belongs to one port of the peer's. */
struct script_flow {
    struct script_ports ports;
    struct script_numbers n, before; /* before: the last `again` */
    struct tern_conn *conn;          /* NULL: none, or given up */
};

/* One stack, one peer, virtual time. */
struct script_world {
    const struct script *script;
    struct tern_stack *stack;
    void *memory;
    struct script_start start;
    tern_time now, last; /* last: when the step before happened */
    bool failed;

    struct script_flow flows[SCRIPT_FLOWS_MAX];
    struct script_flow *flow; /* the script's steps are about this one */
    bool know_first;
    struct script_first first;
    uint8_t cookie_bytes, cookie[SCRIPT_COOKIE_MAX]; /* the stack gave it last */

    struct tern_tcp_settings settings;
    struct tern_listener *listener;
    enum tern_tcp_state state;
    enum tern_err reason; /* of the connection that ended last */
    uint32_t events;
    uint32_t loans_back, loans_acked; /* lent, and come back */

    uint8_t last_packet[40]; /* headers of what the stack sent last, for ICMP */
    uint32_t sent_first, sent_count;
    uint32_t waiting_count; /* sent, and not yet acknowledged by the command `acks` */
    struct script_sent sent[SCRIPT_SENT_MAX];
    struct script_waiting {
        tern_time at;
        struct script_segment segment;
    } waiting[SCRIPT_SENT_MAX];
};

/* world.c */
void script_world_open(struct script_world *w, const struct script *s, struct script_start start);
void script_world_close(struct script_world *w);
/* Let time pass, the stack's timers and answers with it. */
void script_world_advance(struct script_world *w, tern_time to);
/* The same, but only until it has sent a segment. */
void script_world_await(struct script_world *w, tern_time to);
void script_world_input(struct script_world *w, const uint8_t *frame, uint32_t bytes,
                        uint16_t piece_bytes);
/* Hear what the stack has to say: frames, events, traces. */
void script_world_drain(struct script_world *w);
/* The byte at an offset of either stream. */
uint8_t script_byte(uint32_t offset);
void script_fail(struct script_world *w, int line, const char *words, const char *more);

/* command.c: a step that is neither a packet nor an expectation of one. */
bool script_command(struct script_world *w, const struct script_step *step);
/* expect.c: one of the expectations; *known false: it is none. */
bool script_expect(struct script_world *w, const struct script_step *step, bool *known);
/* What command.c and expect.c share. */
const char *script_word(const struct script_step *step, int i);
bool script_refuse(struct script_world *w, const struct script_step *step, const char *got);
bool script_has_conn(struct script_world *w, const struct script_step *step);
enum tern_err script_err_named(const char *name);

/* run.c: run a script; false: it failed, and said where. *first: the numbers by which the stack
 * began. */
bool script_run(const struct script *s, struct script_start start, struct script_first *first);
/* A segment of the peer's, now. */
void script_peer_sends(struct script_world *w, const struct script_segment *relative);
/* The oldest unexpected segment, in relative numbers; false: none. */
bool script_take_sent(struct script_world *w, struct script_sent *out);

#endif
