/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/suite.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NEAR_ZERO   0.00001 /* 0.001 % */
#define PRECISION   0.02
#define STEPS	    24
#define IDLE_US	    500000
#define WARM_TRIES  3
#define WARM_RATE   20000.0
#define WARM_S	    0.2
#define BUSY	    0.05    /* CPUs in use by others, from which on no system time is told */
#define CALLS_LEAST 2000    /* packets/s: with less, a trial has too few for a figure */
#define CALLS_MOST  1000000 /* packets/s: the pace of more calls is beyond the generator */
#define MORE	    2	    /* times a search's trial, for latency and CPU time */

static const double loads[RESULT_LOADS] = { 0.01, 0.5, 0.9 };

__attribute__((format(printf, 3, 4))) static void progress(const struct suite *suite,
							   const struct suite_subject *s,
							   const char *fmt, ...)
{
	va_list ap;

	if (suite->opts->quiet)
		return;
	fprintf(stderr, "  %-12s %6u flows %4u octets  ", s->name, s->flows, s->size);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static bool late(const struct suite *suite)
{
	return tandem_bench_now() >= suite->deadline;
}

void tandem_suite_idle(struct suite *suite)
{
	struct cpu_time before, after, t;

	tandem_cpu_now(&before, NULL, 0);
	usleep(IDLE_US);
	tandem_cpu_now(&after, NULL, 0);
	t = tandem_cpu_between(&before, &after);
	suite->idle_system = t.wall > 0 ? t.system / t.wall : 0;
}

/* ---- rates ---- */

static int rates(const struct suite *suite, struct suite_subject *s, struct result_round *round)
{
	struct search_limits limits = { .tolerance = NEAR_ZERO,
					.precision = PRECISION,
					.steps = STEPS,
					.retries = suite->opts->retries,
					.seconds = suite->opts->search_s,
					.now = tandem_bench_now };
	struct search_result near, zero;
	int err = tandem_search(&limits, NULL, tandem_trial_h, &s->setup, &near);

	if (err)
		return err;
	limits.tolerance = 0;
	err = tandem_search(&limits, &near, tandem_trial_h, &s->setup, &zero);
	if (err)
		return err;
	round->near_zero = near.rate;
	round->zero_loss = zero.rate;
	round->peak = zero.peak;
	round->generator_bound = near.generator_bound;
	progress(suite, s, "%.0f packets/s without loss, %.0f with 0.001 %%%s", zero.rate,
		 near.rate,
		 near.generator_bound		  ? " (generator is the limit)"
		 : near.complete && zero.complete ? ""
						  : " (search cut short)");
	return 0;
}

/* ---- latency ---- */

static int latency(const struct suite *suite, struct suite_subject *s, double rate, double share,
		   struct result_latency *l)
{
	struct wire_load load = { .rate = rate * share / s->setup.copies,
				  .seconds = MORE * s->setup.seconds,
				  .cpu = s->setup.cpu };
	struct trial t;
	int err = tandem_trial(&s->setup, &load, &t);

	if (err)
		return err;
	*l = (struct result_latency){ .share = share,
				      .rate = t.offered,
				      .loss = t.loss,
				      .p50 = (double)t.count.latency_p50,
				      .p99 = (double)t.count.latency_p99,
				      .p999 = (double)t.count.latency_p999,
				      .max = (double)t.count.latency_max,
				      .jitter_mean = t.count.jitter_mean,
				      .jitter_max = t.count.jitter_max,
				      .sent = (double)t.count.sent,
				      .taken = (double)t.count.taken,
				      .lost = (double)t.count.lost,
				      .duplicates = (double)t.count.duplicates,
				      .reordered = (double)t.count.reordered };
	progress(suite, s, "at %2.0f %%: p50 %.1f us, p99 %.1f us, jitter %.1f us", share * 100,
		 l->p50 / 1e3, l->p99 / 1e3, l->jitter_mean / 1e3);
	return 0;
}

/* ---- CPU time ---- */

/* For each packet that was relayed, in time or not. */
static double for_each(double seconds, const struct trial *t)
{
	double relayed = (double)(t->count.received + t->count.overdue);

	return relayed > 0 ? seconds * 1e9 / relayed : 0;
}

/* For each packet too; nothing where others keep the machine busy. */
static double system_time(const struct suite *suite, const struct trial *t)
{
	if (suite->idle_system > BUSY)
		return 0;
	return for_each(t->cpu.system - suite->idle_system * t->cpu.wall, t);
}

/* The load through the relay, then the same load on the wire alone. */
static int cpu(const struct suite *suite, struct suite_subject *s, double rate, const char *what,
	       struct result_cpu *c)
{
	struct wire_load load = { .rate = rate,
				  .seconds = MORE * s->setup.seconds,
				  .sleep = rate > 0,
				  .cpu = s->setup.cpu };
	struct trial t, wire = { 0 };
	int err = tandem_trial(&s->setup, &load, &t);

	if (!err && s->has_direct) {
		err = s->aim(s->arg, true);
		if (!err)
			err = tandem_trial(&s->setup, &load, &wire);
		if (!err)
			err = s->aim(s->arg, false);
	}
	if (err)
		return err;
	c->rate = t.delivered;
	c->loss = t.loss;
	if (s->has_direct) {
		c->wire_ns = for_each(tandem_cpu_tasks(&wire.cpu) - wire.cpu.relay, &wire);
		c->ns = for_each(tandem_cpu_tasks(&t.cpu), &t) - c->wire_ns;
		c->system_ns = system_time(suite, &t) - system_time(suite, &wire);
	} else {
		c->ns = for_each(t.cpu.relay, &t);
	}
	progress(suite, s, "%s: %.0f packets/s, %.3f CPU s per million (wire %.3f), %.3f %% lost",
		 what, c->rate, c->ns / 1e3, c->wire_ns / 1e3, c->loss * 100);
	return 0;
}

static int cpu_times(const struct suite *suite, struct suite_subject *s, struct result_round *round)
{
	double calls = (double)CALLS_PACE * s->flows;
	int err = 0;

	if (round->peak > 0)
		err = cpu(suite, s, round->generator_bound ? 0 : round->peak, "saturated",
			  &round->saturated);
	if (!err && calls >= CALLS_LEAST && calls <= CALLS_MOST)
		err = cpu(suite, s, calls, "pace of calls", &round->calls);
	return err;
}

static bool arrived(const struct trial *t)
{
	return t->count.received + t->count.overdue > 0;
}

int tandem_suite_round(const struct suite *suite, struct suite_subject *s,
		       struct result_round *round)
{
	struct wire_load warm = { .rate = WARM_RATE / s->setup.copies,
				  .seconds = WARM_S,
				  .cpu = s->setup.cpu };
	struct trial trial = { 0 };
	double rate;
	int err;

	memset(round, 0, sizeof(*round));
	err = s->aim(s->arg, false);
	for (int i = 0; i < WARM_TRIES && !err && !arrived(&trial); i++)
		err = tandem_trial(&s->setup, &warm, &trial);
	if (!err && !arrived(&trial)) {
		fprintf(stderr, "bench: %s: not one packet of %llu arrived\n", s->name,
			(unsigned long long)trial.count.sent);
		return -ENOLINK;
	}
	if (!err)
		err = rates(suite, s, round);
	rate = round->zero_loss > 0 ? round->zero_loss : round->near_zero;
	for (size_t i = 0; i < RESULT_LOADS && !err && suite->opts->latency; i++) {
		if (rate > 0 && !late(suite))
			err = latency(suite, s, rate, loads[i], &round->latency[i]);
	}
	if (!err && suite->opts->cpu && !late(suite) && s->setup.copies == 1 &&
	    (s->has_direct || s->setup.pids_count))
		err = cpu_times(suite, s, round);
	if (!err && s->setup.starved)
		progress(suite, s,
			 "the generator was kept from its CPU in %u trials: a busy machine",
			 s->setup.starved);
	return err;
}
