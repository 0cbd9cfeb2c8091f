/* SPDX-License-Identifier: GPL-2.0-only */
/* What `tandem bench core` has measured: ns for each packet, by datapath and step. */
#ifndef TANDEM_BENCH_CORE_REPORT_H
#define TANDEM_BENCH_CORE_REPORT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/stats.h"

struct core_row {
	char datapath[8];
	char what[24]; /* a step; "whole"; or a bare limit */
	char unit[8];  /* "ns" for each packet, or copy, where there are several; "ratio" */
	uint32_t flows, copies;
	struct figure value; /* over the rounds */
};

struct core_report {
	struct core_row *rows;
	size_t count;
};

/*
 * Add a row; values are those of n rounds, and are sorted. 0 or -ENOMEM. Rows of one
 * datapath, number of flows and of copies stand together.
 */
int tandem_core_add(struct core_report *report, const struct core_row *row, double *values,
		    size_t n);

/* Same with the figure already taken. */
int tandem_core_put(struct core_report *report, const struct core_row *row);

/* Same for what a step adds: its figure less that of the step before. */
int tandem_core_between(struct core_report *report, const struct core_row *row,
			const struct figure *from, const struct figure *to);

/* Both ratios, of medians within a round, and what the rows say, for people. */
void tandem_core_table(const struct core_report *report, FILE *out);
json_t *tandem_core_json(const struct core_report *report);

void tandem_core_clean(struct core_report *report);

#endif
