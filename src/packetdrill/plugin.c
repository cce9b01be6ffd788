/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern under packetdrill: the shared object that `packetdrill --so_filename` loads.
 *
 * One stack in one process, and a clock that is the plugin's own: packetdrill asks for the time,
 * sleeps and waits for packets through the table of calls, so that an hour takes no time at all.
 * The link has one neighbour, which answers each ARP request: packetdrill. Frames stand for IP
 * packets, their Ethernet headers put on and taken off here (world.c); super-segments stay in one
 * piece, as packetdrill sees them of a kernel with TSO.
 *
 * Two threads call: packetdrill's main thread, and the one that it keeps for calls that block. A
 * lock guards everything. Time moves only when the main thread wants it to, and never while the
 * other has something to do: clock.c.
 *
 * Sockets are tern's own (include/tern/socket.h), on numbers of real descriptors, an eventfd each,
 * so that packetdrill's own closing of leftovers hits nothing else.
 */
#include "packetdrill/plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

TERN_EXPORT void packetdrill_interface_init(const char *flags, struct packetdrill_interface *ifc);

static void free_plugin(void *userdata)
{
    struct tern_pd *p = userdata;

    tern_pd_unhook();
    tern_pd_world_fini(p);
    pthread_cond_destroy(&p->calm);
    pthread_cond_destroy(&p->news);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* packetdrill has no ear for an error here: who cannot begin must end the process. */
static void die(const char *words)
{
    fprintf(stderr, "libtern_packetdrill: %s\n", words);
    exit(1);
}

void packetdrill_interface_init(const char *flags, struct packetdrill_interface *ifc)
{
    struct tern_pd *p = calloc(1, sizeof *p);

    if (p == NULL)
        die("no memory");
    if (!tern_pd_flags_parse(flags, &p->flags))
        die("the flags are not understood");
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->news, NULL);
    pthread_cond_init(&p->calm, NULL);
    p->main = pthread_self();
    if (!tern_pd_world_init(p))
        die("no stack can be made of these flags");
    tern_pd_fill_interface(ifc);
    ifc->userdata = p;
    ifc->free = free_plugin;
    tern_pd_hook(p);
}
