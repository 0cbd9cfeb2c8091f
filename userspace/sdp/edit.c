/* SPDX-License-Identifier: GPL-2.0-only */
/* Edits of c=, o= and m= lines */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/sdp/draft.h"

/* "IP4" or "IP6" if host is a literal of that family; NULL otherwise */
static const char *addrtype(int family, const char *host, bool *multicast)
{
	uint8_t bytes[16];

	if (!host || (family != AF_INET && family != AF_INET6))
		return NULL;
	if (inet_pton(family, host, bytes) != 1)
		return NULL;
	*multicast = family == AF_INET ? (bytes[0] & 0xf0) == 0xe0 : bytes[0] == 0xff;
	return family == AF_INET ? "IP4" : "IP6";
}

/* Where a c= line belongs: after the last of the lines that come before it */
static size_t connection_place(const struct tandem_sdp *sdp, int media, size_t first, size_t end)
{
	const char *before = media == TANDEM_SDP_SESSION ? "vosiuep" : "mi";
	size_t i, place = first;

	for (i = first; i < end; i++) {
		char type = tandem_sdp_line_type(sdp, i);

		if (type && strchr(before, type))
			place = i + 1;
	}
	return place;
}

int tandem_sdp_set_connection(struct tandem_sdp *sdp, int media, int family, const char *host)
{
	struct tandem_sdp_draft draft;
	bool multicast, done = false;
	const char *type = addrtype(family, host, &multicast);
	size_t first, end, i;

	if (!sdp || !type || multicast || tandem_sdp_section(sdp, media, &first, &end))
		return -EINVAL;
	tandem_sdp_draft_init(&draft, sdp);
	for (i = first; i < end; i++) {
		if (tandem_sdp_line_type(sdp, i) != 'c')
			continue;
		if (done)
			tandem_sdp_draft_drop(&draft, i);
		else
			tandem_sdp_draft_replace(&draft, i, "c=IN %s %s", type, host);
		done = true;
	}
	if (!done)
		tandem_sdp_draft_insert(&draft, connection_place(sdp, media, first, end),
					"c=IN %s %s", type, host);
	return tandem_sdp_draft_commit(&draft);
}

/* The first o= line of the session level. @return 0 or -ENOENT */
static int find_origin(const struct tandem_sdp *sdp, size_t *line)
{
	size_t i, end;

	if (!sdp->session.has_origin || tandem_sdp_section(sdp, TANDEM_SDP_SESSION, &i, &end))
		return -ENOENT;
	while (i < end && tandem_sdp_line_type(sdp, i) != 'o')
		i++;
	*line = i;
	return i < end ? 0 : -ENOENT;
}

int tandem_sdp_set_origin_address(struct tandem_sdp *sdp, int family, const char *host)
{
	struct tandem_sdp_draft draft;
	const char *text, *tail;
	bool multicast;
	const char *type = addrtype(family, host, &multicast);
	size_t i, n, len;

	if (!sdp || !type || multicast)
		return -EINVAL;
	if (find_origin(sdp, &i))
		return -ENOENT;
	text = tandem_sdp_line_text(sdp, i);
	n = tandem_sdp_word_count(text);
	tail = tandem_sdp_word(text, n - 3, &len);
	tandem_sdp_draft_init(&draft, sdp);
	tandem_sdp_draft_replace(&draft, i, "o=%.*sIN %s %s", (int)(tail - text), text, type, host);
	return tandem_sdp_draft_commit(&draft);
}

/* Not empty, and without what ends a line, or else a word. */
static bool is_text(const char *text, const char *without)
{
	return text && *text && !text[strcspn(text, without)];
}

int tandem_sdp_set_origin_user(struct tandem_sdp *sdp, const char *user)
{
	struct tandem_sdp_draft draft;
	const char *text, *tail;
	size_t i, n, len;

	if (!sdp || !is_text(user, " \t\r\n"))
		return -EINVAL;
	if (find_origin(sdp, &i))
		return -ENOENT;
	text = tandem_sdp_line_text(sdp, i);
	n = tandem_sdp_word_count(text);
	tail = tandem_sdp_word(text, n - 5, &len);
	tandem_sdp_draft_init(&draft, sdp);
	tandem_sdp_draft_replace(&draft, i, "o=%s %s", user, tail);
	return tandem_sdp_draft_commit(&draft);
}

int tandem_sdp_set_origin(struct tandem_sdp *sdp, const char *user, const char *id,
			  const char *version)
{
	static const char blanks[] = " \t\r\n";
	struct tandem_sdp_draft draft;
	const char *text;
	size_t i, len;

	if (!sdp || !is_text(user, blanks) || !is_text(id, blanks) || !is_text(version, blanks))
		return -EINVAL;
	if (find_origin(sdp, &i))
		return -ENOENT;
	text = tandem_sdp_line_text(sdp, i);
	text = tandem_sdp_word(text, tandem_sdp_word_count(text) - 3, &len);
	tandem_sdp_draft_init(&draft, sdp);
	tandem_sdp_draft_replace(&draft, i, "o=%s %s %s %s", user, id, version, text);
	return tandem_sdp_draft_commit(&draft);
}

