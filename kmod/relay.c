// SPDX-License-Identifier: GPL-2.0-only
/*
 * relay_frame() of core/forward.h and relay_copy() of core/copy.h for an skb: the same
 * steps in the same order, with the kernel's own means where a frame has a next hop and
 * headroom.
 */
#include <linux/ip.h>
#include <linux/udp.h>
#include <net/dst.h>
#include <net/ip6_checksum.h>
#include <net/ip.h>

#include "core/copy.h"
#include "kmod/emit.h"
#include "kmod/tandem.h"

struct packet {
	struct env env;
	struct frame f;
	struct plan plan;
	struct net *net;
	struct sk_buff *skb;
	struct dst_entry *dst; /* a reference, once the route is found */
	struct egress eg;      /* what plan.egress pointed to, in case the rule changes */
};

static void packet_point(struct packet *p)
{
	p->env.data = p->skb->data;
	p->env.end = p->skb->data + skb_headlen(p->skb);
}

/*
 * Headers and port, without a change to the skb: most of what comes here is not for the
 * relay. Packets that GRO put together cannot leave as one; the host takes them apart.
 */
static enum reason packet_parse(struct packet *p, bool v6)
{
	struct sk_buff *skb = p->skb;
	enum reason reason;
	u32 slot;

	packet_point(p);
	p->f.l3_off = 0;
	reason = v6 ? parse_ip6((void *)skb->data, p->env.end, skb->len, &p->f)
		    : parse_ip4((void *)skb->data, p->env.end, skb->len, &p->f);
	if (reason != REASON_NONE)
		return reason;
	if (!pskb_may_pull(skb, p->f.udp_off + sizeof(struct udp_hdr)))
		return REASON_bad_header;
	packet_point(p);
	reason = parse_udp((void *)(skb->data + p->f.udp_off), p->env.end, &p->f);
	if (reason != REASON_NONE)
		return reason;
	reason = port_slot(&p->env, &p->f.key, &slot);
	if (reason == REASON_not_local && ip_addr_is_group(&p->f.key.local) &&
	    group_slot(&p->env, &p->f.key, &slot))
		reason = REASON_NONE;
	if (reason != REASON_NONE)
		return reason;
	if (skb_is_gso(skb))
		return REASON_too_big;
	if (skb_ensure_writable(skb, skb->len))
		return REASON_no_headroom;
	/* A sum left to the device that is not UDP's: of something that the payload carries. */
	if (skb->ip_summed == CHECKSUM_PARTIAL &&
	    skb_checksum_start_offset(skb) != (int)p->f.udp_off && skb_checksum_help(skb))
		return REASON_no_headroom;
	packet_point(p);
	return REASON_NONE;
}

/*
 * Keep the egress as it is now, and see that it is one whole: all that follows goes by
 * this one, however the rule may change. *stamp is what its route is kept under.
 */
static enum reason packet_egress(struct packet *p, const struct egress *eg, u32 leg, u32 *stamp)
{
	p->eg = *eg;
	*stamp = leg == TANDEM_NO_SLOT ? p->plan.gen
				       : READ_ONCE(p->env.table->leg_routes[leg].stamp);
	if (leg == TANDEM_NO_SLOT ? plan_settled(&p->plan) : plan_legs_settled(&p->env, &p->plan))
		return REASON_NONE;
	return REASON_rule_busy;
}

/*
 * Was all that the packet was made with of one generation? Egress and plan were found
 * whole before; only the map of extension ids has been read from the leg itself.
 */
static bool packet_whole(struct packet *p)
{
	return !(p->eg.flags & EGRESS_F_EXT) || plan_legs_settled(&p->env, &p->plan);
}

/*
 * Length of the payload that leaves by p->eg; of one that many leave by, which is not protected
 * yet, at most.
 */
static u32 packet_leaving(const struct packet *p)
{
	if (!plan_many(&p->plan) || p->eg.srtp == SRTP_NO_KEYS)
		return p->plan.len;
	return p->plan.len + SRTP_TRAILER_MAX;
}

