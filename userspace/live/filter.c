/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/live/filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/abi.h"
#include "core/classify.h"

static int wrong(char *why, size_t why_size, const char *text)
{
	snprintf(why, why_size, "%s", text);
	return -EINVAL;
}

static int parse_text(char **to, const json_t *params, const char *key, char *why, size_t why_size)
{
	const json_t *js = json_object_get(params, key);

	if (!js || json_is_null(js))
		return 0;
	if (!json_is_string(js) || !json_string_length(js)) {
		snprintf(why, why_size, "\"%s\" is no text", key);
		return -EINVAL;
	}
	*to = strdup(json_string_value(js));
	return *to ? 0 : -ENOMEM;
}

static int parse_numbers(struct tandem_live_filter *f, const json_t *params, char *why,
			 size_t why_size)
{
	const json_t *address = json_object_get(params, "address");
	const json_t *ssrc = json_object_get(params, "ssrc");

	if (address) {
		if (!json_is_string(address) || tandem_ip_parse(&f->ip, json_string_value(address)))
			return wrong(why, why_size, "\"address\" is no IP address");
		f->has_ip = true;
	}
	if (ssrc) {
		if (!json_is_integer(ssrc) || json_integer_value(ssrc) < 0 ||
		    json_integer_value(ssrc) > UINT32_MAX)
			return wrong(why, why_size, "\"ssrc\" is no number of 32 bits");
		f->has_ssrc = true;
		f->ssrc = (uint32_t)json_integer_value(ssrc);
	}
	return 0;
}

static int parse_taps(struct tandem_live_filter *f, const json_t *params, char *why,
		      size_t why_size)
{
	const json_t *direction = json_object_get(params, "direction");
	const char *text = direction ? json_string_value(direction) : "both";

	f->headers = json_is_true(json_object_get(params, "headers"));
	if (json_is_true(json_object_get(params, "clear"))) {
		f->taps = RULE_F_TAP_CLEAR;
		return direction ? wrong(why, why_size,
					 "what is in the clear (\"clear\") has no \"direction\"")
				 : 0;
	}
	if (text && !strcmp(text, "in"))
		f->taps = RULE_F_TAP_IN;
	else if (text && !strcmp(text, "out"))
		f->taps = RULE_F_TAP_OUT;
	else if (text && !strcmp(text, "both"))
		f->taps = RULE_F_TAP_IN | RULE_F_TAP_OUT;
	else
		return wrong(why, why_size, "\"direction\" is none of in, out, both");
	return 0;
}

int tandem_live_filter_parse(struct tandem_live_filter *f, const json_t *params, char *why,
			     size_t why_size)
{
	bool all = json_is_true(json_object_get(params, "all")), some;
	int err;

	memset(f, 0, sizeof(*f));
	err = parse_text(&f->call, params, "id", why, why_size);
	if (!err)
		err = parse_text(&f->user, params, "user", why, why_size);
	if (!err)
		err = parse_numbers(f, params, why, why_size);
	if (!err)
		err = parse_taps(f, params, why, why_size);
	some = f->call || f->user || f->has_ip || f->has_ssrc;
	if (!err && all == some)
		err = wrong(why, why_size,
			    "either \"all\", or some of \"id\", \"user\", \"address\", \"ssrc\"");
	if (err)
		tandem_live_filter_clean(f);
	return err;
}

void tandem_live_filter_clean(struct tandem_live_filter *f)
{
	free(f->call);
	free(f->user);
	f->call = f->user = NULL;
}

/* Is it of this user: "alice", or "alice@example.org"? */
static bool is_of(const char *uri, const char *user)
{
	const char *colon = uri ? strchr(uri, ':') : NULL;
	size_t len = strlen(user);

	if (!colon)
		return false;
	return !strncasecmp(colon + 1, user, len) &&
	       (strchr(user, '@') ? !colon[1 + len] || strchr(":;?>", colon[1 + len])
				  : colon[1 + len] == '@');
}

