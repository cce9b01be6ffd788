/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes that applications lend: a list of all that is out. See loans.h. */
#include "loans.h"

#include <stdlib.h>
#include <string.h>

#include "stream.h"
#include "world.h"

#define SPOILT 0xa5

struct loan {
    struct loan *next;
    int side;
    size_t bytes;
    uint8_t data[];
};

enum tern_err loan_make(struct world *w, struct end *e, size_t bytes)
{
    struct loan *loan = malloc(sizeof(*loan) + bytes);
    enum tern_err err;

    if (loan == NULL)
        abort();
    loan->side = e->side;
    loan->bytes = bytes;
    stream_fill((uint32_t)e->name, e->written, loan->data, bytes);
    err = tern_tcp_lend(e->conn, loan->data, bytes, loan);
    if (err != TERN_ERR_OK) {
        free(loan);
        return err;
    }
    loan->next = w->loans;
    w->loans = loan;
    return TERN_ERR_OK;
}

void loan_back(struct world *w, int side, const struct tern_event *event)
{
    struct loan **at = &w->loans;
    struct loan *loan;

    while (*at != NULL && *at != event->user)
        at = &(*at)->next;
    loan = *at;
    if (loan == NULL || loan->side != side) {
        world_fail(w, "a loan came back to side %d that is not out there", side);
        return;
    }
    *at = loan->next;
    memset(loan->data, SPOILT, loan->bytes);
    free(loan);
}

void loans_judge(struct world *w)
{
    if (w->loans != NULL)
        world_fail(w, "stack %d keeps a loan", w->loans->side);
}

void loans_drop(struct world *w)
{
    while (w->loans != NULL) {
        struct loan *loan = w->loans;

        w->loans = loan->next;
        free(loan);
    }
}
