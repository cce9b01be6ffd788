/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo slow: the program that tern was born from, which acknowledged when it got round to it. One
 * ACK each so often: the server cannot know that its segments arrived, and sends again; the program
 * never gets through, gives up, and resets. Then the same page with ACKs in time.
 */
#include "cli/demo.h"
#include "cli/say.h"

#define PAGE          "/" /* a hundred segments */
#define INITCWND      100
#define PATIENCE      (1500 * TERN_MS) /* of the slow program, which then resets */
#define TELLINGS_MAX  3
#define ACK_EVERY     (300 * TERN_MS) /* over the 200 ms that the kernel waits at least: certain */
#define ACK_EVERY_MEM (350 * TERN_MS) /* a tern never sends again before 200 ms */

struct run {
    struct demo_fetch fetch;
    struct demo_counters diff;
    uint64_t again_segments;
    bool has_reset; /* ours was seen to leave */
};

static tern_time ack_every(const struct demo_world *w)
{
    return w->is_mem ? ACK_EVERY_MEM : ACK_EVERY;
}

static bool has_reset(const struct tern_model *model)
{
    for (size_t i = 0; i < tern_model_step_count(model); i++) {
        const struct tern_step *s = tern_model_step(model, i);

        if (s->kind == TERN_STEP_RST && s->from == TERN_LANE_LEFT)
            return true;
    }
    return false;
}

static int run_once(struct demo_world *w, struct demo_net *net, tern_time every, struct run *out)
{
    struct demo_fetch_options page = {.path = PAGE,
                                      .ack_every = every,
                                      .linger = every > 0 && !w->is_mem ? PATIENCE : 0,
                                      .give_up = every > 0 ? PATIENCE : 0,
                                      .abort = every > 0};
    struct demo_counters before, after;

    demo_counters(net, &before);
    demo_fetch(net, &page, &out->fetch);
    demo_counters(net, &after);
    out->diff = demo_counters_since(&before, &after);
    if (tern_model_conn_count(net->model) > 0)
        out->again_segments = tern_model_conn(net->model, 0)->side[TERN_SIDE_RIGHT].again_segments;
    out->has_reset = has_reset(net->model);
    w->screen.quiet_gap = every + every / 2; /* the pace is the story, and not each silence */
    if (every > 0)
        demo_picture(w, net);
    else
        demo_picture_from(w, net, 0);
    if (every > 0 && out->fetch.err == TERN_ERR_TIMEOUT && out->fetch.intact)
        return 0; /* in memory the page never comes to its end */
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
        demo_line(w, "  capture of this part: %s", w->options->pcap);
        demo_gap();
    }
    demo_net_close(&net);
    return code;
}

static int compare(const struct demo_world *w, const struct run *slow, const struct run *good)
{
    demo_line(w, "  one ACK each %lld ms: %lld resent by them, %llu of which we had; reset by us",
              (long long)(ack_every(w) / TERN_MS), (long long)slow->diff.resent_by_them,
              (unsigned long long)slow->again_segments);
    demo_line(w, "  ACKs as they come:   %lld resent by them; closed in order",
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
    char text[400];

    demo_gap();
    (void)snprintf(
        text, sizeof text,
        "A page of a hundred segments comes at once. We acknowledge one each %lld ms, as "
        "a program does that handles packets when it gets round to it. None is lost, but "
        "the server cannot know that.",
        (long long)(ack_every(w) / TERN_MS));
    demo_words(w, text);
}

static void words_after(const struct demo_world *w)
{
    demo_words(w, w->is_mem
                      ? "With no word from us the server's timer runs out, and it sends again "
                        "what we have had all the time (RFC 6298)."
                      : "With no word from us the server soon repeats its last segment, to "
                        "find out whether anything arrives at all (a tail loss probe, RFC "
                        "8985), and more where its timer runs out. We had it all.");
    demo_words(w, "At this pace the ACKs would take half a minute. After not even two seconds the "
                  "program gives up: RST, and nothing of it counts.");
    demo_gap();
    demo_words(w, "Now the same with tern's own ACKs: they belong to the stack and leave as the "
                  "segments come in, whatever the program is doing.");
}

/* The slow part, until the server resends: a machine may be so busy that it does not. */
static int slow_run(struct demo_world *w, struct run *out)
{
    for (int i = 0; i < TELLINGS_MAX; i++) {
        *out = (struct run){.has_reset = false};
        int code = net_run(w, ack_every(w), out);

        if (code != 0 || (out->diff.resent_by_them > 0 && out->has_reset))
            return code;
        if (i < TELLINGS_MAX - 1)
            demo_words(w, "This time the server did not send again, as happens on a busy machine. "
                          "Once more:");
    }
    tern_complain(out->has_reset ? "demo: the server should have resent, and did not, %d times"
                                 : "demo: our reset was not seen, %d times",
                  TELLINGS_MAX);
    return DEMO_EXIT_STORY;
}

static int tell(struct demo_world *w)
{
    struct run slow, good = {0};
    int code;

    words_before(w);
    code = slow_run(w, &slow);
    if (code != 0)
        return code;
    words_after(w);
    code = net_run(w, 0, &good);
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
