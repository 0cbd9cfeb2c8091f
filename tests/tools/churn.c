/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * churn: rules come, change and go by the thousand a second while their packets keep coming.
 *
 *   namespace --send              the relay: where churn is started         namespace --receive
 *   10.77.1.2 ---------- 10.77.1.1  plane, opened by churn itself  10.77.2.1 ---------- 10.77.2.2
 *                                                                 fd77:2::1            fd77:2::2
 *
 * Permanent flows have one destination and are let alone. Every other flow goes to its own
 * destination A, or to its own B (of odd flows an IPv6 one), or to both, or nowhere, and is changed all the
 * time, one of them (the hot one) most of all; some share the port of a permanent flow. Each rule marks what it lets pass
 * with source port, SSRC and payload type of its own, so that a packet which was handled by
 * halves of two rules is known when it arrives. All that arrives is noted, and judged at the
 * end: marks that agree, and a rule to that destination at some time between sending and
 * arrival.
 *
 * Says "ok - ..." or "not ok - ..." for each property; status 1 when one does not hold.
 */
#include <getopt.h>
#include <pthread.h>
#include <sys/mman.h>

#include "tests/tools/churn.h"
#include "tests/tools/churn_host.h"
#include "tests/tools/churn_traffic.h"

struct sample {
	uint64_t resident_kb, watched_kb, descriptors, map_bytes, flows;
};

static int failures;

static void ok(bool good, const char *name)
{
	printf("%sok - %s\n", good ? "" : "not ", name);
	fflush(stdout);
	failures += !good;
}

/* ---- rules ---- */

static void set_egress(const struct churn *c, const struct churn_flow *f, int dest,
		       struct tandem_egress *eg)
{
	eg->flags = EGRESS_F_ACTIVE | EGRESS_F_SSRC | EGRESS_F_PT;
	eg->local = c->out[f->ip6[dest]];
	eg->local_port = htons(f->out_port[dest]);
	eg->remote = c->to[f->ip6[dest]];
	eg->remote_port = htons(f->to_port[dest]);
	eg->ssrc.from = f->number;
	eg->ssrc.to = (uint32_t)dest << 24 | f->number;
	eg->pt_out[0] = mark_pt(dest);
}

static const struct tandem_fan *set_fan(const struct churn *c, const struct churn_flow *f,
					struct tandem_fan *fan)
{
	memset(fan, 0, FAN_SIZE);
	fan->branch_count = 1;
	fan->branches[0] = (struct branch){ .count = 2, .flags = BRANCH_F_ANY };
	fan->leg_count = 2;
	for (int dest = DEST_A; dest <= DEST_B; dest++) {
		fan->legs[dest - DEST_A].id = (uint32_t)dest;
		set_egress(c, f, dest, &fan->legs[dest - DEST_A].leg.egress);
	}
	return fan;
}

/* The only place that knows how a rule is written down. fan is room for one. */
static struct tandem_flow_spec flow_spec(const struct churn *c, const struct churn_flow *f,
					 int dest, struct tandem_fan *fan)
{
	struct tandem_flow_spec spec = { .id = f->number, .media_id = f->number };

	spec.key.remote = c->from;
	spec.key.remote_port = htons((uint16_t)(SEND_PORT + f->number));
	spec.key.local = c->in;
	spec.key.local_port = htons(f->in_port);
	spec.pts.clock_hz[0] = 8000;
	if (dest == DEST_BOTH)
		spec.fan = set_fan(c, f, fan);
	else if (dest != NOWHERE)
		set_egress(c, f, dest, &spec.egress[EGRESS_RTP]);
	return spec;
}

static int current(const struct churn_flow *f)
{
	return f->n_steps ? f->steps[f->n_steps - 1].dest : NOWHERE;
}

