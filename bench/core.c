/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a packet costs inside the XDP program, in ns, beside a bare program that
 * only looks up one hash and redirects: both under BPF_PROG_TEST_RUN, both fed by
 * the mill (mill.bpf.c), both in this one run. docs/benchmark.md has the method.
 *
 * Usage: core [--json] [FLOWS...]
 *
 *   [ this program, in a network namespace of its own ]
 *      mill -> relay -> (redirect to out0)       out0 <-veth-> out1
 *      mill -> bare  -> (redirect to out0)
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/abi.h"
#include "mill.skel.h"
#include "relay.skel.h"

#define ROUNDS	  7
#define REPEAT	  1000000
#define PORT_BASE 1024
#define PORTS	  64512
#define REMOTE	  0x0a4d0102 /* 10.77.1.2 */
#define LOCAL	  0x0a4e0101 /* 10.78.1.1 and on */
#define CALLEE	  0x0a4d0202 /* 10.77.2.2 */

struct frame {
	uint8_t eth[14], ip[20], udp[8], rtp[172];
} __attribute__((packed));

struct figure {
	double min, median, max;
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct figure summarise(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return (struct figure){ v[0], v[n / 2], v[n - 1] };
}

static int run(const char *cmd)
{
	int rc = system(cmd);

	if (rc)
		fprintf(stderr, "bench: failed: %s\n", cmd);
	return rc ? -EIO : 0;
}

/* A veth whose next hop is known for good, so that bpf_fib_lookup has an answer. */
static int namespace_up(void)
{
	if (unshare(CLONE_NEWNET))
		return -errno;
	return run("ip link add out0 type veth peer name out1 && ip link set out0 up && "
		   "ip link set out1 up && ip addr add 10.77.2.1/24 dev out0 && "
		   "ip addr add 10.77.1.1/24 dev out0 && "
		   "ip neigh add 10.77.2.2 lladdr 02:00:00:00:02:02 dev out0 nud permanent && "
		   "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0");
}

static void frame_template(struct frame *f)
{
	static const uint8_t udp_len[2] = { 0, 8 + 172 };

	memset(f, 0, sizeof(*f));
	f->eth[12] = 0x08;
	f->ip[0] = 0x45;
	f->ip[3] = 20 + 8 + 172;
	f->ip[8] = 64;
	f->ip[9] = 17;
	f->udp[0] = 4000 >> 8;
	f->udp[1] = 4000 & 0xff;
	memcpy(f->udp + 4, udp_len, 2);
	f->rtp[0] = 0x80;
	f->rtp[11] = 1;
}

static struct ip_addr mapped(uint32_t host)
{
	struct ip_addr ip = { .w = { 0, 0, htonl(0xffff), htonl(host) } };

	return ip;
}

static void rule_for(uint32_t flow, struct entry *entry, struct rule_more *more)
{
	struct rule *rule = &entry->rule;

	memset(entry, 0, sizeof(*entry));
	memset(more, 0, sizeof(*more));
	rule->gen = 2;
	rule->flags = RULE_F_ACTIVE;
	rule->id = flow + 1;
	rule->remote = mapped(REMOTE);
	rule->remote_port = htons(4000);
	rule->local = (uint8_t)(flow / PORTS);
	rule->local_port = htons(PORT_BASE + flow % PORTS);
	rule->egress.flags = EGRESS_F_ACTIVE;
	rule->egress.local = rule->local;
	rule->egress.remote = mapped(CALLEE);
	rule->egress.local_port = rule->local_port;
	rule->egress.remote_port = htons(4002);
	more->media = flow;
	more->reverse = TANDEM_NO_SLOT;
	more->pts.clock_hz[0] = 8000; /* of payload type 0 */
}

static struct relay_bpf *relay_load(uint32_t flows, uint32_t ifindex)
{
	uint32_t locals = (flows + PORTS - 1) / PORTS, slots = locals * PORTS, zero = 0;
	struct relay_config cfg = { .abi_version = TANDEM_ABI_VERSION,
				    .slots = slots,
				    .locals_count = locals,
				    .port_base = PORT_BASE,
				    .port_count = PORTS,
				    .nexthop_age_ns = 100000000 };
	struct relay_bpf *relay = relay_bpf__open();
	struct bpf_devmap_val port = { .ifindex = ifindex };
	struct rule_more more;
	struct entry entry;

	if (!relay)
		return NULL;
	bpf_map__set_max_entries(relay->maps.entries, slots);
	bpf_map__set_max_entries(relay->maps.rules_more, slots);
	bpf_map__set_max_entries(relay->maps.flows_more, slots);
	if (relay_bpf__load(relay))
		goto fail;
	for (uint32_t i = 0; i < locals; i++)
		cfg.locals[i] = mapped(LOCAL + i);
	if (bpf_map_update_elem(bpf_map__fd(relay->maps.config), &zero, &cfg, 0) ||
	    bpf_map_update_elem(bpf_map__fd(relay->maps.tx_ports), &ifindex, &port, 0))
		goto fail;
	for (uint32_t i = 0; i < flows; i++) {
		rule_for(i, &entry, &more);
		if (bpf_map_update_elem(bpf_map__fd(relay->maps.entries), &i, &entry, 0) ||
		    bpf_map_update_elem(bpf_map__fd(relay->maps.rules_more), &i, &more, 0))
			goto fail;
	}
	return relay;
fail:
	relay_bpf__destroy(relay);
	return NULL;
}

static struct mill_bpf *mill_load(uint32_t flows, uint32_t ifindex)
{
	struct mill_bpf *mill = mill_bpf__open();
	struct {
		uint32_t saddr, daddr;
		uint16_t sport, dport;
	} key;
	struct {
		uint64_t packets;
		uint32_t saddr, daddr;
		uint16_t sport, dport;
		uint32_t ifindex;
		uint8_t mac[12];
	} target = { .daddr = htonl(CALLEE), .ifindex = ifindex };
	struct frame frame;
	uint32_t zero = 0;

