/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_WIRE_ECN_H
#define TERN_WIRE_ECN_H
/* The two lowest bits of IPv4's type of service and of IPv6's traffic class (RFC 3168 §5). */
#define TERN_ECN_MASK 0x03

enum {
    TERN_ECN_NOT_ECT = 0,
    TERN_ECN_ECT1 = 1,
    TERN_ECN_ECT0 = 2,
    TERN_ECN_CE = 3, /* a router's queue was long */
};

#endif
