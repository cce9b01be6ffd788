/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo close: the three ways in which a connection ends in order (RFC 9293 §3.6). The other side
 * first, we first (a half-close: we have said all, and still listen), and both at once.
 */
#include "cli/demo.h"
#include "cli/say.h"

/* With 40 ms each way, the server's answer and FIN are under way from 40 to 80 ms after the
 * request. */
#define CROSSED_DELAY "delay 40ms"
#define CROSSED_FIN   (60 * TERN_MS)

static const struct part {
    const char *words;
    struct demo_net_options net;
    struct demo_fetch_options fetch;
} parts[] = {
    {"1. They close first. Their FIN says that no more will come; ours follows, and with its ACK "
     "the "
     "connection is gone on both sides.",
     {.capture = true},
     {.path = "/1000"}},
    {"2. We close first, and only our half: the request is all that we have to say. The answer "
     "still comes. Who closes first waits in TIME-WAIT, in case the last ACK was lost.",
     {.impair = NULL},
     {.path = "/half", .half_close = true}},
    {"3. Both at once. The network is slow now (40 ms each way), and the two FINs cross: neither "
     "side knows of the other's yet. That is CLOSING.",
     {.impair = CROSSED_DELAY},
     {.path = "/1000", .fin_after = CROSSED_FIN}},
};

/* Did our side come to the end that the part is about? */
static bool went_through(const struct demo_net *net, enum tern_tcp_state state)
{
    for (size_t i = 0; i < tern_model_step_count(net->model); i++) {
        const struct tern_step *s = tern_model_step(net->model, i);

        if (s->has_state && s->state == state)
            return true;
    }
    return false;
}

static int tell_part(struct demo_world *w, size_t index)
{
    static const enum tern_tcp_state landmark[] = {TERN_TCP_LAST_ACK, TERN_TCP_TIME_WAIT,
                                                   TERN_TCP_CLOSING};
    const struct part *part = &parts[index];
    struct demo_fetch fetch;
    struct demo_net net;
    int code;

    if (index == 0)
        demo_gap();
    demo_words(w, part->words);
    code = demo_net_open(&net, w, &part->net);
    if (code != 0)
        return code;
    demo_fetch(&net, &part->fetch, &fetch);
    demo_picture_from(w, &net, 0);
    if (fetch.err != TERN_ERR_OK || !fetch.intact || fetch.bytes != fetch.bytes_wanted) {
        code = demo_say_failure(&net, &fetch);
    } else if (!went_through(&net, landmark[index])) {
        tern_complain("demo: the connection never was in %s", tern_tcp_state_text(landmark[index]));
        code = DEMO_EXIT_STORY;
    }
    if (code == 0 && net.capture != NULL) {
        demo_line(w, "  capture of this part: %s", w->options->pcap);
        demo_gap();
    }
    demo_net_close(&net);
    return code;
}

int demo_close(const struct demo_options *options)
{
    static const struct demo_world_options world = {.initcwnd = 0};
    struct demo_world w;
    int code = demo_world_open(&w, options, &world);

    if (code != 0)
        return code;
    demo_title(&w);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && code == 0; i++)
        code = tell_part(&w, i);
    if (code == 0)
        demo_line(&w, "  next: tern demo loss · tern nc -N HOST PORT (a half-close of your own)");
    demo_world_close(&w);
    return code;
}
