/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libpcap reads the file; its bytes pass through a tee, by which comments.c sees them as well, and
 * which counts them for the progress. The filter is libpcap's and is applied here, packet by
 * packet, so that packets and comments stay in step.
 */
#include "report/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/comments.h"

#define BUFFER_BYTES   (256u * 1024)
#define PROGRESS_EVERY 65536u
#define SECONDS_MAX    INT64_C(9000000000) /* the year 2255; beyond, nanoseconds overflow */

struct tee {
    int fd;
    struct tern_comments *comments;
    struct tern_capture_facts *facts;
};

struct reader {
    pcap_t *pcap;
    enum tern_dissect_link link;
    struct bpf_program program;
    bool filtered;
    struct tee tee;
    const struct tern_capture_options *options;
    struct tern_model *model;
    struct tern_capture_facts *facts;
};

static ssize_t tee_read(void *cookie, char *data, size_t bytes)
{
    struct tee *t = cookie;
    ssize_t n;

    do
        n = read(t->fd, data, bytes);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        tern_comments_feed(t->comments, data, (size_t)n);
        t->facts->bytes += (uint64_t)n;
    }
    return n;
}

static int tee_close(void *cookie)
{
    struct tee *t = cookie;

    return close(t->fd);
}

static enum tern_capture_result wrong(struct tern_capture_facts *f, enum tern_capture_result result,
                                      const char *words)
{
    (void)snprintf(f->words, sizeof f->words, "%s", words);
    return result;
}

static bool link_known(int type, enum tern_dissect_link *out)
{
    static const struct {
        int type;
        enum tern_dissect_link link;
    } table[] = {
        {DLT_EN10MB, TERN_DISSECT_ETHERNET},    {DLT_LINUX_SLL, TERN_DISSECT_COOKED},
        {DLT_LINUX_SLL2, TERN_DISSECT_COOKED2}, {DLT_RAW, TERN_DISSECT_RAW},
        {DLT_IPV4, TERN_DISSECT_RAW},           {DLT_IPV6, TERN_DISSECT_RAW},
        {DLT_NULL, TERN_DISSECT_LOOPBACK},      {DLT_LOOP, TERN_DISSECT_LOOPBACK},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].type == type) {
            *out = table[i].link;
            return true;
        }
    return false;
}

static enum tern_capture_result open_pcap(struct reader *r, int fd)
{
    static const cookie_io_functions_t calls = {.read = tee_read, .close = tee_close};
    char error[PCAP_ERRBUF_SIZE] = "";
    struct stat st;
    FILE *file;

    r->facts->bytes_all = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    r->tee = (struct tee){.fd = fd, .comments = tern_comments_create(), .facts = r->facts};
    file = r->tee.comments == NULL ? NULL : fopencookie(&r->tee, "r", calls);
    if (file == NULL) {
        (void)close(fd);
        return wrong(r->facts, TERN_CAPTURE_UNREADABLE, "out of memory");
    }
    (void)setvbuf(file, NULL, _IOFBF, BUFFER_BYTES);
    r->pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error);
    if (r->pcap == NULL) {
        (void)fclose(file);
        return wrong(r->facts, TERN_CAPTURE_UNREADABLE, error);
    }
    if (!link_known(pcap_datalink(r->pcap), &r->link)) {
        const char *name = pcap_datalink_val_to_name(pcap_datalink(r->pcap));

        (void)snprintf(r->facts->words, sizeof r->facts->words,
                       "its link type %d (%s) is not one that tern reads: Ethernet, Linux cooked, "
                       "raw IP or loopback",
                       pcap_datalink(r->pcap), name == NULL ? "without a name" : name);
        return TERN_CAPTURE_UNREADABLE;
    }
    return TERN_CAPTURE_OK;
}

static enum tern_capture_result compile(struct reader *r)
{
    const char *filter = r->options->filter;

    if (filter == NULL || filter[0] == '\0')
        return TERN_CAPTURE_OK;
    if (pcap_compile(r->pcap, &r->program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return wrong(r->facts, TERN_CAPTURE_BAD_FILTER, pcap_geterr(r->pcap));
    r->filtered = true;
    return TERN_CAPTURE_OK;
}

static tern_time time_of(const struct pcap_pkthdr *h)
{
    int64_t seconds = (int64_t)h->ts.tv_sec, nanoseconds = (int64_t)h->ts.tv_usec;

    if (seconds < 0 || seconds > SECONDS_MAX)
        seconds = seconds < 0 ? 0 : SECONDS_MAX;
    if (nanoseconds < 0 || nanoseconds >= TERN_SECOND)
        nanoseconds = 0;
    return seconds * TERN_SECOND + nanoseconds;
}

static void packet(struct reader *r, const struct pcap_pkthdr *h, const uint8_t *data)
{
    struct tern_comment comment = {.text = NULL};
    bool known = tern_comments_next(r->tee.comments, &comment);
    bool directed =
        known && (comment.inbound || comment.outbound) && tern_comments_by_tern(r->tee.comments);

    r->facts->packets++;
    r->facts->is_tern = r->facts->is_tern || directed;
    if (!r->filtered || pcap_offline_filter(&r->program, h, data) != 0) {
        struct tern_model_packet p = {.at = time_of(h),
                                      .has_direction = directed,
                                      .sent = comment.outbound,
                                      .comment = comment.text};

        r->facts->chosen++;
        tern_dissect(r->link, tern_span_of(data, h->caplen), h->len, &p.what);
        tern_model_packet(r->model, &p);
    }
    free(comment.text);
}

static bool go_on(struct reader *r)
{
    if (r->options->progress == NULL || r->facts->packets % PROGRESS_EVERY != 0)
        return true;
    r->facts->stopped = !r->options->progress(r->options->user, r->facts);
    return !r->facts->stopped;
}

static enum tern_capture_result read_all(struct reader *r)
{
    struct pcap_pkthdr *h;
    const uint8_t *data;
    int got;

    while ((got = pcap_next_ex(r->pcap, &h, &data)) == 1) {
        packet(r, h, data);
        if (!go_on(r))
            return TERN_CAPTURE_OK;
    }
    if (got == PCAP_ERROR_BREAK)
        return TERN_CAPTURE_OK;
    return wrong(r->facts, TERN_CAPTURE_PARTIAL, pcap_geterr(r->pcap));
}

enum tern_capture_result tern_capture_read_fd(int fd, const struct tern_capture_options *options,
                                              struct tern_model *model,
                                              struct tern_capture_facts *facts)
{
    struct reader r = {.options = options, .model = model, .facts = facts};
    enum tern_capture_result result;

    *facts = (struct tern_capture_facts){.packets = 0};
    result = open_pcap(&r, fd);
    if (result == TERN_CAPTURE_OK)
        result = compile(&r);
    if (result == TERN_CAPTURE_OK)
        result = read_all(&r);
    if (r.filtered)
        pcap_freecode(&r.program);
    if (r.pcap != NULL)
        pcap_close(r.pcap);
    tern_comments_destroy(r.tee.comments);
    return result;
}

enum tern_capture_result tern_capture_read(const char *path,
                                           const struct tern_capture_options *options,
                                           struct tern_model *model,
                                           struct tern_capture_facts *facts)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);

    *facts = (struct tern_capture_facts){.packets = 0};
    if (fd < 0)
        return wrong(facts, TERN_CAPTURE_UNREADABLE, strerror(errno));
    return tern_capture_read_fd(fd, options, model, facts);
}
