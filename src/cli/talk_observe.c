/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who hears what the stack decides, in the verbs that talk: the event log (--sqlog) and the capture
 * (--pcap). With neither the stack has no observer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/say.h"
#include "cli/talk_parts.h"
#include "os/clock.h"

#define EXIT_WRITE 23

int tern_talk_sqlog_open(struct tern_talk *talk)
{
    struct tern_sqlog_options options = {
        .path = talk->options.sqlog,
        .title = talk->link_text,
        .server = talk->options.server,
        .now = tern_clock_now(),
        .wall_offset_ns = talk->wall_offset_ns,
    };
    struct tern_milestones *milestones;

    if (talk->options.sqlog == NULL)
        return 0;
    milestones = calloc(1, sizeof *milestones);
    if (milestones == NULL || tern_sqlog_open(&options, &talk->sqlog) != TERN_ERR_OK) {
        tern_complain("cannot write %s: %s", talk->options.sqlog,
                      milestones == NULL ? "out of memory" : strerror(errno));
        free(milestones);
        return EXIT_WRITE;
    }
    tern_milestones_init(milestones);
    talk->milestones = milestones;
    return 0;
}

static void observe(void *user, const struct tern_note *note)
{
    struct tern_talk *talk = user;

    if (talk->sqlog != NULL)
        tern_sqlog_note(talk->sqlog, note);
    if (talk->capture != NULL)
        tern_link_capture_note(talk->capture, note);
}

void tern_talk_observe(struct tern_talk *talk, struct tern_config *config)
{
    if (talk->sqlog == NULL && talk->capture == NULL)
        return;
    config->observer = observe;
    config->observer_user = talk;
}

void tern_talk_sqlog_turn(struct tern_talk *talk)
{
    struct tern_milestone milestone;

    if (talk->sqlog == NULL)
        return;
    while (talk->milestones != NULL && tern_milestones_take(talk->milestones, &milestone))
        tern_sqlog_milestone(talk->sqlog, &milestone);
    tern_sqlog_turn(talk->sqlog, tern_loop_now(talk->loop));
}

int tern_talk_sqlog_close(struct tern_talk *talk)
{
    int why;

    if (talk->sqlog == NULL)
        return 0;
    why = tern_sqlog_error(talk->sqlog);
    if (why == 0)
        return 0;
    tern_complain("the event log %s is not whole: %s", talk->options.sqlog, strerror(why));
    return EXIT_WRITE;
}

void tern_talk_sqlog_free(struct tern_talk *talk)
{
    if (talk->sqlog == NULL)
        return;
    tern_sqlog_close(talk->sqlog);
    talk->sqlog = NULL;
    if (talk->milestones == NULL)
        return;
    tern_milestones_fini(talk->milestones);
    free(talk->milestones);
    talk->milestones = NULL;
}
