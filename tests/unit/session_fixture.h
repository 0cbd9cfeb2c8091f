/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session table with a world around it that a test holds in its hand: a plane
 * that keeps books, two clocks that stand still, a routing table of three lines.
 *
 *   caller 192.0.2.10  ----  10.0.0.1 | relay | 10.0.0.2  ----  callee 198.51.100.20
 *          2001:db8:a::10 -- 2001:db8:1::1
 */
#ifndef TANDEM_TESTS_SESSION_FIXTURE_H
#define TANDEM_TESTS_SESSION_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/compile.h"
#include "userspace/util/log.h"

#define FAKE_FLOWS 512
#define CALLER	   "192.0.2.10"
#define CALLEE	   "198.51.100.20"
#define CALL	   "call-1@192.0.2.10"

struct fake_plane {
	struct tandem_flow_spec specs[FAKE_FLOWS];
	struct tandem_flow_stats stats[FAKE_FLOWS];
	struct tandem_srtp keys[FAKE_FLOWS][3]; /* what the specs point to */
	size_t n;
	size_t sets, removes; /* changes asked for */
	size_t retries;
	struct tandem_srtp_seed seeds[4]; /* what was said last */
	size_t seeds_count;
	uint64_t spent; /* key set that nothing more can be sealed with; 0: none */
	int refuse;	/* errno for every SET */
	struct tandem_unknown_source queue[16];
	size_t queued;
};

struct fixture {
	struct fake_plane plane;
	struct tandem_session_env env;
	struct tandem_sessions_config cfg;
	struct tandem_sessions *ss;
	struct tandem_store *store;
	uint64_t now_ms;
	int64_t epoch_ms;
	char ended[8][128]; /* "call-id: why" */
	size_t ended_count;
	char *sdp; /* what the last offer or answer has become */
	size_t sdp_len;
	enum tandem_security security; /* of both parties */
};

static inline struct fake_plane *fake(const struct tandem_plane *plane)
{
	return (struct fake_plane *)plane;
}

static inline size_t fake_find(const struct fake_plane *f, uint64_t id)
{
	size_t i = 0;

	while (i < f->n && f->specs[i].id != id)
		i++;
	return i;
}

/* Keys are borrowed only while they are set, and those of a flow move with it. */
static inline void fake_keys(struct fake_plane *f, size_t to, const struct tandem_flow_spec *from)
{
	const struct tandem_srtp *keys[3] = { from->srtp_in, from->srtp_in_old, from->srtp_out };
	struct tandem_flow_spec *spec = &f->specs[to];
	size_t i;

	for (i = 0; i < 3; i++) {
		if (keys[i])
			f->keys[to][i] = *keys[i];
	}
	spec->srtp_in = keys[0] ? &f->keys[to][0] : NULL;
	spec->srtp_in_old = keys[1] ? &f->keys[to][1] : NULL;
	spec->srtp_out = keys[2] ? &f->keys[to][2] : NULL;
}

static inline int fake_set(struct fake_plane *f, const struct tandem_flow_spec *spec)
{
	size_t i = fake_find(f, spec->id), size;
	struct tandem_fan *fan = NULL;
	struct tandem_srtp *keys;

	f->sets++;
	if (f->refuse)
		return -f->refuse;
	if (i == FAKE_FLOWS)
		return -ENOSPC;
	if (spec->fan) {
		size = sizeof(*fan) + spec->fan->leg_count * sizeof(fan->legs[0]);
		fan = malloc(size + spec->fan->key_count * sizeof(*keys));
		if (!fan)
			return -ENOMEM;
		memcpy(fan, spec->fan, size);
		keys = (struct tandem_srtp *)((char *)fan + size);
		if (fan->key_count)
			memcpy(keys, spec->fan->keys, fan->key_count * sizeof(*keys));
		fan->keys = keys;
	}
	if (i == f->n) {
		f->specs[i].fan = NULL;
		memset(&f->stats[f->n++], 0, sizeof(f->stats[0]));
		f->stats[i].datapath = "xdp";
		f->stats[i].reason = "";
		f->stats[i].offloaded = true;
	}
	free((void *)f->specs[i].fan);
	f->specs[i] = *spec;
	f->specs[i].fan = fan;
	fake_keys(f, i, spec);
	return 0;
}

static inline int fake_remove(struct fake_plane *f, uint64_t id)
{
	size_t i = fake_find(f, id);

	f->removes++;
	if (i == f->n)
		return -ENOENT;
	free((void *)f->specs[i].fan);
	f->n--;
	f->specs[i] = f->specs[f->n];
	f->stats[i] = f->stats[f->n];
	fake_keys(f, i, &f->specs[f->n]);
	return 0;
}

