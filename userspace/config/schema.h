/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keys of the configuration: how libcyaml reads them, their defaults and
 * the range of each number. Private to userspace/config.
 */
#ifndef TANDEM_CONFIG_SCHEMA_H
#define TANDEM_CONFIG_SCHEMA_H

#include <cyaml/cyaml.h>

#include "userspace/config/config.h"
#include "userspace/config/yaml.h"

/* Loads and frees a struct tandem_config. */
extern const cyaml_schema_value_t tandem_config_schema;

struct tandem_config_number {
	const char *path;
	size_t offset; /* in struct tandem_config */
	size_t size;   /* 2 or 4 */
	uint32_t def, min, max;
};
extern const struct tandem_config_number tandem_config_numbers[];
extern const size_t tandem_config_numbers_count;

/* The row of path, or NULL. */
const struct tandem_config_number *tandem_config_number_find(const char *path);
uint32_t tandem_config_number_get(const struct tandem_config *cfg,
				  const struct tandem_config_number *number);

/* Fill in every key that the file (NULL: none) does not name. 0 or -ENOMEM. */
int tandem_config_defaults(struct tandem_config *cfg, const struct tandem_yaml *y);

/* What the schema cannot say: ranges, words, addresses. 0 or -EINVAL with *err filled in. */
int tandem_config_check(const struct tandem_config *cfg, const struct tandem_yaml *y,
			struct tandem_config_error *err);

/* Say in *err what is wrong with the key, and on which line it stands. Returns -EINVAL. */
int tandem_config_wrong(struct tandem_config_error *err, const struct tandem_yaml *y,
			const char *key, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* routing.c: the same as the two above for gateways and routes. */
void tandem_config_default_gateways(struct tandem_config *cfg, const struct tandem_yaml *y);
int tandem_config_check_routing(const struct tandem_config *cfg, const struct tandem_yaml *y,
				struct tandem_config_error *err);

/* cluster.c: the same of what has to do with clusters. */
int tandem_config_check_cluster(const struct tandem_config *cfg, const struct tandem_yaml *y,
				struct tandem_config_error *err);

/* ng.c: the same of what has to do with the NG protocol. */
int tandem_config_check_ng(const struct tandem_config *cfg, const struct tandem_yaml *y,
			   struct tandem_config_error *err);

/* Collects what libcyaml logs about one load; zero it first. */
struct tandem_config_trace {
	char text[160];
	char frames[8][72]; /* innermost first: "key" or "[2]" */
	size_t frames_count;
	unsigned int line;
};
/* A cyaml_log_fn_t; ctx is a struct tandem_config_trace. */
void tandem_config_trace_log(cyaml_log_t level, void *ctx, const char *fmt, va_list args);
/* Turn the trace into key, line and words. */
void tandem_config_trace_explain(const struct tandem_config_trace *trace,
				 const struct tandem_yaml *y, struct tandem_config_error *err);

#endif
