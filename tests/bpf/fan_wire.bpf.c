/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * `feed` is run with live frames, which it makes packets of the flows under test and
 * redirects to the relay. `sink` sits on a device that copies arrive at.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "tests/bpf/fan_wire.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FAN_LEGS);
	__type(key, __u32);
	__type(value, struct fan_seen);
} seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct fan_frame);
} frames SEC(".maps");

__u32 pass = 0; /* let copies through to the stack */
__u64 stamped = 0;
__u64 plain = 0;
__u32 feed_frames = 0;
__u32 feed_device = 0;
__u32 feed_number = 0;

struct fan_rtp {
	__u8 first, second;
	__be16 seq;
	__be32 ts, ssrc;
	__be32 ext_head;
	__be32 ext1, ext3;
	__be32 magic, number;
} __attribute__((packed));

/* ---- sink ---- */

static __always_inline void note_number(struct fan_seen *s, __u32 number)
{
	__u32 at = number & (FAN_NUMBERS - 1);
	__u64 bit = 1ULL << (at & 63);

	if (__sync_fetch_and_or(&s->numbers[at / 64], bit) & bit)
		__sync_fetch_and_add(&s->twice, 1);
}

static __always_inline int right(const struct fan_rtp *p, __u32 n, __u32 g, __u32 tos)
{
	__u32 number = bpf_ntohl(p->number), ext1 = bpf_ntohl(p->ext1), ext3 = bpf_ntohl(p->ext3);
	__u32 id3 = FAN_LEG_EXT3(n);

	return p->magic == bpf_htonl(FAN_MAGIC) && p->first == 0x90 &&
	       p->second == FAN_LEG_PT(n, g) && bpf_ntohl(p->ssrc) == FAN_LEG_SSRC(n, g) &&
	       bpf_ntohs(p->seq) == (__u16)(number + FAN_LEG_SEQ(n, g)) &&
	       bpf_ntohl(p->ts) == number * 160 + FAN_LEG_TS(n, g) &&
	       tos == FAN_LEG_DSCP(n, g) << 2 && p->ext_head == bpf_htonl(FAN_EXT_HEAD) &&
	       ext1 == ((FAN_EXT_1 & 0xfffffff) | FAN_LEG_EXT1(n) << 28) &&
	       ext3 == (id3 ? (FAN_EXT_3 & 0xfffffff) | id3 << 28 : 0);
}

static __always_inline int judge(struct udphdr *udp, void *end, __u32 tos)
{
	__u32 n = bpf_ntohs(udp->dest) - FAN_PORT, from = bpf_ntohs(udp->source) - FAN_FROM;
	struct fan_rtp *rtp = (void *)(udp + 1);
	struct fan_seen *s;

	if (udp->dest == bpf_htons(FAN_PLAIN)) {
		__sync_fetch_and_add(&plain, 1);
		return XDP_PASS;
	}
	if (n >= FAN_LEGS)
		return XDP_PASS;
	s = bpf_map_lookup_elem(&seen, &n);
	if (!s || (void *)&rtp->ssrc > end)
		return XDP_PASS;
	if (rtp->second == 200) { /* an SR; its SSRC is where RTP has its timestamp */
		__u32 g = from / FAN_GEN_STEP;

		__sync_fetch_and_add(&s->rtcp, 1);
		if (from % FAN_GEN_STEP != n || bpf_ntohl(rtp->ts) != FAN_LEG_SSRC(n, g))
			__sync_fetch_and_add(&s->wrong, 1);
		return pass ? XDP_PASS : XDP_DROP;
	}
	if ((void *)(rtp + 1) > end)
		return XDP_PASS;
	__sync_fetch_and_add(&s->packets, 1);
	if (from % FAN_GEN_STEP != n || !right(rtp, n, from / FAN_GEN_STEP, tos))
		__sync_fetch_and_add(&s->wrong, 1);
	else
		note_number(s, bpf_ntohl(rtp->number));
	return pass ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int sink(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip4 = (void *)(eth + 1);
	struct ipv6hdr *ip6 = (void *)(eth + 1);

	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	if (eth->h_proto == bpf_htons(0x88b5) || eth->h_proto == bpf_htons(0x88b6)) {
		__sync_fetch_and_add(&stamped, 1);
		return XDP_DROP;
	}
	if (eth->h_proto == bpf_htons(ETH_P_IP) && (void *)(ip4 + 1) + 8 <= end && ip4->ihl == 5 &&
	    ip4->protocol == IPPROTO_UDP)
		return judge((void *)(ip4 + 1), end, ip4->tos);
	if (eth->h_proto == bpf_htons(ETH_P_IPV6) && (void *)(ip6 + 1) + 8 <= end &&
	    ip6->nexthdr == IPPROTO_UDP)
		return judge((void *)(ip6 + 1), end, (bpf_ntohs(*(__be16 *)ip6) & 0xff0) >> 4);
	return XDP_PASS;
}

/* ---- feed ---- */

static __always_inline void enter_number(struct udphdr *udp, struct fan_rtp *rtp, __u32 number)
{
	__u32 ts = number * 160;
	__u32 sum = (__u16)~bpf_ntohs(udp->check);

	/* The template has zero in these places. */
	rtp->seq = bpf_htons(number);
	rtp->ts = bpf_htonl(ts);
	rtp->number = bpf_htonl(number);
	sum += (number & 0xffff) + (number >> 16) + (number & 0xffff) + (ts >> 16) + (ts & 0xffff);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	udp->check = bpf_htons(~sum);
}

SEC("xdp")
int feed(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 number = __sync_fetch_and_add(&feed_number, 1);
	__u32 at = number % feed_frames;
	struct fan_frame *frame = bpf_map_lookup_elem(&frames, &at);
	struct udphdr *udp;
	struct fan_rtp *rtp;

	if (!frame || data + FAN_FRAME > end)
		return XDP_DROP;
	__builtin_memcpy(data, frame->bytes, FAN_FRAME);
	udp = data + (frame->udp_off & 0x7f);
	rtp = (void *)(udp + 1);
	if ((void *)(rtp + 1) > end)
		return XDP_DROP;
	if (frame->number)
		enter_number(udp, rtp, number / feed_frames);
	return (int)bpf_redirect(feed_device, 0);
}

char _license[] SEC("license") = "Dual BSD/GPL";
