/* SPDX-License-Identifier: GPL-2.0-only */
/* Forwards: their document, what is compiled from it, and how they come and go. */
#include "tests/unit/session_fixture.h"

#include <net/if.h>

#include "userspace/session/forward.h"
#include "userspace/session/ports.h"

#define SOURCE	 "\"name\":\"f\",\"from\":\"192.0.2.7:4000\""
#define OUT	 "\"out\":[{\"to\":\"198.51.100.1:6000\"}]"
#define ONE	 "{" SOURCE "," OUT "}"
#define TWO_LEGS "{\"to\":\"198.51.100.1:6000\"},{\"to\":\"198.51.100.2:6002\"}"

static char why[256];

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *doc = json_loads(text, 0, &error);

	if (!doc)
		fail_msg("%s: %s", error.text, text);
	return doc;
}

static int set(struct fixture *fx, const char *text)
{
	json_t *doc = parse(text);
	const char *name;
	int err = tandem_forward_set(fx->ss, doc, &name, why, sizeof(why));

	json_decref(doc);
	return err;
}

static void set_ok(struct fixture *fx, const char *text)
{
	if (set(fx, text))
		fail_msg("%s: %s", why, text);
}

/* The flow of the only forward. */
static const struct tandem_flow_spec *flow(const struct fixture *fx, enum tandem_component comp)
{
	size_t i;

	for (i = 0; i < fx->plane.n; i++) {
		if (tandem_flow_id_component(fx->plane.specs[i].id) == comp)
			return &fx->plane.specs[i];
	}
	fail_msg("no such flow");
	return NULL;
}

static const struct egress *leg(const struct fixture *fx, size_t i)
{
	const struct tandem_fan *fan = flow(fx, TANDEM_RTP)->fan;

	assert_non_null(fan);
	assert_true(i < fan->leg_count);
	return &fan->legs[i].leg.egress;
}

static json_t *show(struct fixture *fx, const char *name)
{
	json_t *js = tandem_forward_json(fx->ss, name);

	assert_non_null(js);
	return js;
}

/* ---- the document ---- */

static void bad_documents(void **state)
{
	static const struct {
		const char *doc, *why;
	} cases[] = {
		{ "[]", "an object is expected" },
		{ "{" SOURCE "," OUT ",\"mutt\":true}", "no key \"mutt\"; there are name, from" },
		{ "{" OUT "}", "name: 1 to 64 printable" },
		{ "{\"name\":\"a b\"," OUT "}", "name: 1 to 64" },
		{ "{\"name\":\"f\"," OUT "}", "from: missing" },
		{ "{\"name\":\"f\",\"from\":\"192.0.2.7\"," OUT "}", "from: an address is" },
		{ "{\"name\":\"f\",\"from\":7," OUT "}", "from: an address is expected" },
		{ "{" SOURCE "}", "out: missing" },
		{ "{" SOURCE ",\"ssrc\":[]}", "out: missing" },
		{ "{" SOURCE ",\"out\":{}}", "out: a list of at most 256 legs" },
		{ "{" SOURCE ",\"to\":\"somewhere\"," OUT "}", "to: an address is expected" },
		{ "{" SOURCE ",\"to\":\"10.9.9.9\"," OUT "}", "to: 10.9.9.9 is none of the relay" },
		{ "{" SOURCE ",\"to\":\"10.0.0.1:80\"," OUT "}", "to: port 80 is none of" },
		{ "{" SOURCE ",\"to\":\"2001:db8:1::1\"," OUT "}", "to: not of the same IP" },
		{ "{" SOURCE ",\"to\":\"239.1.2.3\"," OUT "}", "to: a multicast group needs" },
		{ "{" SOURCE ",\"interface\":\"lo\"," OUT "}", "interface: only a multicast" },
		{ "{\"name\":\"f\",\"to\":\"239.1.2.3:5004\",\"interface\":\"nope0\"," OUT "}",
		  "interface: there is no nope0" },
		{ "{\"name\":\"f\",\"from\":\"239.1.1.1:9\"," OUT "}", "from: nobody sends from" },
		{ "{" SOURCE ",\"mute\":1," OUT "}", "mute: true or false is expected" },
		{ "{" SOURCE ",\"payload_types\":7," OUT "}",
		  "payload_types: a list of at most 8" },
		{ "{" SOURCE ",\"payload_types\":[{}]," OUT "}", "payload_types[0].pt: missing" },
		{ "{" SOURCE ",\"payload_types\":[{\"pt\":0},{\"pt\":96}]," OUT "}",
		  "payload_types[1].clock_hz: missing" },
		{ "{" SOURCE ",\"payload_types\":[{\"pt\":0},{\"pt\":0}]," OUT "}",
		  "payload_types[1].pt: 0 stands here twice" },
		{ "{" SOURCE ",\"payload_types\":[{\"pt\":128}]," OUT "}",
		  "payload_types[0].pt: a number from 0 to 127" },
		{ "{" SOURCE ",\"rtcp\":{},\"rtcp_mux\":true," OUT "}", "rtcp: not together" },
		{ "{" SOURCE ",\"rtcp\":{\"port\":1}," OUT "}", "rtcp: no key \"port\"" },
		{ "{" SOURCE ",\"rtcp_mux\":false,\"rtcp_out\":[]," OUT "}",
		  "rtcp_out: the forward" },
		{ "{" SOURCE ",\"ssrc\":{}," OUT "}", "ssrc: a list of rules" },
		{ "{" SOURCE ",\"ssrc\":[{\"out\":[]}]}", "ssrc[0].ssrc: an SSRC is expected" },
		{ "{" SOURCE ",\"ssrc\":[{\"ssrc\":\"0x123456789\",\"out\":[]}]}",
		  "ssrc[0].ssrc: an SSRC" },
		{ "{" SOURCE ",\"ssrc\":[{\"ssrc\":7}]}", "ssrc[0].out: a list" },
		{ "{" SOURCE ",\"ssrc\":[{\"ssrc\":7,\"out\":[]},{\"ssrc\":\"0x7\",\"out\":[]}]}",
		  "ssrc[1].ssrc: 0x00000007 has a rule already" },
	};
	struct fixture fx;
	size_t i;

	(void)state;
	fx_open(&fx);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!set(&fx, cases[i].doc))
			fail_msg("taken: %s", cases[i].doc);
		if (strncmp(why, cases[i].why, strlen(cases[i].why)))
			fail_msg("%s\nsays: %s\nnot:  %s", cases[i].doc, why, cases[i].why);
	}
	assert_int_equal(fx.plane.n, 0);
	assert_int_equal(fx.plane.sets, 0);
	assert_int_equal(fx_free_ports(&fx), 300);
	fx_clean(&fx);
}

