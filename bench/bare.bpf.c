/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The least that an XDP relay can do, on the wire: parse without looking back, look one
 * hash up, rewrite, redirect. No checks, no statistics, no UDP checksum. It is the limit
 * that the relay is measured against.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bench/bare.h"

struct packet {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
} __attribute__((packed));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct bare_key);
	__type(value, struct bare_way);
} ways SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} out SEC(".maps");

static __always_inline __u16 header_checksum(const struct packet *p)
{
	const __u16 *w = (const void *)p + offsetof(struct packet, ip);
	__u32 sum = 0;

	for (int i = 0; i < 10; i++)
		sum += w[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

SEC("xdp")
int bare_relay(struct xdp_md *ctx)
{
	struct packet *p = (void *)(long)ctx->data;
	struct bare_way *way;
	struct bare_key key;

	if ((void *)(p + 1) > (void *)(long)ctx->data_end)
		return XDP_PASS;
	if (p->eth.h_proto != bpf_htons(ETH_P_IP) || p->ip.ihl != 5 ||
	    p->ip.protocol != IPPROTO_UDP)
		return XDP_PASS;
	key.saddr = p->ip.saddr;
	key.daddr = p->ip.daddr;
	key.sport = p->udp.source;
	key.dport = p->udp.dest;
	way = bpf_map_lookup_elem(&ways, &key);
	if (!way)
		return XDP_PASS;
	__builtin_memcpy(p->eth.h_dest, way->dmac, sizeof(p->eth.h_dest));
	__builtin_memcpy(p->eth.h_source, way->smac, sizeof(p->eth.h_source));
	p->ip.saddr = way->to.saddr;
	p->ip.daddr = way->to.daddr;
	p->ip.check = 0;
	p->ip.check = header_checksum(p);
	p->udp.source = way->to.sport;
	p->udp.dest = way->to.dport;
	p->udp.check = 0;
	return (int)bpf_redirect_map(&out, 0, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
