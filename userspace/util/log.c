/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/util/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 2048

static const char *const names[] = {
	[TANDEM_LOG_ERROR] = "error",
	[TANDEM_LOG_WARNING] = "warning",
	[TANDEM_LOG_INFO] = "info",
	[TANDEM_LOG_DEBUG] = "debug",
};

static _Atomic(enum tandem_log_level) threshold = TANDEM_LOG_INFO;

void tandem_log_set_level(enum tandem_log_level level)
{
	atomic_store_explicit(&threshold, level, memory_order_relaxed);
}

int tandem_log_level_parse(const char *name, enum tandem_log_level *level)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0) {
			*level = (enum tandem_log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* Text may hold what a peer sent: a control character must not forge a record. */
static void escape(char *out, size_t size, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (; *text && n + 5 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c != 0x7f) {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	out[n] = '\0';
}

void tandem_log(enum tandem_log_level level, const char *module, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
	va_list ap;

	if (level > atomic_load_explicit(&threshold, memory_order_relaxed))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	escape(line, sizeof(line), text);
	fprintf(stderr, "%s %s: %s\n", names[level], module, line);
}