/* Hand n changes over; what they do is noted with the times between which it was done. */
static void apply(struct churn *c, struct tandem_change *changes, const int *dests, size_t n)
{
	uint64_t asked = now_ns(), done;
	int err = tandem_plane_apply(c->plane, changes, n);

	done = now_ns();
	for (size_t i = 0; i < n; i++) {
		struct churn_flow *f = &c->flows[changes[i].spec.id - 1];

		if (err || changes[i].result) {
			if (!c->failed++)
				printf("# flow %u to %d: %s\n", f->number, dests[i],
				       strerror(err ? -err : -changes[i].result));
			continue;
		}
		if (!step_add(f, dests[i], asked, done))
			c->failed++;
	}
	c->changes += n;
}

static void prepare(struct churn *c, struct churn_flow *f, int dest, struct tandem_change *change,
		    size_t place)
{
	struct tandem_fan *fan = (struct tandem_fan *)(c->fans + place * FAN_SIZE);

	change->op = dest == NOWHERE ? TANDEM_FLOW_REMOVE : TANDEM_FLOW_SET;
	change->spec = flow_spec(c, f, dest, fan);
	change->result = 0;
}

static uint32_t next_random(struct churn *c)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 17;
	c->random ^= c->random << 5;
	return c->random;
}

/* The hot one first; of the others each in turn, so that a batch has none twice. */
static struct churn_flow *next_flow(struct churn *c, size_t place)
{
	size_t behind = c->o.permanent + 1;

	return place ? &c->flows[behind + c->cursor++ % (c->n_flows - behind)] : c->hot;
}

static void change_some(struct churn *c, size_t n)
{
	struct tandem_change changes[BATCH];
	int dests[BATCH];

	for (size_t i = 0; i < n; i++) {
		struct churn_flow *f = next_flow(c, i);
		uint32_t states = c->o.plain ? 3 : 4;
		uint32_t turn = 1 + next_random(c) % (states - 1); /* to one of the others */

		dests[i] = (int)((uint32_t)current(f) + turn) % (int)states;
		prepare(c, f, dests[i], &changes[i], i);
	}
	apply(c, changes, dests, n);
}

/* total changes at the rate that was asked for, or as fast as can be. */
static void churn_rules(struct churn *c, uint64_t total)
{
	uint64_t begin = now_ns(), done = 0,
		 end = begin + total * PATIENCE * 1000000000U / c->o.rate;

	while (done < total && now_ns() < end) {
		uint64_t due = (now_ns() - begin) * c->o.rate / 1000000000U + 1;
		uint64_t n = due > done ? due - done : 0;

		n = n < total - done ? n : total - done;
		n = n < BATCH ? n : BATCH;
		if (n) {
			change_some(c, n);
			done += n;
		} else {
			usleep(200);
		}
	}
	c->achieved = (double)done * 1e9 / (double)(now_ns() - begin);
}

static void remove_all(struct churn *c)
{
	for (size_t i = c->o.permanent; i < c->n_flows; i++) {
		struct tandem_change change;

		if (current(&c->flows[i]) == NOWHERE)
			continue;
		prepare(c, &c->flows[i], NOWHERE, &change, 0);
		apply(c, &change, &(int){ NOWHERE }, 1);
	}
}

/* ---- setting up ---- */

/* Room that costs memory as it is used, and does not count as this process's own. */
static void *notes(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		die("memory");
	return p;
}

static void flow_init(struct churn *c, size_t i, size_t max_steps)
{
	struct churn_flow *f = &c->flows[i];
	size_t own = c->o.permanent + c->o.flows;

	f->number = (uint32_t)i + 1;
	f->permanent = i < c->o.permanent;
	/* A guest is on the port of a permanent flow. */
	f->in_port = (uint16_t)(PORT_MIN + 2 * (i < own ? i : (i - own) % c->o.permanent));
	for (int dest = DEST_A; dest <= DEST_B; dest++) {
		f->out_port[dest] = (uint16_t)(PORT_MIN + 2 * i + (dest == DEST_B));
		f->to_port[dest] = (uint16_t)(TO_PORT + 2 * i + (dest == DEST_B));
	}
	f->ip6[f->permanent ? DEST_A : DEST_B] = i % 2;
	f->max_steps = max_steps;
	f->steps = notes(max_steps * sizeof(*f->steps));
}

