/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_MODEL_INTERNAL_H
#define TERN_REPORT_MODEL_INTERNAL_H
/* What the files of the model share. Pictures see model.h only. */
#include "base/hash.h"
#include "base/ranges.h"
#include "base/seq.h"
#include "base/table.h"
#include "report/model.h"
#include "report/quantile.h"
#include "report/sent.h"
#include "wire/tcp.h"

#define MODEL_STEPS_DEFAULT     512
#define MODEL_STEPS_MIN         16
#define MODEL_STEPS_ALL_DEFAULT 200000
#define MODEL_MARKS_MIN         256
#define MODEL_MARKS_ALL_DEFAULT 1500000
#define MODEL_CONNS_DEFAULT     100000
#define MODEL_RANGES_MAX        64
#define MODEL_ROOM_FIRST        4u /* of the lists below, which grow up to their limits */
#define MODEL_PENDING_MAX       8
#define MODEL_NAME_BACK         64  /* connections within which a number finds its own */
#define MODEL_STATE_BACK        32  /* steps within which a state finds its frame */
#define MODEL_LOST_BACK         128 /* steps within which a segment sent again finds its first */
#define MODEL_FOLD_FIRST        256 /* part of a burst's gap: the span at which it begins */
#define MODEL_HOLES_MAX         32  /* of one direction, of which the age is known */
#define MODEL_RESENT_MAX        64  /* segments sent again that await a verdict */

/* Sorted ranges; the array grows with them. */
struct model_ranges {
    struct tern_ranges set;
    struct tern_range *item;
};

/* A segment that was sent again, until an ACK covers it. */
struct model_resent {
    uint64_t start, end;
    tern_time at, first_at; /* first_at -1: this capture does not have the first one */
    uint32_t ts_value, first_ts;
    bool has_ts, open;
};

/* Bytes that were jumped over, when, and with which timestamp. */
struct model_hole {
    uint64_t start, end;
    tern_time at;
    uint32_t ts;
    bool has_ts;
};

/* One direction of a connection: what one side sent, and what it acknowledged. */
struct model_dir {
    bool known;                 /* `zero` is: the SYN, or at least one segment, was seen */
    bool syn_seen;              /* so that `zero` is the true beginning */
    tern_seq zero;              /* sequence number of offset 0 */
    uint64_t next;              /* all bytes below were seen */
    uint64_t max;               /* the highest byte seen, plus one */
    bool full, pushed;          /* so was the last segment: more of the same may follow */
    int64_t told;               /* where its sender stood at least: SND.NXT, SYN and FIN counted */
    struct model_ranges beyond; /* what was seen above next */
    bool probed; /* a closed window was asked with the byte at `max`; was it taken? */
    bool fin_seen;
    uint64_t fin_at;  /* offset of the FIN: the stream's length */
    uint32_t mss;     /* the longest segment so far */
    tern_time max_at; /* when `max` last rose */
    uint32_t max_ts;  /* with which timestamp */
    bool max_has_ts;
    tern_time sent_at;          /* when this side last sent data, a SYN or a FIN; -1: never */
    tern_time syn_at, fin_time; /* the first of each */
    uint64_t syn_text;          /* so many bytes rode on the SYN */
    bool syn_again, fin_again;
    struct model_sent sent;  /* what is under way */
    struct model_hole *hole; /* a ring, once it has as many as it may */
    uint32_t hole_next, hole_room;
    struct model_resent *resent; /* the same */
    uint32_t resent_next, resent_room;

    /* What the other side told of this direction. */
    bool acked_by_peer;
    uint64_t una;               /* it has all bytes below */
    struct model_ranges sacked; /* and these */
    tern_time arrived_sent_at;  /* when the latest of these went by first; -1: none did */
    uint64_t recover;           /* until una is there, a loss is being made good; 0: none */
    enum tern_again recovery;
    uint32_t recovery_resent, recovery_needless; /* in it: segments sent again, and of them not */
    struct model_quantile rtt;

