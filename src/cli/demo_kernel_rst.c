/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo kernel-rst: why tern takes an address of its own. First with the kernel's own address and
 * MAC: the kernel gets the answers too, knows of no such connection, and resets it. Then with an
 * address of our own: the kernel is not spoken to, and keeps silent.
 */
#include <errno.h>
#include <string.h>

#include "cli/demo.h"
#include "cli/demo_sniff.h"
#include "cli/say.h"
#include "cli/talk.h"

static const struct demo_fetch_options page = {.path = "/1000", .give_up = 5 * TERN_SECOND};

static void words_before(struct demo_world *w)
{
    demo_gap();
    demo_words(w, "First tern speaks from 10.9.0.5, which is the address of this side's kernel as "
                  "well. Both of them see the server's answer.");
}

static void words_after(struct demo_world *w, const struct demo_counters *diff)
{
    demo_words(w,
               "The kernel never sent that SYN, so the SYN ACK is for no connection it knows, and "
               "RFC 9293 tells it to answer with a reset. The server obeys. That is how a TCP of "
               "one's own dies when it borrows the kernel's address.");
    demo_gap();
    demo_line(w, "  resets from our kernel: %lld", (long long)diff->kernel_resets);
}

static int tell_borrowed(struct demo_world *w, struct demo_sniff *sniff)
{
    struct demo_net_options borrowed = {
        .capture = true, .kernel_address = true, .tap = demo_sniff_tap, .tap_user = sniff};
    struct demo_counters before, after, diff;
    struct demo_fetch fetch;
    struct demo_net net;
    int code = demo_net_open(&net, w, &borrowed);

    if (code != 0)
        return code;
    demo_counters(&net, &before);
    demo_fetch(&net, &page, &fetch);
    demo_counters(&net, &after);
    diff = demo_counters_since(&before, &after);
    demo_sniff_tell(sniff, net.model);
    (void)snprintf(w->us_text, sizeof w->us_text, "you 10.9.0.5");
    w->screen.kernel = "your kernel, 10.9.0.5";
    demo_picture(w, &net);
    words_after(w, &diff);
    if (tern_talk_interrupted()) {
        tern_complain("demo: interrupted");
        code = DEMO_EXIT_INTERRUPTED;
    } else if (diff.kernel_resets < 1 || !tern_model_has_kernel(net.model) ||
               fetch.err == TERN_ERR_OK) {
        tern_complain("demo: the kernel should have reset the connection, and did not");
        code = DEMO_EXIT_STORY;
    }
    demo_net_close(&net);
    return code;
}

static int tell_cure(struct demo_world *w)
{
    static const struct demo_net_options own = {.capture = false};
    struct demo_counters before, after, diff;
    struct demo_fetch fetch;
    struct demo_net net;
    int code;

    demo_gap();
    demo_words(w,
               "Now from 10.9.0.77, an address that nobody has, claimed by ARP with a MAC of its "
               "own. The kernel is not asked, and has nothing to say.");
    code = demo_net_open(&net, w, &own);
    if (code != 0)
        return code;
    demo_counters(&net, &before);
    demo_fetch(&net, &page, &fetch);
    demo_counters(&net, &after);
    diff = demo_counters_since(&before, &after);
    (void)snprintf(w->us_text, sizeof w->us_text, "you 10.9.0.77");
    w->screen.kernel = NULL;
    demo_picture(w, &net);
    if (fetch.err != TERN_ERR_OK || !fetch.intact) {
        code = demo_say_failure(&net, &fetch);
    } else {
        demo_line(w, "  resets from our kernel: %lld", (long long)diff.kernel_resets);
        demo_line(w,
                  "  next: tern demo close · sudo tern get --interface eth0 --address A/LEN URL");
        code = diff.kernel_resets == 0 ? 0 : DEMO_EXIT_STORY;
    }
    demo_net_close(&net);
    return code;
}

static int tell(struct demo_world *w)
{
    static struct demo_sniff sniff;
    int code;

    if (!demo_sniff_open(&sniff, w->lab)) {
        tern_complain("demo: no second socket in the lab: %s", strerror(errno));
        return DEMO_EXIT_INTERFACE;
    }
    words_before(w);
    code = tell_borrowed(w, &sniff);
    demo_sniff_close(&sniff);
    return code != 0 ? code : tell_cure(w);
}

static void explain(struct demo_world *w)
{
    demo_words(w, "This story needs a kernel that meddles, and so a private namespace, which this "
                  "system refuses (or memory was asked for). What it would show: tern borrows "
                  "the kernel's address and sends a SYN; the SYN ACK reaches the kernel too, which "
                  "asked for nothing and answers RST; the connection is dead. The cure is an "
                  "address of one's own, which is what tern always takes.");
    demo_line(w, "  next: tern demo · sudo tern demo kernel-rst");
}

int demo_kernel_rst(const struct demo_options *options)
{
    static const struct demo_world_options world = {.kernel_address = true};
    struct demo_world w;
    int code = demo_world_open(&w, options, &world);

    if (code != 0)
        return code;
    if (w.is_mem) {
        explain(&w);
    } else {
        demo_title(&w);
        code = tell(&w);
    }
    demo_world_close(&w);
    return code;
}