static void bad_legs(void **state)
{
	static const struct {
		const char *leg, *why;
	} cases[] = {
		{ "7", "out[1]: an object is expected" },
		{ "{}", "out[1].to: missing" },
		{ "{\"to\":\"198.51.100.1\"}", "out[1].to: an address is expected" },
		{ "{\"to\":\"0.0.0.0:9\"}", "out[1].to: 0.0.0.0:9 is no address" },
		{ "{\"to\":\"127.0.0.1:9\"}", "out[1].to: 127.0.0.1 is in a denied network" },
		{ "{\"to\":\"10.0.0.2:16400\"}", "out[1].to: 10.0.0.2 is in a denied" },
		{ "{\"to\":\"192.0.2.1:9\",\"color\":1}",
		  "out[1]: no key \"color\"; there are id" },
		{ "{\"to\":\"192.0.2.1:9\",\"from\":\"10.0.0.1:9\"}",
		  "out[1].from: port 9 is none" },
		{ "{\"to\":\"192.0.2.1:9\",\"from\":\"10.0.0.7\"}",
		  "out[1].from: 10.0.0.7 is none" },
		{ "{\"to\":\"192.0.2.1:9\",\"from\":\"2001:db8:1::1\"}",
		  "out[1].from: not of the" },
		{ "{\"to\":\"192.0.2.1:9\",\"id\":-1}",
		  "out[1].id: a number from 0 to 2147483647" },
		{ "{\"to\":\"192.0.2.1:9\",\"id\":0}", "two legs have the id 0" },
		{ "{\"to\":\"192.0.2.1:9\",\"ssrc\":7}", "out[1].ssrc: [from, to] is expected" },
		{ "{\"to\":\"192.0.2.1:9\",\"ssrc\":[7]}", "out[1].ssrc: two SSRCs" },
		{ "{\"to\":\"192.0.2.1:9\",\"ssrc\":[7,\"x\"]}", "out[1].ssrc: an SSRC" },
		{ "{\"to\":\"192.0.2.1:9\",\"seq_offset\":70000}", "out[1].seq_offset: a number" },
		{ "{\"to\":\"192.0.2.1:9\",\"ts_offset\":\"1\"}", "out[1].ts_offset: a number" },
		{ "{\"to\":\"192.0.2.1:9\",\"payload_types\":[0]}",
		  "out[1].payload_types: an object" },
		{ "{\"to\":\"192.0.2.1:9\",\"payload_types\":{\"5\":8}}",
		  "out[1].payload_types.5: not one of" },
		{ "{\"to\":\"192.0.2.1:9\",\"payload_types\":{\"00\":8}}",
		  "out[1].payload_types.00: not one of" },
		{ "{\"to\":\"192.0.2.1:9\",\"payload_types\":{\"18\":128}}",
		  "out[1].payload_types.18: a number from 0 to 127" },
		{ "{\"to\":\"192.0.2.1:9\",\"g711\":\"alaw\"}", "out[1].g711: \"pcma\", \"pcmu\"" },
		{ "{\"to\":\"192.0.2.1:9\",\"g711\":\"pcma\"}",
		  "out[1].g711: none of the forward" },
		{ "{\"to\":\"192.0.2.1:9\",\"extensions\":[]}", "out[1].extensions: an object" },
		{ "{\"to\":\"192.0.2.1:9\",\"extensions\":{\"0\":1}}",
		  "out[1].extensions.0: an id from 1 to 63" },
		{ "{\"to\":\"192.0.2.1:9\",\"extensions\":{\"1\":0}}",
		  "out[1].extensions.1: a number from 1 to 255" },
		{ "{\"to\":\"192.0.2.1:9\",\"dscp\":64}", "out[1].dscp: a number from 0 to 63" },
		{ "{\"to\":\"192.0.2.1:9\",\"ttl\":0}", "out[1].ttl: a number from 1 to 255" },
		{ "{\"to\":\"192.0.2.1:9\",\"rtcp\":1}", "out[1].rtcp: true or false" },
	};
	struct fixture fx;
	char doc[512];
	size_t i;

	(void)state;
	fx_open(&fx);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(doc, sizeof(doc),
			 "{" SOURCE ",\"payload_types\":[{\"pt\":18}],"
			 "\"out\":[{\"to\":\"198.51.100.1:6000\"},%s]}",
			 cases[i].leg);
		if (!set(&fx, doc))
			fail_msg("taken: %s", doc);
		if (strncmp(why, cases[i].why, strlen(cases[i].why)))
			fail_msg("%s\nsays: %s\nnot:  %s", doc, why, cases[i].why);
	}
	assert_int_equal(fx.plane.sets, 0);
	assert_int_equal(fx_free_ports(&fx), 300);
	fx_clean(&fx);
}

