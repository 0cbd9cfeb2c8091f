/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log lines, one record a line: level, module, text, and the call that it is about. Never on
 * the packet path. A flood is summed up: of the same line a few are written in ten seconds, of
 * lines that differ in their values alone a hundred in a second.
 */
#ifndef TANDEM_UTIL_LOG_H
#define TANDEM_UTIL_LOG_H

#include <stddef.h>

enum tandem_log_level {
	TANDEM_LOG_ERROR,
	TANDEM_LOG_WARNING,
	TANDEM_LOG_INFO,
	TANDEM_LOG_DEBUG,
};

/*
 * TEXT: "info sip: what has happened". JSON: {"time": RFC 3339 in UTC, "level", "module",
 * "call_id" where there is one, "text"}. Where systemd's journal takes the lines of text, each
 * has its priority in front (sd-daemon(3)).
 */
enum tandem_log_format {
	TANDEM_LOG_TEXT,
	TANDEM_LOG_JSON,
};

/* fd: 1 or 2. Default: text on 2. To be called before there are other threads. */
void tandem_log_set_output(enum tandem_log_format format, int fd);

/* Lines above this level are not written. Default TANDEM_LOG_INFO. */
void tandem_log_set_level(enum tandem_log_level level);

/* Level by its name; -EINVAL for an unknown one. */
int tandem_log_level_parse(const char *name, enum tandem_log_level *level);

/* One line; control characters in the text are written as \xNN. */
void tandem_log(enum tandem_log_level level, const char *module, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Say how many lines were held back; to be called about once a second. */
void tandem_log_tick(void);

#define TANDEM_LOG_CALL_SIZE 256

/* From enter to leave the thread is busy with a call, and its lines carry the Call-ID. */
struct tandem_log_scope {
	struct tandem_log_scope *outer;
	char call_id[TANDEM_LOG_CALL_SIZE];
};

/* call_id: len octets, which are copied. Scopes nest, as calls of functions do. */
void tandem_log_enter(struct tandem_log_scope *scope, const char *call_id, size_t len);
void tandem_log_leave(struct tandem_log_scope *scope);

#endif
