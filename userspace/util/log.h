/* SPDX-License-Identifier: GPL-2.0-only */
/* Log lines to stderr, one record a line: level, module, text. Never on the packet path. */
#ifndef TANDEM_UTIL_LOG_H
#define TANDEM_UTIL_LOG_H

enum tandem_log_level {
	TANDEM_LOG_ERROR,
	TANDEM_LOG_WARNING,
	TANDEM_LOG_INFO,
	TANDEM_LOG_DEBUG,
};

/* Lines above this level are not written. Default TANDEM_LOG_INFO. */
void tandem_log_set_level(enum tandem_log_level level);

/* Level by its name; -EINVAL for an unknown one. */
int tandem_log_level_parse(const char *name, enum tandem_log_level *level);

/* One line; control characters in the text are written as \xNN. */
void tandem_log(enum tandem_log_level level, const char *module, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
