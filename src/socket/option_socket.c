/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SOL_SOCKET. Buffers: Linux doubles what is asked for, since it counts its own overhead as well,
 * and tells the doubled number; the stack counts bytes of text, so it gets what was asked for.
 */
#include "socket/internal.h"

#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/time.h>

#define BUFFER_MAX         (INT_MAX / 2)
#define RECEIVE_BUFFER_MIN 1152 /* half of what Linux tells at the least */
#define SEND_BUFFER_MIN    2304
#define RECEIVE_BUFFER     131072 /* told where none was set: Linux's to begin with */
#define SEND_BUFFER        87040

static int set_buffer(struct tern_sock *s, int value, bool receive)
{
    const int min = receive ? RECEIVE_BUFFER_MIN : SEND_BUFFER_MIN;
    int *told = receive ? &s->opt.receive_buffer : &s->opt.send_buffer;
    struct tern_tcp_settings set;

    if (value < min) /* negative ones too: Linux takes them for very many, then cuts */
        value = value < 0 ? BUFFER_MAX : min;
    if (value > BUFFER_MAX)
        value = BUFFER_MAX;
    *told = 2 * value;
    tern_sock_settings(s, &set);
    if (receive)
        set.receive_buffer_bytes = (uint32_t)value;
    else
        set.send_buffer_bytes = (uint32_t)value;
    return tern_sock_set(s, &set);
}

static int set_receive_buffer(struct tern_sock *s, int value)
{
    return set_buffer(s, value, true);
}

static int set_send_buffer(struct tern_sock *s, int value)
{
    return set_buffer(s, value, false);
}

static int set_read_lowat(struct tern_sock *s, int value)
{
    struct tern_tcp_settings set;

    s->opt.read_lowat = value < 0 ? INT_MAX : value > 0 ? value : 1;
    tern_sock_settings(s, &set);
    set.readable_bytes = (uint32_t)s->opt.read_lowat;
    return tern_sock_set(s, &set);
}

static int get_one(const struct tern_sock *s, int *value)
{
    (void)s;
    *value = 1;
    return 0;
}

static int get_type(const struct tern_sock *s, int *value)
{
    *value = s->kind == TERN_SOCK_STREAM ? SOCK_STREAM : SOCK_DGRAM;
    return 0;
}

static int get_domain(const struct tern_sock *s, int *value)
{
    *value = s->domain;
    return 0;
}

static int get_protocol(const struct tern_sock *s, int *value)
{
    *value = s->kind == TERN_SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
    return 0;
}

static int get_accepting(const struct tern_sock *s, int *value)
{
    *value = s->listener != NULL;
    return 0;
}

static int get_error(struct tern_sock *s, void *value, socklen_t *bytes)
{
    const int error = tern_sock_take_error(s);

    return tern_option_give(&error, sizeof(error), value, bytes);
}

struct linger tern_sock_linger(const struct tern_sock *s)
{
    struct tern_tcp_settings set;
    struct linger linger;

    tern_sock_settings(s, &set);
    linger.l_onoff = (set.note & 1) != 0;
    linger.l_linger = (int)(set.note >> 1);
    return linger;
}

static int set_linger(struct tern_sock *s, const void *value, socklen_t bytes)
{
    struct tern_tcp_settings set;
    struct linger linger;

    if (bytes < sizeof(linger))
        return EINVAL;
    memcpy(&linger, value, sizeof(linger));
    tern_sock_settings(s, &set);
    if (linger.l_onoff != 0)
        set.note = (uint64_t)(linger.l_linger < 0 ? INT_MAX : linger.l_linger) << 1 | 1;
    else
        set.note &= ~UINT64_C(1); /* the seconds stay, as on Linux */
    return tern_sock_set(s, &set);
}

static int get_linger(struct tern_sock *s, void *value, socklen_t *bytes)
{
    const struct linger linger = tern_sock_linger(s);

    return tern_option_give(&linger, sizeof(linger), value, bytes);
}

static int set_timeout(tern_time *timeout, const void *value, socklen_t bytes)
{
    struct timeval tv;

    if (bytes < sizeof(tv))
        return EINVAL;
    memcpy(&tv, value, sizeof(tv));
    if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
        return EDOM;
    if (tv.tv_sec < 0) { /* in the past: at once */
        *timeout = 1;
        return 0;
    }
    *timeout = tv.tv_sec < INT32_MAX ? tv.tv_sec * TERN_SECOND + tv.tv_usec * TERN_US : 0;
    return 0;
}

