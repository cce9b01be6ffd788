/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo slow: the program that tern was born from, which acknowledged when it got round to it. One ACK
 * each so often: the server believes that its segments were lost, and sends them again. Then
 * the same page with ACKs in time.
 */
#include "cli/demo.h"
#include "cli/say.h"
#include "report/text.h"

#define INITCWND      100
#define ACK_EVERY     (100 * TERN_MS)
#define ACK_EVERY_MEM (350 * TERN_MS) /* a tern never sends again before 200 ms */

struct run {
    struct demo_fetch fetch;
    struct demo_counters diff;
    uint64_t again_segments;
};

static int run_once(struct demo_world *w, struct demo_net *net, tern_time ack_every,
                    struct run *out)
{
    struct demo_fetch_options page = {.path = "/", .ack_every = ack_every};
    struct demo_counters before, after;

    demo_counters(net, &before);
    demo_fetch(net, &page, &out->fetch);
    demo_counters(net, &after);
    out->diff = demo_counters_since(&before, &after);
    if (tern_model_conn_count(net->model) > 0)
        out->again_segments = tern_model_conn(net->model, 0)->from_peer.again_segments;
    demo_picture(w, net);
    if (out->fetch.err != TERN_ERR_OK || !out->fetch.intact ||
        out->fetch.bytes != out->fetch.bytes_wanted)
        return demo_say_failure(net, &out->fetch);
    return 0;
}

static int net_run(struct demo_world *w, tern_time ack_every, struct run *out, bool is_last)
{
    struct demo_net_options options = {.capture = ack_every > 0};
    struct demo_net net;
    int code = demo_net_open(&net, w, &options);

    if (code != 0)
        return code;
    code = run_once(w, &net, ack_every, out);
    if (code == 0 && !is_last && net.capture != NULL)
        demo_line(w, "  capture: %s (of this slow one)", w->options->pcap);
    demo_net_close(&net);
    return code;
}

static int compare(const struct demo_world *w, const struct run *slow, const struct run *good)
{
    demo_line(w, "  one ACK each %lld ms: %5.0f ms, %lld segments resent by them, %llu came twice",
              (long long)((w->is_mem ? ACK_EVERY_MEM : ACK_EVERY) / TERN_MS),
              (double)slow->fetch.took / 1e6, (long long)slow->diff.resent_by_them,
              (unsigned long long)slow->again_segments);
    demo_line(w, "  ACKs as they come:      %5.0f ms, %lld resent by them",
              (double)good->fetch.took / 1e6, (long long)good->diff.resent_by_them);
    demo_line(w, "  next: tern demo kernel-rst · tern demo close");
    if (slow->diff.resent_by_them <= 0 || good->diff.resent_by_them != 0) {
        tern_complain("demo: the server should have resent in the slow run only");
        return DEMO_EXIT_STORY;
    }
    return 0;
}

static int tell(struct demo_world *w)
{
    struct run slow = {0}, good = {0};
    int code;

    demo_gap();
    demo_words(w, w->is_mem
                      ? "We acknowledge once each 350 ms, as a program does that handles packets "
                        "when it gets round to it. No byte is lost, but the server cannot know."
                      : "We acknowledge once each 100 ms, as a program does that handles packets "
                        "when it gets round to it. No byte is lost, but the server cannot know.");
    code = net_run(w, w->is_mem ? ACK_EVERY_MEM : ACK_EVERY, &slow, false);
    if (code != 0)
        return code;
    demo_gap();
    demo_words(w, "Now the same, with tern's own ACKs: they belong to the stack and leave as the "
                  "segments come in, whatever the program is doing.");
    code = net_run(w, 0, &good, true);
    return code != 0 ? code : compare(w, &slow, &good);
}

int demo_slow(const struct demo_options *options)
{
    static const struct demo_world_options world = {.initcwnd = INITCWND};
    struct demo_world w;
    int code = demo_world_open(&w, options, &world);

    if (code != 0)
        return code;
    demo_title(&w);
    code = tell(&w);
    demo_world_close(&w);
    return code;
}
