/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_EVENTLOG_EVENT_H
#define TERN_REPORT_EVENTLOG_EVENT_H
/* From an event of a log to a packet of the model. */
#include <jansson.h>

#include "report/capture.h"
#include "report/eventlog_conns.h"
#include "wire/ipv4.h"

#define TERN_EVENTLOG_HEADERS_BYTES 256
/* Behind the headers is text, which is all zeros. */
#define TERN_EVENTLOG_PACKET_BYTES (TERN_EVENTLOG_HEADERS_BYTES + UINT16_MAX)

struct tern_eventlog_events {
    struct tern_model *model;
    struct tern_capture_facts *facts;
    tern_time epoch; /* from which the times of events count; never above 2^32 s */
    struct tern_eventlog_conns conns;
    uint8_t packet[TERN_EVENTLOG_PACKET_BYTES];
};

/* Passes over what is no event of a picture, or tells of something that no wire carries. */
void tern_eventlog_event(struct tern_eventlog_events *events, json_t *record);

#endif
