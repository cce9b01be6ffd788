/* SPDX-License-Identifier: BSD-2-Clause */
/* One name, before a verb opens its own sockets: the resolver lives as long as the question. */
#include "apps/dns.h"
#include "apps/sink.h"
#include "cli/say.h"
#include "cli/talk.h"

#define EXIT_RESOLVE     6
#define EXIT_INTERFACE   45
#define EXIT_INTERRUPTED 130

struct question {
    bool answered;
    struct tern_dns_answer answer;
};

static void on_answer(void *user, const struct tern_dns_answer *answer)
{
    struct question *question = user;

    question->answered = true;
    question->answer = *answer;
}

static int wait_answer(struct tern_talk *talk, struct tern_dns *dns,
                       const struct question *question)
{
    struct tern_event event;

    while (!question->answered) {
        if (tern_talk_run(talk, tern_dns_deadline(dns)) != TERN_ERR_OK)
            return EXIT_INTERFACE;
        while (tern_stack_event(talk->stack, &event))
            if (!tern_talk_event(talk, &event))
                tern_sink_hear(&event);
        if (tern_talk_interrupted())
            return EXIT_INTERRUPTED;
        tern_dns_expire(dns, tern_loop_now(talk->loop));
    }
    return 0;
}

int tern_talk_resolve(struct tern_talk *talk, const char *host, struct tern_addr *out)
{
    struct tern_dns_options options = {
        .loop = talk->loop, .server = {talk->dns, talk->dns_port}, .milestones = talk->milestones};
    struct question question = {0};
    struct tern_dns *dns = NULL;
    int code;

    if (tern_dns_create(&options, &dns) != TERN_ERR_OK) {
        tern_complain("could not resolve host: %s (the resolver would not start)", host);
        return EXIT_RESOLVE;
    }
    tern_dns_query(dns, host, on_answer, &question);
    code = wait_answer(talk, dns, &question);
    if (code == 0 && question.answer.result != TERN_DNS_FOUND) {
        tern_complain("could not resolve host: %s (%s)", host,
                      tern_dns_text(question.answer.result));
        code = EXIT_RESOLVE;
    }
    if (code == 0)
        *out = question.answer.addresses[0];
    tern_dns_destroy(dns);
    return code;
}