uint32_t tandem_live_filter_wants(const struct tandem_live_filter *f,
				  const struct tandem_tap_call *call)
{
	if (f->call && strcmp(f->call, call->call_id) && strcmp(f->call, call->name) &&
	    strcmp(f->call, call->id))
		return 0;
	if (f->user && !is_of(call->from_uri, f->user) && !is_of(call->to_uri, f->user))
		return 0;
	if (f->has_ip && !tandem_tap_has_ip(call, &f->ip))
		return 0;
	return f->taps;
}

bool tandem_live_ssrc(const struct tandem_live_packet *p, uint32_t *ssrc, bool *rtcp)
{
	const uint8_t *b = p->payload;
	enum packet_class class = b ? classify(b, b + p->payload_len, p->payload_len) : CLASS_OTHER;
	uint32_t at = class == CLASS_RTCP ? 4 : 8;

	if ((class != CLASS_RTP && class != CLASS_RTCP) || p->payload_len < at + 4)
		return false;
	*rtcp = class == CLASS_RTCP;
	*ssrc = (uint32_t)b[at] << 24 | (uint32_t)b[at + 1] << 16 | (uint32_t)b[at + 2] << 8 |
		b[at + 3];
	return true;
}

bool tandem_live_filter_has(const struct tandem_live_filter *f, const struct tandem_live_packet *p)
{
	uint32_t ssrc;
	bool rtcp;

	return !f->has_ssrc || (tandem_live_ssrc(p, &ssrc, &rtcp) && ssrc == f->ssrc);
}

/* The value of a header, by its long or its short name; *len octets of it. NULL: there is none. */
static const char *header_of(const struct tandem_live_sip *m, const char *name, char compact,
			     size_t *len)
{
	const char *p = m->text, *const end = p + m->len, *line_end, *colon;
	size_t name_len = strlen(name);

	for (; p < end && *p != '\r' && *p != '\n'; p = line_end + 1) {
		line_end = memchr(p, '\n', (size_t)(end - p));
		if (!line_end)
			return NULL;
		colon = memchr(p, ':', (size_t)(line_end - p));
		if (!colon)
			continue;
		while (colon > p && (colon[-1] == ' ' || colon[-1] == '\t'))
			colon--;
		if (!((size_t)(colon - p) == name_len && !strncasecmp(p, name, name_len)) &&
		    !(colon - p == 1 && (*p | 0x20) == compact))
			continue;
		for (p = memchr(colon, ':', (size_t)(line_end - colon)) + 1;
		     p < line_end && (*p == ' ' || *p == '\t');)
			p++;
		while (line_end > p && (line_end[-1] == '\r' || line_end[-1] == ' '))
			line_end--;
		*len = (size_t)(line_end - p);
		return p;
	}
	return NULL;
}

/* Does it name the user in a URI? */
static bool names_user(const struct tandem_live_sip *m, const char *name, char compact,
		       const char *user)
{
	char text[512];
	size_t len;
	const char *value = header_of(m, name, compact, &len), *uri;

	if (!value)
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)(len < sizeof(text) ? len : sizeof(text) - 1),
		 value);
	uri = strstr(text, "sip:");
	return is_of(uri ? uri : strstr(text, "sips:"), user);
}

static bool is_call(const struct tandem_live_sip *m, const char *call_id)
{
	size_t len;
	const char *value = header_of(m, "Call-ID", 'i', &len);

	return value && len == strlen(call_id) && !memcmp(value, call_id, len);
}

bool tandem_live_filter_has_sip(const struct tandem_live_filter *f, const struct tandem_live_sip *m)
{
	const uint32_t both = RULE_F_TAP_IN | RULE_F_TAP_OUT;

	if (f->has_ssrc)
		return false;
	if (f->taps & both && !(f->taps & (m->sent ? RULE_F_TAP_OUT : RULE_F_TAP_IN)))
		return false;
	if (f->call && !is_call(m, f->call))
		return false;
	if (f->user && !names_user(m, "From", 'f', f->user) && !names_user(m, "To", 't', f->user))
		return false;
	return !f->has_ip || tandem_ip_equal(&f->ip, m->sent ? &m->to.ip : &m->from.ip);
}
