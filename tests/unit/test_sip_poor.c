/* SPDX-License-Identifier: GPL-2.0-only */
/* Hops of a place when memory is short: one that could not be made is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/poor.h"
#include "userspace/sip/route.h"

static const struct pl uri = PL("sip:bob@bob.test"), domain = PL("bob.test");

static int add_hop(struct tandem_place *place, const struct sa *addr)
{
	return tandem_place_hop(place, &uri, addr);
}

static int add_address(struct tandem_place *place, const struct sa *addr)
{
	return tandem_place_address(place, SIP_TRANSP_TCP, addr, addr, &domain);
}

static int add_flow(struct tandem_place *place, const struct sa *addr)
{
	return tandem_place_flow(place, SIP_TRANSP_UDP, addr, addr);
}

static void hops_that_cannot_be_made(void **state)
{
	static int (*const add[])(struct tandem_place * place,
				  const struct sa *addr) = { add_hop, add_address, add_flow };
	static const struct tandem_hop none;
	struct tandem_place place;
	unsigned int n, failed;
	struct sa addr;
	size_t i;
	int err;

	(void)state;
	assert_int_equal(sa_set_str(&addr, "192.0.2.1", 5060), 0);
	for (i = 0; i < ARRAY_SIZE(add); i++) {
		memset(&place, 0, sizeof(place));
		assert_int_equal(add[i](&place, &addr), 0);
		failed = 0;
		/* until it takes fewer allocations than that */
		for (n = 1, err = 1; err; n++) {
			poor = n;
			err = add[i](&place, &addr);
			poor = 0;
			assert_int_equal(place.hops_count, err ? 1 : 2);
			if (!err)
				break;
			failed++;
			assert_int_equal(err, -ENOMEM);
			assert_null(place.hops[1].uri);
			assert_null(place.hops[1].domain);
			assert_int_equal(place.hops[1].flow, none.flow);
		}
		assert_true(failed > 0);
		assert_non_null(place.hops[1].uri);
		tandem_place_clean(&place);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hops_that_cannot_be_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
