/* SPDX-License-Identifier: BSD-2-Clause */
/* Who beats whom among the conditions. RFC 9110 §13.1, §13.2.2 */
#include "http_test.h"

#include "apps/http_conditions.h"

#define NOW   INT64_C(1795900000)
#define AT    "Sun, 06 Nov 1994 08:49:37 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"
#define SOON  "Sun, 06 Nov 1994 08:49:36 GMT"

static const struct tern_http_validators strong = {"\"a\"", 784111777};
static const struct tern_http_validators weak = {"W/\"a\"", 784111777};

static const struct {
    const char *match, *unmodified, *none_match, *modified;
    enum tern_http_condition strong, weak;
} rows[] = {
    {NULL, NULL, NULL, NULL, TERN_HTTP_GO_ON, TERN_HTTP_GO_ON},
    {"*", NULL, NULL, NULL, TERN_HTTP_GO_ON, TERN_HTTP_GO_ON},
    {"\"a\"", NULL, NULL, NULL, TERN_HTTP_GO_ON, TERN_HTTP_FAILED},
    {"W/\"a\"", NULL, NULL, NULL, TERN_HTTP_FAILED, TERN_HTTP_FAILED},
    {"\"b\"", NULL, NULL, NULL, TERN_HTTP_FAILED, TERN_HTTP_FAILED},
    {"\"b\" , \"a\"", NULL, NULL, NULL, TERN_HTTP_GO_ON, TERN_HTTP_FAILED},
    {"\"b, \"a\"", NULL, NULL, NULL, TERN_HTTP_FAILED, TERN_HTTP_FAILED},
    {"a", NULL, NULL, NULL, TERN_HTTP_FAILED, TERN_HTTP_FAILED},
    {"\"a\"", SOON, NULL, NULL, TERN_HTTP_GO_ON, TERN_HTTP_FAILED}, /* the date does not count */
    {NULL, AT, NULL, NULL, TERN_HTTP_GO_ON, TERN_HTTP_GO_ON},
    {NULL, LATER, NULL, NULL, TERN_HTTP_GO_ON, TERN_HTTP_GO_ON},
    {NULL, SOON, NULL, NULL, TERN_HTTP_FAILED, TERN_HTTP_FAILED},
    {NULL, "yesterday", NULL, NULL, TERN_HTTP_GO_ON, TERN_HTTP_GO_ON},
    {NULL, NULL, "*", NULL, TERN_HTTP_NOT_MODIFIED, TERN_HTTP_NOT_MODIFIED},
    {NULL, NULL, "\"a\"", NULL, TERN_HTTP_NOT_MODIFIED, TERN_HTTP_NOT_MODIFIED},
    {NULL, NULL, "W/\"a\"", NULL, TERN_HTTP_NOT_MODIFIED, TERN_HTTP_NOT_MODIFIED},
    {NULL, NULL, "\"b\",,W/\"a\"", NULL, TERN_HTTP_NOT_MODIFIED, TERN_HTTP_NOT_MODIFIED},
    {NULL, NULL, "\"b\"", NULL, TERN_HTTP_GO_ON, TERN_HTTP_GO_ON},
    {NULL, NULL, "\"b\"", LATER, TERN_HTTP_GO_ON, TERN_HTTP_GO_ON}, /* the tag beats the date */
    {NULL, NULL, NULL, AT, TERN_HTTP_NOT_MODIFIED, TERN_HTTP_NOT_MODIFIED},
    {NULL, NULL, NULL, LATER, TERN_HTTP_NOT_MODIFIED, TERN_HTTP_NOT_MODIFIED},
    {NULL, NULL, NULL, SOON, TERN_HTTP_GO_ON, TERN_HTTP_GO_ON},
    {NULL, NULL, NULL, "0", TERN_HTTP_GO_ON, TERN_HTTP_GO_ON},
    {"\"b\"", NULL, "\"a\"", NULL, TERN_HTTP_FAILED, TERN_HTTP_FAILED}, /* 412 before 304 */
    {"*", NULL, "*", NULL, TERN_HTTP_NOT_MODIFIED, TERN_HTTP_NOT_MODIFIED},
    {NULL, SOON, NULL, LATER, TERN_HTTP_FAILED, TERN_HTTP_FAILED},
};

static void set(struct tern_http_request *r, enum tern_http_field field, const char *value)
{
    r->field[field] = value;
    r->field_times[field] = value != NULL;
}

static void precedence(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tern_http_request r = {.method = TERN_HTTP_GET};

        set(&r, TERN_HTTP_IF_MATCH, rows[i].match);
        set(&r, TERN_HTTP_IF_UNMODIFIED_SINCE, rows[i].unmodified);
        set(&r, TERN_HTTP_IF_NONE_MATCH, rows[i].none_match);
        set(&r, TERN_HTTP_IF_MODIFIED_SINCE, rows[i].modified);
        if (tern_http_conditions(&r, &strong, NOW) != rows[i].strong)
            fail_msg("row %zu", i);
        if (tern_http_conditions(&r, &weak, NOW) != rows[i].weak)
            fail_msg("row %zu, weak", i);
    }
}

static const struct {
    const char *field;
    bool strong, weak;
} if_ranges[] = {
    {NULL, true, true},      {"\"a\"", true, false}, {"W/\"a\"", false, false},
    {"\"b\"", false, false}, {AT, true, false},      {LATER, false, false},
    {SOON, false, false},    {"a", false, false},    {"\"a\", \"a\"", false, false},
};

static void if_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(if_ranges); i++) {
        struct tern_http_request r = {.method = TERN_HTTP_GET};

        set(&r, TERN_HTTP_IF_RANGE, if_ranges[i].field);
        if (tern_http_if_range(&r, &strong, NOW) != if_ranges[i].strong)
            fail_msg("row %zu", i);
        if (tern_http_if_range(&r, &weak, NOW) != if_ranges[i].weak)
            fail_msg("row %zu, weak", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(precedence), cmocka_unit_test(if_range)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