/* Find the route by p->eg. A reason other than REASON_NONE leaves no reference in p->dst. */
static enum reason packet_route(struct packet *p, struct dst_cache *cache, u32 stamp)
{
	const struct egress *eg = &p->eg;
	const struct ip_addr *local = egress_local(&p->env, eg);
	struct emit_way way = {
		.local_port = eg->local_port,
		.remote_port = eg->remote_port,
		.v6 = !ip_addr_is_v4(&eg->remote),
		.stamp = stamp,
	};

	memcpy(&way.local, local, sizeof(way.local));
	memcpy(&way.remote, &eg->remote, sizeof(way.remote));
	p->dst = tandem_route(p->net, cache, &way);
	if (!p->dst)
		return REASON_no_route;
	if (egress_l3_len(packet_leaving(p), eg) <= dst_mtu(p->dst))
		return REASON_NONE;
	dst_release(p->dst);
	p->dst = NULL;
	return REASON_too_big;
}

/* Egress and route of one of many legs. */
static enum reason packet_leg(struct packet *p, u32 leg)
{
	struct tandem_table *t = p->env.table;
	enum reason reason;
	u32 stamp;

	if (leg >= t->config.legs)
		return REASON_no_route;
	reason = packet_egress(p, &t->legs[leg].egress, leg, &stamp);
	if (reason == REASON_NONE && !fan_leg_able(&p->env, &p->eg))
		reason = REASON_srtp_suite;
	return reason == REASON_NONE ? packet_route(p, &t->leg_routes[leg].cache, stamp) : reason;
}

/* Egress and route of a packet that has only one. */
static enum reason packet_only(struct packet *p)
{
	struct tandem_table *t = p->env.table;
	struct plan *plan = &p->plan;
	struct dst_cache *cache = NULL;
	enum reason reason;
	u32 stamp;

	if (plan->legs == 1)
		return packet_leg(p, plan->leg);
	if (plan->cache)
		cache = &t->routes[plan->slot];
	reason = packet_egress(p, plan->egress, TANDEM_NO_SLOT, &stamp);
	return reason == REASON_NONE ? packet_route(p, cache, stamp) : reason;
}

/* How far the start of the packet moves for its IP header to end where UDP begins. */
static int packet_growth(const struct packet *p)
{
	bool v6 = !ip_addr_is_v4(&p->eg.remote);

	return (v6 ? (int)sizeof(struct ip6_hdr) : (int)sizeof(struct ip4_hdr)) - (int)p->f.udp_off;
}

/* Bytes that it needs behind its end, for what SRTP puts behind the payload. */
static int packet_tail(const struct packet *p)
{
	u32 slack = p->skb->len - p->f.udp_off - sizeof(struct udp_hdr) - p->f.payload_len;

	return p->plan.tail > slack ? p->plan.tail - slack : 0;
}

static enum reason packet_resize(struct packet *p)
{
	int delta = packet_growth(p), tail = packet_tail(p);
	struct sk_buff *skb = p->skb;

	if (skb_cow_head(skb, LL_RESERVED_SPACE(p->dst->dev) + (delta > 0 ? delta : 0)))
		return REASON_no_headroom;
	if (tail > skb_tailroom(skb) && pskb_expand_head(skb, 0, tail, GFP_ATOMIC))
		return REASON_no_headroom;
	skb_put(skb, tail);
	if (delta > 0)
		skb_push(skb, delta);
	else if (delta < 0)
		skb_pull(skb, -delta);
	p->f.udp_off += delta;
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, p->f.udp_off);
	packet_point(p);
	return REASON_NONE;
}

static void *packet_payload(const struct packet *p)
{
	return p->env.data + p->f.udp_off + sizeof(struct udp_hdr);
}

/* Cut off what is behind a payload that SRTP has made another. */
static void packet_trim(struct packet *p)
{
	if (!protect_changes(&p->env, &p->plan))
		return;
	rewrite_trim(&p->env, p->f.udp_off, p->plan.len);
	skb_trim(p->skb, env_size(&p->env));
}

