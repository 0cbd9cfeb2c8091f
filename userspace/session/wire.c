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

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t wire_deadline(const struct tandem_wire *wire)
{
	uint64_t due = wire->ice ? tandem_ice_deadline(wire->ice) : UINT64_MAX;
	int c;

	for (c = 0; c < 2; c++) {
		if (wire->end[c].dtls)
			due = earlier(due, tandem_dtls_deadline(wire->end[c].dtls));
	}
	return due;
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

struct tandem_leg *tandem_wire_leg(const struct tandem_media_list *list,
				   const struct tandem_wire *wire)
{
	struct tandem_leg *leg = wire->media < list->n ? &list->v[wire->media].leg[wire->party]
						       : NULL;

	return leg && leg->secure.wire == wire ? leg : NULL;
}

const struct tandem_endpoint *tandem_wire_remote(const struct tandem_wire_end *end,
						 const struct tandem_leg *leg)
{
	return end->wire->ice ? &end->selected : &leg->remote[end->comp];
}

const char *tandem_wire_whose(const struct tandem_wire *wire)
{
	return wire->party ? "callee" : "caller";
}

struct tandem_endpoint tandem_wire_local(const struct tandem_wire *wire, enum tandem_component comp)
{
	struct tandem_endpoint local = wire->local;

	local.port += comp;
	return local;
}

/* Tell the session what has become of the wire, and see that it is woken again in time. */
static void settle(struct tandem_wire *wire)
{
	struct tandem_session *s = tandem_sessions_by_number(wire->ss, wire->session);
	const struct tandem_leg *leg = s ? tandem_wire_leg(&s->agreed, wire) : NULL;
	bool changed;

	if (leg) {
		changed = tandem_wire_take_pairs(wire, s);
		changed |= tandem_wire_take_keys(wire, s);
		/* flows first: answers come back to them */
		if (changed) {
			tandem_flows_sync(wire->ss, s);
			tandem_session_save(wire->ss, s);
		}
		tandem_wire_start(wire, leg);
	}
	tandem_wire_let_go(wire->ss);
	wake_at(&wire->ss->wires, wire_deadline(wire));
}

/* ---- making and freeing ------------------------------------------------------ */

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
	int c, err = ss->wires.ctx ? 0 : tandem_dtls_context_alloc(&ss->wires.ctx, &dtls_config);

	if (err)
		return err;
	wire = calloc(1, sizeof(*wire));
	if (!wire)
		return -ENOMEM;
	wire->users = 1;
	wire->ss = ss;
	wire->components = 2;
	for (c = 0; c < 2; c++)
		wire->end[c] = (struct tandem_wire_end){ .wire = wire, .comp = c };
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
	wire->active = ice->active;
	wire->controlling = ice->offerer;
	err = tandem_wire_make_ice(wire, NULL, NULL);
	if (err) {
		tandem_wire_put(wire);
		return err;
	}
	/* keys of another place are of no use here */
	if (leg->secure.wire)
		tandem_secure_wipe(&leg->secure);
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
	tandem_dtls_free(wire->end[TANDEM_RTP].dtls);
	tandem_dtls_free(wire->end[TANDEM_RTCP].dtls);
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

/* ---- the course of a call ----------------------------------------------------- */

void tandem_wires_adopt(struct tandem_sessions *ss, struct tandem_session *s)
{
	size_t i;
	int p, err;

	for (i = 0; i < s->agreed.n; i++) {
		for (p = 0; p < 2; p++) {
			const struct tandem_leg *leg = &s->agreed.v[i].leg[p];
			struct tandem_wire *wire = leg->secure.wire;

			if (!wire || !s->agreed.v[i].active || leg->transport != i)
				continue;
			tandem_wire_agree_ice(wire);
			err = tandem_wire_associate(wire, leg);
			if (err)
				tandem_session_log(s, TANDEM_LOG_ERROR, "DTLS: %s", strerror(-err));
			settle(wire);
		}
	}
}

void tandem_wires_rollback(struct tandem_session *s)
{
	size_t i;
	int p;

	for (i = 0; i < s->agreed.n; i++) {
		for (p = 0; p < 2; p++) {
			struct tandem_wire *wire = s->agreed.v[i].leg[p].secure.wire;

			if (wire && tandem_wire_rollback_ice(wire))
				settle(wire);
		}
	}
}

void tandem_wire_datagram(const struct tandem_datagram *d, void *arg)
{
	struct tandem_sessions *ss = arg;
	struct tandem_session *s = tandem_sessions_by_number(ss,
							     tandem_flow_id_session(d->flow_id));
	size_t media = tandem_flow_id_media(d->flow_id);
	enum tandem_party_id from = tandem_flow_id_from(d->flow_id);
	enum tandem_component comp = tandem_flow_id_component(d->flow_id);
	uint64_t now = tandem_sessions_now(ss);
	struct tandem_wire *wire;

	if (!s || media >= s->agreed.n || !s->agreed.v[media].active ||
	    tandem_flow_id(s, media, from, comp) != d->flow_id)
		return;
	wire = s->agreed.v[media].leg[from].secure.wire;
	if (!wire)
		return;
	if (d->kind == TANDEM_DATAGRAM_STUN && wire->ice)
		(void)tandem_ice_input(wire->ice, &d->local, &d->remote, d->payload, d->len, now);
	else if (d->kind == TANDEM_DATAGRAM_DTLS && d->from_peer && wire->end[comp].dtls)
		tandem_wire_input(&wire->end[comp], d->payload, d->len, now);
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
	int c;

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
		for (c = 0; c < 2; c++) {
			if (wire->end[c].dtls)
				tandem_dtls_tick(wire->end[c].dtls, now);
		}
		settle(wire);
	}
}
