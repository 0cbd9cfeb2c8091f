/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Legs with ICE and DTLS: a browser on one side, made of the same ICE and DTLS as the relay's, in
 * its own place on the network; a plain phone, or another browser, on the other.
 *
 *   browser 192.0.2.10, media from 192.0.2.99:7000 ---- relay ---- phone 198.51.100.20
 */
#include <stdbool.h>

#include "tests/unit/session_fixture.h"
#include "userspace/media/stun.h"

#define QUEUE 64
#define PLACE "192.0.2.99"

struct browser {
	struct fixture *fx;
	struct tandem_endpoint place;
	struct tandem_ice *ice;
	struct tandem_dtls_context *ctx;
	struct tandem_dtls *dtls;
	bool client;
	struct tandem_endpoint relay; /* of the selected pair */
};

/* Datagrams on their way, either way. */
struct packet {
	bool to_relay;
	struct tandem_endpoint from, to;
	size_t len;
	uint8_t data[2048];
};

static struct packet queue[QUEUE];
static size_t queued;
static struct browser *browsers[2];

static void put(bool to_relay, const struct tandem_endpoint *from, const struct tandem_endpoint *to,
		const void *data, size_t len)
{
	struct packet *p = &queue[queued];

	assert_true(queued < QUEUE && len <= sizeof(p->data));
	*p = (struct packet){ to_relay, *from, *to, len, { 0 } };
	memcpy(p->data, data, len);
	queued++;
}

static int relay_send(struct tandem_plane *plane, const struct tandem_endpoint *local,
		      const struct tandem_endpoint *remote, const void *payload, size_t len)
{
	put(false, local, remote, payload, len);
	return 0;
}

static void browser_ice_send(const struct tandem_endpoint *local,
			     const struct tandem_endpoint *remote, const void *data, size_t len,
			     void *arg)
{
	put(true, local, remote, data, len);
}

static bool browser_allowed(const struct tandem_endpoint *remote, void *arg)
{
	return true;
}

static void browser_selected(unsigned int component, const struct tandem_endpoint *local,
			     const struct tandem_endpoint *remote, void *arg)
{
	((struct browser *)arg)->relay = *remote;
}

static void browser_dtls_send(const void *data, size_t len, void *arg)
{
	struct browser *b = arg;

	put(true, &b->place, &b->relay, data, len);
}

static void browser_changed(enum tandem_dtls_state state, void *arg)
{
}

static const struct tandem_ice_ops browser_ice = {
	.send = browser_ice_send,
	.allowed = browser_allowed,
	.selected = browser_selected,
};
static const struct tandem_dtls_ops browser_dtls = { .send = browser_dtls_send,
						     .changed = browser_changed };

/* What io_uring would tell of it: STUN on a port with RULE_F_ICE, DTLS from the exact source. */
static void relay_gets(struct fixture *fx, const struct packet *p)
{
	struct tandem_datagram d = {
		.local = p->to, .remote = p->from, .payload = p->data, .len = p->len
	};
	bool dtls = p->data[0] >= 20 && p->data[0] <= 63;
	size_t i;

	for (i = 0; i < fx->plane.n; i++) {
		const struct tandem_flow_spec *spec = &fx->plane.specs[i];

		if (ntohs(spec->key.local_port) != p->to.port ||
		    !tandem_ip_equal(&spec->key.local, &p->to.ip))
			continue;
		d.kind = dtls ? TANDEM_DATAGRAM_DTLS : TANDEM_DATAGRAM_STUN;
		d.flow_id = spec->id;
		d.from_peer = tandem_ip_equal(&spec->key.remote, &p->from.ip) &&
			      ntohs(spec->key.remote_port) == p->from.port;
		if (dtls ? d.from_peer && (spec->flags & RULE_F_DTLS) : spec->flags & RULE_F_ICE)
			tandem_wire_datagram(&d, fx->ss);
		return;
	}
}

static void browser_gets(struct browser *b, const struct packet *p)
{
	if (!tandem_endpoint_equal(&p->to, &b->place))
		return;
	if (tandem_stun_is(p->data, p->len))
		(void)tandem_ice_input(b->ice, &p->to, &p->from, p->data, p->len, b->fx->now_ms);
	else if (b->dtls)
		tandem_dtls_input(b->dtls, p->data, p->len, b->fx->now_ms);
}

