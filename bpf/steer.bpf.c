/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which socket a datagram of the host's stack goes to: one for a media port that has a flow and
 * no socket of its own goes to one of the few that the io_uring datapath reads for all of
 * them. Everything else is left to the stack, and to whoever has bound the port.
 *
 * BPF_PROG_TYPE_SK_LOOKUP and sockets in a SOCKMAP for it exist since 5.9.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "core/abi.h"
#include "core/addr.h"
#include "core/headers.h"

#define AF_INET	  2
#define PORT_BITS 64 /* ports to an element of steered */

/* Set before loading; of these, only what says which ports are the relay's is read. */
const volatile struct relay_config relay;
const volatile __u32 trunks; /* of each family */

/* A bit for each media port, by its direct slot: 1, it is to be steered. Written by the relay. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} steered SEC(".maps");

/* IPv4 first, then as many of IPv6. */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} trunk_sockets SEC(".maps");

/*
 * Both forms are read whatever the family (the other one's is zero): of two branches with a load
 * each the compiler makes one load from either of two places, which the verifier refuses.
 */
static inline void local_address(const volatile struct bpf_sk_lookup *ctx, struct ip_addr *ip)
{
	__be32 v4 = ctx->local_ip4;

	ip->w[0] = ctx->local_ip6[0];
	ip->w[1] = ctx->local_ip6[1];
	ip->w[2] = ctx->local_ip6[2];
	ip->w[3] = ctx->local_ip6[3];
	if (ctx->family == AF_INET)
		ip_addr_map4(ip, v4);
}

/* Number of the relay's address that this is; TANDEM_MAX_LOCALS: none. */
static inline __u32 local_number(const struct ip_addr *ip)
{
	__u32 i;

	for (i = 0; i < TANDEM_MAX_LOCALS && i < relay.locals_count; i++) {
		if (relay.locals[i].d[0] == ip->d[0] && relay.locals[i].d[1] == ip->d[1])
			return i;
	}
	return TANDEM_MAX_LOCALS;
}

SEC("sk_lookup")
int tandem_steer(struct bpf_sk_lookup *ctx)
{
	__u32 port = ctx->local_port - relay.port_base, slot, i;
	struct bpf_sock *sk;
	struct ip_addr ip;
	__u64 *bits;

	if (ctx->protocol != PROTO_UDP || port >= relay.port_count)
		return SK_PASS;
	local_address(ctx, &ip);
	i = local_number(&ip);
	if (i == TANDEM_MAX_LOCALS)
		return SK_PASS;
	slot = i * relay.port_count + port;
	i = slot / PORT_BITS;
	bits = bpf_map_lookup_elem(&steered, &i);
	if (!bits || !(*(volatile __u64 *)bits & 1ULL << slot % PORT_BITS))
		return SK_PASS;

	/* The ports of RTP are even. */
	i = slot / 2 % trunks + (ctx->family == AF_INET ? 0 : trunks);
	sk = bpf_map_lookup_elem(&trunk_sockets, &i);
	if (!sk)
		return SK_PASS;
	/* Fails when another program has chosen a socket before; then so be it. */
	bpf_sk_assign(ctx, sk, 0);
	bpf_sk_release(sk);
	return SK_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
