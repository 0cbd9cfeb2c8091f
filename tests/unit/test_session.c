/* SPDX-License-Identifier: GPL-2.0-only */
/* Stories of calls: what offers, answers and the clock do to the flows in the plane. */
#include "tests/unit/session_fixture.h"

static void simple_call(void **state)
{
	struct fixture fx;
	enum tandem_party_id party;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	assert_int_equal(fx.plane.n, 4);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), "192.0.2.10:4000");
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTP,
		      "198.51.100.20:5000");
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTCP), "192.0.2.10:4001");
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTCP), EGRESS_RTCP,
		      "198.51.100.20:5001");
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), "198.51.100.20:5000");
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), EGRESS_RTP, "192.0.2.10:4000");
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTCP), EGRESS_RTCP, "192.0.2.10:4001");

	assert_int_equal(fx_dialog(&fx, CALL), 0);
	assert_int_equal(tandem_session_party(fx.ss, CALL, "tag-a", &party), 0);
	assert_int_equal(party, TANDEM_PARTY_A);
	assert_int_equal(tandem_session_party(fx.ss, CALL, "tag-b", &party), -ENOENT);
	assert_int_equal(tandem_session_party(fx.ss, "no", "tag-a", &party), -ENOENT);
	assert_string_equal(tandem_session_find(fx.ss, fx_session(&fx, CALL)->id), CALL);
	assert_null(tandem_session_find(fx.ss, "0"));

	assert_int_equal(tandem_session_end(fx.ss, CALL, "bye"), 0);
	assert_int_equal(fx.plane.n, 0);
	assert_int_equal(fx_free_ports(&fx), 300);
	assert_int_equal(tandem_session_end(fx.ss, CALL, "bye"), -ENOENT);
	fx_clean(&fx);
}

/* The tag of B becomes known with the first response, and may change with the fork. */
static void tags(void **state)
{
	struct tandem_dialog d = {
		.call_id = CALL, .from_uri = "sip:a@x", .to_uri = "sip:b@x", .from_tag = "tag-a"
	};
	enum tandem_party_id party;
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	assert_int_equal(tandem_session_open(fx.ss, &d), 0);
	d.to_tag = "fork-1";
	assert_int_equal(tandem_session_open(fx.ss, &d), 0);
	d.to_tag = "fork-2";
	assert_int_equal(tandem_session_open(fx.ss, &d), 0);
	assert_int_equal(tandem_sessions_count(fx.ss), 1);
	assert_int_equal(tandem_session_party(fx.ss, CALL, "fork-1", &party), -ENOENT);
	assert_int_equal(tandem_session_party(fx.ss, CALL, "fork-2", &party), 0);
	assert_int_equal(party, TANDEM_PARTY_B);
	d.call_id = "with\xff";
	assert_int_equal(tandem_session_open(fx.ss, &d), -EINVAL);
	d.call_id = "";
	assert_int_equal(tandem_session_open(fx.ss, &d), -EINVAL);
	fx_clean(&fx);
}

static void early_then_final_answer(void **state)
{
	struct fixture fx;
	uint64_t id;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, ""));
	assert_int_equal(tandem_session_state(fx_session(&fx, CALL)), TANDEM_STATE_OFFERED);
	assert_int_equal(fx.plane.n, 0);
	/* 183 from an announcement server, then 200 from the phone itself */
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 7000, "")), 0);
	assert_int_equal(tandem_session_state(fx_session(&fx, CALL)), TANDEM_STATE_EARLY);
	id = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->id;
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio("198.51.100.21", 5000, "")), 0);
	tandem_session_confirm(fx.ss, CALL);
	assert_int_equal(tandem_session_state(fx_session(&fx, CALL)), TANDEM_STATE_ESTABLISHED);
	assert_int_equal(fx.plane.n, 4);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), "198.51.100.21:5000");
	assert_true(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->id == id);
	/* the 200 comes again: nothing changes */
	fx.plane.sets = 0;
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio("198.51.100.21", 5000, "")), 0);
	assert_int_equal(fx.plane.sets + fx.plane.removes, 0);
	fx_clean(&fx);
}