int tandem_sdp_set_session_name(struct tandem_sdp *sdp, const char *name)
{
	struct tandem_sdp_draft draft;
	size_t i, end;

	if (!sdp || !is_text(name, "\r\n"))
		return -EINVAL;
	if (tandem_sdp_section(sdp, TANDEM_SDP_SESSION, &i, &end))
		return -ENOENT;
	while (i < end && tandem_sdp_line_type(sdp, i) != 's')
		i++;
	if (i == end)
		return -ENOENT;
	tandem_sdp_draft_init(&draft, sdp);
	tandem_sdp_draft_replace(&draft, i, "s=%s", name);
	return tandem_sdp_draft_commit(&draft);
}

/* Add one to a decimal number of any length; out has room for len + 2. */
static void increment(char *out, const char *digits, size_t len)
{
	size_t i = len;

	out[0] = '0';
	memcpy(out + 1, digits, len);
	out[len + 1] = '\0';
	while (out[i] == '9')
		out[i--] = '0';
	out[i]++;
	if (out[0] == '0')
		memmove(out, out + 1, len + 1);
}

int tandem_sdp_bump_version(struct tandem_sdp *sdp)
{
	struct tandem_sdp_draft draft;
	const char *text, *version;
	size_t i, len;
	char *next;

	if (!sdp)
		return -EINVAL;
	if (find_origin(sdp, &i))
		return -ENOENT;
	text = tandem_sdp_line_text(sdp, i);
	version = tandem_sdp_word(text, tandem_sdp_word_count(text) - 4, &len);
	if (strspn(version, "0123456789") != len)
		return -ENOENT;
	next = malloc(len + 2);
	if (!next)
		return -ENOMEM;
	increment(next, version, len);
	tandem_sdp_draft_init(&draft, sdp);
	tandem_sdp_draft_replace(&draft, i, "o=%.*s%s%s", (int)(version - text), text, next,
				 version + len);
	free(next);
	return tandem_sdp_draft_commit(&draft);
}

/* Put `ports` in the place of the port, and of its count unless that is kept. */
static void replace_port(struct tandem_sdp_draft *draft, size_t line, bool keep_count,
			 const char *ports)
{
	const char *text = tandem_sdp_line_text(draft->sdp, line);
	size_t len;
	const char *word = tandem_sdp_word(text, 1, &len);

	if (keep_count)
		len = strspn(word, "0123456789");
	tandem_sdp_draft_replace(draft, line, "m=%.*s%s%s", (int)(word - text), text, ports,
				 word + len);
}

int tandem_sdp_set_port(struct tandem_sdp *sdp, size_t media, uint16_t port)
{
	struct tandem_sdp_draft draft;
	size_t first, end;
	char ports[8];

	if (!sdp || media >= sdp->nmedia || tandem_sdp_section(sdp, (int)media, &first, &end))
		return -EINVAL;
	snprintf(ports, sizeof(ports), "%u", port);
	tandem_sdp_draft_init(&draft, sdp);
	replace_port(&draft, first, true, ports);
	return tandem_sdp_draft_commit(&draft);
}

int tandem_sdp_set_ports(struct tandem_sdp *sdp, size_t media, uint16_t port, uint32_t nports)
{
	struct tandem_sdp_draft draft;
	size_t first, end;
	char ports[20];

	if (!sdp || media >= sdp->nmedia || !nports ||
	    tandem_sdp_section(sdp, (int)media, &first, &end))
		return -EINVAL;
	if (nports == 1)
		snprintf(ports, sizeof(ports), "%u", port);
	else
		snprintf(ports, sizeof(ports), "%u/%u", port, nports);
	tandem_sdp_draft_init(&draft, sdp);
	replace_port(&draft, first, false, ports);
	return tandem_sdp_draft_commit(&draft);
}

int tandem_sdp_set_proto(struct tandem_sdp *sdp, size_t media, const char *proto)
{
	struct tandem_sdp_draft draft;
	const char *text, *word;
	size_t first, end, len;

	if (!sdp || !proto || !*proto || strpbrk(proto, " \t\r\n") || media >= sdp->nmedia ||
	    tandem_sdp_section(sdp, (int)media, &first, &end))
		return -EINVAL;
	text = tandem_sdp_line_text(sdp, first);
	word = tandem_sdp_word(text, 2, &len);
	tandem_sdp_draft_init(&draft, sdp);
	tandem_sdp_draft_replace(&draft, first, "m=%.*s%s%s", (int)(word - text), text, proto,
				 word + len);
	return tandem_sdp_draft_commit(&draft);
}

