/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks are read once for many, anew where the file is another, and never while they are used. */
#include "http_test.h"

#include <errno.h>
#include <unistd.h>

#include "apps/http_blocks.h"

#define SIZE   (TERN_HTTP_BLOCK_BYTES + 1000)
#define BLOCKS 4

static struct place place;
static bool reads_are_short;
static struct tern_http_blocks blocks;
static struct tern_http_file file;
static char data[SIZE];

ssize_t __real_pread64(int fd, void *to, size_t bytes, off_t at);
ssize_t __wrap_pread64(int fd, void *to, size_t bytes, off_t at);

/* A file system may give less than was asked for, and a signal nothing. */
ssize_t __wrap_pread64(int fd, void *to, size_t bytes, off_t at)
{
    static unsigned calls;

    if (reads_are_short && ++calls % 3 == 0) {
        errno = EINTR;
        return -1;
    }
    return __real_pread64(fd, to, reads_are_short && bytes > 1500 ? 1500 : bytes, at);
}

static void look_again(void)
{
    if (file.fd >= 0)
        (void)close(file.fd);
    assert_int_equal(tern_http_file_open(place.root, "f", &file), TERN_HTTP_OPEN_OK);
}

static void write_all(char letter)
{
    memset(data, letter, sizeof data);
    place_write(&place, "www/f", data, sizeof data);
    look_again();
}

static int set_up(void **state)
{
    (void)state;
    file.fd = -1;
    place_open(&place);
    write_all('a');
    return tern_http_blocks_init(&blocks, BLOCKS) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    (void)close(file.fd);
    tern_http_blocks_fini(&blocks);
    place_close(&place);
    return 0;
}

static struct tern_http_block *take(uint64_t index, bool steady, tern_time now)
{
    return tern_http_block_take(&blocks, &file, index, steady, now);
}

static void shared(void **state)
{
    struct tern_http_block *a = take(0, true, 0), *b = take(0, true, 0), *end = take(1, true, 0);

    (void)state;
    assert_ptr_equal(a, b);
    assert_int_equal(a->bytes, TERN_HTTP_BLOCK_BYTES);
    assert_int_equal(end->bytes, 1000);
    assert_memory_equal(a->data, data, a->bytes);
    assert_int_equal(take(2, true, 0)->bytes, 0);
    tern_http_block_give(&blocks, a);
    tern_http_block_give(&blocks, b);
    assert_ptr_equal(take(0, true, TERN_SECOND - 1), a); /* still there though nobody used it */
    assert_ptr_not_equal(take(0, true, TERN_SECOND), a); /* too old to be shared */
}

static void unsteady(void **state)
{
    struct tern_http_block *a = take(0, false, 0);

    (void)state;
    assert_ptr_not_equal(take(0, false, 0), a);
    assert_ptr_not_equal(take(0, true, 0), a);
}

/* Whoever has a block keeps what it holds; whoever asks anew sees the file as it is. */
static void changed(void **state)
{
    struct tern_http_block *old = take(0, true, 0), *new;

    (void)state;
    write_all('b');
    file.changed++; /* as the next second would have it, which no test waits for */
    new = take(0, true, 0);
    assert_ptr_not_equal(new, old);
    assert_int_equal(old->data[0], 'a');
    assert_int_equal(new->data[0], 'b');
    assert_int_equal(truncate(place_path(&place, "www/f"), 10), 0);
    look_again();
    assert_int_equal(old->data[TERN_HTTP_BLOCK_BYTES - 1], 'a');
    assert_int_equal(take(0, false, 0)->bytes, 10);
}

/* Of all that tells one state of a file from another, each alone makes another block of it; so does
 * the index. All of them fall into one bucket. */
static void another_state(void **state)
{
    struct tern_http_block *a = take(0, true, 0);
    struct tern_http_file other[5];

    (void)state;
    for (size_t i = 0; i < COUNT(other); i++)
        other[i] = file;
    other[0].device++;
    other[1].inode += BLOCKS;
    other[2].bytes++;
    other[3].changed++;
    other[4].changed_ns++;
    for (size_t i = 0; i <= COUNT(other); i++) {
        const struct tern_http_file *of = i < COUNT(other) ? &other[i] : &file;
        uint64_t index = i < COUNT(other) ? 0 : BLOCKS;
        struct tern_http_block *b = tern_http_block_take(&blocks, of, index, true, 0);

        if (b == a)
            fail_msg("row %zu: taken for the same", i);
        tern_http_block_give(&blocks, b);
        assert_ptr_equal(take(0, true, 0), a);
    }
}

/* The table is full while all are used; the longest unused one gives way first. */
static void full(void **state)
{
    struct tern_http_block *b[BLOCKS];

    (void)state;
    for (uint64_t i = 0; i < BLOCKS; i++)
        b[i] = take(0, false, 0);
    assert_null(take(0, false, 0));
    assert_null(take(0, true, 0));
    tern_http_block_give(&blocks, b[2]);
    tern_http_block_give(&blocks, b[0]);
    assert_ptr_equal(take(0, true, 0), b[2]);
    tern_http_block_give(&blocks, b[2]);
    assert_ptr_equal(take(1, true, 0), b[0]);
    memset(data, 'b', sizeof data);
    place_write(&place, "www/f", data, sizeof data);
    assert_ptr_equal(take(0, true, 0), b[2]);
    assert_int_equal(b[2]->data[0], 'a'); /* found again, not read */
}

/* No block is lost by it, nor is what was in its place found any more. */
static void unreadable(void **state)
{
    struct tern_http_file nothing = file;

    (void)state;
    nothing.fd = -1;
    for (uint64_t i = 0; i < BLOCKS; i++)
        tern_http_block_give(&blocks, take(i, true, 0));
    for (uint64_t i = 0; i < 2 * BLOCKS; i++)
        assert_null(tern_http_block_take(&blocks, &nothing, BLOCKS + i, true, 0));
    for (uint64_t i = 0; i < BLOCKS; i++)
        assert_int_equal(take(i, true, 0)->bytes, i == 0   ? TERN_HTTP_BLOCK_BYTES
                                                  : i == 1 ? SIZE - TERN_HTTP_BLOCK_BYTES
                                                           : 0);
}

static void read_in_pieces(void **state)
{
    struct tern_http_block *first, *last;

    (void)state;
    reads_are_short = true;
    first = take(0, true, 0);
    last = take(1, true, 0);
    reads_are_short = false;
    assert_int_equal(first->bytes, TERN_HTTP_BLOCK_BYTES);
    assert_memory_equal(first->data, data, TERN_HTTP_BLOCK_BYTES);
    assert_int_equal(last->bytes, SIZE - TERN_HTTP_BLOCK_BYTES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(shared),        TEST(unsteady), TEST(changed),
                                       TEST(another_state), TEST(full),     TEST(unreadable),
                                       TEST(read_in_pieces)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
