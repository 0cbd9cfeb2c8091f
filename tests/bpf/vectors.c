/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs every tests/vectors/ case three ways: whole frames through the userspace build of
 * the core, the same frames through the XDP program in the kernel, and their payloads
 * through the entry for datagrams; and in a program that links a struct vec_more, through
 * that environment besides. All must agree with the file and with each other, to
 * the byte. Prints TAP. Needs root: a network namespace, and loading a BPF program.
 *
 * Usage: vectors [FILE.vec...]; without, all of tests/vectors.
 */
#include <glob.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "core/forward.h"
#include "relay.skel.h"

#include "vec_case.h"
#define VEC_MORE_WEAK __attribute__((weak))
#include "vec_more.h"
#include "vec_net.h"

#define HEADROOM 256

/* One way of running a case, with its own state. */
struct side {
	const char *name;
	struct env env;
	struct env_tables tables;
	struct rule rules[VEC_SLOTS];
	struct flow flows[VEC_SLOTS];
	struct env_shared shared[32];
	struct env_stream streams[VEC_STREAMS];
};

/* What became of one packet. */
struct result {
	enum verdict verdict;
	__u8 frame[VEC_PACKET_MAX + HEADROOM];
	size_t len;
};

struct world {
	struct vec_net net;
	struct relay_bpf *skel;
	struct side frames, datagrams, kernel, more;
	struct vec_case c;
	bool comparable; /* no packet that only frames are refused for */
	int failures;
};

static void complain(struct world *w, const char *side, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# %s: line %d: ", side, line);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	w->failures++;
}

static void side_reset(struct side *s, const char *name, struct world *w)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	s->name = name;
	memcpy(s->rules, w->c.rules, sizeof(s->rules));
	s->tables.config = w->c.config;
	s->tables.rules = s->rules;
	s->tables.flows = s->flows;
	s->tables.shared = s->shared;
	s->tables.shared_size = 32;
	s->tables.streams = s->streams;
	s->tables.streams_size = VEC_STREAMS;
	s->env.tables = &s->tables;
	s->env.nexthop = vec_net_nexthop;
	s->env.nexthop_arg = &w->net;
	for (i = 0; i < 32; i++)
		s->shared[i].slot = TANDEM_NO_SLOT;
	for (i = 0; i < w->c.shared_count; i++) {
		struct env_shared *e = env_shared_entry(&s->tables, &w->c.shared[i], 1);

		e->key = w->c.shared[i];
		e->slot = w->c.shared_slot[i];
	}
}

static int map_fd(const struct bpf_map *map)
{
	return bpf_map__fd(map);
}

/* Empty the hash at fd; keys are at most 40 bytes. */
static void map_clear(int fd)
{
	char key[64];

	while (!bpf_map_get_next_key(fd, NULL, key))
		bpf_map_delete_elem(fd, key);
}

static void kernel_reset(struct world *w)
{
	struct reason_counters zero[64] = { 0 };
	const struct flow flow = { 0 };
	__u32 i, key = 0;

	if (libbpf_num_possible_cpus() > 64)
		vec_die("more CPUs than this test has room for");
	bpf_map_update_elem(map_fd(w->skel->maps.config), &key, &w->c.config, 0);
	bpf_map_update_elem(map_fd(w->skel->maps.counters), &key, zero, 0);
	map_clear(map_fd(w->skel->maps.shared));
	map_clear(map_fd(w->skel->maps.streams));
	for (i = 0; i < VEC_SLOTS; i++) {
		bpf_map_update_elem(map_fd(w->skel->maps.rules), &i, &w->c.rules[i], 0);
		bpf_map_update_elem(map_fd(w->skel->maps.flows), &i, &flow, 0);
	}
	for (i = 0; i < w->c.shared_count; i++)
		bpf_map_update_elem(map_fd(w->skel->maps.shared), &w->c.shared[i],
				    &w->c.shared_slot[i], 0);
}

/* Copy what the kernel counted into the side that checks look at. */
static void kernel_collect(struct world *w)
{
	int cpus = libbpf_num_possible_cpus(), cpu;
	struct reason_counters counters[64];
	struct stream_key stream;
	struct side *s = &w->kernel;
	__u32 i, key = 0;

	memset(&s->env.counters, 0, sizeof(s->env.counters));
	bpf_map_lookup_elem(map_fd(w->skel->maps.counters), &key, counters);
	for (cpu = 0; cpu < cpus; cpu++) {
		for (i = 0; i < REASON_COUNT; i++)
			s->env.counters.packets[i] += counters[cpu].packets[i];
	}
	for (i = 0; i < VEC_SLOTS; i++)
		bpf_map_lookup_elem(map_fd(w->skel->maps.flows), &i, &s->flows[i]);
	for (i = 0; i < VEC_STREAMS; i++) {
		if (!w->frames.streams[i].key)
			continue;
		stream.slot = (__u32)(w->frames.streams[i].key >> 32) - 1;
		stream.ssrc = (__u32)w->frames.streams[i].key;
		s->streams[i].key = w->frames.streams[i].key;
		bpf_map_lookup_elem(map_fd(w->skel->maps.streams), &stream, &s->streams[i].stream);
	}
}

