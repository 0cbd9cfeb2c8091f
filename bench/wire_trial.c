/* SPDX-License-Identifier: GPL-2.0-only */
/* One trial of the wire: packets sent, by live frames or by a socket, and counted. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench/stats.h"
#include "bench/wire_local.h"
#include "bench/wire_packet.h"

#define NS_PER_S     1000000000ULL
#define CHUNK	     (1U << 16) /* runs of the program to one system call */
#define NAP_NS	     500000	/* between bursts */
#define GRACE_NS     10000000	/* that a packet may come after the last was sent */
#define DRAIN_STEP   20000000
#define DRAIN_STEPS  100
#define DRAIN_QUIET  3 /* steps without a packet: nothing more comes */
#define XSK_BURST    64
#define FRAME_MAX    (42 + WIRE_SIZE_MAX + WIRE_SPARE)
#define SEALED_PPS   1000000 /* of SRTP, as fast as it goes: no more than are made */
#define SPIN_ONE_PPS 300000  /* up to here one frame in flight at a time keeps the pace */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void nap_until(uint64_t ns)
{
	struct timespec ts = { .tv_sec = (time_t)(ns / NS_PER_S),
			       .tv_nsec = (long)(ns % NS_PER_S) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* No more than has been made. */
static struct wire_load fit_sealed(const struct wire *wire, const struct wire_load *load)
{
	struct wire_load fit = *load;
	double longest;

	if (!wire->seal)
		return fit;
	if (fit.rate <= 0)
		fit.rate = SEALED_PPS;
	longest = (double)(wire->ring - 1) * wire->count / fit.rate;
	if (fit.seconds > longest)
		fit.seconds = longest;
	return fit;
}

/* Packets that the far end of the generator's device has taken; wraps at 2^32. */
static uint32_t device_taken(const struct wire *wire)
{
	struct rtnl_link_stats stats = { 0 };
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "gen%zu", wire->lane);
	return tandem_lab_device(name, &stats) ? 0 : stats.tx_packets;
}

int tandem_wire_reset(struct wire *wire)
{
	uint32_t zero = 0;

	if (wire->seal) {
		int err = tandem_seal_rings(wire->seal,
					    &(struct seal_rings){ .packets = wire->sealed,
								  .length = wire->ring,
								  .flows = wire->flows,
								  .count = wire->count,
								  .size = wire->size,
								  .lane = wire->sealed_by });

		if (err)
			return err;
	}
	wire->taken_before = device_taken(wire);
	wire->bpf->bss->current_trial++;
	for (uint32_t i = 0; i < wire->count; i++)
		seq_reset(&wire->seqs[i], wire->flows[i].seq);
	memset(wire->sinks, 0, (size_t)wire->cpus * sizeof(*wire->sinks));
	if (bpf_map_update_elem(bpf_map__fd(wire->bpf->maps.sinks), &zero, wire->sinks, 0))
		return -errno;
	return 0;
}

static int run_program(struct wire *wire, uint32_t repeat, uint32_t batch)
{
	uint8_t frame[FRAME_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = (uint32_t)wire->frame_len, .repeat = (int)repeat,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = batch);

	memset(frame, WIRE_SILENCE, sizeof(frame));
	return bpf_prog_test_run_opts(bpf_program__fd(wire->bpf->progs.generate), &opts) ? -errno
											 : 0;
}

static int send_spinning(struct wire *wire, const struct wire_load *load)
{
	uint32_t batch = load->batch;

	if (!batch)
		batch = load->rate > 0 && load->rate <= SPIN_ONE_PPS ? 1 : 64;
	while (now_ns() < wire->ended_ns) {
		int err = run_program(wire, CHUNK, batch);

		if (err)
			return err;
	}
	return 0;
}

static int send_sleeping(struct wire *wire, const struct wire_load *load,
			 const struct wire_gen *gen)
{
	uint64_t next = wire->began_ns, now = next;
	int err = 0;

	while (!err && now < wire->ended_ns) {
		uint64_t due = (uint64_t)(load->rate * (double)(now - wire->began_ns) / NS_PER_S);

		if (due > gen->sent)
			err = run_program(wire, (uint32_t)(due - gen->sent), 64);
		next += NAP_NS;
		nap_until(next);
		now = now_ns();
	}
	return err;
}

/* Up to most packets, those that are due now. */
static int send_burst(struct wire *wire, struct wire_gen *gen, uint32_t most)
{
	uint64_t now = now_ns();
	uint8_t *frame;
	uint32_t n;

	for (n = 0; n < most && (frame = tandem_xsk_frame(wire->xsk)); n++, now = now_ns()) {
		uint32_t index;

		if (!wire_due(gen, now))
			break;
		index = wire_next(gen);
		memset(frame + sizeof(struct wire_packet), WIRE_SILENCE,
		       wire->frame_len - sizeof(struct wire_packet));
		wire_write((struct wire_packet *)frame, gen, index, &wire->flows[index], now);
		tandem_xsk_put(wire->xsk, (uint32_t)wire->frame_len);
		gen->sent++;
	}
	/* also where there was no room: what is on its way may have to be pushed again */
	return n || !frame ? tandem_xsk_push(wire->xsk) : 0;
}

static int send_by_socket(struct wire *wire, const struct wire_load *load, struct wire_gen *gen)
{
	int err = 0;

	if (load->rate > 0)
		gen->interval = (uint64_t)((double)(NS_PER_S << WIRE_TICK_SHIFT) / load->rate);
	gen->end_ns = wire->ended_ns;
	while (!err && now_ns() < wire->ended_ns) {
		err = send_burst(wire, gen, load->batch ? load->batch : XSK_BURST);
		if (load->sleep)
			nap_until(now_ns() + NAP_NS);
	}
	return err;
}

static int pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

int tandem_wire_send(struct wire *wire, const struct wire_load *asked)
{
	const struct wire_load fit = fit_sealed(wire, asked), *load = &fit;
	struct wire_gen *gen = &wire->bpf->bss->gens[load->cpu % WIRE_MAX_CPUS];
	uint64_t span = (uint64_t)(load->seconds * NS_PER_S);
	cpu_set_t before;
	int err;

	if (sched_getaffinity(0, sizeof(before), &before))
		return -errno;
	memset(gen, 0, sizeof(*gen));
	memcpy(gen->head, wire->head, WIRE_HEAD);
	gen->count = wire->count;
	gen->stride = tandem_stride(wire->count);
	gen->lane = (uint32_t)wire->lane;
	gen->ring = wire->seal ? wire->ring : 0;
	gen->sealed_len = wire->sealed_len;
	gen->trial = wire->bpf->bss->current_trial;
	wire->cpu = load->cpu;
	err = pin(load->cpu);
	if (err)
		return err;
	wire->began_ns = now_ns();
	wire->ended_ns = wire->began_ns + span;
	gen->end_ns = load->sleep ? UINT64_MAX : wire->ended_ns;
	wire->bpf->bss->deadline_ns = wire->ended_ns + GRACE_NS;
	gen->due = wire->began_ns << WIRE_TICK_SHIFT;
	if (load->rate > 0 && !load->sleep)
		gen->interval = (uint64_t)((double)(NS_PER_S << WIRE_TICK_SHIFT) / load->rate);
	if (wire->xsk)
		err = send_by_socket(wire, load, gen);
	else
		err = load->sleep && load->rate > 0 ? send_sleeping(wire, load, gen)
						    : send_spinning(wire, load);
	sched_setaffinity(0, sizeof(before), &before);
	if (!err && gen->dry) {
		fprintf(stderr, "bench: %llu packets of SRTP were not made in time\n",
			(unsigned long long)gen->dry);
		err = -ENOBUFS;
	}
	return err;
}

static int read_sinks(struct wire *wire)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(bpf_map__fd(wire->bpf->maps.sinks), &zero, wire->sinks) ? -errno
											   : 0;
}

