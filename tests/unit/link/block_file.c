/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks reach a slow reader whole, and a file that is full ends with the last of them. */
#include "link/block_file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BLOCK_BYTES 300000u /* more than a pipe holds */

/* Reads to the end; the exit code is whether all of it came, in order. */
static void read_all(int fd)
{
    uint8_t piece[4096];
    size_t at = 0;
    ssize_t n;

    while ((n = read(fd, piece, sizeof piece)) > 0)
        for (ssize_t i = 0; i < n; i++, at++)
            if (piece[i] != (uint8_t)(at % 251))
                _exit(1);
    _exit(n == 0 && at == BLOCK_BYTES ? 0 : 1);
}

/* Whoever shares it may have made it non-blocking. */
static void a_full_pipe_is_waited_for(void **state)
{
    uint8_t *block = malloc(BLOCK_BYTES);
    struct tern_block_file f;
    int ends[2], status = 0;
    pid_t reader;

    (void)state;
    assert_non_null(block);
    for (size_t i = 0; i < BLOCK_BYTES; i++)
        block[i] = (uint8_t)(i % 251);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    reader = fork();
    if (reader == 0) {
        (void)close(ends[1]);
        read_all(ends[0]);
    }
    assert_true(reader > 0);
    (void)close(ends[0]);
    tern_block_file_init(&f, ends[1], false);
    tern_block_file_write(&f, block, BLOCK_BYTES);
    assert_int_equal(f.error, 0);
    assert_int_equal(f.good_bytes, BLOCK_BYTES);
    tern_block_file_fini(&f);
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_int_equal(status, 0);
    free(block);
}

static void a_reader_who_left_is_an_error(void **state)
{
    struct tern_block_file f;
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    (void)close(ends[0]);
    tern_block_file_init(&f, ends[1], true);
    tern_block_file_write(&f, "block", 5);
    assert_int_equal(f.error, EPIPE);
    tern_block_file_fini(&f);
}

/* Cut back where it is ours; and nothing follows what failed. */
static void a_full_disk(void **state)
{
    struct rlimit before, low;
    struct stat st;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    low = (struct rlimit){.rlim_cur = 100, .rlim_max = before.rlim_max};
    for (int ours = 0; ours < 2; ours++) {
        struct tern_block_file f;
        uint8_t block[60] = {0};
        int fd = memfd_create("blocks", MFD_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
        tern_block_file_init(&f, fd, ours == 1);
        for (int i = 0; i < 3; i++)
            tern_block_file_write(&f, block, sizeof block);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(f.error, EFBIG);
        assert_int_equal(f.good_bytes, sizeof block);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_size, ours == 1 ? 60 : 100);
        tern_block_file_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_pipe_is_waited_for),
        cmocka_unit_test(a_reader_who_left_is_an_error),
        cmocka_unit_test(a_full_disk),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
