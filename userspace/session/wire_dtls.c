/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The DTLS associations of a wire, one for each component (RFC 5764 section 4.1). Without rtcp-mux
 * the keys of the first are for RTP alone, and those of the second for RTCP.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/wire_state.h"
#include "userspace/util/log.h"

/* ---- keys -------------------------------------------------------------------- */

static void key_leg(struct tandem_leg *leg, enum tandem_component comp,
		    const struct tandem_srtp *in, const struct tandem_srtp *out, uint64_t now)
{
	struct tandem_leg_keys *keys;

	if (!leg || (comp == TANDEM_RTCP && !leg->apart))
		return;
	keys = comp == TANDEM_RTP ? &leg->secure.rtp : &leg->secure.rtcp;
	if (keys->in.suite && keys->in.id != in->id) {
		keys->in_old = keys->in;
		keys->old_until_ms = now + TANDEM_OLD_KEY_MS;
	}
	keys->in = *in;
	keys->out = *out;
}

/*
 * Video comes with retransmissions and simulcast, each with an SSRC of its own. Where the other
 * party's bundle parts ways, RTCP of all of its SSRCs leaves by each transport.
 */
static uint16_t key_streams(const struct tandem_wire *wire, const struct tandem_media_list *list)
{
	size_t i, n = 0, other;

	if (wire->media >= list->n)
		return TANDEM_KEY_STREAMS;
	other = list->v[wire->media].leg[!wire->party].transport;
	for (i = 0; i < list->n; i++) {
		const struct tandem_media *m = &list->v[i];

		if (m->active && (m->leg[wire->party].transport == wire->media ||
				  m->leg[!wire->party].transport == other))
			n += strcmp(m->type, "audio") ? 2 : 1;
	}
	return n > 1 ? TANDEM_BUNDLE_STREAMS : TANDEM_KEY_STREAMS;
}

static bool take_keys(struct tandem_wire_end *end, struct tandem_session *s)
{
	struct tandem_wire *wire = end->wire;
	struct tandem_srtp in, out;
	uint64_t now = tandem_sessions_now(wire->ss);

	if (end->keyed || !end->dtls || tandem_dtls_keys(end->dtls, &in, &out))
		return false;
	in.streams = out.streams = key_streams(wire, &s->agreed);
	key_leg(tandem_wire_leg(&s->agreed, wire), end->comp, &in, &out, now);
	key_leg(tandem_wire_leg(&s->pending, wire), end->comp, &in, &out, now);
	explicit_bzero(&in, sizeof(in));
	explicit_bzero(&out, sizeof(out));
	end->keyed = s->rekeying = true;
	tandem_session_log(s, TANDEM_LOG_INFO, "keys of media %zu%s with the %s are agreed",
			   wire->media, end->comp ? " (RTCP)" : "", tandem_wire_whose(wire));
	return true;
}

static void tell_failure(struct tandem_wire_end *end, const struct tandem_session *s)
{
	const struct tandem_wire *wire = end->wire;

	if (end->told || !end->dtls || tandem_dtls_state(end->dtls) != TANDEM_DTLS_FAILED)
		return;
	end->told = true;
	tandem_session_log(s, TANDEM_LOG_WARNING, "no keys of media %zu%s with the %s: %s",
			   wire->media, end->comp ? " (RTCP)" : "", tandem_wire_whose(wire),
			   tandem_dtls_why(end->dtls));
}

bool tandem_wire_take_keys(struct tandem_wire *wire, struct tandem_session *s)
{
	bool taken = false;
	int c;

	for (c = 0; c < 2; c++) {
		taken |= take_keys(&wire->end[c], s);
		tell_failure(&wire->end[c], s);
	}
	return taken;
}

const char *tandem_wire_obstacle(const struct tandem_wire *wire)
{
	const struct tandem_wire_end *end = &wire->end[TANDEM_RTP];

	if (end->keyed)
		return NULL;
	if (wire->ice && !end->selected.port)
		return "ICE has not found it";
	if (!end->dtls)
		return NULL;
	return tandem_dtls_state(end->dtls) == TANDEM_DTLS_FAILED ? tandem_dtls_why(end->dtls)
								  : "DTLS goes on";
}

/* ---- what an association asks for -------------------------------------------- */

/* NULL: the session has no use for it any more. */
static const struct tandem_endpoint *remote_of(const struct tandem_wire_end *end)
{
	const struct tandem_wire *wire = end->wire;
	const struct tandem_session *s = tandem_sessions_by_number(wire->ss, wire->session);
	const struct tandem_leg *leg = s ? tandem_wire_leg(&s->agreed, wire) : NULL;

	return leg ? tandem_wire_remote(end, leg) : NULL;
}