static inline int fake_apply(struct tandem_plane *plane, struct tandem_change *changes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		changes[i].result = changes[i].op == TANDEM_FLOW_SET
					    ? fake_set(fake(plane), &changes[i].spec)
					    : fake_remove(fake(plane), changes[i].spec.id);
	return 0;
}

static inline int fake_read(struct tandem_plane *plane, uint64_t id,
			    struct tandem_flow_stats *stats)
{
	size_t i = fake_find(fake(plane), id);

	if (i == fake(plane)->n)
		return -ENOENT;
	*stats = fake(plane)->stats[i];
	return 0;
}

static inline int fake_read_legs(struct tandem_plane *plane, uint64_t id,
				 struct tandem_leg_stats *legs, size_t max, size_t *n)
{
	size_t i = fake_find(fake(plane), id), k;
	const struct tandem_fan *fan;

	*n = 0;
	if (i == fake(plane)->n)
		return -ENOENT;
	fan = fake(plane)->specs[i].fan;
	for (k = 0; fan && k < fan->leg_count && k < max; k++)
		legs[(*n)++] = (struct tandem_leg_stats){
			.id = fan->legs[k].id,
			.packets = 100 + k,
			.octets = 17200 + k,
			.lost = k,
			.last_reason = REASON_no_route,
		};
	return 0;
}

static inline int fake_list(struct tandem_plane *plane, tandem_installed_h *h, void *arg)
{
	size_t i;

	for (i = 0; i < fake(plane)->n; i++)
		h(&fake(plane)->specs[i], arg);
	return 0;
}

static inline int fake_counters(struct tandem_plane *plane, struct reason_counters *fast,
				struct reason_counters *slow)
{
	(void)plane;
	memset(fast, 0, sizeof(*fast));
	memset(slow, 0, sizeof(*slow));
	fast->packets[REASON_forwarded_rtp] = 7;
	slow->packets[REASON_stun] = 1;
	return 0;
}

static inline const char *fake_name(const struct tandem_plane *plane)
{
	(void)plane;
	return "xdp";
}

static inline const char *fake_describe(const struct tandem_plane *plane)
{
	(void)plane;
	return "on paper";
}

static inline void fake_dispatch(struct tandem_plane *plane,
				 const struct tandem_event_handlers *handlers, void *arg)
{
	size_t i;

	for (i = 0; i < fake(plane)->queued; i++)
		handlers->unknown_source(&fake(plane)->queue[i], arg);
	fake(plane)->queued = 0;
}

static inline bool fake_key_spent(const struct tandem_plane *plane, uint64_t id)
{
	return fake(plane)->spent == id;
}

static inline bool fake_key_counted(struct tandem_plane *plane, uint64_t id,
				    struct tandem_srtp_seed *seed)
{
	seed->id = id;
	seed->srtcp = 7;
	seed->count = 1;
	seed->streams[0] = (struct tandem_srtp_counted){ 0xa0b0c0d0, 0x1ffff, 7 };
	return id != fake(plane)->spent;
}

static inline void fake_keys_seed(struct tandem_plane *plane, const struct tandem_srtp_seed *seeds,
				  size_t n)
{
	struct fake_plane *f = fake(plane);

	if (!seeds)
		return; /* it is over: what was said is for the test to see */
	for (f->seeds_count = 0; f->seeds_count < n && f->seeds_count < 4; f->seeds_count++)
		f->seeds[f->seeds_count] = seeds[f->seeds_count];
}

static inline void fake_retry(struct tandem_plane *plane)
{
	fake(plane)->retries++;
}

static inline uint64_t fake_monotonic(void *arg)
{
	return ((struct fixture *)arg)->now_ms;
}

static inline int64_t fake_epoch(void *arg)
{
	return ((struct fixture *)arg)->epoch_ms;
}

static inline struct ip_addr ip(const char *text)
{
	struct ip_addr a;

	assert_int_equal(tandem_ip_parse(&a, text), 0);
	return a;
}

static inline struct tandem_endpoint ep(const char *text, uint16_t port)
{
	return (struct tandem_endpoint){ ip(text), port };
}

static inline int fake_route(const struct tandem_endpoint *to, struct ip_addr *from, void *arg)
{
	static const char *const routes[][2] = {
		{ "192.0.2.0/24", "10.0.0.1" },
		{ "198.51.100.0/24", "10.0.0.2" },
		{ "2001:db8::/32", "2001:db8:1::1" },
		{ "10.0.0.9", "10.0.0.9" }, /* of the relay's host, but without media */
	};
	struct tandem_prefix prefix;
	size_t i;

	(void)arg;
	if (tandem_ip_equal(&to->ip,
			    &(struct ip_addr){ .b = { [10] = 0xff, 0xff, 192, 0, 2, 255 } }))
		return -EACCES; /* broadcast */
	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		assert_int_equal(tandem_prefix_parse(&prefix, routes[i][0]), 0);
		if (!tandem_prefix_contains(&prefix, &to->ip))
			continue;
		*from = ip(routes[i][1]);
		return 0;
	}
	return -ENETUNREACH;
}

