/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Headers of NG by HTTP: a line each of method, path, Host, Content-Type and Content-Length. Nothing
 * gets through that has an Origin or another host's name, or a body that is too long.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/fuzz/check.h"
#include "userspace/ng/http_rules.h"
#include "userspace/ng/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "relay.example.org" };

/* The next line of the input, as much of it as fits. */
static void take_line(const uint8_t **p, size_t *left, char *out, size_t room)
{
	const uint8_t *end = memchr(*p, '\n', *left);
	size_t len = end ? (size_t)(end - *p) : *left, n = len < room - 1 ? len : room - 1;

	memcpy(out, *p, n);
	out[n] = '\0';
	len += end != NULL;
	*p += len;
	*left -= len;
}

/* Looser than the rule: one of the forms that it takes, at the begin. */
static int looks_right(const char *host)
{
	return strspn(host, "0123456789.") >= 7 || *host == '[' ||
	       !strncasecmp(host, "localhost", 9) || !strncasecmp(host, names[0], strlen(names[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[TANDEM_NG_HEADER_MAX], method[2];
	struct tandem_ng_request req = { .path = path };
	enum tandem_ng_target target = TANDEM_NG_PING;
	unsigned int status;
	size_t length;

	take_line(&data, &size, method, sizeof(method));
	take_line(&data, &size, path, sizeof(path));
	take_line(&data, &size, req.host, sizeof(req.host));
	take_line(&data, &size, req.type, sizeof(req.type));
	take_line(&data, &size, req.length, sizeof(req.length));
	req.method = *method == 'G'   ? TANDEM_NG_GET
		     : *method == 'P' ? TANDEM_NG_POST
				      : TANDEM_NG_OTHER_METHOD;
	req.origin = size && *data & 1;
	req.coded = size && *data & 2;
	status = tandem_ng_request_check(&req, names, 1, &target, &length);
	if (status) {
		CHECK(status >= 400 && status < 500);
		return 0;
	}
	CHECK(!req.origin);
	CHECK(looks_right(req.host));
	CHECK(length <= TANDEM_NG_MESSAGE_MAX);
	if (req.method == TANDEM_NG_POST) {
		CHECK(length && !req.coded);
		CHECK(length == strtoull(req.length, NULL, 10));
		CHECK(!strncasecmp(req.type, "application/", 12));
		CHECK(target == TANDEM_NG_MESSAGE || target == TANDEM_NG_PLAIN);
	} else {
		CHECK(!length && (target == TANDEM_NG_METRICS || target == TANDEM_NG_PING));
	}
	return 0;
}
