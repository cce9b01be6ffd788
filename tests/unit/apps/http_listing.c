/* SPDX-License-Identifier: BSD-2-Clause */
/* What a listing shows, in which order, and that names cannot become markup. */
#include "http_test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "apps/http_listing.h"

static char *listing(int root, const char *name, bool dotfiles)
{
    struct tern_http_text t = {.data = NULL};
    struct tern_http_entry *entries;
    size_t count;
    bool more;

    assert_true(tern_http_entries(root, name, dotfiles, &entries, &count, &more));
    assert_false(more);
    tern_http_listing(&t, strcmp(name, ".") == 0 ? "" : name, entries, count, more);
    tern_http_entries_free(entries, count);
    tern_http_put_bytes(&t, "", 1);
    assert_false(t.failed);
    return t.data;
}

/* The words stand there, in this order. */
static void in_order(const char *page, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *found = strstr(page, words[i]);

        if (found == NULL)
            fail_msg("no %s in: %s", words[i], page);
        else
            page = found + strlen(words[i]);
    }
}

static void shows(void **state)
{
    static const char *const wanted[] = {
        "<title>/</title>",
        "href=\"./a%22b/\">a&quot;b/</a></td><td></td>",
        "href=\"./sub/\"",
        "href=\"./%3Cimg%20src=x%20onerror=alert(1)%3E\"",
    };
    static const char *const files[] = {"href=\"./a2\"", "href=\"./a10\">a10</a></td><td>5 B</td>",
                                        "href=\"./big\">big</a></td><td>1.5 kB</td>",
                                        "href=\"./link\">link</a></td><td>5 B</td>"};
    struct place p;
    char *page;

    (void)state;
    place_open(&p);
    place_directory(&p, "www/sub");
    place_directory(&p, "www/a\"b");
    place_write(&p, "www/a10", "12345", 5);
    place_write(&p, "www/a2", "", 0);
    place_write(&p, "www/.hidden", "", 0);
    place_write(&p, "www/<img src=x onerror=alert(1)>", "", 0);
    place_write(&p, "www/big", "", 0);
    assert_int_equal(truncate(place_path(&p, "www/big"), 1500), 0);
    place_link(&p, "www/link", "a10");
    place_link(&p, "www/out", "../secret");
    assert_int_equal(mkfifo(place_path(&p, "www/fifo"), 0644), 0);
    page = listing(p.root, ".", false);
    in_order(page, wanted, COUNT(wanted));
    in_order(page, files, COUNT(files));
    assert_null(strstr(page, "<img"));
    assert_non_null(strstr(page, "&lt;img src=x onerror=alert(1)&gt;"));
    assert_null(strstr(page, "hidden"));
    assert_null(strstr(page, "fifo"));
    assert_null(strstr(page, "out\""));
    assert_null(strstr(page, "../"));
    free(page);
    page = listing(p.root, ".", true);
    assert_non_null(strstr(page, ".hidden"));
    free(page);
    page = listing(p.root, "sub", false);
    assert_non_null(strstr(page, "<title>/sub/</title>"));
    assert_non_null(strstr(page, "href=\"../\""));
    assert_non_null(strstr(page, "Nothing is in here"));
    free(page);
    place_close(&p);
}

static void too_many(void **state)
{
    struct tern_http_entry *entries;
    struct place p;
    size_t count;
    char name[32];
    bool more;

    (void)state;
    place_open(&p);
    for (int i = 0; i <= TERN_HTTP_LISTING_MAX; i++) {
        (void)snprintf(name, sizeof name, "www/%d", i);
        place_write(&p, name, "", 0);
    }
    assert_true(tern_http_entries(p.root, ".", false, &entries, &count, &more));
    assert_int_equal(count, TERN_HTTP_LISTING_MAX);
    assert_true(more);
    tern_http_entries_free(entries, count);
    assert_false(tern_http_entries(p.root, "none", false, &entries, &count, &more));
    assert_false(tern_http_entries(p.root, "1", false, &entries, &count, &more));
    place_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shows), cmocka_unit_test(too_many)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
