/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_VERBS_H
#define TERN_CLI_VERBS_H
/* The verbs of the tern command: each takes its own argv (argv[0] is the verb) and returns the exit
 * code. */

int tern_verb_get(int argc, char **argv);
int tern_verb_demo(int argc, char **argv);
int tern_verb_draw(int argc, char **argv);
int tern_verb_nc(int argc, char **argv);
int tern_verb_ping(int argc, char **argv);
int tern_verb_bench(int argc, char **argv);
int tern_verb_serve(int argc, char **argv);

#endif
