/* SPDX-License-Identifier: BSD-2-Clause */
/* The settings of a connection by their names, for `config` and `set`: times in seconds. */
#include "script.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum kind { IS_BOOL, IS_U8, IS_U32, IS_U64, IS_TIME };

#define FIELD(name, kind)                                                                          \
    {                                                                                              \
#name, kind, offsetof(struct tern_tcp_settings, name)                                      \
    }

static const struct {
    const char *name;
    enum kind kind;
    size_t at;
} fields[] = {
    FIELD(nodelay, IS_BOOL),
    FIELD(cork, IS_BOOL),
    FIELD(quickack, IS_BOOL),
    FIELD(keepalive, IS_BOOL),
    FIELD(urgent_inline, IS_BOOL),
    FIELD(fastopen, IS_BOOL),
    FIELD(pacing, IS_BOOL),
    FIELD(ecn, IS_BOOL),
    FIELD(timestamps, IS_BOOL),
    FIELD(sack, IS_BOOL),
    FIELD(window_scale, IS_BOOL),
    FIELD(restart_after_idle, IS_BOOL),
    FIELD(keep_count, IS_U32),
    FIELD(syn_retries, IS_U32),
    FIELD(mss_bytes, IS_U32),
    FIELD(send_buffer_bytes, IS_U32),
    FIELD(receive_buffer_bytes, IS_U32),
    FIELD(window_clamp_bytes, IS_U32),
    FIELD(notsent_lowat_bytes, IS_U32),
    FIELD(readable_bytes, IS_U32),
    FIELD(pacing_rate_max, IS_U64),
    FIELD(note, IS_U64),
    FIELD(keep_idle, IS_TIME),
    FIELD(keep_interval, IS_TIME),
    FIELD(user_timeout, IS_TIME),
    FIELD(fin_wait_2, IS_TIME),
    FIELD(ttl, IS_U8),
    FIELD(tos, IS_U8),
    FIELD(mtu_probe, IS_U8),
};

static bool put_bool(void *at, const char *value)
{
    const bool on = strcmp(value, "on") == 0 || strcmp(value, "1") == 0;

    memcpy(at, &on, sizeof on);
    return on || strcmp(value, "off") == 0 || strcmp(value, "0") == 0;
}

static bool put_time(void *at, const char *value)
{
    char *end;
    const double seconds = strtod(value, &end);
    const tern_time t = (tern_time)(seconds * 1e6 + (seconds < 0 ? -0.5 : 0.5)) * TERN_US;

    memcpy(at, &t, sizeof t);
    return end != value && *end == '\0' && seconds > -1e6 && seconds < 1e9;
}

static bool put_number(void *at, const char *value, uint64_t most, size_t bytes)
{
    char *end;
    const uint64_t v = strtoull(value, &end, 0);
    const uint32_t v32 = (uint32_t)v;
    const uint8_t v8 = (uint8_t)v;

    memcpy(at, bytes == 8 ? (const void *)&v : bytes == 4 ? (const void *)&v32 : &v8, bytes);
    return end != value && *end == '\0' && v <= most;
}

static bool put(void *at, enum kind kind, const char *value)
{
    switch (kind) {
    case IS_BOOL:
        return put_bool(at, value);
    case IS_TIME:
        return put_time(at, value);
    case IS_U8:
        return put_number(at, value, UINT8_MAX, 1);
    case IS_U32:
        return put_number(at, value, UINT32_MAX, 4);
    case IS_U64:
        return put_number(at, value, UINT64_MAX, 8);
    }
    return false;
}

bool script_setting(struct tern_tcp_settings *set, const char *name, const char *value)
{
    static const char *const controls[] = {"cubic", "reno", "bbr", "nonsense"};

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return put((uint8_t *)set + fields[i].at, fields[i].kind, value);
    }
    for (size_t i = 0; strcmp(name, "congestion") == 0 && i < 4; i++) {
        if (strcmp(controls[i], value) != 0)
            continue;
        set->congestion = controls[i];
        return true;
    }
    return false;
}
