/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/config/listen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_port(const char *text, uint16_t *port)
{
	unsigned long value;

	if (!*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 5)
		return -EINVAL;
	value = strtoul(text, NULL, 10);
	if (!value || value > UINT16_MAX)
		return -EINVAL;
	*port = (uint16_t)value;
	return 0;
}

int tandem_listen_parse(struct tandem_listen *listen, const char *text)
{
	const char *start = text + 4, *end;
	char address[64];
	bool bracket;

	if (strncmp(text, "udp:", 4) != 0 && strncmp(text, "tcp:", 4) != 0)
		return -EINVAL;
	listen->tcp = text[0] == 't';
	bracket = *start == '[';
	start += bracket;
	end = bracket ? strchr(start, ']') : strrchr(start, ':');
	if (!end || (size_t)(end - start) >= sizeof(address) || (bracket && end[1] != ':'))
		return -EINVAL;
	snprintf(address, sizeof(address), "%.*s", (int)(end - start), start);
	/* Without brackets it is not clear where an IPv6 address ends. */
	if (!bracket && strchr(address, ':'))
		return -EINVAL;
	if (tandem_ip_parse(&listen->local.ip, address))
		return -EINVAL;
	return parse_port(end + 1 + bracket, &listen->local.port);
}

const char *tandem_listen_format(const struct tandem_listen *listen, char *buf, size_t size)
{
	char endpoint[TANDEM_ENDPOINT_STRLEN];

	snprintf(buf, size, "%s:%s", listen->tcp ? "tcp" : "udp",
		 tandem_endpoint_format(&listen->local, endpoint, sizeof(endpoint)));
	return buf;
}
