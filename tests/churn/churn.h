/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CHURN_H
#define TERN_CHURN_H
/*
 * Short conversations without end over one stack: it calls a peer, and answers those that call.
 *
 * What is said on a connection (tests/lab/peer_churn.py speaks the same):
 *   the caller    8 bytes, big-endian: key, 4 bytes; how much goes up, 2; how much comes down, 2;
 *                 then as many bytes up, of the stream that belongs to the key
 *   the answerer  as many bytes down, of the stream that belongs to key ^ CHURN_DOWN
 * Byte i of a key's stream is churn_noise(key % 32768 + i).
 * Who ends is told by key % 16: 0, the caller resets once it has read all; odd, the answerer's FIN
 * comes first; else the caller's, and the answerer does not speak before it.
 *
 * Any byte that is wrong, missing or too many, and any end other than this, is a failed talk.
 */
#include <tern/tern.h>

#define CHURN_DOWN 0x5555u

struct churn;

struct churn_options {
    struct tern_stack *stack;
    struct tern_addr peer; /* whom to call */
    uint16_t port;         /* theirs and ours */
    uint32_t talks_max;    /* at once, called and answered together */
    uint64_t seed;         /* of keys and sizes */
};

struct churn_counts {
    uint64_t called, answered, done, failed;
    uint64_t bytes_in, bytes_out;
    uint32_t talking; /* now */
    uint32_t talking_most;
};

uint8_t churn_noise(uint32_t at);

/* Listens at once. Takes memory here and never again; NULL where there is none or no listener. */
struct churn *churn_create(const struct churn_options *options);
void churn_destroy(struct churn *churn);
/* One more call. false: there was no talk or no connection to be had, which counts as failed. */
bool churn_call(struct churn *churn);
/* Pull all of the stack's events and go on with what they speak of. Call after each step. */
void churn_events(struct churn *churn);
void churn_counts(const struct churn *churn, struct churn_counts *out);
/* Why the last failed talk failed; "" where none did. */
const char *churn_complaint(const struct churn *churn);

#endif
