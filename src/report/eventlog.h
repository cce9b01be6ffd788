/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_EVENTLOG_H
#define TERN_REPORT_EVENTLOG_H
/*
 * Reading tern's own event log (docs/sqlog.md) into a model, in one pass and in memory that does
 * not grow with it, but for the connections, up to a bound that facts->no_room tells of. The
 * segments, datagrams, pings and ARP packets of which it tells become packets of the model, with
 * their causes; what a log does not hold (the bytes themselves) the picture does without.
 */
#include "report/capture.h"

/* Does a file begin as an event log does? It must be one that can be read from its beginning again;
 * others, as pipes, are taken for captures. */
bool tern_eventlog_is(const char *path);
/* The same results and facts as of a capture; a filter is a capture's alone. */
enum tern_capture_result tern_eventlog_read(const char *path,
                                            const struct tern_capture_options *options,
                                            struct tern_model *model,
                                            struct tern_capture_facts *facts);
/* The same from a descriptor, which is closed. */
enum tern_capture_result tern_eventlog_read_fd(int fd, const struct tern_capture_options *options,
                                               struct tern_model *model,
                                               struct tern_capture_facts *facts);

#endif
