/* SPDX-License-Identifier: BSD-2-Clause */
/* IPPROTO_TCP. Ranges are Linux's, where the stack would take more. */
#include "socket/internal.h"

#include <limits.h>
#include <linux/tcp.h>
#include <string.h>

#define CONGESTION_BYTES 16 /* Linux's longest name, with its end */
#define MSS_MIN          88
#define MSS_MAX          32767
#define MSS_USUAL        536 /* told before there is a connection (RFC 9293 §3.7.1) */
#define LINGER2_MAX      120 /* seconds; more is cut */
#define LINGER2_USUAL    60
#define WINDOW_CLAMP_MIN 1152

/* Of a connection the handshake has settled it. */
static int set_mss(struct tern_sock *s, int value)
{
    struct tern_tcp_settings set;

    if (value != 0 && (value < MSS_MIN || value > MSS_MAX))
        return EINVAL;
    if (tern_sock_state(s) >= TERN_TCP_ESTABLISHED)
        return 0;
    tern_sock_settings(s, &set);
    set.mss_bytes = (uint32_t)value;
    return tern_sock_set(s, &set);
}

static int get_mss(const struct tern_sock *s, int *value)
{
    struct tern_tcp_settings set;
    struct tern_tcp_info info;

    tern_sock_settings(s, &set);
    *value = set.mss_bytes != 0 ? (int)set.mss_bytes : MSS_USUAL;
    if (tern_sock_state(s) >= TERN_TCP_ESTABLISHED) {
        tern_tcp_info(s->conn, &info);
        *value = (int)info.mss_bytes;
    }
    return 0;
}

/* Negative: FIN-WAIT-2 is not waited in at all; that is as short as the stack has it. */
static int set_linger2(struct tern_sock *s, int value)
{
    struct tern_tcp_settings set;

    s->opt.linger2 = value < 0 ? -1 : value > LINGER2_MAX ? LINGER2_MAX : value;
    tern_sock_settings(s, &set);
    set.fin_wait_2 = s->opt.linger2 < 0 ? 1 : s->opt.linger2 * TERN_SECOND;
    return tern_sock_set(s, &set);
}

static int set_window_clamp(struct tern_sock *s, int value)
{
    struct tern_tcp_settings set;

    if (value == 0 && tern_sock_state(s) != TERN_TCP_CLOSED)
        return EINVAL;
    tern_sock_settings(s, &set);
    if (value != 0 && value < WINDOW_CLAMP_MIN)
        value = WINDOW_CLAMP_MIN;
    set.window_clamp_bytes = (uint32_t)value;
    return tern_sock_set(s, &set);
}

/* For listeners: so many connections may be open by their SYN's data alone; the stack has a limit
 * of its own. */
static int set_fastopen(struct tern_sock *s, int value)
{
    struct tern_tcp_settings set;

    if (s->conn != NULL)
        return EINVAL;
    s->opt.fastopen_queue = value;
    tern_sock_settings(s, &set);
    set.fastopen = value > 0;
    return tern_sock_set(s, &set);
}

static int set_fastopen_connect(struct tern_sock *s, int value)
{
    if (tern_sock_state(s) != TERN_TCP_CLOSED || s->conn != NULL)
        return EINVAL;
    s->opt.fastopen_connect = value != 0;
    return 0;
}

static int set_congestion(struct tern_sock *s, const void *value, socklen_t bytes)
{
    struct tern_tcp_settings set;
    char name[CONGESTION_BYTES];

    if (bytes < 1)
        return EINVAL;
    memset(name, 0, sizeof(name));
    memcpy(name, value, bytes < sizeof(name) ? bytes : sizeof(name) - 1);
    tern_sock_settings(s, &set);
    set.congestion = tern_tcp_congestion_name(s->table->config.stack, name);
    return set.congestion != NULL ? tern_sock_set(s, &set) : ENOENT;
}

static int get_congestion(struct tern_sock *s, void *value, socklen_t *bytes)
{
    struct tern_tcp_settings set;
    char name[CONGESTION_BYTES];
    const char *found;

    tern_sock_settings(s, &set);
    found = tern_tcp_congestion_name(s->table->config.stack, set.congestion);
    memset(name, 0, sizeof(name));
    if (found != NULL)
        memcpy(name, found, strnlen(found, sizeof(name) - 1));
    return tern_option_give(name, sizeof(name), value, bytes);
}

#define OWN(member)     offsetof(struct tern_sock_options, member)
#define SETTING(member) offsetof(struct tern_tcp_settings, member)

static const struct tern_option options[] = {
    {.name = TCP_NODELAY, .kind = TERN_OPTION_BOOL, .offset = SETTING(nodelay)},
    {.name = TCP_CORK, .kind = TERN_OPTION_BOOL, .offset = SETTING(cork)},
    {.name = TCP_QUICKACK, .kind = TERN_OPTION_BOOL, .offset = SETTING(quickack)},
    {.name = TCP_MAXSEG, .set = set_mss, .get = get_mss},
    {.name = TCP_KEEPIDLE,
     .kind = TERN_OPTION_SECONDS,
     .offset = SETTING(keep_idle),
     .min = 1,
     .max = 32767,
     .usual = 7200},
    {.name = TCP_KEEPINTVL,
     .kind = TERN_OPTION_SECONDS,
     .offset = SETTING(keep_interval),
     .min = 1,
     .max = 32767,
     .usual = 75},
    {.name = TCP_KEEPCNT,
     .kind = TERN_OPTION_U32,
     .offset = SETTING(keep_count),
     .min = 1,
     .max = 127,
     .usual = 9},
    {.name = TCP_SYNCNT,
     .kind = TERN_OPTION_U32,
     .offset = SETTING(syn_retries),
     .min = 1,
     .max = 127,
     .usual = 6},
    {.name = TCP_LINGER2,
     .kind = TERN_OPTION_INT,
     .offset = OWN(linger2),
     .usual = LINGER2_USUAL,
     .set = set_linger2},
    {.name = TCP_DEFER_ACCEPT, .kind = TERN_OPTION_INT, .offset = OWN(defer_accept)},
    {.name = TCP_WINDOW_CLAMP,
     .kind = TERN_OPTION_U32,
     .offset = SETTING(window_clamp_bytes),
     .set = set_window_clamp},
    {.name = TCP_USER_TIMEOUT,
     .kind = TERN_OPTION_MS,
     .offset = SETTING(user_timeout),
     .min = 0,
     .max = INT_MAX},
    {.name = TCP_NOTSENT_LOWAT, .kind = TERN_OPTION_U32, .offset = SETTING(notsent_lowat_bytes)},
    {.name = TCP_FASTOPEN,
     .kind = TERN_OPTION_INT,
     .offset = OWN(fastopen_queue),
     .min = 0,
     .max = INT_MAX,
     .set = set_fastopen},
    {.name = TCP_FASTOPEN_CONNECT,
     .kind = TERN_OPTION_FLAG,
     .offset = OWN(fastopen_connect),
     .min = 0,
     .max = 1,
     .set = set_fastopen_connect},
    {.name = TCP_INQ, .kind = TERN_OPTION_FLAG, .offset = OWN(recv_inq), .min = 0, .max = 1},
    {.name = TCP_CONGESTION, .set_raw = set_congestion, .get_raw = get_congestion},
    {.name = TCP_INFO, .get_raw = tern_sock_tcp_info},
};

const struct tern_options tern_options_tcp = {options, sizeof(options) / sizeof(options[0])};
