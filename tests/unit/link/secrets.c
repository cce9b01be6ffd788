/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS keys in a capture: the block by hand; where in the file it stands, whatever is written when;
 * who may read the file; and two threads at the mailbox.
 */
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frames.h"
#include "link/pcapng.h"
#include "link/secrets.h"

enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, PACKET = 6, SECRETS = 10 };

static uint8_t data[2000], file[1 << 20];

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void block(void **state)
{
    static const uint8_t expected[] = {
        10,  0,   0,   0,   28,  0, 0, 0, /* type, length */
        'K', 'S', 'L', 'T', 5,   0, 0, 0, /* TLS Key Log, little-endian; its length */
        'A', ' ', '1', ' ', '2', 0, 0, 0, /* padded */
        28,  0,   0,   0};
    struct tern_writer w = tern_writer_of(data, sizeof data);

    (void)state;
    tern_pcapng_tls_keys(&w, "A 1 2", 5);
    assert_false(w.failed);
    assert_int_equal(w.bytes, sizeof expected);
    assert_int_equal(tern_pcapng_tls_keys_bytes(5), sizeof expected);
    assert_memory_equal(data, expected, sizeof expected);
}

struct bench {
    struct tern_link *ends[2], *capture;
    struct tern_secrets *secrets;
    char path[64];
    tern_time now;
};

static void bench_open(struct bench *b)
{
    const struct tern_link_mem_options options = {.mtu_bytes = 1500};

    memset(b, 0, sizeof *b);
    (void)snprintf(b->path, sizeof b->path, "/tmp/tern-secrets-XXXXXX");
    assert_int_equal(close(mkstemp(b->path)), 0);
    assert_int_equal(chmod(b->path, 0644), 0);
    assert_int_equal(tern_link_mem_open(&options, b->ends), TERN_ERR_OK);
    b->secrets = tern_secrets_create();
    assert_non_null(b->secrets);
    assert_int_equal(
        tern_link_capture_open_secret(b->ends[0], b->path, 0, b->secrets, &b->capture, NULL),
        TERN_ERR_OK);
}

/* A frame whose bytes are all this letter. */
static void frame(struct bench *b, char letter, size_t bytes)
{
    struct tern_frame f = one_piece(data, bytes);

    memset(data, letter, bytes);
    send_one(b->capture, b->now, f);
    assert_int_equal(b->ends[1]->ops->receive(b->ends[1], b->now, &f, 1), 1);
    b->ends[1]->ops->release(b->ends[1]);
}

static void wait_until(struct bench *b, tern_time now)
{
    struct tern_frame f;

    b->now = now;
    assert_int_equal(b->capture->ops->receive(b->capture, now, &f, 1), 0);
}

/* The file in short: "[" its head, a letter a frame, "k" a block of keys. */
static void assert_file(struct bench *b, const char *expected)
{
    FILE *f = fopen(b->path, "rb");
    char got[4000];
    size_t bytes, n = 0;

    assert_non_null(f);
    bytes = fread(file, 1, sizeof file, f);
    (void)fclose(f);
    for (size_t at = 0; at < bytes; at += le32(file + at + 4)) {
        uint32_t type = le32(file + at);

        assert_true(at + le32(file + at + 4) <= bytes);
        assert_true(n < sizeof got - 1);
        if (type == PACKET)
            got[n++] = (char)file[at + 28];
        else if (type != INTERFACE)
            got[n++] = type == SECTION ? '[' : type == SECRETS ? 'k' : '?';
    }
    got[n] = '\0';
    assert_string_equal(got, expected);
}

static void bench_close(struct bench *b, const char *expected)
{
    assert_int_equal(tern_link_capture_error(b->capture), 0);
    b->capture->ops->close(b->capture);
    b->ends[1]->ops->close(b->ends[1]);
    tern_secrets_destroy(b->secrets);
    assert_file(b, expected);
    (void)unlink(b->path);
}

/* What was there before the handshake may be in the file; what came after waits for the keys. */
static void keys_stand_in_front(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    frame(&b, 'a', 100);
    tern_secrets_expect(b.secrets);
    frame(&b, 'b', 100);
    assert_file(&b, "[a");
    tern_secrets_add(b.secrets, "CLIENT_RANDOM 1 2");
    frame(&b, 'c', 100);
    tern_secrets_settle(b.secrets);
    frame(&b, 'd', 100);
    wait_until(&b, 2 * TERN_SECOND);
    assert_file(&b, "[akbcd");
    bench_close(&b, "[akbcd");
}

