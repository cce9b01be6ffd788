/* SPDX-License-Identifier: BSD-2-Clause */
/* Notes that several engines tell in the same way. Without an observer they do nothing. */
#include "proto/observe.h"

void tern_tell_drop(struct tern_observer *o, enum tern_drop reason, uint32_t conn_id, tern_time at)
{
    struct tern_note note;

    if (o->tell == NULL)
        return;
    note = (struct tern_note){.at = at, .kind = TERN_NOTE_DROP, .conn_id = conn_id};
    o->drop = reason;
    note.drop.reason = reason;
    tern_tell(o, &note);
}

void tern_tell_neighbour(const struct tern_observer *o, enum tern_neighbour state,
                         const struct tern_addr *address, const struct tern_mac *mac, tern_time at)
{
    struct tern_note note;

    if (o == NULL || o->tell == NULL)
        return;
    note = (struct tern_note){.at = at, .kind = TERN_NOTE_NEIGHBOUR};
    note.neighbour.state = state;
    note.neighbour.address = *address;
    if (state == TERN_NEIGHBOUR_KNOWN)
        note.neighbour.mac = *mac;
    tern_tell(o, &note);
}
