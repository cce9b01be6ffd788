/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conversations. A talk is one connection's state here; talks stand in an array with a list of
 * the free ones, so that memory does not grow by our own doing while the stack's is judged.
 *
 * All that happens is told by events: each event of a connection makes its talk go as far as it
 * can. A talk ends in one place (finish), with the handle given up.
 */
#include "churn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/random.h"

#define NOISE_BYTES  65536
#define NOISE_STARTS 32768
#define HEAD_BYTES   8
#define UP_MAX       3000
#define DOWN_MAX     6000
#define BACKLOG      256
/* A reset that is lost leaves an answerer that nobody will ever talk to: it has to ask. */
#define KEEP_IDLE     (5 * TERN_SECOND)
#define KEEP_INTERVAL (2 * TERN_SECOND)

enum talk_end { TALK_RESET, TALK_CALLER_FIRST, TALK_ANSWERER_FIRST };

struct talk {
    struct tern_conn *conn;
    struct talk *next_free;
    uint32_t key;
    uint32_t up, down;        /* bytes, of which: */
    uint32_t written, read;   /* of our side's stream, and of theirs; heads included */
    uint8_t head[HEAD_BYTES]; /* the caller's to say, the answerer's to hear */
    bool calls, shut, ended;
};

struct churn {
    struct churn_options options;
    struct tern_listener *listener;
    struct tern_random random;
    struct churn_counts counts;
    struct talk *talks, *free;
    uint8_t noise[NOISE_BYTES];
    char complaint[160];
};

uint8_t churn_noise(uint32_t at)
{
    return (uint8_t)(at * UINT32_C(2654435761) >> 13);
}

static enum talk_end end_of(const struct talk *t)
{
    if (t->key % 16 == 0)
        return TALK_RESET;
    return t->key % 2 == 1 ? TALK_ANSWERER_FIRST : TALK_CALLER_FIRST;
}

static const uint8_t *stream_of(const struct churn *c, uint32_t key)
{
    return c->noise + key % NOISE_STARTS;
}

static bool listen_for_calls(struct churn *c)
{
    struct tern_tcp_options o = {.local = {.port = c->options.port}};
    struct tern_tcp_settings settings;

    tern_tcp_settings_defaults(&settings);
    settings.keepalive = true;
    settings.keep_idle = KEEP_IDLE;
    settings.keep_interval = KEEP_INTERVAL;
    o.settings = &settings;
    return tern_tcp_listen(c->options.stack, &o, BACKLOG, &c->listener) == TERN_ERR_OK;
}

struct churn *churn_create(const struct churn_options *options)
{
    struct churn *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    c->options = *options;
    c->talks = calloc(options->talks_max, sizeof(*c->talks));
    tern_random_init(&c->random, &options->seed, sizeof(options->seed), "churn");
    for (uint32_t i = 0; i < NOISE_BYTES; i++)
        c->noise[i] = churn_noise(i);
    if (c->talks == NULL || !listen_for_calls(c)) {
        churn_destroy(c);
        return NULL;
    }
    for (uint32_t i = 0; i < options->talks_max; i++) {
        c->talks[i].next_free = c->free;
        c->free = &c->talks[i];
    }
    return c;
}

void churn_destroy(struct churn *c)
{
    free(c->talks);
    free(c);
}

static struct talk *take(struct churn *c)
{
    struct talk *t = c->free;

    if (t == NULL)
        return NULL;
    c->free = t->next_free;
    memset(t, 0, sizeof(*t));
    if (++c->counts.talking > c->counts.talking_most)
        c->counts.talking_most = c->counts.talking;
    return t;
}

static void give(struct churn *c, struct talk *t)
{
    TERN_ASSERT(c->counts.talking > 0);
    t->conn = NULL;
    t->next_free = c->free;
    c->free = t;
    c->counts.talking--;
}

