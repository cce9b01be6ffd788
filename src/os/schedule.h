/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_OS_SCHEDULE_H
#define TERN_OS_SCHEDULE_H
/*
 * Ask the scheduler to let this thread run soon rather than long: a slice of 0.1 ms in Linux's
 * EEVDF (6.12 and later), which needs no privilege. A peer's tail-loss probe fires after a few
 * milliseconds without an ACK, which is what a busy machine makes a thread wait. Where the kernel
 * knows no slices, nothing changes.
 */
void tern_schedule_soon(void);

#endif