static void secured_is_not_changed(void **state)
{
	static const char *const legs[] = {
		"\"ssrc\":[1,2]",
		"\"seq_offset\":1",
		"\"ts_offset\":1",
		"\"g711\":\"pcma\"",
		"\"payload_types\":{\"0\":8}",
		"\"extensions\":{}",
	};
	struct fixture fx;
	char doc[512];
	size_t i;

	(void)state;
	fx_open(&fx);
	for (i = 0; i < sizeof(legs) / sizeof(legs[0]); i++) {
		snprintf(doc, sizeof(doc),
			 "{" SOURCE ",\"srtp\":true,\"payload_types\":[{\"pt\":0}],"
			 "\"out\":[{\"to\":\"198.51.100.1:6000\",%s}]}",
			 legs[i]);
		assert_int_equal(set(&fx, doc), -EINVAL);
		assert_non_null(strstr(why, "secured end to end"));
	}
	set_ok(&fx, "{" SOURCE ",\"srtp\":true,\"out\":[" TWO_LEGS "]}");
	assert_true(flow(&fx, TANDEM_RTP)->flags & RULE_F_SRTP);
	fx_clean(&fx);
}

static void rules_are_bounded(void **state)
{
	struct fixture fx;
	char doc[4096];
	size_t at, n, i;

	(void)state;
	fx_open(&fx);
	/* one more for "out", and one for RTCP */
	for (n = 14; n <= 15; n++) {
		at = snprintf(doc, sizeof(doc), "{" SOURCE "," OUT ",\"ssrc\":[");
		for (i = 0; i < n; i++)
			at += snprintf(doc + at, sizeof(doc) - at, "%s{\"ssrc\":%zu,\"out\":[]}",
				       i ? "," : "", i + 1);
		snprintf(doc + at, sizeof(doc) - at, "]}");
		if (n == 14)
			set_ok(&fx, doc);
		else
			assert_int_equal(set(&fx, doc), -EINVAL);
	}
	assert_int_equal(flow(&fx, TANDEM_RTP)->fan->branch_count, 16);
	fx_clean(&fx);
}

/* ---- what is compiled ---- */

static void plain_is_one_to_one(void **state)
{
	const struct tandem_flow_spec *spec;
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	set_ok(&fx, "{" SOURCE ",\"to\":\"10.0.0.1:16400\",\"payload_types\":[{\"pt\":0},"
		    "{\"pt\":101,\"clock_hz\":8000,\"codec\":\"telephone-event\"}],"
		    "\"strict_payload_types\":true,\"mute\":true,"
		    "\"out\":[{\"to\":\"198.51.100.1:6000\",\"from\":\"10.0.0.2:16402\","
		    "\"ssrc\":[\"0x11223344\",5],\"seq_offset\":-1,\"ts_offset\":160,"
		    "\"payload_types\":{\"101\":102},\"dscp\":46,\"ttl\":3}]}");
	assert_int_equal(fx.plane.n, 1);
	spec = flow(&fx, TANDEM_RTP);
	assert_null(spec->fan);
	assert_int_equal(spec->media_id, spec->id);
	assert_int_equal(spec->reverse_id, 0);
	assert_int_equal(spec->flags, RULE_F_STRICT_PT | RULE_F_MUTE);
	assert_remote(spec, "192.0.2.7:4000");
	assert_endpoint(&spec->key.local, spec->key.local_port, "10.0.0.1:16400");
	assert_int_equal(spec->pts.pt[1], 101);
	assert_int_equal(spec->pts.clock_hz[0], 8000);
	assert_int_equal(spec->pts.clock_hz[2], 0);
	assert_egress(spec, EGRESS_RTP, "198.51.100.1:6000");
	assert_egress(spec, EGRESS_RTCP, "198.51.100.1:6000");
	assert_endpoint(&spec->egress[0].local, spec->egress[0].local_port, "10.0.0.2:16402");
	assert_int_equal(spec->egress[0].flags, EGRESS_F_ACTIVE | EGRESS_F_SSRC | EGRESS_F_SEQ |
							EGRESS_F_TS | EGRESS_F_PT | EGRESS_F_DSCP);
	assert_int_equal(spec->egress[0].ssrc.from, 0x11223344);
	assert_int_equal(spec->egress[0].ssrc.to, 5);
	assert_int_equal(spec->egress[0].seq_offset, 0xffff);
	assert_int_equal(spec->egress[0].ts_offset, 160);
	assert_int_equal(spec->egress[0].pt_out[0], 0);
	assert_int_equal(spec->egress[0].pt_out[1], 102);
	assert_int_equal(spec->egress[0].dscp, 46);
	assert_int_equal(spec->egress[0].ttl, 3);
	fx_clean(&fx);
}

