/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables for people. Cells may hold what a peer sent: control characters are
 * shown as '?', so that no name can steer the terminal.
 */
#ifndef TANDEM_CLI_TABLE_H
#define TANDEM_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TANDEM_TABLE_MAX_COLUMNS 12

struct tandem_column {
	const char *title;
	bool right;	  /* numbers */
	unsigned int min; /* may be cut down to this width to fit; 0: never */
};

struct tandem_table;

/* columns is borrowed; at most TANDEM_TABLE_MAX_COLUMNS. 0, -EINVAL or -ENOMEM. */
int tandem_table_alloc(struct tandem_table **tp, const struct tandem_column *columns, size_t n);
void tandem_table_free(struct tandem_table *t);

/* Add a row of n cells, which are copied; NULL is shown as "-". 0 or -ENOMEM. */
int tandem_table_add(struct tandem_table *t, const char *const *cells);

/* Print title line and rows within width columns where the minima allow it. */
void tandem_table_print(const struct tandem_table *t, FILE *out, unsigned int width);

/* Width of the terminal that stdout is, or else 100. */
unsigned int tandem_terminal_width(void);

/* Copy text to buf, control characters as '?', terminated. Returns buf. */
const char *tandem_text_clean(const char *text, char *buf, size_t size);

#endif
