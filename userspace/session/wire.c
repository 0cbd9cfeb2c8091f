/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "userspace/session/compile.h"
#include "userspace/session/wire_state.h"
#include "userspace/util/log.h"

#define MODULE "session"

/* The last flight has come by then; what is left of an association after that is 37 KiB. */
#define DTLS_LINGER_MS 60000

/* Suites that every datapath does come first. */
static const struct tandem_dtls_context_config dtls_config = {
	.suites = { SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM,
		    SRTP_AES_CM_128_HMAC_SHA1_32 },
	.linger_ms = DTLS_LINGER_MS,
};

int tandem_wires_init(struct tandem_wires *wires)
{
	*wires = (struct tandem_wires){
		.quota.max = TANDEM_HALF_OPEN,
		.wake_ms = UINT64_MAX,
		.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
	};
	if (wires->timer_fd < 0)
		return -errno;
	return tandem_dtls_sources_init(&wires->sources, TANDEM_HALF_OPEN_SOURCE);
}

void tandem_wires_clean(struct tandem_wires *wires)
{
	tandem_dtls_context_put(wires->ctx);
	if (wires->timer_fd >= 0)
		close(wires->timer_fd);
	wires->timer_fd = -1;
}

/* ---- when there is something to do ------------------------------------------ */

static uint64_t wire_deadline(const struct tandem_wire *wire)
{
	uint64_t ice = wire->ice ? tandem_ice_deadline(wire->ice) : UINT64_MAX;
	uint64_t dtls = wire->dtls ? tandem_dtls_deadline(wire->dtls) : UINT64_MAX;

	return ice < dtls ? ice : dtls;
}

