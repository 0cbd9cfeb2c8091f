/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/media/sdes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#define KEY_SALT_MAX 46
#define MAX_TAG_LEN  9
#define MAX_LIFETIME 48 /* packets of SRTP under one key, as a power of two (RFC 3711 9.2) */

/*
 * In the order in which they are preferred. The first is what everybody has (RFC 4568 6.2.1), and
 * what every datapath does; short tags are for those who have no other.
 */
static const struct suite {
	uint8_t id;
	uint8_t key_len;
	uint8_t salt_len;
	const char *name;
} suites[TANDEM_SDES_SUITES] = {
	{ SRTP_AES_CM_128_HMAC_SHA1_80, 16, 14, "AES_CM_128_HMAC_SHA1_80" },
	{ SRTP_AES_256_CM_HMAC_SHA1_80, 32, 14, "AES_256_CM_HMAC_SHA1_80" },
	{ SRTP_AEAD_AES_128_GCM, 16, 12, "AEAD_AES_128_GCM" },
	{ SRTP_AEAD_AES_256_GCM, 32, 12, "AEAD_AES_256_GCM" },
	{ SRTP_AES_CM_128_HMAC_SHA1_32, 16, 14, "AES_CM_128_HMAC_SHA1_32" },
	{ SRTP_AES_256_CM_HMAC_SHA1_32, 32, 14, "AES_256_CM_HMAC_SHA1_32" },
};

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* A piece of the value that is being read. */
struct text {
	const char *p;
	size_t len;
};

static const struct suite *find_suite(uint8_t id)
{
	size_t i;

	for (i = 0; i < TANDEM_SDES_SUITES; i++) {
		if (suites[i].id == id)
			return &suites[i];
	}
	return NULL;
}

uint8_t tandem_sdes_suite(size_t i)
{
	return i < TANDEM_SDES_SUITES ? suites[i].id : SRTP_SUITE_NONE;
}

const char *tandem_sdes_suite_name(uint8_t suite)
{
	const struct suite *s = find_suite(suite);

	return s ? s->name : NULL;
}

uint8_t tandem_sdes_suite_by_name(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < TANDEM_SDES_SUITES; i++) {
		if (strlen(suites[i].name) == len && !strncasecmp(suites[i].name, name, len))
			return suites[i].id;
	}
	return SRTP_SUITE_NONE;
}

size_t tandem_sdes_key_len(uint8_t suite)
{
	const struct suite *s = find_suite(suite);

	return s ? s->key_len : 0;
}

size_t tandem_sdes_salt_len(uint8_t suite)
{
	const struct suite *s = find_suite(suite);

	return s ? s->salt_len : 0;
}

/* The next piece up to one of `ends`, which is passed over; false at the end of the text. */
static bool cut(struct text *rest, const char *ends, struct text *piece)
{
	if (!rest->p)
		return false;
	piece->p = rest->p;
	for (piece->len = 0; piece->len < rest->len && !strchr(ends, rest->p[piece->len]);)
		piece->len++;
	if (piece->len == rest->len) {
		*rest = (struct text){ 0 };
	} else {
		rest->p += piece->len + 1;
		rest->len -= piece->len + 1;
	}
	return true;
}

/* The next word; false when there is none. */
static bool cut_word(struct text *rest, struct text *word)
{
	while (cut(rest, " \t", word)) {
		if (word->len)
			return true;
	}
	return false;
}

/* Digits without a leading zero; *value is cut off at UINT64_MAX. */
static bool read_number(const struct text *text, uint64_t *value)
{
	size_t i;

	*value = 0;
	if (!text->len || (text->len > 1 && text->p[0] == '0'))
		return false;
	for (i = 0; i < text->len; i++) {
		unsigned int digit = (unsigned char)text->p[i] - '0';

		if (digit > 9)
			return false;
		*value = *value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *value * 10 + digit;
	}
	return true;
}

/* RFC 4648 section 4; padding may be left out. Exactly `want` octets, or -EBADMSG. */
static int decode(const struct text *text, uint8_t *out, size_t want)
{
	size_t len = text->len, i, n = 0;
	uint32_t bits = 0;

	while (len && text->len - len < 2 && text->p[len - 1] == '=')
		len--;
	if (len != (want * 8 + 5) / 6 || (len != text->len && text->len % 4))
		return -EBADMSG;
	for (i = 0; i < len; i++) {
		const char *at = text->p[i] ? strchr(base64, text->p[i]) : NULL;

		if (!at)
			return -EBADMSG;
		bits = bits << 6 | (uint32_t)(at - base64);
		if (i % 4)
			out[n++] = bits >> (6 - 2 * (i % 4));
		if (n == want)
			break;
	}
	return 0;
}

