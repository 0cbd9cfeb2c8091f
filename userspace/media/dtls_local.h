/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of DTLS-SRTP, private to it. */
#ifndef TANDEM_MEDIA_DTLS_LOCAL_H
#define TANDEM_MEDIA_DTLS_LOCAL_H

#include <openssl/ssl.h>
/* The numbers of the protocol; with us, members of enum srtp_suite. */
#undef SRTP_AEAD_AES_128_GCM
#undef SRTP_AEAD_AES_256_GCM

#include "core/srtp_abi.h"
#include "userspace/media/dtls.h"

enum { DTLS_COOKIE = 16 };

struct tandem_dtls_context {
	SSL_CTX *ssl;
	BIO_METHOD *bio;
	SSL *listener; /* for those that have not returned their cookie yet */
	uint32_t refs;
	uint32_t handshake_ms;
	uint32_t retransmit_ms;
	uint32_t linger_ms;
	struct tandem_dtls_fingerprint fingerprint;
	struct tandem_dtls_counters counters;
};

struct tandem_dtls {
	struct tandem_dtls_context *ctx;
	struct tandem_dtls_config cfg;
	SSL *ssl; /* from the first datagram of a handshake on, until nothing is expected any more */
	enum tandem_dtls_state state;
	bool started;			  /* a client that is to begin as soon as it may */
	bool half_open;			  /* it counts as such */
	struct tandem_dtls_quota *source; /* that it counts for, besides that of all */
	uint16_t early;			  /* records of a later epoch, while half open */
	int alert;			  /* last one from the peer, level and description */
	uint64_t until;	   /* the handshake, or listening behind it, has to be over */
	uint64_t again;	   /* when the flight is to be sent again; UINT64_MAX: not */
	const uint8_t *in; /* datagram that is being read */
	size_t in_len;
	uint8_t cookie[DTLS_COOKIE];
	size_t fp_count;
	struct tandem_dtls_fingerprint fps[TANDEM_DTLS_FINGERPRINTS];
	struct tandem_srtp keys_in, keys_out;
	char why[TANDEM_DTLS_WHY];
};

/* dtls_context.c: an SSL that reads and writes by a; or NULL. */
SSL *tandem_dtls_ssl_new(struct tandem_dtls *a);
/* It is a's from now on. */
void tandem_dtls_ssl_lend(SSL *ssl, struct tandem_dtls *a);
/* Hash of a certificate. 0 or -EIO. */
int tandem_dtls_certificate_hash(const X509 *cert, uint8_t hash,
				 struct tandem_dtls_fingerprint *out);
/* enum srtp_suite of what was agreed on, or SRTP_SUITE_NONE. */
uint8_t tandem_dtls_agreed_suite(SSL *ssl);

/* dtls_record.c: may a datagram be given to OpenSSL in the state that a is in? */
bool tandem_dtls_admit(struct tandem_dtls *a, const uint8_t *data, size_t len);

#endif