static void late_offer(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), 0);
	assert_has(&fx, "c=IN IP4 10.0.0.1");
	tandem_session_confirm(fx.ss, CALL);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, "")), 0);
	assert_has(&fx, "c=IN IP4 10.0.0.2");
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), "192.0.2.10:4000");
	assert_int_equal(tandem_session_state(fx_session(&fx, CALL)), TANDEM_STATE_ESTABLISHED);
	fx_clean(&fx);
}

static void hold_and_resume(void **state)
{
	struct tandem_flow_spec before[4];
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	memcpy(before, fx.plane.specs, sizeof(before));
	fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, "a=sendonly\r\n"));
	assert_has(&fx, "a=sendonly");
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "a=recvonly\r\n"));
	tandem_session_confirm(fx.ss, CALL);
	assert_int_equal(tandem_session_state(fx_session(&fx, CALL)), TANDEM_STATE_HELD);
	assert_memory_equal(before, fx.plane.specs, sizeof(before));
	fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, ""));
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, ""));
	tandem_session_confirm(fx.ss, CALL);
	assert_int_equal(tandem_session_state(fx_session(&fx, CALL)), TANDEM_STATE_ESTABLISHED);
	assert_memory_equal(before, fx.plane.specs, sizeof(before));
	fx_clean(&fx);
}

/* RFC 2543 hold: the address of the call so far is kept, RTP towards it is muted. */
static void hold_by_address(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio("0.0.0.0", 4000, "")), 0);
	assert_has(&fx, "c=IN IP4 0.0.0.0\r\n");
	assert_has_not(&fx, "m=audio 4000");
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), 0);
	tandem_session_confirm(fx.ss, CALL);
	assert_int_equal(tandem_session_state(fx_session(&fx, CALL)), TANDEM_STATE_HELD);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), "192.0.2.10:4000");
	assert_false(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->flags & RULE_F_MUTE);
	assert_true(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->flags & RULE_F_MUTE);
	fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, ""));
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, ""));
	assert_false(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->flags & RULE_F_MUTE);
	fx_clean(&fx);
}

static void reinvite_moves_a_party(void **state)
{
	struct tandem_flow_spec a, b;
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	a = *fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP);
	b = *fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP);
	/* the callee moves, and it is the one who offers */
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_B, audio("198.51.100.99", 6000, "")), 0);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), "198.51.100.20:5000");
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, "")), 0);
	assert_int_equal(fx.plane.n, 4);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), "198.51.100.99:6000");
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTP,
		      "198.51.100.99:6000");
	assert_true(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->id == a.id);
	assert_true(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->id == b.id);
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->key.local_port,
			 b.key.local_port);
	fx_clean(&fx);
}

static void rollback(void **state)
{
	struct tandem_flow_spec before[4];
	struct fixture fx;
	size_t ports;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	memcpy(before, fx.plane.specs, sizeof(before));
	ports = fx_free_ports(&fx);
	fx_offer(&fx, TANDEM_PARTY_A, audio("192.0.2.77", 4700, "m=video 4702 RTP/AVP 31\r\n"));
	assert_int_equal(fx_free_ports(&fx), ports - 2);
	assert_int_equal(tandem_session_rollback(fx.ss, CALL), 0);
	assert_int_equal(fx_free_ports(&fx), ports);
	assert_int_equal(fx.plane.n, 4);
	assert_memory_equal(before, fx.plane.specs, sizeof(before));
	assert_int_equal(tandem_session_rollback(fx.ss, CALL), 0);
	/* an answer to what was rolled back has nothing to answer */
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), -EPROTO);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), 0);
	assert_int_equal(tandem_session_rollback(fx.ss, "no such call"), -ENOENT);
	fx_clean(&fx);
}

