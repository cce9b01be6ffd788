/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interposer: see faults.h. The linker sends each call of NAME to __wrap_NAME here, and
 * __real_NAME is the true one. Only calls from what is linked statically are seen, so the system's
 * own libraries are left alone.
 *
 * The count is atomic, since the command has two threads; all else is set while there is one.
 */
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "faults_list.h"

#define FAULT_SHORT     (-1)
#define FAULT_BACK      (-2)
#define FAULT_AHEAD     (-3)
#define FAULT_STILL     (-4)
#define DESCRIPTORS_MAX 256
#define READING_NS      TERN_US
#define BACK_NS         TERN_SECOND
#define AHEAD_NS        (3600 * TERN_SECOND)
#define TRANSIENT_MAX   8u

struct mnl_socket;
struct Slirp;

enum fault_call {
#define CALL_ENUM(type, name, ...) CALL_##name,
#define CALL_ENUM_OWN(name, ...)   CALL_##name,
    FAULT_CALLS(CALL_ENUM) FAULT_CALLS_OWN(CALL_ENUM_OWN)
#undef CALL_ENUM
#undef CALL_ENUM_OWN
};

static struct {
    bool on, paused;
    struct faults_plan plan;
    uint32_t calls, hits, flavours;
    int failing;      /* the call that failed first; -1: none did */
    const char *name; /* its name */
    int error;
    int64_t blocks, mappings;
    tern_time *clock;
    tern_time clock_shown;
    bool slept_for_good;
} faults = {.failing = -1};

void faults_arm(const struct faults_plan *plan)
{
    faults.plan = *plan;
    faults.calls = faults.hits = 0;
    faults.failing = -1;
    faults.name = NULL;
    faults.clock_shown = 0;
    faults.on = true;
}

struct faults_result faults_disarm(void)
{
    faults.on = false;
    return (struct faults_result){
        .calls = faults.calls,
        .hits = faults.hits,
        .name = faults.name,
        .error = faults.error,
        .flavours = faults.flavours,
    };
}

void faults_pause(bool on)
{
    faults.paused = on;
}

struct faults_held faults_held(void)
{
    struct faults_held held = {.blocks = faults.blocks, .mappings = faults.mappings};

    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
        held.descriptors += fcntl(fd, F_GETFD) >= 0;
    return held;
}

void faults_clock(tern_time *clock)
{
    faults.clock = clock;
}

bool faults_slept_for_good(void)
{
    const bool did = faults.slept_for_good;

    faults.slept_for_good = false;
    return did;
}

/* Nobody is sent signals for ever, what polls writable takes something in the end, what polls
 * readable gives it, and there is no system without a clock that goes on. */
static bool is_transient(uint32_t call, int error)
{
    return error == EINTR || ((call == CALL_write || call == CALL_read) && error == EAGAIN) ||
           (call == CALL_clock_gettime && (error > 0 || error == FAULT_STILL));
}

int faults_fail(uint32_t call, const char *name, const int *errors, uint32_t errors_count)
{
    uint32_t nth;

    if (!faults.on || faults.paused || faults.plan.domain != FAULTS_SYSTEM)
        return 0;
    nth = __atomic_add_fetch(&faults.calls, 1, __ATOMIC_RELAXED);
    if (nth != faults.plan.at &&
        !(faults.plan.mode == FAULTS_FOR_GOOD && faults.failing == (int)call))
        return 0;
    if (faults.failing >= 0 && faults.hits >= TRANSIENT_MAX && is_transient(call, faults.error))
        return 0;
    faults.hits++;
    if (faults.failing < 0) {
        faults.failing = (int)call;
        faults.name = name;
        faults.flavours = errors_count;
        faults.error = errors[faults.plan.flavour % errors_count];
    }
    return faults.error;
}

