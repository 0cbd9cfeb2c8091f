/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keys of SRTP in session descriptions: the value of a=crypto (RFC 4568 section 9), with the
 * suites of RFC 4568 section 6.2, RFC 6188 and RFC 7714.
 *
 * What is not supported makes a line one that is passed over, as RFC 4568 section 5.1.2 wants:
 * several keys in one line, an MKI of more than 16 octets, a key derivation rate, and whatever
 * leaves something unencrypted or unauthenticated. No function here shows a key in a log or
 * an error.
 */
#ifndef TANDEM_MEDIA_SDES_H
#define TANDEM_MEDIA_SDES_H

#include <stddef.h>
#include <stdint.h>

#include "core/srtp_abi.h"
#include "userspace/datapath/datapath.h"

/* Longest value that format() writes, with its NUL. */
#define TANDEM_SDES_STRLEN 192

enum {
	TANDEM_SDES_SUITES = 6,	 /* that are supported */
	TANDEM_SDES_OFFERED = 5, /* that are offered, the first of them */
};

/* One a=crypto line; srtp.suite 0: none. */
struct tandem_sdes {
	uint32_t tag;
	struct tandem_srtp srtp;
};

/*
 * Read the value of an a=crypto attribute. The key set gets no id and no streams. 0; -EBADMSG:
 * not of the grammar, or a key that is not as long as its suite wants; -ENOTSUP: another suite,
 * key method or session parameter than those that are supported. *out is untouched on error.
 */
int tandem_sdes_parse(struct tandem_sdes *out, const char *value);

/* Write the value of the attribute. 0, -EINVAL: no such suite, or -ENOSPC. */
int tandem_sdes_format(const struct tandem_sdes *sdes, char *buf, size_t size);

/* A new key set with an id of its own, both from the kernel's random numbers. 0, -ENOTSUP, -EIO. */
int tandem_sdes_generate(struct tandem_sdes *out, uint32_t tag, uint8_t suite);

/* An id for a key set: random, so that none comes twice, also after a restart. 0 or -EIO. */
int tandem_sdes_new_id(uint64_t *id);

/* The suites in the order in which they are preferred; 0 where i is beyond the last. */
uint8_t tandem_sdes_suite(size_t i);

/* "AES_CM_128_HMAC_SHA1_80", or NULL; and the reverse, case ignored, or 0. */
const char *tandem_sdes_suite_name(uint8_t suite);
uint8_t tandem_sdes_suite_by_name(const char *name, size_t len);

/* Octets of master key and master salt; 0 for a suite that is not supported. */
size_t tandem_sdes_key_len(uint8_t suite);
size_t tandem_sdes_salt_len(uint8_t suite);

/* Are keys, salt and MKI the same, whatever the ids? In constant time. */
bool tandem_sdes_same_keys(const struct tandem_srtp *a, const struct tandem_srtp *b);

#endif