static void media_added_and_rejected(void **state)
{
	struct fixture fx;
	size_t ports;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	ports = fx_free_ports(&fx);
	fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, "m=video 4002 RTP/AVP 31\r\n"));
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "m=video 5002 RTP/AVP 31\r\n"));
	tandem_session_confirm(fx.ss, CALL);
	assert_int_equal(fx.plane.n, 8);
	assert_remote(fx_flow(&fx, 1, TANDEM_PARTY_A, TANDEM_RTP), "192.0.2.10:4002");
	assert_int_equal(fx_free_ports(&fx), ports - 2);

	/* the callee disables it again */
	fx_offer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "m=video 0 RTP/AVP 31\r\n"));
	assert_has(&fx, "m=video 0 ");
	fx_answer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, "m=video 0 RTP/AVP 31\r\n"));
	tandem_session_confirm(fx.ss, CALL);
	assert_int_equal(fx.plane.n, 4);
	assert_int_equal(fx_free_ports(&fx), ports);

	/* m= lines never go away (RFC 3264 section 8) */
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), -EPROTO);
	fx_clean(&fx);
}

/* A first answer may reject what the final one takes: ports wait for the confirmation. */
static void rejected_first_taken_later(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, "m=video 4002 RTP/AVP 31\r\n"));
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "m=video 0 RTP/AVP 31\r\n"));
	assert_has(&fx, "m=video 0 ");
	assert_int_equal(fx.plane.n, 4);
	assert_int_equal(fx_free_ports(&fx), 296);
	assert_int_equal(
		fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "m=video 5002 RTP/AVP 31\r\n")),
		0);
	assert_int_equal(fx.plane.n, 8);
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "m=video 0 RTP/AVP 31\r\n"));
	tandem_session_confirm(fx.ss, CALL);
	assert_int_equal(fx_free_ports(&fx), 298);
	assert_int_equal(
		fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "m=video 5002 RTP/AVP 31\r\n")),
		-EPROTO);
	assert_int_equal(fx.plane.n, 4);
	fx_clean(&fx);
}

/* Audio turns into fax and back; the relay stands aside, and its ports are new then. */
static void audio_to_fax(void **state)
{
	struct fixture fx;
	uint64_t id;
	const char *fax = "v=0\r\no=- 1 2 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\n"
			  "t=0 0\r\nm=image 4000 udptl t38\r\n";

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	id = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->id;
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, fax), 0);
	assert_string_equal(fx.sdp, fax);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, fax), 0);
	tandem_session_confirm(fx.ss, CALL);
	assert_int_equal(fx.plane.n, 0);
	assert_int_equal(fx_free_ports(&fx), 300);
	fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, ""));
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, ""));
	assert_int_equal(fx.plane.n, 4);
	assert_true(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->id != id);
	fx_clean(&fx);
}

static void protocol_errors(void **state)
{
	struct tandem_signal sig = { .source = ep(CALLER, 5060), .target = ep(CALLEE, 5060) };
	struct fixture fx;
	char *out = NULL;
	size_t len, ports;

	(void)state;
	fx_open(&fx);
	assert_int_equal(
		tandem_session_offer(fx.ss, "no", TANDEM_PARTY_A, &sig, "v=0", 3, &out, &len),
		-ENOENT);
	fx_dialog(&fx, CALL);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), -EPROTO);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, "not SDP"), -EBADMSG);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, "")), 0);
	ports = fx_free_ports(&fx);
	/* glare, one's own answer, another number of m= lines, another type */
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), -EPROTO);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, "")), -EPROTO);
	assert_int_equal(
		fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "m=video 2 RTP/AVP 31\r\n")),
		-EPROTO);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, "v=0\r\n"), -EPROTO);
	/* the same offer once more, as after a challenge, has the same ports */
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, "")), 0);
	assert_int_equal(fx_free_ports(&fx), ports);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), 0);
	fx_clean(&fx);
	free(out);
}

