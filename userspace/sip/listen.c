/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "userspace/sip/local.h"

int tandem_sip_listener_parse(struct tandem_listener *l, const char *spec)
{
	if (!spec)
		return -EINVAL;

	if (!strncasecmp(spec, "udp:", 4))
		l->tp = SIP_TRANSP_UDP;
	else if (!strncasecmp(spec, "tcp:", 4))
		l->tp = SIP_TRANSP_TCP;
	else if (!strncasecmp(spec, "tls:", 4))
		l->tp = SIP_TRANSP_TLS;
	else if (!strncasecmp(spec, "wss:", 4))
		l->tp = SIP_TRANSP_WSS;
	else if (!strncasecmp(spec, "ws:", 3))
		l->tp = SIP_TRANSP_WS;
	else
		return -EINVAL;

	spec = strchr(spec, ':') + 1;
	if (sa_decode(&l->addr, spec, strlen(spec)) || !sa_port(&l->addr))
		return -EINVAL;

	/* Via and Record-Route must name an address that others can reach */
	if (sa_is_any(&l->addr))
		return -EADDRNOTAVAIL;

	return 0;
}

static bool listens_on(const struct tandem_sip *ts, const struct sa *addr)
{
	size_t i;

	for (i = 0; i < ts->listeners_count; i++) {
		if (sa_cmp(&ts->listeners[i].addr, addr, SA_ALL))
			return true;
	}

	return false;
}

static bool listens_on_port(const struct tandem_sip *ts, uint16_t port)
{
	size_t i;

	for (i = 0; i < ts->listeners_count; i++) {
		if (sa_port(&ts->listeners[i].addr) == port)
			return true;
	}

	return false;
}

static const char *domain_find(const struct tandem_sip *ts, const struct pl *host)
{
	size_t i;

	for (i = 0; i < ts->domains_count; i++) {
		if (!pl_strcasecmp(host, ts->domains[i]))
			return ts->domains[i];
	}

	return NULL;
}

static bool is_our_address(const struct tandem_sip *ts, const struct uri *uri)
{
	uint16_t port = pl_strcasecmp(&uri->scheme, "sips") ? SIP_PORT : SIP_PORT_TLS;
	struct sa sa;

	if (sa_set(&sa, &uri->host, uri->port ? uri->port : port))
		return false;

	return listens_on(ts, &sa);
}

bool tandem_sip_is_local(const struct tandem_sip *ts, const struct uri *uri)
{
	if (pl_strcasecmp(&uri->scheme, "sip") && pl_strcasecmp(&uri->scheme, "sips"))
		return false;
	if (is_our_address(ts, uri))
		return true;

	return domain_find(ts, &uri->host) && (!uri->port || listens_on_port(ts, uri->port));
}

const struct tandem_listener *tandem_sip_listener_find(const struct tandem_sip *ts,
						       enum sip_transp tp, const struct sa *addr)
{
	const struct tandem_listener *same_ip = NULL, *same_af = NULL;
	size_t i;

	for (i = 0; i < ts->listeners_count; i++) {
		const struct tandem_listener *l = &ts->listeners[i];

		if (sa_isset(&l->inner, SA_ALL) && sa_cmp(&l->inner, addr, SA_ALL))
			return l;
		if (l->tp != tp)
			continue;
		if (sa_cmp(&l->addr, addr, SA_ALL))
			return l;
		if (!same_ip && sa_cmp(&l->addr, addr, SA_ADDR))
			same_ip = l;
		if (!same_af && sa_af(&l->addr) == sa_af(addr))
			same_af = l;
	}

	return same_ip ? same_ip : same_af;
}

int tandem_sip_aor(const struct tandem_sip *ts, const struct uri *uri, char **aorp)
{
	const char *domain = domain_find(ts, &uri->host);
	int err;

	/* an escaped NUL would cut the text and make two users one */
	if (!pl_isset(&uri->user) || !re_regex(uri->user.p, uri->user.l, "%00"))
		return -EINVAL;

	if (domain)
		err = re_sdprintf(aorp, "sip:%H@%s", uri_user_unescape, &uri->user, domain);
	else if (ts->domains_count)
		err = re_sdprintf(aorp, "sip:%H@%s", uri_user_unescape, &uri->user, ts->domains[0]);
	else
		err = re_sdprintf(aorp, "sip:%H@%j", uri_user_unescape, &uri->user,
				  &ts->listeners[0].addr);

	return -err;
}
