/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where packets leave from: a UDP socket for each source. Clones leave by one raw socket instead,
 * with IP and UDP headers of ours, so that one system call sends packets of many sources; the
 * UDP sockets then only hold the ports.
 */
#ifndef TANDEM_REPLAY_SOURCES_H
#define TANDEM_REPLAY_SOURCES_H

#include <stddef.h>

#include "userspace/replay/options.h"
#include "userspace/replay/script.h"

#define TANDEM_BATCH_MAX 512

/* A packet on its way out. */
struct tandem_outgoing {
	const struct tandem_script_packet *packet;
	uint32_t source; /* clone * flows + flow */
	uint32_t clone;
	uint64_t due_ns;
};

struct tandem_source {
	struct tandem_endpoint from; /* port 0: the kernel chooses */
	struct tandem_endpoint to;
};

struct tandem_sources;

/*
 * Open count sources, all of one family; raw: with a raw socket to send by, where that is allowed. 0, or
 * a negative errno, having said why.
 */
int tandem_sources_open(struct tandem_sources **sp, const struct tandem_source *list,
			uint32_t count, bool raw);

/* The socket of source i, to receive by, and where it is bound. */
int tandem_sources_fd(const struct tandem_sources *s, uint32_t i);
struct tandem_endpoint tandem_sources_bound(const struct tandem_sources *s, uint32_t i);

/* Send to somewhere else from now on. */
void tandem_sources_redirect(struct tandem_sources *s, uint32_t i,
			     const struct tandem_endpoint *to);
void tandem_sources_close(struct tandem_sources *s);

/*
 * Send n packets, at most TANDEM_BATCH_MAX, in order. SSRCs of clones but the first are replaced. Returns
 * how many could not be sent.
 */
unsigned int tandem_sources_send(struct tandem_sources *s, const struct tandem_outgoing *out,
				 unsigned int n);

/* What the last failed one met: errno, or 0. */
int tandem_sources_error(const struct tandem_sources *s);

/* The SSRC of a clone; that of the first is the stream's own. */
uint32_t tandem_clone_ssrc(uint32_t ssrc, uint32_t clone);

#endif