	if (!mill)
		return NULL;
	mill->rodata->flows = flows;
	mill->rodata->ports = PORTS;
	mill->rodata->port_base = PORT_BASE;
	mill->rodata->saddr = REMOTE;
	mill->rodata->first_daddr = LOCAL;
	bpf_map__set_max_entries(mill->maps.targets, flows);
	if (mill_bpf__load(mill))
		goto fail;
	frame_template(&frame);
	memcpy(mill->bss->template, &frame, sizeof(mill->bss->template));
	if (bpf_map_update_elem(bpf_map__fd(mill->maps.out), &zero, &ifindex, 0))
		goto fail;
	for (uint32_t i = 0; i < flows; i++) {
		key.saddr = htonl(REMOTE);
		key.daddr = htonl(LOCAL + i / PORTS);
		key.sport = htons(4000);
		key.dport = htons(PORT_BASE + i % PORTS);
		if (bpf_map_update_elem(bpf_map__fd(mill->maps.targets), &key, &target, 0))
			goto fail;
	}
	return mill;
fail:
	mill_bpf__destroy(mill);
	return NULL;
}

/* ns per packet of the mill followed by prog_fd; want is the verdict that proves it did its work. */
static int measure(struct mill_bpf *mill, int prog_fd, uint32_t ifindex, uint32_t want, double *ns)
{
	struct xdp_md ctx = { .data_end = sizeof(struct frame), .ingress_ifindex = ifindex };
	struct frame in, out;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &in, .data_size_in = sizeof(in),
		    .data_out = &out, .data_size_out = sizeof(out), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = REPEAT);
	uint32_t zero = 0;
	int err;

	frame_template(&in);
	err = bpf_map_update_elem(bpf_map__fd(mill->maps.under_test), &zero, &prog_fd, 0);
	if (!err)
		err = bpf_prog_test_run_opts(bpf_program__fd(mill->progs.mill), &opts);
	if (err)
		return -errno;
	if (opts.retval != want) {
		fprintf(stderr, "bench: verdict %u where %u was expected\n", opts.retval, want);
		return -EPROTO;
	}
	*ns = opts.duration;
	return 0;
}

static void report(uint32_t flows, struct figure idle, struct figure bare, struct figure relay,
		   struct figure ratio, bool json)
{
	if (json) {
		printf("{\"flows\":%u,\"mill_ns\":%.0f,\"bare_ns\":%.0f,\"relay_ns\":%.0f,"
		       "\"ratio\":{\"min\":%.2f,\"median\":%.2f,\"max\":%.2f}}\n",
		       flows, idle.median, bare.median - idle.median, relay.median - idle.median,
		       ratio.min, ratio.median, ratio.max);
		return;
	}
	printf("%9u  %6.0f  %6.0f  %6.0f   %5.2f  (%.2f to %.2f)\n", flows, idle.median,
	       bare.median - idle.median, relay.median - idle.median, ratio.median, ratio.min,
	       ratio.max);
}

/* Rounds alternate between the programs, so that a slow moment of the machine hits all of them. */
static int bench_flows(uint32_t flows, uint32_t ifindex, bool json)
{
	struct relay_bpf *relay = relay_load(flows, ifindex);
	struct mill_bpf *mill = mill_load(flows, ifindex);
	double idle[ROUNDS], bare[ROUNDS], full[ROUNDS], ratio[ROUNDS];
	int err = -EIO;

	if (!relay || !mill)
		goto out;
	for (int i = -1; i < ROUNDS; i++) { /* the first round warms up */
		int k = i < 0 ? 0 : i;

		err = measure(mill, bpf_program__fd(mill->progs.idle), ifindex, XDP_DROP, &idle[k]);
		if (!err)
			err = measure(mill, bpf_program__fd(mill->progs.bare), ifindex,
				      XDP_REDIRECT, &bare[k]);
		if (!err)
			err = measure(mill, bpf_program__fd(relay->progs.tandem_relay), ifindex,
				      XDP_REDIRECT, &full[k]);
		if (err)
			goto out;
		ratio[k] = (full[k] - idle[k]) / (bare[k] - idle[k]);
	}
	report(flows, summarise(idle, ROUNDS), summarise(bare, ROUNDS), summarise(full, ROUNDS),
	       summarise(ratio, ROUNDS), json);
out:
	relay_bpf__destroy(relay);
	mill_bpf__destroy(mill);
	return err;
}

int main(int argc, char **argv)
{
	static char *usual[] = { "1", "100", "1000", "10000", "100000" };
	bool json = argc > 1 && !strcmp(argv[1], "--json");
	char **list = argv + 1 + json;
	int n = argc - 1 - json, err = namespace_up();
	uint32_t ifindex;

	if (err) {
		fprintf(stderr, "bench: cannot make a network namespace: %s\n", strerror(-err));
		return 1;
	}
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
	ifindex = if_nametoindex("out0");
	if (!n) {
		list = usual;
		n = sizeof(usual) / sizeof(usual[0]);
	}
	if (!json)
		printf("XDP, ns per packet (medians of %d rounds of %d packets)\n"
		       "    flows    mill    bare   relay   relay/bare (min to max)\n",
		       ROUNDS, REPEAT);
	for (int i = 0; i < n; i++) {
		err = bench_flows(strtoul(list[i], NULL, 10), ifindex, json);
		if (err) {
			fprintf(stderr, "bench: %s flows: %s\n", list[i], strerror(-err));
			return 1;
		}
		fflush(stdout);
	}
	return 0;
}
