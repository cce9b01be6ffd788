/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client of the endpoint, up to the moment when bytes flow: greeting, request, resolving,
 * dialling.
 *
 *   GREETING -> REQUEST -> RESOLVING -> DIALLING -> PUMPING -> FREE
 *
 * A name with several addresses is dialled one after the other; all but the last get a bounded
 * time. Whatever goes wrong is answered with the nearest SOCKS reply, but the whole truth is in the
 * outcome. A resolver cannot be told to forget: a client that leaves while its name is being
 * resolved keeps its slot until the answer comes.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "apps/socks_parts.h"

#define COMMAND_CONNECT 1
#define NO_METHOD       0xff
#define ONE_OF_SEVERAL  (10 * TERN_SECOND)
#define CLIENT_WAITS    ((uint32_t)POLLRDHUP)

static void dial_next(struct tern_socks_conn *c, enum tern_err last);

void tern_socks_conn_tell(struct tern_socks_conn *c)
{
    struct tern_socks *socks = c->socks;

    (void)pthread_mutex_lock(&socks->lock);
    if (c->outcome.serial >= socks->newest.serial)
        socks->newest = c->outcome;
    (void)pthread_mutex_unlock(&socks->lock);
}

static tern_time now_of(const struct tern_socks_conn *c)
{
    return tern_loop_now(c->socks->options.loop);
}

static void tell_end(struct tern_socks_conn *c, enum tern_err err)
{
    if (c->outcome.serial == 0 || c->outcome.ended)
        return;
    c->outcome.ended = true;
    c->outcome.err = err;
    c->outcome.ended_at = now_of(c);
    tern_socks_conn_tell(c);
}

/* The client may be reading still what the connection holds: it stays until the client goes. */
static bool is_being_read(const struct tern_socks_conn *c)
{
    return c->lane != NULL && c->state == TERN_SOCKS_PUMPING && !c->client_gone;
}

static void leave_lane(struct tern_socks_conn *c)
{
    if (c->lane == NULL)
        return;
    if (c->conn != NULL && c->state == TERN_SOCKS_PUMPING)
        tern_socks_lane_skip(c); /* or it would be reset for bytes that were read */
    if (!c->network_done)
        tern_lane_end(c->lane);
    tern_lane_give(c->lane);
    c->lane = NULL;
}

void tern_socks_conn_end(struct tern_socks_conn *c, enum tern_err err)
{
    tell_end(c, err);
    if (is_being_read(c)) {
        if (!c->network_done)
            tern_lane_end(c->lane);
        c->network_done = c->client_done = true;
        tern_socks_conn_watch(c, POLLHUP);
        return;
    }
    leave_lane(c);
    tern_socks_conn_watch(c, 0);
    if (c->fd >= 0)
        (void)close(c->fd);
    c->fd = -1;
    if (c->conn != NULL)
        tern_tcp_close(c->conn);
    c->conn = NULL;
    if (c->state == TERN_SOCKS_RESOLVING)
        return; /* the answer is still to come, and frees the slot */
    c->state = TERN_SOCKS_FREE;
    tern_socks_released(c->socks);
}