static int give_timeout(tern_time timeout, void *value, socklen_t *bytes)
{
    const struct timeval tv = {timeout / TERN_SECOND, timeout % TERN_SECOND / TERN_US};

    return tern_option_give(&tv, sizeof(tv), value, bytes);
}

static int set_read_timeout(struct tern_sock *s, const void *value, socklen_t bytes)
{
    return set_timeout(&s->opt.read_timeout, value, bytes);
}

static int get_read_timeout(struct tern_sock *s, void *value, socklen_t *bytes)
{
    return give_timeout(s->opt.read_timeout, value, bytes);
}

static int set_write_timeout(struct tern_sock *s, const void *value, socklen_t bytes)
{
    return set_timeout(&s->opt.write_timeout, value, bytes);
}

static int get_write_timeout(struct tern_sock *s, void *value, socklen_t *bytes)
{
    return give_timeout(s->opt.write_timeout, value, bytes);
}

/* Four bytes or eight; all ones: no limit. */
static int set_pacing_rate(struct tern_sock *s, const void *value, socklen_t bytes)
{
    struct tern_tcp_settings set;
    uint32_t narrow;
    uint64_t rate;

    if (bytes < sizeof(narrow))
        return EINVAL;
    memcpy(&narrow, value, sizeof(narrow));
    rate = narrow == UINT32_MAX ? UINT64_MAX : narrow;
    if (bytes >= sizeof(rate))
        memcpy(&rate, value, sizeof(rate));
    tern_sock_settings(s, &set);
    set.pacing_rate_max = rate == UINT64_MAX ? 0 : rate;
    return tern_sock_set(s, &set);
}

static int get_pacing_rate(struct tern_sock *s, void *value, socklen_t *bytes)
{
    struct tern_tcp_settings set;
    uint64_t rate;
    uint32_t narrow;

    tern_sock_settings(s, &set);
    rate = set.pacing_rate_max != 0 ? set.pacing_rate_max : UINT64_MAX;
    narrow = rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX;
    return *bytes >= sizeof(rate) ? tern_option_give(&rate, sizeof(rate), value, bytes)
                                  : tern_option_give(&narrow, sizeof(narrow), value, bytes);
}

#define OWN(member)     offsetof(struct tern_sock_options, member)
#define SETTING(member) offsetof(struct tern_tcp_settings, member)

static const struct tern_option options[] = {
    {.name = SO_REUSEADDR, .kind = TERN_OPTION_FLAG, .offset = OWN(reuse_address)},
    {.name = SO_REUSEPORT, .kind = TERN_OPTION_FLAG, .offset = OWN(reuse_port)},
    {.name = SO_BROADCAST, .kind = TERN_OPTION_FLAG, .offset = OWN(broadcast)},
    {.name = SO_KEEPALIVE, .kind = TERN_OPTION_BOOL, .offset = SETTING(keepalive)},
    {.name = SO_OOBINLINE, .kind = TERN_OPTION_BOOL, .offset = SETTING(urgent_inline)},
    {.name = SO_PRIORITY, .kind = TERN_OPTION_INT, .offset = OWN(priority)},
    {.name = SO_MARK, .kind = TERN_OPTION_INT, .offset = OWN(mark)},
    {.name = SO_RCVBUF,
     .kind = TERN_OPTION_INT,
     .offset = OWN(receive_buffer),
     .usual = RECEIVE_BUFFER,
     .set = set_receive_buffer},
    {.name = SO_SNDBUF,
     .kind = TERN_OPTION_INT,
     .offset = OWN(send_buffer),
     .usual = SEND_BUFFER,
     .set = set_send_buffer},
    {.name = SO_RCVLOWAT,
     .kind = TERN_OPTION_INT,
     .offset = OWN(read_lowat),
     .set = set_read_lowat},
    {.name = SO_SNDLOWAT, .get = get_one},
    {.name = SO_TYPE, .get = get_type},
    {.name = SO_DOMAIN, .get = get_domain},
    {.name = SO_PROTOCOL, .get = get_protocol},
    {.name = SO_ACCEPTCONN, .get = get_accepting},
    {.name = SO_ERROR, .get_raw = get_error},
    {.name = SO_LINGER, .set_raw = set_linger, .get_raw = get_linger},
    {.name = SO_RCVTIMEO, .set_raw = set_read_timeout, .get_raw = get_read_timeout},
    {.name = SO_SNDTIMEO, .set_raw = set_write_timeout, .get_raw = get_write_timeout},
    {.name = SO_MAX_PACING_RATE, .set_raw = set_pacing_rate, .get_raw = get_pacing_rate},
};

const struct tern_options tern_options_socket = {options, sizeof(options) / sizeof(options[0])};
