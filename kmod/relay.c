// SPDX-License-Identifier: GPL-2.0-only
/*
 * relay_frame() of core/forward.h for an skb: the same steps in the same order, with the
 * kernel's own means where a frame has a next hop and headroom.
 */
#include <linux/ip.h>
#include <linux/udp.h>
#include <net/dst.h>
#include <net/ip6_checksum.h>
#include <net/ip.h>

#include "core/forward.h"
#include "kmod/emit.h"
#include "kmod/tandem.h"

struct packet {
	struct env env;
	struct frame f;
	struct plan plan;
	struct net *net;
	struct sk_buff *skb;
	struct dst_entry *dst; /* a reference, once the route is found */
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

static enum reason packet_route(struct packet *p)
{
	const struct egress *eg = &p->plan.egress;
	struct tandem_table *t = p->env.table;
	struct emit_way way = {
		.local_port = eg->local_port,
		.remote_port = eg->remote_port,
		.v6 = !ip_addr_is_v4(&eg->remote),
		.gen = p->plan.gen,
	};

	memcpy(&way.local, &eg->local, sizeof(way.local));
	memcpy(&way.remote, &eg->remote, sizeof(way.remote));
	p->dst = tandem_route(p->net, p->plan.cache_hop ? &t->routes[p->plan.slot] : NULL, &way);
	if (!p->dst)
		return REASON_no_route;
	return egress_l3_len(&p->f, eg) > dst_mtu(p->dst) ? REASON_too_big : REASON_NONE;
}

/* Move the start of the packet so that the IP header that goes out ends where UDP begins. */
static enum reason packet_resize(struct packet *p, bool v6_out)
{
	int delta = (v6_out ? (int)sizeof(struct ip6_hdr) : (int)sizeof(struct ip4_hdr)) -
		    (int)p->f.udp_off;
	struct sk_buff *skb = p->skb;

	if (skb_cow_head(skb, LL_RESERVED_SPACE(p->dst->dev) + (delta > 0 ? delta : 0)))
		return REASON_no_headroom;
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

/* A checksum left to the device: its field holds the sum of the pseudo-header alone. */
static void partial_udp(struct packet *p, struct udp_hdr *udp)
{
	const struct egress *eg = &p->plan.egress;
	u32 len = p->f.payload_len + sizeof(*udp);

	udp->src = eg->local_port;
	udp->dst = eg->remote_port;
	if (ip_addr_is_v4(&eg->remote))
		udp->check = ~csum_tcpudp_magic(eg->local.w[3], eg->remote.w[3], len, PROTO_UDP, 0);
	else
		udp->check = ~csum_ipv6_magic((const struct in6_addr *)&eg->local,
					      (const struct in6_addr *)&eg->remote, len, PROTO_UDP,
					      0);
}

static void packet_rewrite(struct packet *p, u64 delta)
{
	const struct egress *eg = &p->plan.egress;
	struct udp_hdr *udp = (void *)(p->env.data + p->f.udp_off);
	u8 tos = egress_tos(eg, p->f.tos);

	if (p->skb->ip_summed == CHECKSUM_PARTIAL)
		partial_udp(p, udp);
	else
		rewrite_udp(udp, &p->f.key, eg, delta);
	if (!ip_addr_is_v4(&eg->remote))
		rewrite_ip6((void *)p->env.data, eg, tos, p->f.payload_len);
	else if (p->f.v6)
		rewrite_fresh_ip4((void *)p->env.data, eg, tos, p->f.payload_len);
	else
		rewrite_ip4((void *)p->env.data, eg, tos);
}

/* Steps behind parsing. Up to relay_commit() the bytes of the packet stay as they came. */
static enum reason packet_relay(struct packet *p)
{
	struct plan *plan = &p->plan;
	enum reason reason;
	u64 delta;

	reason = relay_decide(&p->env, &p->f.key,
			      p->env.data + p->f.udp_off + sizeof(struct udp_hdr), p->env.end,
			      p->f.payload_len, plan);
	if (reason != REASON_NONE)
		return reason;
	if (plan_muted(plan)) {
		account_rtp(&p->env, plan);
		return REASON_muted;
	}
	reason = rewrite_possible(&p->env, &p->f, &plan->egress);
	if (reason == REASON_NONE)
		reason = packet_route(p);
	if (reason == REASON_NONE)
		reason = packet_resize(p, !ip_addr_is_v4(&plan->egress.remote));
	if (reason != REASON_NONE)
		return reason;

	reason = relay_commit(&p->env, plan, p->env.data + p->f.udp_off + sizeof(struct udp_hdr),
			      p->env.end, p->f.payload_len, &delta);
	if (reason_verdict(reason) == VERDICT_FORWARD)
		packet_rewrite(p, delta);
	return reason;
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
	p.plan.now = env_now(&p.env);
	p.f.payload_len = 0;
	reason = packet_parse(&p, v6);
	if (reason == REASON_NONE)
		reason = packet_relay(&p);
	relay_count(&p.env, &p.plan, reason, p.f.payload_len);
	if (reason_verdict(reason) == VERDICT_FORWARD)
		tandem_emit(net, skb, p.dst, !ip_addr_is_v4(&p.plan.egress.remote));
	else
		dst_release(p.dst);
	return reason_verdict(reason);
}
