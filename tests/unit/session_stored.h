/* SPDX-License-Identifier: GPL-2.0-only */
/* Sessions with a store. */
#ifndef TANDEM_TESTS_SESSION_STORED_H
#define TANDEM_TESTS_SESSION_STORED_H

#include "tests/unit/session_fixture.h"

static inline void fx_open_stored_at(struct fixture *fx, const char *path)
{
	char why[128];

	fx_init(fx);
	assert_int_equal(tandem_store_open(&fx->store, path, why, sizeof(why)), 0);
	assert_int_equal(fx_start(fx), 0);
}

static inline void fx_open_stored(struct fixture *fx)
{
	fx_open_stored_at(fx, ":memory:");
}

static inline void restart(struct fixture *fx, uint64_t ms)
{
	tandem_sessions_free(fx->ss);
	fx->ss = NULL;
	fx->now_ms += ms;
	fx->epoch_ms += ms;
	fx->plane.sets = fx->plane.removes = 0;
	assert_int_equal(fx_start(fx), 0);
}

static inline void count_row(const char *id, const char *json, void *arg)
{
	(void)id;
	(void)json;
	(*(size_t *)arg)++;
}

static inline size_t stored(struct fixture *fx)
{
	size_t n = 0;

	assert_int_equal(tandem_store_session_list(fx->store, count_row, &n), 0);
	return n;
}

#endif
