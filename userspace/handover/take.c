/* SPDX-License-Identifier: GPL-2.0-only */
/* The process that comes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/abi.h"
#include "userspace/control/client.h"
#include "userspace/datapath/bequest.h"
#include "userspace/handover/go.h"
#include "userspace/handover/handover.h"
#include "userspace/util/log.h"

#define MODULE "handover"
#define GO_S   15 /* for the other one to let go */

static int ask(const char *control_socket, json_t **result, char *why, size_t why_size)
{
	json_t *request = json_pack("{s:s, s:s, s:i, s:b}", "call", "handover.start", "version",
				    TANDEM_VERSION, "abi", TANDEM_ABI_VERSION, "sockets", 1);
	int ret = request ? tandem_client_call(control_socket, request, result, why, why_size)
			  : -ENOMEM;

	json_decref(request);
	return ret;
}

static int wait_for_go(int fd, struct tandem_bequest *bequest, char *why, size_t why_size)
{
	const struct timeval limit = { .tv_sec = GO_S };
	int ret;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		return -errno;
	ret = tandem_handover_receive_go(fd, bequest);
	if (ret)
		snprintf(why, why_size, "the relay that runs has not let go: %s",
			 ret == -ECONNRESET ? "it has called the handover off" : strerror(-ret));
	return ret == -EAGAIN ? -ETIMEDOUT : ret;
}

int tandem_handover_take(int *fdp, struct tandem_bequest *bequest, const char *control_socket,
			 char *why, size_t why_size)
{
	json_t *result = NULL;
	const char *path;
	int fd = -1, ret = ask(control_socket, &result, why, why_size);

	*fdp = -1;
	if (ret == -ENOENT || ret == -ECONNREFUSED) {
		tandem_log(TANDEM_LOG_INFO, MODULE, "%s: nothing to take over", why);
		why[0] = '\0';
		return 0;
	}
	if (ret)
		return ret;
	path = json_string_value(json_object_get(result, "socket"));
	fd = path ? tandem_client_connect(path, 0) : -EPROTO;
	ret = fd < 0 ? fd : wait_for_go(fd, bequest, why, why_size);
	if (!ret)
		*fdp = fd;
	else if (fd >= 0)
		close(fd);
	if (ret && !why[0])
		snprintf(why, why_size, "%s: %s", path ? path : control_socket, strerror(-ret));
	json_decref(result);
	return ret;
}

int tandem_handover_ready(int fd)
{
	ssize_t n = send(fd, "ready\n", 6, MSG_NOSIGNAL);

	close(fd);
	return n == 6 ? 0 : -ECONNRESET;
}
