/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/config/listen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int tandem_listen_parse(struct tandem_listen *listen, const char *text)
{
	if (strncmp(text, "udp:", 4) != 0 && strncmp(text, "tcp:", 4) != 0 &&
	    strncmp(text, "tls:", 4) != 0)
		return -EINVAL;
	listen->tcp = text[0] == 't';
	listen->tls = text[1] == 'l';
	return tandem_endpoint_parse(&listen->local, text + 4);
}

const char *tandem_listen_format(const struct tandem_listen *listen, char *buf, size_t size)
{
	char endpoint[TANDEM_ENDPOINT_STRLEN];

	snprintf(buf, size, "%s:%s",
		 listen->tls   ? "tls"
		 : listen->tcp ? "tcp"
			       : "udp",
		 tandem_endpoint_format(&listen->local, endpoint, sizeof(endpoint)));
	return buf;
}
