/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_OWN_MAC_H
#define TERN_LINK_OWN_MAC_H
/* A MAC of tern's own: locally administered, the same for the same seed. */
#include <tern/addr.h>

struct tern_mac tern_link_own_mac(uint64_t seed);

#endif
