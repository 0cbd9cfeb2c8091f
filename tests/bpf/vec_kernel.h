/* SPDX-License-Identifier: GPL-2.0-only */
/* The XDP program in the kernel. Included by vectors.c. */
#ifndef TANDEM_TESTS_VEC_KERNEL_H
#define TANDEM_TESTS_VEC_KERNEL_H

#include <sched.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "core/aes.h"
#include "vec_side.h"

#define MAX_CPUS    64
#define STAMP_HIGH  0x88 /* of the type of a frame that is to be copied, see relay.bpf.c */
#define STAMP_LOW_4 0xb5
#define STAMP_LOW_6 0xb6

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

/* The keys of the case, with their round keys; no stream is known. */
static void kernel_srtp_reset(struct world *w)
{
	const struct srtp_stream stream = { 0 };
	struct aes_schedule schedule;
	__u32 i, n;

	for (i = 0; i < VEC_KEYS; i++) {
		const struct srtp_keys *k = &vec_srtp.keys[i];

		bpf_map_update_elem(map_fd(w->skel->maps.srtp_keys), &i, k, 0);
		for (n = 2 * i; n < 2 * i + 2; n++) {
			aes_schedule_set(&schedule, k->session[n & 1].key,
					 srtp_is_aead(k->suite) ? 0 : srtp_key_len(k->suite));
			bpf_map_update_elem(map_fd(w->skel->maps.srtp_schedules), &n, &schedule, 0);
		}
	}
	for (i = 0; i < VEC_KEYS * VEC_SSRCS; i++)
		bpf_map_update_elem(map_fd(w->skel->maps.srtp_streams), &i, &stream, 0);
}

static void kernel_reset(struct world *w)
{
	struct reason_counters zero[MAX_CPUS] = { 0 };
	const struct flow_more flow = { 0 };
	const struct fan_state fan = { 0 };
	const struct leg_state leg = { 0 };
	__u32 i, key = 0;

	bpf_map_update_elem(map_fd(w->skel->maps.config), &key, &w->c.config, 0);
	bpf_map_update_elem(map_fd(w->skel->maps.counters), &key, zero, 0);
	map_clear(map_fd(w->skel->maps.shared));
	map_clear(map_fd(w->skel->maps.streams));
	for (i = 0; i < VEC_SLOTS; i++) {
		bpf_map_update_elem(map_fd(w->skel->maps.entries), &i, &w->c.entries[i], 0);
		bpf_map_update_elem(map_fd(w->skel->maps.rules_more), &i, &w->c.rules_more[i], 0);
		bpf_map_update_elem(map_fd(w->skel->maps.flows_more), &i, &flow, 0);
	}
	for (i = 0; i < VEC_FANS; i++) {
		bpf_map_update_elem(map_fd(w->skel->maps.fans), &i, &w->c.fans[i], 0);
		bpf_map_update_elem(map_fd(w->skel->maps.fan_states), &i, &fan, 0);
	}
	for (i = 0; i < VEC_LEGS; i++) {
		bpf_map_update_elem(map_fd(w->skel->maps.legs), &i, &w->c.legs[i], 0);
		bpf_map_update_elem(map_fd(w->skel->maps.leg_states), &i, &leg, 0);
	}
	for (i = 0; i < w->c.shared_count; i++)
		bpf_map_update_elem(map_fd(w->skel->maps.shared), &w->c.shared[i],
				    &w->c.shared_slot[i], 0);
	kernel_srtp_reset(w);
}

/* Copy what the kernel counted into the side that checks look at. */
static void kernel_collect(struct world *w)
{
	int cpus = libbpf_num_possible_cpus(), cpu;
	struct reason_counters counters[MAX_CPUS];
	struct stream_key stream;
	struct side *s = &w->kernel;
	__u32 i, key = 0;

	memset(&s->env.counters, 0, sizeof(s->env.counters));
	bpf_map_lookup_elem(map_fd(w->skel->maps.counters), &key, counters);
	for (cpu = 0; cpu < cpus; cpu++) {
		for (i = 0; i < REASON_COUNT; i++)
			s->env.counters.packets[i] += counters[cpu].packets[i];
	}
	for (i = 0; i < VEC_SLOTS; i++) {
		bpf_map_lookup_elem(map_fd(w->skel->maps.entries), &i, &s->entries[i]);
		bpf_map_lookup_elem(map_fd(w->skel->maps.flows_more), &i, &s->flows_more[i]);
	}
	for (i = 0; i < VEC_FANS; i++)
		bpf_map_lookup_elem(map_fd(w->skel->maps.fan_states), &i, &s->fan_states[i]);
	for (i = 0; i < VEC_LEGS; i++)
		bpf_map_lookup_elem(map_fd(w->skel->maps.leg_states), &i, &s->leg_states[i]);
	for (i = 0; i < VEC_KEYS * VEC_SSRCS; i++)
		bpf_map_lookup_elem(map_fd(w->skel->maps.srtp_streams), &i, &s->srtp_streams[i]);
	for (i = 0; i < VEC_STREAMS; i++) {
		if (!w->frames.streams[i].key)
			continue;
		stream.slot = (__u32)(w->frames.streams[i].key >> 32) - 1;
		stream.ssrc = (__u32)w->frames.streams[i].key;
		s->streams[i].key = w->frames.streams[i].key;
		bpf_map_lookup_elem(map_fd(w->skel->maps.streams), &stream, &s->streams[i].extra);
	}
}

