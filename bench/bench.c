/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/bench.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/core.h"
#include "bench/host.h"
#include "bench/suite.h"
#include "bench/target.h"
#include "bench/target_xdp.h"

#define READY_S 60 /* a relay may take to set its flows up */

struct run {
	struct bench_options opts;
	struct suite suite;
	struct lab lab;
	struct wire *wire;
	struct relay *turn; /* whose turn it is */
	uint32_t size;
	struct result *results;
	size_t results_count;
	bool failed; /* something could not be measured */
};

static void stop_h(int sig)
{
	(void)sig;
	tandem_bench_stopped = 1;
}

/* Without SA_RESTART, so that what waits wakes up. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = stop_h };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* ---- the laboratory ---- */

static uint32_t most_flows(const struct bench_options *opts)
{
	uint32_t most = 0;

	for (size_t i = 0; i < opts->flows_count; i++)
		most = opts->flows[i] > most ? opts->flows[i] : most;
	return most;
}

static bool is_direct(const struct relay *relay)
{
	return !relay->kind && !relay->script;
}

/* Of a script it is not known yet. */
static bool any_unprotects(const struct bench_options *opts)
{
	for (size_t i = 0; i < opts->relays_count; i++) {
		const struct relay *r = &opts->relays[i];

		if (r->script || (r->kind && r->kind->unprotects))
			return true;
	}
	return false;
}

static int build(struct run *run)
{
	int err = tandem_lab_open(&run->lab), lane;

	for (size_t i = 0; i < run->opts.relays_count && !err; i++) {
		if (is_direct(&run->opts.relays[i]))
			continue;
		lane = tandem_lab_lane(&run->lab);
		if (lane < 0)
			err = lane;
		else
			run->opts.relays[i].lane = (size_t)lane;
	}
	if (!err)
		err = tandem_wire_open(&run->wire, &run->lab, most_flows(&run->opts),
				       any_unprotects(&run->opts));
	for (size_t i = 0; i < run->opts.relays_count && !err; i++) {
		struct relay *r = &run->opts.relays[i];

		if (!is_direct(r) && !(r->kind && r->kind->xdp))
			err = tandem_wire_pass(run->wire, &run->lab, r->lane);
	}
	if (err)
		fprintf(stderr, "bench: cannot build the laboratory: %s\n", strerror(-err));
	return err;
}

static int aim(void *arg, bool direct)
{
	struct run *run = arg;

	int err = tandem_wire_aim(run->wire, &run->lab, direct ? 0 : run->turn->lane,
				  run->turn->ways, run->turn->flows, run->size);

	if (!err)
		err = tandem_wire_seal(run->wire, run->turn->seal);
	if (err == -EINVAL)
		fprintf(stderr, "bench: %s: no such packets can be sent to it\n", run->turn->name);
	return err;
}

static int start_one(struct run *run, struct relay *r, uint32_t flows)
{
	if (run->opts.copies > 1 && !(r->kind && r->kind->copies)) {
		fprintf(stderr, "bench: %s: sends no copies\n", r->name);
		return -EOPNOTSUPP;
	}
	return tandem_relay_start(r, &run->lab, flows, run->opts.copies, run->opts.generator_cpu,
				  READY_S);
}

/*
 * A script's relay may be missing here, and the limits of the host may be too low: that is said, and
 * is no error. All else is.
 */
static size_t start_all(struct run *run, uint32_t flows)
{
	size_t up = 0;

	tandem_wire_forget(run->wire);
	for (size_t i = 0; i < run->opts.relays_count && !tandem_bench_stopped; i++) {
		struct relay *r = &run->opts.relays[i];
		int err = start_one(run, r, flows);

		if (err) {
			run->failed |= r->kind && err != -EOPNOTSUPP && err != -EMFILE;
			fprintf(stderr, "bench: skipped: %s with %u flows\n", r->name, flows);
		}
		tandem_relay_turn(r, false);
		up += !err;
	}
	return up;
}

static void stop_all(struct run *run)
{
	for (size_t i = 0; i < run->opts.relays_count; i++)
		tandem_relay_stop(&run->opts.relays[i]);
}

static struct result *result_for(struct run *run, const struct relay *r, uint32_t size)
{
	struct result *res;

