/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses: comparing, reading and writing them.
 *
 * The parsers are written out here and not borrowed from libc, whose functions differ in what they
 * let through. They accept one spelling: IPv4 as four decimal numbers without leading zeros; IPv6
 * as RFC 4291 §2.2, its three forms; nothing before or after. Texts of IPv6 come out
 * as RFC 5952 §4 wants them; IPv4-mapped addresses come out as dotted quads, since that is what
 * they are to everybody outside.
 */
#include <tern/addr.h>

#include <string.h>

#define GROUPS 8

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct tern_addr tern_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct tern_addr){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}};
}

struct tern_addr tern_addr_from_be32(uint32_t host_order)
{
    return tern_addr_v4((uint8_t)(host_order >> 24), (uint8_t)(host_order >> 16),
                        (uint8_t)(host_order >> 8), (uint8_t)host_order);
}

uint32_t tern_addr_to_be32(struct tern_addr a)
{
    return (uint32_t)a.b[12] << 24 | (uint32_t)a.b[13] << 16 | (uint32_t)a.b[14] << 8 | a.b[15];
}

bool tern_addr_is_v4(struct tern_addr a)
{
    return memcmp(a.b, mapped_prefix, sizeof mapped_prefix) == 0;
}

bool tern_addr_is_any(struct tern_addr a)
{
    static const struct tern_addr any;

    if (tern_addr_is_v4(a))
        return tern_addr_to_be32(a) == 0;
    return memcmp(a.b, any.b, sizeof any.b) == 0;
}

bool tern_addr_is_multicast(struct tern_addr a)
{
    if (tern_addr_is_v4(a))
        return (a.b[12] & 0xf0) == 0xe0; /* RFC 5771 §3 */
    return a.b[0] == 0xff;               /* RFC 4291 §2.7 */
}

bool tern_addr_equal(struct tern_addr a, struct tern_addr b)
{
    return memcmp(a.b, b.b, sizeof a.b) == 0;
}

bool tern_endpoint_equal(const struct tern_endpoint *a, const struct tern_endpoint *b)
{
    return a->port == b->port && tern_addr_equal(a->addr, b->addr);
}

/* The prefix counted over all 16 bytes, and never beyond them. */
static unsigned whole_prefix_bits(const struct tern_cidr *net)
{
    unsigned bits = net->prefix_bits + (tern_addr_is_v4(net->addr) ? 96u : 0u);

    return bits < 128 ? bits : 128;
}

bool tern_cidr_contains(const struct tern_cidr *net, struct tern_addr a)
{
    unsigned bits = whole_prefix_bits(net);
    unsigned bytes = bits / 8;
    unsigned mask = 0xff00u >> bits % 8 & 0xff;

    if (tern_addr_is_v4(net->addr) != tern_addr_is_v4(a))
        return false;
    if (memcmp(net->addr.b, a.b, bytes) != 0)
        return false;
    return mask == 0 || ((net->addr.b[bytes] ^ a.b[bytes]) & mask) == 0;
}

struct tern_addr tern_cidr_broadcast(const struct tern_cidr *net)
{
    if (!tern_addr_is_v4(net->addr) || net->prefix_bits >= 31)
        return net->addr;
    return tern_addr_from_be32(tern_addr_to_be32(net->addr) | UINT32_MAX >> net->prefix_bits);
}

bool tern_mac_equal(struct tern_mac a, struct tern_mac b)
{
    return memcmp(a.b, b.b, sizeof a.b) == 0;
}

bool tern_mac_is_group(struct tern_mac m)
{
    return (m.b[0] & 1) != 0;
}

/* Value of a hexadecimal digit; 16 where it is none. */
static unsigned hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

/* One to digits_max digits of a base (10 or 16) at *text, which moves behind them. */
static bool take_number(const char **text, unsigned base, unsigned digits_max, unsigned *out)
{
    const char *p = *text;
    unsigned value = 0;
    unsigned digits = 0;

    while (digits < digits_max && hex_value(p[digits]) < base) {
        value = value * base + hex_value(p[digits]);
        digits++;
    }
    if (digits == 0 || hex_value(p[digits]) < base)
        return false;
    *text = p + digits;
    *out = value;
    return true;
}

