/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_REPLAY_CALLS_H
#define TERN_TESTS_REPLAY_CALLS_H
/*
 * The calls that are recorded and replayed. The one list: calls.c describes each, meson.build gives
 * the names to the linker, and judge_calls.py complains where a function of the core is missing.
 */
#include <stdint.h>

#define CALLS(X)                                                                                   \
    X(tern_stack_init)                                                                             \
    X(tern_stack_input)                                                                            \
    X(tern_stack_input_borrowed)                                                                   \
    X(tern_stack_settle)                                                                           \
    X(tern_stack_output)                                                                           \
    X(tern_stack_deadline)                                                                         \
    X(tern_stack_expire)                                                                           \
    X(tern_stack_address_add)                                                                      \
    X(tern_stack_address_remove)                                                                   \
    X(tern_stack_gateway_set)                                                                      \
    X(tern_stack_address_is_own)                                                                   \
    X(tern_stack_source)                                                                           \
    X(tern_stack_neighbour)                                                                        \
    X(tern_stack_link_changed)                                                                     \
    X(tern_stack_counters)                                                                         \
    X(tern_stack_connections_unfinished)                                                           \
    X(tern_stack_abort_all)                                                                        \
    X(tern_stack_check)                                                                            \
    X(tern_stack_event)                                                                            \
    X(tern_stack_trace)                                                                            \
    X(tern_stack_traces_lost)                                                                      \
    X(tern_tcp_connect)                                                                            \
    X(tern_tcp_listen)                                                                             \
    X(tern_listener_backlog_set)                                                                   \
    X(tern_tcp_unlisten)                                                                           \
    X(tern_tcp_accept)                                                                             \
    X(tern_listener_port)                                                                          \
    X(tern_listener_settings)                                                                      \
    X(tern_listener_set)                                                                           \
    X(tern_listener_is_ready)                                                                      \
    X(tern_tcp_write)                                                                              \
    X(tern_tcp_write_urgent)                                                                       \
    X(tern_tcp_lend)                                                                               \
    X(tern_tcp_mark)                                                                               \
    X(tern_tcp_write_space)                                                                        \
    X(tern_tcp_peek)                                                                               \
    X(tern_tcp_peekv)                                                                              \
    X(tern_tcp_peekv_from)                                                                         \
    X(tern_tcp_skip)                                                                               \
    X(tern_tcp_read)                                                                               \
    X(tern_tcp_urgent_mark)                                                                        \
    X(tern_tcp_read_urgent)                                                                        \
    X(tern_tcp_shutdown)                                                                           \
    X(tern_tcp_shutdown_read)                                                                      \
    X(tern_tcp_close)                                                                              \
    X(tern_tcp_abort)                                                                              \
    X(tern_tcp_reason)                                                                             \
    X(tern_tcp_state)                                                                              \
    X(tern_tcp_set_user)                                                                           \
    X(tern_tcp_id)                                                                                 \
    X(tern_tcp_settings)                                                                           \
    X(tern_tcp_set)                                                                                \
    X(tern_tcp_unread)                                                                             \
    X(tern_tcp_urgent_waits)                                                                       \
    X(tern_tcp_peer_done)                                                                          \
    X(tern_tcp_port_pick)                                                                          \
    X(tern_tcp_congestion_name)                                                                    \
    X(tern_tcp_info)                                                                               \
    X(tern_udp_open)                                                                               \
    X(tern_udp_close)                                                                              \
    X(tern_udp_connect)                                                                            \
    X(tern_udp_local)                                                                              \
    X(tern_udp_send)                                                                               \
    X(tern_udp_receive)                                                                            \
    X(tern_udp_error)                                                                              \
    X(tern_udp_peek)                                                                               \
    X(tern_udp_skip)                                                                               \
    X(tern_ping_open)                                                                              \
    X(tern_ping_close)                                                                             \
    X(tern_ping_send)                                                                              \
    X(tern_ping_receive)

enum call {
#define CALL_ENUM(name) CALL_##name,
    CALLS(CALL_ENUM)
#undef CALL_ENUM
        CALL_COUNT
};

/* Replay the record that was read last: make the call and compare. */
void calls_replay(void);
const char *calls_name(uint32_t call);
/* Replay: xored to the seed's first byte, to see that it matters. */
void calls_other_seed(uint8_t bits);

#endif
