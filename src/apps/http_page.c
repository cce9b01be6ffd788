/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages that read well on a telephone, by day and by night, and load nothing. */
#include "apps/http_page.h"

static const struct status_row {
    int status;
    const char *reason, *words;
} rows[] = {
    {200, "OK", ""},
    {204, "No Content", ""},
    {206, "Partial Content", ""},
    {301, "Moved Permanently", "It is at another address."},
    {304, "Not Modified", ""},
    {400, "Bad Request", "This server does not understand the request."},
    {403, "Forbidden", "It may not be read here."},
    {404, "Not Found", "There is nothing by that name."},
    {405, "Method Not Allowed", "Files can be read here (GET, HEAD), and nothing else."},
    {408, "Request Timeout", "The request took too long to arrive."},
    {412, "Precondition Failed", "It is not what the request expects it to be."},
    {413, "Content Too Large", "The request carries more than this server reads."},
    {414, "URI Too Long", "The address is too long."},
    {416, "Range Not Satisfiable", "It is not as long as that."},
    {417, "Expectation Failed", "The request expects what this server does not do."},
    {431, "Request Header Fields Too Large", "The head of the request is too long."},
    {500, "Internal Server Error", "It could not be read."},
    {501, "Not Implemented", "This server does not know the method of the request."},
    {503, "Service Unavailable", "Too much is asked at once. Try again in a moment."},
    {505, "HTTP Version Not Supported", "This server speaks HTTP/1.1 and HTTP/1.0."},
};

static const struct status_row *find(int status)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].status == status)
            return &rows[i];
    return NULL;
}

const char *tern_http_reason(int status)
{
    const struct status_row *row = find(status);

    return row == NULL ? "Unknown" : row->reason;
}

void tern_http_page_begin(struct tern_http_text *t, const char *title)
{
    tern_http_put(t, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<title>");
    tern_http_put_html(t, title);
    tern_http_put(t, "</title>\n<style>\n"
                     ":root { color-scheme: light dark }\n"
                     "body { font: 1rem/1.6 system-ui, sans-serif; margin: 1rem auto;"
                     " max-width: 60rem; padding: 0 1rem }\n"
                     "h1 { font-size: 1.3rem; overflow-wrap: anywhere }\n"
                     "table { border-collapse: collapse; width: 100% }\n"
                     "td { padding: .3rem 0 .3rem 1rem; text-align: right; white-space: nowrap;"
                     " border-top: 1px solid #8884 }\n"
                     "td:first-child { padding-left: 0; text-align: left; white-space: normal;"
                     " overflow-wrap: anywhere; width: 100% }\n"
                     "@media (max-width: 32rem) { td:last-child { display: none } }\n"
                     "</style>\n</head>\n<body>\n<h1>");
    tern_http_put_html(t, title);
    tern_http_put(t, "</h1>\n");
}

void tern_http_page_end(struct tern_http_text *t)
{
    tern_http_put(t, "</body>\n</html>\n");
}

void tern_http_page_status(struct tern_http_text *t, int status)
{
    const struct status_row *row = find(status);
    struct tern_http_text title = {.data = NULL};

    tern_http_put_number(&title, (uint64_t)status);
    tern_http_put(&title, " ");
    tern_http_put(&title, tern_http_reason(status));
    tern_http_put_bytes(&title, "", 1);
    t->failed = t->failed || title.failed;
    tern_http_page_begin(t, title.failed ? "" : title.data);
    tern_http_put(t, "<p>");
    tern_http_put(t, row == NULL ? "" : row->words);
    tern_http_put(t, "</p>\n");
    tern_http_page_end(t);
    tern_http_text_fini(&title);
}
