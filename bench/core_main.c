/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/core.h"
#include "bench/host.h"

#define USAGE 2

static const struct core_datapath *const datapaths[] = {
	&tandem_core_xdp,
	&tandem_core_dpdk,
	&tandem_core_uring,
};
#define DATAPATHS (sizeof(datapaths) / sizeof(datapaths[0]))

struct request {
	struct core_options opts;
	bool wanted[DATAPATHS];
	const char *json;
};

static void usage(FILE *out)
{
	fputs("usage: tandem bench core [OPTIONS]\n"
	      "  What a packet costs inside each datapath, in ns, step by step, without a wire. "
	      "Needs root.\n\n"
	      "  --datapaths LIST   of xdp, dpdk, uring (default all)\n"
	      "  --flows LIST       1 to 100000 (default 100,1000,10000,100000)\n"
	      "  --copies N         of each packet, 2 to 64, besides (default 16; 1: none)\n"
	      "  --rounds N         1 to 15 (default 5); what is measured takes turns in each\n"
	      "  --packets N        in a round, 1000 to 10000000 (default 300000)\n"
	      "  --json FILE\n",
	      out);
}

static int each_flows(struct core_options *opts, char *list)
{
	char *save = NULL;
	unsigned long v;

	for (char *item = strtok_r(list, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		if (opts->flows_count == BENCH_MAX_LIST ||
		    tandem_bench_whole(item, 1, BENCH_MAX_FLOWS, &v))
			return -EINVAL;
		opts->flows[opts->flows_count++] = (uint32_t)v;
	}
	return opts->flows_count ? 0 : -EINVAL;
}

static int each_datapath(struct request *r, char *list)
{
	char *save = NULL;

	for (char *item = strtok_r(list, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		size_t i;

		for (i = 0; i < DATAPATHS && strcmp(item, datapaths[i]->name); i++)
			;
		if (i == DATAPATHS)
			return -EINVAL;
		r->wanted[i] = true;
	}
	return 0;
}

static int set_option(struct request *r, int letter, char *value)
{
	unsigned long v = 0;
	int err = 0;

	switch (letter) {
	case 'd':
		return each_datapath(r, value);
	case 'f':
		return each_flows(&r->opts, value);
	case 'c':
		err = tandem_bench_whole(value, 1, BENCH_MAX_COPIES, &v);
		r->opts.copies = (uint32_t)v;
		return err;
	case 'r':
		err = tandem_bench_whole(value, 1, CORE_MAX_ROUNDS, &v);
		r->opts.rounds = (int)v;
		return err;
	case 'p':
		err = tandem_bench_whole(value, 1000, 10000000, &v);
		r->opts.packets = (uint32_t)v;
		return err;
	default:
		r->json = value;
		return 0;
	}
}

/* Returns -1 to go on, or what to exit with. */
static int parse(struct request *r, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "datapaths", required_argument, NULL, 'd' },
		{ "flows", required_argument, NULL, 'f' },
		{ "copies", required_argument, NULL, 'c' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "packets", required_argument, NULL, 'p' },
		{ "json", required_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static const uint32_t usual[] = { 100, 1000, 10000, 100000 };
	bool any = false;
	int letter;

	r->opts = (struct core_options){ .copies = 16, .rounds = 5, .packets = 300000 };
	optind = 0;
	while ((letter = getopt_long(argc, argv, "+h", longs, NULL)) != -1) {
		if (letter == 'h') {
			usage(stdout);
			return 0;
		}
		if (letter == '?' || set_option(r, letter, optarg)) {
			if (letter != '?')
				fprintf(stderr, "tandem: bench core: wrong value '%s'\n", optarg);
			usage(stderr);
			return USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "tandem: bench core: what is '%s'?\n", argv[optind]);
		return USAGE;
	}
	for (size_t i = 0; i < DATAPATHS; i++)
		any |= r->wanted[i];
	for (size_t i = 0; i < DATAPATHS && !any; i++)
		r->wanted[i] = true;
	if (!r->opts.flows_count) {
		memcpy(r->opts.flows, usual, sizeof(usual));
		r->opts.flows_count = sizeof(usual) / sizeof(usual[0]);
	}
	return -1;
}

static int write_json(const struct request *r, const struct core_report *report)
{
	json_t *doc = json_pack("{s:s, s:o, s:i, s:i, s:o}", "version", TANDEM_VERSION, "host",
				tandem_bench_host(), "rounds", r->opts.rounds, "packets",
				(int)r->opts.packets, "results", tandem_core_json(report));
	int err = doc ? json_dump_file(doc, r->json, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) : -1;

	json_decref(doc);
	if (err)
		fprintf(stderr, "bench: %s cannot be written\n", r->json);
	return err ? -EIO : 0;
}

uint32_t tandem_core_most(const struct core_options *opts)
{
	uint32_t most = 0;

	for (size_t i = 0; i < opts->flows_count; i++)
		most = opts->flows[i] > most ? opts->flows[i] : most;
	return most;
}

/* One to one with each number of flows, then copies with the first of them. */
static int measure(const struct request *r, const struct core_datapath *dp,
		   struct core_report *report)
{
	const struct core_options *o = &r->opts;
	void *arg = NULL;
	int failed = 0, err;

	if (dp->open && dp->open(o, &arg))
		return 1;
	for (size_t i = 0; i < o->flows_count; i++) {
		err = dp->measure(o, o->flows[i], 1, report, arg);
		failed |= err && err != -EOPNOTSUPP;
	}
	if (o->copies > 1) {
		err = dp->measure(o, o->flows[0], o->copies, report, arg);
		failed |= err && err != -EOPNOTSUPP;
	}
	if (dp->close)
		dp->close(arg);
	return failed;
}

int tandem_bench_core_main(int argc, char **argv)
{
	struct core_report report = { 0 };
	struct request request = { 0 };
	int ret = parse(&request, argc, argv);

	if (ret >= 0)
		return ret;
	if (geteuid()) {
		fprintf(stderr, "bench: needs root, for namespaces and XDP\n");
		return 1;
	}
	ret = 0;
	for (size_t i = 0; i < DATAPATHS; i++) {
		if (request.wanted[i])
			ret |= measure(&request, datapaths[i], &report);
	}
	tandem_core_table(&report, stdout);
	if (request.json && write_json(&request, &report))
		ret = 1;
	tandem_core_clean(&report);
	return ret;
}
