/* SPDX-License-Identifier: GPL-2.0-only */
/* What session descriptions say of DTLS: a=fingerprint (RFC 8122), a=setup (RFC 4145). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "userspace/media/dtls.h"

static const struct {
	const char *name;
	uint8_t len;
} hashes[] = {
	[TANDEM_DTLS_SHA256] = { "sha-256", 32 },
	[TANDEM_DTLS_SHA384] = { "sha-384", 48 },
	[TANDEM_DTLS_SHA512] = { "sha-512", 64 },
};

static const char *const setups[] = {
	[TANDEM_DTLS_ACTPASS] = "actpass",
	[TANDEM_DTLS_ACTIVE] = "active",
	[TANDEM_DTLS_PASSIVE] = "passive",
	[TANDEM_DTLS_HOLDCONN] = "holdconn",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint8_t find_hash(const char *name, size_t len)
{
	for (uint8_t i = TANDEM_DTLS_SHA256; i < COUNT(hashes); i++) {
		if (strlen(hashes[i].name) == len && !strncasecmp(hashes[i].name, name, len))
			return i;
	}
	return 0;
}

/* Pairs of digits with a colon between each; nothing behind them. */
static int read_octets(uint8_t *out, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++, text += 2) {
		if (i && *text++ != ':')
			return -EBADMSG;
		if (digit(text[0]) < 0 || digit(text[1]) < 0)
			return -EBADMSG;
		out[i] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
	}
	return *text ? -EBADMSG : 0;
}

int tandem_dtls_fingerprint_parse(struct tandem_dtls_fingerprint *out, const char *value)
{
	struct tandem_dtls_fingerprint fp = { 0 };
	size_t len = strcspn(value, " ");
	int err;

	if (!len || value[len] != ' ')
		return -EBADMSG;
	fp.hash = find_hash(value, len);
	if (!fp.hash)
		return -ENOTSUP;
	fp.len = hashes[fp.hash].len;
	err = read_octets(fp.value, fp.len, value + len + 1);
	if (!err)
		*out = fp;
	return err;
}

int tandem_dtls_fingerprint_format(const struct tandem_dtls_fingerprint *fp, char *buf, size_t size)
{
	int at;

	if (fp->hash < TANDEM_DTLS_SHA256 || fp->hash >= COUNT(hashes) ||
	    fp->len != hashes[fp->hash].len)
		return -EINVAL;
	at = snprintf(buf, size, "%s ", hashes[fp->hash].name);
	if ((size_t)at + 3 * (size_t)fp->len > size)
		return -ENOSPC;
	for (size_t i = 0; i < fp->len; i++)
		at += snprintf(buf + at, size - (size_t)at, i ? ":%02X" : "%02X", fp->value[i]);
	return 0;
}

bool tandem_dtls_fingerprint_equal(const struct tandem_dtls_fingerprint *a,
				   const struct tandem_dtls_fingerprint *b)
{
	return a->hash == b->hash && a->len == b->len && !memcmp(a->value, b->value, a->len);
}

enum tandem_dtls_setup tandem_dtls_setup_parse(const char *value)
{
	for (int i = TANDEM_DTLS_ACTPASS; i < (int)COUNT(setups); i++) {
		if (!strcasecmp(value, setups[i]))
			return (enum tandem_dtls_setup)i;
	}
	return TANDEM_DTLS_NO_SETUP;
}

const char *tandem_dtls_setup_name(enum tandem_dtls_setup setup)
{
	return (size_t)setup < COUNT(setups) ? setups[setup] : NULL;
}

enum tandem_dtls_setup tandem_dtls_setup_answer(enum tandem_dtls_setup offer,
						enum tandem_dtls_setup prefer)
{
	switch (offer) {
	case TANDEM_DTLS_ACTPASS:
		return prefer;
	case TANDEM_DTLS_PASSIVE:
		return TANDEM_DTLS_ACTIVE;
	case TANDEM_DTLS_NO_SETUP:
	case TANDEM_DTLS_ACTIVE:
		return TANDEM_DTLS_PASSIVE;
	case TANDEM_DTLS_HOLDCONN:
		break;
	}
	return TANDEM_DTLS_NO_SETUP;
}

int tandem_dtls_setup_client(enum tandem_dtls_setup ours, enum tandem_dtls_setup theirs)
{
	if (theirs == TANDEM_DTLS_NO_SETUP)
		theirs = TANDEM_DTLS_ACTIVE;
	if (ours == TANDEM_DTLS_ACTPASS)
		ours = theirs == TANDEM_DTLS_ACTIVE ? TANDEM_DTLS_PASSIVE : TANDEM_DTLS_ACTIVE;
	if (ours == TANDEM_DTLS_ACTIVE &&
	    (theirs == TANDEM_DTLS_PASSIVE || theirs == TANDEM_DTLS_ACTPASS))
		return 1;
	if (ours == TANDEM_DTLS_PASSIVE &&
	    (theirs == TANDEM_DTLS_ACTIVE || theirs == TANDEM_DTLS_ACTPASS))
		return 0;
	return -EINVAL;
}
