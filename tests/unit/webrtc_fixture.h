/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Legs with ICE and DTLS: a browser on one side, made of the same ICE and DTLS as the relay's, in
 * its own place on the network; a plain phone, or another browser, on the other.
 *
 *   browser 192.0.2.10, media from 192.0.2.99:7000 ---- relay ---- phone 198.51.100.20
 *
 * One that does not multiplex has RTCP at 192.0.2.99:7001, with an association of its own.
 */
#ifndef TANDEM_TESTS_WEBRTC_FIXTURE_H
#define TANDEM_TESTS_WEBRTC_FIXTURE_H

#include <stdbool.h>

#include "tests/unit/session_fixture.h"
#include "userspace/media/stun.h"

#define QUEUE 64
#define PLACE "192.0.2.99"

/* A component of a browser's. */
struct browser_end {
	struct browser *b;
	struct tandem_endpoint place;
	struct tandem_endpoint relay; /* of the selected pair */
	struct tandem_dtls *dtls;
};

struct browser {
	struct fixture *fx;
	struct tandem_ice *ice;
	struct tandem_dtls_context *ctx;
	bool client;
	unsigned int components; /* 1: it multiplexes */
	struct browser_end end[2];
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

static inline void put(bool to_relay, const struct tandem_endpoint *from,
		       const struct tandem_endpoint *to, const void *data, size_t len)
{
	struct packet *p = &queue[queued];

	assert_true(queued < QUEUE && len <= sizeof(p->data));
	*p = (struct packet){ to_relay, *from, *to, len, { 0 } };
	memcpy(p->data, data, len);
	queued++;
}

static inline int relay_send(struct tandem_plane *plane, const struct tandem_endpoint *local,
			     const struct tandem_endpoint *remote, const void *payload, size_t len)
{
	put(false, local, remote, payload, len);
	return 0;
}

static inline void browser_ice_send(const struct tandem_endpoint *local,
				    const struct tandem_endpoint *remote, const void *data,
				    size_t len, void *arg)
{
	put(true, local, remote, data, len);
}

static inline bool browser_allowed(const struct tandem_endpoint *remote, void *arg)
{
	return true;
}

static inline void browser_selected(unsigned int component, const struct tandem_endpoint *local,
				    const struct tandem_endpoint *remote, void *arg)
{
	((struct browser *)arg)->end[component - 1].relay = *remote;
}

static inline void browser_dtls_send(const void *data, size_t len, void *arg)
{
	struct browser_end *end = arg;

	put(true, &end->place, &end->relay, data, len);
}

static inline void browser_changed(enum tandem_dtls_state state, void *arg)
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
static inline void relay_gets(struct fixture *fx, const struct packet *p)
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

static inline void browser_gets(struct browser *b, const struct packet *p)
{
	unsigned int c;

	for (c = 0; c < b->components; c++) {
		if (!tandem_endpoint_equal(&p->to, &b->end[c].place))
			continue;
		if (tandem_stun_is(p->data, p->len))
			(void)tandem_ice_input(b->ice, &p->to, &p->from, p->data, p->len,
					       b->fx->now_ms);
		else if (b->end[c].dtls)
			tandem_dtls_input(b->end[c].dtls, p->data, p->len, b->fx->now_ms);
	}
}

static inline void deliver_all(struct fixture *fx)
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
static inline void run(struct fixture *fx, unsigned int ms)
{
	uint64_t end = fx->now_ms + ms;
	size_t i, c;

	while (fx->now_ms < end) {
		fx->now_ms += 10;
		for (i = 0; i < 2; i++) {
			struct browser *b = browsers[i];

			if (!b)
				continue;
			tandem_ice_tick(b->ice, fx->now_ms);
			for (c = 0; c < b->components && b->client; c++) {
				if (b->end[c].dtls && b->end[c].relay.port)
					(void)tandem_dtls_start(b->end[c].dtls, fx->now_ms);
			}
		}
		tandem_sessions_timer(fx->ss);
		deliver_all(fx);
	}
}

static inline void make_dtls(struct browser *b, bool client)
{
	struct tandem_dtls_config cfg = { .client = client, .ops = &browser_dtls };
	unsigned int c;

	b->client = client;
	for (c = 0; c < b->components; c++) {
		tandem_dtls_free(b->end[c].dtls);
		cfg.arg = &b->end[c];
		assert_int_equal(tandem_dtls_alloc(&b->end[c].dtls, b->ctx, &cfg), 0);
	}
}

/* components: 2 for one that does not multiplex. */
static inline void browser_open_with(struct browser *b, struct fixture *fx, const char *place,
				     bool offers, unsigned int components)
{
	const struct tandem_ice_local locals[] = {
		{ .component = 1, .addr = ep(place, 7000) },
		{ .component = 2, .addr = ep(place, 7001) },
	};
	const struct tandem_ice_config cfg = { .controlling = offers,
					       .components = components,
					       .locals = locals,
					       .locals_count = components,
					       .ops = &browser_ice,
					       .arg = b };

	*b = (struct browser){
		.fx = fx,
		.components = components,
		.end = { { .b = b, .place = locals[0].addr }, { .b = b, .place = locals[1].addr } },
	};
	assert_int_equal(tandem_ice_alloc(&b->ice, &cfg), 0);
	assert_int_equal(tandem_dtls_context_alloc(&b->ctx, NULL), 0);
	browsers[!browsers[0] ? 0 : 1] = b;
}

static inline void browser_open(struct browser *b, struct fixture *fx, const char *place,
				bool offers)
{
	browser_open_with(b, fx, place, offers, 1);
}

static inline void browser_close(struct browser *b)
{
	tandem_dtls_free(b->end[0].dtls);
	tandem_dtls_free(b->end[1].dtls);
	tandem_dtls_context_put(b->ctx);
	tandem_ice_free(b->ice);
	browsers[browsers[0] == b ? 0 : 1] = NULL;
	queued = 0;
}

/* Valid until the next call. */
static inline const char *browser_sdp(const struct browser *b, const char *setup, bool mux)
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
		 "a=candidate:1 1 udp 2113937151 c3d5.local 50000 typ host\r\n%s",
		 tandem_ice_ufrag(b->ice), tandem_ice_pwd(b->ice), fp, setup,
		 mux ? "a=rtcp-mux\r\n" : "",
		 b->components > 1 ? "a=candidate:1 2 udp 2113937150 c3d5.local 50001 typ host\r\n"
				   : "");
	return text[turn];
}

