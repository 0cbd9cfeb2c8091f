/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The n-th allocation fails, for every n, from the start of the table to its end,
 * restart included: errors come back, nothing leaks (the sanitizer sees to that), and
 * no flow and no port is left behind. The allocator is replaced for the whole
 * program, so that libraries fail, too.
 */
#include "tests/unit/session_fixture.h"

#include <fcntl.h>
#include <unistd.h>

void *__interceptor_malloc(size_t size);
void *__interceptor_calloc(size_t n, size_t size);
void *__interceptor_realloc(void *p, size_t size);

static long allocations_left = -1; /* -1: no limit */

static bool may_allocate(void)
{
	if (!allocations_left)
		return false;
	if (allocations_left > 0)
		allocations_left--;
	return true;
}

void *malloc(size_t size)
{
	return may_allocate() ? __interceptor_malloc(size) : NULL;
}

void *calloc(size_t n, size_t size)
{
	return may_allocate() ? __interceptor_calloc(n, size) : NULL;
}

void *realloc(void *p, size_t size)
{
	return may_allocate() ? __interceptor_realloc(p, size) : NULL;
}

char *strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = malloc(size);

	return copy ? memcpy(copy, text, size) : NULL;
}

static const char *const forwards[] = {
	"{\"name\":\"f\",\"from\":\"192.0.2.7:4000\",\"out\":[{\"to\":\"198.51.100.1:6000\"}]}",
	"{\"name\":\"f\",\"from\":\"192.0.2.7:4000\",\"rtcp\":{},\"out\":[{\"to\":\"198.51.100.1:"
	"6000\"},"
	"{\"to\":\"198.51.100.2:6000\",\"rtcp\":true}],\"ssrc\":[{\"ssrc\":1,\"out\":[]}],"
	"\"rtcp_out\":[{\"to\":\"192.0.2.1:9\"},{\"to\":\"192.0.2.1:10\"}]}",
};

/* A forward, changed to one with fans, and shown. */
static bool forward(struct fixture *fx)
{
	const char *name;
	char why[256];
	json_t *js;
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(forwards) / sizeof(forwards[0]) && !err; i++) {
		js = json_loads(forwards[i], 0, NULL);
		err = js ? tandem_forward_set(fx->ss, js, &name, why, sizeof(why)) : -ENOMEM;
		json_decref(js);
	}
	if (err)
		return false;
	js = tandem_forward_json(fx->ss, name);
	if (!js)
		return false;
	json_decref(js);
	js = tandem_forwards_json(fx->ss);
	json_decref(js);
	return js != NULL;
}

#define CRYPTO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"
#define SECURE_AUDIO(host, key)                                                                    \
	"v=0\r\no=- 1 1 IN IP4 " host "\r\ns=-\r\nc=IN IP4 " host "\r\nt=0 0\r\n"                  \
	"m=audio 4000 RTP/SAVP 0\r\n" CRYPTO key "\r\n"

/* The same call goes on with SRTP that ends here, and with new keys. */
static bool secure(struct fixture *fx)
{
	static const char answer[] = SECURE_AUDIO(CALLEE,
						  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd");
	static const char *const offers[] = {
		SECURE_AUDIO(CALLER, "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"),
		SECURE_AUDIO(CALLER, "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"),
	};
	size_t i;

	fx->security = TANDEM_SECURITY_SDES_REQUIRE;
	for (i = 0; i < 2; i++) {
		if (fx_offer_from(fx, "secure", TANDEM_PARTY_A, CALLER, CALLEE, offers[i]) ||
		    fx_answer_from(fx, "secure", TANDEM_PARTY_B, CALLEE, CALLER, answer))
			return false;
	}
	fx->now_ms += TANDEM_OLD_KEY_MS;
	tandem_sessions_tick(fx->ss);
	return true;
}

/* How far a run of everything gets; true when all of it was done. */
static bool everything(struct fixture *fx)
{
	json_t *js;
	bool shown;

	if (fx_start(fx) || fx_dialog(fx, CALL) ||
	    fx_offer(fx, TANDEM_PARTY_A, audio("192.168.1.5", 4000, "")) ||
	    fx_answer(fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")) ||
	    tandem_session_confirm(fx->ss, CALL) ||
	    fx_offer(fx, TANDEM_PARTY_A, audio(CALLER, 4000, "m=video 4002 RTP/AVP 31\r\n")) ||
	    fx_answer(fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "m=video 5002 RTP/AVP 31\r\n")))
		return false;
	tandem_sessions_tick(fx->ss);
	js = tandem_session_json(fx->ss, CALL);
	shown = js != NULL;
	json_decref(js);
	js = tandem_sessions_json(fx->ss);
	shown = shown && js;
	json_decref(js);
	return shown && forward(fx) && !fx_dialog(fx, "secure") && secure(fx);
}

static bool restart(struct fixture *fx)
{
	tandem_sessions_free(fx->ss);
	fx->ss = NULL;
	return !fx_start(fx);
}

static void every_allocation(void **state)
{
	struct fixture fx;
	bool done = false;
	char why[128];
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), err = dup(STDERR_FILENO);
	long n;

	(void)state;
	assert_true(null >= 0 && err >= 0);
	for (n = 0; !done; n++) {
		fx_init(&fx);
		assert_int_equal(tandem_store_open(&fx.store, ":memory:", why, sizeof(why)), 0);
		/* hundreds of lines that say no more than "out of memory" */
		dup2(null, STDERR_FILENO);
		allocations_left = n;
		done = everything(&fx) && restart(&fx) && allocations_left > 0;
		allocations_left = -1;
		dup2(err, STDERR_FILENO);
		if (fx.ss) {
			tandem_session_end(fx.ss, CALL, "over");
			tandem_session_end(fx.ss, "secure", "over");
			tandem_forward_remove(fx.ss, "f");
			assert_int_equal(fx.plane.n, 0);
			assert_int_equal(fx_free_ports(&fx), 300);
		}
		fx_clean(&fx);
		assert_true(n < 20000);
	}
	close(null);
	close(err);
	assert_true(n > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
