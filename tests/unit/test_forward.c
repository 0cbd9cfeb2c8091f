/* SPDX-License-Identifier: GPL-2.0-only */
/* Forwards: their document, and what is compiled from it. */
#include "tests/unit/forward_fixture.h"

#include <net/if.h>

/* ---- the document ---- */

static const struct {
	const char *doc, *why;
} wrong_documents[] = {
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
	{ "{" SOURCE ",\"payload_types\":7," OUT "}", "payload_types: a list of at most 8" },
	{ "{" SOURCE ",\"payload_types\":[{}]," OUT "}", "payload_types[0].pt: missing" },
	{ "{" SOURCE ",\"payload_types\":[{\"pt\":0},{\"pt\":96}]," OUT "}",
	  "payload_types[1].clock_hz: missing" },
	{ "{" SOURCE ",\"payload_types\":[{\"pt\":0},{\"pt\":0}]," OUT "}",
	  "payload_types[1].pt: 0 stands here twice" },
	{ "{" SOURCE ",\"payload_types\":[{\"pt\":128}]," OUT "}",
	  "payload_types[0].pt: a number from 0 to 127" },
	{ "{" SOURCE ",\"rtcp\":{},\"rtcp_mux\":true," OUT "}", "rtcp: not together" },
	{ "{" SOURCE ",\"rtcp\":{\"port\":1}," OUT "}", "rtcp: no key \"port\"" },
	{ "{" SOURCE ",\"rtcp_mux\":false,\"rtcp_out\":[]," OUT "}", "rtcp_out: the forward" },
	{ "{" SOURCE ",\"ssrc\":{}," OUT "}", "ssrc: a list of rules" },
	{ "{" SOURCE ",\"ssrc\":[{\"out\":[]}]}", "ssrc[0].ssrc: an SSRC is expected" },
	{ "{" SOURCE ",\"ssrc\":[{\"ssrc\":\"0x123456789\",\"out\":[]}]}",
	  "ssrc[0].ssrc: an SSRC" },
	{ "{" SOURCE ",\"ssrc\":[{\"ssrc\":7}]}", "ssrc[0].out: a list" },
	{ "{" SOURCE ",\"ssrc\":[{\"ssrc\":7,\"out\":[]},{\"ssrc\":\"0x7\",\"out\":[]}]}",
	  "ssrc[1].ssrc: 0x00000007 has a rule already" },
};

static void bad_documents(void **state)
{
	struct fixture fx;
	size_t i;

	(void)state;
	fx_open(&fx);
	for (i = 0; i < sizeof(wrong_documents) / sizeof(wrong_documents[0]); i++) {
		if (!set(&fx, wrong_documents[i].doc))
			fail_msg("taken: %s", wrong_documents[i].doc);
		if (strncmp(why, wrong_documents[i].why, strlen(wrong_documents[i].why)))
			fail_msg("%s\nsays: %s\nnot:  %s", wrong_documents[i].doc, why,
				 wrong_documents[i].why);
	}
	assert_int_equal(fx.plane.n, 0);
	assert_int_equal(fx.plane.sets, 0);
	assert_int_equal(fx_free_ports(&fx), 300);
	fx_clean(&fx);
}

