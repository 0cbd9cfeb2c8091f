/* SPDX-License-Identifier: GPL-2.0-only */
/* Datagrams that end with the controller, and those that it sends. */
#include "tests/unit/uring_fixture.h"

#include "userspace/uring/queue.h"

#define FLOOD 3000

/* What was told since forget(). */
static struct {
	int sources, stun, stun_peer, dtls;
	struct tandem_datagram last;
	unsigned char payload[PAYLOAD_MAX];
} told;

static void source_h(const struct tandem_unknown_source *src, void *arg)
{
	assert_non_null(arg);
	assert_int_equal(src->flow_id, 7);
	told.sources++;
}

static void datagram_h(const struct tandem_datagram *d, void *arg)
{
	assert_non_null(arg);
	if (d->kind == TANDEM_DATAGRAM_DTLS)
		told.dtls++;
	else if (d->from_peer)
		told.stun_peer++;
	else
		told.stun++;
	told.last = *d;
	memcpy(told.payload, d->payload, d->len);
}

/* Take all that is there. */
static void dispatch(struct fixture *f)
{
	const struct tandem_event_handlers handlers = { source_h, datagram_h };
	struct pollfd pfd = { .fd = ops->event_fd(f->dp), .events = POLLIN };

	while (poll(&pfd, 1, 0) == 1)
		ops->dispatch(f->dp, &handlers, f);
}

static void forget(struct fixture *f)
{
	dispatch(f);
	memset(&told, 0, sizeof(told));
}

static size_t stun(unsigned char *buf, size_t len)
{
	static const unsigned char head[] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };

	memset(buf, 0x5a, len);
	memcpy(buf, head, sizeof(head));
	buf[2] = (unsigned char)((len - 20) >> 8);
	buf[3] = (unsigned char)(len - 20);
	return len;
}

static size_t dtls(unsigned char *buf, size_t len)
{
	memset(buf, 0xa5, len);
	buf[0] = 22;
	return len;
}

static void send_stun(const struct phone *from)
{
	unsigned char buf[100];

	send_to(from, "127.0.0.1", BASE, buf, stun(buf, sizeof(buf)));
}

static void send_dtls(const struct phone *from)
{
	unsigned char buf[100];

	send_to(from, "127.0.0.1", BASE, buf, dtls(buf, sizeof(buf)));
}

/* Flow 7 on BASE, from caller to callee, or with no source yet. */
static struct tandem_flow_spec flow(struct fixture *f, uint32_t flags, bool source)
{
	struct phone nobody = { .at.port = 0 };
	struct tandem_flow_spec spec;

	tandem_ip_parse(&nobody.at.ip, "::");
	spec = spec_of(7, "127.0.0.1", BASE, source ? &f->caller : &nobody, &f->callee);
	spec.flags = flags;
	return spec;
}

static void install(struct fixture *f, uint32_t flags, bool source)
{
	struct tandem_flow_spec spec = flow(f, flags, source);

	assert_int_equal(set(f, &spec), 0);
	forget(f);
}

static void whole(void **state)
{
	static const size_t sizes[] = { 20, 64, 1200, PAYLOAD_MAX - 3 };
	static unsigned char sent[PAYLOAD_MAX];
	struct fixture *f = *state;

	install(f, RULE_F_ICE | RULE_F_DTLS, false);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		send_to(&f->caller, "127.0.0.1", BASE, sent, stun(sent, sizes[i]));
		await_counter(f, REASON_stun, i + 1);
		dispatch(f);
		assert_int_equal(told.stun, i + 1);
		assert_int_equal(told.last.len, sizes[i]);
		assert_memory_equal(told.payload, sent, sizes[i]);
	}
	assert_int_equal(told.last.flow_id, 7);
	assert_int_equal(told.last.local.port, BASE);
	assert_true(tandem_endpoint_equal(&told.last.remote, &f->caller.at));
	assert_false(told.last.from_peer);

	/* Once its source is the flow's own, it is told apart. */
	install(f, RULE_F_ICE | RULE_F_DTLS, true);
	send_stun(&f->caller);
	await_counter(f, REASON_stun, 5);
	send_to(&f->caller, "127.0.0.1", BASE, sent, dtls(sent, PAYLOAD_MAX));
	await_counter(f, REASON_dtls, 1);
	dispatch(f);
	assert_int_equal(told.stun_peer, 1);
	assert_int_equal(told.dtls, 1);
	assert_int_equal(told.last.len, PAYLOAD_MAX);
	assert_memory_equal(told.payload, sent, PAYLOAD_MAX);
	assert_true(told.last.from_peer);
	assert_int_equal(counter(f, REASON_untold), 0);
}

