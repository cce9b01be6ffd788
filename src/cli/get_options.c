/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Curl's flags. One table holds each flag's long name, its letter, what kind of argument it takes
 * and where the value goes; getopt_long()'s own tables are made from it. Flags that are more than
 * a value have a function. A flag that is not in the table is refused with curl's exit code 2.
 */
#include "cli/get_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/get_body.h"
#include "cli/say.h"
#include "cli/talk_files.h"

#define EXIT_USAGE   2
#define EXIT_RESOLVE 6

enum kind {
    KIND_BOOL,    /* no argument: sets a bool */
    KIND_VALUE,   /* no argument: sets a long to rule.value */
    KIND_TEXT,    /* a string, kept */
    KIND_COUNT,   /* a whole number, 0 and up */
    KIND_SECONDS, /* decimal seconds, kept as milliseconds */
    KIND_CALL,    /* rule.call with the argument */
    KIND_DO,      /* rule.call without one */
};

struct rule {
    const char *name;
    int letter; /* 0: none */
    enum kind kind;
    size_t offset;
    long value;
    int (*call)(struct get_options *options, const char *argument);
};

static struct get_item *item_at(struct get_options *o, int index)
{
    while (o->items_count <= index) {
        struct get_item *items = realloc(o->items, (size_t)(index + 1) * sizeof *items);

        if (items == NULL)
            return NULL;
        o->items = items;
        memset(&o->items[o->items_count++], 0, sizeof *items);
    }
    return &o->items[index];
}

static int no_memory(void)
{
    tern_complain("no memory for the command line");
    return EXIT_USAGE;
}

static int add_url(struct get_options *o, const char *argument)
{
    struct get_item *item = item_at(o, o->urls_count++);

    if (item == NULL)
        return no_memory();
    item->url = argument;
    return 0;
}

static int add_output(struct get_options *o, const char *argument)
{
    struct get_item *item = item_at(o, o->outputs_count++);

    if (item == NULL)
        return no_memory();
    item->output = argument;
    item->remote_name = argument == NULL;
    return 0;
}

static int add_remote_name(struct get_options *o, const char *argument)
{
    (void)argument;
    return add_output(o, NULL);
}

static int add_upload(struct get_options *o, const char *argument)
{
    struct get_item *item = item_at(o, o->uploads_count++);

    if (item == NULL)
        return no_memory();
    item->upload = argument;
    return 0;
}

static int add_header(struct get_options *o, const char *argument)
{
    struct curl_slist *longer = curl_slist_append(o->headers, argument);

    if (longer == NULL)
        return no_memory();
    o->headers = longer;
    return 0;
}

static int add_data(struct get_options *o, const char *argument)
{
    return tern_get_body_add(o, argument, GET_BODY_TEXT);
}

static int add_data_binary(struct get_options *o, const char *argument)
{
    return tern_get_body_add(o, argument, GET_BODY_BINARY);
}

static int add_data_raw(struct get_options *o, const char *argument)
{
    return tern_get_body_add(o, argument, GET_BODY_RAW);
}

static int set_resume(struct get_options *o, const char *argument)
{
    char *end = NULL;

    o->resume = true;
    o->resume_auto = strcmp(argument, "-") == 0;
    if (o->resume_auto)
        return 0;
    errno = 0;
    o->resume_from = strtoll(argument, &end, 10);
    if (end != argument && *end == '\0' && errno == 0 && o->resume_from >= 0)
        return 0;
    tern_complain("-C %s: give an offset in bytes, or - to go on where the file ends", argument);
    return EXIT_USAGE;
}

/* 200, 200k, 5M, 1G: 1024 at a time. */
static int set_limit_rate(struct get_options *o, const char *argument)
{
    static const char units[] = "bkmgt";
    char *end = NULL;
    double rate = strtod(argument, &end);
    const char *unit;

    if (end != argument && *end != '\0' && end[1] == '\0') {
        unit = strchr(units, *end | 0x20);
        if (unit != NULL) {
            rate *= (double)(INT64_C(1) << (10 * (unit - units)));
            end++;
        }
    }
    if (end == argument || *end != '\0' || !(rate >= 1) || rate > 1e15) {
        tern_complain("--limit-rate %s: give bytes a second, such as 500k or 2M", argument);
        return EXIT_USAGE;
    }
    o->limit_rate = (curl_off_t)rate;
    return 0;
}

