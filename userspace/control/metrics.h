/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of the relay for Prometheus. docs/operation.md has their names. */
#ifndef TANDEM_CONTROL_METRICS_H
#define TANDEM_CONTROL_METRICS_H

#include <jansson.h>

/*
 * What "stats" of the local API answers, in Prometheus's text format 0.0.4; malloc'd. What is null
 * or missing there is left out. NULL on no memory.
 */
char *tandem_metrics_text(const json_t *stats);

#endif
