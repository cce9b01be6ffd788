/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_GET_MILESTONE_H
#define TERN_CLI_GET_MILESTONE_H
/* What libcurl tells of TLS and HTTP, as milestones of the event log. libcurl's thread. */
#include <curl/curl.h>

#include "apps/milestone.h"

struct get_milestone {
    char cipher[TERN_MILESTONE_TEXT_MAX]; /* of a handshake that is not told yet; "": none */
    char alpn[TERN_MILESTONE_TEXT_MAX];
};

/* What a CURLOPT_DEBUGFUNCTION is given. */
void tern_get_milestone(struct get_milestone *state, struct tern_milestones *to, curl_infotype kind,
                        const char *data, size_t bytes);
/* The answer's body has come, so many bytes of it. */
void tern_get_milestone_body(struct tern_milestones *to, uint64_t bytes);

#endif