static const struct {
	const char *leg, *why;
} wrong_legs[] = {
	{ "7", "out[1]: an object is expected" },
	{ "{}", "out[1].to: missing" },
	{ "{\"to\":\"198.51.100.1\"}", "out[1].to: an address is expected" },
	{ "{\"to\":\"0.0.0.0:9\"}", "out[1].to: 0.0.0.0:9 is no address" },
	{ "{\"to\":\"127.0.0.1:9\"}", "out[1].to: 127.0.0.1:9 is in a denied network" },
	{ "{\"to\":\"10.0.0.2:16400\"}", "out[1].to: 10.0.0.2:16400 is in a denied" },
	{ "{\"to\":\"192.0.2.1:9\",\"color\":1}", "out[1]: no key \"color\"; there are id" },
	{ "{\"to\":\"192.0.2.1:9\",\"from\":\"10.0.0.1:9\"}", "out[1].from: port 9 is none" },
	{ "{\"to\":\"192.0.2.1:9\",\"from\":\"10.0.0.7\"}", "out[1].from: 10.0.0.7 is none" },
	{ "{\"to\":\"192.0.2.1:9\",\"from\":\"2001:db8:1::1\"}", "out[1].from: not of the" },
	{ "{\"to\":\"192.0.2.1:9\",\"id\":-1}", "out[1].id: a number from 0 to 2147483647" },
	{ "{\"to\":\"192.0.2.1:9\",\"id\":7},{\"to\":\"192.0.2.1:9\",\"id\":7}",
	  "two legs have the id 7" },
	{ "{\"to\":\"192.0.2.1:9\",\"ssrc\":7}", "out[1].ssrc: [from, to] is expected" },
	{ "{\"to\":\"192.0.2.1:9\",\"ssrc\":[7]}", "out[1].ssrc: two SSRCs" },
	{ "{\"to\":\"192.0.2.1:9\",\"ssrc\":[7,\"x\"]}", "out[1].ssrc: an SSRC" },
	{ "{\"to\":\"192.0.2.1:9\",\"seq_offset\":70000}", "out[1].seq_offset: a number" },
	{ "{\"to\":\"192.0.2.1:9\",\"ts_offset\":\"1\"}", "out[1].ts_offset: a number" },
	{ "{\"to\":\"192.0.2.1:9\",\"payload_types\":[0]}", "out[1].payload_types: an object" },
	{ "{\"to\":\"192.0.2.1:9\",\"payload_types\":{\"5\":8}}",
	  "out[1].payload_types.5: not one of" },
	{ "{\"to\":\"192.0.2.1:9\",\"payload_types\":{\"00\":8}}",
	  "out[1].payload_types.00: not one of" },
	{ "{\"to\":\"192.0.2.1:9\",\"payload_types\":{\"18\":128}}",
	  "out[1].payload_types.18: a number from 0 to 127" },
	{ "{\"to\":\"192.0.2.1:9\",\"g711\":\"alaw\"}", "out[1].g711: \"pcma\", \"pcmu\"" },
	{ "{\"to\":\"192.0.2.1:9\",\"g711\":\"pcma\"}", "out[1].g711: none of the forward" },
	{ "{\"to\":\"192.0.2.1:9\",\"extensions\":[]}", "out[1].extensions: an object" },
	{ "{\"to\":\"192.0.2.1:9\",\"extensions\":{\"0\":1}}",
	  "out[1].extensions.0: an id from 1 to 63" },
	{ "{\"to\":\"192.0.2.1:9\",\"extensions\":{\"1\":0}}",
	  "out[1].extensions.1: a number from 1 to 255" },
	{ "{\"to\":\"192.0.2.1:9\",\"dscp\":64}", "out[1].dscp: a number from 0 to 63" },
	{ "{\"to\":\"192.0.2.1:9\",\"ttl\":0}", "out[1].ttl: a number from 1 to 255" },
	{ "{\"to\":\"192.0.2.1:9\",\"rtcp\":1}", "out[1].rtcp: true or false" },
};

static void bad_legs(void **state)
{
	struct fixture fx;
	char doc[512];
	size_t i;

	(void)state;
	fx_open(&fx);
	for (i = 0; i < sizeof(wrong_legs) / sizeof(wrong_legs[0]); i++) {
		snprintf(doc, sizeof(doc),
			 "{" SOURCE ",\"payload_types\":[{\"pt\":18}],"
			 "\"out\":[{\"to\":\"198.51.100.1:6000\"},%s]}",
			 wrong_legs[i].leg);
		if (!set(&fx, doc))
			fail_msg("taken: %s", doc);
		if (strncmp(why, wrong_legs[i].why, strlen(wrong_legs[i].why)))
			fail_msg("%s\nsays: %s\nnot:  %s", doc, why, wrong_legs[i].why);
	}
	assert_int_equal(fx.plane.sets, 0);
	assert_int_equal(fx_free_ports(&fx), 300);
	fx_clean(&fx);
}