static void deliver_all(struct fixture *fx)
{
	struct packet p;
	size_t i;

	while (queued) {
		p = queue[0];
		memmove(queue, queue + 1, --queued * sizeof(p));
		if (p.to_relay)
			relay_gets(fx, &p);
		for (i = 0; i < 2 && !p.to_relay; i++) {
			if (browsers[i])
				browser_gets(browsers[i], &p);
		}
	}
}

/* Let the time pass. */
static void run(struct fixture *fx, unsigned int ms)
{
	uint64_t end = fx->now_ms + ms;
	size_t i;

	while (fx->now_ms < end) {
		fx->now_ms += 10;
		for (i = 0; i < 2; i++) {
			struct browser *b = browsers[i];

			if (!b)
				continue;
			tandem_ice_tick(b->ice, fx->now_ms);
			if (b->dtls && b->client && b->relay.port)
				(void)tandem_dtls_start(b->dtls, fx->now_ms);
		}
		tandem_sessions_timer(fx->ss);
		deliver_all(fx);
	}
}

static void make_dtls(struct browser *b, bool client)
{
	const struct tandem_dtls_config cfg = { .client = client, .ops = &browser_dtls, .arg = b };

	tandem_dtls_free(b->dtls);
	b->client = client;
	assert_int_equal(tandem_dtls_alloc(&b->dtls, b->ctx, &cfg), 0);
}

static void browser_open(struct browser *b, struct fixture *fx, const char *place, bool offers)
{
	const struct tandem_ice_local local = { .component = 1, .addr = ep(place, 7000) };
	const struct tandem_ice_config cfg = { .controlling = offers,
					       .components = 1,
					       .locals = &local,
					       .locals_count = 1,
					       .ops = &browser_ice,
					       .arg = b };

	*b = (struct browser){ .fx = fx, .place = local.addr };
	assert_int_equal(tandem_ice_alloc(&b->ice, &cfg), 0);
	assert_int_equal(tandem_dtls_context_alloc(&b->ctx, NULL), 0);
	browsers[!browsers[0] ? 0 : 1] = b;
}

static void browser_close(struct browser *b)
{
	tandem_dtls_free(b->dtls);
	tandem_dtls_context_put(b->ctx);
	tandem_ice_free(b->ice);
	browsers[browsers[0] == b ? 0 : 1] = NULL;
	queued = 0;
}

/* Valid until the next call. */
static const char *browser_sdp(const struct browser *b, const char *setup, bool mux)
{
	static char text[2][4096];
	static int turn;
	char fp[TANDEM_DTLS_FINGERPRINT_STRLEN];

	assert_int_equal(tandem_dtls_fingerprint_format(tandem_dtls_context_fingerprint(b->ctx), fp,
							sizeof(fp)),
			 0);
	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]),
		 "v=0\r\no=- 7 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
		 "a=msid-semantic: WMS x\r\n"
		 "m=audio 9 UDP/TLS/RTP/SAVPF 0 8\r\nc=IN IP4 0.0.0.0\r\n"
		 "a=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\n"
		 "a=ice-options:trickle\r\na=fingerprint:%s\r\na=setup:%s\r\na=mid:0\r\n"
		 "a=sendrecv\r\n%sa=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
		 "a=candidate:1 1 udp 2113937151 c3d5.local 50000 typ host\r\n",
		 tandem_ice_ufrag(b->ice), tandem_ice_pwd(b->ice), fp, setup,
		 mux ? "a=rtcp-mux\r\n" : "");
	return text[turn];
}

static const char *attr(const struct tandem_sdp *doc, int section, const char *name)
{
	const char *value = tandem_sdp_find_attr(doc, section, name, 0);

	if (!value)
		fail_msg("no a=%s", name);
	return value;
}

