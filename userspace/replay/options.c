/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/replay/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS 1e6
#define MS_MAX	  600000

static const char help[] =
	"usage: tandem replay FILE --to ADDRESS:PORT [OPTIONS]\n"
	"       tandem replay --listen ADDRESS:PORT --expect FILE [OPTIONS]\n"
	"  Send the RTP of a capture again, as it was sent, and judge what comes back; or only "
	"that.\n\n"
	"  --from ADDRESS[:PORT]  source; without a port the kernel chooses one for each\n"
	"  --ssrc SSRC            only this stream; several times for several\n"
	"  --port PORT            only what came from or went to this port; likewise\n"
	"  --to-step N            each source sends N ports higher than the one before\n"
	"  --speed N              N times as fast\n"
	"  --fast                 as fast as can be\n"
	"  --clone N              N of everything, with SSRCs and source ports of their own\n"
	"  --spread MS            over which the clones begin (20)\n"
	"  --loss PCT  --duplicate PCT  --reorder PCT  --reorder-by MS (30)\n"
	"  --delay MS  --jitter MS  --seed N\n"
	"  --listen ADDRESS:PORT  receive here; several times for several\n"
	"  --expect FILE          what has to come back, each clone; else it failed\n"
	"  --wait MS              how long to listen behind the last packet (500)\n"
	"  --domain NAME          of the parties of --call; the proxy's address\n"
	"  --json                 the report as a document\n";

static const struct option longs[] = {
	{ "from", 1, NULL, 'f' },      { "to", 1, NULL, 't' },	    { "to-step", 1, NULL, 'T' },
	{ "ssrc", 1, NULL, 's' },      { "port", 1, NULL, 'p' },    { "speed", 1, NULL, 'v' },
	{ "fast", 0, NULL, 'F' },      { "clone", 1, NULL, 'c' },   { "spread", 1, NULL, 'S' },
	{ "loss", 1, NULL, 'l' },      { "reorder", 1, NULL, 'r' }, { "reorder-by", 1, NULL, 'R' },
	{ "duplicate", 1, NULL, 'd' }, { "delay", 1, NULL, 'D' },   { "jitter", 1, NULL, 'j' },
	{ "seed", 1, NULL, 'x' },      { "listen", 1, NULL, 'L' },  { "expect", 1, NULL, 'e' },
	{ "call", 1, NULL, 'C' },      { "proxy", 1, NULL, 'P' },   { "caller", 1, NULL, 'a' },
	{ "callee", 1, NULL, 'b' },    { "domain", 1, NULL, 'm' },  { "wait", 1, NULL, 'w' },
	{ "json", 0, NULL, 'J' },      { "help", 0, NULL, 'h' },    { 0 },
};

static int real_number(double *value, const char *text, double low, double high)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	return end == text || *end || errno || !(*value >= low && *value <= high) ? -EINVAL : 0;
}

static int whole(unsigned long *value, const char *text, unsigned long low, unsigned long high)
{
	char *end;

	errno = 0;
	*value = strtoul(text, &end, 0);
	return *text < '0' || *text > '9' || *end || errno || *value < low || *value > high
		       ? -EINVAL
		       : 0;
}

static int milliseconds(uint64_t *ns, const char *text)
{
	double ms;
	int err = real_number(&ms, text, 0, MS_MAX);

	*ns = err ? 0 : (uint64_t)(ms * NS_PER_MS);
	return err;
}

static int set_select(struct tandem_replay_options *o, int letter, const char *arg)
{
	unsigned long value;

	if (letter == 's') {
		if (o->ssrc_count == TANDEM_REPLAY_SELECT_MAX || whole(&value, arg, 0, UINT32_MAX))
			return -EINVAL;
		o->ssrcs[o->ssrc_count++] = (uint32_t)value;
		return 0;
	}
	if (o->port_count == TANDEM_REPLAY_SELECT_MAX || whole(&value, arg, 1, UINT16_MAX))
		return -EINVAL;
	o->ports[o->port_count++] = (uint16_t)value;
	return 0;
}

static int set_address(struct tandem_replay_options *o, int letter, const char *arg)
{
	switch (letter) {
	case 't':
		return tandem_endpoint_parse(&o->to, arg);
	case 'P':
		return tandem_endpoint_parse(&o->proxy, arg);
	case 'a':
		return tandem_endpoint_parse(&o->caller, arg);
	case 'b':
		return tandem_endpoint_parse(&o->callee, arg);
	case 'f':
		o->has_from = true;
		o->from.port = 0;
		return tandem_ip_parse(&o->from.ip, arg) ? tandem_endpoint_parse(&o->from, arg) : 0;
	default:
		if (o->listen_count == TANDEM_REPLAY_LISTEN_MAX)
			return -EINVAL;
		return tandem_endpoint_parse(&o->listen[o->listen_count++], arg);
	}
}

