/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pipeline where no flow has keys. What SRTP adds to it, if only to ask whether there are any, is
 * some nanoseconds of each plain packet. A rule with keys, should there be one yet, punts.
 */
#define ENV_SRTP(env) 0

#include "dpdk/env.h"
#include "dpdk/packet.h"
#include "dpdk/pipeline.h"

enum verdict dpdk_packet_plain(struct env *env, struct rte_mbuf **mbuf, uint32_t *port)
{
	return pipeline_run(env, mbuf, port);
}