static bool has_more(void)
{
	return &vec_more != NULL;
}

static void more_collect(struct world *w)
{
	struct side *s = &w->more;
	size_t i;

	vec_more.counters(&s->env.counters);
	memcpy(s->flows, vec_more.flows(), sizeof(s->flows));
	for (i = 0; i < VEC_STREAMS; i++) {
		__u64 key = w->frames.streams[i].key;

		s->streams[i].key = key;
		if (key)
			vec_more.stream((__u32)(key >> 32) - 1, (__u32)key, &s->streams[i].stream);
	}
}

static void run_frame(struct side *s, const struct vec_step *step, struct result *r)
{
	/* Two bytes in, so that the IP header is on a 4-byte boundary. */
	static _Alignas(8) char buffer[HEADROOM + 2 + VEC_PACKET_MAX];
	__u32 ifindex = 0;
	struct plan plan;
	struct frame f;

	memcpy(buffer + HEADROOM + 2, step->in.data, step->in.len);
	s->env.frame.buffer = buffer;
	s->env.frame.data = buffer + HEADROOM + 2;
	s->env.frame.end = s->env.frame.data + step->in.len;
	s->env.now_ns = step->now_ns;
	r->verdict = reason_verdict(relay_frame(&s->env, &f, &plan, &ifindex));
	r->len = (size_t)(s->env.frame.end - s->env.frame.data);
	memcpy(r->frame, s->env.frame.data, r->len);
}

/* Frames below an Ethernet header cannot be handed to the kernel; returns false. */
static bool run_kernel(struct world *w, const struct vec_step *step, struct result *r)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = step->in.data,
		    .data_size_in = (__u32)step->in.len, .data_out = r->frame,
		    .data_size_out = sizeof(r->frame), .repeat = 1);
	int err;

	w->skel->bss->test_now_ns = step->now_ns;
	if (step->in.len < 14)
		return false;
	err = bpf_prog_test_run_opts(bpf_program__fd(w->skel->progs.tandem_relay), &opts);
	if (err)
		vec_die("test run: %s", strerror(-err));
	r->len = opts.data_size_out;
	r->verdict = opts.retval == XDP_REDIRECT ? VERDICT_FORWARD
		     : opts.retval == XDP_DROP	 ? VERDICT_DROP
						 : VERDICT_PUNT;
	return true;
}

static void dump(const char *what, const __u8 *b, size_t n)
{
	size_t i;

	printf("#   %-8s", what);
	for (i = 0; i < n; i++)
		printf("%02x%s", b[i], i % 4 == 3 ? " " : "");
	putchar('\n');
}

static void check_bytes(struct world *w, const struct side *s, const struct vec_step *step,
			const struct result *r)
{
	const struct vec_packet *want = &step->out;

	if (reason_verdict(step->reason) == VERDICT_PUNT)
		want = &step->in;
	if (!want->len || (r->len == want->len && !memcmp(r->frame, want->data, r->len)))
		return;
	complain(w, s->name, step->line, "other bytes than expected");
	dump("expected", want->data, want->len);
	dump("got", r->frame, r->len);
}

static void check_result(struct world *w, const struct side *s, const struct vec_step *step,
			 const struct result *r, __u64 counted)
{
	if (r->verdict != reason_verdict(step->reason))
		complain(w, s->name, step->line, "verdict %d, not %d", r->verdict,
			 reason_verdict(step->reason));
	if (counted != 1)
		complain(w, s->name, step->line, "%s counted %llu times", vec_reasons[step->reason],
			 (unsigned long long)counted);
	check_bytes(w, s, step, r);
}

static void compare_frames(struct world *w, const struct side *s, const struct vec_step *step,
			   const struct result *user, const struct result *other)
{
	if (user->len == other->len && !memcmp(user->frame, other->frame, user->len))
		return;
	complain(w, s->name, step->line, "not the bytes of userspace");
	dump("user", user->frame, user->len);
	dump(s->name, other->frame, other->len);
}

