/* SPDX-License-Identifier: GPL-2.0-only */
/* DTLS-SRTP between two ends of our own, on a good wire and on bad ones. */
#include "tests/unit/dtls_fixture.h"

/* ---- descriptions ---- */

#define HEX16 "00:11:22:33:44:55:66:77:88:99:AA:bb:CC:dd:EE:ff"
#define HEX32 HEX16 ":" HEX16

static void fingerprints(void **state)
{
	static const struct {
		const char *value;
		int err;
		uint8_t len;
	} cases[] = {
		{ "sha-256 " HEX32, 0, 32 },
		{ "SHA-256 " HEX32, 0, 32 },
		{ "sha-384 " HEX32 ":" HEX16, 0, 48 },
		{ "sha-512 " HEX32 ":" HEX32, 0, 64 },
		{ "sha-1 " HEX16 ":00:11:22:33", -ENOTSUP, 0 },
		{ "md5 " HEX16, -ENOTSUP, 0 },
		{ "sha-2567 " HEX32, -ENOTSUP, 0 },
		{ "sha-256 " HEX16, -EBADMSG, 0 },
		{ "sha-256 " HEX32 ":", -EBADMSG, 0 },
		{ "sha-256 " HEX32 ":00", -EBADMSG, 0 },
		{ "sha-256 " HEX32 " ", -EBADMSG, 0 },
		{ "sha-256  " HEX32, -EBADMSG, 0 },
		{ "sha-256 " HEX16 "-" HEX16, -EBADMSG, 0 },
		{ "sha-256 " HEX16 ":0:1", -EBADMSG, 0 },
		{ "sha-256", -EBADMSG, 0 },
		{ "sha-256 ", -EBADMSG, 0 },
		{ " " HEX32, -EBADMSG, 0 },
		{ "", -EBADMSG, 0 },
	};
	struct tandem_dtls_fingerprint fp, again;
	char text[TANDEM_DTLS_FINGERPRINT_STRLEN];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fp = (struct tandem_dtls_fingerprint){ .len = 99 };
		assert_int_equal(tandem_dtls_fingerprint_parse(&fp, cases[i].value), cases[i].err);
		if (cases[i].err) {
			assert_int_equal(fp.len, 99);
			continue;
		}
		assert_int_equal(fp.len, cases[i].len);
		assert_int_equal(fp.value[fp.len - 1], 0xff);
		assert_int_equal(fp.value[10], 0xaa);
		assert_int_equal(tandem_dtls_fingerprint_format(&fp, text, sizeof(text)), 0);
		assert_int_equal(strcasecmp(text, cases[i].value), 0);
		assert_int_equal(tandem_dtls_fingerprint_format(&fp, text, strlen(text)), -ENOSPC);
		assert_int_equal(tandem_dtls_fingerprint_format(&fp, text, sizeof(text)), 0);
		assert_int_equal(tandem_dtls_fingerprint_parse(&again, text), 0);
		assert_true(tandem_dtls_fingerprint_equal(&fp, &again));
		again.value[0] ^= 1;
		assert_false(tandem_dtls_fingerprint_equal(&fp, &again));
	}
	fp = (struct tandem_dtls_fingerprint){ 0 };
	assert_int_equal(tandem_dtls_fingerprint_format(&fp, text, sizeof(text)), -EINVAL);
}

#define NONE TANDEM_DTLS_NO_SETUP
#define BOTH TANDEM_DTLS_ACTPASS
#define ACT  TANDEM_DTLS_ACTIVE
#define PASS TANDEM_DTLS_PASSIVE
#define HOLD TANDEM_DTLS_HOLDCONN

