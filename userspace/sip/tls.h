/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Certificates of SIP over TLS (RFC 3261 section 26.3, RFC 5246 and later). One context
 * serves both ways: peers that connect to us, and those that we connect to.
 */
#ifndef TANDEM_SIP_TLS_H
#define TANDEM_SIP_TLS_H

#include <stdbool.h>
#include <stddef.h>

struct tls;
struct tandem_sip_tls;

/* See userspace/config/config.h. */
struct tandem_sip_tls_config {
	const char *certificate; /* NULL: no listener may be of TLS */
	const char *key;	 /* NULL: in the same file */
	const char *ca;		 /* NULL: whom the host trusts */
	const char *client;	 /* NULL: "none" */
};

/*
 * Read certificate, key and authorities, and make a context for libre of them. Returns 0, or
 * -EINVAL with the reason in why (a file that cannot be read, a key of another certificate, a
 * word that is not known), or -ENOMEM.
 */
int tandem_sip_tls_alloc(struct tandem_sip_tls **tlsp, const struct tandem_sip_tls_config *cfg,
			 char *why, size_t size);
void tandem_sip_tls_free(struct tandem_sip_tls *tls);

/*
 * Read certificate and key again, when their files have changed or with always set.
 * Connections that are there go on with the old ones. What cannot be used is said in the
 * log, and the old ones stay: -EINVAL. 1 when they were read, 0 when nothing has changed.
 */
int tandem_sip_tls_reload(struct tandem_sip_tls *tls, bool always);

/* What libre's transports want; borrowed. */
struct tls *tandem_sip_tls_context(struct tandem_sip_tls *tls);

#endif