static void sockets_open(struct churn *c)
{
	enter(c->o.send_ns);
	for (size_t i = 0; i < c->n_flows; i++)
		c->flows[i].fd = udp_socket(&c->from, (uint16_t)(SEND_PORT + c->flows[i].number),
					    SO_SNDBUF, 1 << 20);
	enter(c->o.receive_ns);
	c->tap = tap_socket();
	/* Never read: they keep the host from answering that nobody is there. */
	for (size_t i = 0; i < c->n_flows; i++) {
		const struct churn_flow *f = &c->flows[i];

		for (int dest = DEST_A; dest <= DEST_B; dest++)
			udp_socket(&c->to[f->ip6[dest]], f->to_port[dest], SO_RCVBUF, 1);
	}
	enter(NULL);
}

static void plane_open(struct churn *c)
{
	struct tandem_datapath_config cfg = {
		.locals = { { c->in }, { c->out[0] }, { c->out[1] } },
		.locals_count = 3,
		.port_min = PORT_MIN,
		.port_max = PORT_MIN + PORT_COUNT - 1,
		.flow_capacity = 3 * PORT_COUNT + 256,
		.stream_capacity = 256,
		.fan_capacity = PORT_COUNT,
		.leg_capacity = 4 * PORT_COUNT,
		.nexthop_age_ms = 100,
		.bpf_dir = c->o.bpf_dir,
		.dpdk_socket = c->o.dpdk_socket,
		.interfaces = c->o.interfaces,
		.interfaces_count = c->o.n_interfaces,
		.fresh = true,
	};
	char why[512];
	int err = tandem_plane_open(&c->plane, c->o.datapath, &cfg, why, sizeof(why));

	if (err) {
		printf("not ok - the plane opens: %s\n", why);
		exit(1);
	}
	printf("# %s: %s\n", tandem_plane_name(c->plane), tandem_plane_describe(c->plane));
}

static void setup(struct churn *c)
{
	uint64_t changes = (c->o.seconds + 1) * c->o.rate;

	c->n_flows = c->o.permanent + c->o.flows + c->o.guests;
	c->flows = calloc(c->n_flows, sizeof(*c->flows));
	c->max_arrived = c->o.pps * ((c->o.seconds + 1) * PATIENCE + SETTLE_S);
	c->arrived = notes(c->max_arrived * sizeof(*c->arrived));
	if (!c->flows || tandem_ip_parse(&c->from, "10.77.1.2") ||
	    tandem_ip_parse(&c->in, "10.77.1.1") || tandem_ip_parse(&c->out[0], "10.77.2.1") ||
	    tandem_ip_parse(&c->out[1], "fd77:2::1") || tandem_ip_parse(&c->to[0], "10.77.2.2") ||
	    tandem_ip_parse(&c->to[1], "fd77:2::2"))
		die("setting up");
	c->hot = &c->flows[c->o.permanent];
	for (size_t i = 0; i < c->n_flows; i++)
		flow_init(c, i,
			  &c->flows[i] == c->hot
				  ? changes + 64
				  : changes / (c->n_flows - c->o.permanent - 1) + 64);
	c->random = 0x9e3779b9;
	sockets_open(c);
	plane_open(c);
	for (size_t i = 0; i < c->o.permanent; i++) {
		struct tandem_change change;

		prepare(c, &c->flows[i], DEST_A, &change, 0);
		apply(c, &change, &(int){ DEST_A }, 1);
	}
}

static void pause_traffic(struct churn *c)
{
	c->paused = true;
	while (!c->idle)
		usleep(1000);
	drain(c);
}