/* A checksum left to the device: its field holds the sum of the pseudo-header alone. */
static void partial_udp(struct packet *p, struct udp_hdr *udp)
{
	const struct egress *eg = &p->eg;
	const struct ip_addr *local = egress_local(&p->env, eg);
	u32 len = p->plan.len + sizeof(*udp);

	udp->src = eg->local_port;
	udp->dst = eg->remote_port;
	udp->len = htons(len);
	if (ip_addr_is_v4(&eg->remote))
		udp->check = ~csum_tcpudp_magic(local->w[3], eg->remote.w[3], len, PROTO_UDP, 0);
	else
		udp->check = ~csum_ipv6_magic((const struct in6_addr *)local,
					      (const struct in6_addr *)&eg->remote, len, PROTO_UDP,
					      0);
}

static void packet_rewrite(struct packet *p, u64 delta)
{
	const struct egress *eg = &p->eg;
	const struct ip_addr *local = egress_local(&p->env, eg);
	struct udp_hdr *udp = (void *)(p->env.data + p->f.udp_off);
	u8 tos = egress_tos(eg, p->f.tos);

	if (p->skb->ip_summed == CHECKSUM_PARTIAL)
		partial_udp(p, udp);
	else
		rewrite_udp(&p->env, udp, &p->f.key, eg, local, p->plan.len, delta);
	if (!ip_addr_is_v4(&eg->remote))
		rewrite_ip6((void *)p->env.data, eg, local, tos, p->plan.len);
	else if (p->f.v6)
		rewrite_fresh_ip4((void *)p->env.data, eg, local, tos, p->plan.len);
	else
		rewrite_ip4(&p->env, (void *)p->env.data, eg, local, tos, p->plan.len);
	packet_trim(p);
}

static void packet_emit(struct packet *p)
{
	tandem_emit(p->net, tandem_net(p->net)->sock->sk, p->skb, p->dst,
		    !ip_addr_is_v4(&p->eg.remote));
}

/* Steps behind the plan of a packet with one egress. Up to relay_commit() its bytes stay. */
static enum reason packet_relay_one(struct packet *p)
{
	struct plan *plan = &p->plan;
	enum reason reason;
	u64 delta;

	reason = rewrite_possible(&p->env, &p->f, !ip_addr_is_v4(&plan->egress->remote));
	if (reason == REASON_NONE)
		reason = packet_only(p);
	if (reason == REASON_NONE)
		reason = packet_resize(p);
	if (reason != REASON_NONE)
		return reason;

	plan->egress = &p->eg;
	reason = relay_commit(&p->env, plan, packet_payload(p), p->env.end, p->f.payload_len,
			      &delta);
	if (reason_verdict(reason) != VERDICT_FORWARD)
		return reason;
	packet_rewrite(p, delta);
	if (!packet_whole(p))
		return REASON_rule_changed;
	relay_count_leg(&p->env, plan, plan->len);
	return reason;
}

/* ---- many egresses ---- */

/* The skb that the n-th copy is made in: the last one is the packet itself. */
static enum reason copy_skb(struct packet *copy, struct sk_buff *skb, bool last)
{
	int growth = packet_growth(copy);

	copy->skb = last ? skb
			 : skb_copy_expand(skb, LL_RESERVED_SPACE(copy->dst->dev) + max(growth, 0),
					   copy->plan.tail, GFP_ATOMIC);
	if (!copy->skb)
		return REASON_no_headroom;
	packet_point(copy);
	return packet_resize(copy);
}

/* Make the copy of leg n ready to be sent; what goes wrong leaves p->skb and dst to the caller. */
static enum reason copy_make(struct packet *copy, struct sk_buff *skb, u32 n)
{
	struct plan *plan = &copy->plan;
	u32 leg = plan->leg + n;
	enum reason reason;
	u64 delta;

