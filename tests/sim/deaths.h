/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_DEATHS_H
#define TERN_SIM_DEATHS_H
/*
 * What would end the process ends a seed: a failed assertion, a bad address, a loop without end.
 * So a seed that dies is told, made smaller and written down like any other that fails.
 */

/*
 * Run life(about). NULL where it returns; else what ended it, in words that stay until the next
 * call: then none of it was cleaned up. A life may take so many seconds of processor time, at
 * least 1. One at a time, in one thread.
 */
const char *deaths_of(void (*life)(void *about), void *about, int seconds_max);

#endif