	for (size_t i = 0; i < run->results_count; i++) {
		res = &run->results[i];
		if (res->relay == r->name && res->flows == r->flows && res->size == size)
			return res;
	}
	res = &run->results[run->results_count++];
	res->relay = r->name;
	res->flows = r->flows;
	res->size = size;
	res->copies = run->opts.copies;
	res->polls = r->report.polls;
	if (r->report.install_s > 0)
		res->install_rate = r->report.installed / r->report.install_s;
	if (r->report.fast_s > 0)
		res->fast_rate = r->report.installed / r->report.fast_s;
	res->memory = (double)r->memory / r->flows;
	res->resident = (double)tandem_memory_resident(r->report.pids, r->report.pids_count) /
			r->flows;
	return res;
}

static int one_turn(struct run *run, struct relay *r)
{
	struct suite_subject subject = { .name = r->name,
					 .flows = r->flows,
					 .size = run->size,
					 .setup = { .ends = tandem_wire_ends,
						    .pids = r->report.pids,
						    .pids_count = r->report.pids_count,
						    .copies = run->opts.copies,
						    .seconds = run->opts.trial_s,
						    .cpu = run->opts.generator_cpu },
					 .aim = aim,
					 .arg = run,
					 .has_direct = !is_direct(r) };
	struct result *res = result_for(run, r, run->size);
	int err;

	subject.setup.ends.ends = run->wire;
	run->turn = r;
	tandem_relay_turn(r, true);
	err = tandem_suite_round(&run->suite, &subject, &res->round[res->rounds]);
	tandem_relay_turn(r, false);
	if (!err)
		res->rounds++;
	if (err && err != -EINTR) {
		run->failed = true;
		fprintf(stderr, "bench: %s with %u flows of %u octets: %s%s\n", r->name, r->flows,
			run->size, strerror(-err), tandem_relay_alive(r) ? "" : " (it has ended)");
	}
	return err;
}

static void take_turns(struct run *run)
{
	for (int round = 0; round < run->opts.rounds; round++) {
		if (!run->opts.quiet)
			fprintf(stderr, "round %d of %d, %u octets\n", round + 1, run->opts.rounds,
				run->size);
		for (size_t i = 0; i < run->opts.relays_count; i++) {
			struct relay *r = &run->opts.relays[i];

			if (tandem_bench_stopped)
				return;
			if (tandem_bench_now() >= run->suite.deadline) {
				fprintf(stderr, "bench: the time is over (--time)\n");
				return;
			}
			if (r->ways && one_turn(run, r) == -EINTR)
				return;
		}
	}
}

static void in_lab(struct run *run)
{
	const struct bench_options *o = &run->opts;

	if (build(run)) {
		run->failed = true;
		return;
	}
	for (size_t f = 0; f < o->flows_count && !tandem_bench_stopped; f++) {
		if (start_all(run, o->flows[f])) {
			tandem_suite_idle(&run->suite);
			for (size_t s = 0; s < o->sizes_count && !tandem_bench_stopped; s++) {
				run->size = o->sizes[s];
				take_turns(run);
			}
		}
		stop_all(run);
	}
}

/* ---- a relay that is set up already ---- */

/* Its sockets stay turned to it; there is no wire without it. */
static int aim_target(void *arg, bool direct)
{
	(void)arg;
	(void)direct;
	return 0;
}

static int measure_target(struct run *run, const struct trial_ends *ends, uint32_t flows,
			  uint32_t size)
{
	struct suite_subject subject = { .name = "target",
					 .flows = flows,
					 .size = size,
					 .setup = { .ends = *ends,
						    .pids = run->opts.pids,
						    .pids_count = run->opts.pids_count,
						    .copies = 1,
						    .seconds = run->opts.trial_s,
						    .cpu = run->opts.generator_cpu },
					 .aim = aim_target };
	struct result *res = &run->results[run->results_count++];
	int err = 0;

	*res = (struct result){ .relay = "target", .flows = flows, .size = size, .copies = 1 };
	for (int round = 0; round < run->opts.rounds && !err; round++) {
		if (tandem_bench_now() >= run->suite.deadline)
			break;
		err = tandem_suite_round(&run->suite, &subject, &res->round[res->rounds]);
		res->rounds += !err;
	}
	return err;
}

