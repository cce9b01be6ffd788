/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a story happens: a lab with the real kernel at its far end, or, where the system refuses
 * namespaces, nothing but memory; and the words that go around the picture.
 */
#include <stdarg.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/demo.h"
#include "cli/labserver.h"
#include "cli/say.h"
#include "cli/talk.h"
#include "report/text.h"

#define LINE_BYTES 512
#define INDENT     2

#define PATH_COLUMNS 20 /* what the words of the capture leave of 80 */

static int lab_open(struct demo_world *w, const struct demo_world_options *options)
{
    struct tern_lab_options lab = {
        .server = {DEMO_SERVER_ADDRESS, 24},
        .offloads_off = true, /* so that a segment is a frame, as it would be on a wire */
        .server_initcwnd = options->initcwnd,
        .serve = tern_labserver,
    };
    char why[TERN_LINK_ERROR_MAX] = "";

    if (options->kernel_address)
        lab.client_kernel = (struct tern_cidr){DEMO_KERNEL_ADDRESS, 24};
    enum tern_err err = tern_lab_open(&lab, &w->lab, why);

    if (err == TERN_ERR_PERMISSION || err == TERN_ERR_UNSUPPORTED) {
        tern_say("tern: %s. So a second tern in memory takes the kernel's place", why);
        w->is_mem = true;
        return 0;
    }
    if (err == TERN_ERR_OK)
        return 0;
    tern_complain("demo: %s", why[0] != '\0' ? why : tern_err_text(err));
    return DEMO_EXIT_INTERFACE;
}

int demo_world_open(struct demo_world *w, const struct demo_options *options,
                    const struct demo_world_options *world)
{
    memset(w, 0, sizeof *w);
    w->options = options;
    w->is_mem = options->mem;
    tern_ladder_options_for(stdout, &w->screen);
    (void)snprintf(w->us_text, sizeof w->us_text, "you 10.9.0.77");
    (void)snprintf(w->peer_text, sizeof w->peer_text, "10.9.0.1:80 server");
    w->screen.us = w->us_text;
    w->screen.peer = w->peer_text;
    return w->is_mem ? 0 : lab_open(w, world);
}

void demo_world_close(struct demo_world *w)
{
    if (w->lab != NULL)
        tern_lab_close(w->lab);
    w->lab = NULL;
}

void demo_line(const struct demo_world *w, const char *format, ...)
{
    char text[LINE_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!w->screen.utf8)
        tern_text_to_ascii(text);
    (void)puts(text);
}

void demo_gap(void)
{
    (void)putchar('\n');
}

void demo_words(const struct demo_world *w, const char *text)
{
    tern_ladder_words(&w->screen, INDENT, text, stdout);
    (void)fflush(stdout);
}

void demo_title(const struct demo_world *w)
{
    struct utsname system;

    if (w->is_mem)
        demo_line(w, "tern %s · link: memory, nothing leaves this process · peer: a second tern",
                  TERN_VERSION);
    else if (uname(&system) == 0)
        demo_line(w, "tern %s · link: veth in a private namespace%s · peer: Linux %.*s's own TCP",
                  TERN_VERSION, geteuid() == 0 ? "" : ", no root",
                  (int)strcspn(system.release, "-+"), system.release);
}

void demo_say_counters(const struct demo_world *w, const struct demo_counters *c)
{
    char kernel[64] = "no kernel was involved";

    if (c->kernel_resets >= 0)
        (void)snprintf(kernel, sizeof kernel, "%lld reset%s from our kernel",
                       (long long)c->kernel_resets, c->kernel_resets == 1 ? "" : "s");
    demo_line(w, "  %lld resent by them · %lld by us · %s", (long long)c->resent_by_them,
              (long long)c->resent_by_us, kernel);
}

void demo_say_end(const struct demo_world *w, const struct demo_net *net, const char *next)
{
    if (net->capture != NULL && tern_link_capture_error(net->capture) == 0)
        demo_line(w,
                  strlen(w->options->pcap) <= PATH_COLUMNS
                      ? "  capture: %s (for Wireshark: each packet of ours says why)"
                      : "  capture, for Wireshark (each packet of ours says why):\n  %s",
                  w->options->pcap);
    demo_line(w, "  next: %s", next);
    (void)fflush(stdout);
}

int demo_say_failure(const struct demo_net *net, const struct demo_fetch *fetch)
{
    if (tern_talk_interrupted()) {
        tern_complain("demo: interrupted");
        return DEMO_EXIT_INTERRUPTED;
    }
    if (net->lost)
        return DEMO_EXIT_INTERFACE;
    if (fetch->err != TERN_ERR_OK)
        tern_complain("demo: the page did not come: %s", tern_err_text(fetch->err));
    else
        tern_complain("demo: the page came wrong: %llu bytes instead of %llu, or other ones",
                      (unsigned long long)fetch->bytes, (unsigned long long)fetch->bytes_wanted);
    return DEMO_EXIT_STORY;
}

/* The first step from `first` on that is not about the neighbourhood. */
static size_t skip_arp(const struct tern_model *model, size_t first)
{
    while (first < tern_model_step_count(model)) {
        enum tern_step_kind kind = tern_model_step(model, first)->kind;

        if (kind != TERN_STEP_ARP_CLAIM && kind != TERN_STEP_ARP_ASK &&
            kind != TERN_STEP_ARP_ANSWER)
            break;
        first++;
    }
    return first;
}

static void picture(struct demo_world *w, const struct demo_net *net, size_t first,
                    tern_time origin)
{
    struct tern_ladder_options screen = w->screen;

    screen.origin = origin;
    demo_gap();
    tern_ladder_header(&screen, stdout);
    tern_ladder_print(net->model, first, &screen, stdout);
    demo_gap();
    demo_draw(w, net->model);
    (void)fflush(stdout);
}

void demo_picture(struct demo_world *w, const struct demo_net *net)
{
    picture(w, net, 0, 0);
}

void demo_picture_from(struct demo_world *w, const struct demo_net *net, size_t first)
{
    first = skip_arp(net->model, first);
    if (first < tern_model_step_count(net->model))
        picture(w, net, first, tern_model_step(net->model, first)->at);
}