static void no_legs_is_mute(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	set_ok(&fx, "{" SOURCE ",\"out\":[]}");
	assert_null(flow(&fx, TANDEM_RTP)->fan);
	assert_int_equal(flow(&fx, TANDEM_RTP)->egress[0].flags, 0);
	assert_int_equal(flow(&fx, TANDEM_RTP)->egress[1].flags, 0);
	fx_clean(&fx);
}

static void fan_with_rtcp(void **state)
{
	const struct tandem_fan *fan;
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	set_ok(&fx, "{" SOURCE ",\"out\":[{\"id\":7,\"to\":\"198.51.100.1:6000\"},"
		    "{\"id\":3,\"to\":\"198.51.100.2:6002\",\"rtcp\":false},"
		    "{\"id\":5,\"to\":\"[2001:db8::9]:6004\",\"extensions\":{\"3\":5,\"63\":1}}]}");
	fan = flow(&fx, TANDEM_RTP)->fan;
	assert_non_null(fan);
	assert_int_equal(fan->branch_count, 2);
	assert_int_equal(fan->leg_count, 5);
	assert_int_equal(fan->branches[0].flags, BRANCH_F_ANY);
	assert_int_equal(fan->branches[0].first, 0);
	assert_int_equal(fan->branches[0].count, 3);
	assert_int_equal(fan->branches[1].flags, BRANCH_F_RTCP);
	assert_int_equal(fan->branches[1].first, 3);
	assert_int_equal(fan->branches[1].count, 2);
	assert_int_equal(fan->legs[0].id, 7);
	assert_int_equal(fan->legs[1].id, 3);
	assert_int_equal(fan->legs[3].id, 7 | TANDEM_FORWARD_RTCP_TWIN);
	assert_int_equal(fan->legs[4].id, 5 | TANDEM_FORWARD_RTCP_TWIN);
	assert_endpoint(&leg(&fx, 2)->remote, leg(&fx, 2)->remote_port, "[2001:db8::9]:6004");
	assert_true(leg(&fx, 2)->flags & EGRESS_F_EXT);
	assert_int_equal(fan->legs[2].leg.ext_id[3], 5);
	assert_int_equal(fan->legs[2].leg.ext_id[63], 1);
	assert_int_equal(fan->legs[2].leg.ext_id[4], 0);
	assert_false(leg(&fx, 4)->flags & EGRESS_F_EXT);
	fx_clean(&fx);
}

static void ssrc_rules(void **state)
{
	const struct tandem_fan *fan;
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	set_ok(&fx, "{" SOURCE ",\"ssrc\":[{\"ssrc\":\"0x0000000a\",\"out\":[{\"to\":"
		    "\"198.51.100.1:6000\",\"ssrc\":11}]},{\"ssrc\":20,\"out\":[]}],"
		    "\"rtcp_out\":[{\"to\":\"198.51.100.3:6001\"}]}");
	fan = flow(&fx, TANDEM_RTP)->fan;
	assert_non_null(fan);
	assert_int_equal(fan->branch_count, 3);
	assert_int_equal(fan->branches[0].ssrc, 10);
	assert_int_equal(fan->branches[0].count, 1);
	assert_int_equal(fan->branches[1].ssrc, 20);
	assert_int_equal(fan->branches[1].count, 0);
	assert_int_equal(fan->branches[2].flags, BRANCH_F_RTCP);
	assert_int_equal(fan->branches[2].first, 1);
	assert_int_equal(leg(&fx, 0)->ssrc.from, 10);
	assert_int_equal(leg(&fx, 0)->ssrc.to, 11);
	assert_int_equal(fan->legs[1].id, 1);
	assert_endpoint(&leg(&fx, 1)->remote, leg(&fx, 1)->remote_port, "198.51.100.3:6001");
	fx_clean(&fx);
}

static void g711(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	set_ok(&fx, "{" SOURCE ",\"payload_types\":[{\"pt\":0},{\"pt\":8},{\"pt\":101,\"clock_hz\":"
		    "8000},{\"pt\":96,\"clock_hz\":8000,\"codec\":\"pcmu\"}],"
		    "\"out\":[{\"to\":\"198.51.100.1:6000\",\"g711\":\"pcma\",\"payload_types\":"
		    "{\"96\":97}},{\"to\":\"198.51.100.1:6002\",\"g711\":\"pcmu\"},"
		    "{\"to\":\"198.51.100.1:6004\",\"g711\":null}]}");
	assert_int_equal(leg(&fx, 0)->to_alaw, 0x9);
	assert_int_equal(leg(&fx, 0)->to_ulaw, 0);
	assert_memory_equal(leg(&fx, 0)->pt_out, ((uint8_t[]){ 8, 8, 101, 97 }), 4);
	assert_int_equal(leg(&fx, 1)->to_ulaw, 0x2);
	assert_int_equal(leg(&fx, 1)->to_alaw, 0);
	assert_memory_equal(leg(&fx, 1)->pt_out, ((uint8_t[]){ 0, 0, 101, 96 }), 4);
	assert_int_equal(leg(&fx, 2)->to_alaw | leg(&fx, 2)->to_ulaw, 0);
	assert_false(leg(&fx, 2)->flags & EGRESS_F_PT);
	fx_clean(&fx);
}

