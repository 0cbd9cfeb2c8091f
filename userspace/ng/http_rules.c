/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/ng/http_rules.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "userspace/ng/message.h"
#include "userspace/util/endpoint.h"

#define DIGITS_MAX 7

static const struct {
	const char *path;
	enum tandem_ng_method method;
	enum tandem_ng_target target;
} targets[] = {
	{ "/ng", TANDEM_NG_POST, TANDEM_NG_MESSAGE },
	{ "/ng-plain", TANDEM_NG_POST, TANDEM_NG_PLAIN },
	{ "/metrics", TANDEM_NG_GET, TANDEM_NG_METRICS },
	{ "/ping", TANDEM_NG_GET, TANDEM_NG_PING },
};

#define TARGETS (sizeof(targets) / sizeof(targets[0]))

/* ":" and digits, or nothing. */
static bool is_port(const char *text)
{
	return !*text || (*text == ':' && strspn(text + 1, "0123456789") == strlen(text + 1));
}

bool tandem_ng_host_fits(const char *host, const char *const *names, size_t count)
{
	char name[TANDEM_NG_HEADER_MAX];
	bool bracketed = *host == '[';
	size_t len, i;
	struct ip_addr ip;

	host += bracketed;
	len = strcspn(host, bracketed ? "]" : ":");
	if (len >= sizeof(name) || (bracketed && host[len] != ']') ||
	    !is_port(host + len + bracketed))
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	if (!tandem_ip_parse(&ip, name))
		return (strchr(name, ':') != NULL) == bracketed;
	if (bracketed)
		return false;
	for (i = 0; i < count; i++) {
		if (!strcasecmp(name, names[i]))
			return true;
	}
	return !strcasecmp(name, "localhost");
}

/* A media type, with or without parameters (RFC 9110 section 8.3.1). */
static bool is_type(const char *text, const char *type)
{
	size_t len = strcspn(text, "; \t");

	return len == strlen(type) && !strncasecmp(text, type, len);
}

static bool type_fits(const char *text, enum tandem_ng_target target)
{
	return is_type(text, "application/x-rtpengine-ng") ||
	       (target == TANDEM_NG_PLAIN && is_type(text, "application/json"));
}

static unsigned int check_body(const struct tandem_ng_request *req, enum tandem_ng_target target,
			       size_t *length)
{
	size_t digits = strlen(req->length);

	/* these are what a page's form cannot have, nor a script's request without asking first */
	if (!type_fits(req->type, target))
		return 415;
	if (!digits || req->coded)
		return 411;
	if (strspn(req->length, "0123456789") != digits)
		return 400;
	*length = digits <= DIGITS_MAX ? strtoul(req->length, NULL, 10) : SIZE_MAX;
	if (*length > TANDEM_NG_MESSAGE_MAX)
		return 413;
	return *length ? 0 : 400;
}

unsigned int tandem_ng_request_check(const struct tandem_ng_request *req, const char *const *names,
				     size_t count, enum tandem_ng_target *target, size_t *length)
{
	size_t i;

	*length = 0;
	if (req->origin || !tandem_ng_host_fits(req->host, names, count))
		return 403;
	for (i = 0; i < TARGETS && strcmp(req->path, targets[i].path); i++)
		;
	if (i == TARGETS)
		return 404;
	if (req->method != targets[i].method)
		return 405;
	*target = targets[i].target;
	return req->method == TANDEM_NG_POST ? check_body(req, *target, length) : 0;
}