static void only_who_asks(void **state)
{
	struct fixture *f = *state;
	uint64_t n = 0;

	for (uint32_t flags = 0; flags <= RULE_F_LEARN; flags += RULE_F_LEARN) {
		install(f, flags, true);
		send_stun(&f->caller);
		send_dtls(&f->caller);
		await_counter(f, REASON_stun, ++n);
		await_counter(f, REASON_dtls, n);
	}
	install(f, RULE_F_DTLS, true);
	send_stun(&f->caller);
	await_counter(f, REASON_stun, ++n);
	install(f, RULE_F_ICE, true);
	send_dtls(&f->caller);
	await_counter(f, REASON_dtls, n);
	dispatch(f);
	assert_int_equal(told.stun + told.stun_peer + told.dtls + told.sources, 0);
	assert_int_equal(counter(f, REASON_untold), 0);
}

/* With a known source or none: DTLS of anyone else is not for the controller. */
static void dtls_only_of_the_peer(void **state)
{
	struct fixture *f = *state;
	struct phone stranger = phone_open("127.0.0.1");

	install(f, RULE_F_ICE | RULE_F_DTLS | RULE_F_LEARN, false);
	send_dtls(&stranger);
	send_dtls(&f->caller);
	await_counter(f, REASON_dtls, 2);
	install(f, RULE_F_ICE | RULE_F_DTLS | RULE_F_LEARN, true);
	send_dtls(&stranger);
	await_counter(f, REASON_dtls, 3);
	dispatch(f);
	assert_int_equal(told.dtls, 0);
	send_dtls(&f->caller);
	await_counter(f, REASON_dtls, 4);
	dispatch(f);
	assert_int_equal(told.dtls, 1);
	close(stranger.fd);
}

/* End to end without the flag, here with it. */
static void dtls_of_srtp(void **state)
{
	struct fixture *f = *state;
	unsigned char got[2048];
	uint16_t port;

	install(f, RULE_F_SRTP | RULE_F_ICE, true);
	send_dtls(&f->caller);
	assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 100);
	install(f, RULE_F_SRTP | RULE_F_DTLS, true);
	send_dtls(&f->caller);
	await_counter(f, REASON_dtls, 1);
	dispatch(f);
	assert_int_equal(told.dtls, 1);
	assert_int_equal(counter(f, REASON_forwarded_dtls), 1);
}

static void only_what_looks_like_stun(void **state)
{
	static const struct {
		size_t len;
		size_t at;
		unsigned char value;
	} wrong[] = {
		{ 4, 0, 0 },  { 19, 0, 0 },    { 20, 3, 4 }, { 40, 3, 0 },
		{ 22, 3, 2 }, { 40, 4, 0x22 }, { 40, 7, 0 },
	};
	struct fixture *f = *state;
	unsigned char buf[64];

	install(f, RULE_F_ICE, false);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		stun(buf, sizeof(buf));
		buf[2] = 0;
		buf[3] = (unsigned char)(wrong[i].len - 20);
		buf[wrong[i].at] = wrong[i].value;
		send_to(&f->caller, "127.0.0.1", BASE, buf, wrong[i].len);
	}
	await_counter(f, REASON_stun, sizeof(wrong) / sizeof(wrong[0]));
	dispatch(f);
	assert_int_equal(told.stun, 0);
}

/* Each has room left after floods of the others; nobody takes from the queue meanwhile. */
static void floods(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec plain = flow(f, RULE_F_ICE | RULE_F_LEARN, true);
	struct phone stranger = phone_open("127.0.0.1");
	uint64_t n;

	install(f, RULE_F_ICE | RULE_F_DTLS | RULE_F_LEARN, true);
	for (int i = 0; i < FLOOD; i++)
		send_stun(&stranger);
	send_stun(&f->caller);
	for (int i = 0; i < FLOOD; i++)
		send_dtls(&f->caller);
	await_counter(f, REASON_dtls, FLOOD);
	/* with DTLS and no keys yet nobody is learned */
	assert_int_equal(set(f, &plain), 0);
	send_rtp(&stranger, BASE, 1);
	await_counter(f, REASON_learning, 1);
	assert_int_equal(counter(f, REASON_stun), FLOOD + 1);
	assert_int_equal(counter(f, REASON_dtls), FLOOD);
	n = counter(f, REASON_untold);
	dispatch(f);
	assert_int_equal(told.sources, 1);
	assert_int_equal(told.stun_peer, 1);
	assert_in_range(told.stun, 32, FLOOD / 4);
	assert_in_range(told.dtls, 16, FLOOD / 4);
	assert_int_equal(n, 2 * FLOOD - told.stun - told.dtls);
	close(stranger.fd);
}