static void rtcp_apart(void **state)
{
	const struct tandem_flow_spec *spec;
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	set_ok(&fx, "{" SOURCE ",\"to\":\"10.0.0.1:16400\",\"rtcp\":{},"
		    "\"out\":[{\"to\":\"198.51.100.1:6000\",\"rtcp\":true}]}");
	assert_int_equal(fx.plane.n, 2);
	spec = flow(&fx, TANDEM_RTCP);
	assert_int_equal(spec->media_id, flow(&fx, TANDEM_RTP)->id);
	assert_int_equal(spec->flags, RULE_F_RTCP);
	assert_remote(spec, "192.0.2.7:4001");
	assert_endpoint(&spec->key.local, spec->key.local_port, "10.0.0.1:16401");
	assert_egress(spec, EGRESS_RTCP, "198.51.100.1:6001");
	assert_int_equal(flow(&fx, TANDEM_RTP)->egress[EGRESS_RTCP].flags, 0);

	/* more of them, then none, then no RTCP at all */
	set_ok(&fx, "{" SOURCE ",\"to\":\"10.0.0.1:16400\",\"rtcp\":{\"from\":\"192.0.2.7:9\"},"
		    "\"out\":[],\"rtcp_out\":[" TWO_LEGS "]}");
	spec = flow(&fx, TANDEM_RTCP);
	assert_remote(spec, "192.0.2.7:9");
	assert_non_null(spec->fan);
	assert_int_equal(spec->fan->branch_count, 1);
	assert_int_equal(spec->fan->branches[0].flags, BRANCH_F_RTCP);
	assert_int_equal(spec->fan->leg_count, 2);
	set_ok(&fx, "{" SOURCE ",\"to\":\"10.0.0.1:16400\",\"rtcp\":{}," OUT "}");
	assert_null(flow(&fx, TANDEM_RTCP)->fan);
	assert_int_equal(flow(&fx, TANDEM_RTCP)->egress[EGRESS_RTCP].flags, 0);
	set_ok(&fx, "{" SOURCE ",\"to\":\"10.0.0.1:16400\",\"rtcp_mux\":false," OUT "}");
	assert_int_equal(fx.plane.n, 1);
	fx_clean(&fx);
}

static void groups(void **state)
{
	static const struct {
		const char *from, *to, *remote;
		uint16_t port;
	} cases[] = {
		{ "", "239.1.2.3:5004", "::", 0 },
		{ "\"from\":\"192.0.2.7\",", "232.1.2.3:5004", "192.0.2.7", 0 },
		{ "\"from\":\"192.0.2.7:4000\",", "239.1.2.3:5004", "192.0.2.7", 4000 },
		{ "\"from\":\"2001:db8::7\",", "[ff3e::1]:5004", "2001:db8::7", 0 },
		{ "", "[ff0e::1]:5004", "::", 0 },
	};
	const struct tandem_flow_spec *spec;
	struct ip_addr remote;
	struct fixture fx;
	char doc[512];
	size_t i;

	(void)state;
	fx_open(&fx);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(doc, sizeof(doc),
			 "{\"name\":\"f\",%s\"to\":\"%s\",\"interface\":\"lo\",\"out\":[{\"to\":"
			 "\"239.9.9.9:6000\",\"from\":\"10.0.0.2\",\"ttl\":5}]}",
			 cases[i].from, cases[i].to);
		set_ok(&fx, doc);
		spec = flow(&fx, TANDEM_RTP);
		assert_endpoint(&spec->key.local, spec->key.local_port, cases[i].to);
		remote = ip(cases[i].remote);
		assert_true(tandem_ip_equal(&spec->key.remote, &remote));
		assert_int_equal(ntohs(spec->key.remote_port), cases[i].port);
		assert_int_equal(spec->group_ifindex, if_nametoindex("lo"));
		assert_egress(spec, EGRESS_RTP, "239.9.9.9:6000");
		assert_int_equal(spec->egress[0].ttl, 5);
	}
	assert_int_equal(fx_free_ports(&fx), 299);
	/* a group that an operator has denied by name */
	assert_int_equal(
		tandem_prefix_parse(&fx.ss->cfg.deny[fx.ss->cfg.deny_count++], "239.9.0.0/16"), 0);
	assert_int_equal(set(&fx, doc), -EACCES);
	assert_non_null(strstr(why, "239.9.9.9 is in a denied network"));
	fx_clean(&fx);
}

/* ---- ports ---- */

static void ports_are_chosen(void **state)
{
	const struct tandem_flow_spec *spec;
	struct fixture fx;
	uint16_t port;

	(void)state;
	fx_open(&fx);
	set_ok(&fx, "{" SOURCE ",\"out\":[" TWO_LEGS ",{\"to\":\"192.0.2.1:9\"}]}");
	spec = flow(&fx, TANDEM_RTP);
	port = ntohs(spec->key.local_port);
	/* the address towards the source; legs leave from where they are routed */
	assert_true(port >= 16384 && port % 2 == 0);
	assert_int_equal(spec->key.local.b[15], 1);
	assert_int_equal(leg(&fx, 0)->local.b[15], 2);
	assert_int_equal(leg(&fx, 0)->local_port, leg(&fx, 1)->local_port);
	assert_int_equal(leg(&fx, 2)->local.b[15], 1);
	assert_int_equal(ntohs(leg(&fx, 2)->local_port), port);
	assert_int_equal(fx_free_ports(&fx), 298);

	/* another set keeps what was chosen */
	set_ok(&fx, ONE);
	assert_int_equal(ntohs(flow(&fx, TANDEM_RTP)->key.local_port), port);
	assert_int_equal(fx_free_ports(&fx), 298);
	assert_int_equal(tandem_forward_remove(fx.ss, "f"), 0);
	assert_int_equal(fx_free_ports(&fx), 300);
	assert_int_equal(fx.plane.n, 0);
	assert_int_equal(tandem_forward_remove(fx.ss, "f"), -ENOENT);
	fx_clean(&fx);
}

