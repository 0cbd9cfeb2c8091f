/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The headers of a frame on its way out: Ethernet, VLAN tag, IPv4 or IPv6 (also the one
 * for the other), UDP. The relay is the host that sends these packets, hence a fresh
 * hop limit.
 */
#ifndef TANDEM_CORE_REWRITE_H
#define TANDEM_CORE_REWRITE_H

#include "core/byteorder.h"
#include "core/checksum.h"
#include "core/env_api.h"
#include "core/headers.h"
#include "core/nexthop.h"
#include "core/parse.h"

/* How the headers go out. */
struct layout {
	__u32 l3_off;
	__u32 udp_off;
	__u8 v6;
	__u8 tos;
};

static inline __u8 egress_tos(const struct egress *eg, __u8 tos)
{
	/* DSCP is the upper six bits (RFC 2474), ECN the lower two (RFC 3168). */
	return eg->flags & EGRESS_F_DSCP ? (__u8)(eg->dscp << 2 | (tos & 3)) : tos;
}

/* The address that it sends from. NULL only if the environment is not set up. */
static inline const struct ip_addr *egress_local(struct env *env, const struct egress *eg)
{
	const struct relay_config *config = env_config(env);

	return config ? &config->locals[eg->local & (TANDEM_MAX_LOCALS - 1)] : 0;
}

static inline __u8 egress_ttl(const struct egress *eg)
{
	return eg->ttl ? eg->ttl : FRESH_TTL;
}

/* Length of the packet that eg makes of a payload, from its IP header on. */
static inline __u32 egress_l3_len(__u32 payload_len, const struct egress *eg)
{
	__u32 ip = ip_addr_is_v4(&eg->remote) ? sizeof(struct ip4_hdr) : sizeof(struct ip6_hdr);

	return ip + sizeof(struct udp_hdr) + payload_len;
}

/* What can keep a frame from going out as IPv4 (v6_out 0) or IPv6 at all. */
static inline enum reason rewrite_possible(struct env *env, const struct frame *f, int v6_out)
{
	const char *data = env_data(env);
	const struct ip4_hdr *ip = (const void *)(data + (f->l3_off & L3_OFF_MASK));

	/* RFC 8200 8.1: no UDP over IPv6 without a checksum, coming or going. */
	if (f->udp_check == 0 && (f->v6 || v6_out))
		return REASON_zero_checksum;
	if (f->v6 || !v6_out)
		return REASON_NONE;

	/* IPv6 has no header checksum that a broken IPv4 one could live on in. */
	if ((const void *)(ip + 1) > env_data_end(env) || ip4_sum(ip) != 0xffff)
		return REASON_bad_header;
	return REASON_NONE;
}

/* Bytes that the frame has behind its payload: padding of the link. */
static inline __u32 rewrite_slack(struct env *env, const struct frame *f)
{
	return env_size(env) - f->udp_off - sizeof(struct udp_hdr) - f->payload_len;
}

/*
 * Make room for the headers that go out, or take away what is too much; and for tail bytes
 * behind the payload.
 */
static inline enum reason rewrite_resize(struct env *env, const struct frame *f,
					 const struct egress *eg, const struct hop *hop, __u32 tail,
					 struct layout *out)
{
	__u32 ip, slack;
	int delta, more = 0;

	out->v6 = !ip_addr_is_v4(&eg->remote);
	out->tos = egress_tos(eg, f->tos);
	ip = out->v6 ? sizeof(struct ip6_hdr) : sizeof(struct ip4_hdr);
	out->l3_off = sizeof(struct eth_hdr) + (hop->vlan_tci ? sizeof(struct vlan_hdr) : 0);
	out->udp_off = out->l3_off + ip;

	if (ENV_SRTP(env) && tail) {
		slack = rewrite_slack(env, f);
		more = tail > slack ? (int)(tail - slack) : 0;
		if (more && env_trim(env, more))
			return REASON_no_headroom;
	}
	delta = (int)out->udp_off - (int)f->udp_off;
	if (delta && env_resize(env, delta)) {
		if (more)
			env_trim(env, -more);
		return REASON_no_headroom;
	}
	out->l3_off = env_forget(env, out->l3_off, L3_OFF_MASK);
	out->udp_off = env_forget(env, out->udp_off, UDP_OFF_MASK);
	return REASON_NONE;
}

