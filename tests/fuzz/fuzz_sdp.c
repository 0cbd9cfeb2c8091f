/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whatever parses must print as it came; whatever an edit makes must parse again, with the
 * edited fact in it; and nothing may crash. The input's second description, after a line
 * with "%%", is the answer to the first.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/sdp/sdp.h"

static const char separator[] = "%%\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tandem_sdp *parse(const char *text, size_t len)
{
	struct tandem_sdp *sdp = NULL;
	struct tandem_sdp_error err = { 0 };
	int rc = tandem_sdp_parse(&sdp, text, len, &err);

	CHECK(err.code == rc && err.reason);
	CHECK(!rc == !!sdp);
	CHECK(!rc || rc == -EBADMSG || rc == -EMSGSIZE);
	return sdp;
}

static void check_same(const struct tandem_sdp *sdp, const char *want, size_t want_len)
{
	char *text = NULL;
	size_t len = 0;

	CHECK(!tandem_sdp_print(sdp, &text, &len));
	CHECK(len == want_len && !memcmp(text, want, len));
	free(text);
}

/* The document and a fresh parse of its text must be the same thing. */
static void check_reparse(const struct tandem_sdp *sdp)
{
	struct tandem_sdp *again;
	char *text = NULL;
	size_t len = 0;

	CHECK(!tandem_sdp_print(sdp, &text, &len));
	again = parse(text, len);
	CHECK(again);
	check_same(again, text, len);
	CHECK(tandem_sdp_media_count(again) == tandem_sdp_media_count(sdp));
	CHECK(tandem_sdp_line_count(again) == tandem_sdp_line_count(sdp));
	tandem_sdp_free(again);
	free(text);
}

static size_t touch(const char *text)
{
	return text ? strlen(text) : 0;
}

static size_t read_all(const struct tandem_sdp *sdp)
{
	const struct tandem_sdp_session *s = tandem_sdp_session(sdp);
	struct tandem_sdp_line line;
	size_t sum = touch(s->username) + touch(s->sess_id) + touch(s->sess_version) +
		     touch(s->origin.host) + touch(s->name) + touch(s->conn.host);
	size_t i, k;

	for (i = 0; i < s->ngroups; i++) {
		sum += touch(s->groups[i].semantics);
		for (k = 0; k < s->groups[i].nmids; k++)
			sum += touch(s->groups[i].mids[k]);
	}
	for (i = 0; !tandem_sdp_line(sdp, i, &line); i++)
		sum += touch(line.value);
	CHECK(i == tandem_sdp_line_count(sdp));
	for (i = 0; i < tandem_sdp_media_count(sdp); i++) {
		const struct tandem_sdp_media *m = tandem_sdp_media(sdp, i);

		sum += touch(m->type) + touch(m->proto) + touch(m->conn.host) +
		       touch(m->rtcp.host) + touch(m->mid) + touch(m->setup);
		for (k = 0; k < m->nformats; k++)
			sum += touch(m->formats[k].fmt) + touch(m->formats[k].name) +
			       touch(m->formats[k].fmtp);
		for (k = 0; k < m->nssrcs; k++)
			sum += m->ssrcs[k];
	}
	return sum;
}