static void ports_are_kept_from_calls(void **state)
{
	struct fixture fx;
	uint16_t port;
	size_t i;

	(void)state;
	fx_open(&fx);
	set_ok(&fx, "{" SOURCE ",\"to\":\"10.0.0.1:16385\"," OUT "}");
	for (i = 0; !tandem_ports_take(fx.ss->ports, 0, &port); i++)
		assert_int_not_equal(port, 16384);
	assert_int_equal(i, 99);
	/* and calls' ports from forwards, but forwards share among themselves */
	assert_int_equal(set(&fx, "{\"name\":\"g\",\"from\":\"192.0.2.8:4000\","
				  "\"to\":\"10.0.0.1:16400\"," OUT "}"),
			 -EBUSY);
	assert_string_equal(why, "to: port 16400 is in use by a call");
	set_ok(&fx,
	       "{\"name\":\"g\",\"from\":\"192.0.2.8:4000\",\"to\":\"10.0.0.1:16385\"," OUT "}");
	assert_int_equal(fx.plane.n, 2);
	assert_int_equal(tandem_forward_remove(fx.ss, "f"), 0);
	assert_int_equal(tandem_ports_reserve(fx.ss->ports, 0, 16384), -EBUSY);
	assert_int_equal(tandem_forward_remove(fx.ss, "g"), 0);
	assert_int_equal(tandem_ports_reserve(fx.ss->ports, 0, 16384), 0);
	/* none is left to choose from */
	assert_int_equal(set(&fx, ONE), -ENOSPC);
	assert_string_equal(why, "to: no media port of the relay is free");
	fx_clean(&fx);
}

/* ---- changes ---- */

static void change_in_place(void **state)
{
	struct fixture fx;
	uint64_t id;

	(void)state;
	fx_open(&fx);
	set_ok(&fx, ONE);
	id = flow(&fx, TANDEM_RTP)->id;
	assert_int_equal(fx.plane.sets, 1);
	set_ok(&fx, ONE);
	assert_int_equal(fx.plane.sets, 1);
	set_ok(&fx, "{" SOURCE ",\"out\":[" TWO_LEGS "]}");
	assert_int_equal(fx.plane.sets, 2);
	assert_int_equal(fx.plane.removes, 0);
	assert_int_equal(flow(&fx, TANDEM_RTP)->id, id);
	set_ok(&fx, "{" SOURCE ",\"out\":[" TWO_LEGS "]}");
	assert_int_equal(fx.plane.sets, 2);
	/* one number in a leg is a change */
	set_ok(&fx, "{" SOURCE ",\"out\":[{\"to\":\"198.51.100.1:6000\",\"seq_offset\":1},"
		    "{\"to\":\"198.51.100.2:6002\"}]}");
	assert_int_equal(fx.plane.sets, 3);
	assert_int_equal(tandem_forwards_count(fx.ss), 1);
	fx_clean(&fx);
}

static void refused_change_leaves_all_as_it_was(void **state)
{
	struct fixture fx;
	json_t *js;

	(void)state;
	fx_open(&fx);
	set_ok(&fx, ONE);
	fx.plane.refuse = ENOSPC;
	assert_int_equal(set(&fx, "{" SOURCE ",\"out\":[" TWO_LEGS "]}"), -ENOSPC);
	assert_non_null(strstr(why, "cannot be installed: No space"));
	assert_int_equal(set(&fx, "{\"name\":\"g\",\"from\":\"192.0.2.8:1\"," OUT "}"), -ENOSPC);
	assert_int_equal(tandem_forwards_count(fx.ss), 1);
	assert_null(flow(&fx, TANDEM_RTP)->fan);
	js = show(&fx, "f");

	assert_int_equal(json_array_size(json_object_get(js, "legs")), 1);
	json_decref(js);
	/* what could not be put back is, later */
	fx.plane.refuse = 0;
	fx.now_ms += 10000;
	tandem_sessions_tick(fx.ss);
	assert_true(fx.plane.retries > 0);
	assert_int_equal(fx.plane.n, 1);
	assert_egress(flow(&fx, TANDEM_RTP), EGRESS_RTP, "198.51.100.1:6000");
	fx_clean(&fx);
}

static void numbers_are_those_of_sessions(void **state)
{
	uint64_t numbers[3];
	struct fixture fx;
	size_t i;

	(void)state;
	fx_open(&fx);
	set_ok(&fx, ONE);
	numbers[0] = tandem_flow_id_session(flow(&fx, TANDEM_RTP)->id);
	fx_call(&fx, CALL);
	numbers[1] = fx_session(&fx, CALL)->number;
	set_ok(&fx, "{\"name\":\"g\",\"from\":\"192.0.2.8:1\"," OUT "}");
	numbers[2] = tandem_flow_id_session(fx.plane.specs[fx.plane.n - 1].id);
	for (i = 1; i < 3; i++)
		assert_true(numbers[i] > numbers[i - 1]);
	fx_clean(&fx);
}

