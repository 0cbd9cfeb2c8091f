/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whom connections that we make over TLS are with: RFC 5922 section 7.3. libre makes them when the
 * first message is sent, and uses them for any other to the same address; so who it has to be is
 * said before a request is sent, and holds for the connection as long as it is there.
 */
#ifndef TANDEM_SIP_TLS_PEER_H
#define TANDEM_SIP_TLS_PEER_H

#include <openssl/ssl.h>

#include "userspace/sip/libre.h"

struct tandem_tls_files;

/* Who is at the other end, and what it is shown. */
struct tandem_tls_peer {
	const char *name; /* what its certificate has to be for; NULL: any that is signed */
	const struct tandem_tls_files *own; /* borrowed; NULL: the one of the listeners */
};

/* Connections that there are. Embedded, zeroed before. */
struct tandem_tls_peers {
	struct list list;
};

/* Let go of what there is. Connections may be closed after that. */
void tandem_tls_peers_clean(struct tandem_tls_peers *peers);

/*
 * Until tandem_tls_peers_expected(), connections that are made to dst are with peer; stack is the
 * one of libre's that makes them. 0; -EACCES when there is one already that is not with peer, or
 * of which that is not known, as when it was made from there to here. The name is borrowed until
 * then.
 */
int tandem_tls_peers_expect(struct tandem_tls_peers *peers, struct sip *stack, const struct sa *dst,
			    const struct tandem_tls_peer *peer);
void tandem_tls_peers_expected(void);

/* The rest is for the context of the connections: call them from its callbacks. */

/* Before the handshake: what name is asked for (RFC 6066 section 3). */
void tandem_tls_peer_begin(const SSL *ssl);

/* True when cert, which some authority has signed for, is for whom the connection has to be with. */
bool tandem_tls_peer_is(const SSL *ssl, X509 *cert);

/* What it is to be shown; NULL: nothing in particular. */
const struct tandem_tls_files *tandem_tls_peer_own(const SSL *ssl);

#endif
