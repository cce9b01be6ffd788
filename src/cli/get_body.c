/* SPDX-License-Identifier: BSD-2-Clause */
/* What -d, --data-binary and --data-raw send: arguments and files, joined with '&' as curl does. */
#include "cli/get_body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/say.h"

#define EXIT_READ  26
#define STEP_BYTES 65536

char *tern_get_slurp(const char *path, size_t *bytes)
{
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    char *data = NULL, *more;
    size_t length = 0, n;
    int why;

    if (in == NULL)
        return NULL;
    do {
        more = realloc(data, length + STEP_BYTES + 1);
        if (more == NULL)
            break;
        data = more;
        n = fread(data + length, 1, STEP_BYTES, in);
        length += n;
    } while (n > 0);
    why = more == NULL ? ENOMEM : ferror(in) ? EIO : 0;
    if (in != stdin)
        (void)fclose(in);
    if (why != 0) {
        free(data);
        errno = why;
        return NULL;
    }
    data[length] = '\0';
    *bytes = length;
    return data;
}

/* Without CR, LF and NUL; returns what is left. */
static size_t strip_line_ends(char *data, size_t bytes)
{
    size_t from, to = 0;

    for (from = 0; from < bytes; from++)
        if (data[from] != '\r' && data[from] != '\n' && data[from] != '\0')
            data[to++] = data[from];
    return to;
}

static int append(struct get_options *options, const char *data, size_t bytes)
{
    size_t joint = options->has_body ? 1 : 0;
    char *body = realloc(options->body, options->body_bytes + joint + bytes + 1);

    if (body == NULL) {
        tern_complain("no memory for the data to send");
        return 2;
    }
    if (joint > 0)
        body[options->body_bytes] = '&';
    if (bytes > 0)
        memcpy(body + options->body_bytes + joint, data, bytes);
    options->body = body;
    options->body_bytes += joint + bytes;
    options->body[options->body_bytes] = '\0';
    options->has_body = true;
    return 0;
}

int tern_get_body_add(struct get_options *options, const char *argument, enum get_body_kind kind)
{
    size_t bytes = 0;
    char *data;
    int code;

    if (kind == GET_BODY_RAW || *argument != '@')
        return append(options, argument, strlen(argument));
    data = tern_get_slurp(argument + 1, &bytes);
    if (data == NULL) {
        tern_complain("(26) cannot read %s: %s", argument + 1, strerror(errno));
        return EXIT_READ;
    }
    if (kind == GET_BODY_TEXT)
        bytes = strip_line_ends(data, bytes);
    code = append(options, data, bytes);
    free(data);
    return code;
}
