/* SPDX-License-Identifier: GPL-2.0-only */
/* What vectors.c runs a case with: the ways of running it, and what they come to. */
#ifndef TANDEM_TESTS_VEC_SIDE_H
#define TANDEM_TESTS_VEC_SIDE_H

#include "core/copy.h"

#include "copies.skel.h"
#include "vec_case.h"
#define VEC_MORE_WEAK __attribute__((weak))
#include "vec_more.h"
#include "vec_net.h"

#define HEADROOM   256
#define MAX_COPIES 64 /* of one packet, in a case */

/* One way of running a case, with its own state. */
struct side {
	const char *name;
	struct env env;
	struct env_tables tables;
	struct entry entries[VEC_SLOTS];
	struct flow_more flows_more[VEC_SLOTS];
	struct fan_state fan_states[VEC_FANS];
	struct leg_state leg_states[VEC_LEGS];
	struct env_shared shared[32];
	struct env_stream streams[VEC_STREAMS];
	struct srtp_stream srtp_streams[VEC_KEYS * VEC_SSRCS];
};

struct vec_bytes {
	__u8 data[VEC_PACKET_MAX + HEADROOM];
	size_t len;
	unsigned int copy; /* number of the leg it is for */
};

/* What became of one packet: the frames that leave, or what is left of the one that does not. */
struct result {
	enum verdict verdict;
	size_t count;
	struct vec_bytes frames[MAX_COPIES];
};

struct world {
	struct vec_net net;
	struct copies_bpf *skel;
	struct side frames, datagrams, kernel, more;
	struct vec_case c;
	bool comparable; /* no packet or copy that only frames are refused for */
	int failures;
};

static void complain(struct world *w, const char *side, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# %s: line %d: ", side, line);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	w->failures++;
}

static void side_reset(struct side *s, const char *name, struct world *w)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	s->name = name;
	memcpy(s->entries, w->c.entries, sizeof(s->entries));
	s->tables.config = w->c.config;
	s->tables.entries = s->entries;
	s->tables.rules_more = w->c.rules_more;
	s->tables.flows_more = s->flows_more;
	s->tables.fans = w->c.fans;
	s->tables.fan_states = s->fan_states;
	s->tables.legs = w->c.legs;
	s->tables.leg_states = s->leg_states;
	s->tables.shared = s->shared;
	s->tables.shared_size = 32;
	s->tables.streams = s->streams;
	s->tables.streams_size = VEC_STREAMS;
	s->tables.srtp_keys = vec_srtp.keys;
	s->tables.srtp_streams = s->srtp_streams;
	s->tables.ciphers = vec_srtp.arrays.ciphers;
	s->env.tables = &s->tables;
	s->env.nexthop = vec_net_nexthop;
	s->env.nexthop_arg = &w->net;
	for (i = 0; i < 32; i++)
		s->shared[i].slot = TANDEM_NO_SLOT;
	for (i = 0; i < w->c.shared_count; i++) {
		struct env_shared *e = env_shared_entry(&s->tables, &w->c.shared[i], 1);

		e->key = w->c.shared[i];
		e->slot = w->c.shared_slot[i];
	}
}

/* The next frame of a result. */
static struct vec_bytes *result_add(struct result *r)
{
	if (r->count == MAX_COPIES)
		vec_die("more than %d copies of a packet", MAX_COPIES);
	return &r->frames[r->count++];
}

/* Reasons that only a frame can end with; a socket's datagram is past all that. */
static bool frames_only(enum reason reason)
{
	switch (reason) {
	case REASON_not_ip:
	case REASON_not_udp:
	case REASON_bad_header:
	case REASON_fragment:
	case REASON_ip_options:
	case REASON_no_route:
	case REASON_no_neighbour:
	case REASON_no_egress_port:
	case REASON_too_big:
	case REASON_zero_checksum:
	case REASON_no_headroom:
		return true;
	default:
		return false;
	}
}

#endif