/* What is sent to the relay itself would go round, or disturb its signalling. */
static void no_way_back(void **state)
{
	static const struct {
		const char *rtcp, *to;
		int err;
	} cases[] = {
		{ "", "10.0.0.1:16384", -EACCES },
		{ "", "10.0.0.1:16583", -EACCES },
		{ "", "[::ffff:10.0.0.1]:16400", -EACCES },
		{ "", "[64:ff9b::10.0.0.1]:16400", -EACCES },
		{ "", "[2002:a00:1::1]:16400", -EACCES },
		{ "", "203.0.113.1:16400", -EACCES }, /* as it is seen from outside */
		{ "", "10.0.0.1:5060", -EACCES },
		{ "", "203.0.113.1:5060", -EACCES },
		{ "", "192.0.2.99:5070", -EACCES }, /* signalling on an address without media */
		{ "", "10.0.0.1:5061", 0 },
		{ "", "10.0.0.2:5060", 0 },
		{ "", "10.0.0.1:16383", 0 },
		/* RTCP goes to the port above */
		{ "\"rtcp\":{},", "10.0.0.1:16383", -EACCES },
		{ "\"rtcp\":{},", "10.0.0.1:5059", -EACCES },
		{ "\"rtcp\":{},", "198.51.100.1:65535", -EINVAL },
		{ "\"rtcp\":{},", "198.51.100.1:65534", 0 },
	};
	struct fixture fx;
	char doc[256];
	size_t i;

	(void)state;
	fx_init(&fx);
	fx.cfg.advertise[0] = ip("203.0.113.1");
	fx.cfg.own[0] = (struct tandem_endpoint){ .ip = ip("10.0.0.1"), .port = 5060 };
	fx.cfg.own[1] = (struct tandem_endpoint){ .ip = ip("192.0.2.99"), .port = 5070 };
	fx.cfg.own_count = 2;
	assert_int_equal(fx_start(&fx), 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(doc, sizeof(doc), "{" SOURCE ",%s\"out\":[{\"to\":\"%s\",\"rtcp\":true}]}",
			 cases[i].rtcp, cases[i].to);
		if (set(&fx, doc) != cases[i].err)
			fail_msg("%s: %s", doc, why);
		if (cases[i].err)
			assert_int_equal(fx.plane.n, 0);
		else
			assert_int_equal(tandem_forward_remove(fx.ss, "f"), 0);
		assert_int_equal(fx_free_ports(&fx), 300);
	}
	fx_clean(&fx);
}

/* A port that is not there is not any port. */
static void no_port_above(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	assert_int_equal(
		set(&fx, "{\"name\":\"f\",\"from\":\"192.0.2.7:65535\",\"rtcp\":{}," OUT "}"),
		-EINVAL);
	assert_string_equal(why, "rtcp.from: there is no port above that of RTP");
	assert_int_equal(set(&fx, "{\"name\":\"f\",\"from\":\"192.0.2.7:65535\","
				  "\"to\":\"239.1.1.1:5004\",\"rtcp\":{}," OUT "}"),
			 -EINVAL);
	assert_string_equal(why, "rtcp.from: there is no port above that of RTP");
	set_ok(&fx, "{\"name\":\"f\",\"from\":\"192.0.2.7:65535\","
		    "\"rtcp\":{\"from\":\"192.0.2.7:9\"}," OUT "}");
	fx_clean(&fx);
}

/* Legs that were given no id take what is left, wherever they stand. */
static void ids_are_filled_in(void **state)
{
	static const uint32_t expected[] = { 1, 0, 3, 2, 4 };
	struct fixture fx;
	json_t *js, *legs;
	size_t i;

	(void)state;
	fx_open(&fx);
	set_ok(&fx, "{" SOURCE ",\"out\":[{\"to\":\"198.51.100.1:1\",\"id\":1},"
		    "{\"to\":\"198.51.100.1:2\"},{\"to\":\"198.51.100.1:3\",\"id\":3}],"
		    "\"ssrc\":[{\"ssrc\":7,\"out\":[{\"to\":\"198.51.100.1:4\"},"
		    "{\"to\":\"198.51.100.1:5\"}]}]}");
	js = show(&fx, "f");
	legs = json_object_get(js, "legs");
	assert_int_equal(json_array_size(legs), 5);
	for (i = 0; i < 5; i++)
		assert_int_equal(json_integer_value(json_object_get(json_array_get(legs, i), "id")),
				 expected[i]);
	json_decref(js);
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
	assert_non_null(strstr(why, "239.9.9.9:6000 is in a denied network"));
	fx_clean(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_documents),     cmocka_unit_test(bad_legs),
		cmocka_unit_test(no_way_back),	     cmocka_unit_test(no_port_above),
		cmocka_unit_test(ids_are_filled_in), cmocka_unit_test(secured_is_not_changed),
		cmocka_unit_test(rules_are_bounded), cmocka_unit_test(plain_is_one_to_one),
		cmocka_unit_test(no_legs_is_mute),   cmocka_unit_test(fan_with_rtcp),
		cmocka_unit_test(ssrc_rules),	     cmocka_unit_test(g711),
		cmocka_unit_test(rtcp_apart),	     cmocka_unit_test(groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
