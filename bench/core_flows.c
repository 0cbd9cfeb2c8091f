/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "bench/core_flows.h"

struct ip_addr tandem_core_mapped(uint32_t host)
{
	struct ip_addr ip = { .w = { 0, 0, htonl(0xffff), htonl(host) } };

	return ip;
}

void tandem_core_config(struct relay_config *cfg, uint32_t flows, uint32_t copies)
{
	uint32_t locals = (flows + CORE_PORTS - 1) / CORE_PORTS;

	*cfg = (struct relay_config){ .abi_version = TANDEM_ABI_VERSION,
				      .slots = locals * CORE_PORTS,
				      .locals_count = locals,
				      .port_base = CORE_PORT_BASE,
				      .port_count = CORE_PORTS,
				      .nexthop_age_ns = 500000000 };
	if (copies > 1) {
		cfg->fans = flows;
		cfg->legs = flows * copies;
	}
	for (uint32_t i = 0; i < locals; i++)
		cfg->locals[i] = tandem_core_mapped(CORE_LOCAL + i);
}

static void spec_for(uint32_t flow, struct tandem_flow_spec *spec)
{
	memset(spec, 0, sizeof(*spec));
	spec->id = flow + 1;
	spec->media_id = spec->id;
	spec->key.remote = tandem_core_mapped(CORE_REMOTE);
	spec->key.local = tandem_core_mapped(CORE_LOCAL + flow / CORE_PORTS);
	spec->key.remote_port = htons(CORE_CALLER);
	spec->key.local_port = htons((uint16_t)(CORE_PORT_BASE + flow % CORE_PORTS));
	spec->egress[EGRESS_RTP].flags = EGRESS_F_ACTIVE;
	spec->egress[EGRESS_RTP].local = spec->key.local;
	spec->egress[EGRESS_RTP].remote = tandem_core_mapped(CORE_CALLEE);
	spec->egress[EGRESS_RTP].local_port = spec->key.local_port;
	spec->egress[EGRESS_RTP].remote_port = htons(CORE_CALLER + 2);
	spec->pts.clock_hz[0] = 8000; /* of payload type 0 */
}

/* One branch for every SSRC, and in it a leg for each copy. */
static struct tandem_fan *fan_alloc(uint32_t copies)
{
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + copies * sizeof(fan->legs[0]));

	if (!fan)
		return NULL;
	fan->branch_count = 1;
	fan->leg_count = copies;
	fan->branches[0].flags = BRANCH_F_ANY;
	fan->branches[0].count = (uint16_t)copies;
	return fan;
}

int tandem_core_install(struct tandem_table *table, uint32_t flows, uint32_t copies)
{
	struct tandem_fan *fan = copies > 1 ? fan_alloc(copies) : NULL;
	struct tandem_flow_spec spec;
	int err = copies > 1 && !fan ? -ENOMEM : 0;

	for (uint32_t i = 0; i < flows && !err; i++) {
		spec_for(i, &spec);
		spec.fan = fan;
		for (uint32_t k = 0; fan && k < copies; k++) {
			fan->legs[k].id = k + 1;
			fan->legs[k].leg.egress = spec.egress[EGRESS_RTP];
			fan->legs[k].leg.egress.remote_port = htons((uint16_t)(CORE_CALLER + k));
		}
		err = tandem_table_set(table, &spec);
	}
	free(fan);
	return err;
}
