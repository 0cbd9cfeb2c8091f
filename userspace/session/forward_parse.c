/* SPDX-License-Identifier: GPL-2.0-only */
/* The document of a forward, as docs/api.md describes it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/forward.h"
#include "userspace/session/reader.h"

static int parse_name(struct tandem_reader *r, const json_t *doc, struct tandem_forward_spec *spec)
{
	const char *name = json_string_value(json_object_get(doc, "name"));
	size_t i, length = name ? strlen(name) : 0;

	for (i = 0; i < length && name[i] > ' ' && name[i] < 0x7f;)
		i++;
	if (!length || length > TANDEM_FORWARD_NAME_MAX || i < length)
		return tandem_reader_fail(r, "name",
					  "1 to %d printable ASCII characters without blanks are "
					  "expected",
					  TANDEM_FORWARD_NAME_MAX);
	memcpy(spec->name, name, length + 1);
	return 0;
}

static int parse_flags(struct tandem_reader *r, const json_t *doc, struct tandem_forward_spec *spec)
{
	static const struct {
		const char *key;
		uint32_t flag;
	} flags[] = {
		{ "strict_payload_types", RULE_F_STRICT_PT },
		{ "mute", RULE_F_MUTE },
		{ "srtp", RULE_F_SRTP }, /* else it is keys */
	};
	size_t i, n = sizeof(flags) / sizeof(flags[0]);
	int err = 0;

	if (json_is_object(json_object_get(doc, "srtp"))) {
		err = tandem_forward_parse_srtp(r, doc, &spec->srtp_in);
		n--;
	}

	for (i = 0; i < n && !err; i++) {
		bool on = false;

		err = tandem_reader_bool(r, doc, flags[i].key, &on);
		if (on)
			spec->flags |= flags[i].flag;
	}
	return err;
}

/* ---- addresses ---- */

static bool same_family(const struct tandem_endpoint *a, const struct tandem_endpoint *b)
{
	return tandem_ip_is_any(&a->ip) || tandem_ip_is_any(&b->ip) ||
	       tandem_ip_family(&a->ip) == tandem_ip_family(&b->ip);
}

static int parse_interface(struct tandem_reader *r, const json_t *doc,
			   struct tandem_forward_spec *spec)
{
	const json_t *value = json_object_get(doc, "interface");
	const char *name = json_string_value(value);

	if (!value)
		return 0;
	if (!spec->group)
		return tandem_reader_fail(r, "interface",
					  "only a multicast group is joined on one");
	if (!name || !*name || strlen(name) >= sizeof(spec->interface))
		return tandem_reader_fail(r, "interface", "the name of an interface is expected");
	memcpy(spec->interface, name, strlen(name) + 1);
	return 0;
}

static int parse_addresses(struct tandem_reader *r, const json_t *doc,
			   struct tandem_forward_spec *spec)
{
	int err = tandem_reader_endpoint(r, doc, "to", true, &spec->to);

	spec->group = tandem_ip_is_group(&spec->to.ip);
	if (!err && spec->group && !spec->to.port)
		return tandem_reader_fail(r, "to", "a multicast group needs its port");
	if (!err)
		err = tandem_reader_endpoint(r, doc, "from", spec->group, &spec->from);
	if (!err && !spec->group && !spec->from.port)
		return tandem_reader_fail(r, "from", "missing: where do the packets come from?");
	if (!err && tandem_ip_is_group(&spec->from.ip))
		return tandem_reader_fail(r, "from", "nobody sends from a multicast group");
	if (!err && !same_family(&spec->from, &spec->to))
		return tandem_reader_fail(r, "to", "not of the same IP version as \"from\"");
	return err ? err : parse_interface(r, doc, spec);
}

/* By default the ports above those of RTP (RFC 3550 section 11). */
static int parse_rtcp_addresses(struct tandem_reader *r, const json_t *js,
				struct tandem_forward_spec *spec)
{
	static const char *const keys[] = { "from", "to", NULL };
	int err = tandem_reader_keys(r, js, keys);

	spec->rtcp_from = spec->from;
	if (spec->from.port)
		spec->rtcp_from.port++;
	spec->rtcp_to = spec->to;
	if (spec->to.port)
		spec->rtcp_to.port++;
	if (!err)
		err = tandem_reader_endpoint(r, js, "from", spec->group, &spec->rtcp_from);
	if (!err)
		err = tandem_reader_endpoint(r, js, "to", true, &spec->rtcp_to);
	/* 0 would be any port */
	if (!err && spec->from.port == UINT16_MAX && !spec->rtcp_from.port)
		return tandem_reader_fail(r, "from", "there is no port above that of RTP");
	if (!err && !spec->group && !spec->rtcp_from.port)
		return tandem_reader_fail(r, "from", "the port is missing");
	if (!err && tandem_ip_is_group(&spec->rtcp_to.ip) != spec->group)
		return tandem_reader_fail(r, "to", "a multicast group for both, or for neither");
	if (!err && spec->group && !spec->rtcp_to.port)
		return tandem_reader_fail(r, "to", "a multicast group needs its port");
	if (!err && !same_family(&spec->rtcp_from, &spec->rtcp_to))
		return tandem_reader_fail(r, "to", "not of the same IP version as \"from\"");
	if (!err && spec->rtcp_to.port && tandem_endpoint_equal(&spec->rtcp_to, &spec->to))
		return tandem_reader_fail(r, "to", "the port of RTP; that is \"rtcp_mux\"");
	return err;
}

