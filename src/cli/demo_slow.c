/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo slow: the program that tern was born from, which acknowledged when it got round to it. One
 * ACK each so often: the server cannot know that its segments arrived, and sends again. Then the
 * same page with ACKs in time.
 *
 * The page is short, so that every segment of it is acknowledged in the end, and the close is in
 * order.
 */
#include "cli/demo.h"
#include "cli/say.h"

#define PAGE          "/8000" /* six segments */
#define LINGER_ACKS   7       /* until each of them is acknowledged; then we close */
#define ACK_EVERY     (100 * TERN_MS)
#define ACK_EVERY_MEM (350 * TERN_MS) /* a tern never sends again before 200 ms */

struct run {
    struct demo_fetch fetch;
    struct demo_counters diff;
    uint64_t again_segments;
};

static tern_time ack_every(const struct demo_world *w)
{
    return w->is_mem ? ACK_EVERY_MEM : ACK_EVERY;
}

static int run_once(struct demo_world *w, struct demo_net *net, tern_time every, struct run *out)
{
    struct demo_fetch_options page = {
        .path = PAGE, .ack_every = every, .linger = every * LINGER_ACKS + every / 2};
    struct demo_counters before, after;

    demo_counters(net, &before);
    demo_fetch(net, &page, &out->fetch);
    demo_counters(net, &after);
    out->diff = demo_counters_since(&before, &after);
    if (tern_model_conn_count(net->model) > 0)
        out->again_segments = tern_model_conn(net->model, 0)->from_peer.again_segments;
    if (every > 0)
        demo_picture(w, net);
    else
        demo_picture_from(w, net, 0);
    if (out->fetch.err != TERN_ERR_OK || !out->fetch.intact ||
        out->fetch.bytes != out->fetch.bytes_wanted)
        return demo_say_failure(net, &out->fetch);
    return 0;
}

static int net_run(struct demo_world *w, tern_time every, struct run *out)
{
    struct demo_net_options options = {.capture = every > 0};
    struct demo_net net;
    int code = demo_net_open(&net, w, &options);

    if (code != 0)
        return code;
    code = run_once(w, &net, every, out);
    if (code == 0 && net.capture != NULL) {
        demo_line(w, "  capture: %s (of this slow one)", w->options->pcap);
        demo_gap();
    }
    demo_net_close(&net);
    return code;
}

static int compare(const struct demo_world *w, const struct run *slow, const struct run *good)
{
    demo_line(w, "  one ACK each %lld ms: %lld resent by them, %llu of which we had",
              (long long)(ack_every(w) / TERN_MS), (long long)slow->diff.resent_by_them,
              (unsigned long long)slow->again_segments);
    demo_line(w, "  ACKs as they come:   %lld resent by them",
              (long long)good->diff.resent_by_them);
    demo_line(w, "  next: tern demo kernel-rst · tern demo close");
    if (slow->diff.resent_by_them <= good->diff.resent_by_them) {
        tern_complain("demo: the server should have resent more in the slow run");
        return DEMO_EXIT_STORY;
    }
    return 0;
}

static void words_before(const struct demo_world *w)
{
    demo_gap();
    if (w->is_mem)
        demo_words(w,
                   "Six segments come. We acknowledge one each 350 ms, as a program does that "
                   "handles packets when it gets round to it. None is lost, but the server cannot "
                   "know that.");
    else
        demo_words(w,
                   "Six segments come. We acknowledge one each 100 ms, as a program does that "
                   "handles packets when it gets round to it. None is lost, but the server cannot "
                   "know that.");
}

static void words_after(const struct demo_world *w)
{
    if (w->is_mem)
        demo_words(w,
                   "With no word from us the server's timer runs out, and it sends again what we "
                   "have had all the time (RFC 6298).");
    else
        demo_words(w,
                   "With no word from us the server soon repeats its last segment, to find out "
                   "whether anything arrives at all (a tail loss probe, RFC 8985). We had it. "
                   "Slower still, and its timer runs out: it sends more again, waits longer each "
                   "time, and resets in the end.");
    demo_gap();
    demo_words(w, "Now the same with tern's own ACKs: they belong to the stack and leave as the "
                  "segments come in, whatever the program is doing.");
}

static int tell(struct demo_world *w)
{
    struct run slow = {0}, good = {0};
    int code;

    words_before(w);
    code = net_run(w, ack_every(w), &slow);
    if (code != 0)
        return code;
    words_after(w);
    code = net_run(w, 0, &good);
    return code != 0 ? code : compare(w, &slow, &good);
}

int demo_slow(const struct demo_options *options)
{
    static const struct demo_world_options world = {.initcwnd = 0};
    struct demo_world w;
    int code = demo_world_open(&w, options, &world);

    if (code != 0)
        return code;
    demo_title(&w);
    code = tell(&w);
    demo_world_close(&w);
    return code;
}
