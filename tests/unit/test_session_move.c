/* SPDX-License-Identifier: GPL-2.0-only */
/* Sessions that move from one host to another: what is told of them, and taking them up. */
#include "tests/unit/session_fixture.h"

#include "userspace/session/model.h"

#define HOME 0 /* 10.0.0.1, which faces the caller */

/* What a host hears of its sessions. */
struct heard {
	uint64_t number;
	size_t home;
	unsigned int changes, gone;
};

static void hear(uint64_t number, size_t home, bool gone, void *arg)
{
	struct heard *heard = arg;

	heard->number = number;
	heard->home = home;
	heard->changes++;
	heard->gone += gone;
}

static void open_host(struct fixture *fx, struct heard *heard, bool held)
{
	fx_init(fx);
	fx->cfg.standby[HOME] = true;
	assert_int_equal(fx_start(fx), 0);
	memset(heard, 0, sizeof(*heard));
	tandem_sessions_on_outdated(fx->ss, hear, heard);
	tandem_sessions_hold(fx->ss, HOME, held);
}

static char *text_of(struct fixture *fx, const char *call)
{
	char *text = tandem_session_text(fx->ss, fx_session(fx, call)->number);

	assert_non_null(text);
	return text;
}

static void no_ports_of_an_address_that_is_away(void **state)
{
	struct heard heard;
	struct fixture fx;

	(void)state;
	open_host(&fx, &heard, false);
	fx_dialog(&fx, CALL);
	/* the host's routes say 10.0.0.1, which is not here */
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, "")), 0);
	assert_int_equal(fx_session(&fx, CALL)->pending.v[0].leg[TANDEM_PARTY_A].local, 1);
	assert_int_equal(heard.changes, 0);
	tandem_session_end(fx.ss, CALL, "bye");
	tandem_sessions_hold(fx.ss, HOME, true);
	fx_call(&fx, CALL);
	assert_int_equal(fx_session(&fx, CALL)->home, HOME);
	assert_true(heard.changes >= 3);
	assert_int_equal(heard.home, HOME);
	assert_int_equal(heard.gone, 0);
	tandem_session_end(fx.ss, CALL, "bye");
	assert_int_equal(heard.gone, 1);
	fx_clean(&fx);
}

/* audio(), with a key. */
static const char *secured(const char *host, unsigned int port)
{
	static char sdp[1024];
	char *profile;

	snprintf(sdp, sizeof(sdp), "%s",
		 audio(host, port,
		       "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
		       "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"));
	profile = strstr(sdp, "RTP/AVP");
	memmove(profile + 8, profile + 7, strlen(profile + 7) + 1);
	memcpy(profile, "RTP/SAVP", 8);
	return sdp;
}

static void told(const struct tandem_dialog *dialog, int64_t started_ms, void *arg)
{
	assert_string_equal(dialog->call_id, CALL);
	assert_true(started_ms == 1700000000000LL);
	++*(unsigned int *)arg;
}

static void a_call_goes_on_elsewhere(void **state)
{
	struct heard heard_a, heard_b;
	unsigned int adopted = 0;
	struct fixture a, b;
	size_t ports;
	char *text;

	(void)state;
	open_host(&a, &heard_a, true);
	open_host(&b, &heard_b, true);
	fx_call(&a, CALL);
	text = text_of(&a, CALL);
	b.now_ms = 5;
	ports = tandem_ports_available(b.ss->ports, HOME);
	assert_int_equal(tandem_session_adopt(b.ss, text, told, &adopted), 0);
	assert_int_equal(adopted, 1);
	assert_int_equal(b.plane.n, a.plane.n);
	assert_int_equal(tandem_ports_available(b.ss->ports, HOME), ports - 1);
	assert_int_equal(fx_session(&b, CALL)->number, fx_session(&a, CALL)->number);
	assert_int_equal(heard_b.home, HOME);
	assert_true(tandem_session_at_home(b.ss, heard_b.number, HOME));
	assert_int_equal(tandem_session_adopt(b.ss, text, told, &adopted), -EEXIST);

	/* where it was it goes without a word to others, and with all it had */
	heard_a.gone = 0;
	assert_int_equal(tandem_session_release(a.ss, fx_session(&a, CALL)->number, "moved"), 0);
	assert_int_equal(heard_a.gone, 0);
	assert_int_equal(a.plane.n, 0);
	assert_int_equal(a.ended_count, 1);
	assert_int_equal(tandem_session_release(a.ss, heard_b.number, "moved"), -ENOENT);

	/* a description of it is answered where it is */
	assert_int_equal(fx_offer(&b, TANDEM_PARTY_B, audio(CALLEE, 5500, "")), 0);
	assert_int_equal(fx_answer(&b, TANDEM_PARTY_A, audio(CALLER, 4000, "")), 0);
	assert_int_equal(tandem_session_end(b.ss, CALL, "bye"), 0);
	assert_int_equal(b.plane.n, 0);
	assert_int_equal(tandem_ports_available(b.ss->ports, HOME), ports);
	free(text);
	fx_clean(&a);
	fx_clean(&b);
}