/* The browser reads what the relay has made of the other side's description. */
static void browser_reads(struct browser *b)
{
	struct tandem_dtls_fingerprint fp;
	struct tandem_ice_remote remote = { .lite = true };
	struct tandem_candidate c;
	struct tandem_sdp *doc;
	enum tandem_dtls_setup setup;

	assert_int_equal(tandem_sdp_parse(&doc, b->fx->sdp, b->fx->sdp_len, NULL), 0);
	attr(doc, TANDEM_SDP_SESSION, "ice-lite");
	attr(doc, 0, "rtcp-mux");
	assert_true(tandem_sdp_media(doc, 0)->bundle >= 0);
	remote.ufrag = attr(doc, 0, "ice-ufrag");
	remote.pwd = attr(doc, 0, "ice-pwd");
	assert_int_equal(tandem_ice_set_remote(b->ice, &remote, b->fx->now_ms), 0);
	assert_int_equal(tandem_candidate_parse(&c, attr(doc, 0, "candidate"),
						strlen(attr(doc, 0, "candidate"))),
			 0);
	assert_int_equal(c.addr.port, tandem_sdp_media(doc, 0)->port);
	if (tandem_ice_add_remote(b->ice, &c, b->fx->now_ms) != -EEXIST)
		assert_true(tandem_ice_add_remote(b->ice, &c, b->fx->now_ms) == -EEXIST);
	tandem_ice_end_of_candidates(b->ice, b->fx->now_ms);
	assert_int_equal(tandem_dtls_fingerprint_parse(&fp, attr(doc, 0, "fingerprint")), 0);
	setup = tandem_dtls_setup_parse(attr(doc, 0, "setup"));
	/* where the relay leaves the choice, a browser begins */
	if (!b->dtls)
		make_dtls(b, setup != TANDEM_DTLS_ACTIVE);
	assert_int_equal(tandem_dtls_set_peer(b->dtls, &fp, 1, b->fx->now_ms), 0);
	tandem_sdp_free(doc);
}

static int describe(struct fixture *fx, enum tandem_party_id party, bool answer,
		    enum tandem_security a, enum tandem_security b, const char *text)
{
	enum tandem_security security[2] = { a, b };
	struct tandem_signal sig = { ep(party ? CALLEE : CALLER, 5060),
				     ep(party ? CALLER : CALLEE, 5060), security[party],
				     security[!party] };

	free(fx->sdp);
	fx->sdp = NULL;
	return (answer ? tandem_session_answer : tandem_session_offer)(
		fx->ss, CALL, party, &sig, text, strlen(text), &fx->sdp, &fx->sdp_len);
}

static void open_world(struct fixture *fx)
{
	fx_init(fx);
	fx->env.send = relay_send;
	assert_int_equal(fx_start(fx), 0);
	assert_int_equal(fx_dialog(fx, CALL), 0);
}

static void assert_keys(struct fixture *fx, const struct browser *b, enum tandem_party_id party)
{
	const struct tandem_flow_spec *from = fx_flow(fx, 0, party, TANDEM_RTP);
	const struct tandem_flow_spec *to = fx_flow(fx, 0, !party, TANDEM_RTP);
	struct tandem_srtp in, out;

	assert_int_equal(tandem_dtls_keys(b->dtls, &in, &out), 0);
	assert_non_null(from->srtp_in);
	assert_non_null(to->srtp_out);
	assert_true(tandem_sdes_same_keys(from->srtp_in, &out));
	assert_true(tandem_sdes_same_keys(to->srtp_out, &in));
	assert_int_equal(from->srtp_in->streams, 4);
}

static void assert_verdict(struct fixture *fx, const char *want)
{
	json_t *js = tandem_session_json(fx->ss, CALL);

	assert_string_equal(json_string_value(json_object_get(js, "verdict")), want);
	json_decref(js);
}

#define AUTO  TANDEM_SECURITY_AUTO
#define PLAIN TANDEM_SECURITY_PLAIN
#define DTLS  TANDEM_SECURITY_DTLS

/* What the statistics say of handshakes. */
static void assert_counted(struct fixture *fx, const char *want)
{
	json_t *js = tandem_sessions_stats_json(fx->ss);
	char *text = json_dumps(json_object_get(js, "dtls"), JSON_COMPACT);

	assert_string_equal(text, want);
	free(text);
	json_decref(js);
}

