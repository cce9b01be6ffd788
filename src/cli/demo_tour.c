/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo tour: the whole of it, going well. An address of our own, a page of a hundred segments that
 * the server sends all at once, each of them acknowledged in time, and the end told in order.
 */
#include "cli/demo.h"
#include "cli/say.h"
#include "report/text.h"

#define INITCWND 100 /* the server sends a hundred segments before it has heard of one */

static int tell(struct demo_world *w, struct demo_net *net)
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
    demo_say_end(w, net, "tern demo loss · sudo tern get --interface eth0 https://example.org");
    if (diff.resent_by_them > 0 || diff.resent_by_us > 0 || diff.kernel_resets > 0) {
        tern_complain("demo: nothing should have been resent or reset, and something was");
        return DEMO_EXIT_STORY;
    }
    return 0;
}

int demo_tour(const struct demo_options *options)
{
    static const struct demo_world_options world = {.initcwnd = INITCWND};
    static const struct demo_net_options good = {.capture = true};
    struct demo_world w;
    struct demo_net net;
    int code = demo_world_open(&w, options, &world);

    if (code != 0)
        return code;
    demo_title(&w);
    code = demo_net_open(&net, &w, &good);
    if (code == 0) {
        code = tell(&w, &net);
        demo_net_close(&net);
    }
    demo_world_close(&w);
    return code;
}
