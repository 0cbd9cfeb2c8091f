/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Both ends of the wire. `generate` is run with BPF_PROG_TEST_RUN and live frames: it
 * writes the next packet into the frame that it is handed and redirects it to the
 * device of its lane; when no packet is due it drops the frame, which costs nothing
 * but the time that has to pass anyway. `count` sits on the devices of the sink. `pass`
 * is what native XDP wants on a device that frames are redirected to.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bench/wire_packet.h"

#define UDP_END (14 + 20 + 8)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_flow);
} wire_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_sealed);
} sealed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct seq_state);
} sink_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_sink);
} sinks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u32);
} lanes SEC(".maps");

struct wire_gen gens[WIRE_MAX_CPUS];
__u32 current_trial;
__u64 deadline_ns; /* what comes later has been queued, and does not count */

/*
 * What was made ahead of the trial. Returns 0 if there is nothing.
 *
 * Frames are used again, and the kernel looks at what the relay has left of one only if this program
 * had changed its limits: else a frame that a relay made shorter stays so. Hence WIRE_SPARE.
 */
static __always_inline int write_sealed(struct xdp_md *ctx, struct wire_packet *p,
					struct wire_gen *g, __u32 index, struct wire_flow *f)
{
	__u32 at = index * g->ring + f->seq % g->ring, len = g->sealed_len;
	struct wire_sealed *from = bpf_map_lookup_elem(&sealed, &at);

	if (!from || from->seq != f->seq || !from->lane || len < WIRE_RTP_LEN ||
	    len > WIRE_SEALED_MAX) {
		g->dry++;
		return 0;
	}
	f->seq++;
	wire_write_head(p, g, f);
	p->udp.check = wire_fold(f->udp_sum + from->sum);
	return !bpf_xdp_store_bytes(ctx, UDP_END, from->data, len) &&
	       !bpf_xdp_adjust_tail(ctx, -WIRE_SPARE);
}

SEC("xdp")
int generate(struct xdp_md *ctx)
{
	struct wire_packet *p = (void *)(long)ctx->data;
	struct wire_gen *g = &gens[bpf_get_smp_processor_id() & (WIRE_MAX_CPUS - 1)];
	struct wire_flow *f;
	__u64 now = bpf_ktime_get_ns();
	__u32 index;

	if ((void *)(p + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	if (!wire_due(g, now))
		return XDP_DROP;
	index = wire_next(g);
	f = bpf_map_lookup_elem(&wire_flows, &index);
	if (!f)
		return XDP_ABORTED;
	if (!g->ring)
		wire_write(p, g, index, f, now);
	else if (!write_sealed(ctx, p, g, index, f))
		return XDP_DROP;
	g->sent++;
	return (int)bpf_redirect_map(&lanes, g->lane, 0);
}

/*
 * A packet that the relay has encrypted, or that came to it so: there is no mark to be read, but an
 * RTP header. It tells flow and number, as wire_write() has it, and nothing about the time.
 */
static __always_inline int count_sealed(const struct wire_packet *p, struct wire_sink *s)
{
	__u32 index = bpf_ntohl(p->rtp_ssrc) - WIRE_SSRC_BASE;
	__u32 seq = bpf_ntohl(p->rtp_ts) / WIRE_TIMESTAMP_STEP;
	struct seq_state *f = bpf_map_lookup_elem(&sink_flows, &index);

	if (!f || (__u16)seq != bpf_ntohs(p->rtp_seq))
		return XDP_PASS;
	if (deadline_ns && bpf_ktime_get_ns() > deadline_ns) {
		s->overdue++;
		return XDP_DROP;
	}
	seq_count(f, seq, 0);
	s->received++;
	return XDP_DROP;
}

SEC("xdp")
int count(struct xdp_md *ctx)
{
	struct wire_packet *p = (void *)(long)ctx->data;
	struct wire_sink *s;
	struct seq_state *f;
	__u64 now = bpf_ktime_get_ns();
	__u32 zero = 0, index;

	if ((void *)(p + 1) > (void *)(long)ctx->data_end)
		return XDP_PASS;
	if (p->eth.h_proto != bpf_htons(ETH_P_IP) || p->ip.ihl != 5 ||
	    p->ip.protocol != IPPROTO_UDP)
		return XDP_PASS;
	s = bpf_map_lookup_elem(&sinks, &zero);
	if (!s)
		return XDP_ABORTED;
	if (p->mark.magic != WIRE_MAGIC)
		return count_sealed(p, s);
	if (p->mark.trial == current_trial && deadline_ns && now > deadline_ns) {
		s->overdue++;
		return XDP_DROP;
	}
	if (p->mark.trial != current_trial) {
		s->stale++;
		return XDP_DROP;
	}
	index = p->mark.flow;
	f = bpf_map_lookup_elem(&sink_flows, &index);
	if (!f) {
		s->strange++;
		return XDP_DROP;
	}
	seq_count(f, p->mark.seq, (__s64)(now - p->mark.sent_ns));
	hist_add(&s->latency, now - p->mark.sent_ns);
	s->received++;
	s->octets += ctx->data_end - ctx->data;
	return XDP_DROP;
}

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