static inline const char *attr(const struct tandem_sdp *doc, int section, const char *name)
{
	const char *value = tandem_sdp_find_attr(doc, section, name, 0);

	if (!value)
		fail_msg("no a=%s", name);
	return value;
}

/* The browser reads what the relay has made of the other side's description. */
static inline void browser_reads(struct browser *b)
{
	struct tandem_dtls_fingerprint fp;
	struct tandem_ice_remote remote = { 0 };
	struct tandem_candidate c;
	struct tandem_sdp *doc;
	enum tandem_dtls_setup setup;
	unsigned int n;

	assert_int_equal(tandem_sdp_parse(&doc, b->fx->sdp, b->fx->sdp_len, NULL), 0);
	remote.lite = tandem_sdp_find_attr(doc, TANDEM_SDP_SESSION, "ice-lite", 0) != NULL;
	assert_int_not_equal(remote.lite, b->fx->cfg.security_count);
	if (b->components == 1) {
		attr(doc, 0, "rtcp-mux");
		assert_true(tandem_sdp_media(doc, 0)->bundle >= 0);
	}
	remote.ufrag = attr(doc, 0, "ice-ufrag");
	remote.pwd = attr(doc, 0, "ice-pwd");
	assert_int_equal(tandem_ice_set_remote(b->ice, &remote, b->fx->now_ms), 0);
	for (n = 0; n < b->components; n++) {
		const char *value = tandem_sdp_find_attr(doc, 0, "candidate", n);

		assert_non_null(value);
		assert_int_equal(tandem_candidate_parse(&c, value, strlen(value)), 0);
		assert_int_equal(c.component, n + 1);
		assert_int_equal(c.addr.port, n ? tandem_sdp_media(doc, 0)->rtcp_port
						: tandem_sdp_media(doc, 0)->port);
		if (tandem_ice_add_remote(b->ice, &c, b->fx->now_ms) != -EEXIST)
			assert_true(tandem_ice_add_remote(b->ice, &c, b->fx->now_ms) == -EEXIST);
	}
	tandem_ice_end_of_candidates(b->ice, b->fx->now_ms);
	assert_int_equal(tandem_dtls_fingerprint_parse(&fp, attr(doc, 0, "fingerprint")), 0);
	setup = tandem_dtls_setup_parse(attr(doc, 0, "setup"));
	/* where the relay leaves the choice, a browser begins */
	if (!b->end[0].dtls)
		make_dtls(b, setup != TANDEM_DTLS_ACTIVE);
	for (n = 0; n < b->components; n++)
		assert_int_equal(tandem_dtls_set_peer(b->end[n].dtls, &fp, 1, b->fx->now_ms), 0);
	tandem_sdp_free(doc);
}

