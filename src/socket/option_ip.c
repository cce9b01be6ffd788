/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPPROTO_IP and IPPROTO_IPV6. TOS and TTL are settings of TCP connections; a datagram socket keeps
 * them and sends with the stack's own. Path MTU discovery is always done and errors always told, so
 * that IP_MTU_DISCOVER and IP_RECVERR are kept and change nothing.
 */
#include "socket/internal.h"

#include <netinet/in.h>

#define ECN_BITS 3 /* of the TOS: TCP's own affair (RFC 3168 §5) */
#define TTL      64

static int set_tos(struct tern_sock *s, int value)
{
    struct tern_tcp_settings set;

    tern_sock_settings(s, &set);
    set.tos = (uint8_t)(value & 0xff & ~(s->kind == TERN_SOCK_STREAM ? ECN_BITS : 0));
    return tern_sock_set(s, &set);
}

static int set_ttl(struct tern_sock *s, int value)
{
    struct tern_tcp_settings set;

    if (value == 0 || value < -1 || value > 255)
        return EINVAL;
    tern_sock_settings(s, &set);
    set.ttl = value < 0 ? 0 : (uint8_t)value;
    return tern_sock_set(s, &set);
}

static int get_mtu(const struct tern_sock *s, int *value)
{
    struct tern_tcp_info info;

    if (s->conn == NULL)
        return ENOTCONN;
    tern_tcp_info(s->conn, &info);
    *value = (int)info.pmtu_bytes;
    return 0;
}

static int set_v6only(struct tern_sock *s, int value)
{
    if (s->local.port != 0)
        return EINVAL;
    s->opt.v6only = value != 0;
    return 0;
}

#define OWN(member)     offsetof(struct tern_sock_options, member)
#define SETTING(member) offsetof(struct tern_tcp_settings, member)

static const struct tern_option options[] = {
    {.name = IP_TOS, .kind = TERN_OPTION_U8, .offset = SETTING(tos), .set = set_tos},
    {.name = IP_TTL, .kind = TERN_OPTION_U8, .offset = SETTING(ttl), .usual = TTL, .set = set_ttl},
    {.name = IP_MTU, .get = get_mtu},
    {.name = IP_MTU_DISCOVER,
     .kind = TERN_OPTION_INT,
     .offset = OWN(mtu_discover),
     .min = IP_PMTUDISC_DONT,
     .max = IP_PMTUDISC_OMIT},
    {.name = IP_RECVERR, .kind = TERN_OPTION_FLAG, .offset = OWN(recv_error)},
    {.name = IP_FREEBIND, .kind = TERN_OPTION_FLAG, .offset = OWN(freebind)},
};

static const struct tern_option options6[] = {
    {.name = IPV6_TCLASS, .kind = TERN_OPTION_U8, .offset = SETTING(tos), .set = set_tos},
    {.name = IPV6_UNICAST_HOPS,
     .kind = TERN_OPTION_U8,
     .offset = SETTING(ttl),
     .usual = TTL,
     .set = set_ttl},
    {.name = IPV6_MTU, .get = get_mtu},
    {.name = IPV6_MTU_DISCOVER,
     .kind = TERN_OPTION_INT,
     .offset = OWN(mtu_discover),
     .min = IPV6_PMTUDISC_DONT,
     .max = IPV6_PMTUDISC_OMIT},
    {.name = IPV6_RECVERR, .kind = TERN_OPTION_FLAG, .offset = OWN(recv_error)},
    {.name = IPV6_V6ONLY, .kind = TERN_OPTION_FLAG, .offset = OWN(v6only), .set = set_v6only},
};

const struct tern_options tern_options_ip = {options, sizeof(options) / sizeof(options[0])};
const struct tern_options tern_options_ip6 = {options6, sizeof(options6) / sizeof(options6[0])};
