/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An offer and an answer with every policy: what comes out is a description again, and where the
 * security of media ends at the relay, it has no key of the other side in it.
 *
 * Input: two policies, one octet each, then the offer, a NUL, and the answer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/session_env.h"
#include "userspace/session/model.h"
#include "userspace/util/log.h"

#define CALL "fuzz"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tandem_sessions *open_table(void)
{
	struct tandem_sessions_config cfg = {
		.locals_count = 2, .port_min = 16384, .port_max = 16583, .max_sessions = 10
	};
	struct tandem_sessions *ss = NULL;

	tandem_log_set_level(TANDEM_LOG_ERROR);
	CHECK(!tandem_ip_parse(&cfg.locals[0].ip, "10.0.0.1"));
	CHECK(!tandem_ip_parse(&cfg.locals[1].ip, "2001:db8:1::1"));
	CHECK(!tandem_sessions_alloc_with(&ss, &fuzz_env, &cfg, NULL, NULL, NULL, NULL));
	return ss;
}

/* A key of one side must not be in what the other side gets. */
static void check_keys(const struct tandem_sdp *in, const struct tandem_sdp *out, size_t i)
{
	struct tandem_sdes a, b;
	const char *theirs, *ours;

	for (size_t n = 0; (theirs = tandem_sdp_find_attr(in, (int)i, "crypto", n)); n++) {
		for (size_t k = 0; (ours = tandem_sdp_find_attr(out, (int)i, "crypto", k)); k++) {
			CHECK(!tandem_sdes_parse(&b, ours));
			CHECK(tandem_sdes_parse(&a, theirs) ||
			      !tandem_sdes_same_keys(&a.srtp, &b.srtp));
		}
	}
}

static void check_out(const struct tandem_session *s, const char *text, size_t len, const char *out,
		      size_t out_len)
{
	const struct tandem_media_list *list = s->pending.n ? &s->pending : &s->agreed;
	struct tandem_sdp *before, *after;

	CHECK(!tandem_sdp_parse(&after, out, out_len, NULL));
	CHECK(!tandem_sdp_parse(&before, text, len, NULL));
	CHECK(tandem_sdp_media_count(before) == tandem_sdp_media_count(after));
	for (size_t i = 0; i < tandem_sdp_media_count(after); i++) {
		if (i < list->n && tandem_sdp_media(after, i)->port && list->v[i].anchored &&
		    list->v[i].leg[0].secure.kind != TANDEM_PROTECT_PASS)
			check_keys(before, after, i);
	}
	tandem_sdp_free(before);
	tandem_sdp_free(after);
}

static int describe(struct tandem_sessions *ss, bool answer, const uint8_t *policies,
		    const char *text, size_t len)
{
	struct tandem_signal sig = {
		.source_security = policies[answer] % (TANDEM_SECURITY_DTLS + 1),
		.target_security = policies[!answer] % (TANDEM_SECURITY_DTLS + 1),
		.mux = policies[0] >> 3,
		.osrtp = (policies[1] >> 3) % (TANDEM_OSRTP_REJECT + 1),
		.no_new_suites = policies[1] >> 5 & 1,
		.source_dtls_active = policies[1] >> 6 & 1,
		.source_ice = (policies[1] >> 4) % (TANDEM_ICE_MODE_FULL + 1),
	};
	char *out = NULL;
	size_t out_len;
	int err;

	CHECK(!tandem_ip_parse(&sig.source.ip, answer ? "198.51.100.20" : "192.0.2.10"));
	CHECK(!tandem_ip_parse(&sig.target.ip, answer ? "192.0.2.10" : "198.51.100.20"));
	sig.source.port = sig.target.port = 5060;
	err = answer ? tandem_session_answer(ss, CALL, TANDEM_PARTY_B, &sig, text, len, &out,
					     &out_len)
		     : tandem_session_offer(ss, CALL, TANDEM_PARTY_A, &sig, text, len, &out,
					    &out_len);
	if (!err)
		check_out(tandem_sessions_by_call(ss, CALL), text, len, out, out_len);
	free(out);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tandem_dialog dialog = { .call_id = CALL,
						     .from_uri = "sip:a@x",
						     .to_uri = "sip:b@x",
						     .from_tag = "ta",
						     .to_tag = "tb" };
	static struct tandem_sessions *ss;
	const uint8_t *nul;

	if (!ss)
		ss = open_table();
	nul = size > 2 ? memchr(data + 2, 0, size - 2) : NULL;
	if (!nul || tandem_session_open(ss, &dialog))
		return 0;
	if (!describe(ss, false, data, (const char *)data + 2, (size_t)(nul - data - 2))) {
		(void)describe(ss, true, data, (const char *)nul + 1,
			       (size_t)(data + size - nul - 1));
		tandem_sessions_tick(ss);
	}
	CHECK(!tandem_session_end(ss, CALL, "over"));
	CHECK(!fuzz_flows_count);
	return 0;
}
