/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows with many egresses through the io_uring datapath.
 *
 *   caller --> :BASE [ relay ] :BASE+2, +4, ... --> phones
 */
#include "tests/unit/uring_fan.h"

#include "core/g711.h"

static uint32_t ssrc_at(const unsigned char *p)
{
	uint32_t ssrc;

	memcpy(&ssrc, p, sizeof(ssrc));
	return ntohl(ssrc);
}

/* ---- what copies are ---- */

static void each_leg_its_own(void **state)
{
	struct fixture *f = *state;
	struct phone phones[3] = { phone_open("127.0.0.1"), phone_open("::1"),
				   phone_open("127.0.0.1") };
	struct tandem_fan *fan = fan_alloc(3);
	struct tandem_leg_stats leg;
	unsigned char got[2048], want[172];
	uint16_t port;

	for (uint32_t i = 0; i < 3; i++) {
		struct tandem_egress *eg = fan_leg(fan, i, 10 + i, (uint16_t)(BASE + 2 + 2 * i),
						   &phones[i].at);

		eg->flags = EGRESS_F_SSRC | EGRESS_F_SEQ | EGRESS_F_PT;
		eg->ssrc = (struct ssrc_map){ SSRC, 0xa0000000U + i };
		eg->seq_offset = (uint16_t)(1000 * i);
		eg->pt_out[0] = (uint8_t)(96 + i);
	}
	set_fan(f, fan);
	for (uint16_t seq = 0; seq < 50; seq++) {
		send_ssrc(f, seq, SSRC);
		for (uint32_t i = 0; i < 3; i++) {
			assert_int_equal(receive(&phones[i], got, sizeof(got), &port), 172);
			assert_int_equal(port, BASE + 2 + 2 * i);
			rtp(want, (uint16_t)(seq + 1000 * i), 0xa0000000U + i);
			want[1] = (unsigned char)(96 + i);
			assert_memory_equal(got, want, sizeof(want));
		}
	}
	assert_int_equal(stats_of(f, FLOW).flow.packets, 50);
	assert_int_equal(counter(f, REASON_copies_sent), 150);
	for (uint32_t i = 0; i < 3; i++) {
		leg = leg_of(f, FLOW, 10 + i);
		assert_int_equal(leg.packets, 50);
		assert_int_equal(leg.octets, 50 * 172);
		assert_int_equal(leg.lost, 0);
		close(phones[i].fd);
	}
	await_buffers(f);
	free(fan);
}

/* Far more sends for a packet than are submitted at a time. */
static void two_hundred_legs(void **state)
{
	enum { LEGS = 200, PACKETS = 30 };
	struct fixture *f = *state;
	struct tandem_fan *fan = fan_alloc(LEGS);
	unsigned char got[2048];
	uint16_t port;

	for (uint32_t i = 0; i < LEGS; i++) {
		struct tandem_egress *eg = fan_leg(fan, i, i, (uint16_t)(BASE + 2 + 2 * i),
						   &f->callee.at);

		eg->flags = EGRESS_F_SSRC | EGRESS_F_TS;
		eg->ssrc = (struct ssrc_map){ SSRC, i };
		eg->ts_offset = i * 7;
	}
	set_fan(f, fan);
	for (uint16_t seq = 0; seq < PACKETS; seq++) {
		bool seen[LEGS] = { false };

		send_ssrc(f, seq, SSRC);
		for (uint32_t i = 0; i < LEGS; i++) {
			uint32_t n;

			assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
			n = ssrc_at(got + 8);
			assert_in_range(n, 0, LEGS - 1);
			assert_false(seen[n]);
			seen[n] = true;
			assert_int_equal(port, BASE + 2 + 2 * n);
			assert_int_equal(ssrc_at(got + 4), n * 7);
			assert_int_equal(got[2] << 8 | got[3], seq);
		}
	}
	assert_int_equal(counter(f, REASON_copies_lost), 0);
	assert_int_equal(leg_of(f, FLOW, 0).packets, PACKETS);
	assert_int_equal(leg_of(f, FLOW, LEGS - 1).packets, PACKETS);
	await_buffers(f);
	free(fan);
}

