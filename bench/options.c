/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/result.h"
#include "bench/wirerun.h"
#include "userspace/media/sdes.h"

#define USAGE 2

enum {
	OPT_RELAYS = 256,
	OPT_FLOWS,
	OPT_SIZES,
	OPT_MEASURE,
	OPT_TRIAL,
	OPT_SEARCH,
	OPT_TOTAL,
	OPT_ROUNDS,
	OPT_RETRIES,
	OPT_CPU,
	OPT_JSON,
	OPT_SVG,
	OPT_QUICK,
	OPT_QUIET,
	OPT_TARGET,
	OPT_SESSIONS,
	OPT_SOURCE,
	OPT_SINK,
	OPT_PID,
	OPT_COPIES,
	OPT_SUITE,
	OPT_GENERATOR,
};

static const struct option longs[] = {
	{ "relays", required_argument, NULL, OPT_RELAYS },
	{ "flows", required_argument, NULL, OPT_FLOWS },
	{ "sizes", required_argument, NULL, OPT_SIZES },
	{ "measure", required_argument, NULL, OPT_MEASURE },
	{ "trial", required_argument, NULL, OPT_TRIAL },
	{ "search", required_argument, NULL, OPT_SEARCH },
	{ "time", required_argument, NULL, OPT_TOTAL },
	{ "rounds", required_argument, NULL, OPT_ROUNDS },
	{ "retries", required_argument, NULL, OPT_RETRIES },
	{ "generator-cpu", required_argument, NULL, OPT_CPU },
	{ "json", required_argument, NULL, OPT_JSON },
	{ "svg", required_argument, NULL, OPT_SVG },
	{ "quick", no_argument, NULL, OPT_QUICK },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "target", required_argument, NULL, OPT_TARGET },
	{ "sessions", required_argument, NULL, OPT_SESSIONS },
	{ "source", required_argument, NULL, OPT_SOURCE },
	{ "sink", required_argument, NULL, OPT_SINK },
	{ "pid", required_argument, NULL, OPT_PID },
	{ "copies", required_argument, NULL, OPT_COPIES },
	{ "suite", required_argument, NULL, OPT_SUITE },
	{ "generator", required_argument, NULL, OPT_GENERATOR },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void usage(FILE *out)
{
	fputs("usage: tandem bench [OPTIONS] [--target ADDR:PORT [ADDR:PORT...]]\n"
	      "       tandem bench core [OPTIONS]      inside the datapaths, without a wire\n"
	      "  Measure a relay: rates, latency, CPU time. See tandem(8) and "
	      "docs/benchmark.md.\n\n"
	      "  --relays LIST        of names, or NAME=SCRIPT (default xdp,bare):\n",
	      out);
	for (size_t i = 0; tandem_relay_kinds[i]; i++)
		fprintf(out, "                         %-7s %s\n", tandem_relay_kinds[i]->name,
			tandem_relay_kinds[i]->help);
	fputs("                         direct  the wire without a relay\n"
	      "  --flows LIST         1 to 100000 (default 2000: 1,000 calls)\n"
	      "  --sizes LIST         octets of UDP payload, 60 to 1400 (default 172)\n"
	      "  --measure LIST       of rate, latency, cpu (default all; rate is always "
	      "measured)\n"
	      "  --rounds N           1 to 15 (default 3); relays take turns in each\n"
	      "  --copies N           of each packet, 1 to 64 (default 1), where the relay can\n"
	      "  --suite NAME         of SRTP, in and out (default AES_CM_128_HMAC_SHA1_80)\n"
	      "  --trial SECONDS      of one trial (default 0.5)\n"
	      "  --search SECONDS     one search may take (default 15)\n"
	      "  --time SECONDS       the whole run may take (default 900)\n"
	      "  --retries N          of a rate at which packets were lost (default 1)\n"
	      "  --generator-cpu N    (default 0)\n"
	      "  --quick              --trial 0.1 --search 3 --rounds 1\n"
	      "  --json FILE, --svg FILE, --quiet\n"
	      "A relay that is set up already, one flow for each target:\n"
	      "  --source ADDR:PORT   the flows come from there and the ports above\n"
	      "  --sink ADDR:PORT     and arrive there and on the ports above\n"
	      "  --sessions FILE      lines of SOURCE TARGET SINK, each ADDR:PORT, instead\n"
	      "  --generator WHICH    socket (default); or xdp or af_xdp: faster, IPv4, on devices "
	      "with native XDP\n"
	      "  --pid PID            of the relay, for its CPU time; may be repeated\n",
	      out);
}