/* ---- restart ---- */

static void open_stored(struct fixture *fx)
{
	fx_init(fx);
	assert_int_equal(tandem_store_open(&fx->store, ":memory:", why, sizeof(why)), 0);
	assert_int_equal(fx_start(fx), 0);
}

static void restart(struct fixture *fx)
{
	tandem_sessions_free(fx->ss);
	fx->ss = NULL;
	fx->env.seed++; /* another order of ports */
	assert_int_equal(fx_start(fx), 0);
}

static void restored(void **state)
{
	struct tandem_flow_spec before, orphan = { 0 };
	struct fixture fx;

	(void)state;
	open_stored(&fx);
	set_ok(&fx, "{" SOURCE ",\"out\":[" TWO_LEGS "]}");
	set_ok(&fx, "{\"name\":\"gone\",\"from\":\"192.0.2.8:1\"," OUT "}");
	orphan = fx.plane.specs[1];
	orphan.fan = NULL;
	assert_int_equal(tandem_forward_remove(fx.ss, "gone"), 0);
	before = *flow(&fx, TANDEM_RTP);
	fx.plane.stats[0].flow.packets = 42;
	assert_int_equal(fake_set(&fx.plane, &orphan), 0);
	fx.plane.removes = 0;

	restart(&fx);
	assert_int_equal(fx.plane.removes, 1);
	assert_int_equal(fx.plane.n, 1);
	assert_int_equal(flow(&fx, TANDEM_RTP)->id, before.id);
	assert_int_equal(flow(&fx, TANDEM_RTP)->key.local_port, before.key.local_port);
	assert_int_equal(flow(&fx, TANDEM_RTP)->fan->leg_count, 4);
	assert_int_equal(fx.plane.stats[0].flow.packets, 42);
	assert_int_equal(fx_free_ports(&fx), 298);
	/* numbers go on behind it, even of those that are gone */
	set_ok(&fx, "{\"name\":\"new\",\"from\":\"192.0.2.9:1\"," OUT "}");
	assert_true(fx.plane.specs[1].id > orphan.id);
	assert_int_equal(tandem_forward_remove(fx.ss, "f"), 0);
	restart(&fx);
	assert_int_equal(tandem_forwards_count(fx.ss), 1);
	assert_false(tandem_forward_exists(fx.ss, "f"));
	fx_clean(&fx);
}

static void count_row(const char *name, const char *json, void *arg)
{
	(void)name;
	(void)json;
	(*(size_t *)arg)++;
}

/* A configuration that does not fit is no reason to forget what an operator has asked for. */
static void unusable_stays_stored(void **state)
{
	struct fixture fx;
	size_t rows = 0;

	(void)state;
	open_stored(&fx);
	set_ok(&fx, ONE);
	assert_int_equal(tandem_store_forward_put(fx.store, "junk", "not JSON"), 0);
	assert_int_equal(tandem_prefix_parse(&fx.cfg.deny[fx.cfg.deny_count++], "192.0.2.0/24"), 0);
	restart(&fx);
	assert_int_equal(tandem_forwards_count(fx.ss), 0);
	assert_int_equal(fx.plane.n, 0);
	assert_int_equal(fx_free_ports(&fx), 300);
	assert_int_equal(tandem_store_forward_list(fx.store, count_row, &rows), 0);
	assert_int_equal(rows, 2);
	fx.cfg.deny_count--;
	restart(&fx);
	assert_int_equal(tandem_forwards_count(fx.ss), 1);
	assert_int_equal(fx.plane.n, 1);
	/* one that is only in the store can be removed, too */
	assert_int_equal(tandem_forward_remove(fx.ss, "junk"), 0);
	assert_int_equal(tandem_forward_remove(fx.ss, "junk"), -ENOENT);
	fx_clean(&fx);
}

static void not_installed_at_start(void **state)
{
	struct fixture fx;
	json_t *js;

	(void)state;
	open_stored(&fx);
	set_ok(&fx, ONE);
	fx.plane.n = 0;
	fx.plane.refuse = EADDRINUSE;
	restart(&fx);
	js = show(&fx, "f");
	assert_string_equal(json_string_value(json_object_get(js, "offload")), "not installed");
	json_decref(js);
	fx.plane.refuse = 0;
	tandem_sessions_tick(fx.ss);
	assert_int_equal(fx.plane.n, 0);
	fx.now_ms += 5000;
	tandem_sessions_tick(fx.ss);
	assert_int_equal(fx.plane.n, 1);
	fx_clean(&fx);
}

/* ---- what is shown ---- */

static const json_t *at(const json_t *js, const char *list, size_t i)
{
	return json_array_get(json_object_get(js, list), i);
}

static void assert_text(const json_t *js, const char *key, const char *want)
{
	const char *text = json_string_value(json_object_get(js, key));

	if (!text || strcmp(text, want))
		fail_msg("%s: \"%s\", not \"%s\"", key, text ? text : "(none)", want);
}

static void assert_number(const json_t *js, const char *key, json_int_t want)
{
	assert_true(json_is_integer(json_object_get(js, key)));
	assert_int_equal(json_integer_value(json_object_get(js, key)), want);
}