static void longest_datagram(void **state)
{
	struct fixture *f = *state;
	struct tandem_fan *fan = fan_alloc(2);
	static unsigned char sent[PAYLOAD_MAX + 1], got[PAYLOAD_MAX + 2];
	uint16_t port;

	fan_leg(fan, 0, 0, BASE + 2, &f->callee.at);
	fan_leg(fan, 1, 1, BASE + 4, &f->callee.at);
	set_fan(f, fan);
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (unsigned char)(i * 31);
	rtp(sent, 1, SSRC);
	send_to(&f->caller, "127.0.0.1", BASE, sent, PAYLOAD_MAX);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(receive(&f->callee, got, sizeof(got), &port), PAYLOAD_MAX);
		assert_memory_equal(got, sent, PAYLOAD_MAX);
	}
	send_to(&f->caller, "127.0.0.1", BASE, sent, PAYLOAD_MAX + 1);
	await_counter(f, REASON_bad_rtp, 1);
	free(fan);
}

static size_t sender_report(unsigned char *buf, uint32_t ssrc)
{
	memset(buf, 0, 28);
	buf[0] = 0x80;
	buf[1] = 200;
	buf[3] = 6;
	ssrc = htonl(ssrc);
	memcpy(buf + 4, &ssrc, sizeof(ssrc));
	return 28;
}

static void rtcp_copies(void **state)
{
	struct fixture *f = *state;
	struct tandem_fan *fan = fan_alloc(4);
	unsigned char sr[28], got[2048];
	uint32_t sum = 0;
	uint16_t port;

	for (uint32_t i = 0; i < 4; i++) {
		struct tandem_egress *eg = fan_leg(fan, i, i, (uint16_t)(BASE + 2 + 2 * i),
						   &f->callee.at);

		eg->flags = EGRESS_F_SSRC;
		eg->ssrc = (struct ssrc_map){ SSRC, 1U << i };
	}
	fan->branch_count = 2;
	fan->branches[0].count = 2;
	fan->branches[1] = (struct branch){ .first = 2, .count = 2, .flags = BRANCH_F_RTCP };
	set_fan(f, fan);
	for (int i = 0; i < 10; i++) {
		send_to(&f->caller, "127.0.0.1", BASE, sr, sender_report(sr, SSRC));
		for (sum = 0; sum != 12;) {
			assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 28);
			assert_int_equal(sum & ssrc_at(got + 4), 0);
			sum |= ssrc_at(got + 4);
			assert_int_equal(port, ssrc_at(got + 4) == 4 ? BASE + 6 : BASE + 8);
		}
	}
	assert_int_equal(stats_of(f, FLOW).flow.rtcp_packets, 10);
	assert_int_equal(leg_of(f, FLOW, 0).packets, 0);
	assert_int_equal(leg_of(f, FLOW, 3).packets, 10);

	/* A branch without legs refuses it. */
	fan->leg_count = 2;
	fan->branches[1].count = 0;
	set_fan(f, fan);
	send_to(&f->caller, "127.0.0.1", BASE, sr, sizeof(sr));
	await_counter(f, REASON_rtcp_refused, 1);
	free(fan);
}

/* 1: one leg. 2: two. 3: muted. Others: nobody's, until there is a branch for any. */
static void branches_by_ssrc(void **state)
{
	struct fixture *f = *state;
	struct tandem_fan *fan = fan_alloc(4);
	unsigned char got[2048];
	uint16_t port;

	for (uint32_t i = 0; i < 4; i++)
		fan_leg(fan, i, i, (uint16_t)(BASE + 2 + 2 * i), &f->callee.at);
	fan->leg_count = 3;
	fan->branch_count = 3;
	fan->branches[0] = (struct branch){ .ssrc = 1, .first = 0, .count = 1 };
	fan->branches[1] = (struct branch){ .ssrc = 2, .first = 1, .count = 2 };
	fan->branches[2] = (struct branch){ .ssrc = 3 };
	set_fan(f, fan);

	send_ssrc(f, 1, 1);
	assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
	assert_int_equal(port, BASE + 2);
	send_ssrc(f, 1, 2);
	assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
	assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
	assert_int_equal(ssrc_at(got + 8), 2);
	send_ssrc(f, 1, 3);
	await_counter(f, REASON_muted, 1);
	send_ssrc(f, 1, 4);
	await_counter(f, REASON_unknown_ssrc, 1);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(leg_of(f, FLOW, i).packets, 1);
	assert_int_equal(stats_of(f, FLOW).stream_count, 3);

	fan->leg_count = 4;
	fan->branch_count = 4;
	fan->branches[3] = (struct branch){ .first = 3, .count = 1, .flags = BRANCH_F_ANY };
	set_fan(f, fan);
	send_ssrc(f, 2, 4);
	assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
	assert_int_equal(port, BASE + 8);
	send_ssrc(f, 2, 3);
	await_counter(f, REASON_muted, 2);
	free(fan);
}

