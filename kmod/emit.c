// SPDX-License-Identifier: GPL-2.0-only
#include <linux/if_ether.h>
#include <linux/net.h>
#include <linux/sockptr.h>
#include <net/addrconf.h>
#include <net/dst.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "kmod/emit.h"

/*
 * A cached route keeps a source address for its owner. The relay knows its own; what it
 * has to know is what the route was found for, since a packet that still has the rule
 * before may store its route after the rule has changed. So the stamp is kept there.
 */
static struct dst_entry *route_ip4(struct net *net, struct dst_cache *cache,
				   const struct emit_way *way)
{
	struct flowi4 fl4 = {
		.flowi4_proto = IPPROTO_UDP,
		.daddr = way->remote.s6_addr32[3],
		.saddr = way->local.s6_addr32[3],
		.fl4_dport = way->remote_port,
		.fl4_sport = way->local_port,
	};
	struct rtable *rt;
	__be32 found_for;

	rt = cache ? dst_cache_get_ip4(cache, &found_for) : NULL;
	if (rt && found_for == (__force __be32)way->stamp)
		return &rt->dst;
	if (rt)
		ip_rt_put(rt);
	rt = ip_route_output_key(net, &fl4);
	if (IS_ERR(rt))
		return NULL;
	if (cache)
		dst_cache_set_ip4(cache, &rt->dst, (__force __be32)way->stamp);
	return &rt->dst;
}

static struct dst_entry *route_ip6(struct net *net, struct dst_cache *cache,
				   const struct emit_way *way)
{
	struct in6_addr found_for = { .s6_addr32 = { (__force __be32)way->stamp } };
	struct in6_addr cached_for;
	struct flowi6 fl6 = {
		.flowi6_proto = IPPROTO_UDP,
		.daddr = way->remote,
		.saddr = way->local,
		.fl6_dport = way->remote_port,
		.fl6_sport = way->local_port,
	};
	struct net_device *dev;
	struct dst_entry *dst;

	dst = cache ? dst_cache_get_ip6(cache, &cached_for) : NULL;
	if (dst && ipv6_addr_equal(&cached_for, &found_for))
		return dst;
	dst_release(dst);
	/* For IPv4, ip_route_output_key() does so by itself. */
	if (ipv6_addr_is_multicast(&way->remote)) {
		dev = ipv6_dev_find(net, &way->local, NULL);
		if (!dev)
			return NULL;
		fl6.flowi6_oif = dev->ifindex;
	}
	dst = ip6_route_output(net, NULL, &fl6);
	if (dst->error) {
		dst_release(dst);
		return NULL;
	}
	if (cache)
		dst_cache_set_ip6(cache, dst, &found_for);
	return dst;
}

struct dst_entry *tandem_route(struct net *net, struct dst_cache *cache, const struct emit_way *way)
{
	return way->v6 ? route_ip6(net, cache, way) : route_ip4(net, cache, way);
}

void tandem_emit(struct net *net, struct sock *sk, struct sk_buff *skb, struct dst_entry *dst,
		 bool v6)
{
	/* What the way in left behind would mislead the way out. */
	skb_orphan(skb);
	nf_reset_ct(skb);
	secpath_reset(skb);
	skb_dst_drop(skb);
	memset(skb->cb, 0, sizeof(skb->cb));
	skb->tstamp = 0;
	skb->pkt_type = PACKET_HOST;
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		skb->ip_summed = CHECKSUM_NONE;

	skb->protocol = htons(v6 ? ETH_P_IPV6 : ETH_P_IP);
	skb_dst_set(skb, dst);
	dst_output(net, sk, skb);
}

int tandem_emit_open(struct net *net, struct socket **sockp)
{
	struct socket *sock;
	int off = 0, err;

	err = sock_create_kern(net, PF_INET, SOCK_DGRAM, IPPROTO_UDP, &sock);
	if (err)
		return err;
	/* IPv6 asks the socket's own family for this: sk_mc_loop(). */
	err = sock->ops->setsockopt(sock, SOL_IP, IP_MULTICAST_LOOP, KERNEL_SOCKPTR(&off),
				    sizeof(off));
	if (err) {
		sock_release(sock);
		return err;
	}
	*sockp = sock;
	return 0;
}

void tandem_emit_close(struct socket *sock)
{
	if (sock)
		sock_release(sock);
}
