/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/trial.h"

#include <errno.h>
#include <string.h>

#define MANY_PACKETS 200000 /* that a trial should have, for small losses to show */
#define MUCH	     0.1
#define RING	     128
#define ATTEMPTS     3
#define FED	     0.9 /* of the time that a spinning generator should have had */
#define LONGEST	     4	 /* times its length, that it may be stretched for that */

volatile sig_atomic_t tandem_bench_stopped;

static int wire_reset(void *ends)
{
	return tandem_wire_reset(ends);
}

static int wire_send(void *ends, const struct wire_load *load)
{
	return tandem_wire_send(ends, load);
}

static void wire_drain(void *ends)
{
	tandem_wire_drain(ends);
}

static int wire_collect(void *ends, struct wire_count *count)
{
	return tandem_wire_collect(ends, count);
}

const struct trial_ends tandem_wire_ends = { wire_reset, wire_send, wire_drain, wire_collect,
					     NULL };

/* Copies cannot be told from duplicates: there it is the number alone that counts. */
static void judge(struct trial *trial, uint32_t copies)
{
	struct wire_count *c = &trial->count;
	uint64_t once = c->received - c->duplicates, want = c->sent * copies;

	if (copies > 1) {
		once = c->received;
		c->duplicates = c->reordered = 0;
		c->lost = want > once ? want - once : 0;
	}
	trial->offered = (double)want / c->seconds;
	trial->delivered = (double)once / c->seconds;
	if (want)
		trial->loss = (double)c->lost / (double)want;
}

/* Not more copies at a time than a device's ring has room for. */
static uint32_t batch_for(const struct trial_setup *setup, const struct wire_load *load)
{
	if (load->batch || setup->copies <= 1)
		return load->batch;
	return setup->copies < RING ? RING / setup->copies : 1;
}

static int attempt(const struct trial_setup *setup, const struct wire_load *load,
		   struct trial *trial)
{
	const struct trial_ends *e = &setup->ends;
	struct cpu_time before, after;
	int err;

	memset(trial, 0, sizeof(*trial));
	err = e->reset(e->ends);
	if (err)
		return err;
	tandem_cpu_now(&before, setup->pids, setup->pids_count);
	err = e->send(e->ends, load);
	if (!err)
		e->drain(e->ends);
	tandem_cpu_now(&after, setup->pids, setup->pids_count);
	if (tandem_bench_stopped)
		return -EINTR;
	if (!err)
		err = e->collect(e->ends, &trial->count);
	if (err)
		return err;
	trial->cpu = tandem_cpu_between(&before, &after);
	judge(trial, setup->copies);
	return 0;
}

int tandem_trial(struct trial_setup *setup, const struct wire_load *load, struct trial *trial)
{
	struct wire_load fit = *load;

	fit.batch = batch_for(setup, load);
	for (int i = 0; i < ATTEMPTS; i++) {
		int err = attempt(setup, &fit, trial);

		if (err)
			return err;
		if (load->sleep || trial->cpu.generator >= FED * trial->count.seconds)
			return 0;
		trial->starved = true;
		setup->starved++;
		if (trial->loss > MUCH) /* even so: more packets would change nothing */
			return 0;
	}
	return 0;
}

int tandem_trial_h(double rate, struct search_trial *got, void *arg)
{
	struct trial_setup *setup = arg;
	struct wire_load load = { .rate = rate / setup->copies,
				  .seconds = setup->seconds,
				  .cpu = setup->cpu };
	struct trial trial;
	int err;

	if (rate > 0 && MANY_PACKETS / rate > load.seconds)
		load.seconds = MANY_PACKETS / rate < LONGEST * load.seconds
				       ? MANY_PACKETS / rate
				       : LONGEST * load.seconds;
	err = tandem_trial(setup, &load, &trial);
	if (!err)
		*got = (struct search_trial){ trial.offered, trial.delivered, trial.loss,
					      trial.starved };
	return err;
}