static __u64 kernel_counted(struct world *w, enum reason reason)
{
	struct reason_counters counters[MAX_CPUS];
	__u32 key = 0;
	__u64 sum = 0;
	int cpu;

	bpf_map_lookup_elem(map_fd(w->skel->maps.counters), &key, counters);
	for (cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
		sum += counters[cpu].packets[reason];
	return sum;
}

/* Run a program on one frame; what is left of it goes to out. Returns the XDP action. */
static __u32 kernel_run(const struct bpf_program *prog, const void *in, size_t len,
			struct vec_bytes *out)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = (__u32)len,
		    .data_out = out->data, .data_size_out = sizeof(out->data), .repeat = 1);
	int err = bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);

	if (err)
		vec_die("test run: %s", strerror(-err));
	out->len = opts.data_size_out;
	return opts.retval;
}

/* The branch that the stamp on a frame to be copied names, and where its copies leave by. */
static const struct branch *kernel_branch(struct world *w, const __u8 *frame, __u32 *ifindex)
{
	__u32 what, slot, branch, fan;
	struct fan_state state;

	memcpy(&what, frame, sizeof(what));
	slot = what >> 8;
	branch = what >> 1 & 0x7f;
	if (slot >= VEC_SLOTS || branch >= TANDEM_MAX_BRANCHES)
		vec_die("a stamp names slot %u, branch %u", slot, branch);
	fan = w->c.rules[slot].fan;
	bpf_map_lookup_elem(map_fd(w->skel->maps.fan_states), &fan, &state);
	*ifindex = state.branch[branch].ifindex;
	return &w->c.fans[fan].branch[branch];
}

/*
 * What the devmaps do with a frame that is to be copied: as many copies to a device as
 * there are legs, if all are there, else as many to each.
 */
static void kernel_copies(struct world *w, const struct vec_bytes *stamped, struct result *r)
{
	const __u32 devices[2] = { w->net.v0, w->net.v4 };
	static struct vec_bytes out;
	unsigned int n, legs, d;
	__u32 only;

	legs = kernel_branch(w, stamped->data, &only)->count;
	/* A device at a time would be how it is; what one counts does not depend on the other. */
	for (n = 0; n < legs; n++) {
		for (d = 0; d < 2; d++) {
			if (only && only != devices[d])
				continue;
			w->skel->bss->test_device = devices[d];
			if (kernel_run(w->skel->progs.copy_twin, stamped->data, stamped->len,
				       &out) == XDP_PASS)
				*result_add(r) = out;
		}
	}
}

/* Frames below an Ethernet header cannot be handed to the kernel; returns false. */
static bool run_kernel(struct world *w, const struct vec_step *step, struct result *r)
{
	static struct vec_bytes out;
	__u32 action;

	w->skel->bss->test_now_ns = step->now_ns;
	if (step->in.len < 14)
		return false;
	r->count = 0;
	action = kernel_run(w->skel->progs.tandem_relay, step->in.data, step->in.len, &out);
	r->verdict = action == XDP_REDIRECT ? VERDICT_FORWARD
		     : action == XDP_DROP   ? VERDICT_DROP
					    : VERDICT_PUNT;
	if (action == XDP_REDIRECT && out.data[12] == STAMP_HIGH &&
	    (out.data[13] == STAMP_LOW_4 || out.data[13] == STAMP_LOW_6))
		kernel_copies(w, &out, r);
	else
		*result_add(r) = out;
	return true;
}

/*
 * In a case with suites that XDP has not: has it punted the packet for that, as it came, counting
 * just this? Then another datapath does what the file says. before is what was counted before.
 */
static bool kernel_unable(struct world *w, const struct vec_step *step, const struct result *r,
			  __u64 before)
{
	return vec_srtp.aead && r->verdict == VERDICT_PUNT && r->count == 1 &&
	       kernel_counted(w, REASON_srtp_suite) == before + 1 &&
	       r->frames[0].len == step->in.len &&
	       !memcmp(r->frames[0].data, step->in.data, step->in.len);
}