static void shown(void **state)
{
	struct tandem_flow_stats *stats;
	struct fixture fx;
	json_t *js;

	(void)state;
	fx_open(&fx);
	set_ok(&fx, "{" SOURCE ",\"to\":\"10.0.0.1:16400\",\"payload_types\":[{\"pt\":8}],"
		    "\"out\":[" TWO_LEGS "],\"ssrc\":[{\"ssrc\":9,\"out\":[{\"to\":"
		    "\"198.51.100.9:1\",\"from\":\"10.0.0.2:16410\"}]}]}");
	stats = &fx.plane.stats[0];
	stats->flow.packets = 50;
	stats->flow.rtcp_packets = 2;
	stats->offloaded = false;
	stats->datapath = "uring";
	stats->reason = "more egresses than the fast path can copy to";
	stats->stream_count = 1;
	stats->streams[0] = (struct stream){
		.ssrc = 9, .pt = 8, .packets = 48, .received = 48, .max_seq = 49, .clock_hz = 8000
	};
	js = show(&fx, "f");
	assert_text(js, "name", "f");
	assert_text(js, "from", "192.0.2.7:4000");
	assert_text(js, "to", "10.0.0.1:16400");
	assert_text(js, "offload", "more egresses than the fast path can copy to");
	assert_number(js, "packets", 50);
	assert_text(at(js, "flows", 0), "kind", "mux");
	assert_text(at(js, "flows", 0), "offload", "uring");
	assert_text(at(js, "flows", 0), "reason", "more egresses than the fast path can copy to");
	assert_number(at(js, "flows", 0), "rtcp_packets", 2);
	assert_int_equal(json_array_size(json_object_get(js, "legs")), 3);
	assert_text(at(js, "legs", 0), "for", "any");
	assert_text(at(js, "legs", 2), "for", "0x00000009");
	assert_text(at(js, "legs", 2), "from", "10.0.0.2:16410");
	assert_text(at(js, "legs", 2), "to", "198.51.100.9:1");
	assert_number(at(js, "legs", 2), "packets", 102);
	assert_number(at(js, "legs", 2), "lost", 2);
	assert_text(at(js, "legs", 2), "last_reason", "no_route");
	assert_true(json_is_null(json_object_get(at(js, "legs", 0), "last_reason")));
	assert_number(json_object_get(at(js, "legs", 0), "rtcp"), "packets", 103);
	assert_null(json_object_get(at(js, "legs", 2), "rtcp"));
	assert_text(at(js, "streams", 0), "ssrc", "0x00000009");
	assert_text(at(js, "streams", 0), "codec", "PCMA");
	assert_number(at(js, "streams", 0), "lost", 2);
	assert_text(json_object_get(js, "forward"), "name", "f");
	json_decref(js);
	assert_null(tandem_forward_json(fx.ss, "g"));
	fx_clean(&fx);
}

static void shown_one_to_one(void **state)
{
	struct fixture fx;
	json_t *js;

	(void)state;
	fx_open(&fx);
	js = tandem_forwards_json(fx.ss);
	assert_int_equal(json_array_size(json_object_get(js, "forwards")), 0);
	json_decref(js);
	set_ok(&fx, ONE);
	set_ok(&fx, "{\"name\":\"a\",\"to\":\"239.1.2.3:5004\",\"from\":\"192.0.2.7\",\"out\":[]}");
	fx.plane.stats[0].flow.packets = 50;
	fx.plane.stats[0].flow.rtcp_packets = 2;
	fx.plane.stats[0].flow.octets = 9000;
	js = show(&fx, "f");
	assert_number(at(js, "legs", 0), "packets", 48);
	assert_number(at(js, "legs", 0), "octets", 9000);
	assert_number(json_object_get(at(js, "legs", 0), "rtcp"), "packets", 2);
	assert_text(js, "offload", "xdp");
	json_decref(js);
	js = tandem_forwards_json(fx.ss);
	assert_text(at(js, "forwards", 0), "name", "a");
	assert_text(at(js, "forwards", 0), "from", "192.0.2.7");
	assert_text(at(js, "forwards", 1), "name", "f");
	assert_number(at(js, "forwards", 1), "leg_count", 1);
	json_decref(js);
	fx_clean(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_documents),
		cmocka_unit_test(bad_legs),
		cmocka_unit_test(secured_is_not_changed),
		cmocka_unit_test(rules_are_bounded),
		cmocka_unit_test(plain_is_one_to_one),
		cmocka_unit_test(no_legs_is_mute),
		cmocka_unit_test(fan_with_rtcp),
		cmocka_unit_test(ssrc_rules),
		cmocka_unit_test(g711),
		cmocka_unit_test(rtcp_apart),
		cmocka_unit_test(groups),
		cmocka_unit_test(ports_are_chosen),
		cmocka_unit_test(ports_are_kept_from_calls),
		cmocka_unit_test(change_in_place),
		cmocka_unit_test(refused_change_leaves_all_as_it_was),
		cmocka_unit_test(numbers_are_those_of_sessions),
		cmocka_unit_test(restored),
		cmocka_unit_test(unusable_stays_stored),
		cmocka_unit_test(not_installed_at_start),
		cmocka_unit_test(shown),
		cmocka_unit_test(shown_one_to_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
