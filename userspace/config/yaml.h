/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where things stand in a YAML text. libcyaml reads values but keeps no places;
 * this finds the line of a key, and whether the file names a key at all.
 */
#ifndef TANDEM_CONFIG_YAML_H
#define TANDEM_CONFIG_YAML_H

#include "userspace/config/config.h"

struct tandem_yaml;

/*
 * Parse text. -EINVAL with *err filled in for a syntax error, a key that is given
 * twice, or more than one document; -ENOMEM.
 */
int tandem_yaml_open(struct tandem_yaml **yp, const char *text, size_t len,
		     struct tandem_config_error *err);
void tandem_yaml_close(struct tandem_yaml *y);

/* True when there is nothing in the text but comments. */
bool tandem_yaml_empty(const struct tandem_yaml *y);

/*
 * Line (from 1) of the key or list entry that path names: "media.port_min", "sip.listen[2]",
 * counted from 0. 0 when the text does not have it; y may be NULL.
 */
unsigned int tandem_yaml_line(const struct tandem_yaml *y, const char *path);

/* Text of the scalar that path names; NULL when it is absent or no scalar. */
const char *tandem_yaml_scalar(const struct tandem_yaml *y, const char *path);

#endif