/* Caller with keys in SDP: what has been counted under them comes along, unless it is old. */
static void keys_go_on_where_they_were(void **state)
{
	struct heard heard_a, heard_b;
	const struct tandem_secure_leg *leg;
	struct fixture a, b;
	char *text;
	int i;

	(void)state;
	open_host(&a, &heard_a, true);
	open_host(&b, &heard_b, true);
	a.security = TANDEM_SECURITY_SDES_PREFER;
	fx_dialog(&a, CALL);
	assert_int_equal(fx_offer(&a, TANDEM_PARTY_A, secured(CALLER, 4000)), 0);
	assert_int_equal(fx_answer(&a, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), 0);
	assert_int_equal(tandem_session_confirm(a.ss, CALL), 0);
	leg = &fx_session(&a, CALL)->agreed.v[0].leg[TANDEM_PARTY_A].secure;
	text = text_of(&a, CALL);
	assert_int_equal(tandem_session_adopt(b.ss, text, NULL, NULL), 0);
	free(text);
	assert_int_equal(b.plane.seeds_count, 2);
	assert_true(b.plane.seeds[0].id == leg->rtp.in.id && !b.plane.seeds[0].out);
	assert_true(b.plane.seeds[1].id == leg->rtp.out.id && b.plane.seeds[1].out);
	assert_int_equal(b.plane.seeds[1].srtcp, 7);
	assert_int_equal(b.plane.seeds[1].count, 1);
	assert_int_equal(b.plane.seeds[1].streams[0].ssrc, 0xa0b0c0d0);
	assert_int_equal(b.plane.seeds[1].streams[0].rtp, 0x1ffff);

	/* it is told anew now and then, as it goes on */
	heard_a.changes = 0;
	for (i = 0; i < 20; i++)
		tandem_sessions_tick(a.ss);
	assert_int_equal(heard_a.changes, 2);

	/* one that nobody knows of, and what is old, are not among them */
	tandem_session_end(b.ss, CALL, "bye");
	a.plane.spent = leg->rtp.out.id;
	text = text_of(&a, CALL);
	assert_int_equal(tandem_session_adopt(b.ss, text, NULL, NULL), 0);
	assert_int_equal(b.plane.seeds_count, 1);
	tandem_session_end(b.ss, CALL, "bye");
	b.epoch_ms += 31000;
	b.plane.seeds_count = 0;
	assert_int_equal(tandem_session_adopt(b.ss, text, NULL, NULL), 0);
	assert_int_equal(b.plane.seeds_count, 0);
	free(text);
	fx_clean(&a);
	fx_clean(&b);
}

