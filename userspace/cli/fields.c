/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cli/fields.h"

#include <stdio.h>

const char *tandem_field_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && *text ? text : "-";
}

const char *tandem_field_number(const json_t *object, const char *key, int decimals,
				char buf[TANDEM_FIELD_SIZE])
{
	const json_t *value = json_object_get(object, key);

	if (json_is_integer(value) && !decimals)
		snprintf(buf, TANDEM_FIELD_SIZE, "%lld", (long long)json_integer_value(value));
	else if (json_is_number(value))
		snprintf(buf, TANDEM_FIELD_SIZE, "%.*f", decimals, json_number_value(value));
	else
		snprintf(buf, TANDEM_FIELD_SIZE, "-");
	return buf;
}