static inline void fake_ended(const char *call_id, const char *why, void *arg)
{
	struct fixture *fx = arg;

	snprintf(fx->ended[fx->ended_count++], sizeof(fx->ended[0]), "%s: %s", call_id, why);
}

static inline int fx_start(struct fixture *fx)
{
	return tandem_sessions_alloc_with(&fx->ss, &fx->env, &fx->cfg,
					  (struct tandem_plane *)&fx->plane, fx->store, fake_ended,
					  fx);
}

/* The world and its defaults; the table is not there yet. */
static inline void fx_init(struct fixture *fx)
{
	static const char *const deny[] = { "127.0.0.0/8", "169.254.0.0/16",
					    "224.0.0.0/4", "0.0.0.0",
					    "::1",	   "fe80::/10" };
	static const char *const locals[] = { "10.0.0.1", "10.0.0.2", "2001:db8:1::1" };
	size_t i;

	tandem_log_set_level(TANDEM_LOG_ERROR);
	memset(fx, 0, sizeof(*fx));
	fx->now_ms = 1000000;
	fx->epoch_ms = 1700000000000LL;
	fx->env = (struct tandem_session_env){
		.apply = fake_apply,
		.read = fake_read,
		.read_legs = fake_read_legs,
		.list = fake_list,
		.counters = fake_counters,
		.name = fake_name,
		.describe = fake_describe,
		.dispatch = fake_dispatch,
		.retry = fake_retry,
		.key_spent = fake_key_spent,
		.key_counted = fake_key_counted,
		.keys_seed = fake_keys_seed,
		.monotonic_ms = fake_monotonic,
		.epoch_ms = fake_epoch,
		.route = fake_route,
		.seed = 1,
		.arg = fx,
	};
	fx->cfg = (struct tandem_sessions_config){
		.locals_count = 3,
		.port_min = 16384,
		.port_max = 16583,
		.inactivity_timeout_s = 60,
		.hold_timeout_s = 3600,
		.setup_timeout_s = 200,
		.learn = TANDEM_LEARN_NAT,
		.learn_window_ms = 5000,
		.max_sessions = 100,
	};
	for (i = 0; i < 3; i++)
		fx->cfg.locals[i].ip = ip(locals[i]);
	for (i = 0; i < 6; i++)
		assert_int_equal(tandem_prefix_parse(&fx->cfg.deny[i], deny[i]), 0);
	fx->cfg.deny_count = 6;
}

static inline void fx_open(struct fixture *fx)
{
	fx_init(fx);
	assert_int_equal(fx_start(fx), 0);
}

static inline void fx_clean(struct fixture *fx)
{
	size_t i;

	for (i = 0; i < fx->plane.n; i++)
		free((void *)fx->plane.specs[i].fan);
	free(fx->sdp);
	tandem_sessions_free(fx->ss);
	tandem_store_close(fx->store);
}

static inline struct tandem_session *fx_session(struct fixture *fx, const char *call)
{
	struct tandem_session *s = tandem_sessions_by_call(fx->ss, call);

	assert_non_null(s);
	return s;
}

static inline int fx_dialog(struct fixture *fx, const char *call)
{
	struct tandem_dialog d = {
		.call_id = call,
		.from_uri = "sip:alice@example.org",
		.to_uri = "sip:bob@example.org",
		.from_tag = "tag-a",
	};

	return tandem_session_open(fx->ss, &d);
}

/* A description with one m=audio, and `extra` behind it. Valid until the next call. */
static inline const char *audio(const char *host, unsigned int port, const char *extra)
{
	static char text[2][8192];
	static int turn;

	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]),
		 "v=0\r\no=- 1 1 IN IP%c %s\r\ns=-\r\nc=IN IP%c %s\r\nt=0 0\r\n"
		 "m=audio %u RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n%s",
		 strchr(host, ':') ? '6' : '4', host, strchr(host, ':') ? '6' : '4', host, port,
		 extra);
	return text[turn];
}

static inline struct tandem_signal fx_signal(const char *source, const char *target,
					     enum tandem_security source_security,
					     enum tandem_security target_security)
{
	return (struct tandem_signal){
		.source = ep(source, 5060),
		.target = ep(target, 5060),
		.source_security = source_security,
		.target_security = target_security,
	};
}

static inline int fx_offer_from(struct fixture *fx, const char *call, enum tandem_party_id party,
				const char *source, const char *target, const char *sdp)
{
	struct tandem_signal sig = fx_signal(source, target, fx->security, fx->security);

	free(fx->sdp);
	fx->sdp = NULL;
	return tandem_session_offer(fx->ss, call, party, &sig, sdp, strlen(sdp), &fx->sdp,
				    &fx->sdp_len);
}

