/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an HTTP request has to be like before it is listened to. No page in a browser may send one:
 * not from another site, and not from one whose name was made to mean this host (DNS rebinding).
 */
#ifndef TANDEM_NG_HTTP_RULES_H
#define TANDEM_NG_HTTP_RULES_H

#include <stdbool.h>
#include <stddef.h>

/* What is asked for. */
enum tandem_ng_target {
	TANDEM_NG_MESSAGE, /* with its cookie */
	TANDEM_NG_PLAIN,   /* without one */
	TANDEM_NG_METRICS,
	TANDEM_NG_PING,
};

enum tandem_ng_method {
	TANDEM_NG_GET,
	TANDEM_NG_POST,
	TANDEM_NG_OTHER_METHOD,
};

#define TANDEM_NG_HEADER_MAX 256

/* Of a request by HTTP. "": it has no such header. */
struct tandem_ng_request {
	enum tandem_ng_method method;
	const char *path;
	char host[TANDEM_NG_HEADER_MAX];
	char type[TANDEM_NG_HEADER_MAX];
	char length[TANDEM_NG_HEADER_MAX];
	bool origin; /* it has one, so a browser has sent it for a page */
	bool coded;  /* it has a Transfer-Encoding */
};

/*
 * True when a Host header (RFC 9110 section 7.2) has an address, "localhost" or one of names, with
 * or without a port: any other name can be of a page whose author says what it means.
 */
bool tandem_ng_host_fits(const char *host, const char *const *names, size_t count);

/*
 * 0: the request is in order, *target is what it is for, and *length the octets of its body, 0
 * for GET. Else the status of HTTP that it is refused with (RFC 9110 section 15.5).
 */
unsigned int tandem_ng_request_check(const struct tandem_ng_request *req, const char *const *names,
				     size_t count, enum tandem_ng_target *target, size_t *length);

#endif