/* The memory of a queue is bounded though each port has tokens of its own. */
static void full_queue(void **state)
{
	enum { PORTS_USED = 600 };
	struct fixture *f = *state;
	static unsigned char buf[1400];

	for (uint16_t i = 0; i < PORTS_USED; i++) {
		struct tandem_flow_spec spec = flow(f, RULE_F_ICE, false);

		spec.id = 100U + i;
		spec.key.local_port = htons((uint16_t)(BASE + i));
		assert_int_equal(set(f, &spec), 0);
	}
	forget(f);
	for (uint16_t i = 0; i < PORTS_USED; i++)
		send_to(&f->caller, "127.0.0.1", (uint16_t)(BASE + i), buf, stun(buf, sizeof(buf)));
	await_counter(f, REASON_stun, PORTS_USED);
	dispatch(f);
	assert_in_range(told.stun, 80, 100); /* 128 KiB */
	assert_int_equal(counter(f, REASON_untold), PORTS_USED - told.stun);
	send_to(&f->caller, "127.0.0.1", BASE + 1, buf, stun(buf, sizeof(buf)));
	await_counter(f, REASON_stun, PORTS_USED + 1);
	memset(&told, 0, sizeof(told));
	dispatch(f);
	assert_int_equal(told.stun, 1);
}

/* ---- sending ---- */

static int say(struct fixture *f, const struct phone *to, uint16_t from_port, const void *payload,
	       size_t len)
{
	struct tandem_endpoint local = { .port = from_port };

	tandem_ip_parse(&local.ip, tandem_ip_is_v4(&to->at.ip) ? "127.0.0.1" : "::1");
	return ops->send(f->dp, &local, &to->at, payload, len);
}

static void sending(void **state)
{
	static unsigned char sent[PAYLOAD_MAX], got[PAYLOAD_MAX + 1];
	struct fixture *f = *state;
	struct phone six = phone_open("::1");
	struct tandem_flow_spec spec;
	uint16_t port;

	install(f, RULE_F_ICE, false);
	assert_int_equal(say(f, &f->callee, BASE, "hello", 5), 0);
	assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 5);
	assert_int_equal(port, BASE);
	assert_memory_equal(got, "hello", 5);
	stun(sent, sizeof(sent));
	assert_int_equal(say(f, &f->caller, BASE, sent, sizeof(sent)), 0);
	assert_int_equal(receive(&f->caller, got, sizeof(got), &port), PAYLOAD_MAX);
	assert_memory_equal(got, sent, sizeof(sent));

	spec = spec_of(8, "::1", BASE, &six, &f->callee);
	assert_int_equal(set(f, &spec), 0);
	assert_int_equal(say(f, &six, BASE, "hello", 5), 0);
	assert_int_equal(receive(&six, got, sizeof(got), &port), 5);
	assert_int_equal(port, BASE);
	close(six.fd);

	/* Once its flow is gone, a port is silent. */
	assert_int_equal(removal(f, 7), 0);
	assert_int_equal(say(f, &f->callee, BASE, "hello", 5), 0);
	await_counter(f, REASON_send_failed, 1);
}

static void sending_what_cannot_be(void **state)
{
	static unsigned char sent[PAYLOAD_MAX + 1];
	struct fixture *f = *state;
	struct phone odd = f->callee;

	install(f, RULE_F_ICE, false);
	assert_int_equal(say(f, &f->callee, BASE, sent, 0), -EMSGSIZE);
	assert_int_equal(say(f, &f->callee, BASE, sent, sizeof(sent)), -EMSGSIZE);
	assert_int_equal(say(f, &f->callee, BASE - 1, sent, 1), -EADDRNOTAVAIL);
	odd.at.port = 0;
	assert_int_equal(say(f, &odd, BASE, sent, 1), -EINVAL);
	odd = f->callee;
	tandem_ip_parse(&odd.at.ip, "239.1.2.3");
	assert_int_equal(say(f, &odd, BASE, sent, 1), -EINVAL);
	tandem_ip_parse(&odd.at.ip, "0.0.0.0");
	assert_int_equal(say(f, &odd, BASE, sent, 1), -EINVAL);
	tandem_ip_parse(&odd.at.ip, "::1");
	assert_int_equal(ops->send(f->dp, &f->caller.at, &odd.at, sent, 1), -EINVAL);
	assert_int_equal(counter(f, REASON_send_failed), 0);
}