static void an_open_offer_is_answered_elsewhere(void **state)
{
	struct heard heard_a, heard_b;
	struct fixture a, b;
	size_t ports;
	char *text;

	(void)state;
	open_host(&a, &heard_a, true);
	open_host(&b, &heard_b, true);
	ports = tandem_ports_available(b.ss->ports, HOME);
	fx_dialog(&a, CALL);
	assert_int_equal(fx_offer(&a, TANDEM_PARTY_A, audio(CALLER, 4000, "")), 0);
	assert_int_equal(heard_a.changes, 1);
	text = text_of(&a, CALL);
	assert_int_equal(tandem_session_adopt(b.ss, text, NULL, NULL), 0);
	free(text);
	assert_int_equal(b.plane.n, 0);
	assert_int_equal(fx_answer(&b, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), 0);
	assert_int_equal(tandem_session_confirm(b.ss, CALL), 0);
	assert_int_equal(b.plane.n, 4);

	/* a second offer keeps the ports of the first, and they are given back once */
	assert_int_equal(fx_offer(&b, TANDEM_PARTY_A, audio(CALLER, 4100, "")), 0);
	text = text_of(&b, CALL);
	tandem_session_release(a.ss, fx_session(&a, CALL)->number, "moved");
	assert_int_equal(tandem_session_adopt(a.ss, text, NULL, NULL), 0);
	free(text);
	assert_int_equal(fx_answer(&a, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), 0);
	tandem_session_end(a.ss, CALL, "bye");
	tandem_session_end(b.ss, CALL, "bye");
	assert_int_equal(tandem_ports_available(a.ss->ports, HOME), ports);
	assert_int_equal(tandem_ports_available(b.ss->ports, HOME), ports);
	fx_clean(&a);
	fx_clean(&b);
}

/* Hosts count on their own: what comes with a number that is taken gets another. */
static void numbers_do_not_collide(void **state)
{
	struct heard heard_a, heard_b;
	struct fixture a, b;
	char *text;

	(void)state;
	open_host(&a, &heard_a, true);
	open_host(&b, &heard_b, true);
	fx_call(&a, CALL);
	fx_dialog(&b, "another");
	assert_int_equal(fx_session(&b, "another")->number, fx_session(&a, CALL)->number);
	text = text_of(&a, CALL);
	assert_int_equal(tandem_session_adopt(b.ss, text, NULL, NULL), 0);
	assert_int_not_equal(fx_session(&b, CALL)->number, fx_session(&a, CALL)->number);
	assert_int_equal(tandem_sessions_count(b.ss), 2);
	free(text);
	fx_clean(&a);
	fx_clean(&b);
}

static void what_cannot_be_is_refused(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{}", "{\"number\":1}" };
	struct heard heard_a, heard_b;
	struct fixture a, b;
	char *text, *open;
	size_t i;

	(void)state;
	open_host(&a, &heard_a, true);
	open_host(&b, &heard_b, true);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(tandem_session_adopt(b.ss, texts[i], NULL, NULL), -EBADMSG);
	fx_call(&a, CALL);
	text = text_of(&a, CALL);

	/* its ports are another's */
	fx_call(&b, "another");
	assert_int_equal(tandem_session_adopt(b.ss, text, NULL, NULL), -EBUSY);
	tandem_session_end(b.ss, "another", "bye");
	b.ss->cfg.max_sessions = 0;
	assert_int_equal(tandem_session_adopt(b.ss, text, NULL, NULL), -ENOSPC);
	b.ss->cfg.max_sessions = 100;

	/* there is no such address here */
	b.ss->cfg.locals[HOME].ip = ip("10.0.0.77");
	assert_int_equal(tandem_session_adopt(b.ss, text, NULL, NULL), -EADDRNOTAVAIL);
	b.ss->cfg.locals[HOME].ip = ip("10.0.0.1");

	/* an offer that is none */
	open = strstr(text, "v=0");
	assert_non_null(open);
	open[0] = 'x';
	assert_int_equal(tandem_session_adopt(b.ss, text, NULL, NULL), -EBADMSG);
	assert_int_equal(tandem_sessions_count(b.ss), 0);
	assert_null(tandem_session_text(b.ss, 4711));
	free(text);
	fx_clean(&a);
	fx_clean(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_ports_of_an_address_that_is_away),
		cmocka_unit_test(a_call_goes_on_elsewhere),
		cmocka_unit_test(keys_go_on_where_they_were),
		cmocka_unit_test(an_open_offer_is_answered_elsewhere),
		cmocka_unit_test(numbers_do_not_collide),
		cmocka_unit_test(what_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