/* HOST:PORT:ADDRESS */
static int add_resolve(struct get_options *o, const char *argument)
{
    struct tern_socks_override *item = calloc(1, sizeof *item);
    char *host = strdup(argument);
    char *port = host == NULL ? NULL : strchr(host, ':');
    char *addr = port == NULL ? NULL : strchr(port + 1, ':');
    char *end = NULL;
    unsigned long number;

    if (item == NULL || addr == NULL)
        goto wrong;
    *port++ = '\0';
    *addr++ = '\0';
    number = strcmp(port, "*") == 0 ? 0 : strtoul(port, &end, 10);
    if ((end != NULL && (end == port || *end != '\0' || number == 0)) || number > 65535 ||
        tern_addr_parse(addr, &item->addr) != TERN_ERR_OK)
        goto wrong;
    item->host = host;
    item->port = (uint16_t)number;
    item->next = o->overrides;
    o->overrides = item;
    return 0;
wrong:
    free(host);
    free(item);
    tern_complain("--resolve %s: write it as HOST:PORT:ADDRESS", argument);
    return EXIT_USAGE;
}

static int refuse_ipv6(struct get_options *o, const char *argument)
{
    (void)o;
    (void)argument;
    tern_complain("(6) -6: this version of tern speaks IPv4 only");
    return EXIT_RESOLVE;
}

static int refuse_proxy(struct get_options *o, const char *argument)
{
    (void)o;
    tern_complain("-x %s: tern get speaks to servers itself and uses no proxy", argument);
    return EXIT_USAGE;
}

static int ignore(struct get_options *o, const char *argument)
{
    (void)o;
    (void)argument;
    return 0;
}

#define AT(field) offsetof(struct get_options, field)
#define SET(name, letter, field)                                                                   \
    {                                                                                              \
        name, letter, KIND_BOOL, AT(field), 0, NULL                                                \
    }
#define TEXT(name, letter, field)                                                                  \
    {                                                                                              \
        name, letter, KIND_TEXT, AT(field), 0, NULL                                                \
    }
#define COUNT(name, letter, field)                                                                 \
    {                                                                                              \
        name, letter, KIND_COUNT, AT(field), 0, NULL                                               \
    }
#define SECONDS(name, letter, field)                                                               \
    {                                                                                              \
        name, letter, KIND_SECONDS, AT(field), 0, NULL                                             \
    }
#define VALUE(name, letter, field, v)                                                              \
    {                                                                                              \
        name, letter, KIND_VALUE, AT(field), v, NULL                                               \
    }
#define CALL(name, letter, function)                                                               \
    {                                                                                              \
        name, letter, KIND_CALL, 0, 0, function                                                    \
    }
#define DO(name, letter, function)                                                                 \
    {                                                                                              \
        name, letter, KIND_DO, 0, 0, function                                                      \
    }

