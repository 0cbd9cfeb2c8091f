/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The XDP program step by step, and beside it a bare program that only looks up one hash and
 * redirects: all under BPF_PROG_TEST_RUN, all fed by the mill (mill.bpf.c), in turns.
 *
 *   [ a network namespace of its own ]
 *      mill -> relay, up to some step -> (redirect to out0)       out0 <-veth-> out1
 *      mill -> bare                   -> (redirect to out0)
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "bench/core.h"
#include "bench/core_flows.h"
#include "mill.skel.h"
#include "steps.skel.h"

#define PROGRAMS 11
#define WINDOWS	 5 /* of a round */

struct frame {
	uint8_t eth[14], ip[20], udp[8], rtp[CORE_RTP_LEN];
} __attribute__((packed));

/* In the order of the pipeline; the first two are what the others are compared with. */
struct program {
	const char *what;
	int fd;
	uint32_t verdict; /* that proves it did its work */
};

struct bench {
	struct steps_bpf *relay;
	struct mill_bpf *mill;
	uint32_t ifindex, packets; /* packets: of a window */
	struct tandem_table table;
	struct tandem_table_memory memory;
	struct program programs[PROGRAMS];
	double ns[PROGRAMS][CORE_MAX_ROUNDS];
};

/* A veth whose next hop is known for good, so that bpf_fib_lookup has an answer. */
static int namespace_up(uint32_t *ifindex)
{
	if (unshare(CLONE_NEWNET))
		return -errno;
	if (tandem_lab_shell(
		    "ip link set lo up && ip link add out0 type veth peer name out1 && "
		    "ip link set out0 up && ip link set out1 up && "
		    "ip addr add 10.77.2.1/24 dev out0 && ip addr add 10.77.1.1/24 dev out0 && "
		    "ip neigh add 10.77.2.2 lladdr 02:00:00:00:02:02 dev out0 nud permanent && "
		    "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0"))
		return -EIO;
	*ifindex = if_nametoindex("out0");
	return 0;
}

static void frame_template(struct frame *f)
{
	static const uint8_t udp_len[2] = { 0, 8 + sizeof(f->rtp) };

	memset(f, 0, sizeof(*f));
	f->eth[12] = 0x08;
	f->ip[0] = 0x45;
	f->ip[3] = sizeof(f->ip) + sizeof(f->udp) + sizeof(f->rtp);
	f->ip[8] = 64;
	f->ip[9] = IPPROTO_UDP;
	f->udp[0] = CORE_CALLER >> 8;
	f->udp[1] = CORE_CALLER & 0xff;
	memcpy(f->udp + 4, udp_len, 2);
	f->rtp[0] = 0x80;
	f->rtp[11] = 1;
}

static void *map_memory(const struct bpf_map *map)
{
	size_t size = (size_t)bpf_map__max_entries(map) * bpf_map__value_size(map);
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return p == MAP_FAILED ? NULL : p;
}

static void unmap(void *p, const struct bpf_map *map)
{
	if (p)
		munmap(p, (size_t)bpf_map__max_entries(map) * bpf_map__value_size(map));
}

static int install(struct bench *b, const struct relay_config *cfg, uint32_t flows)
{
	uint32_t zero = 0;
	int err;

	b->memory.entries = map_memory(b->relay->maps.entries);
	b->memory.rules_more = map_memory(b->relay->maps.rules_more);
	b->memory.flows_more = map_memory(b->relay->maps.flows_more);
	if (!b->memory.entries || !b->memory.rules_more || !b->memory.flows_more)
		return -ENOMEM;
	err = tandem_table_init(&b->table, cfg, &b->memory, NULL, NULL);
	if (!err)
		err = tandem_core_install(&b->table, flows, 1); /* of which the mill uses some */
	if (!err && bpf_map_update_elem(bpf_map__fd(b->relay->maps.config), &zero, cfg, 0))
		err = -errno;
	return err;
}

