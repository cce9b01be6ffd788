/* SPDX-License-Identifier: BSD-2-Clause */
/* The name and the addresses are c-ares' to find; here is which of them to tell. */
#include "report/dns_words.h"

#include <ares.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <tern/addr.h>

#define HEADER_BYTES   12
#define NAME_MAX_SHOWN 60
#define ADDRESSES_MAX  16

enum { CODE_OK, CODE_NO_NAME = 3, TYPE_A = 1, TYPE_AAAA = 28 };

/* The name that is asked for, cut where it is too long, and the type. */
static bool question(tern_span message, char *name, unsigned *type)
{
    struct tern_reader r;
    char *text = NULL;
    long length = 0;

    if (ares_expand_name(message.data + HEADER_BYTES, message.data, (int)message.bytes, &text,
                         &length) != ARES_SUCCESS)
        return false;
    (void)snprintf(name, NAME_MAX_SHOWN + 1, "%s", text);
    ares_free_string(text);
    r = tern_reader_of(tern_span_from(message, HEADER_BYTES + (size_t)length));
    *type = tern_read_be16(&r);
    return !r.failed;
}

static const char *kind(unsigned type)
{
    return type == TYPE_A ? "" : type == TYPE_AAAA ? " in IPv6" : " (another record)";
}

static bool answer(tern_span message, unsigned code, unsigned type, const char *name, char *out)
{
    struct ares_addrttl found[ADDRESSES_MAX];
    const uint8_t *first = (const uint8_t *)&found[0].ipaddr;
    char text[TERN_ADDR_TEXT_MAX], more[24] = "";
    int count = ADDRESSES_MAX;

    if (code == CODE_NO_NAME) {
        (void)snprintf(out, TERN_DNS_WORDS_BYTES, "DNS: there is no %s", name);
        return true;
    }
    if (code != CODE_OK) {
        (void)snprintf(out, TERN_DNS_WORDS_BYTES, "DNS: no answer for %s (error %u)", name, code);
        return true;
    }
    if (type != TYPE_A ||
        ares_parse_a_reply(message.data, (int)message.bytes, NULL, found, &count) != ARES_SUCCESS ||
        count < 1) {
        (void)snprintf(out, TERN_DNS_WORDS_BYTES, "DNS: about %s%s", name, kind(type));
        return true;
    }
    if (count > 1)
        (void)snprintf(more, sizeof more, " and %d more", count - 1);
    (void)snprintf(out, TERN_DNS_WORDS_BYTES, "DNS: %s is at %s%s", name,
                   tern_addr_text(tern_addr_v4(first[0], first[1], first[2], first[3]), text),
                   more);
    return true;
}

bool tern_dns_words(tern_span message, char *out)
{
    struct tern_reader r = tern_reader_of(message);
    char name[NAME_MAX_SHOWN + 1];
    unsigned flags, type = 0;

    if (message.bytes <= HEADER_BYTES || message.bytes > INT_MAX)
        return false;
    (void)tern_read_be16(&r); /* the number of the question */
    flags = tern_read_be16(&r);
    if (tern_read_be16(&r) != 1 || !question(message, name, &type))
        return false;
    if ((flags & 0x8000) != 0)
        return answer(message, flags & 0xf, type, name, out);
    (void)snprintf(out, TERN_DNS_WORDS_BYTES, "DNS: where is %s%s?", name, kind(type));
    return true;
}
