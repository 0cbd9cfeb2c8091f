/* SPDX-License-Identifier: GPL-2.0-only */
/* Copies of frames for captures, out of the XDP program. */
#include "tests/bpf/xdp_hosts.h"

#include "core/tap_abi.h"
#include "userspace/datapath/xdp.h"

#define COPIES	 64
#define UDP_HEAD 42 /* Ethernet, IPv4, UDP */

struct copy {
	struct tap_record record;
	unsigned char bytes[2048];
};

static struct {
	struct copy copies[COPIES];
	size_t count;
	uint64_t lost;
} got;

static void tapped_h(const struct tandem_tapped *t, void *arg)
{
	struct copy *c = &got.copies[got.count++];

	(void)arg;
	assert_true(t->fast && got.count < COPIES);
	assert_int_equal(t->record->flow_id, 1);
	c->record = *t->record;
	memcpy(c->bytes, t->bytes, t->record->size);
}

static void read_copies(struct tandem_datapath *dp)
{
	memset(&got, 0, sizeof(got));
	ops->tap_read(dp, tapped_h, NULL, &got.lost);
}

static uint16_t port_at(const unsigned char *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static struct tandem_datapath *begin(uint32_t flags)
{
	struct tandem_datapath_config cfg = config();
	struct tandem_datapath *dp = relay_open(&cfg);
	struct tandem_flow_spec spec = spec_of(1, BASE, 5004);

	assert_int_equal(ops->tap_open(dp, 65535), 0);
	assert_int_equal(set(dp, &spec), 0);
	exchange(1, 1); /* so that neighbours are known */
	spec.flags |= flags;
	assert_int_equal(set(dp, &spec), 0);
	read_copies(dp);
	assert_int_equal(got.count, 0);
	return dp;
}

/* As it came, in the clear with the addresses of its flow, and as it left; forwarded all the same. */
static void three_copies(void **state)
{
	struct tandem_datapath *dp = begin(RULE_F_TAPS);
	struct tap_address from, to;
	struct copy *in = &got.copies[0], *clear = &got.copies[1], *out = &got.copies[2];

	(void)state;
	exchange(2, 1);
	read_copies(dp);
	assert_int_equal(got.count, 3);
	assert_int_equal(in->record.kind, TAP_IN);
	assert_int_equal(in->record.payload_off, UDP_HEAD);
	assert_int_equal(in->record.size, UDP_HEAD + in->record.payload_len);
	assert_int_equal(port_at(in->bytes + 36), BASE);

	assert_int_equal(clear->record.kind, TAP_CLEAR);
	assert_int_equal(clear->record.flags, TAP_F_ADDRESSES);
	memcpy(&from, clear->bytes, sizeof(from));
	memcpy(&to, clear->bytes + sizeof(from), sizeof(to));
	assert_memory_equal(from.ip + 12, in->bytes + 26, 4);
	assert_memory_equal(to.ip + 12, in->bytes + 30, 4);
	assert_int_equal(from.port, htons(port_at(in->bytes + 34)));
	assert_int_equal(ntohs(to.port), BASE);
	assert_memory_equal(clear->bytes + clear->record.payload_off, in->bytes + UDP_HEAD,
			    in->record.payload_len);

	assert_int_equal(out->record.kind, TAP_OUT);
	assert_int_equal(port_at(out->bytes + 34), BASE + 2);
	assert_int_equal(port_at(out->bytes + 36), 6004);
	assert_int_equal(counter(dp, REASON_forwarded_rtp), 2);
	assert_int_equal(got.lost, 0);
	ops->close(dp, false);
}

/* What is refused late has been there before, with the same time, and no other has. */
static void refused(void **state)
{
	struct tandem_datapath *dp = begin(RULE_F_TAP_IN | RULE_F_MUTE);

	(void)state;
	send_rtp(net.caller_fd, BASE, 2, 1);
	send_rtp(net.caller_fd, BASE, 3, 1);
	assert_int_equal(received(100, NULL), -1);
	read_copies(dp);
	assert_int_equal(got.count, 4);
	for (size_t i = 0; i < 4; i += 2) {
		assert_int_equal(got.copies[i].record.kind, TAP_IN);
		assert_int_equal(got.copies[i + 1].record.kind, TAP_REFUSED);
		assert_int_equal(got.copies[i + 1].record.reason, REASON_muted);
		assert_int_equal(got.copies[i].record.ns, got.copies[i + 1].record.ns);
	}
	assert_true(got.copies[2].record.ns > got.copies[0].record.ns);
	ops->close(dp, false);
}

static void no_more_than_wanted(void **state)
{
	struct tandem_datapath *dp = begin(RULE_F_TAP_OUT);

	(void)state;
	assert_int_equal(ops->tap_open(dp, 60), 0);
	exchange(2, 1);
	read_copies(dp);
	assert_int_equal(got.count, 1);
	assert_int_equal(got.copies[0].record.size, 60);
	assert_true(got.copies[0].record.payload_len + UDP_HEAD > 60);
	ops->close(dp, false);
}

static void count_h(const struct tandem_tapped *t, void *arg)
{
	(void)t;
	++*(uint64_t *)arg;
}

/* Without a reader, or with one that is slow, packets pass; what is lost is counted, exactly. */
static void loss_is_counted(void **state)
{
	enum { PACKETS = 60000 };
	struct tandem_datapath *dp = begin(RULE_F_TAP_IN);
	uint64_t copies = 0, lost = 0, before = counter(dp, REASON_forwarded_rtp);

	(void)state;
	for (int i = 0; i < PACKETS; i++)
		send_rtp(net.caller_fd, BASE, (uint16_t)(2 + i), 1);
	for (int i = 0; i < 1000 && counter(dp, REASON_forwarded_rtp) < before + PACKETS; i++)
		usleep(1000);
	assert_int_equal(counter(dp, REASON_forwarded_rtp), before + PACKETS);
	ops->tap_read(dp, count_h, &copies, &lost);
	assert_true(lost > 0);
	assert_int_equal(copies + lost, PACKETS);
	ops->tap_close(dp);
	send_rtp(net.caller_fd, BASE, 9, 1);
	ops->close(dp, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_copies),
		cmocka_unit_test(refused),
		cmocka_unit_test(no_more_than_wanted),
		cmocka_unit_test(loss_is_counted),
	};

	if (skipped("test_xdp_tap"))
		return 0;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, hosts_up, hosts_down);
}
