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
#include <errno.h>
#include <glob.h>
#include <unistd.h>

#include "vec_side.h"

#include "vec_check.h"
#include "vec_kernel.h"
#include "vec_user.h"

static bool has_more(void)
{
	return &vec_more != NULL;
}

static void more_reset(struct world *w)
{
	const struct vec_tables tables = {
		.config = &w->c.config,
		.entries = w->c.entries,
		.rules_more = w->c.rules_more,
		.fans = w->c.fans,
		.legs = w->c.legs,
		.shared = w->c.shared,
		.shared_slot = w->c.shared_slot,
		.shared_count = w->c.shared_count,
		.srtp_keys = vec_srtp.keys,
	};

	side_reset(&w->more, vec_more.name, w);
	vec_more.reset(&tables);
}

static void more_collect(struct world *w)
{
	struct side *s = &w->more;
	size_t i;

	vec_more.counters(&s->env.counters);
	memcpy(s->entries, vec_more.entries(), sizeof(s->entries));
	memcpy(s->flows_more, vec_more.flows_more(), sizeof(s->flows_more));
	memcpy(s->fan_states, vec_more.fan_states(), sizeof(s->fan_states));
	memcpy(s->leg_states, vec_more.leg_states(), sizeof(s->leg_states));
	memcpy(s->srtp_streams, vec_more.srtp_streams(), sizeof(s->srtp_streams));
	for (i = 0; i < VEC_STREAMS; i++) {
		__u64 key = w->frames.streams[i].key;

		s->streams[i].key = key;
		if (key)
			vec_more.stream((__u32)(key >> 32) - 1, (__u32)key, &s->streams[i].extra);
	}
}

static void dump(const char *what, const __u8 *b, size_t n)
{
	size_t i;

	printf("#   %-8s", what);
	for (i = 0; i < n; i++)
		printf("%02x%s", b[i], i % 4 == 3 ? " " : "");
	putchar('\n');
}

/* One frame against what was expected of it, or what another side made of it. */
static void check_frame(struct world *w, const struct side *s, const struct vec_step *step,
			const char *than, const __u8 *want, size_t len, const struct vec_bytes *got)
{
	if (got->len == len && !memcmp(got->data, want, len))
		return;
	complain(w, s->name, step->line, "other bytes than %s", than);
	dump(than, want, len);
	dump(s->name, got->data, got->len);
}

static void check_frames(struct world *w, const struct side *s, const struct vec_step *step,
			 const struct result *r)
{
	const struct vec_packet *want = step->outs;
	size_t count = step->out_count, i;

	if (reason_verdict(step->reason) == VERDICT_PUNT) {
		want = &step->in;
		count = 1;
	}
	if (count && r->count != count)
		complain(w, s->name, step->line, "%zu frames, not %zu", r->count, count);
	for (i = 0; i < count && i < r->count; i++)
		check_frame(w, s, step, "expected", want[i].data, want[i].len, &r->frames[i]);
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
	check_frames(w, s, step, r);
}

static void compare_frames(struct world *w, const struct side *s, const struct vec_step *step,
			   const struct result *user, const struct result *other)
{
	size_t i;

	if (user->count != other->count)
		complain(w, s->name, step->line, "%zu frames, %zu in userspace", other->count,
			 user->count);
	for (i = 0; i < user->count && i < other->count; i++)
		check_frame(w, s, step, "userspace", user->frames[i].data, user->frames[i].len,
			    &other->frames[i]);
}

static void more_frame(const void *frame, size_t len, void *arg)
{
	struct vec_bytes *b = result_add(arg);

	if (len > sizeof(b->data))
		vec_die("frame grown beyond all bounds");
	b->len = len;
	memcpy(b->data, frame, len);
}

static void run_more(struct world *w, const struct vec_step *step, struct result *r)
{
	struct reason_counters before, after;

	vec_more.counters(&before);
	r->count = 0;
	r->verdict = vec_more.frame(step->now_ns, step->in.data, step->in.len, more_frame, r);
	vec_more.counters(&after);
	check_result(w, &w->more, step, r,
		     after.packets[step->reason] - before.packets[step->reason]);
}

/* Make all rules look half-written, or whole again. */
static void set_busy(struct world *w, int add)
{
	struct entry entry;
	__u32 i;

	for (i = 0; i < VEC_SLOTS; i++) {
		w->frames.entries[i].rule.gen += (__u32)add;
		w->datagrams.entries[i].rule.gen += (__u32)add;
		bpf_map_lookup_elem(map_fd(w->skel->maps.entries), &i, &entry);
		entry.rule.gen += (__u32)add;
		bpf_map_update_elem(map_fd(w->skel->maps.entries), &i, &entry, 0);
	}
	if (has_more())
		vec_more.busy(add);
}