static void encode(const uint8_t *in, size_t len, char *out)
{
	size_t i, k;

	for (i = 0; i < len; i += 3) {
		uint32_t bits = (uint32_t)in[i] << 16;

		if (i + 1 < len)
			bits |= in[i + 1] << 8;
		if (i + 2 < len)
			bits |= in[i + 2];
		for (k = 0; k < 4; k++)
			*out++ = i + k > len ? '=' : base64[bits >> (18 - 6 * k) & 0x3f];
	}
	*out = '\0';
}

/* A decimal number of any length as `len` octets, most significant first. -EBADMSG: it needs more. */
static int mki_from_text(const struct text *text, uint8_t *mki, size_t len)
{
	uint64_t unused;
	size_t i, k;

	if (!read_number(text, &unused))
		return -EBADMSG;
	memset(mki, 0, len);
	for (i = 0; i < text->len; i++) {
		unsigned int carry = text->p[i] - '0';

		for (k = len; k--;) {
			carry += mki[k] * 10U;
			mki[k] = carry;
			carry >>= 8;
		}
		if (carry)
			return -EBADMSG;
	}
	return 0;
}

/* The reverse: repeated division by ten. buf has room for 40 characters. */
static void mki_to_text(const uint8_t *mki, size_t len, char *buf)
{
	uint8_t rest[sizeof(((struct tandem_srtp *)NULL)->mki)];
	char digits[40];
	size_t n = 0, k;
	bool more = true;

	memcpy(rest, mki, len);
	while (more) {
		unsigned int remainder = 0;

		more = false;
		for (k = 0; k < len; k++) {
			remainder = remainder << 8 | rest[k];
			rest[k] = remainder / 10;
			remainder %= 10;
			more |= rest[k] != 0;
		}
		digits[n++] = '0' + remainder;
	}
	while (n)
		*buf++ = digits[--n];
	*buf = '\0';
}

/* mki-value ":" mki-length */
static int read_mki(struct text mki, struct tandem_srtp *srtp)
{
	struct text value, length;
	uint64_t len;

	if (!cut(&mki, ":", &value) || !cut(&mki, ":", &length) || mki.p ||
	    !read_number(&length, &len) || len < 1 || len > 128)
		return -EBADMSG;
	if (len > sizeof(srtp->mki))
		return -ENOTSUP;
	srtp->mki_len = len;
	return mki_from_text(&value, srtp->mki, len);
}

/*
 * ["2^"] number, at most 2^48. It is for the sender to have new keys in time; what is
 * received is bounded by the packet index.
 */
static int check_lifetime(struct text lifetime)
{
	uint64_t n;
	bool power = lifetime.len > 2 && !memcmp(lifetime.p, "2^", 2);

	if (power) {
		lifetime.p += 2;
		lifetime.len -= 2;
	}
	if (!read_number(&lifetime, &n) || !(n || power) ||
	    n > (power ? MAX_LIFETIME : 1ULL << MAX_LIFETIME))
		return -EBADMSG;
	return 0;
}

/* key-info of "inline": key||salt ["|" lifetime] ["|" MKI ":" length] (RFC 4568 section 6.1) */
static int read_key(struct text info, const struct suite *suite, struct tandem_srtp *srtp)
{
	size_t want = suite->key_len + suite->salt_len;
	uint8_t octets[KEY_SALT_MAX];
	struct text part;
	int err;

	if (!cut(&info, "|", &part))
		return -EBADMSG;
	err = decode(&part, octets, want);
	if (!err) {
		memcpy(srtp->key, octets, suite->key_len);
		memcpy(srtp->salt, octets + suite->key_len, suite->salt_len);
	}
	explicit_bzero(octets, sizeof(octets));
	if (err || !cut(&info, "|", &part))
		return err;
	if (!memchr(part.p, ':', part.len)) {
		err = check_lifetime(part);
		if (err || !cut(&info, "|", &part))
			return err;
	}
	return info.p ? -EBADMSG : read_mki(part, srtp);
}

static int read_key_params(const struct text *params, const struct suite *suite,
			   struct tandem_srtp *srtp)
{
	static const char method[] = "inline:";
	const size_t len = sizeof(method) - 1;