static int set_network(struct tandem_replay_options *o, int letter, const char *arg)
{
	o->impaired = true;
	switch (letter) {
	case 'l':
		return real_number(&o->network.loss, arg, 0, 100);
	case 'd':
		return real_number(&o->network.duplicate, arg, 0, 100);
	case 'r':
		return real_number(&o->network.reorder, arg, 0, 100);
	case 'R':
		return milliseconds(&o->network.reorder_by_ns, arg);
	case 'D':
		return milliseconds(&o->network.delay_ns, arg);
	default:
		return milliseconds(&o->network.jitter_ns, arg);
	}
}

static int set_pace(struct tandem_replay_options *o, int letter, const char *arg)
{
	unsigned long value = 0;
	int err;

	switch (letter) {
	case 'v':
		return real_number(&o->speed, arg, 0.001, 1000);
	case 'S':
		return milliseconds(&o->spread_ns, arg);
	case 'w':
		return milliseconds(&o->wait_ns, arg);
	case 'c':
		err = whole(&value, arg, 1, TANDEM_REPLAY_CLONES_MAX);
		o->clones = (unsigned int)value;
		return err;
	case 'C':
		err = whole(&value, arg, 1, UINT16_MAX);
		o->call = (unsigned int)value;
		return err;
	case 'T':
		err = whole(&value, arg, 0, UINT16_MAX);
		o->to_step = (unsigned int)value;
		return err;
	default:
		err = whole(&value, arg, 0, ~0UL);
		o->seed = value;
		return err;
	}
}

static int set_option(struct tandem_replay_options *o, int letter, const char *arg)
{
	switch (letter) {
	case 'F':
		o->fast = true;
		return 0;
	case 'J':
		o->json = true;
		return 0;
	case 'e':
		o->expect = arg;
		return 0;
	case 's':
	case 'p':
		return set_select(o, letter, arg);
	case 'm':
		o->domain = arg;
		return 0;
	case 't':
	case 'f':
	case 'L':
	case 'P':
	case 'a':
	case 'b':
		return set_address(o, letter, arg);
	case 'v':
	case 'S':
	case 'w':
	case 'c':
	case 'T':
	case 'C':
	case 'x':
		return set_pace(o, letter, arg);
	default:
		return set_network(o, letter, arg);
	}
}

/* The same of a call. */
static const char *call_contradiction(const struct tandem_replay_options *o)
{
	if (!o->proxy.port || !o->caller.port || !o->callee.port)
		return "--call needs --proxy, --caller and --callee";
	if (o->to.port || o->has_from || o->listen_count || o->expect || o->clones > 1 || o->fast)
		return "--call goes without --to, --from, --listen, --expect, --clone and --fast";
	return NULL;
}

/* What each option by itself cannot know. */
static const char *contradiction(const struct tandem_replay_options *o, int operands)
{
	if (operands > 1)
		return "one file at a time";
	if (!operands && (o->to.port || o->call || !o->expect))
		return "which file?";
	if (o->call)
		return call_contradiction(o);
	if (operands && !o->to.port)
		return "--to is missing";
	if (o->has_from && tandem_ip_family(&o->from.ip) != tandem_ip_family(&o->to.ip))
		return "--from and --to are of two families";
	if (o->expect && !o->listen_count)
		return "--expect without --listen";
	if (o->fast && o->impaired)
		return "--fast has no time for a network";
	return NULL;
}

int tandem_replay_options_parse(struct tandem_replay_options *o, int argc, char **argv)
{
	const char *wrong;
	int letter, at = 0;

	*o = (struct tandem_replay_options){ .speed = 1,
					     .clones = 1,
					     .spread_ns = (uint64_t)(20 * NS_PER_MS),
					     .network.reorder_by_ns = (uint64_t)(30 * NS_PER_MS),
					     .seed = 1,
					     .wait_ns = (uint64_t)(500 * NS_PER_MS) };
	argv[0] = (char *)"tandem";
	optind = 0;
	while ((letter = getopt_long(argc, argv, "h", longs, &at)) != -1) {
		if (letter == 'h') {
			fputs(help, stdout);
			return 0;
		}
		if (letter == '?')
			return 2;
		if (set_option(o, letter, optarg)) {
			fprintf(stderr, "tandem: --%s: '%s' is not what it takes, or too many\n",
				longs[at].name, optarg);
			return 2;
		}
	}
	wrong = contradiction(o, argc - optind);
	if (wrong) {
		fprintf(stderr, "tandem: %s; see tandem replay --help\n", wrong);
		return 2;
	}
	o->file = argv[optind]; /* NULL behind the last one */
	return -1;
}
