/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flags of tern draw. Read by hand, since what follows FILE is a filter in tcpdump's words,
 * of which none is a flag. The first name that is no flag's value is the capture. --json stands
 * alone, and the JSON goes to standard output: what follows it is the capture, or the filter's
 * first word. Only what cannot be those is taken for the place to write to: a name that ends in
 * ".json", or "-" once the capture is named; --json=F takes any.
 */
#include <stdio.h>
#include <string.h>

#include "cli/draw.h"
#include "cli/number.h"
#include "cli/say.h"

struct flag {
    const char *name;
    bool takes_value;
};

static const struct flag flags[] = {
    {"--json", true},   {"--svg", true},   {"--html", true},
    {"--stream", true}, {"--width", true}, {"--ladder", false},
    {"--ascii", false}, {"--help", false}, {"-h", false},
};

static const struct flag *flag_find(const char *text)
{
    size_t bytes = strcspn(text, "=");

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strlen(flags[i].name) == bytes && strncmp(flags[i].name, text, bytes) == 0)
            return &flags[i];
    return NULL;
}

static bool flag_number(const char *name, const char *value, uint64_t low, uint64_t high,
                        uint64_t *out)
{
    if (tern_number(value, low, high, out))
        return true;
    tern_complain("draw: %s takes a number from %llu to %llu, not '%s'", name,
                  (unsigned long long)low, (unsigned long long)high, value);
    return false;
}

static bool flag_apply(struct draw_options *o, const char *name, const char *value)
{
    uint64_t n = 0;

    if (strcmp(name, "--json") == 0) {
        o->json = value;
    } else if (strcmp(name, "--svg") == 0) {
        o->svg = value;
    } else if (strcmp(name, "--html") == 0) {
        o->html = value;
    } else if (strcmp(name, "--ladder") == 0) {
        o->ladder = true;
    } else if (strcmp(name, "--ascii") == 0) {
        o->ascii = true;
    } else if (strcmp(name, "--stream") == 0) {
        o->has_stream = true;
        if (!flag_number(name, value, 0, UINT32_MAX - 1, &n))
            return false;
        o->stream = (uint32_t)n;
    } else if (strcmp(name, "--width") == 0) {
        if (!flag_number(name, value, 60, 200, &n))
            return false;
        o->width = (size_t)n;
    } else {
        o->help = true;
    }
    return true;
}

static bool filter_add(struct draw_options *o, const char *word)
{
    size_t used = strlen(o->filter);

    if (used + strlen(word) + 2 > sizeof o->filter) {
        tern_complain("draw: the filter is too long");
        return false;
    }
    (void)snprintf(o->filter + used, sizeof o->filter - used, "%s%s", used > 0 ? " " : "", word);
    return true;
}

static bool is_json_place(const struct draw_options *o, const char *word)
{
    size_t bytes = strlen(word);

    if (strcmp(word, "-") == 0)
        return o->file != NULL;
    return bytes > 5 && word[0] != '-' && strcmp(word + bytes - 5, ".json") == 0;
}

/* The value of a flag, from behind '=' or the next word; NULL: it has none. */
static const char *flag_value(const struct draw_options *o, const struct flag *flag, int argc,
                              char **argv, int *at)
{
    const char *value = strchr(argv[*at], '=');
    const char *next = *at + 1 < argc ? argv[*at + 1] : NULL;
    bool is_json = strcmp(flag->name, "--json") == 0;

    if (value != NULL)
        return value + 1;
    if (is_json && (next == NULL || !is_json_place(o, next)))
        return "-";
    if (flag->takes_value && next != NULL)
        ++*at;
    return flag->takes_value ? next : NULL;
}

/* *at is its index, and becomes that of its value. */
static bool flag_read(struct draw_options *o, int argc, char **argv, int *at)
{
    const struct flag *flag = flag_find(argv[*at]);

    if (flag == NULL) {
        tern_complain("draw: no flag '%s'. Try: tern draw --help", argv[*at]);
        return false;
    }
    const char *value = flag_value(o, flag, argc, argv, at);

    if (!flag->takes_value && value != NULL) {
        tern_complain("draw: %s takes no value", flag->name);
        return false;
    }
    if (flag->takes_value && (value == NULL || *value == '\0')) {
        tern_complain("draw: %s takes a value. Try: tern draw --help", flag->name);
        return false;
    }
    return flag_apply(o, flag->name, value);
}

bool draw_parse(int argc, char **argv, struct draw_options *o)
{
    bool only_words = false;

    *o = (struct draw_options){.file = NULL};
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        bool is_flag = !only_words && word[0] == '-' && word[1] != '\0';

        if (is_flag && strcmp(word, "--") == 0) {
            only_words = true;
        } else if (is_flag) {
            if (!flag_read(o, argc, argv, &i))
                return false;
        } else if (o->file == NULL) {
            o->file = word;
        } else if (!filter_add(o, word)) {
            return false;
        }
    }
    if (o->file == NULL && !o->help)
        tern_complain("draw: which capture? Try: tern draw FILE, or tern draw --help");
    return o->file != NULL || o->help;
}