/* While the worker is held up, until there is no room; and then all of it leaves. */
static void sending_too_many(void **state)
{
	static unsigned char sent[1000];
	struct fixture *f = *state;
	unsigned char got[1024];
	uint32_t n = 0, number;
	int err, room = 1 << 22;
	uint16_t port;

	setsockopt(f->callee.fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	install(f, RULE_F_ICE, false);
	pthread_mutex_lock(&f->dp->lock);
	do {
		memcpy(sent, &n, sizeof(n));
		err = say(f, &f->callee, BASE, sent, sizeof(sent));
		n++;
	} while (!err);
	pthread_mutex_unlock(&f->dp->lock);
	assert_int_equal(err, -EAGAIN);
	assert_in_range(n, 200, 300); /* 256 KiB */
	for (uint32_t i = 0; i + 1 < n; i++) {
		assert_int_equal(receive(&f->callee, got, sizeof(got), &port), sizeof(sent));
		memcpy(&number, got, sizeof(number));
		assert_int_equal(number, i);
	}
}

/* ---- the queue ---- */

static void queue_is_in_order(void **state)
{
	static const unsigned char data[] = "abcdefghijklmnopqrstuvwxyz";
	struct uring_letter in = { 0 }, out;
	unsigned char got[32];
	struct uring_queue q;

	(void)state;
	assert_int_equal(tandem_uring_queue_init(&q, 1024), 0);
	assert_true(tandem_uring_queue_empty(&q));
	assert_false(tandem_uring_queue_take(&q, &out, got));
	q.head = q.tail = 0xffffff00; /* both wrap, and so does every letter at some time */
	for (uint32_t i = 0; i < 5000; i++) {
		in.flow_id = i;
		in.len = i % 27;
		assert_true(tandem_uring_queue_put(&q, &in, data));
		in.flow_id = i + 10000;
		assert_true(tandem_uring_queue_put(&q, &in, data + 1));
		for (uint32_t k = 0; k < 2; k++) {
			assert_false(tandem_uring_queue_empty(&q));
			assert_true(tandem_uring_queue_take(&q, &out, got));
			assert_int_equal(out.flow_id, i + 10000 * k);
			assert_int_equal(out.len, in.len);
			assert_memory_equal(got, data + k, in.len);
		}
	}
	tandem_uring_queue_clean(&q);
}

static void queue_is_bounded(void **state)
{
	static unsigned char data[1024];
	struct uring_letter in = { .len = 1024 - sizeof(in) }, out;
	struct uring_queue q;

	(void)state;
	assert_int_equal(tandem_uring_queue_init(&q, 1024), 0);
	assert_true(tandem_uring_queue_put(&q, &in, data));
	in.len = 0;
	assert_false(tandem_uring_queue_put(&q, &in, data));
	assert_true(tandem_uring_queue_take(&q, &out, data));
	assert_true(tandem_uring_queue_put(&q, &in, data));
	in.len = 1024 - sizeof(in) + 1;
	assert_true(tandem_uring_queue_take(&q, &out, data));
	assert_false(tandem_uring_queue_put(&q, &in, data));
	tandem_uring_queue_clean(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whole, setup, teardown),
		cmocka_unit_test_setup_teardown(only_who_asks, setup, teardown),
		cmocka_unit_test_setup_teardown(dtls_only_of_the_peer, setup, teardown),
		cmocka_unit_test_setup_teardown(dtls_only_of_the_peer, setup_single, teardown),
		cmocka_unit_test_setup_teardown(dtls_of_srtp, setup, teardown),
		cmocka_unit_test_setup_teardown(only_what_looks_like_stun, setup, teardown),
		cmocka_unit_test_setup_teardown(floods, setup, teardown),
		cmocka_unit_test_setup_teardown(full_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(sending, setup, teardown),
		cmocka_unit_test_setup_teardown(sending, setup_sockets, teardown),
		cmocka_unit_test_setup_teardown(sending_what_cannot_be, setup, teardown),
		cmocka_unit_test_setup_teardown(sending_too_many, setup, teardown),
		cmocka_unit_test(queue_is_in_order),
		cmocka_unit_test(queue_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