static void denied_addresses(void **state)
{
	static const char *const denied[] = { "127.0.0.1", "169.254.1.1", "239.1.1.1" };
	struct fixture fx;
	size_t i;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	for (i = 0; i < 3; i++)
		assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio(denied[i], 4000, "")),
				 -EACCES);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A,
				  audio(CALLER, 4000, "a=rtcp:4001 IN IP4 127.0.0.1\r\n")),
			 -EACCES);
	assert_int_equal(fx_free_ports(&fx), 300);
	fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, ""));
	for (i = 0; i < 3; i++)
		assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio(denied[i], 5000, "")),
				 -EACCES);
	assert_int_equal(fx.plane.n, 0);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), 0);
	fx_clean(&fx);
}

static void limits(void **state)
{
	char call[16], many[4096];
	struct fixture fx;
	size_t i, at = 0;

	(void)state;
	fx_init(&fx);
	fx.cfg.max_sessions = 3;
	fx.cfg.port_max = fx.cfg.port_min + 3; /* two pairs */
	assert_int_equal(fx_start(&fx), 0);
	for (i = 0; i < 3; i++) {
		snprintf(call, sizeof(call), "call-%zu", i);
		assert_int_equal(fx_dialog(&fx, call), 0);
	}
	assert_int_equal(fx_dialog(&fx, "call-3"), -ENOSPC);
	fx_call(&fx, "call-0");
	fx_call(&fx, "call-1");
	assert_int_equal(fx_offer_from(&fx, "call-2", TANDEM_PARTY_A, CALLER, CALLEE,
				       audio(CALLER, 4000, "")),
			 -ENOSPC);
	tandem_session_end(fx.ss, "call-0", "bye");
	/* one pair on either side is free again; an offer of two media gets neither */
	assert_int_equal(fx_offer_from(&fx, "call-2", TANDEM_PARTY_A, CALLER, CALLEE,
				       audio(CALLER, 4000, "m=video 4002 RTP/AVP 31\r\n")),
			 -ENOSPC);
	for (i = 0; i <= TANDEM_MEDIA_MAX; i++)
		at += snprintf(many + at, sizeof(many) - at, "m=audio 0 RTP/AVP 0\r\n");
	assert_int_equal(fx_offer_from(&fx, "call-2", TANDEM_PARTY_A, CALLER, CALLEE,
				       audio(CALLER, 0, many)),
			 -ENOSPC);
	assert_int_equal(fx_offer_from(&fx, "call-2", TANDEM_PARTY_A, CALLER, CALLEE,
				       audio(CALLER, 4000, "")),
			 0);
	fx_clean(&fx);
}

static void ports_rest(void **state)
{
	struct fixture fx;
	uint16_t port;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	port = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->key.local_port;
	tandem_session_end(fx.ss, CALL, "bye");
	fx_call(&fx, CALL);
	assert_int_not_equal(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->key.local_port, port);
	fx_clean(&fx);
}

/* The plane refuses: the answer fails, and the end of the call leaves nothing behind. */
static void plane_refuses(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, ""));
	fx.plane.refuse = ENOSPC;
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), -ENOSPC);
	assert_null(fx.sdp);
	fx.plane.refuse = 0;
	/* a repeated answer makes up for it */
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), 0);
	assert_int_equal(fx.plane.n, 4);
	fx.plane.refuse = EIO;
	fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4444, ""));
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), -EIO);
	assert_int_equal(tandem_session_end(fx.ss, CALL, "no use"), 0);
	assert_int_equal(fx.plane.n, 0);
	assert_int_equal(fx_free_ports(&fx), 300);
	fx_clean(&fx);
}

static void pass(struct fixture *fx, uint64_t seconds)
{
	uint64_t i;

	for (i = 0; i < seconds; i++) {
		fx->now_ms += 1000;
		fx->epoch_ms += 1000;
		tandem_sessions_tick(fx->ss);
	}
}

