/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_ADDR_H
#define TERN_ADDR_H
/*
 * Addresses. Above the wire an IP address is always 16 bytes; an IPv4 address is
 * held IPv4-mapped (::ffff:a.b.c.d, RFC 4291 §2.5.5.2), so that one code path
 * serves both families.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tern/err.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tern_addr {
    uint8_t b[16];
};

struct tern_mac {
    uint8_t b[6];
};

struct tern_endpoint {
    struct tern_addr addr;
    uint16_t port;
};

/* An address with its prefix: prefix_bits counts within its own family (24 for 10.0.0.5/24). */
struct tern_cidr {
    struct tern_addr addr;
    uint8_t prefix_bits;
};

#define TERN_ADDR_TEXT_MAX     46
#define TERN_ENDPOINT_TEXT_MAX 54
#define TERN_MAC_TEXT_MAX      18

TERN_EXPORT struct tern_addr tern_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
TERN_EXPORT struct tern_addr tern_addr_from_be32(uint32_t host_order);
TERN_EXPORT uint32_t
tern_addr_to_be32(struct tern_addr a); /* host-order value of a mapped IPv4 address */
TERN_EXPORT bool tern_addr_is_v4(struct tern_addr a);
TERN_EXPORT bool tern_addr_is_any(struct tern_addr a); /* :: or ::ffff:0.0.0.0 */
TERN_EXPORT bool tern_addr_is_multicast(struct tern_addr a);
TERN_EXPORT bool tern_addr_equal(struct tern_addr a, struct tern_addr b);
TERN_EXPORT bool tern_endpoint_equal(const struct tern_endpoint *a, const struct tern_endpoint *b);
TERN_EXPORT bool tern_cidr_contains(const struct tern_cidr *net, struct tern_addr a);
/* The directed broadcast address of an IPv4 prefix; the address itself for /31 and /32. */
TERN_EXPORT struct tern_addr tern_cidr_broadcast(const struct tern_cidr *net);
TERN_EXPORT bool tern_mac_equal(struct tern_mac a, struct tern_mac b);
TERN_EXPORT bool tern_mac_is_group(struct tern_mac m); /* multicast or broadcast */

/*
 * Text to value. The whole string must match; returns TERN_ERR_INVAL otherwise
 * and leaves *out alone. IPv4 dotted quad (exactly four decimal numbers); IPv6
 * RFC 4291 text; MAC as xx:xx:xx:xx:xx:xx.
 * tern_cidr_parse takes A/LEN; a bare address gets the whole length (/32, /128).
 */
TERN_EXPORT TERN_NODISCARD enum tern_err tern_addr_parse(const char *text, struct tern_addr *out);
TERN_EXPORT TERN_NODISCARD enum tern_err tern_cidr_parse(const char *text, struct tern_cidr *out);
TERN_EXPORT TERN_NODISCARD enum tern_err tern_mac_parse(const char *text, struct tern_mac *out);

/* Value to text; out must hold the ..._TEXT_MAX bytes above. Return out. */
TERN_EXPORT char *tern_addr_text(struct tern_addr a, char *out);
TERN_EXPORT char *tern_endpoint_text(const struct tern_endpoint *e, char *out);
TERN_EXPORT char *tern_mac_text(struct tern_mac m, char *out);

#ifdef __cplusplus
}
#endif
#endif
