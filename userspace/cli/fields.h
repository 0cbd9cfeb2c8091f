/* SPDX-License-Identifier: GPL-2.0-only */
/* Fields of JSON objects as table cells. Private to userspace/cli. */
#ifndef TANDEM_CLI_FIELDS_H
#define TANDEM_CLI_FIELDS_H

#include <jansson.h>
#include <stddef.h>

#define TANDEM_FIELD_SIZE 24

/*
 * Text of a string; "-" when absent, null or empty. Borrowed from object.
 */
const char *tandem_field_text(const json_t *object, const char *key);

/* A number in buf, with decimals where it is real; "-" when absent or null. Returns buf. */
const char *tandem_field_number(const json_t *object, const char *key, int decimals,
				char buf[TANDEM_FIELD_SIZE]);

#endif
