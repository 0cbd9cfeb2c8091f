/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/session/diff.h"

#include <string.h>

#define OWN_FLAGS (RULE_F_ACTIVE | RULE_F_SHARED)

static bool fan_equal(const struct tandem_fan *a, const struct tandem_fan *b)
{
	if (!a || !b)
		return a == b;
	return a->branch_count == b->branch_count && a->leg_count == b->leg_count &&
	       !memcmp(a->branches, b->branches, sizeof(a->branches)) &&
	       !memcmp(a->legs, b->legs, a->leg_count * sizeof(a->legs[0]));
}

/* The same id is the same keys. */
static bool srtp_equal(const struct tandem_srtp *a, const struct tandem_srtp *b)
{
	return a && b ? a->id == b->id : a == b;
}

bool tandem_spec_equal(const struct tandem_flow_spec *a, const struct tandem_flow_spec *b)
{
	return a->id == b->id && a->media_id == b->media_id && a->reverse_id == b->reverse_id &&
	       (a->flags & ~OWN_FLAGS) == (b->flags & ~OWN_FLAGS) &&
	       !memcmp(&a->key, &b->key, sizeof(a->key)) &&
	       !memcmp(a->egress, b->egress, sizeof(a->egress)) &&
	       !memcmp(&a->peer, &b->peer, sizeof(a->peer)) &&
	       a->peer_seq_offset == b->peer_seq_offset &&
	       !memcmp(&a->pts, &b->pts, sizeof(a->pts)) && a->group_ifindex == b->group_ifindex &&
	       fan_equal(a->fan, b->fan) && srtp_equal(a->srtp_in, b->srtp_in) &&
	       !memcmp(a->expected, b->expected, sizeof(a->expected)) &&
	       srtp_equal(a->srtp_in_old, b->srtp_in_old) && srtp_equal(a->srtp_out, b->srtp_out);
}

static const struct tandem_flow_spec *find(const struct tandem_flow_spec *specs, size_t n,
					   uint64_t id)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (specs[i].id == id)
			return &specs[i];
	}
	return NULL;
}

size_t tandem_diff(const struct tandem_flow_spec *installed, size_t installed_count,
		   const struct tandem_flow_spec *wanted, size_t wanted_count,
		   struct tandem_change *changes)
{
	size_t i, n = 0;

	for (i = 0; i < installed_count; i++) {
		if (find(wanted, wanted_count, installed[i].id))
			continue;
		changes[n++] = (struct tandem_change){
			.op = TANDEM_FLOW_REMOVE,
			.spec = installed[i],
		};
	}
	for (i = 0; i < wanted_count; i++) {
		const struct tandem_flow_spec *old = find(installed, installed_count, wanted[i].id);

		if (old && tandem_spec_equal(old, &wanted[i]))
			continue;
		changes[n++] = (struct tandem_change){
			.op = TANDEM_FLOW_SET,
			.spec = wanted[i],
		};
	}
	return n;
}
