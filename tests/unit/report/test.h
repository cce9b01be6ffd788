/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TEST_REPORT_TEST_H
#define TERN_TEST_REPORT_TEST_H
/* What cmocka wants included before itself, and cmocka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

#endif
