/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection as a script of packets (tests/script/README.md), from one stack's side: what
 * reached it, and what it sent. A start for a regression test: the application's calls are not on
 * the wire, and have to be put in by hand.
 */
#include "observer_parts.h"

#include <stdio.h>

static void print_flags(uint32_t flags)
{
    static const char letters[] = "FSRP.UEW";

    for (int i = 0; i < 8; i++)
        if ((flags >> i & 1) != 0)
            putchar(letters[i]);
    if (flags == 0)
        putchar('-');
}

static void print_option(bool *first, const char *words)
{
    printf("%s%s", *first ? " <" : ",", words);
    *first = false;
}

static void print_options(const struct look *l)
{
    const struct wire_segment *s = l->s;
    char words[80];
    bool first = true;

    if (s->has_mss) {
        snprintf(words, sizeof(words), "mss %u", s->mss);
        print_option(&first, words);
    }
    if (s->has_sack_ok)
        print_option(&first, "sackOK");
    if (s->has_scale) {
        snprintf(words, sizeof(words), "wscale %u", s->scale);
        print_option(&first, words);
    }
    if (s->has_ts) {
        snprintf(words, sizeof(words), "TS val %u ecr %u", s->ts_value - l->me->syn.ts_value,
                 (s->flags & WIRE_ACK) != 0 ? s->ts_echo - l->other->syn.ts_value : 0);
        print_option(&first, words);
    }
    for (uint32_t i = 0; i < s->sack_count; i++) {
        snprintf(words, sizeof(words), "%s%u:%u", i == 0 ? "sack " : "",
                 s->sack[i][0] - l->other->opening[0].isn,
                 s->sack[i][1] - l->other->opening[0].isn);
        print_option(&first, words);
    }
    printf("%s", first ? "" : ">");
}

void transcript_print(const struct look *l, bool arrives, int64_t *last)
{
    const struct wire_segment *s = l->s;
    const uint64_t start = (s->flags & WIRE_SYN) != 0 ? 0 : l->start;
    const uint64_t end = start + s->text_bytes;

    if (*last == 0) {
        printf("# the application's calls (write, read, close) are to be put in\n+0   %s\n",
               arrives ? "listen" : "connect");
        *last = l->now;
    }
    printf("+%.6f %c ", (double)(l->now - *last) / 1e9, arrives ? '<' : '>');
    *last = l->now;
    print_flags(s->flags);
    printf(" %llu:%llu(%u)", (unsigned long long)start, (unsigned long long)end, s->text_bytes);
    if ((s->flags & WIRE_ACK) != 0)
        printf(" ack %llu", (unsigned long long)l->ack);
    printf(" win %u", s->window);
    print_options(l);
    printf("\n");
}