/* A decimal number without leading zeros, at most max. */
static bool take_decimal(const char **text, unsigned max, unsigned *out)
{
    bool zero = (*text)[0] == '0';
    const char *start = *text;

    if (!take_number(text, 10, 3, out) || *out > max)
        return false;
    return !zero || *text == start + 1;
}

static bool take_char(const char **text, char c)
{
    if (**text != c)
        return false;
    (*text)++;
    return true;
}

/* Four decimal numbers and then the end of the text. */
static bool parse_quad(const char *text, uint8_t out[4])
{
    for (unsigned i = 0; i < 4; i++) {
        unsigned value;

        if (i > 0 && !take_char(&text, '.'))
            return false;
        if (!take_decimal(&text, 255, &value))
            return false;
        out[i] = (uint8_t)value;
    }
    return *text == '\0';
}

/* What has been read of an IPv6 text: bytes so far, and where "::" stood (-1: nowhere). */
struct v6_text {
    uint8_t b[16];
    unsigned bytes;
    int gap;
};

/* One group, or the dotted quad that may stand for the last two. *done: the text has ended. */
static bool take_group(const char **text, struct v6_text *v6, bool *done)
{
    const char *start = *text;
    unsigned value;

    if (v6->bytes <= 12 && parse_quad(start, v6->b + v6->bytes)) {
        v6->bytes += 4;
        *done = true;
        return true;
    }
    if (v6->bytes > 14 || !take_number(text, 16, 4, &value))
        return false;
    v6->b[v6->bytes++] = (uint8_t)(value >> 8);
    v6->b[v6->bytes++] = (uint8_t)value;
    *done = **text == '\0';
    return true;
}

/* "::" here, once; *done: the text ends behind it. */
static bool take_gap(const char **text, struct v6_text *v6, bool *done)
{
    if (v6->gap >= 0)
        return false;
    v6->gap = (int)v6->bytes;
    *text += 2;
    *done = **text == '\0';
    return true;
}

static bool read_v6(const char *text, struct v6_text *v6)
{
    bool done = false;

    if (strncmp(text, "::", 2) == 0 && !take_gap(&text, v6, &done))
        return false;
    for (unsigned i = 0; i < GROUPS && !done; i++) {
        if (!take_group(&text, v6, &done))
            return false;
        if (done)
            break;
        if (strncmp(text, "::", 2) == 0) {
            if (!take_gap(&text, v6, &done))
                return false;
        } else if (!take_char(&text, ':')) {
            return false;
        }
    }
    return done;
}

static bool parse_v6(const char *text, struct tern_addr *out)
{
    struct v6_text v6 = {.gap = -1};
    size_t head, tail;

    if (!read_v6(text, &v6))
        return false;
    if (v6.gap < 0) {
        if (v6.bytes != 16)
            return false;
        memcpy(out->b, v6.b, 16);
        return true;
    }
    if (v6.bytes > 14) /* "::" stands for one group at least */
        return false;
    head = (size_t)v6.gap;
    tail = v6.bytes - head;
    memset(out->b, 0, 16);
    memcpy(out->b, v6.b, head);
    memcpy(out->b + 16 - tail, v6.b + head, tail);
    return true;
}

enum tern_err tern_addr_parse(const char *text, struct tern_addr *out)
{
    struct tern_addr a;
    uint8_t quad[4];

    if (parse_quad(text, quad))
        a = tern_addr_v4(quad[0], quad[1], quad[2], quad[3]);
    else if (!parse_v6(text, &a))
        return TERN_ERR_INVAL;
    *out = a;
    return TERN_ERR_OK;
}

enum tern_err tern_cidr_parse(const char *text, struct tern_cidr *out)
{
    const char *slash = strchr(text, '/');
    size_t addr_bytes = slash == NULL ? strlen(text) : (size_t)(slash - text);
    char addr_text[TERN_ADDR_TEXT_MAX];
    struct tern_cidr net;
    unsigned bits, bits_max;

