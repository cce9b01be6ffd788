/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a hostile packet costs, for work.py, which runs this under callgrind: for each flood the
 * tables are filled first, and then measured() lets some more frames in. The stack is all that is
 * counted. Prints the names in the order of the measurements.
 *
 *     work SCALE      of the tables, and of the frames that fill them
 */
#include <stdio.h>
#include <stdlib.h>

#include "floods.h"

#define FILL    1000 /* frames, times scale */
#define AT_ONCE 16
#define STEP    (20 * TERN_US)

static void let_in(struct flood *f, const struct flood_kind *kind, uint32_t from, uint32_t count)
{
    for (uint32_t n = from; n < from + count; n++) {
        kind->hostile(f, n);
        if (n % AT_ONCE == AT_ONCE - 1)
            flood_hear(f);
    }
}

void measured(struct flood *f, const struct flood_kind *kind, uint32_t from);

__attribute__((noinline)) void measured(struct flood *f, const struct flood_kind *kind,
                                        uint32_t from)
{
    for (uint32_t n = from; n < from + WORK_FRAMES; n += AT_ONCE) {
        let_in(f, kind, n, AT_ONCE);
        f->now += STEP * AT_ONCE;
        tern_stack_expire(f->victim, f->now);
        (void)tern_stack_deadline(f->victim);
    }
}

int main(int argc, char **argv)
{
    static struct flood f;
    const uint32_t scale = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1;

    for (size_t i = 0; i < flood_kinds_count; i++) {
        const struct flood_kind *kind = &flood_kinds[i];
        const uint32_t fill = FILL * scale;

        flood_open(&f, scale);
        f.serve = kind->serve;
        flood_steal(&f, kind->thieves * (kind->thieves > 2 ? scale : 1));
        for (uint32_t n = 0; n < fill; n += AT_ONCE) {
            let_in(&f, kind, n, AT_ONCE);
            f.now += STEP * AT_ONCE;
            tern_stack_expire(f.victim, f.now);
        }
        measured(&f, kind, (fill + AT_ONCE - 1) / AT_ONCE * AT_ONCE);
        printf("%s\n", kind->name);
        flood_close(&f);
    }
    return 0;
}