static int relay_load(struct bench *b, uint32_t flows)
{
	struct relay_config cfg;
	struct bpf_devmap_val port = { .ifindex = b->ifindex };

	tandem_core_config(&cfg, flows, 1);
	b->relay = steps_bpf__open();
	if (!b->relay)
		return -errno;
	bpf_program__set_autoload(b->relay->progs.tandem_copy, false);
	bpf_map__set_max_entries(b->relay->maps.entries, cfg.slots);
	bpf_map__set_max_entries(b->relay->maps.rules_more, cfg.slots);
	bpf_map__set_max_entries(b->relay->maps.flows_more, cfg.slots);
	if (steps_bpf__load(b->relay) ||
	    bpf_map_update_elem(bpf_map__fd(b->relay->maps.tx_ports), &b->ifindex, &port, 0))
		return -errno;
	b->relay->bss->ways_watched_ns = UINT64_MAX; /* nothing changes here */
	return install(b, &cfg, flows);
}

static int mill_load(struct bench *b, uint32_t flows)
{
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
	} target = { .daddr = htonl(CORE_CALLEE), .ifindex = b->ifindex };
	struct frame frame;
	uint32_t zero = 0;

	b->mill = mill_bpf__open();
	if (!b->mill)
		return -errno;
	b->mill->rodata->flows = flows;
	b->mill->rodata->ports = CORE_PORTS;
	b->mill->rodata->port_base = CORE_PORT_BASE;
	b->mill->rodata->saddr = CORE_REMOTE;
	b->mill->rodata->first_daddr = CORE_LOCAL;
	bpf_map__set_max_entries(b->mill->maps.targets, flows);
	if (mill_bpf__load(b->mill))
		return -errno;
	frame_template(&frame);
	memcpy(b->mill->bss->template, &frame, sizeof(b->mill->bss->template));
	if (bpf_map_update_elem(bpf_map__fd(b->mill->maps.out), &zero, &b->ifindex, 0))
		return -errno;
	for (uint32_t i = 0; i < flows; i++) {
		key.saddr = htonl(CORE_REMOTE);
		key.daddr = htonl(CORE_LOCAL + i / CORE_PORTS);
		key.sport = htons(CORE_CALLER);
		key.dport = htons((uint16_t)(CORE_PORT_BASE + i % CORE_PORTS));
		if (bpf_map_update_elem(bpf_map__fd(b->mill->maps.targets), &key, &target, 0))
			return -errno;
	}
	return 0;
}

#define PROGRAM(what, prog, verdict)                                                               \
	{                                                                                          \
		what, bpf_program__fd(prog), verdict                                               \
	}

static void programs_list(struct bench *b)
{
	const struct program list[PROGRAMS] = {
		PROGRAM("mill", b->mill->progs.idle, XDP_DROP),
		PROGRAM("bare", b->mill->progs.bare, XDP_REDIRECT),
		PROGRAM("parse", b->relay->progs.step_parse, XDP_DROP),
		PROGRAM("classify, look up", b->relay->progs.step_look_up, XDP_DROP),
		PROGRAM("plan", b->relay->progs.step_plan, XDP_DROP),
		PROGRAM("next hop", b->relay->progs.step_nexthop, XDP_DROP),
		PROGRAM("account", b->relay->progs.step_account, XDP_DROP),
		PROGRAM("translate", b->relay->progs.step_translate, XDP_DROP),
		PROGRAM("rewrite", b->relay->progs.step_rewrite, XDP_DROP),
		PROGRAM("count", b->relay->progs.step_count, XDP_DROP),
		PROGRAM("emit", b->relay->progs.tandem_relay, XDP_REDIRECT),
	};

	memcpy(b->programs, list, sizeof(list));
}

/* ns per packet of the mill followed by the program. */
static int run(const struct bench *b, const struct program *p, double *ns)
{
	struct xdp_md ctx = { .data_end = sizeof(struct frame), .ingress_ifindex = b->ifindex };
	struct frame in, out;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &in, .data_size_in = sizeof(in),
		    .data_out = &out, .data_size_out = sizeof(out), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = (int)b->packets);
	uint32_t zero = 0;
	int err;

	frame_template(&in);
	err = bpf_map_update_elem(bpf_map__fd(b->mill->maps.under_test), &zero, &p->fd, 0);
	if (!err)
		err = bpf_prog_test_run_opts(bpf_program__fd(b->mill->progs.mill), &opts);
	if (err)
		return -errno;
	if (opts.retval != p->verdict) {
		fprintf(stderr, "bench: %s: verdict %u where %u was expected\n", p->what,
			opts.retval, p->verdict);
		return -EPROTO;
	}
	*ns = opts.duration;
	return 0;
}