/* Cut off what is behind a payload whose length has changed. */
static inline void rewrite_trim(struct env *env, __u32 udp_off, __u32 payload_len)
{
	const __u32 size = env_size(env);
	const __u32 want = udp_off + sizeof(struct udp_hdr) + payload_len;

	if (want < size)
		env_trim(env, (int)want - (int)size);
}

/*
 * IPv4 to IPv4: in place, so that a broken header checksum stays broken. Only SRTP changes
 * a length. No word is read back after one byte of it was written: processors wait for that.
 */
static inline void rewrite_ip4(struct env *env, struct ip4_hdr *ip, const struct egress *eg,
			       const struct ip_addr *local, __u8 tos, __u32 payload_len)
{
	const __be16 total = net16(payload_len + sizeof(*ip) + sizeof(struct udp_hdr));
	__u8 ttl = egress_ttl(eg);
	__u64 delta = 0;

	csum_change16(&delta, net16(ip->tos), net16(tos));
	csum_change16(&delta, net16((__u32)ip->ttl << 8), net16((__u32)ttl << 8));
	if (ENV_SRTP(env))
		csum_change16(&delta, ip->total_len, total);
	ip->tos = tos;
	ip->ttl = ttl;
	if (ENV_SRTP(env))
		ip->total_len = total;
	csum_change32(&delta, ip->src, local->w[3]);
	csum_change32(&delta, ip->dst, eg->remote.w[3]);
	ip->src = local->w[3];
	ip->dst = eg->remote.w[3];
	ip->check = csum_apply(ip->check, delta);
}

/* IPv6 to IPv4, RFC 7915 5.1: atomic (RFC 6864), so identification is 0 and DF set. */
static inline void rewrite_fresh_ip4(struct ip4_hdr *ip, const struct egress *eg,
				     const struct ip_addr *local, __u8 tos, __u32 payload_len)
{
	ip->version_ihl = 0x45;
	ip->tos = tos;
	ip->total_len = net16(payload_len + sizeof(*ip) + sizeof(struct udp_hdr));
	ip->id = 0;
	ip->frag = net16(IP4_DF);
	ip->ttl = egress_ttl(eg);
	ip->protocol = PROTO_UDP;
	ip->check = 0;
	ip->src = local->w[3];
	ip->dst = eg->remote.w[3];
	ip->check = (__be16)~ip4_sum(ip);
}

/* The flow label belongs to the flow that ended here: 0 (RFC 6437). */
static inline void rewrite_ip6(struct ip6_hdr *ip, const struct egress *eg,
			       const struct ip_addr *local, __u8 tos, __u32 payload_len)
{
	int i;

	ip->version_class_label = net32(6U << 28 | (__u32)tos << 20);
	ip->payload_len = net16(payload_len + sizeof(struct udp_hdr));
	ip->next_header = PROTO_UDP;
	ip->hop_limit = egress_ttl(eg);
	for (i = 0; i < 4; i++) {
		ip->src[i] = local->w[i];
		ip->dst[i] = eg->remote.w[i];
	}
}

/* What an address counts for in the pseudo-header (RFC 768, RFC 8200 8.1). */
static inline __u64 pseudo_sum(const struct ip_addr *ip)
{
	if (ip_addr_is_v4(ip))
		return ip->w[3];
	return (__u64)ip->w[0] + ip->w[1] + ip->w[2] + ip->w[3];
}

/*
 * delta is what changed in the payload. The length counts twice, here and in the
 * pseudo-header; the protocol is the same in both. Old sums are subtracted by adding their
 * complement.
 */
static inline void rewrite_udp(struct env *env, struct udp_hdr *udp, const struct flow_key *key,
			       const struct egress *eg, const struct ip_addr *local,
			       __u32 payload_len, __u64 delta)
{
	const __be16 len = net16(payload_len + sizeof(*udp));

	if (ENV_SRTP(env)) {
		csum_change16(&delta, udp->len, len);
		csum_change16(&delta, udp->len, len);
		udp->len = len;
	}
	if (udp->check != 0) {
		delta += (__u16)~csum_fold16(pseudo_sum(&key->remote) + pseudo_sum(&key->local));
		delta += pseudo_sum(&eg->remote) + pseudo_sum(local);
		csum_change16(&delta, key->remote_port, eg->local_port);
		csum_change16(&delta, key->local_port, eg->remote_port);
		udp->check = csum_apply_udp(udp->check, delta);
	}
	udp->src = eg->local_port;
	udp->dst = eg->remote_port;
}

