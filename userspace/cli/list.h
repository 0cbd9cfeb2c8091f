/* SPDX-License-Identifier: GPL-2.0-only */
/* A list of JSON objects as a table, one row each. Private to userspace/cli. */
#ifndef TANDEM_CLI_LIST_H
#define TANDEM_CLI_LIST_H

#include <jansson.h>
#include <stdio.h>

enum tandem_list_kind {
	TANDEM_LIST_TEXT,
	TANDEM_LIST_NUMBER,
	TANDEM_LIST_KNOWN,    /* a number that is not known while it is 0 */
	TANDEM_LIST_DURATION, /* of seconds */
};

struct tandem_list_column {
	const char *title;
	const char *key; /* "a.b" is key b of the object under key a */
	enum tandem_list_kind kind;
	int decimals;	  /* of a number */
	unsigned int min; /* of text: may be cut down to this width to fit; 0: never */
};

/* Columns: text, cut down to min characters if need be; a number; a duration. */
#define TANDEM_TEXT(title, key, min)                                                               \
	{                                                                                          \
		title, key, TANDEM_LIST_TEXT, 0, min                                               \
	}
#define TANDEM_NUMBER(title, key, decimals)                                                        \
	{                                                                                          \
		title, key, TANDEM_LIST_NUMBER, decimals, 0                                        \
	}
#define TANDEM_KNOWN(title, key, decimals)                                                         \
	{                                                                                          \
		title, key, TANDEM_LIST_KNOWN, decimals, 0                                         \
	}
#define TANDEM_DURATION(title, key)                                                                \
	{                                                                                          \
		title, key, TANDEM_LIST_DURATION, 0, 0                                             \
	}

/* Print what list holds, at most TANDEM_TABLE_MAX_COLUMNS wide; nothing without memory. */
void tandem_list_show(const json_t *list, const struct tandem_list_column *columns, size_t n,
		      FILE *out, unsigned int width);

/* The same of doc's array what, of which there may be none: "no " and what. */
void tandem_list_show_all(const json_t *doc, const char *what,
			  const struct tandem_list_column *columns, size_t n, FILE *out,
			  unsigned int width);

/* "0:07", "1:02:03". */
const char *tandem_list_duration(json_int_t seconds, char *buf, size_t size);

#endif