/* A-law in; one leg wants u-law, the other has another id for the header extension. */
static void payload_and_extension(void **state)
{
	struct fixture *f = *state;
	unsigned char sent[32 + 160], got[2048];
	const unsigned char ext[12] = { 0xbe, 0xde, 0, 2, 0x10, 0xaa, 0x31, 1, 2, 0, 0, 0 };
	uint16_t port;

	for (uint32_t legs = 1; legs <= 2; legs++) {
		struct tandem_fan *fan = fan_alloc(legs);
		struct tandem_egress *eg = fan_leg(fan, 0, 0, BASE + 2, &f->callee.at);

		eg->flags = EGRESS_F_PT | EGRESS_F_EXT;
		eg->pt_out[0] = 0;
		eg->to_ulaw = 1;
		fan->legs[0].leg.ext_id[1] = 5; /* and 3 is removed */
		if (legs == 2)
			fan_leg(fan, 1, 1, BASE + 4, &f->callee.at);
		set_fan(f, fan);

		rtp(sent, 1, SSRC);
		sent[0] |= 0x10;
		memcpy(sent + 12, ext, sizeof(ext));
		for (int i = 0; i < 160; i++)
			sent[24 + i] = (unsigned char)i;
		send_to(&f->caller, "127.0.0.1", BASE, sent, 24 + 160);
		for (uint32_t k = 0; k < legs; k++) {
			assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 184);
			if (port == BASE + 4) {
				assert_memory_equal(got, sent, 184);
				continue;
			}
			assert_int_equal(got[1], 0);
			assert_int_equal(got[16] >> 4, 5);
			assert_int_equal(got[17], 0xaa);
			assert_int_equal(got[18] >> 4, 0);
			for (int i = 0; i < 160; i++)
				assert_int_equal(got[24 + i], g711_octet(G711_TO_ULAW, (uint8_t)i));
		}
		free(fan);
	}
}

/* ---- changes ---- */

struct traffic {
	struct fixture *f;
	bool stop;
	uint64_t sent;
};

static void *traffic_thread(void *arg)
{
	const struct timespec pause = { .tv_nsec = 200000 };
	struct traffic *t = arg;
	struct tandem_endpoint to = { .port = BASE };
	struct sockaddr_storage ss;
	unsigned char buf[172];
	socklen_t len;

	tandem_ip_parse(&to.ip, "127.0.0.1");
	len = tandem_endpoint_to_sockaddr(&to, &ss);
	for (; !__atomic_load_n(&t->stop, __ATOMIC_RELAXED); t->sent++) {
		rtp(buf, (uint16_t)t->sent, SSRC);
		sendto(t->f->caller.fd, buf, sizeof(buf), 0, (struct sockaddr *)&ss, len);
		if (t->sent % 8 == 0)
			nanosleep(&pause, NULL);
	}
	return NULL;
}

static pthread_t traffic_start(struct traffic *t, struct fixture *f)
{
	pthread_t thread;

	*t = (struct traffic){ .f = f };
	assert_int_equal(pthread_create(&thread, NULL, traffic_thread, t), 0);
	return thread;
}