static size_t heard(struct churn *c)
{
	unsigned char *seen = calloc(c->n_flows + 1, 1);
	size_t n = c->n_arrived, count = 0;

	for (size_t i = 0; seen && i < n; i++)
		seen[c->arrived[i].flow] = 1;
	for (size_t i = 1; seen && i <= c->o.permanent; i++)
		count += seen[i];
	free(seen);
	return count;
}

static uint64_t forwarded(struct churn *c, const struct churn_flow *f)
{
	struct tandem_flow_stats stats;

	return tandem_plane_read(c->plane, f->number, &stats) ? 0 : stats.flow.packets;
}

/* Until every permanent flow is heard, neighbours are found; what counts begins then. */
static void settle(struct churn *c)
{
	uint64_t end = now_ns() + SETTLE_S * 1000000000ULL;

	while (heard(c) < c->o.permanent && now_ns() < end)
		pause_ms(50);
	ok(heard(c) == c->o.permanent, "every permanent flow is heard");
	pause_traffic(c);
	use_every_buffer(c);
	drain(c);
	for (size_t i = 0; i < c->o.permanent; i++) {
		c->flows[i].first = c->flows[i].sent;
		c->flows[i].packets = forwarded(c, &c->flows[i]);
	}
	c->paused = false;
}

/* ---- what is measured ---- */

static void count_h(const struct tandem_flow_spec *spec, void *arg)
{
	++*(uint64_t *)arg;
}

static void sample(struct churn *c, struct sample *s)
{
	memset(s, 0, sizeof(*s));
	s->resident_kb = resident_kb(getpid());
	if (c->o.watch)
		s->watched_kb = resident_kb((long)c->o.watch);
	descriptors(&s->descriptors, &s->map_bytes);
	tandem_plane_list(c->plane, count_h, &s->flows);
}

/* Sockets are closed behind the back of the change that removed the flow: wait for the last. */
static void sample_settled(struct churn *c, struct sample *s, const struct sample *want)
{
	for (int i = 0; i < 100; i++) {
		sample(c, s);
		if (!want || s->descriptors <= want->descriptors)
			return;
		pause_ms(50);
	}
}

/* Packets to media ports that a datapath has taken, whatever became of them. */
static uint64_t taken(const struct reason_counters *counters)
{
	enum { FORWARD, DROP, PUNT, NOTE };
	static const int kinds[] = {
#define REASON(name, kind, help) [REASON_##name] = kind,
#include "core/counters.def"
#undef REASON
	};
	uint64_t sum = 0;

	for (int i = 0; i < REASON_COUNT; i++) {
		if (i > REASON_not_media_port || kinds[i] == FORWARD)
			sum += kinds[i] == NOTE || i == REASON_send_failed ? 0
									   : counters->packets[i];
	}
	return sum;
}

struct losses {
	uint64_t devices, sockets, tap;
};

static void losses(struct churn *c, struct losses *l)
{
	const char *const spaces[] = { c->o.send_ns, NULL, c->o.receive_ns };

	l->devices = 0;
	for (int i = 0; i < 3; i++) {
		enter(spaces[i]);
		l->devices += device_drops();
		if (!spaces[i])
			l->sockets = socket_drops();
	}
	enter(NULL);
	l->tap += tap_drops(c->tap);
}

