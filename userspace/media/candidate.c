/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/media/candidate.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PRIORITY_TYPE_SHIFT  24 /* RFC 8445 5.1.2.1 */
#define PRIORITY_LOCAL_SHIFT 8

/* A word of an attribute's value. */
struct word {
	const char *p;
	size_t len;
};

/* What is left of a value. */
struct rest {
	const char *p;
	size_t len;
};

static const char *const type_names[] = {
	[TANDEM_CANDIDATE_HOST] = "host",
	[TANDEM_CANDIDATE_SRFLX] = "srflx",
	[TANDEM_CANDIDATE_PRFLX] = "prflx",
	[TANDEM_CANDIDATE_RELAY] = "relay",
};

static bool word_next(struct rest *r, struct word *w)
{
	while (r->len && *r->p == ' ') {
		r->p++;
		r->len--;
	}
	w->p = r->p;
	while (r->len && *r->p != ' ') {
		r->p++;
		r->len--;
	}
	w->len = (size_t)(r->p - w->p);
	return w->len > 0;
}

static bool word_is(const struct word *w, const char *text)
{
	return w->len == strlen(text) && !strncasecmp(w->p, text, w->len);
}

static int word_copy(const struct word *w, char *buf, size_t size)
{
	if (w->len >= size || memchr(w->p, '\0', w->len))
		return -EBADMSG;
	memcpy(buf, w->p, w->len);
	buf[w->len] = '\0';
	return 0;
}

static int number_next(struct rest *r, uint64_t max, uint64_t *value)
{
	struct word w;

	*value = 0;
	if (!word_next(r, &w) || w.len > 10)
		return -EBADMSG;
	for (size_t i = 0; i < w.len; i++) {
		if (w.p[i] < '0' || w.p[i] > '9')
			return -EBADMSG;
		*value = *value * 10 + (uint64_t)(w.p[i] - '0');
	}
	return *value <= max ? 0 : -EBADMSG;
}

static int address_of(const struct word *w, struct ip_addr *ip)
{
	char text[INET6_ADDRSTRLEN];

	return word_copy(w, text, sizeof(text)) || tandem_ip_parse(ip, text) ? -EBADMSG : 0;
}

/* The characters of a host name (RFC 1123 2.1), and of those that mDNS makes up. */
static bool is_name(const struct word *w)
{
	for (size_t i = 0; i < w->len; i++) {
		if (!isalnum((unsigned char)w->p[i]) && !strchr("-._", w->p[i]))
			return false;
	}
	return w->len <= 255;
}

static int address_next(struct rest *r, struct tandem_candidate *c)
{
	static const char mdns[] = ".local";
	size_t n = sizeof(mdns) - 1;
	struct word w;

	if (!word_next(r, &w))
		return -EBADMSG;
	if (!address_of(&w, &c->addr.ip)) {
		c->kind = TANDEM_CANDIDATE_IP;
		return 0;
	}
	if (memchr(w.p, '\0', w.len) || !is_name(&w))
		return -EBADMSG;
	memset(&c->addr.ip, 0, sizeof(c->addr.ip));
	c->kind = w.len > n && !strncasecmp(w.p + w.len - n, mdns, n) ? TANDEM_CANDIDATE_MDNS
								      : TANDEM_CANDIDATE_FQDN;
	return 0;
}

static enum tandem_candidate_type type_of(const struct word *w)
{
	for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
		if (word_is(w, type_names[i]))
			return (enum tandem_candidate_type)i;
	}
	return TANDEM_CANDIDATE_OTHER;
}

/* raddr and rport, then pairs of a name and a value. Names are no error: they say nothing here. */
static int extensions_read(struct rest *r, struct tandem_candidate *c)
{
	bool has_ip = false, has_port = false;
	struct word name, value;
	uint64_t number;

	while (word_next(r, &name)) {
		struct rest before = *r;

		if (!word_next(r, &value))
			return -EBADMSG;
		if (word_is(&name, "raddr")) {
			has_ip = !address_of(&value, &c->related.ip);
		} else if (word_is(&name, "rport")) {
			if (number_next(&before, UINT16_MAX, &number))
				return -EBADMSG;
			c->related.port = (uint16_t)number;
			has_port = true;
		}
	}
	c->has_related = has_ip && has_port;
	return 0;
}

static bool ice_chars(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)p[i]) && p[i] != '+' && p[i] != '/')
			return false;
	}
	return true;
}