static uint64_t received(struct wire *wire)
{
	uint64_t sum = 0;

	if (read_sinks(wire))
		return 0;
	for (int i = 0; i < wire->cpus; i++)
		sum += wire->sinks[i].received + wire->sinks[i].overdue;
	return sum;
}

void tandem_wire_drain(struct wire *wire)
{
	uint64_t sent = wire->bpf->bss->gens[wire->cpu].sent, before = received(wire), now;
	int quiet = 0;

	for (int i = 0; i < DRAIN_STEPS && quiet < DRAIN_QUIET && before < sent; i++) {
		nap_until(now_ns() + DRAIN_STEP);
		now = received(wire);
		quiet = now == before ? quiet + 1 : 0;
		before = now;
	}
}

int tandem_wire_collect(struct wire *wire, struct wire_count *count)
{
	const struct wire_gen *gen = &wire->bpf->bss->gens[wire->cpu];
	int err = read_sinks(wire);

	memset(count, 0, sizeof(*count));
	if (err)
		return err;
	count->seconds = (double)(wire->ended_ns - wire->began_ns) / NS_PER_S;
	count->sent = gen->sent;
	count->late = gen->late;
	count->taken = (uint32_t)(device_taken(wire) - wire->taken_before);
	return tandem_wire_sum(count, wire->sinks, (size_t)wire->cpus, wire->seqs, wire->count);
}
