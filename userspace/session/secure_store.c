/* SPDX-License-Identifier: GPL-2.0-only */
/* The security of a leg as JSON: for readers without keys, for the store with them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/model.h"

static json_t *suite_json(const struct tandem_srtp *srtp)
{
	const char *name = tandem_sdes_suite_name(srtp->suite);

	return name ? json_string(name) : json_null();
}

json_t *tandem_secure_json(const struct tandem_sessions *ss, const struct tandem_secure_leg *leg)
{
	return json_pack("{s:s, s:o, s:o, s:b, s:o}", "kind", tandem_protection_name(leg->kind),
			 "suite_in", suite_json(&leg->rtp.in), "suite_out",
			 suite_json(&leg->rtp.out), "key_spent", tandem_secure_spent(ss, leg),
			 "wire", tandem_wire_json(leg->wire));
}

static json_t *dump_octets(const uint8_t *octets, size_t n)
{
	char text[2 * sizeof(((struct tandem_srtp *)NULL)->key) + 1] = "";
	json_t *js;
	size_t i;

	for (i = 0; i < n; i++)
		sprintf(text + 2 * i, "%02x", octets[i]);
	js = json_string(text);
	explicit_bzero(text, sizeof(text));
	return js;
}

static json_t *dump_srtp(const struct tandem_srtp *srtp)
{
	char id[17];

	if (!srtp->suite)
		return json_null();
	snprintf(id, sizeof(id), "%016" PRIx64, srtp->id);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:i}", "id", id, "suite",
			 tandem_sdes_suite_name(srtp->suite), "mki",
			 dump_octets(srtp->mki, srtp->mki_len), "key",
			 dump_octets(srtp->key, tandem_sdes_key_len(srtp->suite)), "salt",
			 dump_octets(srtp->salt, tandem_sdes_salt_len(srtp->suite)), "streams",
			 srtp->streams);
}

json_t *tandem_secure_dump(const struct tandem_secure_leg *leg)
{
	return json_pack("{s:s, s:s, s:I, s:b, s:o, s:o, s:o, s:o, s:o}", "kind",
			 tandem_protection_name(leg->kind), "proto", leg->proto, "tag",
			 (json_int_t)leg->tag, "optional", leg->optional, "in",
			 dump_srtp(&leg->rtp.in), "out", dump_srtp(&leg->rtp.out), "rtcp_in",
			 dump_srtp(&leg->rtcp.in), "rtcp_out", dump_srtp(&leg->rtcp.out), "wire",
			 tandem_wire_dump(leg->wire));
}

static int digit(char c)
{
	const char *at = c ? strchr("0123456789abcdef", c) : NULL;

	return at ? (int)(at - "0123456789abcdef") : -1;
}

static int parse_octets(const char *text, uint8_t *octets, size_t n)
{
	size_t i;

	if (strlen(text) != 2 * n)
		return -EBADMSG;
	for (i = 0; i < n; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EBADMSG;
		octets[i] = high << 4 | low;
	}
	return 0;
}

static int parse_srtp(struct tandem_srtp *srtp, const json_t *js)
{
	const char *id, *suite, *mki, *key, *salt;
	int streams;
	char *end;

	if (!js || json_is_null(js))
		return 0;
	if (json_unpack((json_t *)js, "{s:s, s:s, s:s, s:s, s:s, s:i}", "id", &id, "suite", &suite,
			"mki", &mki, "key", &key, "salt", &salt, "streams", &streams))
		return -EBADMSG;
	srtp->id = strtoull(id, &end, 16);
	srtp->suite = tandem_sdes_suite_by_name(suite, strlen(suite));
	srtp->mki_len = strlen(mki) / 2;
	srtp->streams = streams;
	if (!srtp->id || *end || !srtp->suite || strlen(mki) / 2 > sizeof(srtp->mki) ||
	    streams < 1 || streams > SRTP_SSRCS_MAX ||
	    parse_octets(mki, srtp->mki, srtp->mki_len) ||
	    parse_octets(key, srtp->key, tandem_sdes_key_len(srtp->suite)) ||
	    parse_octets(salt, srtp->salt, tandem_sdes_salt_len(srtp->suite)))
		return -EBADMSG;
	return 0;
}

int tandem_secure_parse(struct tandem_secure_leg *leg, const json_t *js)
{
	const char *kind, *proto;
	json_int_t tag;
	int optional;

	if (!js)
		return 0;
	if (json_unpack((json_t *)js, "{s:s, s:s, s:I, s:b}", "kind", &kind, "proto", &proto, "tag",
			&tag, "optional", &optional) ||
	    tandem_protection_parse(&leg->kind, kind) || strlen(proto) >= sizeof(leg->proto) ||
	    tag < 0 || tag > 999999999)
		return -EBADMSG;
	strcpy(leg->proto, proto);
	leg->tag = tag;
	leg->optional = optional;
	leg->offered_kind = leg->kind;
	if (parse_srtp(&leg->rtp.in, json_object_get(js, "in")) ||
	    parse_srtp(&leg->rtp.out, json_object_get(js, "out")) ||
	    parse_srtp(&leg->rtcp.in, json_object_get(js, "rtcp_in")) ||
	    parse_srtp(&leg->rtcp.out, json_object_get(js, "rtcp_out")))
		return -EBADMSG;
	leg->rtp.out.sealed = leg->rtp.out.suite != 0;
	leg->rtcp.out.sealed = leg->rtcp.out.suite != 0;
	if (leg->kind == TANDEM_PROTECT_SDES && (!leg->rtp.in.suite || !leg->rtp.out.suite))
		return -EBADMSG;
	return 0;
}
