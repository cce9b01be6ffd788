/* SPDX-License-Identifier: BSD-2-Clause */
/* The assertion hook: says what failed and where on standard error, and aborts. */
#include "test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"

/* Run f in a child; its standard error goes to text. Returns its wait status. */
static int run_child(void (*f)(void), char *text, size_t text_max)
{
    size_t bytes = 0;
    int ends[2], status = 0;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        f();
        _exit(0);
    }
    close(ends[1]);
    for (;;) {
        ssize_t n = read(ends[0], text + bytes, text_max - 1 - bytes);

        if (n <= 0)
            break;
        bytes += (size_t)n;
    }
    text[bytes] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void broken(void)
{
    int one = 1;

    TERN_ASSERT(one == 2);
}

static void sound(void)
{
    int one = 1;

    TERN_ASSERT(one == 1);
}

static void failure_prints_and_aborts(void **state)
{
    char text[256];
    int status = run_child(broken, text, sizeof text);

    (void)state;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(text, "one == 2"));
    assert_non_null(strstr(text, "assert.c:"));
}

static void success_is_silent(void **state)
{
    char text[256];
    int status = run_child(sound, text, sizeof text);

    (void)state;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failure_prints_and_aborts),
        cmocka_unit_test(success_is_silent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
