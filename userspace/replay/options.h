/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TANDEM_REPLAY_OPTIONS_H
#define TANDEM_REPLAY_OPTIONS_H

#include "userspace/util/endpoint.h"
#include "userspace/util/fate.h"

#define TANDEM_REPLAY_SELECT_MAX 16
#define TANDEM_REPLAY_LISTEN_MAX 16
#define TANDEM_REPLAY_CLONES_MAX 10000

struct tandem_replay_options {
	const char *file; /* NULL: nothing is sent */
	struct tandem_endpoint to;
	unsigned int to_step; /* added to the port of to, for each source */
	struct tandem_endpoint from;
	bool has_from; /* its port can be 0: the kernel chooses */
	uint32_t ssrcs[TANDEM_REPLAY_SELECT_MAX];
	unsigned int ssrc_count;
	uint16_t ports[TANDEM_REPLAY_SELECT_MAX];
	unsigned int port_count;
	double speed;
	bool fast;
	unsigned int clones;
	uint64_t spread_ns; /* over which the clones' beginnings are spread */
	struct tandem_impairment network;
	bool impaired;
	uint64_t seed;
	struct tandem_endpoint listen[TANDEM_REPLAY_LISTEN_MAX];
	unsigned int listen_count;
	const char *expect;
	uint64_t wait_ns; /* for what comes back, behind the last packet */
	bool json;

	/* A whole call instead, by way of a SIP proxy; the media then goes where that says. */
	unsigned int call; /* which one of the file, from 1; 0: none */
	struct tandem_endpoint proxy, caller, callee;
	const char *domain; /* of the parties' addresses; NULL: the proxy's */
};

/* Returns -1 to go on, or what to exit with, having said why. */
int tandem_replay_options_parse(struct tandem_replay_options *o, int argc, char **argv);

#endif