static int parse_rtcp(struct tandem_reader *r, const json_t *doc, struct tandem_forward_spec *spec)
{
	const json_t *js = json_object_get(doc, "rtcp");
	size_t length;
	int err;

	spec->rtcp = js != NULL;
	spec->mux = !js;
	err = tandem_reader_bool(r, doc, "rtcp_mux", &spec->mux);
	if (err || !js)
		return err;
	if (spec->mux)
		return tandem_reader_fail(r, "rtcp", "not together with \"rtcp_mux\"");
	length = tandem_reader_enter(r, "rtcp");
	err = parse_rtcp_addresses(r, js, spec);
	tandem_reader_leave(r, length);
	return err;
}

/* ---- payload types ---- */

static int parse_pt(struct tandem_reader *r, const json_t *js, struct tandem_forward_spec *spec,
		    size_t i)
{
	static const char *const keys[] = { "pt", "clock_hz", "codec", NULL };
	const json_t *codec = json_object_get(js, "codec");
	struct tandem_sdp_format known = { 0 };
	json_int_t pt = -1, clock;
	const char *name;
	size_t k;
	int err = tandem_reader_keys(r, js, keys);

	if (!err)
		err = tandem_reader_int(r, js, "pt", 0, 127, &pt);
	if (!err && pt < 0)
		return tandem_reader_fail(r, "pt", "missing");
	tandem_sdp_static_format((int)pt, &known);
	clock = known.clock;
	if (!err)
		err = tandem_reader_int(r, js, "clock_hz", 1, 10000000, &clock);
	if (!err && !clock)
		return tandem_reader_fail(r, "clock_hz",
					  "missing, and %d is no static payload type", (int)pt);
	if (!err && codec && !json_is_string(codec))
		return tandem_reader_fail(r, "codec", "a name is expected");
	for (k = 0; k < i && !err; k++) {
		if (spec->pts.pt[k] == pt)
			return tandem_reader_fail(r, "pt", "%d stands here twice", (int)pt);
	}
	if (err)
		return err;
	name = codec ? json_string_value(codec) : known.name;
	spec->pts.pt[i] = (uint8_t)pt;
	spec->pts.clock_hz[i] = (uint32_t)clock;
	snprintf(spec->codecs[i], sizeof(spec->codecs[i]), "%s", name ? name : "");
	return 0;
}

static int parse_pts(struct tandem_reader *r, const json_t *doc, struct tandem_forward_spec *spec)
{
	const json_t *list = json_object_get(doc, "payload_types");
	size_t i, length;
	int err = 0;

	if (list && (!json_is_array(list) || json_array_size(list) > TANDEM_MAX_PTS))
		return tandem_reader_fail(r, "payload_types",
					  "a list of at most %d payload types is expected",
					  TANDEM_MAX_PTS);
	for (i = 0; i < json_array_size(list) && !err; i++) {
		length = tandem_reader_enter_at(r, "payload_types", i);
		err = parse_pt(r, json_array_get(list, i), spec, i);
		tandem_reader_leave(r, length);
	}
	return err;
}

/* ---- rules and legs ---- */

static int parse_legs(struct tandem_reader *r, const char *key, const json_t *list,
		      struct tandem_forward_spec *spec, struct tandem_forward_rule *rule)
{
	bool named = !(rule->flags & (BRANCH_F_ANY | BRANCH_F_RTCP));
	size_t i, n = json_array_size(list), length;
	struct tandem_forward_leg *legs;
	int err = 0;

	if (!json_is_array(list) || n > TANDEM_MAX_LEGS)
		return tandem_reader_fail(r, key, "a list of at most %d legs is expected",
					  TANDEM_MAX_LEGS);
	rule->first = spec->leg_count;
	rule->count = (uint32_t)n;
	legs = realloc(spec->legs, (spec->leg_count + n + 1) * sizeof(*legs));
	if (!legs)
		return -ENOMEM;
	spec->legs = legs;
	memset(legs + spec->leg_count, 0, n * sizeof(*legs));
	for (i = 0; i < n && !err; i++) {
		struct tandem_forward_leg *leg = &legs[spec->leg_count];

		leg->id = TANDEM_FORWARD_NO_ID;
		spec->leg_count++;
		length = tandem_reader_enter_at(r, key, i);
		err = tandem_forward_parse_leg(r, json_array_get(list, i), spec,
					       named ? &rule->ssrc : NULL,
					       rule->flags & BRANCH_F_ANY, leg);
		tandem_reader_leave(r, length);
	}
	return err;
}

static int add_rule(struct tandem_reader *r, const char *key, const json_t *list,
		    struct tandem_forward_spec *spec, uint16_t flags, uint32_t ssrc)
{
	struct tandem_forward_rule *rule = &spec->rules[spec->rule_count];

