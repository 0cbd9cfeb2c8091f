/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whole frames through the core, with a rule made of the first bytes of the input. The
 * frame is the rest of it, or that rest behind headers that lead to the rule. Checked:
 * nothing outside the frame is touched (sanitizers), a punted frame is as it came, a
 * forwarded one has the right length, and checksums as good as before.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/forward.h"

#define HEADROOM  64
#define PAD	  2 /* puts the IP header on a 4-byte boundary */
#define SLOTS	  4
#define FRAME_MAX 2048

struct setup {
	uint8_t shape; /* bits: 1 bare frame, 2 IPv6, 4 VLAN, 8 no UDP checksum, 16 split RTCP */
	uint8_t flags; /* of the rule */
	uint8_t egress_flags;
	uint8_t out; /* bits: 1 IPv6, 2 VLAN, 4 next hop missing */
	uint16_t seq_offset;
	uint16_t peer_seq_offset;
	uint32_t ts_offset;
	uint8_t from, to, peer_from, peer_to; /* SSRCs, small so that they are met */
	uint8_t dscp;
	uint8_t pt;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
	if (!ok)
		abort();
}

static uint32_t sum16(const uint8_t *b, size_t n, uint32_t sum)
{
	size_t i;

	for (i = 0; i < n; i++)
		sum += i % 2 ? b[i] : (uint32_t)b[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Offset of the IP header, and in *udp of the UDP header, of a frame known to have both. */
static size_t layers(const uint8_t *f, size_t *udp)
{
	size_t l3 = 14;

	while (f[l3 - 2] == (f[l3 - 1] == 0xa8 ? 0x88 : 0x81) &&
	       (f[l3 - 1] == 0xa8 || f[l3 - 1] == 0))
		l3 += 4;
	*udp = l3 + (f[l3] >> 4 == 4 ? 20 : 40);
	return l3;
}

/* 0xffff when the UDP checksum is right, else what it is off by; -1 when there is none. */
static int udp_error(const uint8_t *f)
{
	size_t udp, l3 = layers(f, &udp), len;
	int v6 = f[l3] >> 4 == 6;

	if (!f[udp + 6] && !f[udp + 7])
		return -1;
	len = (size_t)f[udp + 4] << 8 | f[udp + 5];
	return (int)sum16(f + udp, len,
			  sum16(f + l3 + (v6 ? 8 : 12), v6 ? 32 : 8, 17 + (uint32_t)len));
}

static __u32 nexthop(const struct egress *eg, __u32 l3_len, struct nexthop *nh, void *arg)
{
	const struct setup *s = arg;

	if (s->out & 4)
		return REASON_no_neighbour;
	nh->ifindex = 3;
	nh->mtu = 1500;
	nh->vlan_tci = s->out & 2 ? 7 : 0;
	return l3_len > 1500 ? REASON_too_big : REASON_NONE;
}

static void set_ip(struct ip_addr *ip, int v6, uint8_t host)
{
	memset(ip, 0, sizeof(*ip));
	if (!v6)
		memset(ip->b + 10, 0xff, 2);
	ip->b[v6 ? 0 : 12] = v6 ? 0xfd : 10;
	ip->b[15] = host;
}

static void set_rule(struct rule *r, const struct setup *s)
{
	struct egress *eg = r->egress;
	int i;

	r->gen = 2;
	r->flags = RULE_F_ACTIVE |
		   (s->flags & (RULE_F_STRICT_PT | RULE_F_MUTE | RULE_F_RTCP | RULE_F_SRTP));
	r->id = 1;
	set_ip(&r->key.remote, s->shape & 2, 2);
	set_ip(&r->key.local, s->shape & 2, 1);
	r->key.remote_port = net16(4000);
	r->key.local_port = net16(20000);
	r->reverse = s->flags & 0x80 ? 0 : 1;
	r->peer.from = s->peer_from;
	r->peer.to = s->peer_to;
	r->peer_seq_offset = s->peer_seq_offset;
	r->pts.clock_hz[0] = 8000; /* of payload type 0 */
	r->egress[EGRESS_RTP].pt_out[0] = s->pt;
	for (i = 0; i < 2; i++, eg++) {
		int v6 = (s->out & 1) ^ (i && s->shape & 16 ? 1 : 0);

		set_ip(&eg->local, v6, 8);
		set_ip(&eg->remote, v6, 9);
		eg->local_port = net16(20002);
		eg->remote_port = net16(5000);
		eg->flags = s->egress_flags;
		eg->seq_offset = s->seq_offset;
		eg->ts_offset = s->ts_offset;
		eg->ssrc = (struct ssrc_map){ s->from, s->to };
		eg->dscp = s->dscp & 63;
	}
}

/* Headers that lead to the rule, in front of a payload. Returns their length. */
static size_t put_headers(uint8_t *f, const struct setup *s, const uint8_t *payload, size_t n)
{
	size_t l3 = s->shape & 4 ? 18 : 14, udp = l3 + (s->shape & 2 ? 40 : 20), len = n + 8;
	struct ip_addr remote, local;
	uint32_t sum;

	set_ip(&remote, s->shape & 2, 2);
	set_ip(&local, s->shape & 2, 1);
	memset(f, 0, udp + 8);
	if (s->shape & 4)
		f[12] = 0x81;
	f[l3 - 2] = s->shape & 2 ? 0x86 : 0x08;
	f[l3 - 1] = s->shape & 2 ? 0xdd : 0x00;
	if (s->shape & 2) {
		f[l3] = 0x60;
		f[l3 + 4] = (uint8_t)(len >> 8);
		f[l3 + 5] = (uint8_t)len;
		f[l3 + 6] = 17;
		memcpy(f + l3 + 8, &remote, 16);
		memcpy(f + l3 + 24, &local, 16);
	} else {
		f[l3] = 0x45;
		f[l3 + 2] = (uint8_t)((len + 20) >> 8);
		f[l3 + 3] = (uint8_t)(len + 20);
		f[l3 + 9] = 17;
		memcpy(f + l3 + 12, remote.b + 12, 4);
		memcpy(f + l3 + 16, local.b + 12, 4);
		sum = ~sum16(f + l3, 20, 0);
		f[l3 + 10] = (uint8_t)(sum >> 8);
		f[l3 + 11] = (uint8_t)sum;
	}
	memcpy(f + udp,
	       (uint8_t[]){ 4000 >> 8, 4000 & 255, 20000 >> 8, 20000 & 255, (uint8_t)(len >> 8),
			    (uint8_t)len },
	       6);
	memcpy(f + udp + 8, payload, n);
	if (!(s->shape & 8)) {
		f[udp + 6] = f[udp + 7] = 0xff; /* adds nothing, but is not "none" */
		sum = ~(uint32_t)udp_error(f) & 0xffff;
		sum = sum ? sum : 0xffff;
		f[udp + 6] = (uint8_t)(sum >> 8);
		f[udp + 7] = (uint8_t)sum;
	}
	return udp + 8;
}

static void check_forwarded(const struct setup *s, const uint8_t *in, size_t in_len,
			    const uint8_t *out, size_t out_len)
{
	size_t in_udp, out_udp, l3;

	layers(in, &in_udp);
	l3 = layers(out, &out_udp);
	check(out_len - out_udp == in_len - in_udp);
	check(l3 == (s->out & 2 ? 18U : 14U));
	check(out[out_udp + 4] == in[in_udp + 4] && out[out_udp + 5] == in[in_udp + 5]);
	if (udp_error(in) < 0)
		check(udp_error(out) < 0);
	else
		check(udp_error(out) % 0xffff == udp_error(in) % 0xffff);
	if (in[in_udp - 20] >> 4 == 4 && in_udp - 20 >= 14 && out[l3] >> 4 == 4 &&
	    sum16(in + in_udp - 20, 20, 0) == 0xffff)
		check(sum16(out + l3, 20, 0) == 0xffff);
}

static void run(struct env *env, const struct setup *s, const uint8_t *frame, size_t len)
{
	char *buffer = malloc(HEADROOM + PAD + len); /* ends where the frame does */
	enum verdict verdict;
	__u32 ifindex = 0;
	struct plan plan;
	struct frame f;

	check(buffer != NULL);
	memcpy(buffer + HEADROOM + PAD, frame, len);
	env->frame.buffer = buffer;
	env->frame.data = buffer + HEADROOM + PAD;
	env->frame.end = env->frame.data + len;
	verdict = reason_verdict(relay_frame(env, &f, &plan, &ifindex));
	if (verdict == VERDICT_FORWARD) {
		check(ifindex == 3);
		check_forwarded(s, frame, len, (uint8_t *)env->frame.data,
				(size_t)(env->frame.end - env->frame.data));
	} else if (verdict == VERDICT_PUNT) {
		check((size_t)(env->frame.end - env->frame.data) == len);
		check(!memcmp(env->frame.data, frame, len));
	}
	free(buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t frame[FRAME_MAX];
	struct env_shared shared[4];
	struct env_stream streams[16];
	struct rule rules[SLOTS];
	struct flow flows[SLOTS];
	struct env_tables tables = { .rules = rules,
				     .flows = flows,
				     .shared = shared,
				     .shared_size = 4,
				     .streams = streams,
				     .streams_size = 16 };
	struct env env = { .tables = &tables, .nexthop = nexthop, .now_ns = 1 };
	struct setup s;
	size_t len;

	if (size < sizeof(s) || size > FRAME_MAX - 70)
		return 0;
	memcpy(&s, data, sizeof(s));
	data += sizeof(s);
	size -= sizeof(s);
	memset(shared, 0xff, sizeof(shared));
	memset(streams, 0, sizeof(streams));
	memset(rules, 0, sizeof(rules));
	memset(flows, 0, sizeof(flows));
	tables.config.slots = SLOTS;
	tables.config.locals_count = 2;
	tables.config.port_base = 20000;
	tables.config.port_count = 2;
	tables.config.nexthop_age_ns = 1000;
	set_ip(&tables.config.locals[0], s.shape & 2, 1);
	set_rule(&rules[0], &s);
	env.nexthop_arg = &s;

	if (s.shape & 1) {
		memcpy(frame, data, size);
		len = size;
	} else {
		len = put_headers(frame, &s, data, size) + size;
	}
	/* Twice: streams and next hop are there the second time. */
	run(&env, &s, frame, len);
	env.now_ns += 20000000;
	run(&env, &s, frame, len);
	return 0;
}