static void wake_at(struct tandem_wires *wires, uint64_t ms)
{
	struct itimerspec at = { 0 };

	if (ms >= wires->wake_ms)
		return;
	wires->wake_ms = ms;
	/* 0 would stop it */
	at.it_value.tv_sec = ms / 1000;
	at.it_value.tv_nsec = ms % 1000 * 1000000 + 1;
	timerfd_settime(wires->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

/* ---- what becomes known, and is for the session ----------------------------- */

static struct tandem_leg *leg_in(const struct tandem_media_list *list, const struct tandem_wire *w)
{
	struct tandem_leg *leg = w->media < list->n ? &list->v[w->media].leg[w->party] : NULL;

	return leg && leg->secure.wire == w ? leg : NULL;
}

static void move_leg(struct tandem_leg *leg, const struct tandem_endpoint *remote)
{
	if (!leg)
		return;
	leg->remote[TANDEM_RTP] = *remote;
	leg->remote[TANDEM_RTCP] = leg->mux ? *remote : (struct tandem_endpoint){ 0 };
}

static void key_leg(struct tandem_leg *leg, const struct tandem_srtp *in,
		    const struct tandem_srtp *out, uint64_t now)
{
	struct tandem_secure_leg *secure;

	if (!leg)
		return;
	secure = &leg->secure;
	if (secure->in.suite && secure->in.id != in->id) {
		secure->in_old = secure->in;
		secure->old_until_ms = now + TANDEM_OLD_KEY_MS;
	}
	secure->in = *in;
	secure->out = *out;
}

/* Where the wire leads to now: the selected pair, or the address of the description. */
static const struct tandem_endpoint *wire_remote(const struct tandem_wire *wire,
						 const struct tandem_leg *leg)
{
	return wire->ice ? &wire->selected : &leg->remote[TANDEM_RTP];
}

/* Video comes with retransmissions and simulcast, each with an SSRC of its own. */
static uint16_t key_streams(const struct tandem_wire *wire, const struct tandem_media_list *list)
{
	size_t i, n = 0;

	for (i = 0; i < list->n; i++) {
		if (list->v[i].active && list->v[i].leg[wire->party].transport == wire->media)
			n += strcmp(list->v[i].type, "audio") ? 2 : 1;
	}
	return n > 1 ? TANDEM_BUNDLE_STREAMS : TANDEM_KEY_STREAMS;
}

static bool take_keys(struct tandem_wire *wire, struct tandem_session *s)
{
	struct tandem_srtp in, out;
	uint64_t now = tandem_sessions_now(wire->ss);

	if (wire->keyed || !wire->dtls || tandem_dtls_keys(wire->dtls, &in, &out))
		return false;
	in.streams = out.streams = key_streams(wire, &s->agreed);
	key_leg(leg_in(&s->agreed, wire), &in, &out, now);
	key_leg(leg_in(&s->pending, wire), &in, &out, now);
	explicit_bzero(&in, sizeof(in));
	explicit_bzero(&out, sizeof(out));
	wire->keyed = s->rekeying = true;
	tandem_session_log(s, TANDEM_LOG_INFO, "keys of media %zu with the %s are agreed",
			   wire->media, wire->party ? "callee" : "caller");
	return true;
}

static void tell_failure(struct tandem_wire *wire, const struct tandem_session *s)
{
	if (wire->told || !wire->dtls || tandem_dtls_state(wire->dtls) != TANDEM_DTLS_FAILED)
		return;
	wire->told = true;
	tandem_session_log(s, TANDEM_LOG_WARNING, "no keys of media %zu with the %s: %s",
			   wire->media, wire->party ? "callee" : "caller",
			   tandem_dtls_why(wire->dtls));
}

/* Tell the session what has become of the wire, and see that it is woken again in time. */
static void settle(struct tandem_wire *wire)
{
	struct tandem_session *s = tandem_sessions_by_number(wire->ss, wire->session);
	const struct tandem_leg *leg = s ? leg_in(&s->agreed, wire) : NULL;
	bool changed = false;

	if (leg) {
		if (wire->moved) {
			move_leg(leg_in(&s->agreed, wire), &wire->selected);
			move_leg(leg_in(&s->pending, wire), &wire->selected);
			wire->moved = false;
			changed = true;
		}
		changed |= take_keys(wire, s);
		tell_failure(wire, s);
		/* flows first: answers come back to them */
		if (changed) {
			tandem_flows_sync(wire->ss, s);
			tandem_session_save(wire->ss, s);
		}
		if (wire->dtls && wire->peer.client && wire_remote(wire, leg)->port)
			(void)tandem_dtls_start(wire->dtls, tandem_sessions_now(wire->ss));
	}
	wake_at(&wire->ss->wires, wire_deadline(wire));
}

/* ---- what agent and association ask for ------------------------------------- */

static void ice_send(const struct tandem_endpoint *local, const struct tandem_endpoint *remote,
		     const void *data, size_t len, void *arg)
{
	const struct tandem_wire *wire = arg;

	(void)wire->ss->env.send(wire->ss->plane, local, remote, data, len);
}

/* Whoever has sent a check is there and wants an answer, also on this host. */
static bool ice_allowed(const struct tandem_endpoint *remote, void *arg)
{
	const struct tandem_wire *wire = arg;

	return !tandem_sessions_denied(wire->ss, remote);
}

static void ice_selected(unsigned int component, const struct tandem_endpoint *local,
			 const struct tandem_endpoint *remote, void *arg)
{
	struct tandem_wire *wire = arg;

	wire->selected = *remote;
	wire->moved = true;
}

/* Nobody may be sent to who does not want it any more (RFC 7675 5.1). */
static void ice_lost(unsigned int component, void *arg)
{
	struct tandem_wire *wire = arg;

	wire->selected = (struct tandem_endpoint){ 0 };
	wire->moved = true;
}

static const struct tandem_ice_ops ice_ops = {
	.send = ice_send,
	.allowed = ice_allowed,
	.selected = ice_selected,
	.consent_lost = ice_lost,
};

static void dtls_send(const void *data, size_t len, void *arg)
{
	const struct tandem_wire *wire = arg;
	const struct tandem_session *s = tandem_sessions_by_number(wire->ss, wire->session);
	const struct tandem_leg *leg = s ? leg_in(&s->agreed, wire) : NULL;
	const struct tandem_endpoint *remote = leg ? wire_remote(wire, leg) : NULL;

	if (remote && remote->port)
		(void)wire->ss->env.send(wire->ss->plane, &wire->local, remote, data, len);
}

/* What has changed is asked for when the association has returned. */
static void dtls_changed(enum tandem_dtls_state state, void *arg)
{
}

static struct tandem_dtls_quota *dtls_source(void *arg)
{
	struct tandem_wire *wire = arg;
	const struct tandem_session *s = tandem_sessions_by_number(wire->ss, wire->session);
	const struct tandem_leg *leg = s ? leg_in(&s->agreed, wire) : NULL;

	return leg ? tandem_dtls_sources_quota(&wire->ss->wires.sources,
					       &wire_remote(wire, leg)->ip)
		   : NULL;
}

static const struct tandem_dtls_ops dtls_ops = {
	.send = dtls_send,
	.changed = dtls_changed,
	.source = dtls_source,
};

/* ---- making and freeing ------------------------------------------------------ */

int tandem_wire_make_ice(struct tandem_wire *wire, const char *ufrag, const char *pwd)
{
	const struct tandem_ice_local local = { 1, wire->local, wire->shown };
	const struct tandem_ice_config cfg = {
		.lite = !wire->full,
		.controlling = wire->controlling,
		.components = 1,
		.locals = &local,
		.locals_count = 1,
		.ufrag = ufrag,
		.pwd = pwd,
		.ops = &ice_ops,
		.arg = wire,
	};

	return tandem_ice_alloc(&wire->ice, &cfg);
}

/* What an offer that comes to nothing goes back to. */
static void ice_agreed(struct tandem_wire *wire)
{
	strcpy(wire->agreed_ufrag, wire->ice ? tandem_ice_ufrag(wire->ice) : "");
	wire->agreed_lite = wire->peer_lite;
}

int tandem_wire_adopt_pair(struct tandem_wire *wire, const struct tandem_endpoint *remote)
{
	const struct tandem_ice_remote peer = { wire->peer_ufrag, wire->peer_pwd, wire->peer_lite };
	uint64_t now = tandem_sessions_now(wire->ss);
	int err = tandem_ice_set_remote(wire->ice, &peer, now);

	if (!err && remote->port)
		err = tandem_ice_adopt(wire->ice, 1, &wire->local, remote, now);
	if (err)
		return err;
	wire->selected = *remote;
	ice_agreed(wire);
	return 0;
}

void tandem_wire_drop_ice(struct tandem_wire *wire)
{
	tandem_ice_free(wire->ice);
	wire->ice = NULL;
	wire->peer_ufrag[0] = '\0';
	wire->selected = (struct tandem_endpoint){ 0 };
	wire->moved = false;
}

static void local_of(const struct tandem_sessions *ss, const struct tandem_leg *leg,
		     struct tandem_endpoint *local, struct tandem_endpoint *shown)
{
	*local = (struct tandem_endpoint){ ss->cfg.locals[leg->local].ip, leg->port };
	*shown = (struct tandem_endpoint){ 0 };
	if (!tandem_ip_is_any(&ss->cfg.advertise[leg->local]))
		*shown = (struct tandem_endpoint){ ss->cfg.advertise[leg->local], leg->port };
}

static int wire_alloc(struct tandem_wire **wirep, struct tandem_sessions *ss,
		      const struct tandem_leg *leg)
{
	struct tandem_wire *wire;
	int err = ss->wires.ctx ? 0 : tandem_dtls_context_alloc(&ss->wires.ctx, &dtls_config);

	if (err)
		return err;
	wire = calloc(1, sizeof(*wire));
	if (!wire)
		return -ENOMEM;
	wire->users = 1;
	wire->ss = ss;
	local_of(ss, leg, &wire->local, &wire->shown);
	wire->next = ss->wires.first;
	if (wire->next)
		wire->next->prev = wire;
	ss->wires.first = wire;
	*wirep = wire;
	return 0;
}

int tandem_wire_prepare(struct tandem_sessions *ss, const struct tandem_session *s, size_t media,
			enum tandem_party_id party, struct tandem_leg *leg,
			const struct tandem_wire_ice *ice)
{
	struct tandem_endpoint local, shown;
	struct tandem_wire *wire = leg->secure.wire;
	int err;

	local_of(ss, leg, &local, &shown);
	if (wire && tandem_endpoint_equal(&wire->local, &local))
		return 0;
	err = wire_alloc(&wire, ss, leg);
	if (err)
		return err;
	wire->session = s->number;
	wire->media = media;
	wire->party = party;
	wire->mode = ice->mode;
	wire->full = ice->mode == TANDEM_ICE_MODE_FULL;
	wire->controlling = ice->offerer;
	err = tandem_wire_make_ice(wire, NULL, NULL);
	if (err) {
		tandem_wire_put(wire);
		return err;
	}
	/* keys of another place are of no use here */
	if (leg->secure.wire) {
		explicit_bzero(&leg->secure.in, sizeof(leg->secure.in));
		explicit_bzero(&leg->secure.out, sizeof(leg->secure.out));
	}
	tandem_wire_put(leg->secure.wire);
	leg->secure.wire = wire;
	return 0;
}

struct tandem_wire *tandem_wire_get(struct tandem_wire *wire)
{
	if (wire)
		wire->users++;
	return wire;
}

void tandem_wire_put(struct tandem_wire *wire)
{
	if (!wire || --wire->users)
		return;
	tandem_dtls_free(wire->dtls);
	tandem_ice_free(wire->ice);
	if (wire->prev)
		wire->prev->next = wire->next;
	else
		wire->ss->wires.first = wire->next;
	if (wire->next)
		wire->next->prev = wire->prev;
	explicit_bzero(wire, sizeof(*wire));
	free(wire);
}

const char *tandem_wire_obstacle(const struct tandem_wire *wire)
{
	if (wire->keyed)
		return NULL;
	if (wire->ice && !wire->selected.port)
		return "ICE has not found it";
	if (!wire->dtls)
		return NULL;
	return tandem_dtls_state(wire->dtls) == TANDEM_DTLS_FAILED ? tandem_dtls_why(wire->dtls)
								   : "DTLS goes on";
}

bool tandem_wire_has_ice(const struct tandem_wire *wire)
{
	return wire->ice != NULL;
}

bool tandem_wire_is_lite(const struct tandem_wire *wire)
{
	return !wire->full;
}

void tandem_wire_selected(const struct tandem_wire *wire, struct tandem_endpoint *remote)
{
	*remote = wire->selected;
}

/* ---- the course of a call ----------------------------------------------------- */

static bool same_peer(const struct tandem_wire_peer *a, const struct tandem_wire_peer *b)
{
	size_t i;

	if (a->client != b->client || a->fps_count != b->fps_count)
		return false;
	for (i = 0; i < a->fps_count; i++) {
		if (!tandem_dtls_fingerprint_equal(&a->fps[i], &b->fps[i]))
			return false;
	}
	return true;
}

/* RFC 8842 4: another certificate or role is another association. Keys stay until it has some. */
static int associate(struct tandem_wire *wire)
{
	struct tandem_dtls_config cfg = {
		.client = wire->next_peer.client,
		.cookie = !wire->ice,
		.quota = &wire->ss->wires.quota,
		.ops = &dtls_ops,
		.arg = wire,
	};
	struct tandem_dtls *dtls;
	int err;

	if (!wire->next_peer.fps_count)
		return 0;
	if (wire->dtls && same_peer(&wire->peer, &wire->next_peer))
		return 0;
	err = tandem_dtls_alloc(&dtls, wire->ss->wires.ctx, &cfg);
	if (err)
		return err;
	err = tandem_dtls_set_peer(dtls, wire->next_peer.fps, wire->next_peer.fps_count,
				   tandem_sessions_now(wire->ss));
	if (err) {
		tandem_dtls_free(dtls);
		return err;
	}
	tandem_dtls_free(wire->dtls);
	wire->dtls = dtls;
	wire->peer = wire->next_peer;
	wire->keyed = wire->told = false;
	return 0;
}

void tandem_wires_adopt(struct tandem_sessions *ss, struct tandem_session *s)
{
	size_t i;
	int p, err;

	for (i = 0; i < s->agreed.n; i++) {
		for (p = 0; p < 2; p++) {
			struct tandem_wire *wire = s->agreed.v[i].leg[p].secure.wire;

			if (!wire || !s->agreed.v[i].active || s->agreed.v[i].leg[p].transport != i)
				continue;
			ice_agreed(wire);
			err = associate(wire);
			if (err)
				tandem_session_log(s, TANDEM_LOG_ERROR, "DTLS: %s", strerror(-err));
			settle(wire);
		}
	}
}

/* The party was never told of the agent's new credentials. */
static void ice_rollback(struct tandem_wire *wire)
{
	if (!wire || !wire->ice || !wire->agreed_ufrag[0] ||
	    !strcmp(wire->agreed_ufrag, tandem_ice_ufrag(wire->ice)) ||
	    tandem_ice_rollback(wire->ice))
		return;
	strcpy(wire->peer_ufrag, tandem_ice_remote_ufrag(wire->ice));
	strcpy(wire->peer_pwd, tandem_ice_remote_pwd(wire->ice));
	wire->peer_lite = wire->agreed_lite;
	settle(wire);
}

void tandem_wires_rollback(struct tandem_session *s)
{
	size_t i;
	int p;

	for (i = 0; i < s->agreed.n; i++) {
		for (p = 0; p < 2; p++)
			ice_rollback(s->agreed.v[i].leg[p].secure.wire);
	}
}

void tandem_wire_datagram(const struct tandem_datagram *d, void *arg)
{
	struct tandem_sessions *ss = arg;
	struct tandem_session *s = tandem_sessions_by_number(ss,
							     tandem_flow_id_session(d->flow_id));
	size_t media = tandem_flow_id_media(d->flow_id);
	enum tandem_party_id from = tandem_flow_id_from(d->flow_id);
	uint64_t now = tandem_sessions_now(ss);
	struct tandem_wire *wire;

	if (!s || media >= s->agreed.n || !s->agreed.v[media].active ||
	    tandem_flow_id(s, media, from, TANDEM_RTP) != d->flow_id)
		return;
	wire = s->agreed.v[media].leg[from].secure.wire;
	if (!wire)
		return;
	if (d->kind == TANDEM_DATAGRAM_STUN && wire->ice)
		(void)tandem_ice_input(wire->ice, &d->local, &d->remote, d->payload, d->len, now);
	else if (d->kind == TANDEM_DATAGRAM_DTLS && d->from_peer && wire->dtls)
		tandem_dtls_input(wire->dtls, d->payload, d->len, now);
	else
		return;
	settle(wire);
}

int tandem_sessions_timer_fd(const struct tandem_sessions *ss)
{
	return ss->wires.timer_fd;
}

/* Settling changes no list of wires: sessions end by the tick, or by a front end. */
void tandem_sessions_timer(struct tandem_sessions *ss)
{
	uint64_t now = tandem_sessions_now(ss), expirations;
	struct tandem_wire *wire;

	if (read(ss->wires.timer_fd, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
		tandem_log(TANDEM_LOG_ERROR, MODULE, "timer: %s", strerror(errno));
	ss->wires.wake_ms = UINT64_MAX;
	for (wire = ss->wires.first; wire; wire = wire->next) {
		if (wire_deadline(wire) > now) {
			wake_at(&ss->wires, wire_deadline(wire));
			continue;
		}
		if (wire->ice)
			tandem_ice_tick(wire->ice, now);
		if (wire->dtls)
			tandem_dtls_tick(wire->dtls, now);
		settle(wire);
	}
}
