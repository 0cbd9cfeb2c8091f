/* SPDX-License-Identifier: GPL-2.0-only */
/* One egress of a forward, from JSON. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "userspace/session/forward.h"
#include "userspace/session/reader.h"

#define PT_PCMU 0
#define PT_PCMA 8

static size_t pt_count(const struct pt_list *pts)
{
	size_t n = 0;

	while (n < TANDEM_MAX_PTS && pts->clock_hz[n])
		n++;
	return n;
}

static int parse_ssrc(struct tandem_reader *r, const json_t *js, const uint32_t *ssrc,
		      struct tandem_egress *egress)
{
	const json_t *value = json_object_get(js, "ssrc");
	int err;

	if (!value)
		return 0;
	if (json_is_array(value)) {
		if (json_array_size(value) != 2)
			return tandem_reader_fail(r, "ssrc", "two SSRCs are expected: [from, to]");
		err = tandem_reader_ssrc(r, "ssrc", json_array_get(value, 0), &egress->ssrc.from);
		if (!err)
			err = tandem_reader_ssrc(r, "ssrc", json_array_get(value, 1),
						 &egress->ssrc.to);
	} else if (ssrc) {
		egress->ssrc.from = *ssrc;
		err = tandem_reader_ssrc(r, "ssrc", value, &egress->ssrc.to);
	} else {
		return tandem_reader_fail(r, "ssrc",
					  "[from, to] is expected, since any SSRC comes "
					  "here");
	}
	if (!err && ssrc && egress->ssrc.from != *ssrc)
		return tandem_reader_fail(r, "ssrc", "only 0x%08x comes here", *ssrc);
	egress->flags |= EGRESS_F_SSRC;
	return err;
}

static int parse_offsets(struct tandem_reader *r, const json_t *js, struct tandem_egress *egress)
{
	json_int_t seq = 0, ts = 0;
	int err = tandem_reader_int(r, js, "seq_offset", -UINT16_MAX, UINT16_MAX, &seq);

	if (!err)
		err = tandem_reader_int(r, js, "ts_offset", -(json_int_t)UINT32_MAX, UINT32_MAX,
					&ts);
	egress->seq_offset = (uint16_t)seq;
	egress->ts_offset = (uint32_t)ts;
	if (egress->seq_offset)
		egress->flags |= EGRESS_F_SEQ;
	if (egress->ts_offset)
		egress->flags |= EGRESS_F_TS;
	return err;
}

/* A map from payload types, each a name of the forward's, to others. */
static int parse_pt_map(struct tandem_reader *r, const json_t *js, const struct pt_list *pts,
			struct tandem_egress *egress, uint8_t *mapped)
{
	json_t *map = json_object_get(js, "payload_types"), *value;
	size_t n = pt_count(pts), i, length;
	json_int_t to;
	const char *key;
	int err = 0;

	if (map && !json_is_object(map))
		return tandem_reader_fail(r, "payload_types",
					  "an object such as {\"96\": 97} is expected");
	length = tandem_reader_enter(r, "payload_types");
	json_object_foreach (map, key, value) {
		int pt = tandem_reader_number_key(key, 127);

		for (i = 0; i < n && pts->pt[i] != pt;)
			i++;
		if (i == n)
			return tandem_reader_fail(
				r, key, "not one of the payload_types that the forward has");
		err = tandem_reader_int(r, map, key, 0, 127, &to);
		if (err)
			return err;
		egress->pt_out[i] = (uint8_t)to;
		*mapped |= (uint8_t)(1U << i);
	}
	tandem_reader_leave(r, length);
	return err;
}

/* Payload that is G.711 of the other law becomes this one. */
static int parse_g711(struct tandem_reader *r, const json_t *js,
		      const struct tandem_forward_spec *spec, struct tandem_egress *egress,
		      uint8_t *mapped)
{
	const json_t *value = json_object_get(js, "g711");
	const char *law = json_string_value(value);
	bool alaw = law && !strcmp(law, "pcma"), ulaw = law && !strcmp(law, "pcmu"), found = false;
	size_t i, n = pt_count(&spec->pts);

	if (!value || json_is_null(value))
		return 0;
	if (!alaw && !ulaw)
		return tandem_reader_fail(r, "g711", "\"pcma\", \"pcmu\" or null is expected");
	for (i = 0; i < n; i++) {
		if (!strcasecmp(spec->codecs[i], alaw ? "PCMA" : "PCMU"))
			found = true;
		if (strcasecmp(spec->codecs[i], alaw ? "PCMU" : "PCMA"))
			continue;
		found = true;
		if (!(*mapped & 1U << i))
			egress->pt_out[i] = alaw ? PT_PCMA : PT_PCMU;
		*mapped |= (uint8_t)(1U << i);
		if (alaw)
			egress->to_alaw |= (uint8_t)(1U << i);
		else
			egress->to_ulaw |= (uint8_t)(1U << i);
	}
	return found ? 0
		     : tandem_reader_fail(r, "g711",
					  "none of the forward's payload_types is PCMU or PCMA");
}

static int parse_payload(struct tandem_reader *r, const json_t *js,
			 const struct tandem_forward_spec *spec, struct tandem_egress *egress)
{
	uint8_t mapped = 0;
	int err;

	memcpy(egress->pt_out, spec->pts.pt, sizeof(egress->pt_out));
	err = parse_pt_map(r, js, &spec->pts, egress, &mapped);
	if (!err)
		err = parse_g711(r, js, spec, egress, &mapped);
	if (mapped)
		egress->flags |= EGRESS_F_PT;
	else
		memset(egress->pt_out, 0, sizeof(egress->pt_out));
	return err;
}

