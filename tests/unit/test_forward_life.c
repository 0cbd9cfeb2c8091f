/* SPDX-License-Identifier: GPL-2.0-only */
/* Forwards: how they come, change, go, outlive the process, and are shown. */
#include "tests/unit/forward_fixture.h"

#include "userspace/session/ports.h"

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
	assert_non_null(strstr(why, "cannot be installed: media.flow_capacity"));
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
	stats->streams[0] = (struct tandem_stream){
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