static void browser_calls_phone(void **state)
{
	struct tandem_flow_spec *from_a, *from_b;
	struct browser b;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	browser_open(&b, &fx, PLACE, true);
	assert_int_equal(
		describe(&fx, TANDEM_PARTY_A, false, AUTO, PLAIN, browser_sdp(&b, "actpass", true)),
		0);
	assert_has(&fx, " RTP/AVP 0 8\r\nc=IN IP4 10.0.0.2\r\n");
	assert_has(&fx, "a=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:0 PCMU/8000\r\n");
	assert_has_not(&fx, "ice");
	assert_has_not(&fx, "candidate");
	assert_has_not(&fx, "fingerprint");
	assert_has_not(&fx, "setup");
	assert_has_not(&fx, "BUNDLE");
	assert_int_equal(describe(&fx, TANDEM_PARTY_B, true, AUTO, PLAIN, audio(CALLEE, 5000, "")),
			 0);
	assert_has(&fx, "a=setup:passive\r\n");
	assert_has(&fx, "a=mid:0\r\n");
	assert_has(&fx, " UDP/TLS/RTP/SAVPF 0 8");
	/* nothing goes to the browser, nor from it, before it is known and has keys */
	from_a = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP);
	from_b = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP);
	assert_true(from_a->flags & RULE_F_ICE && from_a->flags & RULE_F_DTLS);
	assert_true(tandem_ip_is_any(&from_a->key.remote));
	assert_false(from_a->egress[EGRESS_RTP].flags);
	assert_false(from_b->egress[EGRESS_RTP].flags);
	assert_false(from_b->flags & (RULE_F_ICE | RULE_F_DTLS));

	tandem_session_confirm(fx.ss, CALL);
	assert_verdict(&fx, "no keys with the caller: ICE has not found it");
	browser_reads(&b);
	run(&fx, 2000);
	assert_verdict(&fx, "no media");
	assert_int_equal(tandem_ice_state(b.ice), TANDEM_ICE_CONNECTED);
	assert_int_equal(tandem_dtls_state(b.dtls), TANDEM_DTLS_CONNECTED);
	assert_remote(from_a, PLACE ":7000");
	assert_egress(from_b, EGRESS_RTP, PLACE ":7000");
	assert_keys(&fx, &b, TANDEM_PARTY_A);
	assert_counted(&fx, "{\"started\":1,\"connected\":1}");
	assert_null(from_b->srtp_in);
	assert_null(from_a->srtp_out);

	/* rtcp-mux on one side alone */
	assert_egress(from_a, EGRESS_RTP, CALLEE ":5000");
	assert_egress(from_a, EGRESS_RTCP, CALLEE ":5001");
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTCP));
	from_b = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTCP);
	assert_egress(from_b, EGRESS_RTCP, PLACE ":7000");
	assert_int_equal(from_b->egress[EGRESS_RTCP].local_port, from_a->key.local_port);
	browser_close(&b);
	fx_clean(&fx);
}

static void phone_calls_browser(struct fixture *fx, struct browser *b, const char *setup)
{
	open_world(fx);
	browser_open(b, fx, PLACE, false);
	assert_int_equal(describe(fx, TANDEM_PARTY_A, false, AUTO, DTLS, audio(CALLER, 4000, "")),
			 0);
	assert_has(fx, " UDP/TLS/RTP/SAVPF 0 8 101\r\n");
	assert_has(fx, "a=setup:actpass\r\n");
	if (!strcmp(setup, "passive"))
		make_dtls(b, false);
	browser_reads(b);
	assert_int_equal(
		describe(fx, TANDEM_PARTY_B, true, AUTO, DTLS, browser_sdp(b, setup, true)), 0);
	assert_has(fx, " RTP/AVP 0 8\r\n");
	assert_has_not(fx, "rtcp-mux");
	assert_has_not(fx, "ice");
	assert_has_not(fx, "fingerprint");
	run(fx, 2000);
	assert_keys(fx, b, TANDEM_PARTY_B);
	assert_egress(fx_flow(fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTP, PLACE ":7000");
	assert_egress(fx_flow(fx, 0, TANDEM_PARTY_B, TANDEM_RTP), EGRESS_RTCP, CALLER ":4001");
	assert_int_equal(tandem_session_confirm(fx->ss, CALL), 0);
}

static void phone_calls_browsers(void **state)
{
	static const char *const setups[] = { "active", "passive" };
	struct browser b;
	struct fixture fx;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		phone_calls_browser(&fx, &b, setups[i]);
		assert_int_equal(b.client, !i);
		browser_close(&b);
		fx_clean(&fx);
	}
}

