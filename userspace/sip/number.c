/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/number.h"

#include <errno.h>
#include <string.h>

#define SEPARATORS "-.()"
#define DIGITS	   "0123456789"
#define LOCAL	   DIGITS "*#ABCDEFabcdef"

/* Copy without visual separators; false for other characters, none at all, or too many. */
static bool copy_digits(struct tandem_number *number, const struct pl *text, const char *local)
{
	size_t n = 0, digits = 0, i;

	for (i = 0; i < text->l; i++) {
		char c = text->p[i];

		if (!i && c == '+') {
			number->global = true;
		} else if (c && strchr(SEPARATORS, c)) {
			continue;
		} else if (!c || !strchr(number->global ? DIGITS : local, c)) {
			return false;
		} else {
			digits++;
		}
		if (n + 1 >= sizeof(number->digits))
			return false;
		number->digits[n++] = c;
	}
	number->digits[n] = '\0';

	return digits > 0;
}

static int read_tel(struct tandem_number *number, const struct uri *uri)
{
	number->tel = true;
	/* libre has the number where a SIP URI has its host */
	if (pl_isset(&uri->user) || !copy_digits(number, &uri->host, LOCAL))
		return -EBADMSG;
	if (number->global)
		return 0;
	if (msg_param_decode(&uri->params, "phone-context", &number->context) ||
	    !pl_isset(&number->context))
		return -EBADMSG;

	return 0;
}

int tandem_number_read(struct tandem_number *number, const struct uri *uri)
{
	char text[2 * TANDEM_NUMBER_SIZE];
	struct pl user, phone;
	int len;

	memset(number, 0, sizeof(*number));
	if (!pl_strcasecmp(&uri->scheme, "tel"))
		return read_tel(number, uri);
	if (!pl_isset(&uri->user))
		return -ENOENT;

	/* "%2B49" is "+49": who may call it must not depend on how it is written */
	len = re_snprintf(text, sizeof(text), "%H", uri_user_unescape, &uri->user);
	if (len < 0 || strlen(text) != (size_t)len)
		return -ENOENT;
	/* parameters of the number stand in the user part: "+49301234;ext=5" */
	user.p = text;
	user.l = strcspn(text, ";");
	if (copy_digits(number, &user, DIGITS))
		return 0;
	memset(number, 0, sizeof(*number));
	/* said to be one, it may have what keys of a telephone have */
	if (!msg_param_decode(&uri->params, "user", &phone) && !pl_strcasecmp(&phone, "phone") &&
	    copy_digits(number, &user, LOCAL))
		return 0;

	return -ENOENT;
}

bool tandem_number_fits(const char *pattern, const char *text)
{
	size_t len = strlen(pattern);

	if (len && pattern[len - 1] == '*')
		return !strncasecmp(pattern, text, len - 1);

	return !strcasecmp(pattern, text);
}

int tandem_number_dress(char *buf, size_t size, const char *number, size_t strip, const char *add)
{
	size_t len = strlen(number);

	if (strip >= len)
		return -EINVAL;
	if (strlen(add) + len - strip >= size)
		return -EMSGSIZE;
	strcpy(buf, add);
	strcat(buf, number + strip);

	return 0;
}
