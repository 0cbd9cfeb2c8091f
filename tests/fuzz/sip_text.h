/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The messages of a script: text with holes that are filled with what the sender has received.
 *
 *   $V $K   the lines of Via, of Record-Route      $F $T $I   the values of From, To, Call-ID
 *   $R $r   Record-Route as lines of Route, as     $C $U      the URI of Contact, of the request
 *           the callee has them, and the caller    $B         the branch of the first Via
 *   $A      credentials for the challenge          $q $M      number and method of CSeq
 *   $S      the body                               $s         a description of the sender's own
 *   $n      the number of the record               $$         a dollar
 *
 * "METHOD URI" or a status ("200 OK") in the first line is made a whole message: headers that every
 * message has are added where the text has not got them.
 */
#ifndef TANDEM_TESTS_FUZZ_SIP_TEXT_H
#define TANDEM_TESTS_FUZZ_SIP_TEXT_H

#include "tests/fuzz/sip_peers.h"
#include "userspace/util/digest.h"

struct text {
	char p[32768];
	size_t len;
};

static inline void text_add(struct text *t, const char *p, size_t len)
{
	if (len > sizeof(t->p) - t->len)
		len = sizeof(t->p) - t->len;
	memcpy(t->p + t->len, p, len);
	t->len += len;
}

__attribute__((format(printf, 2, 3))) static inline void text_print(struct text *t, const char *fmt,
								    ...)
{
	char buf[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	text_add(t, buf, n < (int)sizeof(buf) ? (size_t)n : sizeof(buf) - 1);
}

static inline void text_header(struct text *t, const char *msg, const char *name)
{
	size_t len;
	const char *val = message_header(msg, name, 0, &len);

	if (val)
		text_add(t, val, len);
}

static inline void text_line(struct text *t, const char *name, const char *val, size_t len)
{
	text_print(t, "%s: ", name);
	text_add(t, val, len);
	text_add(t, "\r\n", 2);
}

/* All headers of that name under another one, from the first or from the last. */
static inline void text_lines(struct text *t, const char *msg, const char *name, const char *as,
			      bool reversed)
{
	unsigned int count = 0, i;
	size_t len;

	while (message_header(msg, name, count, &len))
		count++;
	for (i = 0; i < count; i++) {
		const char *val = message_header(msg, name, reversed ? count - 1 - i : i, &len);

		text_line(t, as, val, len);
	}
}

/* From a text up to one of these. */
static inline void text_until(struct text *t, const char *p, const char *end)
{
	if (p)
		text_add(t, p, strcspn(p, end));
}

static inline const char *after(const char *p, const char *what)
{
	p = p ? strstr(p, what) : NULL;
	return p ? p + strlen(what) : NULL;
}

/* ---- what a message is made of ---- */

static inline void text_sdp(struct text *t, const struct peer *p)
{
	const char *family = strchr(p->ip, ':') ? "IP6" : "IP4";

	text_print(t,
		   "v=0\r\no=- 1 1 IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n"
		   "m=audio 30000 RTP/AVP 0\r\n",
		   family, p->ip, family, p->ip);
}

static inline struct tandem_digest_text digest_text(const char *p)
{
	return (struct tandem_digest_text){ p, strlen(p) };
}

/* Of dave's, with the password that the server knows. */
static inline void text_credentials(struct text *t, const char *challenge)
{
	bool proxy = !strncmp(challenge, "SIP/2.0 407", 11);
	const char *nonce = after(challenge, "nonce=\"");
	uint8_t ha1[TANDEM_DIGEST_MAX], out[TANDEM_DIGEST_MAX];
	char copy[128], method[32] = "";
	size_t len;

	if (!nonce)
		return;
	snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(nonce, "\""), nonce);
	challenge = message_header(challenge, "CSeq", 0, &len);
	if (!challenge || sscanf(challenge, "%*u %31s", method) != 1)
		return;
	const struct tandem_digest_input in = {
		.method = digest_text(method),
		.uri = digest_text("sip:example.test"),
		.nonce = digest_text(copy),
		.nc = digest_text("00000001"),
		.cnonce = digest_text("c"),
	};

	CHECK(!tandem_digest_ha1(TANDEM_DIGEST_SHA256, "dave", WORLD_REALM, "wave", ha1));
	CHECK(!tandem_digest_response(TANDEM_DIGEST_SHA256, ha1, &in, out));
	text_print(t,
		   "%suthorization: Digest username=\"dave\", realm=\"" WORLD_REALM
		   "\", nonce=\"%s\", uri=\"sip:example.test\", algorithm=SHA-256, qop=auth, "
		   "cnonce=\"c\", nc=00000001, response=\"",
		   proxy ? "Proxy-A" : "A", copy);
	for (size_t i = 0; i < tandem_digest_size(TANDEM_DIGEST_SHA256); i++)
		text_print(t, "%02x", out[i]);
	text_print(t, "\"\r\n");
}

/* Of the last message that p has received, which may be "". */
static inline void text_of_message(struct text *t, const char *msg, char what)
{
	size_t len;

	switch (what) {
	case 'V':
		text_lines(t, msg, "Via", "Via", false);
		break;
	case 'K':
		text_lines(t, msg, "Record-Route", "Record-Route", false);
		break;
	case 'R':
	case 'r':
		text_lines(t, msg, "Record-Route", "Route", what == 'r');
		break;
	case 'F':
		text_header(t, msg, "From");
		break;
	case 'T':
		text_header(t, msg, "To");
		break;
	case 'I':
		text_header(t, msg, "Call-ID");
		break;
	case 'C':
		text_until(t, after(message_header(msg, "Contact", 0, &len), "<"), ">\r");
		break;
	case 'U':
		text_until(t, after(msg, " "), " ");
		break;
	case 'B':
		text_until(t, after(msg, "branch="), ";\r");
		break;
	case 'q':
		text_until(t, message_header(msg, "CSeq", 0, &len), " \r");
		break;
	case 'M':
		text_until(t, after(message_header(msg, "CSeq", 0, &len), " "), "\r");
		break;
	case 'S':
		text_add(t, message_body(msg), strlen(message_body(msg)));
		break;
	default:
		text_add(t, &what, 1);
	}
}

static inline void text_hole(struct text *t, const struct peer *p, char what, unsigned int number)
{
	const char *challenge;

	switch (what) {
	case 'A':
		challenge = peer_last(p, false, 0);
		if (challenge)
			text_credentials(t, challenge);
		break;
	case 'n':
		text_print(t, "%u", number);
		break;
	case 's':
		text_sdp(t, p);
		break;
	default:
		text_of_message(t, p->last[0], what);
	}
}

/* Fill the holes; lines end with CRLF, however they ended. */
static inline void text_fill(struct text *t, const struct peer *p, const char *data, size_t size,
			     unsigned int number)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '$' && i + 1 < size)
			text_hole(t, p, data[++i], number);
		else if (data[i] == '\n' && (!t->len || t->p[t->len - 1] != '\r'))
			text_add(t, "\r\n", 2);
		else
			text_add(t, data + i, 1);
	}
}

#endif