static int by_sockets(struct run *run)
{
	struct trial_ends ends = tandem_target_ends;
	struct target *target = NULL;
	int err = tandem_target_open(&target, &run->opts);

	ends.ends = target;
	if (!err)
		tandem_suite_idle(&run->suite);
	for (size_t i = 0; i < run->opts.sizes_count && !err; i++) {
		tandem_target_size(target, run->opts.sizes[i]);
		err = measure_target(run, &ends, tandem_target_flows(target), run->opts.sizes[i]);
	}
	tandem_target_close(target);
	return err;
}

static int by_xdp(struct run *run)
{
	struct trial_ends ends = tandem_wire_ends;
	struct target_xdp *target = NULL;
	int err = tandem_target_xdp_open(&target, &run->opts);

	if (!err)
		tandem_suite_idle(&run->suite);
	for (size_t i = 0; i < run->opts.sizes_count && !err; i++) {
		ends.ends = tandem_target_xdp_aim(target, run->opts.sizes[i]);
		err = ends.ends ? measure_target(run, &ends, tandem_target_xdp_flows(target),
						 run->opts.sizes[i])
				: -EINVAL;
	}
	tandem_target_xdp_close(target);
	return err;
}

static void at_target(struct run *run)
{
	run->failed = (run->opts.generator == BENCH_BY_SOCKETS ? by_sockets(run) : by_xdp(run)) !=
		      0;
}

/* ---- what comes out ---- */

static json_t *parameters(const struct bench_options *o)
{
	return json_pack("{s:f, s:f, s:i, s:i, s:i, s:i}", "trial_s", o->trial_s, "search_s",
			 o->search_s, "rounds", o->rounds, "retries", o->retries, "generator_cpu",
			 (int)o->generator_cpu, "calls_packets_per_s_per_flow", CALLS_PACE);
}

static int write_json(const struct run *run)
{
	json_t *doc = json_pack("{s:s, s:o, s:o, s:o}", "version", TANDEM_VERSION, "host",
				tandem_bench_host(), "parameters", parameters(&run->opts),
				"results", tandem_result_json(run->results, run->results_count));
	int err = doc ? json_dump_file(doc, run->opts.json, JSON_INDENT(1) | JSON_REAL_PRECISION(8))
		      : -1;

	json_decref(doc);
	return err ? -EIO : 0;
}

static void report(struct run *run)
{
	const struct bench_options *o = &run->opts;
	size_t kept = 0;

	for (size_t i = 0; i < run->results_count; i++) {
		if (run->results[i].rounds)
			run->results[kept++] = run->results[i];
	}
	run->results_count = kept;
	tandem_result_table(run->results, kept, o->rate, o->latency, o->cpu, stdout);
	fflush(stdout);
	if (o->json && write_json(run)) {
		fprintf(stderr, "bench: %s cannot be written\n", o->json);
		run->failed = true;
	}
	if (o->svg && tandem_result_svg(run->results, kept, o->svg)) {
		fprintf(stderr, "bench: %s cannot be written\n", o->svg);
		run->failed = true;
	}
}

int tandem_bench_main(int argc, char **argv)
{
	struct run *run;
	int ret;

	if (argc > 1 && strcmp(argv[1], "core") == 0)
		return tandem_bench_core_main(argc - 1, argv + 1);
	run = calloc(1, sizeof(*run));
	if (!run)
		return 1;
	ret = tandem_bench_options(&run->opts, argc, argv);
	if (ret >= 0)
		goto out;
	ret = 1;
	run->results =
		calloc(run->opts.relays_count * run->opts.flows_count * run->opts.sizes_count,
		       sizeof(*run->results));
	if (!run->results)
		goto out;
	catch_signals();
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
	run->suite.opts = &run->opts;
	run->suite.deadline = tandem_bench_now() + run->opts.total_s;
	if (run->opts.targets || run->opts.sessions) {
		at_target(run);
	} else if (geteuid()) {
		fprintf(stderr, "bench: needs root, for namespaces and XDP\n");
		goto out;
	} else {
		in_lab(run);
		tandem_wire_close(run->wire);
		tandem_lab_close(&run->lab);
	}
	report(run);
	ret = run->failed || tandem_bench_stopped;
out:
	free(run->results);
	free(run);
	return ret;
}
