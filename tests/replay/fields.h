/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_REPLAY_FIELDS_H
#define TERN_TESTS_REPLAY_FIELDS_H
/*
 * The fields of the structures that calls fill in, for comparing them one by one: what lies between
 * fields is nobody's. values.c pins the structures' sizes, so that a new field is not forgotten.
 */
#define INFO_FIELDS(X)                                                                             \
    X(id)                                                                                          \
    X(local.port)                                                                                  \
    X(remote.port)                                                                                 \
    X(state)                                                                                       \
    X(ca_state)                                                                                    \
    X(reason)                                                                                      \
    X(soft_error)                                                                                  \
    X(at)                                                                                          \
    X(opened_at)                                                                                   \
    X(established_at)                                                                              \
    X(closed_at)                                                                                   \
    X(data_sent_at)                                                                                \
    X(data_received_at)                                                                            \
    X(ack_sent_at)                                                                                 \
    X(ack_received_at)                                                                             \
    X(rto)                                                                                         \
    X(srtt)                                                                                        \
    X(rttvar)                                                                                      \
    X(rtt_min)                                                                                     \
    X(ato)                                                                                         \
    X(busy)                                                                                        \
    X(rwnd_limited)                                                                                \
    X(sndbuf_limited)                                                                              \
    X(cwnd_bytes)                                                                                  \
    X(ssthresh_bytes)                                                                              \
    X(pacing_rate)                                                                                 \
    X(delivery_rate)                                                                               \
    X(delivery_rate_app_limited)                                                                   \
    X(mss_bytes)                                                                                   \
    X(advmss_bytes)                                                                                \
    X(rcvmss_bytes)                                                                                \
    X(pmtu_bytes)                                                                                  \
    X(snd_wscale)                                                                                  \
    X(rcv_wscale)                                                                                  \
    X(timestamps)                                                                                  \
    X(sack)                                                                                        \
    X(wscale)                                                                                      \
    X(ecn)                                                                                         \
    X(ecn_seen)                                                                                    \
    X(syn_data)                                                                                    \
    X(syn_waits)                                                                                   \
    X(syn_room_bytes)                                                                              \
    X(retransmits)                                                                                 \
    X(probes)                                                                                      \
    X(backoff)                                                                                     \
    X(reordering)                                                                                  \
    X(bytes_sent)                                                                                  \
    X(bytes_retrans)                                                                               \
    X(bytes_acked)                                                                                 \
    X(bytes_received)                                                                              \
    X(segs_out)                                                                                    \
    X(segs_in)                                                                                     \
    X(data_segs_out)                                                                               \
    X(data_segs_in)                                                                                \
    X(retrans)                                                                                     \
    X(rtos)                                                                                        \
    X(fast_recoveries)                                                                             \
    X(dup_acks_in)                                                                                 \
    X(out_of_order_in)                                                                             \
    X(acks_out)                                                                                    \
    X(unacked_bytes)                                                                               \
    X(notsent_bytes)                                                                               \
    X(unread_bytes)                                                                                \
    X(sacked_bytes)                                                                                \
    X(lost_bytes)                                                                                  \
    X(resent_bytes)                                                                                \
    X(delivered_bytes)                                                                             \
    X(delivered_segs)                                                                              \
    X(delivered_ce_segs)                                                                           \
    X(dsacks_in)                                                                                   \
    X(keepalives_out)                                                                              \
    X(reorders_seen)                                                                               \
    X(snd_wnd_bytes)                                                                               \
    X(rcv_wnd_bytes)                                                                               \
    X(rcv_space_bytes)                                                                             \
    X(rcv_rtt)                                                                                     \
    X(zero_windows_sent)                                                                           \
    X(window_probes_out)

#define SETTINGS_FIELDS(X)                                                                         \
    X(nodelay)                                                                                     \
    X(cork)                                                                                        \
    X(quickack)                                                                                    \
    X(keepalive)                                                                                   \
    X(urgent_inline)                                                                               \
    X(fastopen)                                                                                    \
    X(pacing)                                                                                      \
    X(restart_after_idle)                                                                          \
    X(ecn)                                                                                         \
    X(timestamps)                                                                                  \
    X(sack)                                                                                        \
    X(window_scale)                                                                                \
    X(keep_count)                                                                                  \
    X(syn_retries)                                                                                 \
    X(mss_bytes)                                                                                   \
    X(send_buffer_bytes)                                                                           \
    X(receive_buffer_bytes)                                                                        \
    X(window_clamp_bytes)                                                                          \
    X(notsent_lowat_bytes)                                                                         \
    X(readable_bytes)                                                                              \
    X(pacing_rate_max)                                                                             \
    X(keep_idle)                                                                                   \
    X(keep_interval)                                                                               \
    X(user_timeout)                                                                                \
    X(fin_wait_2)                                                                                  \
    X(note)                                                                                        \
    X(ttl)                                                                                         \
    X(tos)                                                                                         \
    X(mtu_probe)

#endif