	reason = packet_leg(copy, leg);
	if (reason == REASON_rule_busy)
		return REASON_rule_changed;
	if (reason == REASON_NONE)
		reason = copy_keys(&copy->env, plan, &copy->eg, copy->f.payload_len);
	if (reason == REASON_NONE)
		reason = copy_skb(copy, skb, n + 1 == plan->legs);
	if (reason == REASON_NONE)
		reason = copy_payload(&copy->env, plan, &copy->eg, leg, packet_payload(copy),
				      copy->env.end, &delta);
	if (reason != REASON_NONE)
		return reason;
	packet_rewrite(copy, delta);
	return packet_whole(copy) ? REASON_NONE : REASON_rule_changed;
}

/* A copy to each leg; p->skb is used up. */
static void packet_copies(struct packet *p)
{
	struct sk_buff *skb = p->skb;
	const struct leg *leg;
	struct leg_state *state;
	enum reason reason;
	struct packet copy;
	u32 n;

	for (n = 0; n < p->plan.legs; n++) {
		copy = *p;
		copy.skb = NULL;
		leg = env_leg(&p->env, p->plan.leg + n);
		state = leg ? env_leg_state(&p->env, leg->egress.state) : NULL;
		reason = copy_make(&copy, skb, n);
		if (copy_count(&p->env, state, reason, copy.plan.len) == REASON_NONE) {
			packet_emit(&copy);
			if (copy.skb == skb)
				return;
			continue;
		}
		dst_release(copy.dst);
		if (copy.skb != skb)
			kfree_skb(copy.skb);
	}
	kfree_skb(skb);
}

/*
 * Is the packet too long for any leg? The host takes it then, and sends fragments there. A
 * leg without a way at all keeps nothing back: its copies are lost.
 */
static enum reason packet_fits(struct packet *p)
{
	enum reason reason;
	u32 n;

	for (n = 0; n < p->plan.legs; n++) {
		reason = packet_leg(p, p->plan.leg + n);
		dst_release(p->dst);
		p->dst = NULL;
		if (reason == REASON_too_big || reason == REASON_rule_busy ||
		    reason == REASON_srtp_suite)
			return reason;
	}
	return REASON_NONE;
}

static enum reason packet_relay_many(struct packet *p)
{
	enum reason reason;
	u64 delta;

	reason = rewrite_possible(&p->env, &p->f, p->plan.legs_ip6);
	if (reason == REASON_NONE)
		reason = packet_fits(p);
	if (reason != REASON_NONE)
		return reason;
	reason = relay_commit_many(&p->env, &p->plan, packet_payload(p), p->env.end,
				   p->f.payload_len, &delta);
	if (reason_verdict(reason) != VERDICT_FORWARD || !protect_changes(&p->env, &p->plan))
		return reason;
	if (rewrite_shorten(&p->env, &p->f, p->plan.len, delta) != REASON_NONE)
		return REASON_bad_header;
	packet_trim(p);
	return reason;
}

/* ---- any ---- */

static enum reason packet_relay(struct packet *p)
{
	struct plan *plan = &p->plan;
	enum reason reason;

	reason = relay_decide(&p->env, &p->f.key, packet_payload(p), p->env.end, p->f.payload_len,
			      plan);
	if (reason != REASON_NONE)
		return reason;
	if (plan_muted(plan))
		return relay_commit_muted(&p->env, plan, packet_payload(p), p->env.end,
					  p->f.payload_len);
	return plan_many(plan) ? packet_relay_many(p) : packet_relay_one(p);
}

enum verdict tandem_relay_skb(struct net *net, struct tandem_table *table, struct sk_buff *skb,
			      bool v6)
{
	struct packet p;
	enum reason reason;

	p.env.table = table;
	p.net = net;
	p.skb = skb;
	p.dst = NULL;
	p.plan.flow = NULL;
	p.plan.legs = 0;
	p.plan.now = env_now(&p.env);
	p.f.payload_len = 0;
	reason = packet_parse(&p, v6);
	p.f.came_len = p.f.payload_len;
	if (reason == REASON_NONE)
		reason = packet_relay(&p);
	relay_count(&p.env, &p.plan, reason, p.f.came_len);
	if (reason_verdict(reason) != VERDICT_FORWARD)
		dst_release(p.dst);
	else if (plan_many(&p.plan))
		packet_copies(&p);
	else
		packet_emit(&p);
	return reason_verdict(reason);
}