/* However long the handshake takes. */
static void frames_wait(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    tern_secrets_expect(b.secrets);
    frame(&b, 'a', 100);
    for (tern_time now = TERN_SECOND; now < 60 * TERN_SECOND; now += TERN_SECOND) {
        wait_until(&b, now);
        assert_true(b.capture->ops->deadline(b.capture) > now);
        assert_file(&b, "[");
    }
    tern_secrets_add(b.secrets, "CLIENT_RANDOM 1 2");
    tern_secrets_settle(b.secrets);
    wait_until(&b, 61 * TERN_SECOND);
    assert_file(&b, "[ka");
    bench_close(&b, "[ka");
}

/* A handshake at the end of a long transfer has the whole buffer; and a flood is not waited for. */
static void room(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    for (int i = 0; i < 200; i++)
        frame(&b, 'a', 1300);
    tern_secrets_expect(b.secrets);
    for (int i = 0; i < 150; i++)
        frame(&b, 'b', 1300);
    tern_secrets_add(b.secrets, "CLIENT_RANDOM 1 2");
    tern_secrets_settle(b.secrets);
    frame(&b, 'c', 100);
    assert_int_equal(tern_link_capture_error(b.capture), 0);
    char expected[800] = "[";

    memset(expected + 1, 'a', 200);
    expected[201] = 'k';
    memset(expected + 202, 'b', 150);
    expected[352] = 'c';
    assert_file(&b, expected);
    tern_secrets_expect(b.secrets);
    for (int i = 0; i < 400; i++)
        frame(&b, 'd', 1300);
    memset(expected + 353, 'd', 400);
    bench_close(&b, expected);
}

/* Each handshake has its keys; one that fails has none, and holds nothing up. */
static void several(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b);
    tern_secrets_expect(b.secrets);
    frame(&b, 'a', 100);
    tern_secrets_settle(b.secrets);
    wait_until(&b, 2 * TERN_SECOND);
    assert_file(&b, "[a");
    tern_secrets_expect(b.secrets);
    frame(&b, 'b', 100);
    tern_secrets_add(b.secrets, "ONE 1 2");
    tern_secrets_add(b.secrets, "TWO 1 2");
    tern_secrets_settle(b.secrets);
    frame(&b, 'c', 100);
    bench_close(&b, "[akbc");
}

static void for_its_owner_alone(void **state)
{
    struct stat there;
    struct bench b;

    (void)state;
    bench_open(&b); /* the file was there, for all to read */
    assert_int_equal(stat(b.path, &there), 0);
    assert_int_equal(there.st_mode & 0777, 0600);
    bench_close(&b, "[");
}

/* ---- two threads ---- */

#define LINES 20000

static void *add_lines(void *user)
{
    char line[32];

    for (int i = 0; i < LINES; i++) {
        (void)snprintf(line, sizeof line, "LINE %d", i);
        tern_secrets_add(user, line);
    }
    tern_secrets_settle(user);
    return NULL;
}

/* Every line once, in order, and none after the handshake is over. */
static void no_line_is_lost(void **state)
{
    struct tern_secrets *s = tern_secrets_create();
    pthread_t thread;
    int next = 0;
    bool over = false;

    (void)state;
    tern_secrets_expect(s);
    assert_int_equal(pthread_create(&thread, NULL, add_lines, s), 0);
    while (!over) {
        char expected[32];
        size_t bytes, at = 0;
        char *lines;

        over = !tern_secrets_expected(s);
        lines = tern_secrets_take(s, &bytes);
        while (at < bytes) {
            int length = snprintf(expected, sizeof expected, "LINE %d\n", next++);

            assert_true(at + (size_t)length <= bytes);
            assert_memory_equal(lines + at, expected, (size_t)length);
            at += (size_t)length;
        }
        free(lines);
    }
    assert_int_equal(next, LINES);
    assert_int_equal(pthread_join(thread, NULL), 0);
    tern_secrets_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block),           cmocka_unit_test(keys_stand_in_front),
        cmocka_unit_test(frames_wait),     cmocka_unit_test(room),
        cmocka_unit_test(several),         cmocka_unit_test(for_its_owner_alone),
        cmocka_unit_test(no_line_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
