/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * llhttp says where the parts of a request stand; here the few that matter are copied together,
 * and what it lets pass is judged: the length of a head, a Host that is missing, comes twice or is
 * none (RFC 9112 §3.2), spaces in names of fields, versions and methods that are not ours.
 *
 * The parser stops at the end of a head with a body, at the end of each request, and never reads
 * into the next one: bytes that were sent ahead stay with the connection. A head that is too long
 * is noticed at its limit, however slowly it comes. A field that comes twice is joined as a list
 * (RFC 9110 §5.3); where that makes no sense (two dates) what comes out means nothing, as it
 * should.
 */
#include "apps/http_request.h"

#include <string.h>
#include <strings.h>

#include "base/assert.h"

/* What has come of the first line. */
enum { LINE_BEFORE, LINE_METHOD, LINE_TARGET, LINE_NONE };

static struct tern_http_parser *parser_of(llhttp_t *llhttp)
{
    return llhttp->data;
}

/* The head's limit bounds what is put; the slack is for NULs and joints. */
static void put(struct tern_http_parser *p, const char *at, size_t bytes)
{
    size_t room = sizeof p->text - 1 - p->text_bytes;

    if (bytes > room) {
        p->refused = p->refused != 0 ? p->refused : 431;
        return;
    }
    memcpy(p->text + p->text_bytes, at, bytes);
    p->text_bytes += bytes;
}

static int on_url(llhttp_t *llhttp, const char *at, size_t bytes)
{
    put(parser_of(llhttp), at, bytes);
    return 0;
}

static int on_url_complete(llhttp_t *llhttp)
{
    struct tern_http_parser *p = parser_of(llhttp);

    put(p, "", 1);
    p->request.target = p->text;
    return 0;
}

/* In no locale. */
static bool is_alnum_or(char c, const char *others)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr(others, c) != NULL);
}

/* RFC 9110 §5.6.2 */
static bool is_token(char c)
{
    return is_alnum_or(c, "!#$%&'*+-.^_`|~");
}

/* RFC 9112 §5.1: a name ends at its colon, and whoever sees a space before it must refuse.
 * One without a name is refused where its value begins. */
static int on_field(llhttp_t *llhttp, const char *at, size_t bytes)
{
    struct tern_http_parser *p = parser_of(llhttp);
    size_t room = sizeof p->name - p->name_bytes;

    p->value_began = false;
    for (size_t i = 0; i < bytes; i++)
        if (!is_token(at[i]))
            p->refused = 400;
    memcpy(p->name + p->name_bytes, at, bytes < room ? bytes : room);
    p->name_bytes += bytes < room ? bytes : room;
    return 0;
}

static int8_t find_field(const char *name, size_t bytes)
{
    static const char *const names[] = {
#define FIELD_NAME(name, text) text,
        TERN_HTTP_FIELD_LIST(FIELD_NAME)
#undef FIELD_NAME
    };

    for (int8_t i = 0; i < TERN_HTTP_FIELD_COUNT; i++)
        if (strlen(names[i]) == bytes && strncasecmp(names[i], name, bytes) == 0)
            return i;
    return -1;
}

/* A field that came before is copied to the end, where more can be joined to it. */
static void begin_value(struct tern_http_parser *p)
{
    uint16_t before = p->field_at[p->field];

    p->field_at[p->field] = (uint16_t)p->text_bytes;
    if (p->request.field_times[p->field]++ == 0)
        return;
    put(p, p->text + before, strlen(p->text + before));
    put(p, ", ", 2);
}

static int on_value(llhttp_t *llhttp, const char *at, size_t bytes)
{
    struct tern_http_parser *p = parser_of(llhttp);

    if (!p->value_began) {
        p->value_began = true;
        if (p->name_bytes == 0)
            p->refused = 400;
        p->field = find_field(p->name, p->name_bytes);
        if (p->field >= 0)
            begin_value(p);
    }
    if (p->field >= 0)
        put(p, at, bytes);
    return 0;
}

