/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Routes, and the way out. Nothing of core/ is included here or in emit.c: the kernel's
 * routing headers have a struct nexthop of their own.
 */
#ifndef TANDEM_KMOD_EMIT_H
#define TANDEM_KMOD_EMIT_H

#include <linux/in6.h>
#include <linux/net.h>
#include <linux/skbuff.h>
#include <net/dst_cache.h>

/* Where a packet goes; IPv4 addresses in their mapped form. */
struct emit_way {
	struct in6_addr local;
	struct in6_addr remote;
	__be16 local_port;
	__be16 remote_port;
	bool v6;
	u32 stamp; /* of what was written there last: a cached route with another is not used */
};

/*
 * A reference to the route, through the cache unless that is NULL; NULL: there is none.
 * To a multicast group it is by the device that has the local address.
 */
struct dst_entry *tandem_route(struct net *net, struct dst_cache *cache,
			       const struct emit_way *way);

/*
 * Send a packet whose headers are final by dst, whose reference it takes. sk is the
 * namespace's, from tandem_emit_open().
 */
void tandem_emit(struct net *net, struct sock *sk, struct sk_buff *skb, struct dst_entry *dst,
		 bool v6);

/*
 * The socket that packets are sent in the name of: what is sent to a group does not come
 * back to this host. 0 or a negative errno.
 */
int tandem_emit_open(struct net *net, struct socket **sockp);

/* No packet may be in tandem_emit() any more. NULL is allowed. */
void tandem_emit_close(struct socket *sock);

#endif