static void run_more(struct world *w, const struct vec_step *step, struct result *r)
{
	struct reason_counters before, after;

	vec_more.counters(&before);
	r->len = step->in.len;
	memcpy(r->frame, step->in.data, r->len);
	r->verdict = vec_more.frame(step->now_ns, r->frame, &r->len, sizeof(r->frame));
	vec_more.counters(&after);
	check_result(w, &w->more, step, r,
		     after.packets[step->reason] - before.packets[step->reason]);
}

/* Reasons that only a frame can end with; a socket's datagram is past all that. */
static bool frames_only(enum reason reason)
{
	switch (reason) {
	case REASON_not_ip:
	case REASON_not_udp:
	case REASON_bad_header:
	case REASON_fragment:
	case REASON_ip_options:
	case REASON_no_route:
	case REASON_no_neighbour:
	case REASON_no_egress_port:
	case REASON_too_big:
	case REASON_zero_checksum:
	case REASON_no_headroom:
		return true;
	default:
		return false;
	}
}

static void step_datagram(struct world *w, const struct vec_step *step, const struct result *frame)
{
	static _Alignas(8) __u8 payload[VEC_PACKET_MAX];
	struct side *s = &w->datagrams;
	const struct vec_packet *in = &step->in;
	struct flow_key key = { 0 };
	struct plan plan;
	enum reason reason;
	__u32 len;

	if (frames_only(step->reason)) {
		w->comparable = false;
		return;
	}
	len = (__u32)(in->data[in->l4 + 4] << 8 | in->data[in->l4 + 5]) - 8;
	memcpy(payload, in->data + in->payload, len);
	if (in->v6) {
		memcpy(&key.remote, in->data + in->l3 + 8, 16);
		memcpy(&key.local, in->data + in->l3 + 24, 16);
	} else {
		memset(key.remote.b + 10, 0xff, 2);
		memset(key.local.b + 10, 0xff, 2);
		memcpy(key.remote.b + 12, in->data + in->l3 + 12, 4);
		memcpy(key.local.b + 12, in->data + in->l3 + 16, 4);
	}
	memcpy(&key.remote_port, in->data + in->l4, 2);
	memcpy(&key.local_port, in->data + in->l4 + 2, 2);
	s->env.now_ns = step->now_ns;
	reason = relay_datagram(&s->env, &key, payload, len, &plan);
	if (reason != step->reason)
		complain(w, s->name, step->line, "%s, not %s", vec_reasons[reason],
			 vec_reasons[step->reason]);
	if (reason_verdict(reason) == VERDICT_FORWARD &&
	    memcmp(payload, frame->frame + frame->len - in->trailer - len, len))
		complain(w, s->name, step->line, "other payload than in the frame");
}

