/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_GET_KEYS_H
#define TERN_CLI_GET_KEYS_H
/* --secrets: the TLS keys of libcurl's connections, for the capture. */
#include <stdbool.h>

#include <curl/curl.h>

#include "link/secrets.h"

/* Does this libcurl speak TLS by the OpenSSL that tern is linked with? Else it hands no keys out.
 */
bool tern_get_keys_possible(void);
/* Keys of this handle's handshakes go to secrets, which outlive it. */
void tern_get_keys_ask(CURL *easy, struct tern_secrets *secrets);

#endif