/* What of the permanent flows may be missing: only what was lost before the datapath saw it. */
static void judge_losses(struct churn *c, const struct verdicts *v, const struct losses *before)
{
	struct reason_counters fast, slow;
	uint64_t passed = 0, allowed, elsewhere;
	struct losses l = { 0 };
	const char *name = tandem_plane_name(c->plane);

	losses(c, &l);
	tandem_plane_counters(c->plane, &fast, &slow);
	for (size_t i = 0; i < c->o.permanent; i++)
		passed += forwarded(c, &c->flows[i]) - c->flows[i].packets;
	elsewhere = l.devices - before->devices + l.tap;
	allowed = elsewhere;
	if (strcmp(name, "uring") == 0)
		allowed += l.sockets - before->sockets;
	else if (strcmp(name, "dpdk") == 0)
		allowed += c->sent > taken(&fast) ? c->sent - taken(&fast) : 0;
	printf("# permanent flows: sent %lu, forwarded %lu, arrived %lu\n", v->permanent_sent,
	       passed, v->permanent_arrived);
	printf("# all: sent %lu, taken by the fast path %lu, by io_uring %lu; lost by devices %lu, "
	       "sockets %lu, the tap %lu\n",
	       (uint64_t)c->sent, taken(&fast), taken(&slow), l.devices - before->devices,
	       l.sockets - before->sockets, l.tap);
	printf("# busy rules: fast path %llu, io_uring %llu\n", fast.packets[REASON_rule_busy],
	       slow.packets[REASON_rule_busy]);
	ok(v->permanent_sent <= v->permanent_arrived + allowed,
	   "the permanent flows lost nothing that had reached the datapath");
	ok(passed <= v->permanent_arrived + elsewhere, "what it counts as forwarded has arrived");
}

static void judge_memory(struct churn *c, const struct sample *a, const struct sample *b)
{
	printf("# memory: %lu kB, then %lu kB; watched process %lu kB, then %lu kB; maps %lu "
	       "bytes, "
	       "then %lu; descriptors %lu, then %lu\n",
	       a->resident_kb, b->resident_kb, a->watched_kb, b->watched_kb, a->map_bytes,
	       b->map_bytes, a->descriptors, b->descriptors);
	ok(b->resident_kb <= a->resident_kb + c->o.rss_kb, "memory does not grow");
	if (c->o.watch)
		ok(b->watched_kb <= a->watched_kb + c->o.rss_kb, "nor does the watched process");
	ok(b->map_bytes == a->map_bytes, "nor do the maps");
	ok(b->descriptors <= a->descriptors, "no socket is left open");
	ok(a->flows == b->flows && (b->flows == c->o.permanent || b->flows == 0),
	   "the permanent flows alone are left in the fast path");
}

static void judge_all(struct churn *c, const struct losses *before)
{
	struct verdicts v;

	judge(c->flows, c->n_flows, c->arrived, c->n_arrived, &v);
	v.unknown = c->unknown;
	printf("# %lu changes, %.0f a second; %lu packets arrived\n", c->changes, c->achieved,
	       v.arrived);
	ok(!c->failed, "every change was done");
	ok(c->changes * ENOUGH >= (c->o.seconds + 1) * c->o.rate, "there were enough of them");
	printf("# crossed %lu, stale %lu, twice %lu, unknown %lu, unheard flows %u\n", v.crossed,
	       v.stale, v.twice, v.unknown, v.starved);
	ok(v.starved == 0, "every flow was heard at each of its destinations");
	ok(v.crossed == 0, "no packet bears the marks of two rules");
	ok(v.stale == 0, "no packet went where no rule sent it at the time");
	ok(v.twice == 0, "no packet came twice");
	ok(v.unknown == 0, "nothing else came");
	judge_losses(c, &v, before);
}

/* ---- main ---- */

static void run(struct churn *c)
{
	pthread_t sender, receiver;
	struct sample early, late;
	struct losses before = { 0 };

	if (pthread_create(&receiver, NULL, receive_all, c) ||
	    pthread_create(&sender, NULL, send_all, c))
		die("thread");
	settle(c);
	losses(c, &before);
	/* Once round, so that everything which is kept for next time is there. */
	churn_rules(c, c->o.rate);
	remove_all(c);
	pause_ms(QUIET_MS);
	sample_settled(c, &early, NULL);
	churn_rules(c, c->o.rate * c->o.seconds);
	remove_all(c);
	pause_ms(QUIET_MS); /* packets go on coming for rules that are gone */
	c->stop_sending = true;
	pthread_join(sender, NULL);
	drain(c);
	sample_settled(c, &late, &early);
	c->stop_receiving = true;
	pthread_join(receiver, NULL);
	judge_all(c, &before);
	judge_memory(c, &early, &late);
}

