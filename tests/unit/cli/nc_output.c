/* SPDX-License-Identifier: BSD-2-Clause */
/* Standard output of nc: never waits, never changes the flags of a description that others share.
 */
#include "cli/nc_output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

static char block[65536];

/* Write until it says full; the bytes that it took. A pipe that blocked would hang the test. */
static size_t fill(struct tern_nc_output *out)
{
    size_t total = 0;

    for (;;) {
        ptrdiff_t n = tern_nc_output_write(out, block, sizeof block);

        assert_true(n >= 0);
        if (n == 0)
            return total;
        total += (size_t)n;
        assert_true(total < 64u << 20);
    }
}

static void check_never_waits(int reader, int writer)
{
    struct tern_nc_output out;
    int flags = fcntl(writer, F_GETFL);

    tern_nc_output_open(&out, writer);
    size_t total = fill(&out);

    assert_true(total > 0);
    assert_int_equal(fcntl(writer, F_GETFL), flags);
    assert_true(read(reader, block, sizeof block) > 0);
    assert_true(fill(&out) > 0);
    (void)close(reader);
    assert_int_equal(tern_nc_output_write(&out, block, 10), -1);
    assert_int_equal(errno, EPIPE);
    tern_nc_output_close(&out);
    assert_int_equal(fcntl(writer, F_GETFL), flags);
    (void)close(writer);
}

static void test_pipe(void **state)
{
    int fd[2];

    (void)state;
    assert_int_equal(pipe(fd), 0);
    check_never_waits(fd[0], fd[1]);
}

static void test_socket(void **state)
{
    int fd[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    check_never_waits(fd[0], fd[1]);
}

/* The way taken where a pipe cannot be opened anew. */
static void test_pipe_by_small_pieces(void **state)
{
    struct tern_nc_output out = {.chunk_bytes = 4096};
    int fd[2];

    (void)state;
    assert_int_equal(pipe(fd), 0);
    out.fd = fd[1];
    assert_int_equal(tern_nc_output_write(&out, block, sizeof block), 4096);
    assert_true(fill(&out) > 0);
    assert_int_equal(tern_nc_output_write(&out, block, 1), 0);
    (void)close(fd[0]);
    (void)close(fd[1]);
}

/* A file is written where the shared description stands, and appended to where it says so. */
static void test_file(void **state)
{
    char path[] = "/tmp/tern-nc-output-XXXXXX", got[16] = "";
    int fd = mkstemp(path);
    struct tern_nc_output out;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "one ", 4), 4);
    tern_nc_output_open(&out, fd);
    assert_int_equal(tern_nc_output_write(&out, "two", 3), 3);
    tern_nc_output_close(&out);
    assert_int_equal(pread(fd, got, sizeof got, 0), 7);
    assert_string_equal(got, "one two");
    (void)close(fd);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_socket),
        cmocka_unit_test(test_pipe_by_small_pieces),
        cmocka_unit_test(test_file),
    };
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    (void)sigaction(SIGPIPE, &ignore, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