struct tandem_wire_letter {
	struct tandem_wire_letter *next;
	struct tandem_endpoint local, remote;
	size_t len;
	unsigned char data[];
};

/* False: it is not to wait, or there is no memory for that. */
static bool hold_back(struct tandem_wires *wires, const struct tandem_endpoint *local,
		      const struct tandem_endpoint *remote, const void *data, size_t len)
{
	struct tandem_wire_letter *letter = wires->holding ? malloc(sizeof(*letter) + len) : NULL;

	if (!letter)
		return false;
	letter->next = NULL;
	letter->local = *local;
	letter->remote = *remote;
	letter->len = len;
	memcpy(letter->data, data, len);
	if (wires->held)
		wires->held_last->next = letter;
	else
		wires->held = letter;
	wires->held_last = letter;
	return true;
}

void tandem_wire_input(struct tandem_wire_end *end, const unsigned char *data, size_t len,
		       uint64_t now)
{
	end->wire->ss->wires.holding = true;
	tandem_dtls_input(end->dtls, data, len, now);
}

void tandem_wire_let_go(struct tandem_sessions *ss)
{
	struct tandem_wire_letter *letter;

	ss->wires.holding = false;
	while ((letter = ss->wires.held)) {
		ss->wires.held = letter->next;
		(void)ss->env.send(ss->plane, &letter->local, &letter->remote, letter->data,
				   letter->len);
		free(letter);
	}
}

static void dtls_send(const void *data, size_t len, void *arg)
{
	const struct tandem_wire_end *end = arg;
	const struct tandem_wire *wire = end->wire;
	const struct tandem_endpoint *remote = remote_of(end);
	const struct tandem_endpoint local = tandem_wire_local(wire, end->comp);

	if (remote && remote->port && !hold_back(&wire->ss->wires, &local, remote, data, len))
		(void)wire->ss->env.send(wire->ss->plane, &local, remote, data, len);
}

/* What has changed is asked for when the association has returned. */
static void dtls_changed(enum tandem_dtls_state state, void *arg)
{
}

static struct tandem_dtls_quota *dtls_source(void *arg)
{
	struct tandem_wire_end *end = arg;
	const struct tandem_endpoint *remote = remote_of(end);

	return remote ? tandem_dtls_sources_quota(&end->wire->ss->wires.sources, &remote->ip)
		      : NULL;
}

static const struct tandem_dtls_ops dtls_ops = {
	.send = dtls_send,
	.changed = dtls_changed,
	.source = dtls_source,
};

/* ---- the course of a call ---------------------------------------------------- */

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

static int associate(struct tandem_wire_end *end)
{
	struct tandem_wire *wire = end->wire;
	const struct tandem_wire_peer *peer = &wire->next_peer;
	struct tandem_dtls_config cfg = {
		.client = peer->client,
		.cookie = !wire->ice,
		.quota = &wire->ss->wires.quota,
		.ops = &dtls_ops,
		.arg = end,
	};
	struct tandem_dtls *dtls;
	int err = tandem_dtls_alloc(&dtls, wire->ss->wires.ctx, &cfg);

	if (err)
		return err;
	err = tandem_dtls_set_peer(dtls, peer->fps, peer->fps_count, tandem_sessions_now(wire->ss));
	if (err) {
		tandem_dtls_free(dtls);
		return err;
	}
	tandem_dtls_free(end->dtls);
	end->dtls = dtls;
	end->keyed = end->told = false;
	return 0;
}

static void dissolve(struct tandem_wire_end *end)
{
	tandem_dtls_free(end->dtls);
	end->dtls = NULL;
	end->keyed = end->told = false;
}

int tandem_wire_associate(struct tandem_wire *wire, const struct tandem_leg *leg)
{
	bool same = same_peer(&wire->peer, &wire->next_peer);
	int c, err = 0;

	if (!leg->apart)
		dissolve(&wire->end[TANDEM_RTCP]);
	if (!wire->next_peer.fps_count)
		return 0;
	for (c = 0; c < 2 && !err; c++) {
		if (c == TANDEM_RTCP && !leg->apart)
			continue;
		if (!wire->end[c].dtls || !same)
			err = associate(&wire->end[c]);
	}
	if (!err)
		wire->peer = wire->next_peer;
	return err;
}

void tandem_wire_start(struct tandem_wire *wire, const struct tandem_leg *leg)
{
	int c;

	for (c = 0; c < 2 && wire->peer.client; c++) {
		const struct tandem_wire_end *end = &wire->end[c];

		if (end->dtls && tandem_wire_remote(end, leg)->port)
			(void)tandem_dtls_start(end->dtls, tandem_sessions_now(wire->ss));
	}
}