    /* What this side told of the other direction. */
    bool acked;        /* it has sent an ACK after its SYN */
    uint64_t ack_last; /* the greatest: offset in the other direction */
    bool ack_fin;      /* … which covers the other side's FIN */
    uint64_t window_last;
    tern_time ack_at;
    uint32_t duplicates;   /* in a row */
    bool keep_alive_asked; /* by the other side, and not yet answered */
    bool window_seen;
    bool wscale_seen;
    uint8_t wscale;
};

struct model_steps {
    struct tern_step *item;
    size_t count, room, max;
    tern_time fold_span; /* what is folded takes no longer than this, so far */
    uint32_t rounds;     /* how often it was folded */
};

struct model_marks {
    struct tern_mark *item;
    size_t count, room;
    tern_time span; /* what becomes one takes no longer than this, so far */
};

struct model_conn {
    struct tern_table_node node; /* must be first */
    struct tern_table_node by_id;
    struct tern_model_conn out;
    struct model_dir dir[2]; /* of each enum tern_side */
    struct model_steps steps;
    struct model_marks marks;
    enum tern_tcp_state state; /* of the left side, inferred */
    bool state_known;
    bool is_open;       /* a handshake's end, or data, was seen */
    bool is_superseded; /* a newer connection has the same endpoints */
};

struct model_pending {
    uint32_t conn_id;
    enum tern_tcp_state to;
};

/* The order of all steps, made when it is asked for. */
struct model_order {
    const struct tern_step **item;
    size_t count, room;
    bool stale;
};

struct tern_model {
    struct tern_model_options options;
    struct model_steps story; /* what belongs to no connection */
    struct model_conn **conn;
    size_t conn_count, conn_room;
    struct tern_table table;
    struct tern_table ids; /* the connections that have a number of the stack's */
    struct tern_hash_key key;
    size_t step_count, mark_count; /* in all lists */
    uint64_t serial, barrier;      /* steps before the barrier are complete */
    struct model_order *order;
    struct model_pending pending[MODEL_PENDING_MAX];
    size_t pending_count;
    struct tern_model_other other;
    bool started, has_kernel;
    tern_time origin, latest;
};

/* A frame that was read down to its IP body, on its way to a step. */
struct model_packet {
    tern_time at;
    enum tern_lane from;
    bool from_is_known; /* else by who is the client */
    enum tern_cause cause;
    const char *comment;
    bool pieces_known; /* whether it is several segments, of so many bytes each: 0, it is one */
    uint32_t gso_bytes;
    bool is_record; /* of which only the head was kept: its end is not missing */
    struct tern_dissect ip;
};

/* A TCP segment on its way through the model. */
struct segment {
    struct tern_model *m;
    const struct model_packet *p;
    struct tern_tcp_header h;
    struct model_conn *c;
    enum tern_lane from;
    enum tern_side by;
    struct model_dir *own, *other; /* the sender's direction, and the opposite one */
    struct tern_model_side *side;
    uint64_t payload_bytes;
    tern_span payload; /* as much of it as was captured */
    /* Verdicts: */
    uint64_t start, end; /* offsets of the data */
    enum tern_data_class class;
    enum tern_again again;
    enum tern_spurious spurious;
    bool reordered, keep_alive, window_probe, is_earlier;
    tern_time first_at;
};

/* ---- model_steps.c ---- */

/* A new step at the end of a connection's list, or of the story (NULL); NULL where there is no
 * room. */
struct tern_step *model_step_add(struct tern_model *m, struct model_conn *c,
                                 enum tern_step_kind kind, enum tern_lane from, tern_time at);
/* The last step, unless a note closed the book on it; NULL: none. */
struct tern_step *model_step_last(struct tern_model *m, struct model_conn *c);
/* A step keeps a copy of words (a comment). */
void model_step_words(struct tern_step *s, const char *words);
/* A step is complete enough to be given a state that waits for one like it. */
void model_step_settled(struct tern_model *m, struct model_conn *c, struct tern_step *s);
void model_steps_fini(struct model_steps *list);
/* Fold neighbours (model_fold.c) until a quarter of the list is free, as far as that goes. */
void model_steps_fold(struct model_steps *list);