static void clean(struct churn *c)
{
	tandem_plane_close(c->plane, false);
	for (size_t i = 0; i < c->n_flows; i++)
		munmap(c->flows[i].steps, c->flows[i].max_steps * sizeof(struct step));
	munmap(c->arrived, c->max_arrived * sizeof(*c->arrived));
	free(c->flows);
}

static void usage(void)
{
	fputs("usage: churn --datapath NAME --send NETNS --receive NETNS [options]\n"
	      "  --interface DEV     one of the relay's devices; may be repeated (xdp)\n"
	      "  --bpf-dir DIR       for pins (xdp)\n"
	      "  --dpdk-socket PATH  of the worker (dpdk)\n"
	      "  --seconds N         after a first one that does not count (default 5)\n"
	      "  --rate N            changes a second (default 10000)\n"
	      "  --pps N             packets a second, all flows together (default 60000)\n"
	      "  --flows N           that change (default 64)\n"
	      "  --permanent N       that do not (default 8)\n"
	      "  --guests N          that change on ports of permanent ones (default 8)\n"
	      "  --plain             one destination at a time, no copies\n"
	      "  --watch PID         a process whose memory may not grow either\n"
	      "  --rss-kb N          growth that is no growth (default 1024)\n",
	      stderr);
	exit(2);
}

static const struct option long_options[] = {
	{ "datapath", 1, NULL, 0 },    { "send", 1, NULL, 1 },
	{ "receive", 1, NULL, 2 },     { "bpf-dir", 1, NULL, 3 },
	{ "dpdk-socket", 1, NULL, 4 }, { "interface", 1, NULL, 5 },
	{ "seconds", 1, NULL, 6 },     { "rate", 1, NULL, 7 },
	{ "pps", 1, NULL, 8 },	       { "flows", 1, NULL, 9 },
	{ "permanent", 1, NULL, 10 },  { "guests", 1, NULL, 11 },
	{ "watch", 1, NULL, 12 },      { "rss-kb", 1, NULL, 13 },
	{ "plain", 0, NULL, 14 },      { 0 },
};

static void parse(struct options *o, int argc, char **argv)
{
	const char **texts[] = { &o->datapath, &o->send_ns, &o->receive_ns, &o->bpf_dir,
				 &o->dpdk_socket };
	unsigned long *numbers[] = { &o->seconds,   &o->rate,	&o->pps,   &o->flows,
				     &o->permanent, &o->guests, &o->watch, &o->rss_kb };
	int opt;

	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (opt > 14)
			usage();
		else if (opt == 14)
			o->plain = true;
		else if (opt < 5)
			*texts[opt] = optarg;
		else if (opt > 5)
			*numbers[opt - 6] = strtoul(optarg, NULL, 10);
		else if (o->n_interfaces < 8)
			o->interfaces[o->n_interfaces++] = optarg;
	}
	if (!o->datapath || !o->send_ns || !o->receive_ns || optind != argc || !o->seconds ||
	    !o->rate || !o->pps || !o->permanent || o->flows < BATCH ||
	    o->flows + o->permanent + o->guests > PORT_COUNT / 2)
		usage();
}

int main(int argc, char **argv)
{
	static struct churn c = { .o = { .bpf_dir = "/sys/fs/bpf/tandem-churn",
					 .dpdk_socket = "/run/tandem-dpdk.sock",
					 .seconds = 5,
					 .rate = 10000,
					 .pps = 60000,
					 .flows = 64,
					 .permanent = 8,
					 .guests = 8,
					 .rss_kb = 1024 } };

	parse(&c.o, argc, argv);
	setup(&c);
	run(&c);
	clean(&c);
	return failures ? 1 : 0;
}