uint32_t faults_driver(const char *name, uint32_t faults_count)
{
    if (!faults.on || faults.plan.domain != FAULTS_DRIVER)
        return 0;
    faults.calls++;
    if (faults.calls != faults.plan.at &&
        !(faults.plan.mode == FAULTS_FOR_GOOD && faults.name == name))
        return 0;
    faults.hits++;
    faults.name = name;
    faults.flavours = faults_count;
    faults.error = (int)(faults.plan.flavour % faults_count) + 1;
    return (uint32_t)faults.error;
}

#define FAULT(name, ...)                                                                           \
    faults_fail(CALL_##name, #name, (const int[]){__VA_ARGS__},                                    \
                sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

/* ---- what is held ---- */

static void count(int64_t *what, int64_t by)
{
    (void)__atomic_add_fetch(what, by, __ATOMIC_RELAXED);
}

enum held { HELD_NOTHING, HELD_BLOCK, HELD_MAPPING };

static enum held held_kind(enum fault_call call)
{
    switch (call) {
    case CALL_malloc:
    case CALL_calloc:
    case CALL_strdup:
    case CALL_aligned_alloc:
        return HELD_BLOCK;
    case CALL_mmap64:
        return HELD_MAPPING;
    default:
        return HELD_NOTHING;
    }
}

static void count_made(enum fault_call call, bool made)
{
    const enum held kind = held_kind(call);

    if (made && kind == HELD_BLOCK)
        count(&faults.blocks, 1);
    if (made && kind == HELD_MAPPING)
        count(&faults.mappings, 1);
}

void __real_free(void *block);
void __wrap_free(void *block);
void __wrap_free(void *block)
{
    if (block != NULL)
        count(&faults.blocks, -1);
    __real_free(block);
}

int __real_munmap(void *at, size_t bytes);
int __wrap_munmap(void *at, size_t bytes);
int __wrap_munmap(void *at, size_t bytes)
{
    count(&faults.mappings, -1);
    return __real_munmap(at, bytes);
}

/* ---- the plain calls ---- */

#define CALL_BODY(type, name, parameters, arguments, failed, ...)                                  \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        const int error = FAULT(name, __VA_ARGS__);                                                \
        type result;                                                                               \
                                                                                                   \
        if (error != 0) {                                                                          \
            errno = error;                                                                         \
            return failed;                                                                         \
        }                                                                                          \
        result = __real_##name arguments;                                                          \
        count_made(CALL_##name, result != (failed));                                               \
        return result;                                                                             \
    }
FAULT_CALLS(CALL_BODY)
#undef CALL_BODY

/* ---- those with more to them ---- */

void *__real_realloc(void *block, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes)
{
    void *result;

    errno = FAULT(realloc, ENOMEM);
    if (errno != 0)
        return NULL;
    result = __real_realloc(block, bytes);
    if (result != NULL && block == NULL)
        count(&faults.blocks, 1);
    return result;
}

/* The bytes to ask for; 0: fail, and errno says why. */
static size_t some_of(size_t bytes, int error)
{
    if (error == 0)
        return bytes;
    if (error == FAULT_SHORT)
        return bytes > 1 ? bytes / 2 : bytes;
    errno = error;
    return 0;
}

#define TRANSFER_BODY(name, parameters, arguments, ...)                                            \
    ssize_t __real_##name parameters;                                                              \
    ssize_t __wrap_##name parameters;                                                              \
    ssize_t __wrap_##name parameters                                                               \
    {                                                                                              \
        const size_t asked = bytes;                                                                \
                                                                                                   \
        bytes = some_of(asked, FAULT(name, __VA_ARGS__));                                          \
        return asked > 0 && bytes == 0 ? -1 : __real_##name arguments;                             \
    }
TRANSFER_BODY(read, (int fd, void *data, size_t bytes), (fd, data, bytes), EINTR, EIO, EAGAIN,
              FAULT_SHORT)
TRANSFER_BODY(write, (int fd, const void *data, size_t bytes), (fd, data, bytes), ENOSPC, EINTR,
              EAGAIN, FAULT_SHORT)
TRANSFER_BODY(recv, (int fd, void *data, size_t bytes, int flags), (fd, data, bytes, flags), EINTR,
              EAGAIN, ECONNRESET, FAULT_SHORT)
TRANSFER_BODY(send, (int fd, const void *data, size_t bytes, int flags), (fd, data, bytes, flags),
              EINTR, EAGAIN, EPIPE, FAULT_SHORT)
#undef TRANSFER_BODY

int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    const size_t some =
        some_of(count, FAULT(sendmmsg, EAGAIN, ENETDOWN, EMSGSIZE, EINTR, FAULT_SHORT));

    return some == 0 ? -1 : __real_sendmmsg(fd, messages, (unsigned)some, flags);
}

