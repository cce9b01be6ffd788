/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_REPLAY_VALUES_H
#define TERN_TESTS_REPLAY_VALUES_H
/*
 * Structures of the core's interface on a tape: in_… are arguments, out_… results (tape.h).
 * Pointers
 * within them are followed.
 */
#include <tern/tern.h>

void in_settings(const struct tern_tcp_settings **settings);
void in_options(const struct tern_tcp_options **options);
void in_frames(const struct tern_frame **frames, int *count);
void in_pointed(const void **pointer, size_t bytes);

void out_frames(const struct tern_frame *frames, int count);
void out_info(const struct tern_tcp_info *info);
void out_settings(const struct tern_tcp_settings *settings);
void out_event(const struct tern_event *event);
void out_trace(const struct tern_trace *trace);
void out_slices(const struct tern_slice *slices, int count);
void out_reply(const struct tern_ping_reply *reply);
void out_endpoint(const struct tern_endpoint *endpoint);

#endif