static void complain(struct churn *c, const struct talk *t, const char *why)
{
    c->counts.failed++;
    (void)snprintf(c->complaint, sizeof(c->complaint),
                   "%s: key %u, %s, %u up, %u down, %u written, %u read", why, t->key,
                   t->calls ? "called" : "answered", t->up, t->down, t->written, t->read);
}

/* The one end of a talk. why NULL: as it was meant to be. */
static void finish(struct churn *c, struct talk *t, const char *why)
{
    if (why == NULL)
        c->counts.done++;
    else
        complain(c, t, why);
    if (why != NULL || (t->calls && end_of(t) == TALK_RESET))
        tern_tcp_abort(t->conn);
    else
        tern_tcp_close(t->conn);
    give(c, t);
}

/* The next bytes that our side has to say; 0: none, now or ever. */
static uint32_t to_say(const struct churn *c, const struct talk *t, const uint8_t **bytes)
{
    if (t->calls && t->written < HEAD_BYTES) {
        *bytes = t->head + t->written;
        return HEAD_BYTES - t->written;
    }
    if (t->calls) {
        *bytes = stream_of(c, t->key) + (t->written - HEAD_BYTES);
        return HEAD_BYTES + t->up - t->written;
    }
    if (t->read < HEAD_BYTES + t->up || (end_of(t) == TALK_CALLER_FIRST && !t->ended))
        return 0;
    *bytes = stream_of(c, t->key ^ CHURN_DOWN) + t->written;
    return t->down - t->written;
}

static bool said_all(const struct talk *t)
{
    if (t->calls)
        return t->written == HEAD_BYTES + t->up;
    return t->read >= HEAD_BYTES && t->written == t->down && t->read == HEAD_BYTES + t->up &&
           (end_of(t) != TALK_CALLER_FIRST || t->ended);
}

/* NULL, or what went wrong. */
static const char *say(struct churn *c, struct talk *t)
{
    const uint8_t *bytes;
    uint32_t n;

    while ((n = to_say(c, t, &bytes)) > 0) {
        const ptrdiff_t taken = tern_tcp_write(t->conn, bytes, n);

        if (taken == TERN_ERR_AGAIN)
            return NULL;
        if (taken < 0)
            return tern_err_text((enum tern_err)taken);
        t->written += (uint32_t)taken;
        c->counts.bytes_out += (uint64_t)taken;
    }
    if (!t->shut && said_all(t) && (!t->calls || end_of(t) == TALK_CALLER_FIRST)) {
        tern_tcp_shutdown(t->conn);
        t->shut = true;
    }
    return NULL;
}

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

/* Bytes of the caller's head, as far as they are here. How many were used. */
static size_t hear_head(struct talk *t, const struct tern_slice *s)
{
    size_t n = HEAD_BYTES - t->read;

    n = n > s->bytes ? s->bytes : n;
    memcpy(t->head + t->read, s->data, n);
    if (t->read + n == HEAD_BYTES) {
        t->key = get16(t->head) << 16 | get16(t->head + 2);
        t->up = get16(t->head + 4);
        t->down = get16(t->head + 6);
    }
    return n;
}

/* Judge what is here. NULL, or what is wrong with it. */
static const char *hear_slice(struct churn *c, struct talk *t, const struct tern_slice *s)
{
    const uint32_t head = t->calls ? 0 : HEAD_BYTES;
    const uint32_t wanted = head + (t->calls ? t->down : t->up);
    size_t n = s->bytes;

    if (t->read < head) {
        n = hear_head(t, s);
        if (t->up > UP_MAX || t->down > DOWN_MAX)
            return "a head that nobody says";
    } else {
        const uint8_t *meant =
            stream_of(c, t->calls ? t->key ^ CHURN_DOWN : t->key) + (t->read - head);

        if (n > wanted - t->read)
            return "more bytes than were said";
        if (memcmp(s->data, meant, n) != 0)
            return "a byte is not the one that was said there";
    }
    t->read += (uint32_t)n;
    c->counts.bytes_in += n;
    tern_tcp_skip(t->conn, n);
    return NULL;
}

