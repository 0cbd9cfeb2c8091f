/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cdr/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define PIPE_WAIT_MS 1000 /* for a reader of stdout that does not read */

struct tandem_cdr_sink {
	char *where;
	int fd; /* -1: not open */
	atomic_bool reopen;
};

static int is_syslog(const struct tandem_cdr_sink *s)
{
	return !strcmp(s->where, "syslog");
}

static int is_stdout(const struct tandem_cdr_sink *s)
{
	return !strcmp(s->where, "stdout");
}

int tandem_cdr_sink_alloc(struct tandem_cdr_sink **sp, const char *where)
{
	struct tandem_cdr_sink *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->fd = -1;
	s->where = strdup(where);
	if (!s->where) {
		free(s);
		return -ENOMEM;
	}
	if (is_syslog(s))
		openlog("tandem-cdr", LOG_NDELAY, LOG_LOCAL0);
	*sp = s;
	return 0;
}

static void close_file(struct tandem_cdr_sink *s)
{
	if (s->fd >= 0 && !is_stdout(s))
		close(s->fd);
	s->fd = -1;
}

void tandem_cdr_sink_free(struct tandem_cdr_sink *s)
{
	if (!s)
		return;
	close_file(s);
	if (is_syslog(s))
		closelog();
	free(s->where);
	free(s);
}

void tandem_cdr_sink_reopen(struct tandem_cdr_sink *s)
{
	atomic_store(&s->reopen, true);
}

/* Another file, or none, has the name now. */
static bool is_renamed(const struct tandem_cdr_sink *s)
{
	struct stat here, there;

	if (s->fd < 0 || is_stdout(s) || fstat(s->fd, &here))
		return false;
	return stat(s->where, &there) || here.st_ino != there.st_ino || here.st_dev != there.st_dev;
}

static int open_file(struct tandem_cdr_sink *s)
{
	if (atomic_exchange(&s->reopen, false) || is_renamed(s))
		close_file(s);
	if (s->fd >= 0)
		return 0;
	s->fd = is_stdout(s) ? STDOUT_FILENO
			     : open(s->where, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	return s->fd < 0 ? -errno : 0;
}

/* The chain as one text, so that a file gets it in one write. */
static char *join(const struct tandem_spool_item *first, size_t *len)
{
	const struct tandem_spool_item *item;
	char *text, *p;

	for (*len = 0, item = first; item; item = item->next)
		*len += strlen(item->text) + 1;
	text = p = malloc(*len + 1);
	for (item = first; item && text; item = item->next) {
		size_t n = strlen(item->text);

		memcpy(p, item->text, n);
		p[n] = '\n';
		p += n + 1;
	}
	return text;
}

static int write_all(int fd, const char *text, size_t len)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && poll(&pfd, 1, PIPE_WAIT_MS) > 0)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_file(struct tandem_cdr_sink *s, const struct tandem_spool_item *first)
{
	struct stat st;
	size_t len;
	char *text;
	int err = open_file(s);

	if (err || !first)
		return err;
	text = join(first, &len);
	if (!text)
		return -ENOMEM;
	if (fstat(s->fd, &st))
		st = (struct stat){ 0 };
	err = write_all(s->fd, text, len);
	free(text);
	/* half a line would spoil the next one, and the batch comes again */
	if (err && S_ISREG(st.st_mode) && ftruncate(s->fd, st.st_size))
		err = -errno;
	return err;
}

int tandem_cdr_sink_write(const struct tandem_spool_item *first, char *why, size_t why_size,
			  void *arg)
{
	struct tandem_cdr_sink *s = arg;
	const struct tandem_spool_item *item;
	int err = 0;

	if (is_syslog(s)) {
		for (item = first; item; item = item->next)
			syslog(LOG_INFO, "%s", item->text);
		return 0;
	}
	err = write_file(s, first);
	if (err)
		snprintf(why, why_size, "%s: %s", s->where, strerror(-err));
	return err;
}
