/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What has been counted under the keys of a session, for the host that takes it over: without it
 * the rollover counter would be wrong, and an index used again. What is old says nothing.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "userspace/session/model.h"
#include "userspace/util/log.h"

/*
 * From so long ago on a sequence number may have wrapped twice unseen: 32,768 packets in half a
 * minute are 1,000 a second. The clocks of the hosts have to agree as well as that.
 */
#define TOO_OLD_MS 30000

static const struct tandem_srtp *set_of(const struct tandem_session *s, size_t i, bool *out)
{
	const struct tandem_secure_leg *leg = &s->agreed.v[i / 8].leg[i / 4 % 2].secure;
	const struct tandem_leg_keys *keys = i / 2 % 2 ? &leg->rtcp : &leg->rtp;

	*out = i % 2;
	return *out ? &keys->out : &keys->in;
}

static json_t *dump_set(const struct tandem_srtp_seed *seed)
{
	json_t *streams = json_array();
	char id[17];
	uint32_t i;

	for (i = 0; i < seed->count; i++)
		json_array_append_new(streams,
				      json_pack("[I, I, I]", (json_int_t)seed->streams[i].ssrc,
						(json_int_t)seed->streams[i].rtp,
						(json_int_t)seed->streams[i].srtcp));
	snprintf(id, sizeof(id), "%016" PRIx64, seed->id);
	return json_pack("{s:s, s:b, s:I, s:o}", "id", id, "out", seed->out, "srtcp",
			 (json_int_t)seed->srtcp, "streams", streams);
}

bool tandem_session_has_keys(const struct tandem_session *s)
{
	size_t i;
	bool out;

	for (i = 0; i < s->agreed.n * 8; i++) {
		if (set_of(s, i, &out)->suite)
			return true;
	}
	return false;
}

json_t *tandem_session_dump_counted(const struct tandem_sessions *ss,
				    const struct tandem_session *s)
{
	json_t *sets = json_array();
	struct tandem_srtp_seed seed;
	size_t i;

	for (i = 0; i < s->agreed.n * 8; i++) {
		const struct tandem_srtp *set = set_of(s, i, &seed.out);

		if (set->suite && ss->env.key_counted(ss->plane, set->id, &seed))
			json_array_append_new(sets, dump_set(&seed));
	}
	return json_pack("{s:I, s:o}", "at_ms", (json_int_t)ss->env.epoch_ms(ss->env.arg), "sets",
			 sets);
}

static int parse_set(const json_t *js, struct tandem_srtp_seed *seed)
{
	const json_t *streams, *one;
	json_int_t srtcp;
	const char *id;
	size_t i;
	int out;

	if (json_unpack((json_t *)js, "{s:s, s:b, s:I, s:o}", "id", &id, "out", &out, "srtcp",
			&srtcp, "streams", &streams) ||
	    json_array_size(streams) > TANDEM_SRTP_SEED_STREAMS || srtcp < 0 || srtcp > UINT32_MAX)
		return -EBADMSG;
	*seed = (struct tandem_srtp_seed){
		.id = strtoull(id, NULL, 16),
		.out = out,
		.srtcp = (uint64_t)srtcp,
	};
	json_array_foreach (streams, i, one) {
		json_int_t ssrc, rtp;

		if (json_unpack((json_t *)one, "[I, I, I]", &ssrc, &rtp, &srtcp) || ssrc < 0 ||
		    ssrc > UINT32_MAX || rtp < 0 || rtp >> 48 || srtcp < 0 || srtcp > UINT32_MAX)
			return -EBADMSG;
		seed->streams[seed->count++] = (struct tandem_srtp_counted){
			(uint32_t)ssrc,
			(uint64_t)rtp,
			(uint64_t)srtcp,
		};
	}
	return 0;
}

size_t tandem_session_parse_counted(const struct tandem_sessions *ss, const json_t *doc,
				    struct tandem_srtp_seed **seedsp)
{
	const json_t *counted = json_object_get(doc, "counted");
	const json_t *sets = json_object_get(counted, "sets"), *js;
	int64_t age = ss->env.epoch_ms(ss->env.arg) -
		      json_integer_value(json_object_get(counted, "at_ms"));
	struct tandem_srtp_seed *seeds;
	size_t i, n = 0;

	*seedsp = NULL;
	if (!json_array_size(sets))
		return 0;
	if (age > TOO_OLD_MS || age < -TOO_OLD_MS) {
		tandem_log(TANDEM_LOG_WARNING, "session",
			   "what was counted under keys is of %lld s ago: they are not used again",
			   (long long)age / 1000);
		return 0;
	}
	seeds = calloc(json_array_size(sets), sizeof(*seeds));
	if (!seeds)
		return 0;
	json_array_foreach (sets, i, js)
		n += !parse_set(js, &seeds[n]);
	*seedsp = seeds;
	return n;
}