static int parse_extensions(struct tandem_reader *r, const json_t *js, struct tandem_leg_spec *leg)
{
	json_t *map = json_object_get(js, "extensions"), *value;
	json_int_t to;
	const char *key;
	size_t length;
	int err = 0;

	if (!map)
		return 0;
	if (!json_is_object(map))
		return tandem_reader_fail(r, "extensions",
					  "an object such as {\"3\": 5} is expected");
	length = tandem_reader_enter(r, "extensions");
	leg->egress.flags |= EGRESS_F_EXT;
	json_object_foreach (map, key, value) {
		int id = tandem_reader_number_key(key, TANDEM_EXT_IDS - 1);

		if (id < 1)
			return tandem_reader_fail(r, key, "an id from 1 to %d is expected",
						  TANDEM_EXT_IDS - 1);
		err = tandem_reader_int(r, map, key, 1, 255, &to);
		if (err)
			return err;
		leg->ext_id[id] = (uint8_t)to;
	}
	tandem_reader_leave(r, length);
	return err;
}

static int parse_ip_fields(struct tandem_reader *r, const json_t *js, struct tandem_egress *egress)
{
	json_int_t dscp = -1, ttl = 0;
	int err = tandem_reader_int(r, js, "dscp", 0, 63, &dscp);

	if (!err)
		err = tandem_reader_int(r, js, "ttl", 1, 255, &ttl);
	if (dscp >= 0) {
		egress->dscp = (uint8_t)dscp;
		egress->flags |= EGRESS_F_DSCP;
	}
	egress->ttl = (uint8_t)ttl;
	return err;
}

static int parse_rtcp(struct tandem_reader *r, const json_t *js,
		      const struct tandem_forward_spec *spec, struct tandem_forward_leg *leg)
{
	int err;

	leg->rtcp = spec->mux;
	err = tandem_reader_bool(r, js, "rtcp", &leg->rtcp);
	if (!err && leg->rtcp && !spec->mux && !spec->rtcp)
		return tandem_reader_fail(r, "rtcp", "the forward takes no RTCP");
	return err;
}

/* SRTP from end to end: the receiver would throw away what the relay has changed. */
static int check_srtp(struct tandem_reader *r, const struct tandem_forward_leg *leg)
{
	static const struct {
		uint16_t flag;
		const char *key;
	} changes[] = {
		{ EGRESS_F_SSRC, "ssrc" },	{ EGRESS_F_SEQ, "seq_offset" },
		{ EGRESS_F_TS, "ts_offset" },	{ EGRESS_F_PT, "payload_types" },
		{ EGRESS_F_EXT, "extensions" },
	};
	size_t i;

	if (leg->srtp.suite)
		return tandem_reader_fail(r, "srtp",
					  "not with \"srtp\" of the forward: what passes as it "
					  "came has keys already");
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		if (leg->leg.egress.flags & changes[i].flag)
			return tandem_reader_fail(
				r, changes[i].key,
				"not with \"srtp\": a packet secured end to end cannot be changed");
	}
	return 0;
}

static int parse_addresses(struct tandem_reader *r, const json_t *js,
			   struct tandem_forward_leg *leg)
{
	int err = tandem_reader_endpoint(r, js, "to", false, &leg->to);

	if (!err && !leg->to.port)
		return tandem_reader_fail(r, "to", "missing: where does this leg lead?");
	if (!err)
		err = tandem_reader_endpoint(r, js, "from", true, &leg->from);
	if (!err && !tandem_ip_is_any(&leg->from.ip) &&
	    tandem_ip_family(&leg->from.ip) != tandem_ip_family(&leg->to.ip))
		return tandem_reader_fail(r, "from", "not of the same IP version as \"to\"");
	return err;
}

int tandem_forward_parse_leg(struct tandem_reader *r, const json_t *js,
			     const struct tandem_forward_spec *spec, const uint32_t *ssrc,
			     bool in_out, struct tandem_forward_leg *leg)
{
	static const char *const keys[] = { "id",	  "to",	       "from",		"ssrc",
					    "seq_offset", "ts_offset", "payload_types", "g711",
					    "extensions", "dscp",      "ttl",		"srtp",
					    NULL,	  NULL };
	const char *allowed[sizeof(keys) / sizeof(keys[0])];
	json_int_t id = TANDEM_FORWARD_NO_ID;
	int err;

	memcpy(allowed, keys, sizeof(keys));
	if (in_out)
		allowed[sizeof(keys) / sizeof(keys[0]) - 2] = "rtcp";
	err = tandem_reader_keys(r, js, allowed);
	if (!err)
		err = tandem_reader_int(r, js, "id", 0, TANDEM_FORWARD_LEG_ID, &id);
	if (!err)
		err = parse_addresses(r, js, leg);
	if (!err)
		err = parse_ssrc(r, js, ssrc, &leg->leg.egress);
	if (!err)
		err = parse_offsets(r, js, &leg->leg.egress);
	if (!err)
		err = parse_payload(r, js, spec, &leg->leg.egress);
	if (!err)
		err = parse_extensions(r, js, &leg->leg);
	if (!err)
		err = parse_ip_fields(r, js, &leg->leg.egress);
	if (!err && in_out)
		err = parse_rtcp(r, js, spec, leg);
	if (!err && json_object_get(js, "srtp"))
		err = tandem_forward_parse_srtp(r, js, &leg->srtp);
	if (!err && spec->flags & RULE_F_SRTP)
		err = check_srtp(r, leg);
	leg->id = (uint32_t)id;
	return err;
}
