/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of the bare XDP relay (bare.bpf.c). All in network byte order. */
#ifndef TANDEM_BENCH_BARE_H
#define TANDEM_BENCH_BARE_H

#include <linux/types.h>

struct bare_key {
	__be32 saddr, daddr;
	__be16 sport, dport;
};

struct bare_way {
	struct bare_key to;
	__u8 dmac[6], smac[6];
};

#endif