static inline void rewrite_eth(struct eth_hdr *eth, const struct hop *hop, __be16 type)
{
	__builtin_memcpy(eth->dmac, hop->dmac, sizeof(eth->dmac));
	__builtin_memcpy(eth->smac, hop->smac, sizeof(eth->smac));
	eth->type = type;
}

/* Returns 0 when the frame is shorter than its tag, which cannot be. */
static inline int rewrite_l2(struct env *env, const struct hop *hop, int v6)
{
	struct eth_hdr *eth = env_data(env);
	struct vlan_hdr *tag = (struct vlan_hdr *)(eth + 1);
	__be16 type = v6 ? net16(ETHERTYPE_IP6) : net16(ETHERTYPE_IP4);

	if ((const void *)(tag + 1) > env_data_end(env))
		return 0;
	if (hop->vlan_tci) {
		tag->tci = net16(hop->vlan_tci);
		tag->type = type;
		type = net16(ETHERTYPE_VLAN);
	}
	rewrite_eth(eth, hop, type);
	return 1;
}

/*
 * Write all headers of a resized frame, whose payload has payload_len bytes by now; delta is
 * its checksum delta.
 * Returns REASON_NONE; the comparisons with the end never fail, the verifier wants them.
 */
static inline enum reason rewrite_frame(struct env *env, const struct frame *f,
					const struct egress *eg, const struct hop *hop,
					const struct layout *out, __u32 payload_len, __u64 delta)
{
	const struct ip_addr *local = egress_local(env, eg);
	char *data = env_data(env);
	const void *end = env_data_end(env);
	struct udp_hdr *udp;
	struct ip4_hdr *ip4;
	struct ip6_hdr *ip6;

	udp = (void *)(data + (out->udp_off & UDP_OFF_MASK));
	if (!local || (const void *)(udp + 1) > end)
		return REASON_bad_header;
	rewrite_udp(env, udp, &f->key, eg, local, payload_len, delta);

	if (out->v6) {
		ip6 = (void *)(data + (out->l3_off & L3_OFF_MASK));
		if ((const void *)(ip6 + 1) > end)
			return REASON_bad_header;
		rewrite_ip6(ip6, eg, local, out->tos, payload_len);
	} else {
		ip4 = (void *)(data + (out->l3_off & L3_OFF_MASK));
		if ((const void *)(ip4 + 1) > end)
			return REASON_bad_header;
		if (f->v6)
			rewrite_fresh_ip4(ip4, eg, local, out->tos, payload_len);
		else
			rewrite_ip4(env, ip4, eg, local, out->tos, payload_len);
	}
	return rewrite_l2(env, hop, out->v6) ? REASON_NONE : REASON_bad_header;
}

/*
 * Make a frame whose payload has become another, of payload_len bytes, one that could have
 * come with it. delta is its checksum delta.
 */
static inline enum reason rewrite_shorten(struct env *env, struct frame *f, __u32 payload_len,
					  __u64 delta)
{
	const __be16 len = net16(payload_len + sizeof(struct udp_hdr));
	const __be16 total = net16(payload_len + sizeof(struct udp_hdr) + sizeof(struct ip4_hdr));
	char *data = env_data(env);
	struct udp_hdr *udp = (void *)(data + (f->udp_off & UDP_OFF_MASK));
	struct ip4_hdr *ip4 = (void *)(data + (f->l3_off & L3_OFF_MASK));
	struct ip6_hdr *ip6 = (void *)ip4;
	__u64 head = 0;

	if ((const void *)(udp + 1) > env_data_end(env) ||
	    (const void *)(ip4 + 1) > env_data_end(env))
		return REASON_bad_header;
	csum_change16(&delta, udp->len, len);
	csum_change16(&delta, udp->len, len);
	if (udp->check != 0)
		udp->check = csum_apply_udp(udp->check, delta);
	udp->len = len;
	if (f->v6) {
		ip6->payload_len = len;
	} else {
		csum_change16(&head, ip4->total_len, total);
		ip4->total_len = total;
		ip4->check = csum_apply(ip4->check, head);
	}
	f->payload_len = payload_len;
	rewrite_trim(env, f->udp_off, payload_len);
	return REASON_NONE;
}

#endif