static const char *hear(struct churn *c, struct talk *t)
{
    while (!t->ended) {
        struct tern_slice s;
        const ptrdiff_t n = tern_tcp_peek(t->conn, &s);
        const char *why;

        if (n == TERN_ERR_AGAIN)
            return NULL;
        if (n < 0)
            return tern_err_text((enum tern_err)n);
        if (n == 0) {
            t->ended = true;
            return NULL;
        }
        why = hear_slice(c, t, &s);
        if (why != NULL)
            return why;
    }
    return NULL;
}

static bool heard_all(const struct talk *t)
{
    return t->calls ? t->read == t->down : t->read >= HEAD_BYTES && t->read == HEAD_BYTES + t->up;
}

/* A reset ends a talk well where the caller was to reset, and all had been said. */
static bool is_the_reset(const struct talk *t)
{
    return !t->calls && heard_all(t) && said_all(t) && end_of(t) == TALK_RESET &&
           tern_tcp_reason(t->conn) == TERN_ERR_RESET;
}

/* Go on as far as it goes. */
static void move(struct churn *c, struct talk *t)
{
    const char *why;

    if (tern_tcp_state(t->conn) == TERN_TCP_SYN_SENT)
        return;
    if (is_the_reset(t)) {
        finish(c, t, NULL);
        return;
    }
    why = hear(c, t);
    if (why == NULL)
        why = say(c, t);
    if (why == NULL && t->ended && !heard_all(t))
        why = "the stream ended early";
    if (why != NULL)
        finish(c, t, why);
    else if (t->calls && end_of(t) == TALK_RESET && said_all(t) && heard_all(t))
        finish(c, t, NULL);
    else if (t->ended && said_all(t))
        finish(c, t, NULL);
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

bool churn_call(struct churn *c)
{
    struct tern_tcp_options o = {.remote = {.addr = c->options.peer, .port = c->options.port}};
    struct talk *t = take(c);
    enum tern_err err;

    c->counts.called++;
    if (t == NULL) {
        c->counts.failed++;
        (void)snprintf(c->complaint, sizeof(c->complaint), "%u talks at once, no more to be had",
                       c->options.talks_max);
        return false;
    }
    t->calls = true;
    t->key = tern_random_u32(&c->random);
    t->up = (uint32_t)tern_random_below(&c->random, UP_MAX + 1);
    /* One at least: who resets at once may take back what it has only just said. */
    t->down = 1 + (uint32_t)tern_random_below(&c->random, DOWN_MAX);
    put16(t->head, t->key >> 16);
    put16(t->head + 2, t->key);
    put16(t->head + 4, t->up);
    put16(t->head + 6, t->down);
    o.user = t;
    err = tern_tcp_connect(c->options.stack, &o, &t->conn);
    if (err != TERN_ERR_OK) {
        complain(c, t, tern_err_text(err));
        give(c, t);
        return false;
    }
    return true;
}

static void answer_calls(struct churn *c)
{
    while (tern_listener_is_ready(c->listener)) {
        struct talk *t = take(c);

        if (t == NULL)
            return; /* they wait; a caller that waits too long complains */
        if (tern_tcp_accept(c->listener, t, &t->conn) != TERN_ERR_OK) {
            give(c, t);
            return;
        }
        c->counts.answered++;
        move(c, t);
    }
}

void churn_events(struct churn *c)
{
    struct tern_event e;
    struct tern_trace trace;

    while (tern_stack_event(c->options.stack, &e)) {
        struct talk *t = e.user;

        if (e.kind == TERN_EVENT_LISTENER)
            answer_calls(c);
        else if (e.kind == TERN_EVENT_CONN && t != NULL && t->conn == e.conn)
            move(c, t);
    }
    while (tern_stack_trace(c->options.stack, &trace)) {
    }
}

void churn_counts(const struct churn *c, struct churn_counts *out)
{
    *out = c->counts;
}

const char *churn_complaint(const struct churn *c)
{
    return c->complaint;
}