static void say_bytes(struct tern_socks_conn *c, const uint8_t *message, size_t bytes)
{
    if (c->lane != NULL) {
        tern_lane_say(c->lane, message, (uint32_t)bytes);
        c->lane_words += bytes;
    } else {
        /* A fresh socket has room for so little; where it has not, the client is gone. */
        (void)!send(c->fd, message, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

static void send_reply(struct tern_socks_conn *c, enum tern_socks_reply reply)
{
    uint8_t message[TERN_SOCKS_REPLY_MAX];

    say_bytes(c, message, tern_socks_reply_emit(reply, &c->outcome.local, message));
}

static enum tern_socks_reply reply_of(enum tern_err err)
{
    switch (err) {
    case TERN_ERR_REFUSED:
    case TERN_ERR_RESET:
        return TERN_SOCKS_REFUSED;
    case TERN_ERR_TIMEOUT:
        return TERN_SOCKS_EXPIRED;
    case TERN_ERR_NO_ROUTE:
        return TERN_SOCKS_NETWORK_UNREACHABLE;
    case TERN_ERR_UNREACHABLE:
        return TERN_SOCKS_HOST_UNREACHABLE;
    default:
        return TERN_SOCKS_FAILURE;
    }
}

static void refuse(struct tern_socks_conn *c, enum tern_socks_reply reply, enum tern_err err)
{
    /* Told before the client hears of it: its thread asks at once. */
    tell_end(c, err);
    send_reply(c, reply);
    tern_socks_conn_end(c, err);
}

/* Something failed on the way to a connection: the next address, or the end. */
static void dial_failed(struct tern_socks_conn *c, enum tern_err err)
{
    char remote[TERN_ENDPOINT_TEXT_MAX];

    tern_socks_say(c->socks, "* TCP %s: %s", tern_endpoint_text(&c->outcome.remote, remote),
                   tern_err_text(err));
    if (c->conn != NULL)
        tern_tcp_close(c->conn);
    c->conn = NULL;
    dial_next(c, err);
}

/* last: why the address before this one failed. */
static void dial_next(struct tern_socks_conn *c, enum tern_err last)
{
    struct tern_stack *stack = tern_loop_stack(c->socks->options.loop);
    bool several = c->address_next + 1 < c->addresses.addresses_count;
    struct tern_tcp_options options = {
        .user = &c->sink, .nodelay = true, .connect_timeout = several ? ONE_OF_SEVERAL : 0};
    char remote[TERN_ENDPOINT_TEXT_MAX];
    enum tern_err err;

    if (c->address_next == c->addresses.addresses_count) {
        refuse(c, reply_of(last), last);
        return;
    }
    options.remote.addr = c->addresses.addresses[c->address_next++];
    options.remote.port = c->outcome.port;
    c->outcome.remote = options.remote;
    c->outcome.dialled_at = now_of(c);
    c->state = TERN_SOCKS_DIALLING;
    tern_socks_conn_watch(c, CLIENT_WAITS);
    tern_socks_say(c->socks, "* TCP connecting to %s", tern_endpoint_text(&options.remote, remote));
    err = tern_tcp_connect(stack, &options, &c->conn);
    if (err != TERN_ERR_OK) {
        c->conn = NULL;
        dial_failed(c, err); /* no deeper than there are addresses */
    }
}

/* Digits after the point of so many milliseconds. */
static int digits(tern_time ns)
{
    return ns < TERN_MS ? 3 : 1;
}

static void say_established(const struct tern_socks_conn *c, const struct tern_tcp_info *info)
{
    char local[TERN_ENDPOINT_TEXT_MAX], remote[TERN_ENDPOINT_TEXT_MAX];
    tern_time rtt = info->srtt > 0 ? info->srtt : info->established_at - info->opened_at;

    tern_socks_say(c->socks, "* TCP %s → %s established · rtt %.*f ms",
                   tern_endpoint_text(&info->local, local),
                   tern_endpoint_text(&info->remote, remote), digits(rtt), (double)rtt / 1e6);
}

static void established(struct tern_socks_conn *c)
{
    struct tern_tcp_info info;

    tern_tcp_info(c->conn, &info);
    c->outcome.local = info.local;
    c->outcome.remote = info.remote;
    c->outcome.established = true;
    c->outcome.established_at = now_of(c);
    tern_socks_conn_tell(c);
    say_established(c, &info);
    send_reply(c, TERN_SOCKS_SUCCEEDED);
    c->state = TERN_SOCKS_PUMPING;
    tern_socks_conn_watch(c, POLLIN);
}

static void say_resolved(const struct tern_socks_conn *c)
{
    char text[TERN_ADDR_TEXT_MAX];
    const struct tern_socks_outcome *o = &c->outcome;

    if (c->addresses.result == TERN_DNS_FOUND)
        tern_socks_say(c->socks, "* DNS %s → %s%s · %.*f ms", o->host,
                       tern_addr_text(c->addresses.addresses[0], text),
                       c->addresses.addresses_count > 1 ? " and others" : "",
                       digits(o->resolved_at - o->asked_at),
                       (double)(o->resolved_at - o->asked_at) / 1e6);
    else
        tern_socks_say(c->socks, "* DNS %s: %s", o->host, tern_dns_text(c->addresses.result));
}

static void on_answer(void *user, const struct tern_dns_answer *answer)
{
    struct tern_socks_conn *c = user;

    c->state = TERN_SOCKS_DIALLING;
    if (c->fd < 0) { /* the client left meanwhile */
        tern_socks_conn_end(c, TERN_ERR_ABORTED);
        return;
    }
    c->addresses = *answer;
    c->address_next = 0;
    c->outcome.dns = answer->result;
    c->outcome.resolved_at = now_of(c);
    say_resolved(c);
    if (answer->result == TERN_DNS_FOUND)
        dial_next(c, TERN_ERR_NO_ROUTE);
    else
        refuse(c, TERN_SOCKS_HOST_UNREACHABLE, TERN_ERR_UNREACHABLE);
}

static const struct tern_socks_override *find_override(const struct tern_socks_conn *c)
{
    const struct tern_socks_override *o = c->socks->options.overrides;

    while (o != NULL && ((o->port != 0 && o->port != c->outcome.port) ||
                         (strcmp(o->host, "*") != 0 && strcasecmp(o->host, c->outcome.host) != 0)))
        o = o->next;
    return o;
}

static void resolve(struct tern_socks_conn *c, const struct tern_socks_request *request)
{
    const struct tern_socks_override *override = find_override(c);

    if (request->literal || override != NULL) {
        c->addresses.result = TERN_DNS_FOUND;
        c->addresses.addresses_count = 1;
        c->addresses.addresses[0] = override != NULL ? override->addr : request->addr;
        c->outcome.resolved_at = c->outcome.asked_at;
        dial_next(c, TERN_ERR_NO_ROUTE);
        return;
    }
    c->state = TERN_SOCKS_RESOLVING;
    tern_socks_conn_watch(c, CLIENT_WAITS);
    tern_dns_query(c->socks->options.dns, request->host, on_answer, c);
}

static void on_request(struct tern_socks_conn *c, const struct tern_socks_request *request)
{
    c->outcome.serial = ++c->socks->serial;
    (void)memcpy(c->outcome.host, request->host, sizeof c->outcome.host);
    c->outcome.port = request->port;
    c->outcome.asked_at = now_of(c);
    c->outcome.resolved_at = TERN_TIME_NEVER;
    c->outcome.dialled_at = TERN_TIME_NEVER;
    c->outcome.established_at = TERN_TIME_NEVER;
    c->outcome.ended_at = TERN_TIME_NEVER;
    tern_socks_conn_tell(c);
    if (request->command == COMMAND_CONNECT)
        resolve(c, request);
    else
        refuse(c, TERN_SOCKS_BAD_COMMAND, TERN_ERR_UNSUPPORTED);
}

static void drop_up(struct tern_socks_conn *c, size_t used)
{
    c->up_bytes -= used;
    memmove(c->up, c->up + used, c->up_bytes);
}

/* What has arrived, message by message. Returns false once the connection is past this stage. */
static bool parse(struct tern_socks_conn *c)
{
    static const uint8_t welcome[2] = {5, 0};
    static const uint8_t no_way[2] = {5, NO_METHOD};
    enum tern_socks_parse verdict;
    struct tern_socks_request request;
    bool no_auth = false;
    size_t used = 0;

    if (c->state == TERN_SOCKS_GREETING)
        verdict = tern_socks_greeting_parse(c->up, c->up_bytes, &used, &no_auth);
    else
        verdict = tern_socks_request_parse(c->up, c->up_bytes, &used, &request);
    if (verdict == TERN_SOCKS_MORE)
        return false;
    if (verdict == TERN_SOCKS_BAD) {
        tern_socks_conn_end(c, TERN_ERR_INVAL);
        return false;
    }
    drop_up(c, used);
    if (c->state == TERN_SOCKS_REQUEST) {
        on_request(c, &request);
        return false;
    }
    say_bytes(c, no_auth ? welcome : no_way, 2);
    if (!no_auth) {
        tern_socks_conn_end(c, TERN_ERR_PERMISSION);
        return false;
    }
    c->state = TERN_SOCKS_REQUEST;
    return true;
}

static void read_messages(struct tern_socks_conn *c)
{
    ssize_t n = read(c->fd, c->up + c->up_bytes, TERN_SOCKS_MESSAGE_MAX * 2 - c->up_bytes);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        tern_socks_conn_end(c, TERN_ERR_ABORTED);
        return;
    }
    c->up_bytes += (size_t)n;
    while (parse(c))
        continue;
}

static void on_fd(void *user, int fd, uint32_t poll_bits)
{
    struct tern_socks_conn *c = user;

    (void)fd;
    switch (c->state) {
    case TERN_SOCKS_GREETING:
    case TERN_SOCKS_REQUEST:
        read_messages(c);
        break;
    case TERN_SOCKS_RESOLVING:
    case TERN_SOCKS_DIALLING:
        tern_socks_conn_end(c, TERN_ERR_ABORTED); /* it was watched for leaving only */
        break;
    case TERN_SOCKS_PUMPING:
        tern_socks_pump_fd(c, poll_bits);
        break;
    case TERN_SOCKS_FREE:
        break;
    }
}

void tern_socks_conn_watch(struct tern_socks_conn *c, uint32_t poll_bits)
{
    if (c->fd < 0 || poll_bits == c->poll_bits)
        return;
    c->poll_bits = poll_bits;
    /* Only memory can be short here, and the table has room for the number since the first time. */
    (void)!tern_loop_watch(c->socks->options.loop, c->fd, poll_bits, on_fd, c);
}

static void hear(struct tern_sink *sink, const struct tern_event *event)
{
    struct tern_socks_conn *c = (struct tern_socks_conn *)sink;

    if (event->kind != TERN_EVENT_CONN || c->conn == NULL || event->conn != c->conn)
        return;
    if (c->state == TERN_SOCKS_DIALLING) {
        if ((event->bits & TERN_CONN_ESTABLISHED) != 0) {
            established(c);
            tern_socks_pump_up(c); /* a hasty client sent more than its request */
        } else if ((event->bits & TERN_CONN_CLOSED) != 0) {
            dial_failed(c, tern_tcp_reason(c->conn));
            return;
        }
    }
    if (c->state == TERN_SOCKS_PUMPING)
        tern_socks_pump_event(c, event->bits);
}

void tern_socks_conn_start(struct tern_socks_conn *c, struct tern_socks *socks, int fd,
                           struct tern_lane *lane)
{
    memset(c, 0, offsetof(struct tern_socks_conn, up));
    c->sink.hear = hear;
    c->socks = socks;
    c->fd = fd;
    c->lane = lane;
    c->state = TERN_SOCKS_GREETING;
    tern_socks_conn_watch(c, POLLIN);
}
