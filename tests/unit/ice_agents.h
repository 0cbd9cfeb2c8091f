/* SPDX-License-Identifier: GPL-2.0-only */
/* Two agents, a and b, in every role. */
#ifndef TANDEM_TESTS_ICE_AGENTS_H
#define TANDEM_TESTS_ICE_AGENTS_H

#include "tests/unit/ice_net.h"

static const char *const addr_a[] = { "192.0.2.1:5000", "192.0.2.1:5001" };
static const char *const addr_b[] = { "198.51.100.2:6000", "198.51.100.2:6001" };

static const struct tandem_ice_config full_offerer = { .controlling = true, .components = 1 };
static const struct tandem_ice_config full_answerer = { .components = 1 };
static const struct tandem_ice_config lite_offerer = { .lite = true,
						       .controlling = true,
						       .components = 1 };
static const struct tandem_ice_config lite_answerer = { .lite = true, .components = 1 };

static inline void assert_connected(const struct peer *p, const char *local, const char *remote)
{
	struct tandem_endpoint l, r;

	assert_int_equal(tandem_ice_state(p->ice), TANDEM_ICE_CONNECTED);
	assert_true(tandem_ice_selected(p->ice, 1, &l, &r));
	assert_endpoint(&l, local);
	assert_endpoint(&r, remote);
	assert_endpoint(&p->local[0], local);
	assert_endpoint(&p->remote[0], remote);
}

#endif
