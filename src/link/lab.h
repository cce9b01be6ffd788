/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_LAB_H
#define TERN_LINK_LAB_H
/*
 * A private laboratory: a user namespace (no root needed) with two network namespaces joined by a
 * veth pair. Side A ("client") holds the interface va that tern drives and whose kernel must stay
 * silent; side B ("server") holds vb with an address, and the real kernel's TCP. A keeper process,
 * forked from the caller before it has threads, holds them; it dies with the caller
 * (PR_SET_PDEATHSIG) and everything vanishes with it.
 */
#include <tern/link.h>

enum tern_lab_side { TERN_LAB_CLIENT, TERN_LAB_SERVER };

struct tern_lab_options {
    struct tern_cidr server;        /* vb's address */
    struct tern_cidr client_kernel; /* an address that the kernel holds on va; any address: none */
    bool offloads_off;              /* checksum, TSO, GSO and GRO off at both ends */
    uint32_t
        server_initcwnd; /* initial window of the server's route, in segments; 0: the kernel's */
    const char *server_congestion; /* congctl of the server's route; NULL: "cubic" */
    /* Runs in a process of its own inside side B (kernel sockets) until killed; may be NULL. The
     * lab waits until it has called ready(). */
    void (*serve)(void *user, void (*ready)(void));
    void *serve_user;
};

struct tern_lab;

/* error_text: TERN_LINK_ERROR_MAX bytes. TERN_ERR_PERMISSION: namespaces are refused here. */
enum tern_err tern_lab_open(const struct tern_lab_options *options, struct tern_lab **out,
                            char *error_text);
/* A new AF_PACKET socket inside a side's namespace, not yet bound; -1 with errno. The caller's. */
int tern_lab_packet_socket(struct tern_lab *lab, enum tern_lab_side side);
/* "va" or "vb". */
const char *tern_lab_interface(const struct tern_lab *lab, enum tern_lab_side side);
struct tern_mac tern_lab_mac(const struct tern_lab *lab, enum tern_lab_side side);
/* A counter of /proc/net/snmp or /proc/net/netstat of a side, named as nstat does ("TcpOutRsts",
 * "TcpRetransSegs", "TcpExtTCPLossProbes"); -1: no such counter. */
int64_t tern_lab_counter(struct tern_lab *lab, enum tern_lab_side side, const char *name);
void tern_lab_close(struct tern_lab *lab);

/* A packet link on side A. The lab stays the caller's, and must outlive the link. */
enum tern_err tern_link_lab_open(struct tern_lab *lab,
                                 const struct tern_link_packet_options *options,
                                 struct tern_link **out, char *error_text);

#endif
