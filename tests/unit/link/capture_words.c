/* SPDX-License-Identifier: BSD-2-Clause */
/* Notes in, words out: one row for each thing that a frame can change, and bursts of many. */
#include "frames.h"

#include "link/capture_words.h"

static struct tern_capture_words w;
static char out[TERN_CAPTURE_WORDS_MAX];

static struct tern_note note(enum tern_note_kind kind, uint32_t conn_id)
{
    struct tern_note n = {.kind = kind, .conn_id = conn_id};

    if (kind == TERN_NOTE_SEGMENT_IN)
        n.segment.effect.drop = TERN_DROP_COUNT;
    return n;
}

static void tell(struct tern_note n)
{
    tern_capture_words_note(&w, &n);
}

static const char *words_of(uint32_t n)
{
    return tern_capture_words_of(&w, n, out);
}

static void begin(void)
{
    tern_capture_words_begin(&w);
    tell(note(TERN_NOTE_FRAME_IN, 0));
}

static struct tern_note segment(void)
{
    struct tern_note n = note(TERN_NOTE_SEGMENT_IN, 1);

    n.segment.offset_bytes = 100;
    n.segment.effect.cwnd = n.segment.effect.cwnd_before = 10;
    n.segment.effect.peer_window = n.segment.effect.peer_window_before = 5;
    n.segment.effect.state = n.segment.effect.state_before = TERN_TCP_ESTABLISHED;
    return n;
}