static void set_network(struct world *w, bool up)
{
	vec_net_late(&w->net, up);
	if (has_more())
		vec_more.network();
}

static void run_step(struct world *w, const struct vec_step *step)
{
	static struct result frame, kernel, more;
	__u64 before = w->frames.env.counters.packets[step->reason], unable;

	if (step->gen_odd)
		set_busy(w, 1);
	if (step->network)
		set_network(w, !strcmp(step->network, "up"));
	run_frame(w, step, &frame);
	check_result(w, &w->frames, step, &frame,
		     w->frames.env.counters.packets[step->reason] - before);

	before = kernel_counted(w, step->reason);
	unable = kernel_counted(w, REASON_srtp_suite);
	if (run_kernel(w, step, &kernel) && !kernel_unable(w, step, &kernel, unable)) {
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

/* State of legs and fans; without hops, what is sent alone. */
static void compare_legs(struct world *w, const struct side *a, const struct side *b, bool hops)
{
	struct leg_state la, lb;
	__u32 i;

	for (i = 0; i < VEC_LEGS; i++) {
		la = a->leg_states[i];
		lb = b->leg_states[i];
		if (!hops)
			memset(&la.nexthop, 0, sizeof(la.nexthop));
		if (!hops)
			memset(&lb.nexthop, 0, sizeof(lb.nexthop));
		if (memcmp(&la, &lb, sizeof(la)))
			complain(w, b->name, 0, "state of leg %u differs from that of %s", i,
				 a->name);
	}
	for (i = 0; hops && i < VEC_FANS; i++) {
		if (memcmp(&a->fan_states[i], &b->fan_states[i], sizeof(a->fan_states[i])))
			complain(w, b->name, 0, "state of fan %u differs from that of %s", i,
				 a->name);
	}
}

/* The two sides' flows and streams, all but what names the host's devices. */
static void compare_sides(struct world *w, const struct side *a, const struct side *b, bool hops)
{
	struct flow fa, fb;
	__u32 i;

	for (i = 0; i < VEC_SLOTS; i++) {
		fa = a->entries[i].flow;
		fb = b->entries[i].flow;
		if (!hops)
			memset(&fa.nexthop, 0, sizeof(fa.nexthop));
		if (!hops)
			memset(&fb.nexthop, 0, sizeof(fb.nexthop));
		if (memcmp(&fa, &fb, sizeof(fa)) ||
		    memcmp(&a->flows_more[i], &b->flows_more[i], sizeof(a->flows_more[i])))
			complain(w, b->name, 0, "flow of slot %u differs from that of %s", i,
				 a->name);
	}
	for (i = 0; i < VEC_STREAMS; i++) {
		if (memcmp(&a->streams[i], &b->streams[i], sizeof(a->streams[i])))
			complain(w, b->name, 0, "stream entry differs from that of %s", a->name);
	}
	if (memcmp(a->srtp_streams, b->srtp_streams, sizeof(a->srtp_streams)))
		complain(w, b->name, 0, "state of SRTP differs from that of %s", a->name);
	if (memcmp(&a->env.counters, &b->env.counters, sizeof(a->env.counters)))
		complain(w, b->name, 0, "counters differ from those of %s", a->name);
	compare_legs(w, a, b, hops);
}

static void run_case(struct world *w, const char *path)
{
	size_t i;
	bool tiny = false;

	vec_net_late(&w->net, false);
	vec_read(&w->c, path);
	w->failures = 0;
	w->comparable = true;
	side_reset(&w->frames, "frames", w);
	side_reset(&w->datagrams, "datagrams", w);
	side_reset(&w->kernel, "kernel", w);
	kernel_reset(w);
	if (has_more())
		more_reset(w);
	for (i = 0; i < w->c.step_count; i++) {
		tiny |= w->c.steps[i].in.len < 14;
		run_step(w, &w->c.steps[i]);
	}
	kernel_collect(w);
	run_checks(w, &w->frames);
	if (vec_srtp.aead)
		printf("# kernel: punted %llu packets for their suite; state not compared\n",
		       (unsigned long long)kernel_counted(w, REASON_srtp_suite));
	if (vec_srtp.aead && !kernel_counted(w, REASON_srtp_suite))
		complain(w, "kernel", 0, "a suite that it has not was not punted");
	if (!tiny && !vec_srtp.aead) {
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
	int err;

	if (vec_net_open(&w->net))
		return -1;
	err = kernel_open(w);
	if (err)
		return err;
	if (has_more()) {
		const struct vec_devices devices = {
			.v0 = w->net.v0,
			.vlan = w->net.vlan,
			.v4 = w->net.v4,
		};

		vec_more.open(&devices);
	}
	return 0;
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
	copies_bpf__destroy(w.skel);
	globfree(&found);
	return failed ? 1 : 0;
}