static int one_window(struct bench *b, double least[PROGRAMS])
{
	for (int k = 0; k < PROGRAMS; k++) {
		double ns = 0;
		int err = run(b, &b->programs[k], &ns);

		if (err)
			return err;
		if (!least[k] || ns < least[k])
			least[k] = ns;
	}
	return 0;
}

/*
 * Windows alternate between the programs, so that a slow moment of the machine hits all of them; of a
 * round's windows the least counts for each, since what others do on the machine only ever adds.
 */
static int take_turns(struct bench *b, int rounds)
{
	for (int i = -1; i < rounds; i++) { /* the first round warms up */
		double least[PROGRAMS] = { 0 };

		for (int w = 0; w < WINDOWS; w++) {
			int err = one_window(b, least);

			if (err)
				return err;
		}
		for (int k = 0; k < PROGRAMS && i >= 0; k++)
			b->ns[k][i] = least[k];
	}
	return 0;
}

/* What each step adds to the one before; the mill's own cost is in none of them. */
static int rows(struct bench *b, uint32_t flows, int rounds, struct core_report *report)
{
	struct core_row row = { .datapath = "xdp", .unit = "ns", .flows = flows, .copies = 1 };
	struct figure figures[PROGRAMS], nothing = { 0 };
	double ratio[CORE_MAX_ROUNDS];
	int err = 0;

	for (int i = 0; i < rounds; i++)
		ratio[i] = (b->ns[PROGRAMS - 1][i] - b->ns[0][i]) / (b->ns[1][i] - b->ns[0][i]);
	for (int k = 0; k < PROGRAMS && !err; k++) {
		const struct figure *before = k == 0 ? &nothing : &figures[k < 3 ? 0 : k - 1];

		figures[k] = tandem_figure(b->ns[k], (size_t)rounds);
		snprintf(row.what, sizeof(row.what), "%s", b->programs[k].what);
		err = tandem_core_between(report, &row, before, &figures[k]);
	}
	strcpy(row.what, "whole");
	if (!err)
		err = tandem_core_between(report, &row, &figures[0], &figures[PROGRAMS - 1]);
	strcpy(row.what, "whole/bare");
	strcpy(row.unit, "ratio");
	return err ? err : tandem_core_add(report, &row, ratio, (size_t)rounds);
}

static void close_h(void *arg)
{
	struct bench *b = arg;

	tandem_table_clean(&b->table);
	if (b->relay) {
		unmap(b->memory.entries, b->relay->maps.entries);
		unmap(b->memory.rules_more, b->relay->maps.rules_more);
		unmap(b->memory.flows_more, b->relay->maps.flows_more);
	}
	steps_bpf__destroy(b->relay);
	free(b);
}

/* The programs take their time to be verified: that is done once. */
static int open_h(const struct core_options *opts, void **arg)
{
	struct bench *b = calloc(1, sizeof(*b));
	int err;

	if (!b)
		return -ENOMEM;
	b->packets = opts->packets / WINDOWS;
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
	err = namespace_up(&b->ifindex);
	if (!err)
		err = relay_load(b, tandem_core_most(opts));
	if (err) {
		fprintf(stderr, "bench: XDP: %s\n", strerror(-err));
		close_h(b);
		return err;
	}
	*arg = b;
	return 0;
}

static int measure(const struct core_options *opts, uint32_t flows, uint32_t copies,
		   struct core_report *report, void *arg)
{
	struct bench *b = arg;
	int err;

	if (copies > 1) /* the driver makes them: `tandem bench --copies` measures that */
		return -EOPNOTSUPP;
	err = mill_load(b, flows);
	if (!err) {
		programs_list(b);
		err = take_turns(b, opts->rounds);
	}
	if (!err)
		err = rows(b, flows, opts->rounds, report);
	if (err)
		fprintf(stderr, "bench: XDP with %u flows: %s\n", flows, strerror(-err));
	mill_bpf__destroy(b->mill);
	b->mill = NULL;
	return err;
}

const struct core_datapath tandem_core_xdp = { "xdp", open_h, close_h, measure };