static int on_value_complete(llhttp_t *llhttp)
{
    struct tern_http_parser *p = parser_of(llhttp);

    if (!p->value_began) /* an empty one */
        (void)on_value(llhttp, "", 0);
    if (p->field >= 0) {
        while (p->text_bytes > p->field_at[p->field] &&
               strchr(" \t", p->text[p->text_bytes - 1]) != NULL)
            p->text_bytes--;
        put(p, "", 1);
        p->request.field[p->field] = p->text + p->field_at[p->field];
    }
    p->name_bytes = 0;
    p->value_began = false;
    return 0;
}

static int on_headers_complete(llhttp_t *llhttp)
{
    struct tern_http_parser *p = parser_of(llhttp);
    struct tern_http_request *r = &p->request;

    p->head_whole = true;
    r->minor = llhttp->http_minor;
    r->keep_alive = llhttp_should_keep_alive(llhttp) != 0;
    r->body = (llhttp->flags & F_CHUNKED) != 0 || llhttp->content_length > 0;
    r->body_bytes = (llhttp->flags & F_CHUNKED) != 0 ? 0 : llhttp->content_length;
    r->method_text = llhttp_method_name((llhttp_method_t)llhttp->method);
    r->method = llhttp->method == HTTP_GET       ? TERN_HTTP_GET
                : llhttp->method == HTTP_HEAD    ? TERN_HTTP_HEAD
                : llhttp->method == HTTP_OPTIONS ? TERN_HTTP_OPTIONS
                                                 : TERN_HTTP_OTHER;
    llhttp->upgrade = 0; /* RFC 9110 §7.8: a server may go on as if nobody had asked */
    return r->body ? HPE_PAUSED : 0;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t bytes)
{
    (void)at;
    parser_of(llhttp)->body_bytes += bytes;
    return 0;
}

static int on_message_complete(llhttp_t *llhttp)
{
    parser_of(llhttp)->ended = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
    .on_url_complete = on_url_complete,
    .on_header_value_complete = on_value_complete,
};

void tern_http_parser_init(struct tern_http_parser *p, size_t head_bytes_max)
{
    TERN_ASSERT(head_bytes_max > 0);
    TERN_ASSERT(head_bytes_max <= TERN_HTTP_HEAD_MAX);
    p->head_bytes_max = head_bytes_max;
    p->text[sizeof p->text - 1] = '\0'; /* never written: what did not fit ends here */
    tern_http_parser_next(p);
}

void tern_http_parser_next(struct tern_http_parser *p)
{
    llhttp_init(&p->llhttp, HTTP_REQUEST, &settings);
    p->llhttp.data = p;
    p->request =
        (struct tern_http_request){.method = TERN_HTTP_OTHER, .method_text = "", .target = ""};
    p->refused = 0;
    p->head_bytes = 0;
    p->body_bytes = 0;
    p->field = -1;
    p->line = LINE_BEFORE;
    p->head_whole = p->ended = p->value_began = p->unknown_method = false;
    p->name_bytes = p->text_bytes = 0;
}

bool tern_http_parser_began(const struct tern_http_parser *p)
{
    return p->head_bytes > 0;
}

/* Follow the first line up to the end of its method: whatever pieces it comes in, what cannot be a
 * method is told from one that we do not know (RFC 9110 §9.1). */
static void watch_method(struct tern_http_parser *p, const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes && p->line <= LINE_METHOD; i++) {
        if (is_token((char)data[i]))
            p->line = LINE_METHOD;
        else if (p->line == LINE_METHOD)
            p->line = data[i] == ' ' ? LINE_TARGET : LINE_NONE;
        else if (data[i] != '\r' && data[i] != '\n')
            p->line = LINE_NONE;
    }
}