/* Nothing said of either: WebRTC is ended on both sides all the same. */
static void browser_calls_browser(void **state)
{
	struct browser a, b;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	browser_open(&a, &fx, PLACE, true);
	browser_open(&b, &fx, "198.51.100.99", false);
	assert_int_equal(
		describe(&fx, TANDEM_PARTY_A, false, AUTO, AUTO, browser_sdp(&a, "actpass", true)),
		0);
	browser_reads(&b);
	assert_int_equal(
		describe(&fx, TANDEM_PARTY_B, true, AUTO, AUTO, browser_sdp(&b, "active", true)),
		0);
	browser_reads(&a);
	run(&fx, 2000);
	assert_keys(&fx, &a, TANDEM_PARTY_A);
	assert_keys(&fx, &b, TANDEM_PARTY_B);
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTCP,
		      "198.51.100.99:7000");
	assert_int_equal(fx.plane.n, 2);
	browser_close(&b);
	browser_close(&a);
	fx_clean(&fx);
}

/* A re-INVITE that changes nothing of the transport, from either side. */
static void reinvite(void **state)
{
	struct browser b;
	struct fixture fx;
	uint64_t id;

	(void)state;
	phone_calls_browser(&fx, &b, "active");
	id = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_in->id;
	assert_int_equal(describe(&fx, TANDEM_PARTY_A, false, AUTO, DTLS, audio(CALLER, 4100, "")),
			 0);
	browser_reads(&b); /* the same credentials and fingerprint */
	assert_int_equal(
		describe(&fx, TANDEM_PARTY_B, true, AUTO, DTLS, browser_sdp(&b, "active", true)),
		0);
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), EGRESS_RTP, CALLER ":4100");
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_in->id, id);
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTP, PLACE ":7000");

	assert_int_equal(
		describe(&fx, TANDEM_PARTY_B, false, AUTO, DTLS, browser_sdp(&b, "actpass", true)),
		0);
	assert_has(&fx, " RTP/AVP 0 8\r\n");
	assert_int_equal(describe(&fx, TANDEM_PARTY_A, true, AUTO, DTLS, audio(CALLER, 4100, "")),
			 0);
	/* the relay keeps its role */
	assert_has(&fx, "a=setup:passive\r\n");
	browser_reads(&b);
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_in->id, id);
	browser_close(&b);
	fx_clean(&fx);
}

/* The browser restarts ICE, from another place: media follows, keys stay. */
static void ice_restart(void **state)
{
	struct browser b;
	struct fixture fx;
	uint64_t id;

	(void)state;
	phone_calls_browser(&fx, &b, "active");
	id = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_in->id;
	assert_int_equal(tandem_ice_restart(b.ice), 0);
	assert_int_equal(
		describe(&fx, TANDEM_PARTY_B, false, AUTO, DTLS, browser_sdp(&b, "actpass", true)),
		0);
	assert_int_equal(describe(&fx, TANDEM_PARTY_A, true, AUTO, DTLS, audio(CALLER, 4000, "")),
			 0);
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTP, PLACE ":7000");
	browser_reads(&b);
	run(&fx, 2000);
	assert_int_equal(tandem_ice_state(b.ice), TANDEM_ICE_CONNECTED);
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_in->id, id);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), PLACE ":7000");
	browser_close(&b);
	fx_clean(&fx);
}

/*
 * The offer of a restart is refused, or its answer cannot be taken: the browser goes on as before,
 * and so does the relay, also in what it writes next.
 */
static void refused_ice_restart(void **state)
{
	struct browser b;
	struct fixture fx;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		char before[64];

		phone_calls_browser(&fx, &b, "active");
		snprintf(before, sizeof(before), "a=ice-ufrag:%s\r\n",
			 tandem_ice_remote_ufrag(b.ice));
		assert_int_equal(tandem_ice_restart(b.ice), 0);
		assert_int_equal(describe(&fx, TANDEM_PARTY_B, false, AUTO, DTLS,
					  browser_sdp(&b, "actpass", true)),
				 0);
		if (i)
			assert_int_equal(describe(&fx, TANDEM_PARTY_A, true, AUTO, DTLS,
						  audio("2001:db8::5", 4000, "")),
					 -EAFNOSUPPORT);
		assert_int_equal(tandem_session_rollback(fx.ss, CALL), 0);
		assert_int_equal(tandem_ice_rollback(b.ice), 0);
		run(&fx, TANDEM_ICE_CONSENT_LOST_MS + 5000);
		assert_int_equal(tandem_ice_state(b.ice), TANDEM_ICE_CONNECTED);
		assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), PLACE ":7000");

		assert_int_equal(describe(&fx, TANDEM_PARTY_B, false, AUTO, DTLS,
					  browser_sdp(&b, "actpass", true)),
				 0);
		assert_int_equal(
			describe(&fx, TANDEM_PARTY_A, true, AUTO, DTLS, audio(CALLER, 4000, "")),
			0);
		assert_has(&fx, before);
		browser_close(&b);
		fx_clean(&fx);
	}
}

