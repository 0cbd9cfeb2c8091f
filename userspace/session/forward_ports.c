/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The relay ports of a forward, and what it may not reach. Ports come from the allocator
 * that calls have theirs from; forwards share them, as several senders may come to one
 * port, and what leaves a port may be answered to it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "userspace/session/forward.h"
#include "userspace/session/reader.h"

struct taker {
	struct tandem_sessions *ss;
	struct tandem_forward *f;
	struct tandem_reader r;
};

/* ---- addresses ---- */

/* 224.0.0.0/4 and ff00::/8 as they stand among the denied by default, against strangers. */
static bool is_all_groups(const struct tandem_prefix *p)
{
	return tandem_ip_is_group(&p->ip) && p->prefix <= (tandem_ip_is_v4(&p->ip) ? 100U : 8U);
}

/*
 * Calls may not be led to multicast groups, since it is strangers who would name them. What
 * an operator names is held back by narrower blocks alone.
 */
static bool denied(const struct tandem_sessions *ss, const struct tandem_endpoint *ep)
{
	size_t i;

	if (!tandem_ip_is_group(&ep->ip))
		return tandem_sessions_denied(ss, ep);
	for (i = 0; i < ss->cfg.deny_count; i++) {
		if (!is_all_groups(&ss->cfg.deny[i]) &&
		    tandem_prefix_contains(&ss->cfg.deny[i], &ep->ip))
			return true;
	}
	return false;
}

static int check_remote(struct taker *t, const char *key, const struct tandem_endpoint *ep)
{
	char text[TANDEM_ENDPOINT_STRLEN];

	if (tandem_ip_is_any(&ep->ip) || !denied(t->ss, ep))
		return 0;
	tandem_reader_fail(&t->r, key,
			   "%s is in a denied network (media.deny), or the relay's own port",
			   tandem_endpoint_format(ep, text, sizeof(text)));
	return -EACCES;
}

/* The relay's address: the one that was named, or the one that suits the peer. */
static int find_local(struct taker *t, const char *key, const struct tandem_endpoint *named,
		      const struct tandem_endpoint *peer)
{
	const struct tandem_sessions_config *cfg = &t->ss->cfg;
	char text[TANDEM_ENDPOINT_STRLEN];
	int local;

	if (tandem_ip_is_any(&named->ip)) {
		local = tandem_local_pick(t->ss, peer, tandem_ip_family(&peer->ip));
		if (local < 0)
			tandem_reader_fail(&t->r, key,
					   "the relay has no address of this IP version");
		return local;
	}
	for (local = 0; (size_t)local < cfg->locals_count; local++) {
		if (tandem_ip_equal(&cfg->locals[local].ip, &named->ip))
			return local;
	}
	tandem_reader_fail(&t->r, key, "%s is none of the relay's addresses (media.addresses)",
			   tandem_ip_format(&named->ip, text, sizeof(text)));
	return -EADDRNOTAVAIL;
}

/* ---- ports ---- */

static int note_hold(struct taker *t, int local, uint16_t port)
{
	struct tandem_forward *f = t->f;
	struct tandem_forward_hold *holds;

	/* room is made in steps, since a big forward has hundreds of legs on one port */
	if (f->hold_count % 16 == 0) {
		holds = realloc(f->holds, (f->hold_count + 16) * sizeof(*holds));
		if (!holds)
			return -ENOMEM;
		f->holds = holds;
	}
	f->holds[f->hold_count++] = (struct tandem_forward_hold){ local, port };
	return 0;
}

static bool is_held(const struct tandem_forward *f, int local, uint16_t pair)
{
	size_t i;

	for (i = 0; i < f->hold_count; i++) {
		if (f->holds[i].local == local && f->holds[i].port == pair)
			return true;
	}
	return false;
}

/* The pair that a port is of. */
static int hold(struct taker *t, const char *key, int local, uint16_t port)
{
	uint16_t pair = port & ~1U;
	int err;

	if (is_held(t->f, local, pair))
		return 0;
	err = tandem_ports_share(t->ss->ports, local, pair);
	if (!err) {
		err = note_hold(t, local, pair);
		if (err)
			tandem_ports_release(t->ss->ports, local, pair);
		return err;
	}
	if (err == -EBUSY)
		tandem_reader_fail(&t->r, key, "port %u is in use by a call", port);
	else
		tandem_reader_fail(&t->r, key,
				   "port %u is none of the relay's media ports, %u to %u", port,
				   t->ss->cfg.port_min, t->ss->cfg.port_max);
	return err;
}

/* The one port per address that the forward uses where it was not told any. */
static int own_port(struct taker *t, const char *key, int local, uint16_t *port)
{
	struct tandem_forward *f = t->f;
	int err;

	if (f->picked[local]) {
		*port = f->picked[local];
		/* it may have become a call's while nobody held it */
		if (is_held(f, local, *port))
			return 0;
		err = tandem_ports_share(t->ss->ports, local, *port);
	} else {
		err = -EBUSY;
	}
	if (err) {
		err = tandem_ports_take_shared(t->ss->ports, local, port);
		if (err) {
			tandem_reader_fail(&t->r, key, "no media port of the relay is free");
			return err;
		}
	}
	f->picked[local] = *port;
	err = note_hold(t, local, *port);
	if (err)
		tandem_ports_release(t->ss->ports, local, *port);
	return err;
}