int tandem_candidate_parse(struct tandem_candidate *c, const char *value, size_t len)
{
	static const char prefix[] = "candidate:";
	struct rest r = { value, len };
	uint64_t component, priority, port;
	struct word w;

	memset(c, 0, sizeof(*c));
	if (len >= sizeof(prefix) - 1 && !memcmp(value, prefix, sizeof(prefix) - 1)) {
		r.p += sizeof(prefix) - 1;
		r.len -= sizeof(prefix) - 1;
	}
	if (!word_next(&r, &w) || !ice_chars(w.p, w.len) ||
	    word_copy(&w, c->foundation, sizeof(c->foundation)))
		return -EBADMSG;
	if (number_next(&r, 256, &component) || !component || !word_next(&r, &w))
		return -EBADMSG;
	c->component = (unsigned int)component;
	c->udp = word_is(&w, "UDP");
	if (number_next(&r, UINT32_MAX, &priority) || address_next(&r, c) ||
	    number_next(&r, UINT16_MAX, &port))
		return -EBADMSG;
	c->priority = (uint32_t)priority;
	c->addr.port = (uint16_t)port;
	if (!word_next(&r, &w) || !word_is(&w, "typ") || !word_next(&r, &w))
		return -EBADMSG;
	c->type = type_of(&w);
	return extensions_read(&r, c);
}

int tandem_candidate_format(const struct tandem_candidate *c, char *buf, size_t size)
{
	char ip[INET6_ADDRSTRLEN], related[INET6_ADDRSTRLEN];
	int n;

	if (!c->udp || c->kind != TANDEM_CANDIDATE_IP || c->type >= TANDEM_CANDIDATE_OTHER ||
	    !c->component || c->component > 256 || !*c->foundation)
		return -EINVAL;
	tandem_ip_format(&c->addr.ip, ip, sizeof(ip));
	n = snprintf(buf, size, "%s %u UDP %u %s %u typ %s", c->foundation, c->component,
		     c->priority, ip, (unsigned int)c->addr.port, type_names[c->type]);
	if (n >= 0 && (size_t)n < size && c->has_related)
		n += snprintf(buf + n, size - (size_t)n, " raddr %s rport %u",
			      tandem_ip_format(&c->related.ip, related, sizeof(related)),
			      (unsigned int)c->related.port);
	return n >= 0 && (size_t)n < size ? n : -ENOSPC;
}

uint32_t tandem_candidate_priority(enum tandem_candidate_type type, unsigned int local_preference,
				   unsigned int component)
{
	/* RFC 8445 5.1.2.2 */
	static const uint32_t preference[] = {
		[TANDEM_CANDIDATE_HOST] = 126,	[TANDEM_CANDIDATE_SRFLX] = 100,
		[TANDEM_CANDIDATE_PRFLX] = 110, [TANDEM_CANDIDATE_RELAY] = 0,
		[TANDEM_CANDIDATE_OTHER] = 0,
	};

	return preference[type] << PRIORITY_TYPE_SHIFT |
	       (local_preference & 0xffff) << PRIORITY_LOCAL_SHIFT | (256 - component);
}

bool tandem_ice_ufrag_valid(const char *ufrag, size_t len)
{
	return len >= TANDEM_ICE_UFRAG_MIN && len <= TANDEM_ICE_CRED_MAX && ice_chars(ufrag, len);
}

bool tandem_ice_pwd_valid(const char *pwd, size_t len)
{
	return len >= TANDEM_ICE_PWD_MIN && len <= TANDEM_ICE_CRED_MAX && ice_chars(pwd, len);
}

bool tandem_ice_has_option(const char *value, size_t len, const char *option)
{
	struct rest r = { value, len };
	struct word w;

	while (word_next(&r, &w)) {
		if (w.len == strlen(option) && !memcmp(w.p, option, w.len))
			return true;
	}
	return false;
}

int tandem_remote_candidates_parse(struct tandem_endpoint out[TANDEM_ICE_COMPONENTS],
				   const char *value, size_t len)
{
	struct rest r = { value, len };
	uint64_t component, port;
	struct ip_addr ip;
	struct word w;

	memset(out, 0, TANDEM_ICE_COMPONENTS * sizeof(*out));
	do {
		if (number_next(&r, 256, &component) || !component || !word_next(&r, &w) ||
		    address_of(&w, &ip) || number_next(&r, UINT16_MAX, &port) || !port)
			return -EBADMSG;
		if (component <= TANDEM_ICE_COMPONENTS)
			out[component - 1] = (struct tandem_endpoint){ ip, (uint16_t)port };
		while (r.len && *r.p == ' ') {
			r.p++;
			r.len--;
		}
	} while (r.len);
	return 0;
}

int tandem_remote_candidates_format(const struct tandem_endpoint *eps, size_t n, char *buf,
				    size_t size)
{
	char ip[INET6_ADDRSTRLEN];
	size_t len = 0;

	if (!n || n > TANDEM_ICE_COMPONENTS)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		int m = snprintf(buf + len, size - len, "%s%zu %s %u", i ? " " : "", i + 1,
				 tandem_ip_format(&eps[i].ip, ip, sizeof(ip)),
				 (unsigned int)eps[i].port);

		if (m < 0 || (size_t)m >= size - len)
			return -ENOSPC;
		len += (size_t)m;
	}
	return (int)len;
}