int __real_clock_gettime(clockid_t id, struct timespec *out);

/* The system's clock, or ours: then each reading moves it on. */
static tern_time read_clock(clockid_t id)
{
    struct timespec t = {0};

    if (faults.clock != NULL)
        return *faults.clock += READING_NS;
    (void)__real_clock_gettime(id, &t);
    return t.tv_sec * TERN_SECOND + t.tv_nsec;
}

static tern_time shown(tern_time at, int error)
{
    switch (error) {
    case FAULT_BACK:
        return at > BACK_NS ? at - BACK_NS : 0;
    case FAULT_AHEAD:
        return at + AHEAD_NS;
    case FAULT_STILL:
        return faults.clock_shown > 0 ? faults.clock_shown : at;
    default:
        return at;
    }
}

int __wrap_clock_gettime(clockid_t id, struct timespec *out);
int __wrap_clock_gettime(clockid_t id, struct timespec *out)
{
    const int error = FAULT(clock_gettime, EINVAL, FAULT_BACK, FAULT_AHEAD, FAULT_STILL);
    tern_time at;

    if (error > 0) {
        errno = error;
        return -1;
    }
    at = shown(read_clock(id), error);
    if (id == CLOCK_MONOTONIC)
        faults.clock_shown = at;
    out->tv_sec = (time_t)(at / TERN_SECOND);
    out->tv_nsec = (long)(at % TERN_SECOND);
    return 0;
}

/* In a time of our own: what is ready now, else the time is over at once. */
static int sleep_through(int epoll, struct epoll_event *events, int events_max, tern_time wait)
{
    int n;

    n = epoll_pwait(epoll, events, events_max, 0, NULL);
    if (n != 0)
        return n;
    if (wait < 0)
        faults.slept_for_good = true;
    else
        *faults.clock += wait;
    return 0;
}

int __real_epoll_wait(int epoll, struct epoll_event *events, int events_max, int wait_ms);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int events_max, int wait_ms);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int events_max, int wait_ms)
{
    errno = FAULT(epoll_wait, EINTR);
    if (errno != 0)
        return -1;
    if (faults.clock == NULL)
        return __real_epoll_wait(epoll, events, events_max, wait_ms);
    return sleep_through(epoll, events, events_max, wait_ms * TERN_MS);
}

int __real_epoll_pwait2(int epoll, struct epoll_event *events, int events_max,
                        const struct timespec *wait, const sigset_t *mask);
int __wrap_epoll_pwait2(int epoll, struct epoll_event *events, int events_max,
                        const struct timespec *wait, const sigset_t *mask);
int __wrap_epoll_pwait2(int epoll, struct epoll_event *events, int events_max,
                        const struct timespec *wait, const sigset_t *mask)
{
    errno = FAULT(epoll_pwait2, EINTR, ENOSYS);
    if (errno != 0)
        return -1;
    if (faults.clock == NULL)
        return __real_epoll_pwait2(epoll, events, events_max, wait, mask);
    return sleep_through(epoll, events, events_max,
                         wait == NULL ? -1 : wait->tv_sec * TERN_SECOND + wait->tv_nsec);
}
