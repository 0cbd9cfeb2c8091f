/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames for fuzz_packet.c, and what must hold for those that leave. */
#ifndef TANDEM_TESTS_FUZZ_PACKET_H
#define TANDEM_TESTS_FUZZ_PACKET_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/copy.h"

/* What the first bytes of an input say. */
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
	uint8_t fan; /* bits: 1 there is one, 2 for one SSRC, 4 for RTCP, 8 mixed, 0x30 legs */
	uint8_t group; /* bits: 1 from one, 2 source named, 4 its port, 8 to one, 16 a leg has no way */
	uint8_t alaw;
	uint8_t ulaw;
	uint8_t ext[10]; /* ids that elements leave with */
};

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

static void set_ip(struct ip_addr *ip, int v6, uint8_t host)
{
	memset(ip, 0, sizeof(*ip));
	if (!v6)
		memset(ip->b + 10, 0xff, 2);
	ip->b[v6 ? 0 : 12] = v6 ? 0xfd : 10;
	ip->b[15] = host;
}

/* Where packets go to: the relay, or a group that it listens to. */
static void set_local(struct ip_addr *ip, const struct setup *s)
{
	set_ip(ip, s->shape & 2, 1);
	if (s->group & 1)
		ip->b[s->shape & 2 ? 0 : 12] = s->shape & 2 ? 0xff : 239;
}

/* Headers that lead to the rule, in front of a payload. Returns their length. */
static size_t put_headers(uint8_t *f, const struct setup *s, const uint8_t *payload, size_t n)
{
	size_t l3 = s->shape & 4 ? 18 : 14, udp = l3 + (s->shape & 2 ? 40 : 20), len = n + 8;
	struct ip_addr remote, local;
	uint32_t sum;

	set_ip(&remote, s->shape & 2, 2);
	set_local(&local, s);
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

#endif
