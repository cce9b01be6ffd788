/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command with its n-th call failing. The environment says which:
 *
 *     TERN_FAULT='N FLAVOUR MODE' fail_tern get …     MODE 0: once, 1: for good
 *
 * and TERN_FAULT_REPORT names a file that gets one line at the end: calls made, calls failed, the
 * errors that the call has, and its name. Beside what the libraries call (faults_list.h), calls
 * that only the command makes fail here too.
 */
#include <ares.h>
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "faults.h"

enum {
    CALL_FOPEN = FAULTS_OTHERS,
    CALL_THREAD,
    CALL_EASY,
    CALL_MULTI,
    CALL_SEEK,
    CALL_STAT,
    CALL_ARES_INIT,
    CALL_ARES_OPTIONS,
    CALL_ARES_SERVERS,
};

static const char *report_path;

static void report(void)
{
    const struct faults_result r = faults_disarm();
    FILE *out = fopen(report_path, "w");

    if (out == NULL)
        return;
    (void)fprintf(out, "%u %u %u %s\n", r.calls, r.hits, r.flavours, r.name == NULL ? "-" : r.name);
    (void)fclose(out);
}

__attribute__((constructor)) static void arm(void)
{
    const char *words = getenv("TERN_FAULT");
    struct faults_plan plan = {0};
    unsigned mode = 0;

    report_path = getenv("TERN_FAULT_REPORT");
    if (words == NULL || report_path == NULL ||
        sscanf(words, "%u %u %u", &plan.at, &plan.flavour, &mode) != 3)
        return;
    plan.mode = mode == 0 ? FAULTS_ONCE : FAULTS_FOR_GOOD;
    (void)atexit(report);
    faults_arm(&plan);
}

static int fails(uint32_t call, const char *name, int error)
{
    errno = faults_fail(call, name, &error, 1);
    return errno;
}

FILE *__real_fopen64(const char *path, const char *how);
FILE *__wrap_fopen64(const char *path, const char *how);
FILE *__wrap_fopen64(const char *path, const char *how)
{
    return fails(CALL_FOPEN, "fopen", EMFILE) != 0 ? NULL : __real_fopen64(path, how);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *arg)
{
    const int error = fails(CALL_THREAD, "pthread_create", EAGAIN);

    return error != 0 ? error : __real_pthread_create(thread, attributes, start, arg);
}

CURL *__real_curl_easy_init(void);
CURL *__wrap_curl_easy_init(void);
CURL *__wrap_curl_easy_init(void)
{
    return fails(CALL_EASY, "curl_easy_init", ENOMEM) != 0 ? NULL : __real_curl_easy_init();
}

CURLM *__real_curl_multi_init(void);
CURLM *__wrap_curl_multi_init(void);
CURLM *__wrap_curl_multi_init(void)
{
    return fails(CALL_MULTI, "curl_multi_init", ENOMEM) != 0 ? NULL : __real_curl_multi_init();
}

off64_t __real_lseek64(int fd, off64_t to, int from);
off64_t __wrap_lseek64(int fd, off64_t to, int from);
off64_t __wrap_lseek64(int fd, off64_t to, int from)
{
    return fails(CALL_SEEK, "lseek", ESPIPE) != 0 ? -1 : __real_lseek64(fd, to, from);
}

int __real_fstat64(int fd, struct stat64 *out);
int __wrap_fstat64(int fd, struct stat64 *out);
int __wrap_fstat64(int fd, struct stat64 *out)
{
    return fails(CALL_STAT, "fstat", EIO) != 0 ? -1 : __real_fstat64(fd, out);
}

int __real_ares_library_init(int what);
int __wrap_ares_library_init(int what);
int __wrap_ares_library_init(int what)
{
    return fails(CALL_ARES_INIT, "ares_library_init", ENOMEM) != 0 ? ARES_ENOMEM
                                                                   : __real_ares_library_init(what);
}

int __real_ares_init_options(ares_channel *out, const struct ares_options *options, int mask);
int __wrap_ares_init_options(ares_channel *out, const struct ares_options *options, int mask);
int __wrap_ares_init_options(ares_channel *out, const struct ares_options *options, int mask)
{
    return fails(CALL_ARES_OPTIONS, "ares_init_options", ENOMEM) != 0
               ? ARES_ENOMEM
               : __real_ares_init_options(out, options, mask);
}

int __real_ares_set_servers_ports(ares_channel channel, const struct ares_addr_port_node *servers);
int __wrap_ares_set_servers_ports(ares_channel channel, const struct ares_addr_port_node *servers);
int __wrap_ares_set_servers_ports(ares_channel channel, const struct ares_addr_port_node *servers)
{
    return fails(CALL_ARES_SERVERS, "ares_set_servers_ports", ENOMEM) != 0
               ? ARES_ENOMEM
               : __real_ares_set_servers_ports(channel, servers);
}