static inline void open_world(struct fixture *fx)
{
	fx_init(fx);
	fx->env.send = relay_send;
	assert_int_equal(fx_start(fx), 0);
	assert_int_equal(fx_dialog(fx, CALL), 0);
}

static inline void assert_keys(struct fixture *fx, const struct browser *b,
			       enum tandem_party_id party)
{
	const struct tandem_flow_spec *from = fx_flow(fx, 0, party, TANDEM_RTP);
	const struct tandem_flow_spec *to = fx_flow(fx, 0, !party, TANDEM_RTP);
	struct tandem_srtp in, out;

	assert_int_equal(tandem_dtls_keys(b->end[0].dtls, &in, &out), 0);
	assert_non_null(from->srtp_in);
	assert_non_null(to->srtp_out);
	assert_true(tandem_sdes_same_keys(from->srtp_in, &out));
	assert_true(tandem_sdes_same_keys(to->srtp_out, &in));
	assert_int_equal(from->srtp_in->streams, 4);
}

static inline void assert_verdict(struct fixture *fx, const char *want)
{
	json_t *js = tandem_session_json(fx->ss, CALL);

	assert_string_equal(json_string_value(json_object_get(js, "verdict")), want);
	json_decref(js);
}

#define AUTO  TANDEM_SECURITY_AUTO
#define PLAIN TANDEM_SECURITY_PLAIN
#define DTLS  TANDEM_SECURITY_DTLS

/* What the statistics say of handshakes. */
static inline void assert_counted(struct fixture *fx, const char *want)
{
	json_t *js = tandem_sessions_stats_json(fx->ss);
	char *text = json_dumps(json_object_get(js, "dtls"), JSON_COMPACT);

	assert_string_equal(text, want);
	free(text);
	json_decref(js);
}

static inline void phone_calls_browser(struct fixture *fx, struct browser *b, const char *setup)
{
	open_world(fx);
	browser_open(b, fx, PLACE, false);
	assert_int_equal(
		fx_describe(fx, TANDEM_PARTY_A, false, AUTO, DTLS, audio(CALLER, 4000, "")), 0);
	assert_has(fx, " UDP/TLS/RTP/SAVPF 0 8 101\r\n");
	assert_has(fx, "a=setup:actpass\r\n");
	if (!strcmp(setup, "passive"))
		make_dtls(b, false);
	browser_reads(b);
	assert_int_equal(
		fx_describe(fx, TANDEM_PARTY_B, true, AUTO, DTLS, browser_sdp(b, setup, true)), 0);
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

#endif
