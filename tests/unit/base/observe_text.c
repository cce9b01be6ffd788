/* SPDX-License-Identifier: BSD-2-Clause */
/* Each number has a text of its own, and any other has one as well. */
#include "test.h"

#include <tern/observe.h>

#define HOLD(function, type, many)                                                                 \
    do {                                                                                           \
        for (int i = 0; i < (many); i++)                                                           \
            for (int k = 0; k < i; k++)                                                            \
                assert_string_not_equal(function((type)i), function((type)k));                     \
        assert_string_equal(function((type)(many)), "unknown");                                    \
        assert_string_equal(function((type)-1), "unknown");                                        \
    } while (0)

static void texts(void **state)
{
    (void)state;
    HOLD(tern_timer_text, enum tern_timer_kind, TERN_TIMER_COUNT);
    HOLD(tern_loss_text, enum tern_loss_by, TERN_LOSS_COUNT);
    HOLD(tern_loss_words, enum tern_loss_by, TERN_LOSS_COUNT);
    HOLD(tern_undo_text, enum tern_undo_by, TERN_UNDO_COUNT);
    HOLD(tern_undo_words, enum tern_undo_by, TERN_UNDO_COUNT);
    HOLD(tern_sender_text, enum tern_sender, TERN_SENDER_COUNT);
    HOLD(tern_phase_text, enum tern_phase, TERN_PHASE_COUNT);
    HOLD(tern_neighbour_text, enum tern_neighbour, TERN_NEIGHBOUR_COUNT);
    HOLD(tern_address_step_text, enum tern_address_step, TERN_ADDRESS_LOST + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