/* Make an address of the relay's whole. */
static int complete(struct taker *t, const char *key, const struct tandem_endpoint *peer,
		    struct tandem_endpoint *own)
{
	int local = find_local(t, key, own, peer);

	if (local < 0)
		return local;
	own->ip = t->ss->cfg.locals[local].ip;
	return own->port ? hold(t, key, local, own->port) : own_port(t, key, local, &own->port);
}

/* ---- the parts of a forward ---- */

static int take_rtp(struct taker *t)
{
	struct tandem_forward_spec *spec = &t->f->spec;
	int err = check_remote(t, "from", &spec->from);

	if (!err && spec->group)
		return check_remote(t, "to", &spec->to);
	return err ? err : complete(t, "to", &spec->from, &spec->to);
}

static int take_rtcp(struct taker *t)
{
	struct tandem_forward_spec *spec = &t->f->spec;
	int err;

	if (!spec->rtcp)
		return 0;
	err = check_remote(t, "rtcp.from", &spec->rtcp_from);
	if (!err && spec->group)
		return check_remote(t, "rtcp.to", &spec->rtcp_to);
	if (tandem_ip_is_any(&spec->rtcp_to.ip))
		spec->rtcp_to.ip = spec->to.ip;
	if (!spec->rtcp_to.port && tandem_ip_equal(&spec->rtcp_to.ip, &spec->to.ip))
		spec->rtcp_to.port = spec->to.port + 1;
	return err ? err : complete(t, "rtcp.to", &spec->rtcp_from, &spec->rtcp_to);
}

/* From the port above to the port above (RFC 3550 section 11). */
static int take_rtcp_of_leg(struct taker *t, const struct tandem_forward_leg *leg, int local)
{
	struct tandem_endpoint above = leg->to;
	int err;

	if (above.port == UINT16_MAX)
		return tandem_reader_fail(&t->r, "to", "there is no port above it for RTCP");
	above.port++;
	err = check_remote(t, "to", &above);
	return err ? err : hold(t, "from", local, leg->from.port + 1);
}

/*
 * A leg that was given no port leaves from the port that its flow came to, where that is on the
 * same address: then what the receiver answers to it arrives at a port that is in use anyway.
 */
static int take_leg(struct taker *t, struct tandem_forward_leg *leg)
{
	const struct tandem_forward_spec *spec = &t->f->spec;
	int err = check_remote(t, "to", &leg->to), local;

	if (err)
		return err;
	local = find_local(t, "from", &leg->from, &leg->to);
	if (local < 0)
		return local;
	leg->from.ip = t->ss->cfg.locals[local].ip;
	if (!leg->from.port && !spec->group && tandem_ip_equal(&leg->from.ip, &spec->to.ip))
		leg->from.port = spec->to.port;
	err = complete(t, "from", &leg->to, &leg->from);
	return !err && spec->rtcp && leg->rtcp ? take_rtcp_of_leg(t, leg, local) : err;
}

static const char *rule_key(const struct tandem_forward_rule *rule)
{
	if (rule->flags & BRANCH_F_ANY)
		return "out";
	return rule->flags & BRANCH_F_RTCP ? "rtcp_out" : "out";
}

static int take_rule(struct taker *t, const struct tandem_forward_rule *rule)
{
	size_t outer = 0, inner;
	char ssrc[24];
	uint32_t i;
	int err = 0;

	if (!(rule->flags & (BRANCH_F_ANY | BRANCH_F_RTCP))) {
		snprintf(ssrc, sizeof(ssrc), "ssrc[0x%08x]", rule->ssrc);
		outer = tandem_reader_enter(&t->r, ssrc);
	}
	for (i = 0; i < rule->count && !err; i++) {
		inner = tandem_reader_enter_at(&t->r, rule_key(rule), i);
		err = take_leg(t, &t->f->spec.legs[rule->first + i]);
		tandem_reader_leave(&t->r, inner);
	}
	tandem_reader_leave(&t->r, outer);
	return err;
}

int tandem_forward_take_ports(struct tandem_sessions *ss, struct tandem_forward *f, char *why,
			      size_t why_size)
{
	struct taker t = { .ss = ss, .f = f, .r = { .why = why, .why_size = why_size } };
	uint32_t i;
	int err = take_rtp(&t);

	if (!err)
		err = take_rtcp(&t);
	for (i = 0; i < f->spec.rule_count && !err; i++)
		err = take_rule(&t, &f->spec.rules[i]);
	if (err)
		tandem_forward_release_ports(ss, f);
	return err;
}

void tandem_forward_release_ports(struct tandem_sessions *ss, struct tandem_forward *f)
{
	size_t i;

	for (i = 0; i < f->hold_count; i++)
		tandem_ports_release(ss->ports, f->holds[i].local, f->holds[i].port);
	free(f->holds);
	f->holds = NULL;
	f->hold_count = 0;
}