static inline int fx_answer_from(struct fixture *fx, const char *call, enum tandem_party_id party,
				 const char *source, const char *target, const char *sdp)
{
	struct tandem_signal sig = fx_signal(source, target, fx->security, fx->security);

	free(fx->sdp);
	fx->sdp = NULL;
	return tandem_session_answer(fx->ss, call, party, &sig, sdp, strlen(sdp), &fx->sdp,
				     &fx->sdp_len);
}

static inline int fx_offer(struct fixture *fx, enum tandem_party_id party, const char *sdp)
{
	return fx_offer_from(fx, CALL, party, party ? CALLEE : CALLER, party ? CALLER : CALLEE,
			     sdp);
}

static inline int fx_answer(struct fixture *fx, enum tandem_party_id party, const char *sdp)
{
	return fx_answer_from(fx, CALL, party, party ? CALLEE : CALLER, party ? CALLER : CALLEE,
			      sdp);
}

/* An offer or an answer, by what is wanted of the security of A and of B. */
static inline int fx_describe(struct fixture *fx, enum tandem_party_id party, bool answer,
			      enum tandem_security a, enum tandem_security b, const char *text)
{
	enum tandem_security security[2] = { a, b };
	struct tandem_signal sig = fx_signal(party ? CALLEE : CALLER, party ? CALLER : CALLEE,
					     security[party], security[!party]);

	free(fx->sdp);
	fx->sdp = NULL;
	return (answer ? tandem_session_answer : tandem_session_offer)(
		fx->ss, CALL, party, &sig, text, strlen(text), &fx->sdp, &fx->sdp_len);
}

/* A call that is up: caller at port 4000, callee at 5000. */
static inline void fx_call(struct fixture *fx, const char *call)
{
	assert_int_equal(fx_dialog(fx, call), 0);
	assert_int_equal(
		fx_offer_from(fx, call, TANDEM_PARTY_A, CALLER, CALLEE, audio(CALLER, 4000, "")),
		0);
	assert_int_equal(
		fx_answer_from(fx, call, TANDEM_PARTY_B, CALLEE, CALLER, audio(CALLEE, 5000, "")),
		0);
	assert_int_equal(tandem_session_confirm(fx->ss, call), 0);
}

/* The flow of media from a party, as it is in the plane; NULL when it is not. */
static inline struct tandem_flow_spec *fx_flow(struct fixture *fx, size_t media,
					       enum tandem_party_id from,
					       enum tandem_component comp)
{
	size_t i;

	for (i = 0; i < fx->plane.n; i++) {
		uint64_t id = fx->plane.specs[i].id;

		if (tandem_flow_id_media(id) == media && tandem_flow_id_from(id) == from &&
		    tandem_flow_id_component(id) == comp)
			return &fx->plane.specs[i];
	}
	return NULL;
}

static inline struct tandem_flow_stats *fx_stats(struct fixture *fx, enum tandem_party_id from,
						 enum tandem_component comp)
{
	struct tandem_flow_spec *spec = fx_flow(fx, 0, from, comp);

	assert_non_null(spec);
	return &fx->plane.stats[spec - fx->plane.specs];
}

static inline void assert_endpoint(const struct ip_addr *addr, __be16 port, const char *want)
{
	struct tandem_endpoint e = { *addr, ntohs(port) };
	char text[TANDEM_ENDPOINT_STRLEN];

	assert_string_equal(tandem_endpoint_format(&e, text, sizeof(text)), want);
}

static inline void assert_remote(const struct tandem_flow_spec *spec, const char *want)
{
	assert_non_null(spec);
	assert_endpoint(&spec->key.remote, spec->key.remote_port, want);
}

static inline void assert_egress(const struct tandem_flow_spec *spec, int which, const char *want)
{
	assert_non_null(spec);
	assert_true(spec->egress[which].flags & EGRESS_F_ACTIVE);
	assert_endpoint(&spec->egress[which].remote, spec->egress[which].remote_port, want);
}

static inline void assert_has(const struct fixture *fx, const char *text)
{
	assert_non_null(fx->sdp);
	if (!strstr(fx->sdp, text))
		fail_msg("\"%s\" is not in:\n%s", text, fx->sdp);
}

static inline void assert_has_not(const struct fixture *fx, const char *text)
{
	assert_non_null(fx->sdp);
	if (strstr(fx->sdp, text))
		fail_msg("\"%s\" is in:\n%s", text, fx->sdp);
}

static inline size_t fx_free_ports(const struct fixture *fx)
{
	return tandem_ports_available(fx->ss->ports, 0) + tandem_ports_available(fx->ss->ports, 1) +
	       tandem_ports_available(fx->ss->ports, 2);
}

#endif