static void inactivity(void **state)
{
	struct fixture fx;
	int i;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	for (i = 0; i < 5; i++) {
		pass(&fx, 59);
		fx_stats(&fx, TANDEM_PARTY_B, TANDEM_RTCP)->flow.last_ns = fx.now_ms * 1000000;
	}
	pass(&fx, 59);
	assert_int_equal(fx.ended_count, 0);
	pass(&fx, 1);
	assert_int_equal(fx.ended_count, 1);
	assert_string_equal(fx.ended[0], CALL ": media inactivity");
	assert_int_equal(fx.plane.n, 0);
	assert_int_equal(fx_free_ports(&fx), 300);
	assert_int_equal(tandem_sessions_count(fx.ss), 0);
	fx_clean(&fx);
}

static void hold_has_patience(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, "a=inactive\r\n"));
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "a=inactive\r\n"));
	tandem_session_confirm(fx.ss, CALL);
	pass(&fx, 3599);
	assert_int_equal(fx.ended_count, 0);
	/* resumed: the clock of the established call starts now */
	fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, ""));
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, ""));
	pass(&fx, 59);
	assert_int_equal(fx.ended_count, 0);
	pass(&fx, 1);
	assert_string_equal(fx.ended[0], CALL ": media inactivity");
	fx_clean(&fx);
}

static void never_answered(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, ""));
	fx_dialog(&fx, "early");
	fx_offer_from(&fx, "early", TANDEM_PARTY_A, CALLER, CALLEE, audio(CALLER, 4000, ""));
	fx_answer_from(&fx, "early", TANDEM_PARTY_B, CALLEE, CALLER, audio(CALLEE, 5000, ""));
	fx_dialog(&fx, "late");
	tandem_session_confirm(fx.ss, "late");
	pass(&fx, 199);
	assert_int_equal(fx.ended_count, 0);
	pass(&fx, 1);
	assert_int_equal(fx.ended_count, 3);
	assert_non_null(strstr(fx.ended[0], ": not answered"));
	assert_int_equal(tandem_sessions_count(fx.ss), 0);
	assert_int_equal(fx_free_ports(&fx), 300);
	fx_clean(&fx);
}

static void end_all(const char *call_id, const char *why, void *arg)
{
	struct fixture *fx = arg;

	(void)why;
	assert_int_equal(tandem_session_end(fx->ss, call_id, "again"), -ENOENT);
	tandem_session_end(fx->ss, "a", "too");
	tandem_session_end(fx->ss, "b", "too");
	fx->ended_count++;
}

/* Handlers may end sessions, the same and others. */
static void ended_handler_ends_others(void **state)
{
	struct fixture fx;

	(void)state;
	fx_init(&fx);
	assert_int_equal(tandem_sessions_alloc_with(&fx.ss, &fx.env, &fx.cfg,
						    (struct tandem_plane *)&fx.plane, NULL, end_all,
						    &fx),
			 0);
	fx_dialog(&fx, "a");
	fx_dialog(&fx, "over");
	pass(&fx, 100);
	fx_dialog(&fx, "b");
	pass(&fx, 100);
	assert_int_equal(fx.ended_count, 2);
	assert_int_equal(tandem_sessions_count(fx.ss), 0);
	fx_clean(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(simple_call),
		cmocka_unit_test(tags),
		cmocka_unit_test(early_then_final_answer),
		cmocka_unit_test(late_offer),
		cmocka_unit_test(hold_and_resume),
		cmocka_unit_test(hold_by_address),
		cmocka_unit_test(reinvite_moves_a_party),
		cmocka_unit_test(rollback),
		cmocka_unit_test(media_added_and_rejected),
		cmocka_unit_test(rejected_first_taken_later),
		cmocka_unit_test(audio_to_fax),
		cmocka_unit_test(protocol_errors),
		cmocka_unit_test(denied_addresses),
		cmocka_unit_test(limits),
		cmocka_unit_test(ports_rest),
		cmocka_unit_test(plane_refuses),
		cmocka_unit_test(inactivity),
		cmocka_unit_test(hold_has_patience),
		cmocka_unit_test(never_answered),
		cmocka_unit_test(ended_handler_ends_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
