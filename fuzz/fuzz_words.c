/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words that a user types or a script makes: impairments, addresses, prefixes, MACs, numbers,
 * seconds. The first byte chooses the parser, the rest is its text. What is accepted must be within
 * the limits that the headers promise, and what is written back must be read as the same value.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "cli/number.h"
#include "link/impair_words.h"
#include <tern/tern.h>

#define MILLION 1000000u

static void judge_way(const struct tern_impair_way *way)
{
    TERN_ASSERT(way->loss_ppm <= MILLION);
    TERN_ASSERT(way->burst_ppm <= MILLION);
    TERN_ASSERT(way->reorder_ppm <= MILLION);
    TERN_ASSERT(way->duplicate_ppm <= MILLION);
    TERN_ASSERT(way->corrupt_ppm <= MILLION);
    TERN_ASSERT(way->delay >= 0);
    TERN_ASSERT(way->jitter >= 0);
    TERN_ASSERT(way->drop_count <= TERN_IMPAIR_DROPS_MAX);
    for (uint32_t i = 0; i < way->drop_count; i++)
        TERN_ASSERT(way->drop[i] > 0);
}

static void impairments(const char *text)
{
    struct tern_impair_way way[2];
    char error[TERN_LINK_ERROR_MAX];

    memset(error, 'x', sizeof error);
    if (tern_impair_parse(text, way, error) != TERN_ERR_OK) {
        TERN_ASSERT(memchr(error, '\0', sizeof error) != NULL);
        return;
    }
    judge_way(&way[0]);
    judge_way(&way[1]);
}

static void addresses(const char *text)
{
    struct tern_addr a, again;
    struct tern_cidr cidr;
    struct tern_mac mac, mac_again;
    char out[TERN_ADDR_TEXT_MAX], mac_out[TERN_MAC_TEXT_MAX];

    if (tern_addr_parse(text, &a) == TERN_ERR_OK) {
        TERN_ASSERT(strlen(tern_addr_text(a, out)) < sizeof out);
        TERN_ASSERT(tern_addr_parse(out, &again) == TERN_ERR_OK);
        TERN_ASSERT(tern_addr_equal(a, again));
    }
    if (tern_cidr_parse(text, &cidr) == TERN_ERR_OK) {
        TERN_ASSERT(cidr.prefix_bits <= (tern_addr_is_v4(cidr.addr) ? 32 : 128));
        TERN_ASSERT(tern_cidr_contains(&cidr, cidr.addr));
    }
    if (tern_mac_parse(text, &mac) == TERN_ERR_OK) {
        TERN_ASSERT(tern_mac_parse(tern_mac_text(mac, mac_out), &mac_again) == TERN_ERR_OK);
        TERN_ASSERT(tern_mac_equal(mac, mac_again));
    }
}

static void numbers(const char *text)
{
    uint64_t n;
    tern_time t;

    if (tern_number(text, 3, 65535, &n))
        TERN_ASSERT(n >= 3 && n <= 65535);
    if (tern_number(text, 0, UINT64_MAX, &n))
        TERN_ASSERT(n == strtoull(text, NULL, 10));
    if (tern_seconds(text, &t)) {
        TERN_ASSERT(t >= 0);
        TERN_ASSERT(t < MILLION * TERN_SECOND);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size == 0 || size > FUZZ_INPUT_MAX)
        return 0;
    text = malloc(size); /* of its very size: one byte is the choice, one the NUL */
    TERN_ASSERT(text != NULL);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0] % 3) {
    case 0:
        impairments(text);
        break;
    case 1:
        addresses(text);
        break;
    default:
        numbers(text);
    }
    free(text);
    return 0;
}