static void edit_media(struct tandem_sdp *sdp, size_t i)
{
	int rc, pt = -1;
	size_t k;

	/* a large port can meet a port count that no longer fits */
	rc = tandem_sdp_set_port(sdp, i, 40000);
	CHECK(!rc || rc == -EINVAL || rc == -EMSGSIZE);
	if (!rc)
		CHECK(tandem_sdp_media(sdp, i)->port == 40000);
	rc = tandem_sdp_set_connection(sdp, (int)i, AF_INET6, "2001:db8::7");
	if (!rc)
		CHECK(tandem_sdp_media(sdp, i)->conn.family == AF_INET6 &&
		      tandem_sdp_media(sdp, i)->nconns == 1 &&
		      !strcmp(tandem_sdp_media(sdp, i)->conn.host, "2001:db8::7"));
	rc = tandem_sdp_set_rtcp(sdp, i, 40001, AF_INET, "192.0.2.9");
	if (!rc)
		CHECK(tandem_sdp_media(sdp, i)->rtcp_port == 40001);
	rc = tandem_sdp_set_direction(sdp, (int)i, TANDEM_SDP_RECVONLY);
	if (!rc)
		CHECK(tandem_sdp_media(sdp, i)->dir == TANDEM_SDP_RECVONLY);
	rc = tandem_sdp_set_attr(sdp, (int)i, "mid", "z");
	if (!rc)
		CHECK(!strcmp(tandem_sdp_media(sdp, i)->mid, "z"));
	CHECK(!tandem_sdp_remove_attr(sdp, (int)i, "candidate"));
	CHECK(!tandem_sdp_find_attr(sdp, (int)i, "candidate", 0));
	for (k = 0; k < tandem_sdp_media(sdp, i)->nformats; k++)
		pt = tandem_sdp_media(sdp, i)->formats[k].pt;
	rc = tandem_sdp_remove_format(sdp, i, pt);
	CHECK(!rc || rc == -ENOENT || rc == -EBUSY);
	if (!rc)
		CHECK(!tandem_sdp_find_format(tandem_sdp_media(sdp, i), pt));
	if (i % 2) {
		CHECK(!tandem_sdp_reject_media(sdp, i));
		CHECK(tandem_sdp_media(sdp, i)->rejected);
	}
}

static void edit_all(struct tandem_sdp *sdp)
{
	size_t n = tandem_sdp_media_count(sdp), i;
	int rc;

	rc = tandem_sdp_set_connection(sdp, TANDEM_SDP_SESSION, AF_INET, "192.0.2.1");
	if (!rc)
		CHECK(!strcmp(tandem_sdp_session(sdp)->conn.host, "192.0.2.1"));
	rc = tandem_sdp_set_origin_address(sdp, AF_INET, "192.0.2.2");
	if (!rc)
		CHECK(!strcmp(tandem_sdp_session(sdp)->origin.host, "192.0.2.2"));
	(void)tandem_sdp_bump_version(sdp);
	for (i = 0; i < n && i < 4; i++)
		edit_media(sdp, i);
	(void)tandem_sdp_add_attr(sdp, TANDEM_SDP_SESSION, "tool", "fuzz");
	CHECK(tandem_sdp_media_count(sdp) == n);
	check_reparse(sdp);
}

static void answer_all(const struct tandem_sdp *offer, const struct tandem_sdp *answer)
{
	static struct tandem_sdp_negotiated out;
	struct tandem_sdp_update update;
	size_t i, k;

	for (i = 0; i < tandem_sdp_media_count(offer); i++) {
		if (tandem_sdp_negotiate(offer, answer, i, &out))
			break;
		for (k = 0; k < out.ncodecs; k++)
			CHECK(out.codecs[k].offer && out.codecs[k].answer);
	}
	(void)tandem_sdp_check_update(offer, answer, &update, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *split = memmem(text, size, separator, sizeof(separator) - 1);
	size_t len = split ? (size_t)(split - text) : size;
	struct tandem_sdp *offer = parse(text, len), *answer = NULL, *copy = NULL;

	if (!offer)
		return 0;
	check_same(offer, text, len);
	read_all(offer);
	(void)tandem_sdp_validate(offer, NULL);
	CHECK(!tandem_sdp_dup(&copy, offer));
	check_same(copy, text, len);
	if (split)
		answer = parse(split + 3, size - len - 3);
	answer_all(offer, answer ? answer : copy);
	edit_all(copy);
	answer_all(offer, copy);
	tandem_sdp_free(copy);
	tandem_sdp_free(answer);
	tandem_sdp_free(offer);
	return 0;
}
