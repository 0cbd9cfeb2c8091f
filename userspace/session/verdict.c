/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/session/verdict.h"

#include <stdio.h>

#define SILENCE_MS 10000

static const char *const names[] = { "caller", "callee" };

static bool is_silent(const struct tandem_verdict_input *in, int p)
{
	return !in->side[p].packets || in->side[p].last_ms + SILENCE_MS < in->side[!p].last_ms;
}

static bool is_mismatch(const struct tandem_verdict_side *side)
{
	return !side->packets && side->unknown;
}

static void say_mismatch(const struct tandem_verdict_side *side, const char *name, char *buf,
			 size_t size)
{
	char is[TANDEM_ENDPOINT_STRLEN], should[TANDEM_ENDPOINT_STRLEN];

	snprintf(buf, size, "media from an unexpected source: NAT mismatch (%s) %s instead of %s",
		 name, tandem_endpoint_format(&side->unknown_from, is, sizeof(is)),
		 tandem_endpoint_format(&side->expected_from, should, sizeof(should)));
}

static const char *say_flow(const struct tandem_verdict_input *in)
{
	bool silent[2] = { is_silent(in, 0), is_silent(in, 1) };

	if (silent[0] && silent[1])
		return "no media";
	if (!silent[0] && !silent[1])
		return "two-way";
	if (!in->side[silent[0] ? 0 : 1].may_send)
		return "one-way as negotiated";
	return silent[0] ? "one-way: caller is silent" : "one-way: callee is silent";
}

/* For how long both have paused, when each had been heard before; 0: they have not. */
static uint64_t pause_s(const struct tandem_verdict_input *in)
{
	uint64_t last = in->side[0].last_ms > in->side[1].last_ms ? in->side[0].last_ms
								  : in->side[1].last_ms;

	if (is_silent(in, 0) || is_silent(in, 1) || in->now_ms <= last + SILENCE_MS)
		return 0;
	return (in->now_ms - last) / 1000;
}

static const char *whose(bool caller, bool callee)
{
	static const char *const names_of[] = { NULL, "the caller", "the callee", "both" };

	return names_of[caller | callee << 1];
}

/* Behind what is said already; nothing where it is of nobody, or does not fit. */
static size_t say(char *buf, size_t size, size_t said, const char *fmt, const char *who)
{
	int len = who ? snprintf(buf + said, size - said, fmt, who) : 0;

	return len > 0 && said + (size_t)len < size ? said + (size_t)len : said;
}

/* Streams count before they are sealed, so that what is dropped then seems to flow. */
static size_t say_first(const struct tandem_verdict_input *in, char *buf, size_t size)
{
	const struct tandem_verdict_side *a = &in->side[0], *b = &in->side[1];
	size_t said = 0;

	said = say(buf, size, said, "media of %s is blocked by command; ",
		   whose(a->blocked, b->blocked));
	said = say(buf, size, said, "media of %s is silenced by command; ",
		   whose(a->silenced, b->silenced));
	said = say(buf, size, said,
		   "packets of %s are dropped: no room for their SSRC under the key; ",
		   whose(a->full, b->full));
	return say(buf, size, said, "%s", said ? "else " : NULL);
}

const char *tandem_verdict(const struct tandem_verdict_input *in, char *buf, size_t size)
{
	size_t said;
	int p;

	if (!in->answered || !in->relayed || in->held) {
		snprintf(buf, size, "%s",
			 !in->answered	? "not answered"
			 : !in->relayed ? "not relayed"
					: "on hold");
		return buf;
	}
	for (p = 0; p < 2; p++) {
		if (in->side[p].obstacle) {
			snprintf(buf, size, "no keys with the %s: %s", names[p],
				 in->side[p].obstacle);
			return buf;
		}
		if (is_mismatch(&in->side[p])) {
			say_mismatch(&in->side[p], names[p], buf, size);
			return buf;
		}
	}
	said = say_first(in, buf, size);
	if (pause_s(in))
		snprintf(buf + said, size - said, "no media for %llu s",
			 (unsigned long long)pause_s(in));
	else
		snprintf(buf + said, size - said, "%s", say_flow(in));
	return buf;
}