	if (spec->rule_count == TANDEM_MAX_BRANCHES)
		return tandem_reader_fail(r, key,
					  "too many rules: \"out\", \"rtcp_out\" and those in "
					  "\"ssrc\" may be %d together",
					  TANDEM_MAX_BRANCHES);
	spec->rule_count++;
	*rule = (struct tandem_forward_rule){ .flags = flags, .ssrc = ssrc };
	return parse_legs(r, key, list, spec, rule);
}

static int parse_ssrc_rule(struct tandem_reader *r, const json_t *js,
			   struct tandem_forward_spec *spec)
{
	static const char *const keys[] = { "ssrc", "out", NULL };
	uint32_t ssrc, i;
	int err = tandem_reader_keys(r, js, keys);

	if (!err)
		err = tandem_reader_ssrc(r, "ssrc", json_object_get(js, "ssrc"), &ssrc);
	if (err)
		return err;
	for (i = 0; i < spec->rule_count; i++) {
		if (!(spec->rules[i].flags & BRANCH_F_ANY) && spec->rules[i].ssrc == ssrc)
			return tandem_reader_fail(r, "ssrc", "0x%08x has a rule already", ssrc);
	}
	return add_rule(r, "out", json_object_get(js, "out"), spec, 0, ssrc);
}

static int parse_rules(struct tandem_reader *r, const json_t *doc, struct tandem_forward_spec *spec)
{
	const json_t *out = json_object_get(doc, "out"), *list = json_object_get(doc, "ssrc");
	const json_t *rtcp = json_object_get(doc, "rtcp_out");
	size_t i, length;
	int err = 0;

	if (!out && !json_array_size(list))
		return tandem_reader_fail(r, "out", "missing, and there is no rule in \"ssrc\"");
	if (out)
		err = add_rule(r, "out", out, spec, BRANCH_F_ANY, 0);
	if (!err && list && !json_is_array(list))
		return tandem_reader_fail(r, "ssrc", "a list of rules is expected");
	for (i = 0; i < json_array_size(list) && !err; i++) {
		length = tandem_reader_enter_at(r, "ssrc", i);
		err = parse_ssrc_rule(r, json_array_get(list, i), spec);
		tandem_reader_leave(r, length);
	}
	if (!err && !rtcp && spec->mux && spec->rule_count == TANDEM_MAX_BRANCHES)
		return tandem_reader_fail(r, "ssrc", "too many rules: RTCP needs one of %d",
					  TANDEM_MAX_BRANCHES);
	if (err || !rtcp)
		return err;
	if (!spec->mux && !spec->rtcp)
		return tandem_reader_fail(r, "rtcp_out", "the forward takes no RTCP");
	return add_rule(r, "rtcp_out", rtcp, spec, BRANCH_F_RTCP, 0);
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Counts are kept under them. Who was given none has the lowest that nobody was given. */
static int settle_ids(struct tandem_reader *r, struct tandem_forward_spec *spec)
{
	uint32_t *ids = calloc(spec->leg_count + 1, sizeof(*ids)), i, n = 0, at = 0, next = 0;
	int err = 0;

	if (!ids)
		return -ENOMEM;
	for (i = 0; i < spec->leg_count; i++) {
		if (spec->legs[i].id != TANDEM_FORWARD_NO_ID)
			ids[n++] = spec->legs[i].id;
	}
	qsort(ids, n, sizeof(*ids), compare_ids);
	for (i = 1; i < n && !err; i++) {
		if (ids[i] == ids[i - 1])
			err = tandem_reader_fail(r, NULL, "two legs have the id %u", ids[i]);
	}
	for (i = 0; i < spec->leg_count && !err; i++) {
		if (spec->legs[i].id != TANDEM_FORWARD_NO_ID)
			continue;
		for (; at < n && ids[at] == next; at++)
			next++;
		spec->legs[i].id = next++;
	}
	free(ids);
	return err;
}

int tandem_forward_parse(struct tandem_forward_spec *spec, const json_t *doc, char *why,
			 size_t why_size)
{
	static const char *const keys[] = { "name",
					    "from",
					    "to",
					    "interface",
					    "rtcp",
					    "rtcp_mux",
					    "payload_types",
					    "strict_payload_types",
					    "mute",
					    "srtp",
					    "out",
					    "ssrc",
					    "rtcp_out",
					    NULL };
	static int (*const steps[])(struct tandem_reader * r, const json_t *doc,
				    struct tandem_forward_spec *spec) = {
		parse_name, parse_flags, parse_addresses, parse_rtcp, parse_pts, parse_rules,
	};
	struct tandem_reader r = { .why = why, .why_size = why_size };
	size_t i;
	int err = tandem_reader_keys(&r, doc, keys);

	memset(spec, 0, sizeof(*spec));
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]) && !err; i++)
		err = steps[i](&r, doc, spec);
	return err ? err : settle_ids(&r, spec);
}

void tandem_forward_spec_clean(struct tandem_forward_spec *spec)
{
	if (spec->legs)
		explicit_bzero(spec->legs, spec->leg_count * sizeof(*spec->legs));
	free(spec->legs);
	explicit_bzero(spec, sizeof(*spec));
}
