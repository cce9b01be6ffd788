/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_FAIL_FAULTY_LINK_H
#define TERN_TESTS_FAIL_FAULTY_LINK_H
/* Wrap a link whose n-th call fails (faults.h, domain FAULTS_DRIVER): it is gone, once or for good;
 * brings or takes nothing, or less; loses what it was given; has a deadline or descriptor that is
 * none. */
#include <tern/link.h>

/* NULL: no memory, and inner is still the caller's. */
struct tern_link *faulty_link_open(struct tern_link *inner);

#endif
