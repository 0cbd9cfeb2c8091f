/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/util/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "userspace/util/log_flood.h"

#define LINE_MAX_BYTES 2048

static const char *const names[] = {
	[TANDEM_LOG_ERROR] = "error",
	[TANDEM_LOG_WARNING] = "warning",
	[TANDEM_LOG_INFO] = "info",
	[TANDEM_LOG_DEBUG] = "debug",
};

/* Of syslog(3), which the journal takes in front of a line. */
static const int priorities[] = {
	[TANDEM_LOG_ERROR] = 3,
	[TANDEM_LOG_WARNING] = 4,
	[TANDEM_LOG_INFO] = 6,
	[TANDEM_LOG_DEBUG] = 7,
};

static _Atomic(enum tandem_log_level) threshold = TANDEM_LOG_INFO;
static enum tandem_log_format format;
static int output = STDERR_FILENO;
static int to_journal;
static _Thread_local struct tandem_log_scope *current;

void tandem_log_set_level(enum tandem_log_level level)
{
	atomic_store_explicit(&threshold, level, memory_order_relaxed);
}

/* $JOURNAL_STREAM names the socket that the journal reads (systemd.exec(5)). */
static int is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && !fstat(fd, &st) &&
	       st.st_dev == dev && st.st_ino == ino;
}

void tandem_log_set_output(enum tandem_log_format new_format, int fd)
{
	format = new_format;
	output = fd;
	to_journal = is_journal(fd);
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

/* How long the UTF-8 character at p is; 0: it is none (RFC 3629). */
static size_t utf8_len(const unsigned char *p)
{
	size_t n, i;

	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	/* overlong forms, surrogates, beyond U+10FFFF, and the C1 controls */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f) ||
	    (p[0] == 0xc2 && p[1] < 0xa0))
		return 0;
	return n;
}

/*
 * Text may hold what a peer sent: a control character must not forge a record, nor steer the
 * terminal that shows it. In JSON a backslash and a quote are escaped besides.
 */
static void escape(char *out, size_t size, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	const char *mark = format == TANDEM_LOG_JSON ? "\\u00" : "\\x";
	size_t n = 0, len, mark_len = strlen(mark);

	while (*text && n + 8 < size) {
		unsigned char c = (unsigned char)*text;

		len = c < 0x80 ? c >= 0x20 && c != 0x7f : utf8_len((const unsigned char *)text);
		if (format == TANDEM_LOG_JSON && (c == '"' || c == '\\'))
			out[n++] = '\\';
		if (len) {
			memcpy(out + n, text, len);
			n += len;
			text += len;
			continue;
		}
		memcpy(out + n, mark, mark_len);
		n += mark_len;
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
		text++;
	}
	out[n] = '\0';
}

static int json_line(char *line, size_t size, enum tandem_log_level level, const char *module,
		     const char *text)
{
	char call[2 * TANDEM_LOG_CALL_SIZE] = "", when[32];
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	if (current)
		escape(call, sizeof(call), current->call_id);
	return snprintf(line, size,
			"{\"time\":\"%s.%03ldZ\",\"level\":\"%s\",\"module\":\"%s\"%s%s%s,"
			"\"text\":\"%s\"}\n",
			when, ts.tv_nsec / 1000000, names[level], module,
			current ? ",\"call_id\":\"" : "", call, current ? "\"" : "", text);
}

/* The Call-ID follows the text, unless it is in it. */
static int text_line(char *line, size_t size, enum tandem_log_level level, const char *module,
		     const char *text)
{
	char call[2 * TANDEM_LOG_CALL_SIZE] = "", priority[8] = "";

	if (current)
		escape(call, sizeof(call), current->call_id);
	if (*call && strstr(text, call))
		*call = '\0';
	if (to_journal)
		snprintf(priority, sizeof(priority), "<%d>", priorities[level]);
	return snprintf(line, size, "%s%s %s: %s%s%s%s\n", priority, names[level], module, text,
			*call ? " [call " : "", call, *call ? "]" : "");
}

/* One write, so that lines of several threads do not mix; a reader that is gone is no error. */
static void emit(enum tandem_log_level level, const char *module, const char *text)
{
	char escaped[LINE_MAX_BYTES], line[LINE_MAX_BYTES + 2 * TANDEM_LOG_CALL_SIZE + 128];
	int len;

	escape(escaped, sizeof(escaped), text);
	len = format == TANDEM_LOG_JSON ? json_line(line, sizeof(line), level, module, escaped)
					: text_line(line, sizeof(line), level, module, escaped);
	if (len > 0 && write(output, line, (size_t)len) < 0)
		return;
}

static void emit_sum(const struct tandem_log_sum *sum, void *arg)
{
	struct tandem_log_scope *scope = current;
	char text[LINE_MAX_BYTES];

	(void)arg;
	/* it is about many calls, or none */
	current = NULL;
	snprintf(text, sizeof(text), "%u more such lines were held back, the last one: %s",
		 sum->count, sum->text);
	emit((enum tandem_log_level)sum->level, sum->module, text);
	current = scope;
}

void tandem_log(enum tandem_log_level level, const char *module, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list ap;

	if (level > atomic_load_explicit(&threshold, memory_order_relaxed))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* whoever asks for everything shall have it */
	if (level == TANDEM_LOG_DEBUG ||
	    tandem_log_flood_admit((int)level, module, fmt, text, emit_sum, NULL))
		emit(level, module, text);
}

void tandem_log_tick(void)
{
	tandem_log_flood_tick(emit_sum, NULL);
}

void tandem_log_enter(struct tandem_log_scope *scope, const char *call_id, size_t len)
{
	if (len >= sizeof(scope->call_id))
		len = sizeof(scope->call_id) - 1;
	memcpy(scope->call_id, call_id, len);
	scope->call_id[len] = '\0';
	scope->outer = current;
	current = scope;
}

void tandem_log_leave(struct tandem_log_scope *scope)
{
	current = scope->outer;
}
