/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Step 1: Ethernet with up to two VLAN tags (IEEE 802.1Q), IPv4 (RFC 791) or IPv6
 * (RFC 8200), UDP (RFC 768). Nothing else is looked at: it belongs to the host.
 */
#ifndef TANDEM_CORE_PARSE_H
#define TANDEM_CORE_PARSE_H

#include "core/addr.h"
#include "core/byteorder.h"
#include "core/checksum.h"
#include "core/env_api.h"
#include "core/headers.h"

/* Largest datagram looked at; also what the verifier takes as bound of offsets. */
#define PAYLOAD_MAX  0x3fff
#define L3_OFF_MASK  0x1f
#define UDP_OFF_MASK 0x3f

/* Where things are in a frame, and what is needed of its headers later. */
struct frame {
	struct flow_key key;
	__u32 l3_off;
	__u32 udp_off;
	__u32 payload_len;
	__u32 came_len; /* the same, whatever becomes of the frame */
	__u8 v6;
	__u8 tos; /* IPv4 TOS or IPv6 traffic class */
	__be16 udp_check;
};

/* Sum of an option-less IPv4 header; 0xffff when its checksum is right. */
static inline __u16 ip4_sum(const struct ip4_hdr *ip)
{
	const wire32 *w = (const wire32 *)ip;

	return csum_fold16((__u64)w[0] + w[1] + w[2] + w[3] + w[4]);
}

/* l3_left: bytes from the IP header to the end of the frame. */
static inline enum reason parse_ip4(const struct ip4_hdr *ip, const void *end, __u32 l3_left,
				    struct frame *f)
{
	__u32 total;

	if ((const void *)(ip + 1) > end)
		return REASON_bad_header;
	if (ip->version_ihl < 0x45 || ip->version_ihl > 0x4f)
		return REASON_bad_header;
	if (ip->protocol != PROTO_UDP)
		return REASON_not_udp;
	if (ip->frag & net16(IP4_MF_OR_OFFSET))
		return REASON_fragment;
	if (ip->version_ihl != 0x45)
		return REASON_ip_options;

	total = host16(ip->total_len);
	if (total < sizeof(*ip) + sizeof(struct udp_hdr) || total > l3_left)
		return REASON_bad_header;

	f->v6 = 0;
	f->tos = ip->tos;
	f->udp_off = f->l3_off + sizeof(*ip);
	f->payload_len = total - sizeof(*ip) - sizeof(struct udp_hdr);
	ip_addr_map4(&f->key.remote, ip->src);
	ip_addr_map4(&f->key.local, ip->dst);
	return REASON_NONE;
}

/* Extension headers that may stand before UDP (RFC 8200 4.1, RFC 4302). */
static inline int ip6_is_extension(__u8 next_header)
{
	return next_header == 0 || next_header == 43 || next_header == 60 || next_header == 51;
}

static inline enum reason parse_ip6(const struct ip6_hdr *ip, const void *end, __u32 l3_left,
				    struct frame *f)
{
	__u32 length, word;
	int i;

	if ((const void *)(ip + 1) > end)
		return REASON_bad_header;
	word = host32(ip->version_class_label);
	if (word >> 28 != 6)
		return REASON_bad_header;
	if (ip->next_header == 44)
		return REASON_fragment;
	if (ip6_is_extension(ip->next_header))
		return REASON_ip_options;
	if (ip->next_header != PROTO_UDP)
		return REASON_not_udp;

	length = host16(ip->payload_len);
	if (length < sizeof(struct udp_hdr) || length + sizeof(*ip) > l3_left)
		return REASON_bad_header;

	f->v6 = 1;
	f->tos = (__u8)(word >> 20);
	f->udp_off = f->l3_off + sizeof(*ip);
	f->payload_len = length - sizeof(struct udp_hdr);
	for (i = 0; i < 4; i++) {
		f->key.remote.w[i] = ip->src[i];
		f->key.local.w[i] = ip->dst[i];
	}
	return REASON_NONE;
}

static inline enum reason parse_udp(const struct udp_hdr *udp, const void *end, struct frame *f)
{
	if ((const void *)(udp + 1) > end)
		return REASON_bad_header;
	if (host16(udp->len) != f->payload_len + sizeof(*udp))
		return REASON_bad_header;
	if (f->payload_len > PAYLOAD_MAX)
		return REASON_bad_header;

	f->key.remote_port = udp->src;
	f->key.local_port = udp->dst;
	f->key.pad = 0;
	f->udp_check = udp->check;
	return REASON_NONE;
}

static inline int is_vlan(__be16 type)
{
	return type == net16(ETHERTYPE_VLAN) || type == net16(ETHERTYPE_QINQ);
}

/* Steps of parse_frame() from the IP header at f->l3_off on. */
static inline enum reason parse_ip(struct env *env, __be16 type, struct frame *f)
{
	const char *data = env_data(env);
	const void *end = env_data_end(env);
	enum reason reason;
	__u32 l3_left;

	f->l3_off = env_forget(env, f->l3_off, L3_OFF_MASK);
	l3_left = (__u32)((const char *)end - data) - f->l3_off;
	if (type == net16(ETHERTYPE_IP4))
		reason = parse_ip4((const void *)(data + f->l3_off), end, l3_left, f);
	else if (type == net16(ETHERTYPE_IP6))
		reason = parse_ip6((const void *)(data + f->l3_off), end, l3_left, f);
	else
		return REASON_not_ip;
	if (reason != REASON_NONE)
		return reason;

	f->udp_off = env_forget(env, f->udp_off, UDP_OFF_MASK);
	return parse_udp((const void *)(data + (f->udp_off & UDP_OFF_MASK)), end, f);
}

/* Fill f from the frame of env. Returns REASON_NONE, or the reason to punt. */
static inline enum reason parse_frame(struct env *env, struct frame *f)
{
	const char *data = env_data(env);
	const void *end = env_data_end(env);
	const struct eth_hdr *eth = (const void *)data;
	const struct vlan_hdr *tag;
	__be16 type;
	int i;

	if ((const void *)(eth + 1) > end)
		return REASON_bad_header;
	type = eth->type;
	f->l3_off = sizeof(*eth);
	for (i = 0; i < 2 && is_vlan(type); i++) {
		tag = (const void *)(data + f->l3_off);
		if ((const void *)(tag + 1) > end)
			return REASON_bad_header;
		type = tag->type;
		f->l3_off += sizeof(*tag);
	}
	return parse_ip(env, type, f);
}

#endif
