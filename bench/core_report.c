/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/core_report.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int tandem_core_put(struct core_report *report, const struct core_row *row)
{
	struct core_row *rows = realloc(report->rows, (report->count + 1) * sizeof(*report->rows));

	if (!rows)
		return -ENOMEM;
	report->rows = rows;
	rows[report->count++] = *row;
	return 0;
}

int tandem_core_add(struct core_report *report, const struct core_row *row, double *values,
		    size_t n)
{
	struct core_row full = *row;

	full.value = tandem_figure(values, n);
	return tandem_core_put(report, &full);
}

int tandem_core_between(struct core_report *report, const struct core_row *row,
			const struct figure *from, const struct figure *to)
{
	struct core_row full = *row;

	full.value = (struct figure){ to->min - from->min, to->median - from->median,
				      to->max - from->max };
	return tandem_core_put(report, &full);
}

void tandem_core_clean(struct core_report *report)
{
	free(report->rows);
	report->rows = NULL;
	report->count = 0;
}

static bool same_group(const struct core_row *a, const struct core_row *b)
{
	return !strcmp(a->datapath, b->datapath) && a->flows == b->flows && a->copies == b->copies;
}

static void heading(const struct core_row *r, FILE *out)
{
	fprintf(out, "\n%s, %u flows", r->datapath, r->flows);
	if (r->copies > 1)
		fprintf(out, ", each packet %u times", r->copies);
	fprintf(out, "\n  %-24s %9s   (least to most)\n", "", "median");
}

void tandem_core_table(const struct core_report *report, FILE *out)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct core_row *r = &report->rows[i];
		int digits = strcmp(r->unit, "ns") ? 2 : 1;

		if (!i || !same_group(r, &report->rows[i - 1]))
			heading(r, out);
		fprintf(out, "  %-24s %9.*f   (%.*f to %.*f) %s\n", r->what, digits,
			r->value.median, digits, r->value.min, digits, r->value.max,
			strcmp(r->unit, "ns") ? "" : r->unit);
	}
}

json_t *tandem_core_json(const struct core_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->count; i++) {
		const struct core_row *r = &report->rows[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:i, s:i, s:f, s:f, s:f}",
						"datapath", r->datapath, "what", r->what, "unit",
						r->unit, "flows", (int)r->flows, "copies",
						(int)r->copies, "min", r->value.min, "median",
						r->value.median, "max", r->value.max));
	}
	return list;
}