/* Take mid, a whole word, out of a=group:BUNDLE lines. */
static void leave_bundle(struct tandem_sdp_draft *draft, const char *mid)
{
	const struct tandem_sdp *sdp = draft->sdp;
	size_t i, end, k, len;

	if (tandem_sdp_section(sdp, TANDEM_SDP_SESSION, &i, &end))
		return;
	for (; i < end; i++) {
		const char *text = tandem_sdp_line_attr(sdp, i, "group"), *word;

		word = text ? tandem_sdp_word(text, 0, &len) : NULL;
		if (!word || len != 6 || memcmp(word, "BUNDLE", 6))
			continue;
		for (k = 1; (word = tandem_sdp_word(text, k, &len)); k++) {
			if (len != strlen(mid) || memcmp(word, mid, len))
				continue;
			/* the blank before the word goes with it */
			tandem_sdp_draft_replace(draft, i, "a=group:%.*s%s", (int)(word - text - 1),
						 text, word + len);
			break;
		}
	}
}

int tandem_sdp_reject_media(struct tandem_sdp *sdp, size_t media)
{
	struct tandem_sdp_draft draft;
	size_t i, end;

	if (!sdp || media >= sdp->nmedia || tandem_sdp_section(sdp, (int)media, &i, &end))
		return -EINVAL;
	tandem_sdp_draft_init(&draft, sdp);
	replace_port(&draft, i, false, "0");
	for (; i < end; i++)
		if (tandem_sdp_line_attr(sdp, i, "bundle-only"))
			tandem_sdp_draft_drop(&draft, i);
	if (sdp->media[media].mid)
		leave_bundle(&draft, sdp->media[media].mid);
	return tandem_sdp_draft_commit(&draft);
}

static bool is_pt(const char *word, size_t len, int pt)
{
	char digits[8];
	uint32_t n;

	if (!word || len >= sizeof(digits))
		return false;
	memcpy(digits, word, len);
	digits[len] = '\0';
	return !tandem_sdp_scan_number(digits, 127, &n) && (int)n == pt;
}

/* The m= line without pt, each format with the blanks before it */
static int drop_format(struct tandem_sdp_draft *draft, size_t line, int pt)
{
	const char *text = tandem_sdp_line_text(draft->sdp, line), *from, *word;
	char *without = malloc(strlen(text) + 1);
	size_t len, k, used, kept = 0;

	if (!without)
		return -ENOMEM;
	word = tandem_sdp_word(text, 2, &len);
	from = word + len;
	used = (size_t)(from - text);
	memcpy(without, text, used);
	for (k = 3; (word = tandem_sdp_word(text, k, &len)); k++) {
		if (!is_pt(word, len, pt)) {
			memcpy(without + used, from, (size_t)(word + len - from));
			used += (size_t)(word + len - from);
			kept++;
		}
		from = word + len;
	}
	strcpy(without + used, from);
	if (kept)
		tandem_sdp_draft_replace(draft, line, "m=%s", without);
	free(without);
	return kept ? 0 : -EBUSY;
}

int tandem_sdp_prefer_format(struct tandem_sdp *sdp, size_t media, int pt)
{
	const char *text, *first, *word;
	struct tandem_sdp_draft draft;
	size_t i, end, len, k = 3;

	if (!sdp || media >= sdp->nmedia || tandem_sdp_section(sdp, (int)media, &i, &end))
		return -EINVAL;
	text = tandem_sdp_line_text(sdp, i);
	first = tandem_sdp_word(text, k, &len);
	while ((word = tandem_sdp_word(text, k, &len)) && !is_pt(word, len, pt))
		k++;
	if (!word)
		return -ENOENT;
	tandem_sdp_draft_init(&draft, sdp);
	/* behind the word there is a blank, or the end of the line */
	if (word != first)
		tandem_sdp_draft_replace(&draft, i, "m=%.*s%.*s %.*s%s", (int)(first - text), text,
					 (int)len, word, (int)(word - first - 1), first,
					 word + len);
	return tandem_sdp_draft_commit(&draft);
}

int tandem_sdp_remove_format(struct tandem_sdp *sdp, size_t media, int pt)
{
	static const char *const names[] = { "rtpmap", "fmtp", "rtcp-fb" };
	const char *value, *word;
	struct tandem_sdp_draft draft;
	size_t i, end, k, len;

	if (!sdp || media >= sdp->nmedia || tandem_sdp_section(sdp, (int)media, &i, &end))
		return -EINVAL;
	if (!tandem_sdp_find_format(&sdp->media[media], pt))
		return -ENOENT;
	tandem_sdp_draft_init(&draft, sdp);
	if (!draft.error)
		draft.error = drop_format(&draft, i, pt);
	for (; i < end; i++) {
		for (k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
			value = tandem_sdp_line_attr(sdp, i, names[k]);
			word = value ? tandem_sdp_word(value, 0, &len) : NULL;
			if (word && is_pt(word, len, pt))
				tandem_sdp_draft_drop(&draft, i);
		}
	}
	return tandem_sdp_draft_commit(&draft);
}
