/* SPDX-License-Identifier: GPL-2.0-only */
/* NAPTR records: their order, and what ENUM makes of them (RFC 3402, RFC 3403, RFC 6116). */
#ifndef TANDEM_SIP_NAPTR_H
#define TANDEM_SIP_NAPTR_H

#include "userspace/sip/names.h"

#define TANDEM_NUMBER_DIGITS_MAX 15 /* of an E.164 number */
#define TANDEM_ENUM_URI_SIZE	 256

/* Indices of the records of an answer, by order and then by preference. */
void tandem_naptr_sort(const struct tandem_answer *answer, size_t index[TANDEM_RECORDS_MAX]);

/*
 * The domain of a number, "+4930123" as "3.2.1.0.3.9.4.e164.arpa". -EINVAL for what is no
 * global number, -EMSGSIZE when it does not fit.
 */
int tandem_enum_domain(char *buf, size_t size, const char *number, const char *suffix);

/* True when services of a NAPTR record, "E2U+sip" or "E2U+voice:tel+sip", have SIP. */
bool tandem_enum_is_sip(const char *services);

/*
 * What the regexp of a terminal NAPTR record makes of a number: a "sip:" or "sips:" URI.
 * Expressions are extended POSIX ones without intervals and back references, which could
 * be made to take long or much memory. -EBADMSG for a field that is malformed or beyond
 * limits, -ENOENT when it does not match, -EPROTONOSUPPORT for another URI than SIP's.
 */
int tandem_enum_rewrite(char uri[TANDEM_ENUM_URI_SIZE], const char *regexp, const char *number);

#endif
