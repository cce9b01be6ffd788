/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flags of tern draw. Read by hand, since what follows FILE is a filter in tcpdump's words,
 * of which none is a flag, and --json may stand without a file of its own: then the only name on
 * the line is the capture, and the JSON goes to standard output.
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

/* A flag, with its value from behind '=' or the next word; *at is its index. */
static bool flag_read(struct draw_options *o, int argc, char **argv, int *at)
{
    const struct flag *flag = flag_find(argv[*at]);
    const char *value = strchr(argv[*at], '=');

    if (flag == NULL) {
        tern_complain("draw: no flag '%s'. Try: tern draw --help", argv[*at]);
        return false;
    }
    if (!flag->takes_value && value != NULL) {
        tern_complain("draw: %s takes no value", flag->name);
        return false;
    }
    if (flag->takes_value && value == NULL && *at + 1 < argc)
        value = argv[++*at];
    else if (value != NULL)
        value++;
    if (flag->takes_value && value == NULL) {
        if (strcmp(flag->name, "--json") != 0) {
            tern_complain("draw: %s takes a value. Try: tern draw --help", flag->name);
            return false;
        }
        value = "-";
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
    if (o->file == NULL && o->json != NULL && strcmp(o->json, "-") != 0) {
        o->file = o->json;
        o->json = "-";
    }
    if (o->file == NULL && !o->help)
        tern_complain("draw: which capture? Try: tern draw FILE, or tern draw --help");
    return o->file != NULL || o->help;
}
