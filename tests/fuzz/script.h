/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inputs that are scripts, so that they can be read and written by hand: the first line is a remark,
 * then come records, with a line of "%" between any two.
 */
#ifndef TANDEM_TESTS_FUZZ_SCRIPT_H
#define TANDEM_TESTS_FUZZ_SCRIPT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A record, not empty, and its number from 1. */
typedef void(script_h)(const char *record, size_t size, unsigned int number);

/* Call h for each record, max of them at most. */
static inline void script_run(const uint8_t *data, size_t size, unsigned int max, script_h *h)
{
	const char *text = (const char *)data, *end = text + size, *next;
	const char *line = memchr(text, '\n', size);
	unsigned int number;

	for (number = 1; line && ++line < end && number <= max; number++) {
		next = memmem(line, (size_t)(end - line), "\n%\n", 3);
		if (!next)
			next = end;
		if (next > line)
			h(line, (size_t)(next - line), number);
		line = next < end ? next + 2 : NULL;
	}
}

#endif