static const struct rule rules[] = {
    CALL("output", 'o', add_output),
    DO("remote-name", 'O', add_remote_name),
    CALL("url", 0, add_url),
    SET("location", 'L', location),
    SET("head", 'I', head),
    SET("include", 'i', include),
    SET("verbose", 'v', talk.verbose),
    SET("silent", 's', silent),
    SET("show-error", 'S', show_error),
    SET("fail", 'f', fail),
    SET("fail-with-body", 0, fail_with_body),
    SET("insecure", 'k', insecure),
    CALL("header", 'H', add_header),
    CALL("data", 'd', add_data),
    CALL("data-ascii", 0, add_data),
    CALL("data-binary", 0, add_data_binary),
    CALL("data-raw", 0, add_data_raw),
    SET("get", 'G', as_get),
    TEXT("request", 'X', method),
    CALL("upload-file", 'T', add_upload),
    TEXT("range", 'r', range),
    CALL("continue-at", 'C', set_resume),
    SECONDS("max-time", 'm', max_ms),
    SECONDS("connect-timeout", 0, connect_ms),
    COUNT("retry", 0, retry),
    SECONDS("retry-delay", 0, retry_delay_ms),
    SET("retry-connrefused", 0, retry_connrefused),
    SET("retry-all-errors", 0, retry_all),
    CALL("resolve", 0, add_resolve),
    DO("ipv4", '4', ignore),
    DO("ipv6", '6', refuse_ipv6),
    TEXT("write-out", 'w', write_out),
    TEXT("user-agent", 'A', agent),
    TEXT("cookie", 'b', cookie),
    TEXT("cookie-jar", 'c', cookie_jar),
    TEXT("referer", 'e', referer),
    TEXT("user", 'u', user),
    TEXT("dump-header", 'D', dump_header),
    SET("compressed", 0, compressed),
    TEXT("cacert", 0, cacert),
    TEXT("capath", 0, capath),
    TEXT("cert", 'E', cert),
    TEXT("key", 0, key),
    VALUE("http1.0", '0', http_version, CURL_HTTP_VERSION_1_0),
    VALUE("http1.1", 0, http_version, CURL_HTTP_VERSION_1_1),
    VALUE("http2", 0, http_version, CURL_HTTP_VERSION_2_0),
    VALUE("http2-prior-knowledge", 0, http_version, CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE),
    VALUE("tlsv1.2", 0, tls_version, CURL_SSLVERSION_TLSv1_2),
    VALUE("tlsv1.3", 0, tls_version, CURL_SSLVERSION_TLSv1_3),
    COUNT("max-redirs", 0, max_redirs),
    CALL("limit-rate", 0, set_limit_rate),
    SET("progress-bar", '#', bar),
    SET("no-progress-meter", 0, no_meter),
    SET("create-dirs", 0, create_dirs),
    TEXT("output-dir", 0, output_dir),
    DO("no-buffer", 'N', ignore),
    CALL("proxy", 'x', refuse_proxy),
    SET("help", 'h', help),
};

#define RULES_COUNT   ((int)(sizeof rules / sizeof rules[0]))
#define LONGS_MAX     128
#define LONG_FIRST    2000 /* what getopt_long() returns for the first rule */
#define LETTERS_BYTES (2 + 2 * RULES_COUNT + 1)

static bool takes_argument(const struct rule *rule)
{
    return rule->kind != KIND_BOOL && rule->kind != KIND_VALUE && rule->kind != KIND_DO;
}

static void make_tables(struct option *longs, char *letters)
{
    char *p = letters;
    int i, n = 0;

    *p++ = ':'; /* a missing argument is told apart from an unknown flag */
    for (i = 0; i < RULES_COUNT; i++) {
        const struct rule *rule = &rules[i];

        longs[n++] =
            (struct option){rule->name, takes_argument(rule) ? required_argument : no_argument,
                            NULL, LONG_FIRST + i};
        if (rule->letter == 0)
            continue;
        *p++ = (char)rule->letter;
        if (takes_argument(rule))
            *p++ = ':';
    }
    *p = '\0';
    for (i = 0; i < (int)tern_talk_flags_count; i++)
        longs[n++] = tern_talk_flags[i];
    memset(&longs[n], 0, sizeof longs[n]);
}

static const struct rule *find_rule(int value)
{
    int i;

    if (value >= LONG_FIRST && value < LONG_FIRST + RULES_COUNT)
        return &rules[value - LONG_FIRST];
    for (i = 0; i < RULES_COUNT; i++)
        if (rules[i].letter == value)
            return &rules[i];
    return NULL;
}

static int set_count(const struct rule *rule, const char *argument, long *out)
{
    char *end = NULL;
    long value;

    errno = 0;
    value = strtol(argument, &end, 10);
    if (end == argument || *end != '\0' || errno != 0 || value < -1) {
        tern_complain("--%s %s: not a whole number", rule->name, argument);
        return EXIT_USAGE;
    }
    *out = value;
    return 0;
}

