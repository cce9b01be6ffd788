/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel draws an identity at each boot, of 122 random bits, and shows it to all who are logged
 * in (boot_id in /proc). It is passed on as a hash of it, so that who learns the key has not learnt
 * the identity.
 */
#include "os/host_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"

#define BOOT_PATH  "/proc/sys/kernel/random/boot_id"
#define BOOT_BYTES 36 /* as text, without the line's end */

static bool read_boot(char out[BOOT_BYTES])
{
    const int fd = open(BOOT_PATH, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return false;
    do {
        n = read(fd, out, BOOT_BYTES);
    } while (n < 0 && errno == EINTR);
    (void)close(fd);
    return n == BOOT_BYTES;
}

void tern_host_key(uint8_t out[TERN_HOST_KEY_BYTES])
{
    static const struct tern_hash_key halves[2] = {{"tern host key 1"}, {"tern host key 2"}};
    char boot[BOOT_BYTES];

    memset(out, 0, TERN_HOST_KEY_BYTES);
    if (!read_boot(boot))
        return;
    for (int i = 0; i < 2; i++) {
        const uint64_t half = tern_hash(&halves[i], boot, sizeof boot);

        memcpy(out + 8 * i, &half, sizeof half);
    }
}