int tandem_bench_whole(const char *text, unsigned long low, unsigned long high,
		       unsigned long *value)
{
	char *end;

	*value = strtoul(text, &end, 10);
	return *text < '0' || *text > '9' || *end || *value < low || *value > high ? -EINVAL : 0;
}

static int seconds(const char *text, double low, double high, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end == text || *end || !(*value >= low && *value <= high) ? -EINVAL : 0;
}

typedef int(item_h)(struct bench_options *opts, const char *item);

/* The list stays: relays keep pointers into their scripts' names. */
static int each(struct bench_options *opts, char *list, item_h *h)
{
	char *save = NULL;

	for (char *item = strtok_r(list, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		int err = h(opts, item);

		if (err) {
			fprintf(stderr, "tandem: bench: '%s': %s\n", item,
				err == -EINVAL ? "not known, or out of range" : strerror(-err));
			return err;
		}
	}
	return 0;
}

static int add_relay(struct bench_options *opts, const char *item)
{
	int err;

	if (opts->relays_count == BENCH_MAX_RELAYS)
		return -ENOSPC;
	err = tandem_relay_parse(&opts->relays[opts->relays_count], item);
	if (!err)
		opts->relays_count++;
	return err;
}

static int add_flows(struct bench_options *opts, const char *item)
{
	unsigned long v;

	if (opts->flows_count == BENCH_MAX_LIST || tandem_bench_whole(item, 1, BENCH_MAX_FLOWS, &v))
		return -EINVAL;
	opts->flows[opts->flows_count++] = (uint32_t)v;
	return 0;
}

static int add_size(struct bench_options *opts, const char *item)
{
	unsigned long v;

	if (opts->sizes_count == BENCH_MAX_LIST ||
	    tandem_bench_whole(item, WIRE_SIZE_MIN, WIRE_SIZE_MAX, &v))
		return -EINVAL;
	opts->sizes[opts->sizes_count++] = (uint32_t)v;
	return 0;
}

static int add_measure(struct bench_options *opts, const char *item)
{
	if (strcmp(item, "rate") == 0)
		opts->rate = true;
	else if (strcmp(item, "latency") == 0)
		opts->latency = true;
	else if (strcmp(item, "cpu") == 0)
		opts->cpu = true;
	else
		return -EINVAL;
	return 0;
}

static int add_pid(struct bench_options *opts, const char *item)
{
	unsigned long v;

	if (opts->pids_count == RELAY_MAX_PIDS || tandem_bench_whole(item, 1, 1UL << 22, &v))
		return -EINVAL;
	opts->pids[opts->pids_count++] = (pid_t)v;
	return 0;
}

static int set_number(struct bench_options *opts, int letter, const char *value)
{
	unsigned long v = 0;
	int err;

	switch (letter) {
	case OPT_TRIAL:
		return seconds(value, 0.05, 60, &opts->trial_s);
	case OPT_SEARCH:
		return seconds(value, 1, 3600, &opts->search_s);
	case OPT_TOTAL:
		return seconds(value, 1, 86400, &opts->total_s);
	case OPT_ROUNDS:
		err = tandem_bench_whole(value, 1, RESULT_MAX_ROUNDS, &v);
		opts->rounds = (int)v;
		return err;
	case OPT_COPIES:
		err = tandem_bench_whole(value, 1, BENCH_MAX_COPIES, &v);
		opts->copies = (uint32_t)v;
		return err;
	case OPT_RETRIES:
		err = tandem_bench_whole(value, 0, 9, &v);
		opts->retries = (int)v;
		return err;
	default:
		err = tandem_bench_whole(value, 0, WIRE_MAX_CPUS - 1, &v);
		opts->generator_cpu = (unsigned int)v;
		return err ? err : v >= (unsigned long)sysconf(_SC_NPROCESSORS_ONLN) ? -EINVAL : 0;
	}
}

static int set_generator(struct bench_options *opts, const char *value)
{
	static const char *const names[] = {
		[BENCH_BY_SOCKETS] = "socket", [BENCH_BY_XDP] = "xdp", [BENCH_BY_AF_XDP] = "af_xdp"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(value, names[i]) == 0) {
			opts->generator = (enum bench_generator)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_text(struct bench_options *opts, int letter, const char *value)
{
	switch (letter) {
	case OPT_JSON:
		opts->json = value;
		return 0;
	case OPT_SVG:
		opts->svg = value;
		return 0;
	case OPT_SESSIONS:
		opts->sessions = value;
		return 0;
	case OPT_SUITE:
		opts->suite = tandem_sdes_suite_by_name(value, strlen(value));
		return opts->suite ? 0 : -EINVAL;
	case OPT_GENERATOR:
		return set_generator(opts, value);
	case OPT_SOURCE:
		opts->source = value;
		return 0;
	case OPT_SINK:
		opts->sink = value;
		return 0;
	default:
		return -ENOENT;
	}
}

static int set_option(struct bench_options *opts, int letter, char *value, char **argv)
{
	int err;

	switch (letter) {
	case OPT_RELAYS:
		return each(opts, value, add_relay);
	case OPT_FLOWS:
		return each(opts, value, add_flows);
	case OPT_SIZES:
		return each(opts, value, add_size);
	case OPT_MEASURE:
		return each(opts, value, add_measure);
	case OPT_PID:
		return each(opts, value, add_pid);
	case OPT_QUICK:
		opts->trial_s = 0.1;
		opts->search_s = 3;
		opts->rounds = 1;
		return 0;
	case OPT_QUIET:
		opts->quiet = true;
		return 0;
	case OPT_TARGET:
		opts->targets = &argv[optind - 1];
		opts->targets_count = 1;
		return 0;
	default:
		err = set_text(opts, letter, value);
		return err == -ENOENT ? set_number(opts, letter, value) : err;
	}
}

static int set_defaults(struct bench_options *opts)
{
	static char relays[] = "xdp,bare";

	if (!opts->relays_count && each(opts, relays, add_relay))
		return -EINVAL;
	if (!opts->flows_count)
		opts->flows[opts->flows_count++] = 2000;
	if (!opts->sizes_count)
		opts->sizes[opts->sizes_count++] = 172;
	if (!opts->rate && !opts->latency && !opts->cpu)
		opts->latency = opts->cpu = true;
	opts->rate = true;
	for (size_t i = 0; i < opts->relays_count; i++)
		opts->relays[i].suite = opts->suite;
	return 0;
}

int tandem_bench_options(struct bench_options *opts, int argc, char **argv)
{
	int letter;

	*opts = (struct bench_options){ .trial_s = 0.5,
					.search_s = 15,
					.total_s = 900,
					.rounds = 3,
					.retries = 1,
					.copies = 1,
					.suite = SRTP_AES_CM_128_HMAC_SHA1_80 };
	argv[0] = (char *)"tandem"; /* who getopt's messages come from */
	optind = 0;
	while ((letter = getopt_long(argc, argv, "+h", longs, NULL)) != -1) {
		if (letter == 'h') {
			usage(stdout);
			return 0;
		}
		if (letter == '?' || set_option(opts, letter, optarg, argv)) {
			if (letter != '?')
				fprintf(stderr, "tandem: bench: --%s: wrong value '%s'\n",
					longs[letter - OPT_RELAYS].name, optarg ? optarg : "");
			usage(stderr);
			return USAGE;
		}
	}
	if (optind < argc && !opts->targets) {
		fprintf(stderr, "tandem: bench: what is '%s'?\n", argv[optind]);
		usage(stderr);
		return USAGE;
	}
	opts->targets_count += (size_t)(argc - optind);
	return set_defaults(opts) ? USAGE : -1;
}
