/* SPDX-License-Identifier: GPL-2.0-only */
/* Telephone numbers in SIP and tel URIs (RFC 3966, RFC 3261 section 19.1.6). */
#ifndef TANDEM_SIP_NUMBER_H
#define TANDEM_SIP_NUMBER_H

#include "userspace/sip/local.h"

#define TANDEM_NUMBER_SIZE 64

struct tandem_number {
	char digits[TANDEM_NUMBER_SIZE]; /* "+49301234" or "1234"; visual separators are gone */
	bool global;			 /* begins with + */
	bool tel;			 /* the URI was a tel URI */
	struct pl context;		 /* phone-context of a local number; refers to the URI */
};

/*
 * The number that uri names: of a tel URI, or the user of a SIP URI that looks like a number. -ENOENT
 * when it is none, -EBADMSG for a tel URI that is malformed or has no context (RFC 3966
 * section 5.1.4).
 */
int tandem_number_read(struct tandem_number *number, const struct uri *uri);

/*
 * True when pattern fits the text: the same, or, when pattern ends in "*", the same
 * up to there. Case does not count.
 */
bool tandem_number_fits(const char *pattern, const char *text);

/*
 * The number as a gateway wants it: strip characters taken away in front, add put there.
 * -EINVAL when nothing is left, -EMSGSIZE when it does not fit.
 */
int tandem_number_dress(char *buf, size_t size, const char *number, size_t strip, const char *add);

#endif
