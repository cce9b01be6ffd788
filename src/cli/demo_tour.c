/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo tour: the whole of it, going well. An address of our own, a page of a hundred segments that
 * the server sends all at once, each of them acknowledged in time, and the end told in order.
 */
#include "cli/demo.h"
#include "cli/say.h"
#include "report/text.h"

#define TELLINGS_MAX 3
#define INITCWND     100 /* the server sends a hundred segments before it has heard of one */

/* One telling; *disturbed: something was resent, as happens where this program did not get to run
 * in time, or the server's timers ran early. */
static int tell(struct demo_world *w, struct demo_net *net, bool *disturbed)
{
    static const struct demo_fetch_options page = {.path = "/"};
    struct demo_counters before, after, diff;
    struct demo_fetch fetch;
    char bytes[TERN_NUMBER_TEXT_MAX];

    demo_counters(net, &before);
    demo_fetch(net, &page, &fetch);
    demo_counters(net, &after);
    diff = demo_counters_since(&before, &after);
    demo_picture(w, net);
    if (fetch.err != TERN_ERR_OK || !fetch.intact || fetch.bytes != fetch.bytes_wanted)
        return demo_say_failure(net, &fetch);
    demo_line(w, "  %s bytes, each of them verified", tern_text_number(fetch.bytes, bytes));
    demo_say_counters(w, &diff);
    if (diff.kernel_resets > 0) {
        tern_complain("demo: our kernel sent a reset, and should have kept silent");
        return DEMO_EXIT_STORY;
    }
    *disturbed = diff.resent_by_them > 0 || diff.resent_by_us > 0;
    if (!*disturbed)
        demo_say_end(w, net, "tern demo loss · tern get -v https://example.org");
    return 0;
}

static int tell_once(struct demo_world *w, bool *disturbed)
{
    static const struct demo_net_options good = {.capture = true};
    struct demo_net net;
    int code = demo_net_open(&net, w, &good);

    *disturbed = false;
    if (code != 0)
        return code;
    code = tell(w, &net, disturbed);
    demo_net_close(&net);
    return code;
}

/* A busy machine may be excused twice. */
static int tell_until_calm(struct demo_world *w)
{
    bool disturbed = true;
    int code = 0;

    for (int i = 0; i < TELLINGS_MAX && code == 0 && disturbed; i++) {
        if (i > 0)
            demo_words(w, "Something was resent, as happens when a machine is too busy to let this "
                          "program run for some milliseconds. Once more:");
        code = tell_once(w, &disturbed);
    }
    if (code == 0 && disturbed) {
        tern_complain("demo: nothing should have been resent, and something was, %d times",
                      TELLINGS_MAX);
        code = DEMO_EXIT_STORY;
    }
    return code;
}

int demo_tour(const struct demo_options *options)
{
    static const struct demo_world_options world = {.initcwnd = INITCWND};
    struct demo_world w;
    int code = demo_world_open(&w, options, &world);

    if (code != 0)
        return code;
    demo_title(&w);
    code = tell_until_calm(&w);
    demo_world_close(&w);
    return code;
}