static int set_seconds(const struct rule *rule, const char *argument, long *out)
{
    char *end = NULL;
    double seconds = strtod(argument, &end);

    if (end == argument || *end != '\0' || !(seconds >= 0) || seconds > 1e9) {
        tern_complain("--%s %s: not a number of seconds", rule->name, argument);
        return EXIT_USAGE;
    }
    *out = (long)(seconds * 1000);
    if (*out == 0 && seconds > 0)
        *out = 1;
    return 0;
}

static int apply(struct get_options *options, const struct rule *rule, const char *argument)
{
    void *field = (char *)options + rule->offset;

    switch (rule->kind) {
    case KIND_BOOL:
        *(bool *)field = true;
        return 0;
    case KIND_VALUE:
        *(long *)field = rule->value;
        return 0;
    case KIND_TEXT:
        *(const char **)field = argument;
        return 0;
    case KIND_COUNT:
        return set_count(rule, argument, field);
    case KIND_SECONDS:
        return set_seconds(rule, argument, field);
    case KIND_CALL:
    case KIND_DO:
    default:
        return rule->call(options, argument);
    }
}

static int wrong_flag(int value, char **argv)
{
    const char *text = argv[optind - 1];

    if (value == ':')
        tern_complain("get: %s needs an argument. Try: tern get --help", text);
    else if (optopt > 0 && optopt < LONG_FIRST && text[0] == '-' && text[1] != '-')
        tern_complain("get: unknown flag -%c. Try: tern get --help", optopt);
    else
        tern_complain("get: unknown flag %s. Try: tern get --help", text);
    return EXIT_USAGE;
}

/* What is fetched may not go where the shared flags write. */
static int check_files(const struct get_options *o)
{
    for (int i = 0; i <= o->outputs_count; i++) {
        const char *path = i < o->outputs_count ? o->items[i].output : o->dump_header;
        const bool is_here = path != NULL && strcmp(path, "-") != 0 &&
                             (i == o->outputs_count || o->output_dir == NULL);
        const char *flag = is_here ? tern_talk_files_writer(&o->talk, path) : NULL;

        if (flag == NULL)
            continue;
        tern_complain("get: %s and %s would both write %s: give two names",
                      i < o->outputs_count ? "-o" : "-D", flag, path);
        return EXIT_USAGE;
    }
    return 0;
}

/* Everything was read: does it fit together? */
static int check(struct get_options *o)
{
    if (o->help)
        return 0;
    if (o->urls_count == 0) {
        tern_complain("get: no URL. Try: tern get --help");
        return EXIT_USAGE;
    }
    if (o->outputs_count > o->urls_count || o->uploads_count > o->urls_count) {
        tern_complain("get: more -o, -O or -T than URLs");
        return EXIT_USAGE;
    }
    if (o->has_body && !o->as_get && (o->head || o->uploads_count > 0)) {
        tern_complain("get: -d sends a POST, -I a HEAD and -T a PUT: only one of them goes");
        return EXIT_USAGE;
    }
    return check_files(o);
}

int tern_get_options_parse(struct get_options *options, int argc, char **argv)
{
    struct option longs[LONGS_MAX];
    char letters[LETTERS_BYTES];
    int value, code = 0;

    _Static_assert(RULES_COUNT + 32 < LONGS_MAX, "room for the shared flags");
    memset(options, 0, sizeof *options);
    options->max_redirs = 50; /* curl's */
    make_tables(longs, letters);
    opterr = 0;
    optind = 0; /* start afresh */
    while (code == 0 && (value = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        const struct rule *rule = find_rule(value);

        if (value == '?' || value == ':')
            code = wrong_flag(value, argv);
        else if (rule != NULL)
            code = apply(options, rule, optarg);
        else
            (void)tern_talk_flag(&options->talk, value, optarg);
    }
    while (code == 0 && optind < argc)
        code = add_url(options, argv[optind++]);
    return code != 0 ? code : check(options);
}

void tern_get_options_free(struct get_options *options)
{
    while (options->overrides != NULL) {
        struct tern_socks_override *next = options->overrides->next;

        free(options->overrides->host);
        free(options->overrides);
        options->overrides = next;
    }
    curl_slist_free_all(options->headers);
    free(options->items);
    free(options->body);
}
