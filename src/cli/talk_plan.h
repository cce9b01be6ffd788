/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_TALK_PLAN_H
#define TERN_CLI_TALK_PLAN_H
/* The shared flags, understood and checked, before anything is opened. */
#include "cli/picture_file.h"
#include "cli/talk.h"

enum tern_talk_kind { TERN_TALK_LAN, TERN_TALK_TAP, TERN_TALK_SLIRP, TERN_TALK_LAB };

struct tern_talk_plan {
    enum tern_talk_kind kind;
    const char *interface; /* lan and tap */
    struct tern_cidr address;
    struct tern_addr gateway; /* any address: none */
    struct tern_addr dns;     /* any address: none */
    uint16_t dns_port;
    enum tern_mac_choice mac_choice;
    struct tern_mac mac; /* with TERN_MAC_GIVEN */
    bool seeded;
    uint64_t seed;
    enum tern_claim claim;
    enum tern_picture_kind drawing[TERN_TALK_DRAW_MAX]; /* of options.draw */
    size_t columns;                                     /* of the ladder; 0: the terminal's */
};

/*
 * Returns 0, or the exit code (2 usage, 45 an address that may not be ours) with one line in
 * error_text (TERN_LINK_ERROR_MAX bytes), no full stop. Opens nothing, prints nothing.
 */
int tern_talk_plan(const struct tern_talk_options *options, struct tern_talk_plan *plan,
                   char *error_text);

#endif
