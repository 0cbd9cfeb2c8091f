/* SPDX-License-Identifier: GPL-2.0-only */
/* A certificate with its chain and its key, as they were last read from their files. */
#ifndef TANDEM_UTIL_TLS_FILES_H
#define TANDEM_UTIL_TLS_FILES_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/* For TLS 1.2: forward secrecy and authenticated encryption; of 1.3 all are so. */
#define TANDEM_TLS_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"

struct tandem_tls_files;

/* Say in why what is wrong with a file: OpenSSL's own reason, where there is one. -EINVAL. */
int tandem_tls_refuse(char *why, size_t size, const char *what, const char *file);

/*
 * Read certificate and key (PEM); key NULL: in the same file. 0; -EINVAL, with the reason in why,
 * for files that cannot be read, or a key of another certificate or with a password; -ENOMEM.
 */
int tandem_tls_files_alloc(struct tandem_tls_files **filesp, const char *certificate,
			   const char *key, char *why, size_t size);
void tandem_tls_files_free(struct tandem_tls_files *files);

/*
 * Read them again, when they have changed or with always set. 1 when that was done, 0 when nothing
 * has changed. What cannot be used is said in the log, and the old ones stay: -EINVAL.
 */
int tandem_tls_files_reload(struct tandem_tls_files *files, bool always);

/* Show them to the peer of ssl, in place of any others. False on no memory. */
bool tandem_tls_files_use(const struct tandem_tls_files *files, SSL *ssl);

/* The certificate itself; borrowed, until it is read again. */
X509 *tandem_tls_files_certificate(const struct tandem_tls_files *files);

/*
 * Give a context whose own connections are served with it a certificate and its key, from files that
 * were found to fit together. False, and the log has it, when they cannot be used.
 */
bool tandem_tls_show(SSL_CTX *ssl, const char *certificate, const char *key);

#endif
