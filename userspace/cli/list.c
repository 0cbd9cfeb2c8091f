/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cli/list.h"

#include <string.h>

#include "userspace/cli/fields.h"
#include "userspace/cli/table.h"

const char *tandem_list_duration(json_int_t seconds, char *buf, size_t size)
{
	long long s = seconds > 0 ? seconds : 0;

	if (s >= 3600)
		snprintf(buf, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(buf, size, "%lld:%02lld", s / 60, s % 60);
	return buf;
}

/* The object that the last part of a key is looked up in; *key becomes that part. */
static const json_t *inner(const json_t *object, const char **key)
{
	const char *dot;

	while ((dot = strchr(*key, '.'))) {
		object = json_object_getn(object, *key, (size_t)(dot - *key));
		*key = dot + 1;
	}
	return object;
}

static const char *cell(const json_t *object, const struct tandem_list_column *column, char *buf)
{
	const char *key = column->key;

	object = inner(object, &key);
	switch (column->kind) {
	case TANDEM_LIST_TEXT:
		return tandem_field_text(object, key);
	case TANDEM_LIST_KNOWN:
		if (!(json_number_value(json_object_get(object, key)) > 0))
			return "-";
		break;
	case TANDEM_LIST_DURATION:
		return tandem_list_duration(json_integer_value(json_object_get(object, key)), buf,
					    TANDEM_FIELD_SIZE);
	case TANDEM_LIST_NUMBER:
		break;
	}
	return tandem_field_number(object, key, column->decimals, buf);
}

void tandem_list_show(const json_t *list, const struct tandem_list_column *columns, size_t n,
		      FILE *out, unsigned int width)
{
	struct tandem_column titles[TANDEM_TABLE_MAX_COLUMNS];
	char bufs[TANDEM_TABLE_MAX_COLUMNS][TANDEM_FIELD_SIZE];
	const char *cells[TANDEM_TABLE_MAX_COLUMNS];
	struct tandem_table *t;
	const json_t *object;
	size_t i, k;

	for (k = 0; k < n && k < TANDEM_TABLE_MAX_COLUMNS; k++)
		titles[k] = (struct tandem_column){
			.title = columns[k].title,
			.right = columns[k].kind != TANDEM_LIST_TEXT,
			.min = columns[k].min,
		};
	if (tandem_table_alloc(&t, titles, n))
		return;
	json_array_foreach (list, i, object) {
		for (k = 0; k < n; k++)
			cells[k] = cell(object, &columns[k], bufs[k]);
		tandem_table_add(t, cells);
	}
	tandem_table_print(t, out, width);
	tandem_table_free(t);
}

void tandem_list_show_all(const json_t *doc, const char *what,
			  const struct tandem_list_column *columns, size_t n, FILE *out,
			  unsigned int width)
{
	const json_t *list = json_object_get(doc, what);

	if (json_array_size(list))
		tandem_list_show(list, columns, n, out, width);
	else
		fprintf(out, "no %s\n", what);
}