/* ---- model_marks.c ---- */

void model_mark(struct segment *s, enum tern_mark_kind kind, enum tern_side side, uint64_t lo,
                uint64_t hi);

/* ---- model_states.c ---- */

void model_states_infer(struct tern_model *m, struct model_conn *c, struct tern_step *s);
/* A connection was seen for the first time. */
void model_conn_started(struct tern_model *m, struct model_conn *c);

/* ---- model_conns.c: the table ---- */

/* The connection of a segment, made where there is none; sets from and by. NULL: no room. */
struct model_conn *model_conn_find(struct segment *s);
/* The one that the stack gave this number; NULL: none. Constant time. */
struct model_conn *model_conn_named(const struct tern_model *m, uint32_t id);
void model_conn_name(struct tern_model *m, struct model_conn *c, uint32_t id);
void model_conns_fini(struct tern_model *m);

/* ---- model_dir.c: offsets ---- */

void model_dir_begin(struct model_dir *d, tern_seq zero, bool syn);
void model_dir_fini(struct model_dir *d);
/* Room for the next item of a list that is a ring once it has `max`. False: there is none. */
bool model_ring_grow(void **item, size_t item_bytes, uint32_t next, uint32_t *room, uint32_t max);
/* The offset of a sequence number, near the highest byte seen; negative: before the stream. */
int64_t model_offset(const struct model_dir *d, tern_seq seq);
enum tern_data_class model_dir_class(const struct model_dir *d, uint64_t start, uint64_t end);
/* Bytes [start, end) were seen. Returns how many of them are new. */
uint64_t model_dir_saw(struct model_dir *d, uint64_t start, uint64_t end);
/* All below an offset was there, they say: so the byte of a window probe was taken, if it was. */
void model_probe_taken(struct model_dir *d, uint64_t below);
/* This segment is the highest of its direction now. */
void model_dir_rose(struct segment *s);
/* This segment jumped over the bytes from the highest on. */
void model_hole_opened(struct segment *s, uint64_t before);
/* The hole that a byte was missing in; NULL: not known. */
const struct model_hole *model_hole_of(const struct model_dir *d, uint64_t byte);
bool model_ranges_add(struct model_ranges *r, uint64_t start, uint64_t end);

/* ---- model_again.c: judging ---- */

/* Fills in the verdicts of a data segment, and counts them. */
void model_judge_data(struct segment *s);
/* A SYN or a FIN that was seen before. */
void model_judge_again(struct segment *s, tern_time first_at);
/* What an ACK says of the other direction: round trips, needless retransmissions. */
void model_judge_ack(struct segment *s, uint64_t upto);

/* ---- model_acks.c ---- */

/* The ACK field of any segment. */
void model_ack_field(struct segment *s);
void model_pure_ack(struct segment *s);
/* Does it answer a SYN with the numbers of the connection before it? Tells of it, if so: to this
 * connection it says nothing. */
bool model_earlier_ack(struct segment *s);
bool model_acks_fin(const struct segment *s);
uint64_t model_window(const struct segment *s);

/* ---- model_data.c ---- */

void model_data(struct segment *s);
/* The bytes from the highest on, up to an offset, have not come. */
void model_data_missing(struct segment *s, uint64_t before);
/* Bytes [start, end) that went by at `at` were lost, it turns out; or, with again_at -1, were not.
 */
void model_data_lost(struct segment *s, enum tern_side by, const struct tern_step_lost *lost);

/* ---- model_waits.c ---- */

struct model_before {
    uint64_t flight[2];
    bool full[2]; /* no room for another segment */
    bool recovering[2];
    bool needless[2];        /* and, it seems, for nothing */
    bool whole[2];           /* nothing is missing here of what is under way */
    bool more[2], pushed[2]; /* the last segment was full, and pushed */
};

void model_before(const struct model_conn *c, struct model_before *out);
void model_waited(struct segment *s, const struct model_before *before);

void model_tcp(struct tern_model *m, const struct model_packet *p);

#endif