static void setups(void **state)
{
	static const struct {
		enum tandem_dtls_setup offer, prefer, answer;
		int client; /* are we, who answer */
	} cases[] = {
		{ BOTH, ACT, ACT, 1 },	{ BOTH, PASS, PASS, 0 }, { ACT, ACT, PASS, 0 },
		{ PASS, PASS, ACT, 1 }, { NONE, ACT, PASS, 0 },	 { HOLD, ACT, NONE, -EINVAL },
		{ ACT, PASS, PASS, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(tandem_dtls_setup_answer(cases[i].offer, cases[i].prefer),
				 cases[i].answer);
		assert_int_equal(tandem_dtls_setup_client(cases[i].answer, cases[i].offer),
				 cases[i].client);
		if (cases[i].client >= 0 && cases[i].offer != NONE)
			assert_int_equal(tandem_dtls_setup_client(cases[i].offer, cases[i].answer),
					 !cases[i].client);
	}
	assert_int_equal(tandem_dtls_setup_client(ACT, ACT), -EINVAL);
	assert_int_equal(tandem_dtls_setup_client(PASS, PASS), -EINVAL);
	for (int s = BOTH; s <= HOLD; s++)
		assert_int_equal(
			tandem_dtls_setup_parse(tandem_dtls_setup_name((enum tandem_dtls_setup)s)),
			s);
	assert_int_equal(tandem_dtls_setup_parse("ActPass"), BOTH);
	assert_int_equal(tandem_dtls_setup_parse("active2"), NONE);
	assert_int_equal(tandem_dtls_setup_parse(""), NONE);
	assert_null(tandem_dtls_setup_name(NONE));
}

/* ---- handshakes ---- */

static void connects(void **state)
{
	static const struct tandem_dtls_context_config patient = { .retransmit_ms = 20000 };
	struct pair *p = pair_open(&patient, &patient);
	struct tandem_srtp in, out;

	(void)state;
	assert_int_equal(tandem_dtls_state(p->ends[0].a), TANDEM_DTLS_WAITING);
	assert_true(tandem_dtls_deadline(p->ends[0].a) == UINT64_MAX);
	assert_int_equal(tandem_dtls_keys(p->ends[0].a, &in, &out), -ENOENT);
	assert_int_equal(tandem_dtls_start(p->ends[0].a, now_ms()), -EINVAL);
	start(p);
	settle(p);
	assert_keys_agree(p, SRTP_AEAD_AES_128_GCM);
	assert_in_range(p->longest, 500, TANDEM_DTLS_MTU);
	assert_true(tandem_dtls_deadline(p->ends[0].a) == UINT64_MAX);
	assert_true(tandem_dtls_deadline(p->ends[1].a) == UINT64_MAX);
	assert_int_equal(tandem_dtls_context_counters(p->ctx[0])->connected, 1);
	assert_int_equal(tandem_dtls_context_counters(p->ctx[0])->retransmitted, 0);
	assert_int_equal(tandem_dtls_context_counters(p->ctx[0])->junk, 0);
	pair_close(p);
}

/* Of what both have, the server's first. */
static void profiles(void **state)
{
	enum {
		CM80 = SRTP_AES_CM_128_HMAC_SHA1_80,
		CM32 = SRTP_AES_CM_128_HMAC_SHA1_32,
		G128 = SRTP_AEAD_AES_128_GCM,
		G256 = SRTP_AEAD_AES_256_GCM,
	};
	static const struct {
		struct tandem_dtls_context_config server, client;
		uint8_t suite;
	} cases[] = {
		{ { .suites = { CM80 } }, { .suites = { G128, CM80 } }, CM80 },
		{ { .suites = { CM32, CM80 } }, { .suites = { CM80, CM32 } }, CM32 },
		{ { .suites = { G256, G128 } }, { .suites = { G128, G256, CM80, CM32 } }, G256 },
		{ { .suites = { G128, G256, CM80, CM32 } }, { .suites = { CM32 } }, CM32 },
		{ { .suites = { G128 } }, { .suites = { CM80, CM32 } }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pair *p = pair_open(&cases[i].server, &cases[i].client);

		start(p);
		settle(p);
		if (cases[i].suite) {
			assert_keys_agree(p, cases[i].suite);
		} else {
			assert_int_equal(p->ends[0].last, TANDEM_DTLS_FAILED);
			assert_int_equal(p->ends[1].last, TANDEM_DTLS_FAILED);
			assert_int_equal(tandem_dtls_context_counters(p->ctx[0])->no_profile, 1);
			assert_non_null(strstr(tandem_dtls_why(p->ends[0].a), "profile"));
		}
		pair_close(p);
	}
}

static void bad_contexts(void **state)
{
	static const struct tandem_dtls_context_config wrong[] = {
		{ .suites = { SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_128_GCM } },
		{ .suites = { SRTP_AES_256_CM_HMAC_SHA1_80 } },
		{ .suites = { 99 } },
	};
	struct tandem_dtls_context *ctx;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(tandem_dtls_context_alloc(&ctx, &wrong[i]), -EINVAL);
	tandem_dtls_context_put(NULL);
	tandem_dtls_free(NULL);
}

/* A context goes on as long as an association has it; the next has another certificate. */
static void certificates_change(void **state)
{
	struct pair *p = pair_open(NULL, NULL);
	struct tandem_dtls_context *next, *more;

	(void)state;
	assert_int_equal(tandem_dtls_context_alloc(&next, NULL), 0);
	assert_false(tandem_dtls_fingerprint_equal(tandem_dtls_context_fingerprint(next),
						   tandem_dtls_context_fingerprint(p->ctx[0])));
	tandem_dtls_context_put(p->ctx[0]);
	p->ctx[0] = next;
	start(p);
	settle(p);
	assert_keys_agree(p, SRTP_AEAD_AES_128_GCM);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(tandem_dtls_context_alloc(&more, NULL), 0);
		tandem_dtls_context_put(more);
	}
	pair_close(p);
}

/* A new association with the same peer gives other keys. */
static void new_association_new_keys(void **state)
{
	struct pair *p = pair_open(NULL, NULL);
	struct tandem_srtp in, out, in2, out2;
	struct tandem_dtls *old[2];

	(void)state;
	start(p);
	settle(p);
	assert_keys_agree(p, SRTP_AEAD_AES_128_GCM);
	assert_int_equal(tandem_dtls_keys(p->ends[0].a, &in, &out), 0);
	for (int i = 0; i < 2; i++) {
		old[i] = p->ends[i].a;
		end_open(p, i, (struct tandem_dtls_config){ 0 });
		expect_peer(p, i);
	}
	start(p);
	settle(p);
	assert_keys_agree(p, SRTP_AEAD_AES_128_GCM);
	assert_int_equal(tandem_dtls_keys(p->ends[0].a, &in2, &out2), 0);
	assert_memory_not_equal(in.key, in2.key, 16);
	assert_true(in.id != in2.id && out.id != out2.id);
	tandem_dtls_free(old[0]);
	tandem_dtls_free(old[1]);
	pair_close(p);
}

/* ---- who the peer is ---- */

static void wrong_fingerprint(void **state)
{
	(void)state;
	for (int who = 0; who < 2; who++) {
		struct pair *p = pair_open(NULL, NULL);
		struct tandem_dtls_fingerprint fp = *tandem_dtls_context_fingerprint(p->ctx[!who]);
		struct tandem_srtp in, out;

		fp.value[31] ^= 0x80;
		assert_int_equal(tandem_dtls_set_peer(p->ends[who].a, &fp, 1, now_ms()), 0);
		start(p);
		run(p, 2000);
		assert_int_equal(tandem_dtls_state(p->ends[who].a), TANDEM_DTLS_FAILED);
		assert_int_equal(tandem_dtls_keys(p->ends[who].a, &in, &out), -ENOENT);
		assert_int_equal(tandem_dtls_context_counters(p->ctx[who])->wrong_fingerprint, 1);
		assert_int_equal(tandem_dtls_context_counters(p->ctx[who])->connected, 0);
		assert_non_null(strstr(tandem_dtls_why(p->ends[who].a), "certificate"));
		/* The other hears of it, early or late. */
		assert_in_range(tandem_dtls_state(p->ends[!who].a), TANDEM_DTLS_CLOSED,
				TANDEM_DTLS_FAILED);
		pair_close(p);
	}
}

/* One of several is enough, whatever its hash. */
static void several_fingerprints(void **state)
{
	struct pair *p = pair_open(NULL, NULL);
	struct tandem_dtls_fingerprint fps[5] = {
		{ .hash = TANDEM_DTLS_SHA512, .len = 64 },
		{ .hash = TANDEM_DTLS_SHA384, .len = 48 },
		{ .hash = TANDEM_DTLS_SHA256, .len = 32 },
		*tandem_dtls_context_fingerprint(p->ctx[1]),
	};

	(void)state;
	assert_int_equal(tandem_dtls_set_peer(p->ends[0].a, fps, 0, now_ms()), -EINVAL);
	assert_int_equal(tandem_dtls_set_peer(p->ends[0].a, fps, 5, now_ms()), -EINVAL);
	assert_int_equal(tandem_dtls_set_peer(p->ends[0].a, fps, 4, now_ms()), 0);
	start(p);
	settle(p);
	assert_keys_agree(p, SRTP_AEAD_AES_128_GCM);
	assert_int_equal(tandem_dtls_set_peer(p->ends[0].a, fps, 4, now_ms()), 0);
	assert_int_equal(tandem_dtls_set_peer(p->ends[0].a, fps, 3, now_ms()), -EBUSY);
	pair_close(p);
}

/* The handshake is over before the answer is there: no keys until then. */
static void late_fingerprint(void **state)
{
	struct tandem_dtls_fingerprint wrong = { .hash = TANDEM_DTLS_SHA256, .len = 32 };
	struct tandem_srtp in, out;

	(void)state;
	for (int good = 0; good < 2; good++) {
		struct pair *p = pair_open(NULL, NULL);

		tandem_dtls_free(p->ends[0].a);
		end_open(p, 0, (struct tandem_dtls_config){ 0 });
		start(p);
		settle(p);
		assert_int_equal(tandem_dtls_state(p->ends[1].a), TANDEM_DTLS_CONNECTED);
		assert_int_equal(tandem_dtls_state(p->ends[0].a), TANDEM_DTLS_UNPROVEN);
		assert_int_equal(tandem_dtls_keys(p->ends[0].a, &in, &out), -ENOENT);
		assert_int_equal(p->ends[0].changes, 0);
		if (good) {
			expect_peer(p, 0);
			assert_keys_agree(p, SRTP_AEAD_AES_128_GCM);
		} else {
			assert_int_equal(tandem_dtls_set_peer(p->ends[0].a, &wrong, 1, now_ms()),
					 0);
			assert_int_equal(p->ends[0].last, TANDEM_DTLS_FAILED);
			assert_int_equal(tandem_dtls_keys(p->ends[0].a, &in, &out), -ENOENT);
			settle(p);
			assert_int_equal(p->ends[1].last, TANDEM_DTLS_CLOSED);
		}
		pair_close(p);
	}
}

/* ---- bad wires ---- */

/* Several pairs at a time, as most of the time nothing happens. */
static void bad_wire(struct impairment bad, uint32_t ms, int most_failed)
{
	enum { PAIRS = 20 };
	const struct tandem_dtls_context_config quick = { .retransmit_ms = QUICK_MS,
							  .handshake_ms = ms };
	struct pair *p[PAIRS];
	int failed = 0;

	for (int i = 0; i < PAIRS; i++) {
		p[i] = pair_open(&quick, &quick);
		p[i]->bad = bad;
		p[i]->seed = (unsigned int)i + 1;
		start(p[i]);
	}
	for (uint64_t end = now_ms() + ms + 1000; now_ms() < end;) {
		int left = 0;

		for (int i = 0; i < PAIRS; i++) {
			turn(p[i]);
			left += !over(p[i]);
		}
		if (!left)
			break;
		pause_ms(2);
	}
	for (int i = 0; i < PAIRS; i++) {
		if (p[i]->ends[0].last == TANDEM_DTLS_CONNECTED &&
		    p[i]->ends[1].last == TANDEM_DTLS_CONNECTED)
			assert_keys_agree(p[i], SRTP_AEAD_AES_128_GCM);
		else
			failed++;
		pair_close(p[i]);
	}
	print_message("%d of %d failed\n", failed, PAIRS);
	assert_in_range(failed, 0, most_failed);
}

static void loss(void **state)
{
	(void)state;
	bad_wire((struct impairment){ .lose = 25 }, 20000, 0);
}

static void repetition(void **state)
{
	(void)state;
	bad_wire((struct impairment){ .repeat = 60 }, 20000, 0);
}

static void reordering(void **state)
{
	(void)state;
	bad_wire((struct impairment){ .reorder = 50, .repeat = 20 }, 20000, 0);
}

static void all_at_once(void **state)
{
	(void)state;
	bad_wire((struct impairment){ .lose = 15, .repeat = 20, .reorder = 40 }, 20000, 0);
}

/* What arrives spoilt is no reason to agree on different keys; it may be one to give up. */
static void corruption(void **state)
{
	(void)state;
	bad_wire((struct impairment){ .spoil = 20, .lose = 5 }, 4000, 18);
}

/* The last flight of the server is lost: it comes again when the client asks. */
static void last_flight_lost(void **state)
{
	struct pair *p = pair_open(NULL, NULL);
	uint64_t end = now_ms() + 3000;

	(void)state;
	start(p);
	while (tandem_dtls_state(p->ends[0].a) != TANDEM_DTLS_CONNECTED)
		deliver(p);
	p->count = 0;
	assert_int_equal(tandem_dtls_state(p->ends[1].a), TANDEM_DTLS_HANDSHAKE);
	while (!over(p) && now_ms() < end)
		run(p, 500);
	assert_keys_agree(p, SRTP_AEAD_AES_128_GCM);
	assert_true(tandem_dtls_context_counters(p->ctx[1])->retransmitted > 0);
	pair_close(p);
}

static void nobody_there(void **state)
{
	static const struct tandem_dtls_context_config impatient = { .handshake_ms = 150,
								     .retransmit_ms = QUICK_MS };
	struct pair *p = pair_open(&impatient, &impatient);
	struct tandem_dtls_quota quota = { .max = 1 };
	uint64_t begun = now_ms();

	(void)state;
	tandem_dtls_free(p->ends[1].a);
	end_open(p, 1, (struct tandem_dtls_config){ .quota = &quota });
	p->bad.lose = 100;
	start(p);
	assert_int_equal(quota.half_open, 1);
	assert_in_range(tandem_dtls_deadline(p->ends[1].a), begun, begun + 150);
	run(p, 600);
	assert_int_equal(p->ends[1].last, TANDEM_DTLS_FAILED);
	assert_int_equal(quota.half_open, 0);
	assert_int_equal(tandem_dtls_context_counters(p->ctx[1])->timed_out, 1);
	assert_in_range(p->sent, 2, 8);
	assert_true(tandem_dtls_deadline(p->ends[1].a) == UINT64_MAX);
	pair_close(p);
}

/* ---- after the handshake ---- */

static void peer_closes(void **state)
{
	(void)state;
	for (int who = 0; who < 2; who++) {
		struct pair *p = pair_open(NULL, NULL);
		struct tandem_srtp in, out;

		start(p);
		settle(p);
		assert_keys_agree(p, SRTP_AEAD_AES_128_GCM);
		tandem_dtls_free(p->ends[who].a);
		p->ends[who].a = NULL;
		settle(p);
		assert_int_equal(tandem_dtls_state(p->ends[!who].a), TANDEM_DTLS_CLOSED);
		assert_int_equal(p->ends[!who].changes, 2);
		assert_int_equal(tandem_dtls_context_counters(p->ctx[!who])->closed, 1);
		assert_int_equal(tandem_dtls_keys(p->ends[!who].a, &in, &out), 0);
		pair_close(p);
	}
}

/* After a while only the keys are left, and nobody is listened to. */
static void lingers(void **state)
{
	static const struct tandem_dtls_context_config brief = { .linger_ms = 5000 };
	struct pair *p = pair_open(&brief, NULL);
	struct tandem_dtls *a = p->ends[0].a;
	uint64_t until;

	(void)state;
	start(p);
	settle(p);
	assert_keys_agree(p, SRTP_AEAD_AES_128_GCM);
	until = tandem_dtls_deadline(a);
	assert_in_range(until, now_ms() + 4000, now_ms() + 5000);
	tandem_dtls_tick(a, until - 1);
	assert_true(tandem_dtls_deadline(a) == until);
	tandem_dtls_tick(a, until);
	assert_true(tandem_dtls_deadline(a) == UINT64_MAX);
	tandem_dtls_free(p->ends[1].a);
	p->ends[1].a = NULL;
	assert_int_equal(p->count, 1); /* the close_notify */
	settle(p);
	assert_int_equal(tandem_dtls_state(a), TANDEM_DTLS_CONNECTED);
	assert_int_equal(tandem_dtls_context_counters(p->ctx[0])->junk, 1);
	tandem_dtls_tick(a, until + 100000);
	assert_int_equal(p->ends[0].changes, 1);
	pair_close(p);
}

/* Nothing that anybody can make up ends an association. */
static void forgeries_after(void **state)
{
	static const unsigned char types[] = { 20, 21, 22, 23 };
	struct pair *p = pair_open(NULL, NULL);
	unsigned char d[200];

	(void)state;
	start(p);
	settle(p);
	for (unsigned int i = 0; i < 4000; i++) {
		for (size_t k = 0; k < sizeof(d); k++)
			d[k] = (unsigned char)rand_r(&p->seed);
		d[0] = types[i % 4];
		d[1] = 0xfe;
		d[2] = 0xfd;
		d[3] = 0;
		d[4] = i / 4 % 2; /* both epochs */
		memset(d + 5, 0, 6);
		d[9] = (unsigned char)(i >> 8);
		d[10] = (unsigned char)i;
		d[11] = 0;
		d[12] = sizeof(d) - 13;
		tandem_dtls_input(p->ends[i % 2].a, d, sizeof(d), now_ms());
	}
	assert_keys_agree(p, SRTP_AEAD_AES_128_GCM);
	tandem_dtls_free(p->ends[1].a);
	p->ends[1].a = NULL;
	settle(p);
	assert_int_equal(tandem_dtls_state(p->ends[0].a), TANDEM_DTLS_CLOSED);
	pair_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fingerprints),
		cmocka_unit_test(setups),
		cmocka_unit_test(connects),
		cmocka_unit_test(profiles),
		cmocka_unit_test(bad_contexts),
		cmocka_unit_test(certificates_change),
		cmocka_unit_test(new_association_new_keys),
		cmocka_unit_test(wrong_fingerprint),
		cmocka_unit_test(several_fingerprints),
		cmocka_unit_test(late_fingerprint),
		cmocka_unit_test(loss),
		cmocka_unit_test(repetition),
		cmocka_unit_test(reordering),
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(corruption),
		cmocka_unit_test(last_flight_lost),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(peer_closes),
		cmocka_unit_test(lingers),
		cmocka_unit_test(forgeries_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