    if (addr_bytes >= sizeof addr_text)
        return TERN_ERR_INVAL;
    memcpy(addr_text, text, addr_bytes);
    addr_text[addr_bytes] = '\0';
    if (tern_addr_parse(addr_text, &net.addr) != TERN_ERR_OK)
        return TERN_ERR_INVAL;
    bits_max = tern_addr_is_v4(net.addr) ? 32 : 128;
    bits = bits_max;
    if (slash != NULL) {
        text = slash + 1;
        if (!take_decimal(&text, bits_max, &bits) || *text != '\0')
            return TERN_ERR_INVAL;
    }
    net.prefix_bits = (uint8_t)bits;
    *out = net;
    return TERN_ERR_OK;
}

enum tern_err tern_mac_parse(const char *text, struct tern_mac *out)
{
    struct tern_mac m;

    for (unsigned i = 0; i < sizeof m.b; i++) {
        unsigned high, low;

        if (i > 0 && !take_char(&text, ':'))
            return TERN_ERR_INVAL;
        high = hex_value(text[0]);
        low = high < 16 ? hex_value(text[1]) : 16;
        if (low == 16)
            return TERN_ERR_INVAL;
        m.b[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    if (*text != '\0')
        return TERN_ERR_INVAL;
    *out = m;
    return TERN_ERR_OK;
}

/* Digits without leading zeros; returns the place behind them. */
static char *put_number(char *p, unsigned value, unsigned base)
{
    static const char digits[] = "0123456789abcdef";
    char reversed[10];
    unsigned count = 0;

    do {
        reversed[count++] = digits[value % base];
        value /= base;
    } while (value > 0 && count < sizeof reversed);
    while (count > 0)
        *p++ = reversed[--count];
    return p;
}

static char *put_quad(char *p, const uint8_t *b)
{
    for (unsigned i = 0; i < 4; i++) {
        if (i > 0)
            *p++ = '.';
        p = put_number(p, b[i], 10);
    }
    return p;
}

static unsigned group_at(const struct tern_addr *a, unsigned i)
{
    return (unsigned)a->b[2 * i] << 8 | a->b[2 * i + 1];
}

/* The first of the longest runs of two or more zero groups (RFC 5952 §4.2). Returns its length,
 * 0 where there is none. */
static unsigned longest_zero_run(const struct tern_addr *a, unsigned *start)
{
    unsigned best = 0;
    unsigned run = 0;

    for (unsigned i = 0; i < GROUPS; i++) {
        run = group_at(a, i) == 0 ? run + 1 : 0;
        if (run > best && run >= 2) {
            best = run;
            *start = i + 1 - run;
        }
    }
    return best;
}

static char *put_v6(char *p, const struct tern_addr *a)
{
    unsigned start = GROUPS;
    unsigned run = longest_zero_run(a, &start);

    for (unsigned i = 0; i < GROUPS; i++) {
        if (i == start) {
            *p++ = ':';
            *p++ = ':';
            i += run - 1;
            continue;
        }
        if (i > 0 && i != start + run)
            *p++ = ':';
        p = put_number(p, group_at(a, i), 16);
    }
    return p;
}

char *tern_addr_text(struct tern_addr a, char *out)
{
    char *end = tern_addr_is_v4(a) ? put_quad(out, a.b + 12) : put_v6(out, &a);

    *end = '\0';
    return out;
}

char *tern_endpoint_text(const struct tern_endpoint *e, char *out)
{
    bool v4 = tern_addr_is_v4(e->addr);
    char *p = out;

    if (!v4)
        *p++ = '[';
    p = v4 ? put_quad(p, e->addr.b + 12) : put_v6(p, &e->addr);
    if (!v4)
        *p++ = ']';
    *p++ = ':';
    p = put_number(p, e->port, 10);
    *p = '\0';
    return out;
}

char *tern_mac_text(struct tern_mac m, char *out)
{
    char *p = out;

    for (unsigned i = 0; i < sizeof m.b; i++) {
        if (i > 0)
            *p++ = ':';
        if (m.b[i] < 16)
            *p++ = '0';
        p = put_number(p, m.b[i], 16);
    }
    *p = '\0';
    return out;
}
