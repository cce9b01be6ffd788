/* SPDX-License-Identifier: BSD-2-Clause */
/* Own MACs are recognizable: 02:54:45 (locally administered, T, E) and 24 random bits. */
#include "link/own_mac.h"

#include <string.h>

#include "base/random.h"

struct tern_mac tern_link_own_mac(uint64_t seed)
{
    struct tern_random random;
    struct tern_mac mac;

    tern_random_init(&random, &seed, sizeof(seed), "mac");
    tern_random_bytes(&random, mac.b, sizeof(mac.b));
    memcpy(mac.b, "\x02\x54\x45", 3);
    return mac;
}
