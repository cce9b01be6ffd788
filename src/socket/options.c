/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * setsockopt and getsockopt, driven by the tables of option_*.c. TCP's settings live in one
 * structure (struct tern_tcp_settings), of the connection, of the listener, or of the socket as
 * long as there is neither; a field of 0 there means the stack's usual value, which getsockopt
 * tells.
 */
#include "socket/internal.h"

#include <limits.h>
#include <netinet/in.h>
#include <string.h>

void tern_sock_settings(const struct tern_sock *s, struct tern_tcp_settings *out)
{
    if (s->conn != NULL)
        tern_tcp_settings(s->conn, out);
    else if (s->listener != NULL)
        tern_listener_settings(s->listener, out);
    else
        *out = s->set;
}

int tern_sock_set(struct tern_sock *s, const struct tern_tcp_settings *set)
{
    enum tern_err err = TERN_ERR_OK;

    if (s->conn != NULL)
        err = tern_tcp_set(s->conn, set);
    else if (s->listener != NULL)
        err = tern_listener_set(s->listener, set);
    else
        s->set = *set;
    return tern_sock_errno(err);
}

/* ---- which option ---- */

static const struct tern_option *search(const struct tern_options *table, int name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->option[i].name == name)
            return &table->option[i];
    }
    return NULL;
}

static const struct tern_option *find(const struct tern_sock *s, int level, int name)
{
    switch (level) {
    case SOL_SOCKET:
        return search(&tern_options_socket, name);
    case IPPROTO_IP:
        return search(&tern_options_ip, name);
    case IPPROTO_IPV6:
        return s->domain == AF_INET6 ? search(&tern_options_ip6, name) : NULL;
    case IPPROTO_TCP:
        return s->kind == TERN_SOCK_STREAM ? search(&tern_options_tcp, name) : NULL;
    default:
        return NULL;
    }
}

static bool is_setting(const struct tern_option *o)
{
    return o->kind >= TERN_OPTION_BOOL;
}

/* ---- set ---- */

static void store(const struct tern_option *o, void *base, int value)
{
    uint8_t *at = (uint8_t *)base + o->offset;
    const bool flag = value != 0;
    const uint8_t u8 = (uint8_t)value;
    const uint32_t u32 = (uint32_t)value;
    const tern_time time = value * (o->kind == TERN_OPTION_MS ? TERN_MS : TERN_SECOND);

    switch (o->kind) {
    case TERN_OPTION_FLAG:
    case TERN_OPTION_BOOL:
        memcpy(at, &flag, sizeof(flag));
        break;
    case TERN_OPTION_INT:
        memcpy(at, &value, sizeof(value));
        break;
    case TERN_OPTION_U8:
        memcpy(at, &u8, sizeof(u8));
        break;
    case TERN_OPTION_U32:
        memcpy(at, &u32, sizeof(u32));
        break;
    default:
        memcpy(at, &time, sizeof(time));
        break;
    }
}

static int set_int(struct tern_sock *s, const struct tern_option *o, int value)
{
    struct tern_tcp_settings set;

    if ((o->min != 0 || o->max != 0) && (value < o->min || value > o->max))
        return EINVAL;
    if (o->set != NULL)
        return o->set(s, value);
    if (o->kind == TERN_OPTION_CUSTOM)
        return ENOPROTOOPT;
    if (!is_setting(o)) {
        store(o, &s->opt, value);
        return 0;
    }
    tern_sock_settings(s, &set);
    store(o, &set, value);
    return tern_sock_set(s, &set);
}

/* At IP's level a byte does, as BSD had it for IP_TOS and IP_TTL. */
static bool take_number(int level, const void *value, socklen_t bytes, int *number)
{
    const bool byte = level == IPPROTO_IP && bytes > 0 && bytes < sizeof(*number);

    if (byte)
        *number = *(const uint8_t *)value;
    else if (bytes >= sizeof(*number))
        memcpy(number, value, sizeof(*number));
    return byte || bytes >= sizeof(*number);
}

int tern_setsockopt(struct tern_sockets *t, int fd, int level, int name, const void *value,
                    socklen_t bytes)
{
    struct tern_sock *s = tern_sock_get(t, fd);
    const struct tern_option *o = s != NULL ? find(s, level, name) : NULL;
    int number;
    int error;

    if (s == NULL)
        return -1;
    if (o == NULL)
        return tern_sock_fail(ENOPROTOOPT);
    if ((int)bytes < 0)
        return tern_sock_fail(EINVAL);
    if (value == NULL)
        return tern_sock_fail(EFAULT);
    if (o->set_raw != NULL) {
        error = o->set_raw(s, value, bytes);
    } else {
        if (!take_number(level, value, bytes, &number))
            return tern_sock_fail(EINVAL);
        error = set_int(s, o, number);
    }
    return error == 0 ? 0 : tern_sock_fail(error);
}

/* ---- get ---- */

static int load(const struct tern_option *o, const void *base)
{
    const uint8_t *at = (const uint8_t *)base + o->offset;
    bool flag;
    uint32_t u32;
    int number;
    tern_time time;

    switch (o->kind) {
    case TERN_OPTION_FLAG:
    case TERN_OPTION_BOOL:
        memcpy(&flag, at, sizeof(flag));
        return flag;
    case TERN_OPTION_INT:
        memcpy(&number, at, sizeof(number));
        return number;
    case TERN_OPTION_U8:
        return *at;
    case TERN_OPTION_U32:
        memcpy(&u32, at, sizeof(u32));
        return (int)u32;
    default:
        memcpy(&time, at, sizeof(time));
        return (int)(time / (o->kind == TERN_OPTION_MS ? TERN_MS : TERN_SECOND));
    }
}

static int get_int(const struct tern_sock *s, const struct tern_option *o, int *value)
{
    struct tern_tcp_settings set;

    if (o->get != NULL)
        return o->get(s, value);
    if (o->kind == TERN_OPTION_CUSTOM)
        return ENOPROTOOPT;
    tern_sock_settings(s, &set);
    *value = load(o, is_setting(o) ? (const void *)&set : (const void *)&s->opt);
    if (*value == 0)
        *value = o->usual;
    return 0;
}

int tern_option_give(const void *from, size_t whole, void *value, socklen_t *bytes)
{
    const socklen_t room = *bytes < whole ? *bytes : (socklen_t)whole;

    memcpy(value, from, room);
    *bytes = room;
    return 0;
}

/* Linux has no option of this name, or no such level, and says so to AF_INET only. */
static int unknown(const struct tern_sock *s, int level)
{
    const int own = s->kind == TERN_SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;

    if (s->domain == AF_INET6 || level == SOL_SOCKET || level == IPPROTO_IP || level == own)
        return ENOPROTOOPT;
    return EOPNOTSUPP;
}

int tern_getsockopt(struct tern_sockets *t, int fd, int level, int name, void *value,
                    socklen_t *bytes)
{
    struct tern_sock *s = tern_sock_get(t, fd);
    const struct tern_option *o = s != NULL ? find(s, level, name) : NULL;
    int number;
    int error;

    if (s == NULL)
        return -1;
    if (o == NULL)
        return tern_sock_fail(unknown(s, level));
    if (value == NULL || bytes == NULL)
        return tern_sock_fail(EFAULT);
    if ((int)*bytes < 0)
        return tern_sock_fail(EINVAL);
    if (o->get_raw != NULL) {
        error = o->get_raw(s, value, bytes);
    } else {
        error = get_int(s, o, &number);
        if (error == 0)
            error = tern_option_give(&number, sizeof(number), value, bytes);
    }
    return error == 0 ? 0 : tern_sock_fail(error);
}