/* RFC 3986 §2.2, §2.3: of a host's name, beside percent-encoding. */
static bool is_plain(char c)
{
    return is_alnum_or(c, "-._~!$&'()*+,;=");
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* RFC 9110 §7.2: a host as in RFC 3986 §3.2.2, which may be empty, and maybe a port. Which address
 * brackets hold is for nobody here: any of the characters that such have. */
static bool is_host(const char *s)
{
    const char *begin = s + 1;

    if (*s == '[') {
        for (s++; is_plain(*s) || *s == ':'; s++)
            continue;
        if (*s != ']' || s == begin)
            return false;
        s++;
    } else {
        while (is_plain(*s) || (*s == '%' && is_hex(s[1]) && is_hex(s[2])))
            s += *s == '%' ? 3 : 1;
    }
    if (*s == ':')
        s += 1 + strspn(s + 1, "0123456789");
    return *s == '\0';
}

/* What llhttp accepts and RFC 9112 §2.3, §3.2 does not. 0: nothing. */
static int judge(const struct tern_http_parser *p)
{
    if (p->refused != 0)
        return p->refused;
    if (p->llhttp.http_major != 1)
        return 505;
    if (p->request.field_times[TERN_HTTP_HOST] > 1 ||
        (p->request.field_times[TERN_HTTP_HOST] == 0 && p->request.minor > 0) ||
        (p->request.field[TERN_HTTP_HOST] != NULL && !is_host(p->request.field[TERN_HTTP_HOST])))
        return 400;
    return 0;
}

/* Of a head that is refused before its end: a field that is none, or it is too long, in its first
 * line or its fields. */
static int judge_early(const struct tern_http_parser *p)
{
    if (p->refused == 400)
        return 400;
    return p->request.target == p->text ? 431 : 414;
}

static llhttp_errno_t execute(struct tern_http_parser *p, const uint8_t *data, size_t bytes,
                              size_t *used)
{
    llhttp_errno_t err = llhttp_execute(&p->llhttp, (const char *)data, bytes);
    const char *at = llhttp_get_error_pos(&p->llhttp);

    *used = err == HPE_OK ? bytes : at == NULL ? 0 : (size_t)(at - (const char *)data);
    TERN_ASSERT(*used <= bytes);
    return err;
}

static enum tern_http_fed bad(struct tern_http_parser *p, int status)
{
    p->refused = status;
    return TERN_HTTP_BAD;
}

/* llhttp has seen enough of the method; we read on to its end before we judge. */
static enum tern_http_fed feed_unknown(struct tern_http_parser *p, size_t bytes, size_t *used)
{
    *used = bytes;
    p->head_bytes += bytes;
    if (p->line != LINE_METHOD)
        return bad(p, p->line == LINE_NONE ? 400 : 501);
    return p->head_bytes == p->head_bytes_max ? bad(p, 414) : TERN_HTTP_MORE;
}

/* Of the body, after the head was told. */
static enum tern_http_fed feed_body(struct tern_http_parser *p, const uint8_t *data, size_t bytes,
                                    size_t *used)
{
    llhttp_errno_t err;

    llhttp_resume(&p->llhttp);
    err = execute(p, data, bytes, used);
    if (err != HPE_OK && err != HPE_PAUSED)
        p->refused = 400;
    if (p->refused != 0) /* by a field after the last chunk, else */
        return TERN_HTTP_BROKEN;
    return p->ended ? TERN_HTTP_ENDED : TERN_HTTP_MORE;
}

enum tern_http_fed tern_http_parser_feed(struct tern_http_parser *p, const uint8_t *data,
                                         size_t bytes, size_t *used)
{
    size_t room = p->head_bytes_max - p->head_bytes;
    llhttp_errno_t err;

    TERN_ASSERT(p->refused == 0);
    if (p->head_whole)
        return feed_body(p, data, bytes, used);
    bytes = bytes < room ? bytes : room;
    watch_method(p, data, bytes);
    if (p->unknown_method)
        return feed_unknown(p, bytes, used);
    err = execute(p, data, bytes, used);
    p->unknown_method = err == HPE_INVALID_METHOD;
    if (p->unknown_method)
        return feed_unknown(p, bytes, used);
    p->head_bytes += *used;
    if (err != HPE_OK && err != HPE_PAUSED)
        return bad(p, err == HPE_INVALID_VERSION || err == HPE_PAUSED_H2_UPGRADE ? 505 : 400);
    if (p->head_whole)
        return judge(p) != 0 ? bad(p, judge(p)) : TERN_HTTP_ASKED;
    return p->refused != 0 || p->head_bytes == p->head_bytes_max ? bad(p, judge_early(p))
                                                                 : TERN_HTTP_MORE;
}
