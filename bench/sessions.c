/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/sessions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE 512

static int parse_line(struct session_flow *flow, const char *line)
{
	char source[64], target[64], sink[64], more[2];

	if (sscanf(line, "%63s %63s %63s %1s", source, target, sink, more) != 3)
		return -EINVAL;
	if (tandem_endpoint_parse(&flow->source, source) ||
	    tandem_endpoint_parse(&flow->target, target) ||
	    tandem_endpoint_parse(&flow->sink, sink))
		return -EINVAL;
	return 0;
}

static int read_file(const char *path, struct session_flow *flows, uint32_t *count)
{
	FILE *f = fopen(path, "re");
	unsigned int number = 0;
	char line[LINE];
	int err = 0;

	if (!f) {
		err = -errno;
		fprintf(stderr, "tandem: bench: %s: %s\n", path, strerror(-err));
		return err;
	}
	while (!err && fgets(line, sizeof(line), f)) {
		number++;
		line[strcspn(line, "#\r\n")] = '\0';
		if (!line[strspn(line, " \t")])
			continue;
		err = *count == BENCH_MAX_FLOWS ? -ENOSPC : parse_line(&flows[*count], line);
		if (err)
			fprintf(stderr, "tandem: bench: %s:%u: %s\n", path, number,
				err == -ENOSPC ? "too many flows"
					       : "not SOURCE TARGET SINK, each ADDR:PORT");
		else
			++*count;
	}
	fclose(f);
	return err;
}

static int one_above(struct tandem_endpoint *ep, const struct tandem_endpoint *first, uint32_t i)
{
	if (first->port + i > UINT16_MAX)
		return -EINVAL;
	*ep = *first;
	ep->port = (uint16_t)(first->port + i);
	return 0;
}

static int make(const struct bench_options *opts, struct session_flow *flows, uint32_t *count)
{
	struct tandem_endpoint source, sink;

	if (!opts->source || tandem_endpoint_parse(&source, opts->source) || !opts->sink ||
	    tandem_endpoint_parse(&sink, opts->sink)) {
		fprintf(stderr, "tandem: bench: --target wants --source and --sink, ADDR:PORT\n");
		return -EINVAL;
	}
	for (; *count < opts->targets_count && *count < BENCH_MAX_FLOWS; ++*count) {
		struct session_flow *flow = &flows[*count];

		if (tandem_endpoint_parse(&flow->target, opts->targets[*count]) ||
		    one_above(&flow->source, &source, *count) ||
		    one_above(&flow->sink, &sink, *count)) {
			fprintf(stderr, "tandem: bench: %s: not ADDR:PORT, or no port is left\n",
				opts->targets[*count]);
			return -EINVAL;
		}
	}
	return 0;
}

int tandem_sessions_read(const struct bench_options *opts, struct session_flow **flows,
			 uint32_t *count)
{
	int err;

	*count = 0;
	*flows = calloc(BENCH_MAX_FLOWS, sizeof(**flows));
	if (!*flows)
		return -ENOMEM;
	err = opts->sessions ? read_file(opts->sessions, *flows, count) : make(opts, *flows, count);
	if (!err && !*count) {
		fprintf(stderr, "tandem: bench: there are no flows\n");
		err = -EINVAL;
	}
	if (err) {
		free(*flows);
		*flows = NULL;
	}
	return err;
}