/* Another certificate is another association; old keys are tried until there are new ones. */
static void another_association(void **state)
{
	const struct tandem_flow_spec *spec;
	struct browser b;
	struct fixture fx;
	uint64_t id;

	(void)state;
	phone_calls_browser(&fx, &b, "active");
	spec = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP);
	id = spec->srtp_in->id;
	tandem_dtls_free(b.dtls);
	b.dtls = NULL;
	tandem_dtls_context_put(b.ctx);
	assert_int_equal(tandem_dtls_context_alloc(&b.ctx, NULL), 0);
	queued = 0; /* the close_notify */
	assert_int_equal(
		describe(&fx, TANDEM_PARTY_B, false, AUTO, DTLS, browser_sdp(&b, "actpass", true)),
		0);
	assert_int_equal(describe(&fx, TANDEM_PARTY_A, true, AUTO, DTLS, audio(CALLER, 4000, "")),
			 0);
	assert_int_equal(spec->srtp_in->id, id);
	browser_reads(&b);
	run(&fx, 500);
	assert_keys(&fx, &b, TANDEM_PARTY_B);
	assert_int_not_equal(spec->srtp_in->id, id);
	assert_int_equal(spec->srtp_in_old->id, id);
	fx.now_ms += TANDEM_OLD_KEY_MS;
	tandem_sessions_tick(fx.ss);
	assert_null(spec->srtp_in_old);
	browser_close(&b);
	fx_clean(&fx);
}

/* Who does not answer checks is sent nothing any more (RFC 7675). */
static void consent(void **state)
{
	struct browser b;
	struct fixture fx;

	(void)state;
	phone_calls_browser(&fx, &b, "active");
	run(&fx, 30000); /* it keeps asking */
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTP, PLACE ":7000");
	browsers[0] = NULL; /* gone */
	run(&fx, TANDEM_ICE_CONSENT_LOST_MS + 1000);
	assert_false(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->egress[EGRESS_RTP].flags);
	browsers[0] = &b;
	browser_close(&b);
	fx_clean(&fx);
}

static void what_is_refused(void **state)
{
	struct browser b;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	browser_open(&b, &fx, PLACE, false);
	assert_int_equal(describe(&fx, TANDEM_PARTY_A, false, AUTO, DTLS, audio(CALLER, 4000, "")),
			 0);
	assert_int_equal(
		describe(&fx, TANDEM_PARTY_B, true, AUTO, DTLS, browser_sdp(&b, "holdconn", true)),
		-EPROTO);
	/* no fingerprint that counts */
	assert_int_equal(
		describe(&fx, TANDEM_PARTY_B, true, AUTO, DTLS,
			 "v=0\r\no=- 1 1 IN IP4 198.51.100.20\r\ns=-\r\n"
			 "c=IN IP4 198.51.100.20\r\nt=0 0\r\nm=audio 5000 UDP/TLS/RTP/SAVPF 0\r\n"
			 "a=setup:active\r\na=fingerprint:sha-1 "
			 "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33\r\n"),
		-EPROTO);
	assert_int_equal(describe(&fx, TANDEM_PARTY_B, true, AUTO, DTLS, audio(CALLEE, 5000, "")),
			 -EPROTO);
	assert_int_equal(fx.plane.n, 0);
	browser_close(&b);
	fx_clean(&fx);
}