/* The inner maps only have to be there: nothing is sent. */
static int kernel_copy_ports(struct world *w)
{
	struct copies_key {
		__u32 ifindex;
		__u32 copies;
	} key;
	const __u32 devices[3] = { 0, w->net.v0, w->net.v4 };
	int inner, err = 0;
	size_t d;

	inner = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "copies", sizeof(__u32),
			       sizeof(struct bpf_devmap_val), 1, NULL);
	if (inner < 0)
		return inner;
	for (d = 0; d < 3; d++) {
		for (key.copies = 2; !err && key.copies <= MAX_COPIES; key.copies++) {
			key.ifindex = devices[d];
			err = bpf_map_update_elem(map_fd(w->skel->maps.copy_ports), &key, &inner,
						  0);
		}
	}
	close(inner);
	return err;
}

static int kernel_devices(struct world *w)
{
	struct vlan_device {
		__u32 ifindex;
		__u16 tci, pad;
	} vlan = { .ifindex = w->net.v0, .tci = 7 };
	struct local_device {
		__u32 ifindex;
		__u16 mtu, vlan_tci;
		__u8 mac[6];
		__u16 pad;
	} local = { .ifindex = w->net.v0, .mtu = VEC_MTU, .mac = { 2, 0, 0, 0, 1, 1 } };
	const __u32 devices[2] = { w->net.v0, w->net.v4 };
	const __u64 counts[MAX_CPUS] = { 0 };
	int err = 0;
	__u32 i;

	for (i = 0; !err && i < 2; i++) {
		const struct bpf_devmap_val port = { .ifindex = devices[i] };

		err = bpf_map_update_elem(map_fd(w->skel->maps.tx_ports), &devices[i], &port, 0);
		if (!err)
			err = bpf_map_update_elem(map_fd(w->skel->maps.copy_counts), &devices[i],
						  counts, 0);
	}
	for (i = 0; !err && i < 2; i++)
		err = bpf_map_update_elem(map_fd(w->skel->maps.local_devices), &i, &local, 0);
	if (!err)
		err = bpf_map_update_elem(map_fd(w->skel->maps.vlans), &w->net.vlan, &vlan, 0);
	return err ? err : kernel_copy_ports(w);
}

/* Copies are counted on the CPU that sends them: stay on one. */
static int stay_on_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	return sched_setaffinity(0, sizeof(one), &one);
}

/* What frames and copies that have to do with keys are handed to. */
static int kernel_programs(struct world *w)
{
	const int relay = bpf_program__fd(w->skel->progs.tandem_relay_srtp);
	const int copy = bpf_program__fd(w->skel->progs.copy_twin_srtp);
	const __u32 zero = 0;
	int err = bpf_map_update_elem(map_fd(w->skel->maps.relay_srtp), &zero, &relay, 0);

	return err ? err : bpf_map_update_elem(map_fd(w->skel->maps.copy_srtp), &zero, &copy, 0);
}

static int kernel_open(struct world *w)
{
	int err;

	if (libbpf_num_possible_cpus() > MAX_CPUS)
		vec_die("more CPUs than this test has room for");
	if (stay_on_cpu())
		return -errno;
	w->skel = copies_bpf__open();
	if (!w->skel)
		return -errno;
	w->skel->rodata->test_clock = 1;
	bpf_program__set_autoload(w->skel->progs.tandem_copy, false);
	bpf_program__set_autoload(w->skel->progs.tandem_copy_srtp, false);
	bpf_map__set_max_entries(w->skel->maps.entries, VEC_SLOTS);
	bpf_map__set_max_entries(w->skel->maps.rules_more, VEC_SLOTS);
	bpf_map__set_max_entries(w->skel->maps.flows_more, VEC_SLOTS);
	bpf_map__set_max_entries(w->skel->maps.fans, VEC_FANS);
	bpf_map__set_max_entries(w->skel->maps.fan_states, VEC_FANS);
	bpf_map__set_max_entries(w->skel->maps.legs, VEC_LEGS);
	bpf_map__set_max_entries(w->skel->maps.leg_states, VEC_LEGS);
	bpf_map__set_max_entries(w->skel->maps.srtp_keys, VEC_KEYS);
	bpf_map__set_max_entries(w->skel->maps.srtp_schedules, 2 * VEC_KEYS);
	bpf_map__set_max_entries(w->skel->maps.srtp_streams, VEC_KEYS * VEC_SSRCS);
	bpf_map__set_max_entries(w->skel->maps.shared, 32);
	bpf_map__set_max_entries(w->skel->maps.streams, VEC_STREAMS * 16);
	err = copies_bpf__load(w->skel);
	if (!err)
		err = kernel_programs(w);
	if (!err)
		w->skel->bss->lost_on = w->net.v0;
	return err ? err : kernel_devices(w);
}

#endif
