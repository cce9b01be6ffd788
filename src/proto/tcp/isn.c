/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers that a stranger must not guess: initial sequence numbers, ephemeral ports and
 * timestamp offsets.
 *
 * All are a keyed hash of the endpoints, with a purpose byte first so that knowing one tells
 * nothing of another. The ISN adds a clock that ticks every 4 us and wraps after 4 h 46 min, so
 * that a new incarnation of the same pair of endpoints starts beyond the old one (RFC 9293
 * §3.4.1). The timestamp offset has no clock: the timestamps themselves are one. Ports walk
 * through the whole ephemeral range from a start that differs for each destination (RFC 6056
 * §3.3.3).
 *
 * No state: the key belongs to the stack, the port counter to the caller.
 */
#include "proto/tcp/isn.h"

#include <string.h>

#include "base/assert.h"

#define ISN_TICK (4 * TERN_US) /* RFC 6528 §3 */

_Static_assert(TERN_PORT_EPHEMERAL_MIN + TERN_PORT_EPHEMERAL_COUNT == 65536, "RFC 6335 §6");

enum purpose { PURPOSE_ISN = 1, PURPOSE_TIMESTAMP = 2, PURPOSE_PORT = 3 };

#define MESSAGE_BYTES 40 /* purpose, two addresses, two ports, zeros: no padding of a struct */

static uint64_t hash_pair(const struct tern_hash_key *key, enum purpose purpose,
                          const struct tern_endpoint *local, const struct tern_endpoint *remote)
{
    uint8_t message[MESSAGE_BYTES] = {0};

    message[0] = (uint8_t)purpose;
    memcpy(message + 1, local->addr.b, sizeof local->addr.b);
    memcpy(message + 17, remote->addr.b, sizeof remote->addr.b);
    message[33] = (uint8_t)(local->port >> 8);
    message[34] = (uint8_t)local->port;
    message[35] = (uint8_t)(remote->port >> 8);
    message[36] = (uint8_t)remote->port;
    return tern_hash(key, message, sizeof message);
}

tern_seq tern_isn(const struct tern_hash_key *key, const struct tern_endpoint *local,
                  const struct tern_endpoint *remote, tern_time now)
{
    const uint32_t clock = (uint32_t)((uint64_t)now / (uint64_t)ISN_TICK);

    TERN_ASSERT(now >= 0);
    TERN_ASSERT(now != TERN_TIME_NEVER);
    return tern_seq_of(clock + (uint32_t)hash_pair(key, PURPOSE_ISN, local, remote));
}

uint32_t tern_ts_offset(const struct tern_hash_key *key, const struct tern_endpoint *local,
                        const struct tern_endpoint *remote)
{
    return (uint32_t)hash_pair(key, PURPOSE_TIMESTAMP, local, remote);
}

uint16_t tern_port_candidate(const struct tern_hash_key *key, struct tern_addr local,
                             const struct tern_endpoint *remote, uint32_t counter)
{
    const struct tern_endpoint any_port = {.addr = local, .port = 0};
    const uint32_t offset = (uint32_t)hash_pair(key, PURPOSE_PORT, &any_port, remote);

    return (uint16_t)(TERN_PORT_EPHEMERAL_MIN + (offset + counter) % TERN_PORT_EPHEMERAL_COUNT);
}
