/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/control/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define TIMEOUT_S	5
#define REPLY_MAX_BYTES (256U * 1024 * 1024)

int tandem_client_connect(const char *path, int flags)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	int fd, ret;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun))) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

static int send_request(int fd, const json_t *request)
{
	char *line = json_dumps(request, JSON_COMPACT);
	size_t len, done = 0;
	int ret = 0;

	if (!line)
		return -ENOMEM;
	len = strlen(line);
	line[len] = '\n'; /* takes the place of the terminator */
	while (!ret && done < len + 1) {
		ssize_t n = send(fd, line + done, len + 1 - done, MSG_NOSIGNAL);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			ret = errno == EAGAIN ? -ETIMEDOUT : -errno;
	}
	free(line);
	return ret;
}

/* One line of any length, malloc'd, terminated in place of the newline. */
static int receive_line(int fd, char **linep)
{
	size_t size = 4096, len = 0;
	char *line = malloc(size);
	int ret = line ? 0 : -ENOMEM;

	while (!ret) {
		ssize_t n = recv(fd, line + len, size - len, 0);
		char *end;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			ret = n == 0 ? -EPROTO : errno == EAGAIN ? -ETIMEDOUT : -errno;
			break;
		}
		end = memchr(line + len, '\n', (size_t)n);
		len += (size_t)n;
		if (end) {
			*end = '\0';
			*linep = line;
			return 0;
		}
		if (len == size) {
			char *more = size < REPLY_MAX_BYTES ? realloc(line, size * 2) : NULL;

			if (!more)
				ret = -ENOMEM;
			else
				line = more;
			size *= 2;
		}
	}
	free(line);
	return ret;
}

static int read_reply(const char *line, json_t **result, char *why, size_t why_size)
{
	json_t *reply = json_loads(line, 0, NULL), *found, *error;
	const char *text;
	int ret = -EPROTO;

	found = json_object_get(reply, "result");
	error = json_object_get(reply, "error");
	text = json_string_value(json_object_get(error, "text"));
	if (found) {
		*result = json_incref(found);
		ret = 0;
	} else if (text) {
		snprintf(why, why_size, "%s", text);
		ret = -EREMOTEIO;
	}
	json_decref(reply);
	return ret;
}

static void explain(int err, const char *path, char *why, size_t why_size)
{
	switch (-err) {
	case ENOENT:
	case ECONNREFUSED:
		snprintf(why, why_size, "no relay is running at %s", path);
		break;
	case EPROTO:
		snprintf(why, why_size, "%s: the answer cannot be read", path);
		break;
	case EREMOTEIO:
		break;
	default:
		snprintf(why, why_size, "%s: %s", path, strerror(-err));
	}
}

int tandem_client_call(const char *path, const json_t *request, json_t **result, char *why,
		       size_t why_size)
{
	char *line = NULL;
	int fd = tandem_client_connect(path, 0), ret;

	ret = fd == -EAGAIN ? -ETIMEDOUT : fd < 0 ? fd : send_request(fd, request);
	if (!ret)
		ret = receive_line(fd, &line);
	if (!ret)
		ret = read_reply(line, result, why, why_size);
	if (ret)
		explain(ret, path, why, why_size);
	free(line);
	if (fd >= 0)
		close(fd);
	return ret;
}

bool tandem_client_alive(const char *path)
{
	int fd = tandem_client_connect(path, SOCK_NONBLOCK);

	/* the queue of those who wait is full: so there is one */
	if (fd < 0)
		return fd == -EAGAIN;
	close(fd);
	return true;
}
