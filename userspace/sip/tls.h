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
struct tandem_tls_files;
struct tandem_tls_peers;

/* Files of PEM. */
struct tandem_sip_tls_pair {
	const char *certificate;
	const char *key; /* NULL: in the same file */
};

/* See userspace/config/config.h. */
struct tandem_sip_tls_config {
	const char *certificate;		/* NULL: no listener may be of TLS */
	const char *key;			/* NULL: in the same file */
	const char *ca;				/* NULL: whom the host trusts */
	const char *client;			/* NULL: "none" */
	const struct tandem_sip_tls_pair *more; /* for clients that ask for their names */
	size_t more_count;
};

/*
 * Read certificates, keys and authorities, and make a context for libre of them. Returns 0, or
 * -EINVAL with the reason in why (a file that cannot be read, a key of another certificate, a
 * word that is not known), -ENOSPC, or -ENOMEM. Clients that ask for a name (RFC 6066 section 3)
 * are shown the first certificate that is for it, and else the first of all.
 */
int tandem_sip_tls_alloc(struct tandem_sip_tls **tlsp, const struct tandem_sip_tls_config *cfg,
			 char *why, size_t size);
void tandem_sip_tls_free(struct tandem_sip_tls *tls);

/*
 * Read one more, to be shown to some peers that we connect to; owned by tls, and read again with
 * the others. Errors are the same.
 */
int tandem_sip_tls_read(struct tandem_sip_tls *tls, const struct tandem_tls_files **filesp,
			const char *certificate, const char *key, char *why, size_t size);

/*
 * Read certificates and keys again, those whose files have changed or all with always set.
 * Connections that are there go on with the old ones. What cannot be used is said in the
 * log, and the old one stays. What became of the first: 1 when it was read, 0 when it has not
 * changed, or -EINVAL.
 */
int tandem_sip_tls_reload(struct tandem_sip_tls *tls, bool always);

/* What libre's transports want; borrowed. */
struct tls *tandem_sip_tls_context(struct tandem_sip_tls *tls);

/* Whom its connections are with, see tls_peer.h; borrowed. */
struct tandem_tls_peers *tandem_sip_tls_peers(struct tandem_sip_tls *tls);

#endif