static void traffic_stop(struct traffic *t, pthread_t thread)
{
	__atomic_store_n(&t->stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

/* Changes are to meet packets; on a busy machine the first comes late. */
static void await_traffic(struct fixture *f)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	for (int i = 0; i < WAIT_MS && !stats_of(f, FLOW).flow.packets; i++)
		nanosleep(&pause, NULL);
	assert_true(stats_of(f, FLOW).flow.packets > 0);
}

/* Leg 7 is in every fan, at other places: it gets each packet that is forwarded, all along. */
static void counts_follow_the_name(void **state)
{
	struct fixture *f = *state;
	struct tandem_leg_stats leg;
	struct traffic t;
	uint64_t packets;
	pthread_t thread = traffic_start(&t, f);

	for (uint32_t round = 0; round < 300; round++) {
		uint32_t legs = 1 + round * 7 % 23;
		struct tandem_fan *fan = fan_alloc(legs);

		for (uint32_t i = 0; i < legs; i++)
			fan_leg(fan, i, i == round % legs ? 7 : 1000 + round + i,
				(uint16_t)(BASE + 2 + 2 * i), &f->callee.at);
		set_fan(f, fan);
		free(fan);
		if (!round)
			await_traffic(f);
	}
	traffic_stop(&t, thread);
	do { /* the last may still be on their way */
		packets = stats_of(f, FLOW).flow.packets;
		leg = leg_of(f, FLOW, 7);
	} while (packets != stats_of(f, FLOW).flow.packets);
	assert_int_equal(leg.lost, 0);
	assert_int_equal(leg.packets, packets);
	assert_int_equal(leg.octets, 172 * leg.packets);
}

static void removed_under_traffic(void **state)
{
	struct fixture *f = *state;
	struct tandem_fan *fan = fan_alloc(50);
	struct tandem_leg_stats none[1];
	struct traffic t;
	pthread_t thread;
	size_t n;

	for (uint32_t i = 0; i < 50; i++)
		fan_leg(fan, i, i, (uint16_t)(BASE + 2 + 2 * (i % 10)), &f->callee.at);
	thread = traffic_start(&t, f);
	for (int i = 0; i < 200; i++) {
		set_fan(f, fan);
		assert_int_equal(removal(f, FLOW), 0);
	}
	traffic_stop(&t, thread);
	assert_int_equal(ops->read_legs(f->dp, FLOW, none, 1, &n), -ENOENT);
	await_buffers(f);
	free(fan);
}

/* Whatever is refused leaves the flow as it was, and no port open. */
static void refused(void **state)
{
	struct fixture *f = *state;
	struct tandem_fan *fan = fan_alloc(200);
	struct tandem_flow_spec spec = fan_spec(f, fan);
	unsigned char got[2048];
	uint16_t port;
	int open;

	for (uint32_t i = 0; i < 200; i++)
		fan_leg(fan, i, i, (uint16_t)(BASE + 2 + 2 * i), &f->callee.at);
	fan->leg_count = fan->branches[0].count = 2;
	assert_int_equal(set(f, &spec), 0);
	open = open_fds();

	fan->leg_count = fan->branches[0].count = 200;
	fan->legs[150].leg.egress.local_port = htons(80);
	assert_int_equal(set(f, &spec), -EADDRNOTAVAIL);
	fan->legs[150].leg.egress.local_port = htons(BASE + 2);
	fan->branches[0].count = 199;
	assert_int_equal(set(f, &spec), -EINVAL);
	fan->branches[0].count = 200;
	for (uint64_t id = 2; id < 8; id++) {
		spec.id = id;
		spec.key.remote_port = htons((uint16_t)id);
		assert_int_equal(set(f, &spec), id < 7 ? 0 : -ENOSPC); /* 1200 legs in all */
	}
	for (uint64_t id = 2; id < 7; id++)
		assert_int_equal(removal(f, id), 0);
	for (int i = 0; i < WAIT_MS && open_fds() != open; i++) {
		const struct timespec pause = { .tv_nsec = 1000000 };

		nanosleep(&pause, NULL);
	}
	assert_int_equal(open_fds(), open);
	send_ssrc(f, 1, SSRC);
	assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
	assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
	free(fan);
}

/* ---- what cannot be sent ---- */

static void failures_count_on_the_leg(void **state)
{
	struct fixture *f = *state;
	struct tandem_endpoint nowhere = { .port = 4000 };
	unsigned char got[2048];
	uint16_t port;

	tandem_ip_parse(&nowhere.ip, "203.0.113.1"); /* there is no route */
	for (uint32_t legs = 2; legs > 0; legs--) {
		struct tandem_fan *fan = fan_alloc(legs);

		fan_leg(fan, legs - 1, 5, BASE + 4, &f->callee.at);
		fan_leg(fan, 0, 4, BASE + 2, &nowhere);
		set_fan(f, fan);
		for (uint16_t i = 0; i < 10; i++)
			send_ssrc(f, i, SSRC);
		for (uint16_t i = 0; i < 10 && legs == 2; i++)
			assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
		await_counter(f, legs == 2 ? REASON_copies_lost : REASON_send_failed, 10);
		assert_int_equal(leg_of(f, FLOW, 4).lost, legs == 2 ? 10 : 20);
		assert_int_equal(leg_of(f, FLOW, 4).last_reason, REASON_send_failed);
		if (legs == 2)
			assert_int_equal(leg_of(f, FLOW, 5).lost, 0);
		free(fan);
	}
	await_buffers(f);
}

int main(void)
{
#define IN(test, how)                                                                              \
	{                                                                                          \
#test " " #how, test, setup##how, teardown, NULL                                   \
	}
#define EACH(test) IN(test, ), IN(test, _sockets), IN(test, _single)
	const struct CMUnitTest tests[] = {
		EACH(each_leg_its_own),
		EACH(two_hundred_legs),
		EACH(longest_datagram),
		EACH(rtcp_copies),
		EACH(branches_by_ssrc),
		EACH(payload_and_extension),
		EACH(counts_follow_the_name),
		EACH(removed_under_traffic),
		EACH(refused),
		EACH(failures_count_on_the_leg),
	};

	if (!own_network()) {
		puts("1..0 # SKIP needs a network namespace of its own");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
