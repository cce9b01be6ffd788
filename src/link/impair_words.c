/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parser of impairments:
 *
 *     [in|out|both] loss P% | burst P% N | delay T | jitter T | reorder P% | duplicate P% |
 *     corrupt P% | rate R | limit N | mtu N | drop N
 *
 * in, out and both hold for the words after them, until the next of their kind; both is
 * where it begins. A word given again replaces its figure, except drop, which adds one. Numbers may
 * have a fraction; units are written without a space. A vertical bar or comma between words is a
 * space.
 */
#include "link/impair_words.h"

#include <stdio.h>
#include <string.h>

#include "link/words.h"

#define TOKEN_MAX   32
#define WHOLE_MAX   UINT64_C(1000000000)
#define MILLION     UINT64_C(1000000)
#define TIME_MAX_NS (3600 * TERN_SECOND)
#define SEPARATORS  " \t\n|,"

enum kind { PERCENT, TIME, RATE, COUNT };

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit time_units[] = {
    {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {NULL, 0}};
static const struct unit rate_units[] = {
    {"bit", 1}, {"kbit", 1000}, {"mbit", 1000000}, {"gbit", 1000000000}, {NULL, 0}};
/* One percent is 10,000 parts in a million. */
static const struct unit percent_units[] = {{"%", 10000}, {NULL, 0}};
static const struct unit count_units[] = {{"", 1}, {NULL, 0}};

struct kind_info {
    const struct unit *units;
    uint64_t max;
    const char *example;
};

static const struct kind_info kinds[] = {
    [PERCENT] = {percent_units, 1000000, "a percentage such as 2% or 0.1%"},
    [TIME] = {time_units, (uint64_t)TIME_MAX_NS, "a time such as 20ms, 100us or 1s"},
    [RATE] = {rate_units, UINT64_C(1000000000000), "a rate such as 10mbit or 1gbit"},
    [COUNT] = {count_units, 1000000, "a number from 1 to 1000000"},
};

enum word_id {
    LOSS,
    BURST,
    DELAY,
    JITTER,
    REORDER,
    DUPLICATE,
    CORRUPT,
    RATE_WORD,
    LIMIT,
    MTU,
    DROP
};

struct word {
    const char *name;
    enum kind kind;
};

static const struct word words_known[] = {
    [LOSS] = {"loss", PERCENT},       [BURST] = {"burst", PERCENT},
    [DELAY] = {"delay", TIME},        [JITTER] = {"jitter", TIME},
    [REORDER] = {"reorder", PERCENT}, [DUPLICATE] = {"duplicate", PERCENT},
    [CORRUPT] = {"corrupt", PERCENT}, [RATE_WORD] = {"rate", RATE},
    [LIMIT] = {"limit", COUNT},       [MTU] = {"mtu", COUNT},
    [DROP] = {"drop", COUNT},
};

#define WORDS_COUNT (sizeof(words_known) / sizeof(words_known[0]))

struct parser {
    const char *at;
    char token[TOKEN_MAX]; /* the one just read, cut where it is too long for anything known */
    bool applies[2];
    struct tern_impair_way *way;
    char *error_text;
};

static bool next_token(struct parser *p)
{
    size_t bytes;

    p->at += strspn(p->at, SEPARATORS);
    bytes = strcspn(p->at, SEPARATORS);
    (void)snprintf(p->token, sizeof(p->token), "%.*s", (int)(bytes < TOKEN_MAX ? bytes : TOKEN_MAX),
                   p->at);
    p->at += bytes;
    return bytes > 0;
}

/* Digits, maybe a point and more digits. Returns what follows; NULL: no number. */
static const char *read_number(const char *s, uint64_t *whole, uint64_t *millionths)
{
    uint64_t scale = MILLION;

    if (*s < '0' || *s > '9')
        return NULL;
    for (*whole = 0; *s >= '0' && *s <= '9'; s++) {
        *whole = *whole * 10 + (uint64_t)(*s - '0');
        if (*whole > WHOLE_MAX)
            return NULL;
    }
    *millionths = 0;
    if (*s != '.')
        return s;
    for (s++; *s >= '0' && *s <= '9'; s++) {
        scale /= 10;
        *millionths += (uint64_t)(*s - '0') * scale;
    }
    return s;
}

static bool read_value(const char *token, enum kind kind, uint64_t *out)
{
    const struct kind_info *info = &kinds[kind];
    uint64_t whole, millionths;
    const char *unit = read_number(token, &whole, &millionths);

    if (unit == NULL || (kind == COUNT && millionths != 0))
        return false;
    for (const struct unit *u = info->units; u->name != NULL; u++) {
        if (strcmp(u->name, unit) != 0)
            continue;
        *out = whole * u->factor + millionths * u->factor / MILLION;
        return *out <= info->max && (kind != COUNT || *out > 0);
    }
    return false;
}

/* The value that follows a word. */
static bool take_value(struct parser *p, const char *word, enum kind kind, uint64_t *out)
{
    if (!next_token(p)) {
        tern_link_say(p->error_text, "impair: '%s' wants %s after it", word, kinds[kind].example);
        return false;
    }
    if (read_value(p->token, kind, out))
        return true;
    tern_link_say(p->error_text, "impair: '%s' wants %s, not '%s'", word, kinds[kind].example,
                  p->token);
    return false;
}

static bool add_drop(const struct parser *p, struct tern_impair_way *way, uint64_t number)
{
    if (way->drop_count == TERN_IMPAIR_DROPS_MAX) {
        tern_link_say(p->error_text, "impair: more than %d times 'drop'", TERN_IMPAIR_DROPS_MAX);
        return false;
    }
    way->drop[way->drop_count++] = (uint32_t)number;
    return true;
}

static bool store(const struct parser *p, struct tern_impair_way *way, enum word_id id,
                  uint64_t value, uint64_t second)
{
    way->active = true;
    switch (id) {
    case LOSS:
        way->loss_ppm = (uint32_t)value;
        return true;
    case BURST:
        way->burst_ppm = (uint32_t)value;
        way->burst_count = (uint32_t)second;
        return true;
    case DELAY:
        way->delay = (tern_time)value;
        return true;
    case JITTER:
        way->jitter = (tern_time)value;
        return true;
    case REORDER:
        way->reorder_ppm = (uint32_t)value;
        return true;
    case DUPLICATE:
        way->duplicate_ppm = (uint32_t)value;
        return true;
    case CORRUPT:
        way->corrupt_ppm = (uint32_t)value;
        return true;
    case RATE_WORD:
        way->rate_bits = value;
        return true;
    case LIMIT:
        way->limit = (uint32_t)value;
        return true;
    case MTU:
        way->mtu_bytes = (uint32_t)value;
        return true;
    case DROP:
        return add_drop(p, way, value);
    }
    return false;
}

static bool is_direction(struct parser *p)
{
    static const struct {
        const char *name;
        bool applies[2];
    } directions[] = {
        {"in", {true, false}},
        {"out", {false, true}},
        {"both", {true, true}},
    };

    for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]); i++) {
        if (strcmp(p->token, directions[i].name) == 0) {
            memcpy(p->applies, directions[i].applies, sizeof(p->applies));
            return true;
        }
    }
    return false;
}

