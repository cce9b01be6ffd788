/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_CAPTURE_H
#define TERN_REPORT_CAPTURE_H
/*
 * Reading anybody's capture into a model: pcap and pcapng as libpcap reads them, from a file or
 * from standard input, in one pass and in memory that does not grow with it.
 */
#include "report/model.h"

enum tern_capture_result {
    TERN_CAPTURE_OK,
    TERN_CAPTURE_PARTIAL,    /* damaged or cut off: what came before that is in the model */
    TERN_CAPTURE_UNREADABLE, /* no such file, or no capture */
    TERN_CAPTURE_BAD_FILTER,
};

#define TERN_CAPTURE_WORDS 512

struct tern_capture_facts {
    uint64_t packets, chosen; /* in the file; of them, those that the filter let through */
    uint64_t
        no_room; /* records of an event log that tell of more connections than there is room for */
    uint64_t bytes;                 /* of the file, read so far */
    uint64_t bytes_all;             /* 0: not known */
    bool is_tern;                   /* a capture of tern's own, with its reasons */
    bool stopped;                   /* by the caller */
    char words[TERN_CAPTURE_WORDS]; /* what was wrong */
};

struct tern_capture_options {
    const char *filter; /* in tcpdump's words; NULL or "": everything */
    /* Called now and then; false stops the reading. NULL: nobody asks. */
    bool (*progress)(void *user, const struct tern_capture_facts *facts);
    void *user;
    uint64_t seed; /* of tables whose keys strangers choose */
};

/* path "-": standard input. */
enum tern_capture_result tern_capture_read(const char *path,
                                           const struct tern_capture_options *options,
                                           struct tern_model *model,
                                           struct tern_capture_facts *facts);
/* The same from a descriptor, which is closed. */
enum tern_capture_result tern_capture_read_fd(int fd, const struct tern_capture_options *options,
                                              struct tern_model *model,
                                              struct tern_capture_facts *facts);

#endif
