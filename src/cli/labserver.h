/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_LABSERVER_H
#define TERN_CLI_LABSERVER_H
/*
 * A small HTTP/1.1 server over the kernel's sockets, for the lab's far side: the real TCP that tern
 * talks to. Pages: cli/labpage.h.
 */

#define TERN_LABSERVER_PORT 80

/* For tern_lab_options.serve: listens on port 80 of all addresses, calls ready(), and serves until
 * it is killed. user is not used. */
void tern_labserver(void *user, void (*ready)(void));

#endif
