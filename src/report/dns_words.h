/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_DNS_WORDS_H
#define TERN_REPORT_DNS_WORDS_H
/* What a DNS message says, in words. */
#include "base/bytes.h"

#define TERN_DNS_WORDS_BYTES 160

/* message: as much of it as was captured. False: it cannot be told. The words hold bytes of
 * the wire's: escape them. */
bool tern_dns_words(tern_span message, char *out);

#endif
