/* SPDX-License-Identifier: GPL-2.0-only */
/* Which suites of SRTP with keys in SDP (RFC 4568) are offered, and in which order. */
#include <errno.h>
#include <string.h>

#include "userspace/ng/params.h"

/* The place of a suite in the relay's own order; -1: it has none. */
static int place_of(const char *name, size_t len)
{
	uint8_t suite = tandem_sdes_suite_by_name(name, len);
	int i;

	for (i = 0; suite && i < TANDEM_SDES_SUITES; i++) {
		if (tandem_sdes_suite((size_t)i) == suite)
			return i;
	}
	return -1;
}

static void append(struct tandem_suites *list, uint8_t suite)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (list->suite[i] == suite)
			return;
	}
	list->suite[list->count++] = suite;
}

int tandem_ng_suites_take(struct tandem_ng_suites *suites, enum tandem_ng_word word,
			  const char *value)
{
	int place, err = -EINVAL;
	size_t len;

	/* of suites that the relay has not, nothing has to be done */
	for (; *value; value += len + (value[len] == ';')) {
		len = strcspn(value, ";");
		place = place_of(value, len);
		if (place < 0)
			continue;
		err = 0;
		if (word == TANDEM_NG_SDES_NO)
			suites->no |= 1U << place;
		else if (word == TANDEM_NG_SDES_ONLY)
			suites->only |= 1U << place;
		else
			append(word == TANDEM_NG_SDES_ORDER ? &suites->order : &suites->preferred,
			       tandem_sdes_suite((size_t)place));
	}
	return err;
}

static bool is_wanted(const struct tandem_ng_suites *suites, size_t place)
{
	if (suites->no_new)
		return true;
	if (suites->only)
		return suites->only >> place & 1;
	/* the last ones are for those who ask for them */
	return place < TANDEM_SDES_OFFERED && !(suites->no >> place & 1);
}

bool tandem_ng_suites_settle(const struct tandem_ng_suites *suites, struct tandem_suites *out)
{
	struct tandem_suites wanted = { 0 };
	size_t i, k;

	*out = (struct tandem_suites){ 0 };
	if (!suites->no && !suites->only && !suites->order.count && !suites->no_new)
		return true;
	for (i = 0; i < suites->order.count; i++) {
		for (k = 0; tandem_sdes_suite(k) != suites->order.suite[i];)
			k++;
		if (is_wanted(suites, k))
			append(&wanted, suites->order.suite[i]);
	}
	for (k = 0; k < TANDEM_SDES_SUITES; k++) {
		if (is_wanted(suites, k))
			append(&wanted, tandem_sdes_suite(k));
	}
	*out = wanted;
	return wanted.count > 0;
}
