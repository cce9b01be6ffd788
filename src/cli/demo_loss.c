/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo loss: some frames are thrown away on their way to us, always the same ones, and the
 * conversation mends itself. The losses are in our own link (impair), so the far side is not told.
 */
#include "cli/demo.h"
#include "cli/say.h"
#include "report/text.h"

#define INITCWND 100
#define DROPS    "in drop 20 drop 60 drop 61"

static const struct tern_model_conn *conn_of(const struct demo_net *net)
{
    return tern_model_conn_count(net->model) > 0 ? tern_model_conn(net->model, 0) : NULL;
}

static int judge(const struct demo_world *w, const struct demo_net *net,
                 const struct demo_fetch *fetch, const struct demo_counters *diff)
{
    const struct tern_model_conn *c = conn_of(net);
    char bytes[TERN_NUMBER_TEXT_MAX];

    if (fetch->err != TERN_ERR_OK || !fetch->intact || fetch->bytes != fetch->bytes_wanted)
        return demo_say_failure(net, fetch);
    demo_words(w,
               "Each segment that arrived behind a hole was answered with the same ACK again "
               "(\"where is that byte?\"), and with SACK, which lists what did come. By that the "
               "server knew which ones to send again, without waiting for a timer.");
    demo_gap();
    demo_line(w, "  %s bytes, each of them verified · %llu segments missing at first",
              tern_text_number(fetch->bytes, bytes),
              (unsigned long long)(c == NULL ? 0 : c->side[TERN_SIDE_RIGHT].missing_segments));
    demo_say_counters(w, diff);
    demo_say_end(w, net, "tern demo slow · tern get --impair 'loss 2%' URL");
    if (diff->resent_by_them == 0 || diff->kernel_resets > 0) {
        tern_complain("demo: the lost segments should have been resent, and nothing reset");
        return DEMO_EXIT_STORY;
    }
    return 0;
}

static int tell(struct demo_world *w, struct demo_net *net)
{
    static const struct demo_fetch_options page = {.path = "/"};
    struct demo_counters before, after, diff;
    struct demo_fetch fetch;

    demo_counters(net, &before);
    demo_fetch(net, &page, &fetch);
    demo_counters(net, &after);
    diff = demo_counters_since(&before, &after);
    demo_picture(w, net);
    return judge(w, net, &fetch, &diff);
}

int demo_loss(const struct demo_options *options)
{
    static const struct demo_world_options world = {.initcwnd = INITCWND};
    static const struct demo_net_options lossy = {.capture = true, .impair = DROPS};
    struct demo_world w;
    struct demo_net net;
    int code = demo_world_open(&w, options, &world);

    if (code != 0)
        return code;
    demo_title(&w);
    demo_gap();
    demo_words(&w, "The same page, but we throw away the 20th, the 60th and the 61st frame that "
                   "come to us, before tern sees them.");
    code = demo_net_open(&net, &w, &lossy);
    if (code == 0) {
        code = tell(&w, &net);
        demo_net_close(&net);
    }
    demo_world_close(&w);
    return code;
}
