/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/config/listen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const transports[] = { "udp", "tcp", "tls", "ws", "wss" };

int tandem_listen_parse(struct tandem_listen *listen, const char *text)
{
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		size_t len = strlen(transports[i]);

		if (strncmp(text, transports[i], len) != 0 || text[len] != ':')
			continue;
		listen->transport = transports[i];
		return tandem_endpoint_parse(&listen->local, text + len + 1);
	}
	return -EINVAL;
}

const char *tandem_listen_format(const struct tandem_listen *listen, char *buf, size_t size)
{
	char endpoint[TANDEM_ENDPOINT_STRLEN];

	snprintf(buf, size, "%s:%s", listen->transport,
		 tandem_endpoint_format(&listen->local, endpoint, sizeof(endpoint)));
	return buf;
}

bool tandem_listen_secure(const struct tandem_listen *listen)
{
	return strcmp(listen->transport, "tls") == 0 || strcmp(listen->transport, "wss") == 0;
}
