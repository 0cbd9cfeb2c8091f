/* SPDX-License-Identifier: GPL-2.0-only */
/* Copies of packets for captures, out of the io_uring datapath. */
#include "tests/unit/uring_fixture.h"

#include "core/tap_abi.h"

#define ID 7

struct copy {
	struct tap_record record;
	struct tap_address from, to;
	unsigned char payload[PAYLOAD_MAX];
};

static struct {
	struct copy copies[64];
	size_t count;
	uint64_t lost;
} got;

static void tapped_h(const struct tandem_tapped *t, void *arg)
{
	struct copy *c = &got.copies[got.count++];
	const unsigned char *bytes = t->bytes;
	const size_t addresses = sizeof(c->from) + sizeof(c->to);

	assert_non_null(arg);
	assert_false(t->fast);
	assert_true(got.count < 64);
	c->record = *t->record;
	assert_int_equal(c->record.flags, TAP_F_ADDRESSES);
	assert_int_equal(c->record.payload_off, addresses);
	assert_int_equal(c->record.flow_id, ID);
	memcpy(&c->from, bytes, sizeof(c->from));
	memcpy(&c->to, bytes + sizeof(c->from), sizeof(c->to));
	memcpy(c->payload, bytes + addresses, c->record.size - addresses);
}

/* Wait for as many more copies. */
static void await(struct fixture *f, size_t n)
{
	memset(&got, 0, sizeof(got));
	for (int i = 0; i < 2000 && got.count < n; i++) {
		ops->tap_read(f->dp, tapped_h, f, &got.lost);
		if (got.count < n)
			usleep(1000);
	}
	assert_int_equal(got.count, n);
}

static void install(struct fixture *f, uint32_t flags)
{
	struct tandem_flow_spec spec = spec_of(ID, "127.0.0.1", BASE, &f->caller, &f->callee);

	spec.flags = flags;
	assert_int_equal(set(f, &spec), 0);
}

static void talk(struct fixture *f, const struct phone *from, uint16_t seq)
{
	unsigned char rtp[172] = { 0x80, 0, (unsigned char)(seq >> 8),
				   (unsigned char)seq, [11] = 9 };

	rtp[171] = 0x77;
	send_to(from, "127.0.0.1", BASE, rtp, sizeof(rtp));
	(void)f;
}

static void is(const struct copy *c, enum tap_kind kind, uint16_t from, uint16_t to)
{
	assert_int_equal(c->record.kind, kind);
	assert_int_equal(ntohs(c->from.port), from);
	assert_int_equal(ntohs(c->to.port), to);
}

static void in_and_out(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ops->tap_open(f->dp, 65535), 0);
	install(f, RULE_F_TAP_IN | RULE_F_TAP_OUT | RULE_F_TAP_CLEAR);
	talk(f, &f->caller, 1);
	await(f, 3);
	is(&got.copies[0], TAP_IN, f->caller.at.port, BASE);
	is(&got.copies[1], TAP_CLEAR, f->caller.at.port, BASE);
	is(&got.copies[2], TAP_OUT, BASE + 2, f->callee.at.port);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(got.copies[i].record.payload_len, 172);
		assert_int_equal(got.copies[i].payload[171], 0x77);
		assert_int_equal(got.copies[i].record.ns, got.copies[0].record.ns);
	}
	/* no two packets of a batch have the same time */
	talk(f, &f->caller, 2);
	talk(f, &f->caller, 3);
	await(f, 6);
	assert_true(got.copies[3].record.ns > got.copies[0].record.ns);
	ops->tap_close(f->dp);
}

static void refusals_have_reasons(void **state)
{
	struct fixture *f = *state;
	struct phone stranger = f->callee; /* who sends to the caller's port */

	assert_int_equal(ops->tap_open(f->dp, 65535), 0);
	install(f, RULE_F_TAP_IN | RULE_F_MUTE);
	talk(f, &stranger, 1);
	await(f, 1);
	assert_int_equal(got.copies[0].record.kind, TAP_REFUSED);
	assert_int_equal(got.copies[0].record.reason, REASON_unknown_source);
	assert_int_equal(got.copies[0].payload[171], 0x77);
	/* what is refused late is told of twice, at the same time */
	talk(f, &f->caller, 2);
	await(f, 2);
	assert_int_equal(got.copies[0].record.kind, TAP_IN);
	assert_int_equal(got.copies[1].record.kind, TAP_REFUSED);
	assert_int_equal(got.copies[1].record.reason, REASON_muted);
	assert_int_equal(got.copies[0].record.ns, got.copies[1].record.ns);
	ops->tap_close(f->dp);
}

static void nothing_unasked(void **state)
{
	struct fixture *f = *state;

	install(f, RULE_F_TAP_IN); /* nobody reads */
	talk(f, &f->caller, 1);
	await_counter(f, REASON_forwarded_rtp, 1);
	assert_int_equal(ops->tap_open(f->dp, 20), 0);
	install(f, 0);
	talk(f, &f->caller, 2);
	await_counter(f, REASON_forwarded_rtp, 2);
	await(f, 0);
	install(f, RULE_F_TAP_IN); /* and no more of it than is wanted */
	talk(f, &f->caller, 3);
	await(f, 1);
	assert_int_equal(got.copies[0].record.payload_len, 172);
	assert_int_equal(got.copies[0].record.size, 2 * sizeof(struct tap_address) + 20);
	ops->tap_close(f->dp);
	ops->tap_close(f->dp);
}

static void count_h(const struct tandem_tapped *t, void *arg)
{
	(void)arg;
	assert_int_equal(t->record->kind, TAP_IN);
}

/* What there is no room for is lost, exactly, and nobody waits. */
static void loss_is_counted(void **state)
{
	enum { PACKETS = 120000, AT_ONCE = 200 };
	struct fixture *f = *state;
	uint64_t copies, lost = 0;

	assert_int_equal(ops->tap_open(f->dp, 65535), 0);
	install(f, RULE_F_TAP_IN);
	for (int i = 0; i < PACKETS; i += AT_ONCE) {
		for (int k = 0; k < AT_ONCE; k++)
			talk(f, &f->caller, (uint16_t)(i + k));
		await_counter(f, REASON_forwarded_rtp, (uint64_t)(i + AT_ONCE));
	}
	copies = ops->tap_read(f->dp, count_h, f, &lost);
	assert_true(lost > 0);
	assert_int_equal(copies + lost, PACKETS);
	ops->tap_close(f->dp);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(in_and_out),
		TEST(refusals_have_reasons),
		TEST(nothing_unasked),
		TEST(loss_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
