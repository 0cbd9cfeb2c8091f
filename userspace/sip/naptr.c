/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/naptr.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "userspace/sip/local.h"

#define PATTERN_MAX 127
#define GROUPS_MAX  9

void tandem_naptr_sort(const struct tandem_answer *answer, size_t index[TANDEM_RECORDS_MAX])
{
	size_t i, k;

	for (i = 0; i < answer->count; i++) {
		const struct tandem_record *r = &answer->records[i];

		for (k = i; k; k--) {
			const struct tandem_record *prior = &answer->records[index[k - 1]];

			if (prior->naptr.order < r->naptr.order ||
			    (prior->naptr.order == r->naptr.order &&
			     prior->naptr.preference <= r->naptr.preference))
				break;
			index[k] = index[k - 1];
		}
		index[k] = i;
	}
}

int tandem_enum_domain(char *buf, size_t size, const char *number, const char *suffix)
{
	size_t len = strlen(number), n = 0, i;

	if (number[0] != '+' || len < 2 || len > TANDEM_NUMBER_DIGITS_MAX + 1 ||
	    strspn(number + 1, "0123456789") != len - 1)
		return -EINVAL;
	if (2 * (len - 1) + strlen(suffix) >= size)
		return -EMSGSIZE;
	for (i = len - 1; i > 0; i--) {
		buf[n++] = number[i];
		buf[n++] = '.';
	}
	strcpy(buf + n, suffix);

	return 0;
}

bool tandem_enum_is_sip(const char *services)
{
	const char *at = services;

	if (strncasecmp(at, "E2U+", 4) != 0)
		return false;
	for (at += 4;; at++) {
		size_t len = strcspn(at, "+");

		/* a subtype follows a colon: "sip:voice" */
		if (len >= 3 && !strncasecmp(at, "sip", 3) && (len == 3 || at[3] == ':'))
			return true;
		at += len;
		if (!*at)
			return false;
	}
}

/* A field of the expression up to an unescaped delimiter; *textp goes beyond that. */
static int cut(char *buf, size_t size, const char **textp, char delim)
{
	const char *s = *textp;
	size_t n = 0;

	for (; *s && *s != delim; s++) {
		if (n + 3 >= size)
			return -EBADMSG;
		if (*s == '\\' && s[1]) {
			/* an escaped delimiter is one character, all else stays escaped */
			if (s[1] != delim)
				buf[n++] = *s;
			s++;
		}
		buf[n++] = *s;
	}
	if (*s != delim)
		return -EBADMSG;
	buf[n] = '\0';
	*textp = s + 1;

	return 0;
}

static bool is_repeat(char c)
{
	return c == '*' || c == '+' || c == '?';
}

/* A group as often as wanted, and more of that: loops in loops. A group may be there or not. */
static bool loops(char c, char last)
{
	return is_repeat(c) && (is_repeat(last) || (last == ')' && c != '?'));
}

/* What glibc answers with much memory, or exponential time. */
static bool is_harmless(const char *pattern)
{
	unsigned int groups = 0, stars = 0;
	const char *s;
	char last = '\0';

	for (s = pattern; *s; s++) {
		if ((unsigned char)*s < ' ' || (unsigned char)*s > '~' || *s == '{' ||
		    loops(*s, last))
			return false;
		groups += *s == '(';
		stars += is_repeat(*s);
		last = *s;
		if (*s != '\\')
			continue;
		s++;
		/* only what takes the meaning from a character: no \1, no \w */
		if (!*s || !strchr("+*?.()[]|^$\\/!", *s))
			return false;
	}

	return groups <= GROUPS_MAX && stars <= GROUPS_MAX;
}

static int match(regmatch_t groups[GROUPS_MAX + 1], const char *pattern, bool icase,
		 const char *number)
{
	regex_t re;
	int err;

	if (!is_harmless(pattern) || regcomp(&re, pattern, REG_EXTENDED | (icase ? REG_ICASE : 0)))
		return -EBADMSG;
	err = regexec(&re, number, GROUPS_MAX + 1, groups, 0) ? -ENOENT : 0;
	regfree(&re);

	return err;
}

/* What has matched stands for the whole of the number: RFC 3402 section 3.2. */
static int substitute(char *uri, const char *replacement, const char *number,
		      const regmatch_t groups[GROUPS_MAX + 1])
{
	const char *s;
	size_t n = 0;

	for (s = replacement; *s; s++) {
		const regmatch_t *g;
		size_t len = 1;
		const char *from = s;

		if (*s == '\\') {
			s++;
			if (*s >= '1' && *s <= '9') {
				g = &groups[*s - '0'];
				from = number + (g->rm_so < 0 ? 0 : g->rm_so);
				len = g->rm_so < 0 ? 0 : (size_t)(g->rm_eo - g->rm_so);
			} else if (*s == '\\') {
				from = s;
			} else {
				return -EBADMSG;
			}
		}
		if (n + len >= TANDEM_ENUM_URI_SIZE)
			return -EBADMSG;
		memcpy(uri + n, from, len);
		n += len;
	}
	uri[n] = '\0';

	return 0;
}

int tandem_enum_rewrite(char uri[TANDEM_ENUM_URI_SIZE], const char *regexp, const char *number)
{
	regmatch_t groups[GROUPS_MAX + 1];
	char pattern[PATTERN_MAX + 2], replacement[TANDEM_ENUM_URI_SIZE];
	const char *at = regexp;
	char delim = *at;
	struct pl pl;
	int err;

	/* a digit, a backslash and the flag cannot be delimiters */
	if (!delim || strchr("0123456789\\iI", delim))
		return -EBADMSG;
	at++;
	err = cut(pattern, sizeof(pattern), &at, delim);
	if (!err)
		err = cut(replacement, sizeof(replacement), &at, delim);
	if (!err && *at && strcasecmp(at, "i") != 0)
		err = -EBADMSG;
	if (!err)
		err = match(groups, pattern, *at != '\0', number);
	if (!err)
		err = substitute(uri, replacement, number, groups);
	if (err)
		return err;

	pl_set_str(&pl, uri);
	if (!tandem_sip_uri_clean(&pl))
		return -EBADMSG;

	return strncasecmp(uri, "sip:", 4) && strncasecmp(uri, "sips:", 5) ? -EPROTONOSUPPORT : 0;
}
