/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_FUZZ_H
#define TERN_FUZZ_H
/*
 * The one function of a fuzz target. libFuzzer calls it with inputs of its own making, and
 * replay.c with the files of the corpus. It may do anything but crash, hang, or trip an assertion.
 */
#include <stddef.h>
#include <stdint.h>

#define FUZZ_INPUT_MAX 70000 /* longer than any packet; longer inputs are ignored */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
