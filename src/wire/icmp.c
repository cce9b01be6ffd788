/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP messages (RFC 792): type, code, checksum, and four bytes whose meaning hangs on the type.
 * Fields that the type does not have are zero after parsing and are not sent. The checksum covers
 * the message to its end, so the caller cuts off the link's padding first (ipv4.c does).
 */
#include "wire/icmp.h"

#include "base/checksum.h"

#define OFF_TYPE     0
#define OFF_CODE     1
#define OFF_CHECKSUM 2
#define OFF_REST     4
#define OFF_ID       4
#define OFF_SEQUENCE 6
#define OFF_POINTER  4
#define OFF_MTU      6 /* RFC 1191 §4 */

static bool is_echo(const struct tern_icmp *icmp)
{
    return icmp->type == TERN_ICMP_ECHO_REQUEST || icmp->type == TERN_ICMP_ECHO_REPLY;
}

static bool has_mtu(const struct tern_icmp *icmp)
{
    return icmp->type == TERN_ICMP_UNREACHABLE && icmp->code == TERN_ICMP_FRAGMENTATION_NEEDED;
}

bool tern_icmp_parse(tern_span in, struct tern_icmp *out, tern_span *body)
{
    const uint8_t *p = in.data;
    struct tern_sum sum = {0};

    if (in.bytes < TERN_ICMP_BYTES)
        return false;
    tern_sum_add(&sum, p, in.bytes);
    if (tern_sum_finish(&sum) != 0)
        return false;
    *out = (struct tern_icmp){.type = p[OFF_TYPE], .code = p[OFF_CODE]};
    if (is_echo(out)) {
        out->id = tern_get_be16(p + OFF_ID);
        out->sequence = tern_get_be16(p + OFF_SEQUENCE);
    } else if (has_mtu(out)) {
        out->mtu = tern_get_be16(p + OFF_MTU);
    } else if (out->type == TERN_ICMP_PARAMETER_PROBLEM) {
        out->pointer = p[OFF_POINTER];
    }
    *body = tern_span_from(in, TERN_ICMP_BYTES);
    return true;
}

void tern_icmp_emit(const struct tern_icmp *icmp, tern_span body, struct tern_writer *w)
{
    uint8_t *p = tern_write_room(w, TERN_ICMP_BYTES);
    struct tern_sum sum = {0};

    tern_write_bytes(w, body.data, body.bytes);
    if (w->failed)
        return;
    p[OFF_TYPE] = icmp->type;
    p[OFF_CODE] = icmp->code;
    tern_put_be16(p + OFF_CHECKSUM, 0);
    tern_put_be32(p + OFF_REST, 0);
    if (is_echo(icmp)) {
        tern_put_be16(p + OFF_ID, icmp->id);
        tern_put_be16(p + OFF_SEQUENCE, icmp->sequence);
    } else if (has_mtu(icmp)) {
        tern_put_be16(p + OFF_MTU, icmp->mtu);
    } else if (icmp->type == TERN_ICMP_PARAMETER_PROBLEM) {
        p[OFF_POINTER] = icmp->pointer;
    }
    tern_sum_add(&sum, p, TERN_ICMP_BYTES + body.bytes);
    tern_put_be16(p + OFF_CHECKSUM, tern_sum_finish(&sum));
}