static void effects(void **state)
{
    static const struct {
        struct tern_note_effect e;
        uint32_t text_bytes;
        const char *words;
    } rows[] = {
        {{.acked_bytes = 7}, 0, "acknowledges 7 bytes: cwnd 10 -> 20"},
        {{.delivered_more = 7}, 0, "SACK: 7 bytes more have arrived (RFC 2018 §3)"},
        {{.duplicate_ack = true}, 0, "duplicate ACK (RFC 5681 §2)"},
        {{.in_order_bytes = 50}, 50, "brings bytes 100-149, in order"},
        {{.in_order_bytes = 80, .joined_bytes = 30}, 50, "fills the hole 100-149: 30 bytes that"},
        {{.beyond_bytes = 50}, 50, "bytes 100-149 lie beyond a hole: kept"},
        {{.dsack_next = true}, 50, "duplicate: D-SACK follows (RFC 2883 §4)"},
        {{.fin = true}, 0, "FIN: the peer is done sending"},
        {{.acked_bytes = 1, .fin = true}, 0, "; FIN"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct tern_note n = segment();

        n.segment.effect = rows[i].e;
        n.segment.text_bytes = rows[i].text_bytes;
        n.segment.effect.cwnd_before = 10;
        n.segment.effect.cwnd = rows[i].e.acked_bytes > 0 ? 20 : 10;
        n.segment.effect.drop = TERN_DROP_COUNT;
        begin();
        tell(n);
        if (strstr(words_of(0), rows[i].words) == NULL)
            fail_msg("row %zu: '%s' lacks '%s'", i, words_of(0), rows[i].words);
    }
}

static void windows(void **state)
{
    struct tern_note n = segment();

    (void)state;
    n.segment.effect.peer_window_before = 0;
    begin();
    tell(n);
    assert_string_equal(words_of(0), "opens the window: 5 bytes (RFC 9293 §3.8.6)");
    n.segment.effect.state_before = TERN_TCP_SYN_SENT; /* the first that it gives opens nothing */
    begin();
    tell(n);
    assert_string_equal(words_of(0), "changes nothing");
    n.segment.effect.state_before = TERN_TCP_SYN_RECEIVED;
    begin();
    tell(n);
    assert_string_equal(words_of(0), "changes nothing");
    n = segment();
    n.segment.effect.peer_window = 0;
    begin();
    tell(n);
    assert_string_equal(words_of(0), "closes the window (RFC 9293 §3.8.6.1)");
}

/* What the segment is comes first, though it is told last; a drop of its own is said once. */
static void order(void **state)
{
    struct tern_note n = note(TERN_NOTE_STATE, 1), drop = note(TERN_NOTE_DROP, 1), s = segment();

    (void)state;
    n.state.from = TERN_TCP_ESTABLISHED;
    n.state.to = TERN_TCP_CLOSE_WAIT;
    drop.drop.reason = TERN_DROP_TCP_OLD_DUPLICATE;
    s.segment.effect.fin = true;
    s.segment.effect.drop = TERN_DROP_TCP_OLD_DUPLICATE;
    begin();
    tell(n);
    tell(drop);
    tell(s);
    assert_string_equal(words_of(0),
                        "FIN: the peer is done sending (RFC 9293 §3.6); dropped: bytes "
                        "that had arrived before; state ESTABLISHED -> CLOSE-WAIT");
}

static void others(void **state)
{
    struct tern_note n = note(TERN_NOTE_DROP, 0);

    (void)state;
    n.drop.reason = TERN_DROP_TCP_BAD_CHECKSUM;
    begin();
    tell(n);
    assert_string_equal(words_of(0), "dropped: wrong TCP checksum");
    n = note(TERN_NOTE_LOSS, 1);
    n.loss.by = TERN_LOSS_RACK;
    n.loss.bytes = 3;
    n.loss.offset_bytes = 9;
    begin();
    tell(n);
    assert_string_equal(words_of(0), "3 bytes from 9 on are lost: what was sent later has arrived "
                                     "(RFC 8985 §6.2)");
    n = note(TERN_NOTE_UNDO, 1);
    n.undo.by = TERN_UNDO_FRTO;
    begin();
    tell(n);
    assert_non_null(strstr(words_of(0), "for nothing: what went before the timeout still arrives"));
    n = note(TERN_NOTE_ARP_IN, 0);
    n.arp.sender = tern_addr_v4(10, 0, 0, 2);
    n.arp.reply = true;
    begin();
    tell(n);
    assert_non_null(strstr(words_of(0), "ARP reply: 10.0.0.2 is at"));
}

/* Of what happens to an address only what another did is of a frame. */
static void addresses(void **state)
{
    static const struct {
        enum tern_address_step step;
        const char *words;
    } rows[] = {
        {TERN_ADDRESS_DEFENDED, "our address 10.0.0.1 is used by 02:00:00:00:00:09: "},
        {TERN_ADDRESS_LOST, "our address 10.0.0.1 is used by 02:00:00:00:00:09: "},
        {TERN_ADDRESS_PROBED, "changes nothing"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct tern_note n = note(TERN_NOTE_ADDRESS, 0);

        n.address.step = rows[i].step;
        n.address.address = tern_addr_v4(10, 0, 0, 1);
        n.address.other = (struct tern_mac){{2, 0, 0, 0, 0, 9}};
        begin();
        tell(n);
        if (strncmp(words_of(0), rows[i].words, strlen(rows[i].words)) != 0)
            fail_msg("row %zu: '%s'", i, words_of(0));
    }
}

/* Each frame has its own; what follows the burst is nobody's; beyond the burst nothing is kept. */
static void bursts(void **state)
{
    struct tern_note n = note(TERN_NOTE_STATE, 1);

    (void)state;
    n.state.to = TERN_TCP_ESTABLISHED;
    tern_capture_words_begin(&w);
    tell(n);
    assert_null(words_of(0));
    for (int i = 0; i < TERN_BURST_MAX + 3; i++) {
        tell(note(TERN_NOTE_FRAME_IN, 0));
        if (i % 2 == 1)
            tell(n);
    }
    tell(note(TERN_NOTE_INPUT_END, 0));
    tell(n);
    assert_string_equal(words_of(0), "changes nothing");
    assert_string_equal(words_of(1), "state CLOSED -> ESTABLISHED");
    assert_string_equal(words_of(TERN_BURST_MAX - 1), "state CLOSED -> ESTABLISHED");
    assert_null(words_of(TERN_BURST_MAX));
    begin();
    tell(note(TERN_NOTE_INPUT_END, 0));
    tell(n);
    assert_string_equal(words_of(0), "changes nothing");
}

/* However much happens, the text ends in its place. */
static void cut(void **state)
{
    struct tern_note n = note(TERN_NOTE_STATE, 1);

    (void)state;
    begin();
    for (int i = 0; i < 100; i++)
        tell(n);
    assert_true(strlen(words_of(0)) < TERN_CAPTURE_WORDS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects), cmocka_unit_test(windows),   cmocka_unit_test(order),
        cmocka_unit_test(others),  cmocka_unit_test(addresses), cmocka_unit_test(bursts),
        cmocka_unit_test(cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