/* DTLS-SRTP by a phone without ICE: the address of its description it is. */
static void without_ice(void **state)
{
	char fp[TANDEM_DTLS_FINGERPRINT_STRLEN], text[2048];
	struct browser b;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	browser_open(&b, &fx, CALLEE, false);
	assert_int_equal(describe(&fx, TANDEM_PARTY_A, false, AUTO, DTLS, audio(CALLER, 4000, "")),
			 0);
	tandem_dtls_fingerprint_format(tandem_dtls_context_fingerprint(b.ctx), fp, sizeof(fp));
	snprintf(text, sizeof(text),
		 "v=0\r\no=- 1 1 IN IP4 " CALLEE "\r\ns=-\r\nc=IN IP4 " CALLEE "\r\nt=0 0\r\n"
		 "m=audio 7000 UDP/TLS/RTP/SAVPF 0\r\na=setup:active\r\na=fingerprint:%s\r\n",
		 fp);
	browser_reads(&b);
	assert_int_equal(describe(&fx, TANDEM_PARTY_B, true, AUTO, DTLS, text), 0);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), CALLEE ":7000");
	assert_false(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->flags & RULE_F_ICE);
	b.relay = (struct tandem_endpoint){
		fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->key.local,
		ntohs(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->key.local_port)
	};
	run(&fx, 500);
	assert_keys(&fx, &b, TANDEM_PARTY_B);
	/* there is no handshake for a port of RTCP */
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTCP));
	browser_close(&b);
	fx_clean(&fx);
}

/* ICE for two ports is none for the relay, and no WebRTC either. */
static void without_mux(void **state)
{
	struct browser b;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	browser_open(&b, &fx, PLACE, true);
	assert_int_equal(
		describe(&fx, TANDEM_PARTY_A, false, AUTO, AUTO, browser_sdp(&b, "actpass", false)),
		0);
	assert_has(&fx, " UDP/TLS/RTP/SAVPF 0 8\r\n");
	assert_has(&fx, "a=fingerprint:");
	assert_has_not(&fx, "ice-ufrag");
	assert_null(fx_session(&fx, CALL)->pending.v[0].leg[1].secure.wire);

	assert_int_equal(describe(&fx, TANDEM_PARTY_A, false, AUTO, PLAIN,
				  browser_sdp(&b, "actpass", false)),
			 0);
	assert_has(&fx, " RTP/AVP 0 8\r\n");
	assert_int_equal(describe(&fx, TANDEM_PARTY_B, true, AUTO, PLAIN, audio(CALLEE, 5000, "")),
			 0);
	assert_has(&fx, "a=fingerprint:");
	assert_has_not(&fx, "ice-");
	assert_has_not(&fx, "candidate");
	assert_has_not(&fx, "rtcp-mux");
	assert_false(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->flags & RULE_F_ICE);
	browser_close(&b);
	fx_clean(&fx);
}

static void restart(void **state)
{
	const struct tandem_flow_spec *spec;
	struct browser b;
	struct fixture fx;
	char why[128], *text;
	uint64_t id;
	json_t *js;

	(void)state;
	phone_calls_browser(&fx, &b, "active");
	assert_int_equal(tandem_store_open(&fx.store, ":memory:", why, sizeof(why)), 0);
	fx.ss->store = fx.store;
	tandem_session_save(fx.ss, fx_session(&fx, CALL));
	id = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_in->id;
	js = tandem_session_json(fx.ss, CALL);
	text = json_dumps(js, 0);
	assert_non_null(strstr(text, "\"dtls\": \"connected\""));
	assert_null(strstr(text, tandem_ice_pwd(b.ice)));
	free(text);
	json_decref(js);

	tandem_sessions_free(fx.ss);
	assert_int_equal(fx_start(&fx), 0);
	spec = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP);
	assert_int_equal(spec->srtp_in->id, id);
	assert_remote(spec, PLACE ":7000");
	assert_true(spec->flags & RULE_F_ICE);
	/* checks are answered as before */
	run(&fx, TANDEM_ICE_CONSENT_LOST_MS + 5000);
	assert_int_equal(tandem_ice_state(b.ice), TANDEM_ICE_CONNECTED);
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTP, PLACE ":7000");
	browser_close(&b);
	fx_clean(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(browser_calls_phone),	 cmocka_unit_test(phone_calls_browsers),
		cmocka_unit_test(browser_calls_browser), cmocka_unit_test(reinvite),
		cmocka_unit_test(ice_restart),		 cmocka_unit_test(refused_ice_restart),
		cmocka_unit_test(another_association),	 cmocka_unit_test(consent),
		cmocka_unit_test(what_is_refused),	 cmocka_unit_test(without_ice),
		cmocka_unit_test(without_mux),		 cmocka_unit_test(restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
