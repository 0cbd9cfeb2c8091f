/* SPDX-License-Identifier: GPL-2.0-only */
/* libre's timers as userspace/sip/timers.c has them, and that libre uses them. */
#include "tests/unit/sip_fixture.h"

#define COUNT 2000

/* libre's own list, which it shows to itself alone */
struct list *tmrl_get(void);

static struct tmr timers[COUNT];
static size_t fired[COUNT], fired_count;

static void note(void *arg)
{
	fired[fired_count++] = (size_t)(struct tmr *)arg;
}

static uint32_t seed;

static uint32_t draw(void)
{
	seed = seed * 1664525U + 1013904223U;
	return seed >> 8;
}

static void reset(void)
{
	size_t i;

	for (i = 0; i < COUNT; i++)
		tmr_cancel(&timers[i]);
	fired_count = 0;
	assert_int_equal(tmr_next_timeout(NULL), 0);
}

/* The model: who runs, when it is due, and in which order it was started. */
struct model {
	bool runs;
	uint64_t due;
	uint64_t order;
};

static struct model model[COUNT];

static int compare(const void *a, const void *b)
{
	const struct model *x = &model[*(const size_t *)a], *y = &model[*(const size_t *)b];

	if (x->due != y->due)
		return x->due < y->due ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void fire_in_order_after_any_changes(void **state)
{
	static size_t want[COUNT];
	size_t i, k, n = 0;
	uint64_t order = 0;

	(void)state;
	seed = 7;
	reset();
	memset(model, 0, sizeof(model));
	for (i = 0; i < 10 * COUNT; i++) {
		k = draw() % COUNT;
		if (draw() % 3) {
			tmr_start(&timers[k], draw() % 40, note, &timers[k]);
			model[k] = (struct model){ true, timers[k].jfs, ++order };
		} else {
			tmr_cancel(&timers[k]);
			model[k].runs = false;
		}
		assert_int_equal(tmr_isrunning(&timers[k]), model[k].runs);
	}
	for (k = 0; k < COUNT; k++) {
		if (model[k].runs)
			want[n++] = k;
	}
	qsort(want, n, sizeof(want[0]), compare);
	usleep(60000);
	tmr_poll(NULL);
	assert_int_equal(fired_count, n);
	for (i = 0; i < n; i++)
		assert_int_equal(fired[i], (size_t)&timers[want[i]]);
	assert_int_equal(tmr_next_timeout(NULL), 0);
}

static void not_before_their_time(void **state)
{
	(void)state;
	reset();
	tmr_start(&timers[0], 10000, note, &timers[0]);
	tmr_start(&timers[1], 0, note, &timers[1]);
	assert_int_equal(tmr_next_timeout(NULL), 1);
	tmr_poll(NULL);
	assert_int_equal(fired_count, 1);
	assert_int_equal(fired[0], (size_t)&timers[1]);
	assert_false(tmr_isrunning(&timers[1]));
	assert_int_equal(tmr_get_expire(&timers[1]), 0);
	assert_in_range(tmr_get_expire(&timers[0]), 9000, 10000);
	assert_in_range(tmr_next_timeout(NULL), 9000, 10000);
	reset();
}

static void cancel_others(void *arg)
{
	note(arg);
	tmr_cancel(&timers[1]);
	tmr_start(&timers[2], 100000, note, &timers[2]);
	tmr_start(&timers[3], 0, note, &timers[3]);
}

static void handlers_may_do_what_they_like(void **state)
{
	(void)state;
	reset();
	tmr_start(&timers[0], 0, cancel_others, &timers[0]);
	tmr_start(&timers[1], 0, note, &timers[1]);
	tmr_start(&timers[2], 0, note, &timers[2]);
	usleep(2000);
	tmr_poll(NULL);
	tmr_poll(NULL);
	assert_int_equal(fired_count, 2);
	assert_int_equal(fired[0], (size_t)&timers[0]);
	assert_int_equal(fired[1], (size_t)&timers[3]);
	assert_true(tmr_isrunning(&timers[2]));
	reset();
}

/* libre's own: its loop fires ours, and a transaction of its SIP stack starts one here. */
static void libre_uses_them(void **state)
{
	struct peer p;

	(void)state;
	fired_count = 0;
	peer_open(&p, AF_INET, false);
	run_ms(5);
	assert_int_equal(fired_count, 0);
	tmr_start(&timers[0], 2, note, &timers[0]);
	run_ms(30);
	assert_int_equal(fired_count, 1);
	assert_null(list_head(tmrl_get()));
	peer_send(
		&p, NULL,
		"REGISTER sip:example.test SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKt\n"
		"Max-Forwards: 70\nFrom: <sip:a@example.test>;tag=r\nTo: <sip:a@example.test>\n"
		"Call-ID: t\nCSeq: 1 REGISTER\nContact: <sip:a@127.0.0.1:%u>\n",
		p.port, p.port);
	peer_expect(&p, "SIP/2.0 200");
	/* the transaction stays for a while, which libre has to have noted somewhere */
	assert_null(list_head(tmrl_get()));
	assert_int_not_equal(tmr_next_timeout(NULL), 0);
	peer_close(&p);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fire_in_order_after_any_changes),
		cmocka_unit_test(not_before_their_time),
		cmocka_unit_test(handlers_may_do_what_they_like),
		TEST(libre_uses_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
