/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The three forms of RFC 9110 §5.6.7: IMF-fixdate, which we send, and the two that are long
 * obsolete and must still be read. The calendar is the system's timegm() and gmtime_r(), which know
 * no locale; the words are ours.
 */
#include "apps/http_date.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#define LATEST INT64_C(253402300799) /* 9999-12-31 23:59:59 */

static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char long_days[7][10] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static void put_two(char *at, int value)
{
    at[0] = (char)('0' + value / 10);
    at[1] = (char)('0' + value % 10);
}

/* By hand: it stands in every answer, and printf() would be a good part of what that costs. */
void tern_http_date_text(int64_t seconds, char out[TERN_HTTP_DATE_BYTES])
{
    time_t at = seconds < 0 ? 0 : seconds > LATEST ? LATEST : seconds;
    struct tm tm;

    (void)gmtime_r(&at, &tm);
    memcpy(out, "Sun, 00 Jan 0000 00:00:00 GMT", TERN_HTTP_DATE_BYTES);
    memcpy(out, days[tm.tm_wday], 3);
    put_two(out + 5, tm.tm_mday);
    memcpy(out + 8, months[tm.tm_mon], 3);
    put_two(out + 12, (tm.tm_year + 1900) / 100);
    put_two(out + 14, (tm.tm_year + 1900) % 100);
    put_two(out + 17, tm.tm_hour);
    put_two(out + 20, tm.tm_min);
    put_two(out + 23, tm.tm_sec);
}

/* What is left to read; NULL once something did not fit. */
struct cursor {
    const char *at;
};

static void take_text(struct cursor *c, const char *text)
{
    if (c->at == NULL)
        return;
    c->at = strncmp(c->at, text, strlen(text)) == 0 ? c->at + strlen(text) : NULL;
}

/* Exactly so many digits; with space, blanks may stand for the first ones. */
static int take_number(struct cursor *c, int digits, bool space)
{
    int value = 0;

    for (int i = 0; i < digits && c->at != NULL; i++) {
        if (*c->at >= '0' && *c->at <= '9')
            value = 10 * value + (*c->at - '0');
        else if (*c->at != ' ' || !space || value > 0 || i == digits - 1)
            c->at = NULL;
        if (c->at != NULL)
            c->at++;
    }
    return value;
}

static int take_month(struct cursor *c)
{
    for (int i = 0; i < 12 && c->at != NULL; i++)
        if (strncmp(c->at, months[i], 3) == 0) {
            c->at += 3;
            return i;
        }
    c->at = NULL;
    return 0;
}

static void take_time(struct cursor *c, struct tm *tm)
{
    tm->tm_hour = take_number(c, 2, false);
    take_text(c, ":");
    tm->tm_min = take_number(c, 2, false);
    take_text(c, ":");
    tm->tm_sec = take_number(c, 2, false);
}

/* The name of a day at the start, in one of its two lengths; NULL: there is none. */
static const char *after_day(const char *text, bool is_long)
{
    for (int i = 0; i < 7; i++) {
        const char *day = is_long ? long_days[i] : days[i];

        if (strncmp(text, day, strlen(day)) == 0)
            return text + strlen(day);
    }
    return NULL;
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static const char *parse_fixdate(const char *text, struct tm *tm)
{
    struct cursor c = {after_day(text, false)};

    take_text(&c, ", ");
    tm->tm_mday = take_number(&c, 2, false);
    take_text(&c, " ");
    tm->tm_mon = take_month(&c);
    take_text(&c, " ");
    tm->tm_year = take_number(&c, 4, false) - 1900;
    take_text(&c, " ");
    take_time(&c, tm);
    take_text(&c, " GMT");
    return c.at;
}

/* Sunday, 06-Nov-94 08:49:37 GMT; the year is at most 50 years ahead. */
static const char *parse_rfc850(const char *text, int64_t now, struct tm *tm)
{
    struct cursor c = {after_day(text, true)};
    time_t at = now;
    struct tm today;

    take_text(&c, ", ");
    tm->tm_mday = take_number(&c, 2, false);
    take_text(&c, "-");
    tm->tm_mon = take_month(&c);
    take_text(&c, "-");
    tm->tm_year = take_number(&c, 2, false);
    take_text(&c, " ");
    take_time(&c, tm);
    take_text(&c, " GMT");
    (void)gmtime_r(&at, &today);
    tm->tm_year += today.tm_year - today.tm_year % 100;
    if (tm->tm_year > today.tm_year + 50)
        tm->tm_year -= 100;
    return c.at;
}

/* Sun Nov  6 08:49:37 1994 */
static const char *parse_asctime(const char *text, struct tm *tm)
{
    struct cursor c = {after_day(text, false)};

    take_text(&c, " ");
    tm->tm_mon = take_month(&c);
    take_text(&c, " ");
    tm->tm_mday = take_number(&c, 2, true);
    take_text(&c, " ");
    take_time(&c, tm);
    take_text(&c, " ");
    tm->tm_year = take_number(&c, 4, false) - 1900;
    return c.at;
}

/* timegm() turns the 31st of November into a day of December; here it is no date. */
static bool is_day(const struct tm *tm)
{
    struct tm copy = *tm;

    if (tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60 || tm->tm_mday < 1)
        return false;
    copy.tm_sec = 0;
    (void)timegm(&copy);
    return copy.tm_mday == tm->tm_mday && copy.tm_mon == tm->tm_mon;
}

bool tern_http_date_parse(const char *text, int64_t now, int64_t *out)
{
    struct tm tm = {.tm_mday = 0};
    const char *end = parse_fixdate(text, &tm);

    if (end == NULL)
        end = parse_rfc850(text, now, &tm);
    if (end == NULL)
        end = parse_asctime(text, &tm);
    if (end == NULL || *end != '\0' || !is_day(&tm))
        return false;
    *out = timegm(&tm);
    return true;
}
