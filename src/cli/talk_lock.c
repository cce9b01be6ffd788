/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One tern an address. Two on one interface would share the address and, unless told otherwise, the
 * MAC, so that neither hears the other's ARP probes as a stranger's. So an abstract Unix socket is
 * bound to a name made of interface and address: such names belong to the network namespace, as
 * interfaces do, and vanish with the process, however it ends.
 */
#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/say.h"
#include "cli/talk_parts.h"

#define EXIT_INTERFACE 45

int tern_talk_lock(struct tern_talk *talk, const struct tern_talk_plan *plan)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char address[TERN_ADDR_TEXT_MAX];
    unsigned index;
    int length, fd;
    bool taken;

    if (plan->kind != TERN_TALK_LAN)
        return 0;
    index = if_nametoindex(plan->interface);
    fd = index == 0 ? -1 : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0; /* opening the link will tell what is wrong */
    length = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "tern-address/%u/%s", index,
                      tern_addr_text(plan->address.addr, address));
    if (bind(fd, (const struct sockaddr *)&name,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) == 0) {
        talk->address_lock = fd;
        return 0;
    }
    taken = errno == EADDRINUSE;
    (void)close(fd);
    if (!taken)
        return 0;
    tern_complain("%s is in use by another tern on %s", address, plan->interface);
    return EXIT_INTERFACE;
}
