/* SPDX-License-Identifier: BSD-2-Clause */
/* sched_setattr(2), for which the C library of Debian 12 has no call. */
#include "os/schedule.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLICE_NS 100000u

void tern_schedule_soon(void)
{
    struct sched_attr attr;

    memset(&attr, 0, sizeof attr);
    attr.size = sizeof attr;
    attr.sched_policy = SCHED_NORMAL;
    attr.sched_nice = getpriority(PRIO_PROCESS, 0);
    attr.sched_runtime = SLICE_NS;
    (void)syscall(SYS_sched_setattr, 0, &attr, 0);
}