static bool parse_word(struct parser *p)
{
    uint64_t value = 0, second = 0;
    size_t id = 0;

    while (id < WORDS_COUNT && strcmp(p->token, words_known[id].name) != 0)
        id++;
    if (id == WORDS_COUNT) {
        tern_link_say(p->error_text,
                      "impair: '%s' is none of in, out, loss, burst, delay, jitter, reorder, "
                      "duplicate, corrupt, rate, limit, mtu, drop",
                      p->token);
        return false;
    }
    if (!take_value(p, words_known[id].name, words_known[id].kind, &value))
        return false;
    if (id == BURST && !take_value(p, "burst P%", COUNT, &second))
        return false;
    for (int i = 0; i < 2; i++) {
        if (p->applies[i] && !store(p, &p->way[i], (enum word_id)id, value, second))
            return false;
    }
    return true;
}

/* Figures that only mean something together. */
static bool consistent(const struct parser *p, const struct tern_impair_way *way)
{
    if (way->delay == 0 && (way->jitter != 0 || way->reorder_ppm != 0)) {
        tern_link_say(p->error_text, "impair: '%s' means nothing without 'delay T'",
                      way->jitter != 0 ? "jitter" : "reorder");
        return false;
    }
    return true;
}

enum tern_err tern_impair_parse(const char *words, struct tern_impair_way way[2], char *error_text)
{
    struct parser p = {.at = words, .applies = {true, true}, .way = way, .error_text = error_text};

    memset(way, 0, 2 * sizeof(way[0]));
    while (next_token(&p)) {
        if (!is_direction(&p) && !parse_word(&p))
            return TERN_ERR_INVAL;
    }
    for (int i = 0; i < 2; i++) {
        if (!consistent(&p, &way[i]))
            return TERN_ERR_INVAL;
    }
    if (way[0].active || way[1].active)
        return TERN_ERR_OK;
    tern_link_say(error_text, "impair: nothing to do; try: loss 2%% delay 80ms");
    return TERN_ERR_INVAL;
}
