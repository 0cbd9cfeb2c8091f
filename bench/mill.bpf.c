/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The mill turns one test frame into a stream of packets of many flows, so that
 * BPF_PROG_TEST_RUN, which hands the same frame over and over, measures a program
 * at work on a given number of flows: before each run it writes fresh headers
 * with the next flow's ports and RTP sequence number, then tail-calls the
 * program under test. Its own cost is measured with `idle` in that place.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define RTP_LEN 12

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	__u8 rtp[RTP_LEN];
} __attribute__((packed));

struct tuple {
	__be32 saddr, daddr;
	__be16 sport, dport;
};

struct target {
	__u64 packets;
	__be32 saddr, daddr;
	__be16 sport, dport;
	__u32 ifindex;
	__u8 dmac[6], smac[6];
};

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} under_test SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct tuple);
	__type(value, struct target);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} out SEC(".maps");

/* Set before load. Ports of flow i: remote 4000 everywhere, local port_base + i % ports on
 * local address first_daddr + i / ports.
 */
volatile const __u32 flows = 1;
volatile const __u32 ports = 1;
volatile const __u32 port_base = 1024;
volatile const __u32 saddr = 0;
volatile const __u32 first_daddr = 0;

__u32 seed = 1;
__u16 seqs[1 << 20];
__u8 template[sizeof(struct frame)] = {};

static __always_inline __u16 header_checksum(const struct frame *f)
{
	const __u16 *w = (const void *)f + offsetof(struct frame, ip);
	__u32 sum = 0;

	for (int i = 0; i < 10; i++)
		sum += w[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

SEC("xdp")
int mill(struct xdp_md *ctx)
{
	struct frame *f = (void *)(long)ctx->data;
	__u32 flow;
	__u16 seq;

	if ((void *)(f + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	seed = seed * 1664525 + 1013904223;
	flow = ((__u64)seed * flows) >> 32;
	seq = ++seqs[flow & ((1 << 20) - 1)];

	__builtin_memcpy(f, template, sizeof(*f));
	f->ip.saddr = bpf_htonl(saddr);
	f->ip.daddr = bpf_htonl(first_daddr + flow / ports);
	f->ip.check = 0;
	f->ip.check = header_checksum(f);
	f->udp.dest = bpf_htons(port_base + flow % ports);
	f->rtp[2] = seq >> 8;
	f->rtp[3] = seq;
	bpf_tail_call(ctx, &under_test, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int idle(struct xdp_md *ctx)
{
	return XDP_DROP;
}

/* The bare limit: parse, one hash lookup, one counter, rewrite, redirect. No checks, no statistics. */
SEC("xdp")
int bare(struct xdp_md *ctx)
{
	struct frame *f = (void *)(long)ctx->data;
	struct target *t;
	struct tuple key;

	if ((void *)(f + 1) > (void *)(long)ctx->data_end)
		return XDP_PASS;
	if (f->eth.h_proto != bpf_htons(ETH_P_IP) || f->ip.ihl != 5 ||
	    f->ip.protocol != IPPROTO_UDP)
		return XDP_PASS;
	key.saddr = f->ip.saddr;
	key.daddr = f->ip.daddr;
	key.sport = f->udp.source;
	key.dport = f->udp.dest;
	t = bpf_map_lookup_elem(&targets, &key);
	if (!t)
		return XDP_PASS;
	t->packets++;
	__builtin_memcpy(f->eth.h_dest, t->dmac, 6);
	__builtin_memcpy(f->eth.h_source, t->smac, 6);
	f->ip.saddr = t->saddr;
	f->ip.daddr = t->daddr;
	f->ip.check = 0;
	f->ip.check = header_checksum(f);
	f->udp.source = t->sport;
	f->udp.dest = t->dport;
	f->udp.check = 0;
	return bpf_redirect_map(&out, 0, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
