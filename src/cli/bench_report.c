/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The figures of a run. In JSON they have iperf3's names where it has one (seconds, bytes,
 * bits_per_second, retransmits, cpu_utilization_percent with host_total, host_user, host_system),
 * in one flat object. Times of single round trips and connections are in microseconds.
 */
#include "cli/bench_report.h"

#include <jansson.h>

#include "cli/say.h"

#define GB 1e9

struct figures {
    double seconds, bits_per_second, per_second, cpu_seconds, cpu_per_gb;
};

static double seconds_of(tern_time ns)
{
    return (double)ns / (double)TERN_SECOND;
}

static double us_of(tern_time ns)
{
    return (double)ns / (double)TERN_US;
}

static struct figures figures_of(const struct tern_bench_result *r)
{
    double seconds = r->elapsed > 0 ? seconds_of(r->elapsed) : 1e-9;
    double cpu = seconds_of(r->cpu_user + r->cpu_system);

    return (struct figures){
        .seconds = seconds,
        .bits_per_second = 8 * (double)r->bytes / seconds,
        .per_second = (double)r->count / seconds,
        .cpu_seconds = cpu,
        .cpu_per_gb = r->bytes > 0 ? cpu / ((double)r->bytes / GB) : 0,
    };
}

static bool is_bulk(const struct tern_bench_options *o)
{
    return o->plan.work == TERN_BENCH_RECV || o->plan.work == TERN_BENCH_SEND;
}

static const char *wait_name(enum tern_loop_wait wait)
{
    switch (wait) {
    case TERN_LOOP_SPIN:
        return "spin";
    case TERN_LOOP_BLOCK:
        return "block";
    case TERN_LOOP_ADAPTIVE:
    default:
        return "adaptive";
    }
}

/* ---- JSON ---- */

static json_t *latency_json(const struct tern_bench_hist *h)
{
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "min", us_of(h->least), "mean",
                     us_of(tern_bench_hist_mean(h)), "p50", us_of(tern_bench_hist_at(h, 500)),
                     "p90", us_of(tern_bench_hist_at(h, 900)), "p99",
                     us_of(tern_bench_hist_at(h, 990)), "p99.9", us_of(tern_bench_hist_at(h, 999)),
                     "max", us_of(h->most));
}

static void add_work(json_t *out, const struct tern_bench_options *o,
                     const struct tern_bench_result *r, const struct figures *f)
{
    if (o->plan.work == TERN_BENCH_SEND || o->plan.work == TERN_BENCH_RR)
        (void)json_object_set_new(out, "retransmits", json_integer((json_int_t)r->retransmits));
    if (is_bulk(o))
        return;
    (void)json_object_set_new(out, o->plan.work == TERN_BENCH_RR ? "transactions" : "connections",
                              json_integer((json_int_t)r->count));
    (void)json_object_set_new(
        out, o->plan.work == TERN_BENCH_RR ? "transactions_per_second" : "connections_per_second",
        json_real(f->per_second));
    (void)json_object_set_new(out, "latency_us", latency_json(&r->latency));
}

static int print_json(const struct tern_bench_options *o, const char *link,
                      const struct tern_bench_result *r, const struct figures *f)
{
    json_t *out = json_pack(
        "{s:s, s:s, s:s, s:s?, s:i, s:i, s:b, s:f, s:I, s:f, s:{s:f, s:f, s:f}, s:f, s:f}",
        "workload", o->workload, "link", link, "wait", wait_name(o->wire.wait), "congestion",
        o->wire.congestion, "num_streams", (int)o->plan.streams, "blksize",
        (int)o->plan.message_bytes, "interrupted", r->stopped, "seconds", f->seconds, "bytes",
        (json_int_t)r->bytes, "bits_per_second", f->bits_per_second, "cpu_utilization_percent",
        "host_total", 100 * f->cpu_seconds / f->seconds, "host_user",
        100 * seconds_of(r->cpu_user) / f->seconds, "host_system",
        100 * seconds_of(r->cpu_system) / f->seconds, "cpu_seconds", f->cpu_seconds,
        "cpu_seconds_per_gigabyte", f->cpu_per_gb);
    int failed;

    if (out == NULL) {
        tern_complain("bench: out of memory");
        return 1;
    }
    add_work(out, o, r, f);
    failed = json_dumpf(out, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    failed = putchar('\n') == EOF || failed != 0;
    json_decref(out);
    return failed;
}

/* ---- words ---- */

static void print_bulk(const struct tern_bench_options *o, const struct tern_bench_result *r,
                       const struct figures *f)
{
    (void)printf("%-4s  %.2f s  %.2f GB  %.2f Gbit/s  %.3f CPU s/GB", o->workload, f->seconds,
                 (double)r->bytes / GB, f->bits_per_second / 1e9, f->cpu_per_gb);
    if (o->plan.work == TERN_BENCH_SEND)
        (void)printf("  %llu segments sent again", (unsigned long long)r->retransmits);
    (void)putchar('\n');
}

static void print_rounds(const struct tern_bench_options *o, const struct tern_bench_result *r,
                         const struct figures *f)
{
    const struct tern_bench_hist *h = &r->latency;

    (void)printf("%-4s  %.2f s  %llu %s  %.0f a second  %.1f us CPU each\n", o->workload,
                 f->seconds, (unsigned long long)r->count,
                 o->plan.work == TERN_BENCH_RR ? "round trips" : "connections", f->per_second,
                 r->count > 0 ? 1e6 * f->cpu_seconds / (double)r->count : 0);
    (void)printf("      p50 %.1f  p90 %.1f  p99 %.1f  p99.9 %.1f  max %.1f us\n",
                 us_of(tern_bench_hist_at(h, 500)), us_of(tern_bench_hist_at(h, 900)),
                 us_of(tern_bench_hist_at(h, 990)), us_of(tern_bench_hist_at(h, 999)),
                 us_of(h->most));
}

int tern_bench_report(const struct tern_bench_options *options, const char *link,
                      const struct tern_bench_result *result)
{
    struct figures f = figures_of(result);

    if (options->json)
        return print_json(options, link, result, &f);
    if (is_bulk(options))
        print_bulk(options, result, &f);
    else
        print_rounds(options, result, &f);
    return 0;
}