	if (params->len < len || strncasecmp(params->p, method, len))
		return memchr(params->p, ':', params->len) ? -ENOTSUP : -EBADMSG;
	if (memchr(params->p, ';', params->len))
		return -ENOTSUP;
	return read_key((struct text){ params->p + len, params->len - len }, suite, srtp);
}

/*
 * Of the session parameters (RFC 4568 section 6.3) only one can be lived with: WSH, a hint.
 * Those that begin with '-' may be passed over by who does not know them; all others have
 * to be understood.
 */
static int check_session_param(const struct text *param)
{
	struct text size = { param->p + 4, param->len - 4 };
	uint64_t n;

	if (param->p[0] == '-')
		return param->len > 1 ? 0 : -EBADMSG;
	if (param->len < 5 || strncasecmp(param->p, "WSH=", 4))
		return -ENOTSUP;
	return read_number(&size, &n) && n >= 64 ? 0 : -EBADMSG;
}

int tandem_sdes_parse(struct tandem_sdes *out, const char *value)
{
	struct text rest = { value, strlen(value) }, tag, suite, params, param;
	struct tandem_sdes sdes = { 0 };
	const struct suite *s;
	uint64_t n;
	int err;

	if (!cut_word(&rest, &tag) || !cut_word(&rest, &suite) || !cut_word(&rest, &params))
		return -EBADMSG;
	if (tag.len > MAX_TAG_LEN || !read_number(&tag, &n))
		return -EBADMSG;
	s = find_suite(tandem_sdes_suite_by_name(suite.p, suite.len));
	if (!s)
		return -ENOTSUP;
	sdes.tag = n;
	sdes.srtp.suite = s->id;
	err = read_key_params(&params, s, &sdes.srtp);
	while (!err && cut_word(&rest, &param))
		err = check_session_param(&param);
	if (!err)
		*out = sdes;
	explicit_bzero(&sdes, sizeof(sdes));
	return err;
}

int tandem_sdes_format(const struct tandem_sdes *sdes, char *buf, size_t size)
{
	const struct tandem_srtp *srtp = &sdes->srtp;
	const struct suite *suite = find_suite(srtp->suite);
	char key[(KEY_SALT_MAX + 2) / 3 * 4 + 1], mki[48] = "";
	uint8_t octets[KEY_SALT_MAX];
	int len;

	if (!suite)
		return -EINVAL;
	memcpy(octets, srtp->key, suite->key_len);
	memcpy(octets + suite->key_len, srtp->salt, suite->salt_len);
	encode(octets, suite->key_len + suite->salt_len, key);
	if (srtp->mki_len) {
		mki[0] = '|';
		mki_to_text(srtp->mki, srtp->mki_len, mki + 1);
		snprintf(mki + strlen(mki), 5, ":%u", srtp->mki_len);
	}
	len = snprintf(buf, size, "%u %s inline:%s%s", sdes->tag, suite->name, key, mki);
	explicit_bzero(octets, sizeof(octets));
	explicit_bzero(key, sizeof(key));
	return len < 0 || (size_t)len >= size ? -ENOSPC : 0;
}

int tandem_sdes_new_id(uint64_t *id)
{
	do {
		if (getrandom(id, sizeof(*id), 0) != sizeof(*id))
			return -EIO;
	} while (!*id);
	return 0;
}

int tandem_sdes_generate(struct tandem_sdes *out, uint32_t tag, uint8_t suite)
{
	const struct suite *s = find_suite(suite);
	struct tandem_sdes sdes = { .tag = tag, .srtp.suite = suite };
	int err = s ? tandem_sdes_new_id(&sdes.srtp.id) : -ENOTSUP;

	if (!err && (getrandom(sdes.srtp.key, s->key_len, 0) != s->key_len ||
		     getrandom(sdes.srtp.salt, s->salt_len, 0) != s->salt_len))
		err = -EIO;
	if (!err)
		*out = sdes;
	explicit_bzero(&sdes, sizeof(sdes));
	return err;
}

bool tandem_sdes_same_keys(const struct tandem_srtp *a, const struct tandem_srtp *b)
{
	uint8_t differ = (a->suite ^ b->suite) | (a->mki_len ^ b->mki_len);
	size_t i;

	for (i = 0; i < sizeof(a->key); i++)
		differ |= a->key[i] ^ b->key[i];
	for (i = 0; i < sizeof(a->salt); i++)
		differ |= a->salt[i] ^ b->salt[i];
	for (i = 0; i < sizeof(a->mki); i++)
		differ |= a->mki[i] ^ b->mki[i];
	return !differ;
}