static __u64 kernel_counted(struct world *w, enum reason reason)
{
	struct reason_counters counters[64];
	__u32 key = 0;
	__u64 sum = 0;
	int cpu;

	bpf_map_lookup_elem(map_fd(w->skel->maps.counters), &key, counters);
	for (cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
		sum += counters[cpu].packets[reason];
	return sum;
}

/* Make all rules look half-written, or whole again. */
static void set_busy(struct world *w, int add)
{
	__u32 i;

	for (i = 0; i < VEC_SLOTS; i++) {
		w->c.rules[i].gen += (__u32)add;
		w->frames.rules[i].gen = w->datagrams.rules[i].gen = w->c.rules[i].gen;
		bpf_map_update_elem(map_fd(w->skel->maps.rules), &i, &w->c.rules[i], 0);
	}
	if (has_more())
		vec_more.busy(add);
}

static void run_step(struct world *w, const struct vec_step *step)
{
	static struct result frame, kernel, more;
	__u64 before = w->frames.env.counters.packets[step->reason];

	if (step->gen_odd)
		set_busy(w, 1);
	run_frame(&w->frames, step, &frame);
	check_result(w, &w->frames, step, &frame,
		     w->frames.env.counters.packets[step->reason] - before);

	before = kernel_counted(w, step->reason);
	if (run_kernel(w, step, &kernel)) {
		check_result(w, &w->kernel, step, &kernel,
			     kernel_counted(w, step->reason) - before);
		compare_frames(w, &w->kernel, step, &frame, &kernel);
	}
	step_datagram(w, step, &frame);
	if (has_more()) {
		run_more(w, step, &more);
		compare_frames(w, &w->more, step, &frame, &more);
	}
	if (step->gen_odd)
		set_busy(w, -1);
}

#include "vec_check.h"

/* The two sides' flows and streams, all but what names the host's devices. */
static void compare_sides(struct world *w, const struct side *a, const struct side *b, bool hops)
{
	struct flow fa, fb;
	__u32 i;

	for (i = 0; i < VEC_SLOTS; i++) {
		fa = a->flows[i];
		fb = b->flows[i];
		if (!hops)
			memset(&fa.nexthop, 0, sizeof(fa.nexthop));
		if (!hops)
			memset(&fb.nexthop, 0, sizeof(fb.nexthop));
		if (memcmp(&fa, &fb, sizeof(fa)))
			complain(w, b->name, 0, "flow of slot %u differs from that of %s", i,
				 a->name);
	}
	for (i = 0; i < VEC_STREAMS; i++) {
		if (memcmp(&a->streams[i], &b->streams[i], sizeof(a->streams[i])))
			complain(w, b->name, 0, "stream entry differs from that of %s", a->name);
	}
	if (memcmp(&a->env.counters, &b->env.counters, sizeof(a->env.counters)))
		complain(w, b->name, 0, "counters differ from those of %s", a->name);
}

static void run_case(struct world *w, const char *path)
{
	size_t i;
	bool tiny = false;

	vec_read(&w->c, path);
	w->failures = 0;
	w->comparable = true;
	side_reset(&w->frames, "frames", w);
	side_reset(&w->datagrams, "datagrams", w);
	side_reset(&w->kernel, "kernel", w);
	kernel_reset(w);
	if (has_more()) {
		side_reset(&w->more, vec_more.name, w);
		vec_more.reset(&w->c.config, w->c.rules, w->c.shared, w->c.shared_slot,
			       w->c.shared_count);
	}
	for (i = 0; i < w->c.step_count; i++) {
		tiny |= w->c.steps[i].in.len < 14;
		run_step(w, &w->c.steps[i]);
	}
	kernel_collect(w);
	run_checks(w, &w->frames);
	if (!tiny) {
		run_checks(w, &w->kernel);
		compare_sides(w, &w->frames, &w->kernel, true);
	}
	if (has_more()) {
		more_collect(w);
		run_checks(w, &w->more);
		compare_sides(w, &w->frames, &w->more, true);
	}
	if (w->comparable)
		compare_sides(w, &w->frames, &w->datagrams, false);
}

static int world_open(struct world *w)
{
	struct vlan_value {
		__u32 ifindex;
		__u16 tci, pad;
	} vlan = { .tci = 7 };
	struct bpf_devmap_val port = { 0 };
	int err;

	if (vec_net_open(&w->net))
		return -1;
	w->skel = relay_bpf__open();
	if (!w->skel)
		return -1;
	w->skel->rodata->test_clock = 1;
	bpf_map__set_max_entries(w->skel->maps.rules, VEC_SLOTS);
	bpf_map__set_max_entries(w->skel->maps.flows, VEC_SLOTS);
	bpf_map__set_max_entries(w->skel->maps.shared, 32);
	bpf_map__set_max_entries(w->skel->maps.streams, VEC_STREAMS * 16);
	err = relay_bpf__load(w->skel);
	if (err)
		return err;
	if (has_more())
		vec_more.open(w->net.v0, w->net.vlan);
	vlan.ifindex = w->net.v0;
	port.ifindex = w->net.v0;
	err = bpf_map_update_elem(map_fd(w->skel->maps.tx_ports), &w->net.v0, &port, 0);
	return err ? err : bpf_map_update_elem(map_fd(w->skel->maps.vlans), &w->net.vlan, &vlan, 0);
}

int main(int argc, char **argv)
{
	static struct world w;
	glob_t found = { 0 };
	size_t i, n;
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (geteuid() != 0) {
		puts("1..0 # SKIP needs root to load a BPF program");
		return 0;
	}
	if (argc < 2 && glob("tests/vectors/*.vec", 0, NULL, &found))
		vec_die("no tests/vectors/*.vec here");
	if (world_open(&w))
		vec_die("no namespace or no BPF program: %s", strerror(errno));
	n = argc < 2 ? found.gl_pathc : (size_t)argc - 1;
	printf("1..%zu\n", n);
	for (i = 0; i < n; i++) {
		const char *path = argc < 2 ? found.gl_pathv[i] : argv[i + 1];
		const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

		run_case(&w, path);
		failed += w.failures != 0;
		printf("%sok %zu - %s\n", w.failures ? "not " : "", i + 1, name);
	}
	relay_bpf__destroy(w.skel);
	globfree(&found);
	return failed ? 1 : 0;
}
