/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/tls_peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/sip/tls_name.h"
#include "userspace/util/log.h"

/* A connection that we have made; it goes with its SSL object. */
struct connection {
	struct le le;
	SSL *ssl;
	const struct sip *stack;
	struct sa dst;
	char *name; /* NULL: not compared */
	const struct tandem_tls_files *own;
};

/* All that is known of a connection when libre makes it, from within the sending of a message. */
struct expected {
	struct tandem_tls_peers *peers;
	const struct sip *stack;
	struct sa dst;
	struct tandem_tls_peer peer;
	bool made;
};

/*
 * OpenSSL gives its constructors nothing of ours; there is one event loop, and so one of these. The
 * thread of the browsers makes objects of its own, which are no connections of these.
 */
static _Thread_local struct expected *expected;
static struct expected expecting;

static void construct(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	struct connection *c;

	(void)ptr;
	(void)argl;
	(void)argp;
	if (!expected)
		return;
	c = calloc(1, sizeof(*c));
	if (!c)
		return;
	c->ssl = parent;
	c->stack = expected->stack;
	c->dst = expected->dst;
	c->own = expected->peer.own;
	if (expected->peer.name)
		c->name = strdup(expected->peer.name);
	if ((expected->peer.name && !c->name) || !CRYPTO_set_ex_data(ad, idx, c)) {
		free(c->name);
		free(c);
		return;
	}
	list_append(&expected->peers->list, &c->le, c);
	expected->made = true;
}

static void destruct(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	struct connection *c = ptr;

	(void)parent;
	(void)ad;
	(void)idx;
	(void)argl;
	(void)argp;
	if (!c)
		return;
	list_unlink(&c->le);
	free(c->name);
	free(c);
}

/* Where OpenSSL keeps the connection with its object; for the life of the process. */
static int place(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, construct, NULL, destruct);

	return index;
}

static struct connection *connection_of(const SSL *ssl)
{
	return place() < 0 ? NULL : SSL_get_ex_data(ssl, place());
}

void tandem_tls_peers_clean(struct tandem_tls_peers *peers)
{
	list_clear(&peers->list);
}

static bool name_fits(const struct connection *c, const char *name)
{
	X509 *cert;

	if (!name || (c->name && !strcasecmp(c->name, name)))
		return true;
	cert = SSL_get0_peer_certificate(c->ssl);

	return cert && SSL_is_init_finished(c->ssl) && tandem_tls_is_for(cert, name);
}

/* The first that is not with peer, and whether there is any. */
static const struct connection *find_other(const struct expected *e, bool *any)
{
	struct le *le;

	LIST_FOREACH(&e->peers->list, le)
	{
		const struct connection *c = le->data;

		if (c->stack != e->stack || !sa_cmp(&c->dst, &e->dst, SA_ALL))
			continue;
		*any = true;
		if (!name_fits(c, e->peer.name) || (e->peer.own && c->own != e->peer.own))
			return c;
	}

	return NULL;
}

/* An end of line between messages means nothing (RFC 3261 section 7.5); it needs a connection. */
static int send_line_end(struct sip *stack, const struct sa *dst)
{
	struct mbuf *mb = mbuf_alloc(2);
	int err = mb ? mbuf_write_str(mb, "\r\n") : ENOMEM;

	if (!err) {
		mb->pos = 0;
		err = sip_send(stack, NULL, SIP_TRANSP_TLS, dst, mb);
	}
	mem_deref(mb);

	return -err;
}

int tandem_tls_peers_expect(struct tandem_tls_peers *peers, struct sip *stack, const struct sa *dst,
			    const struct tandem_tls_peer *peer)
{
	bool any = false, strict = peer->name || peer->own;
	int err;

	if (place() < 0)
		return -ENOMEM;
	expecting = (struct expected){ peers, stack, *dst, *peer, false };
	expected = &expecting;
	if (find_other(expected, &any)) {
		tandem_log(TANDEM_LOG_WARNING, "sip",
			   "there is a connection that is not with %s, at the same address",
			   peer->name ? peer->name : "that peer");
		err = -EACCES;
	} else if (any || !strict) {
		return 0;
	} else {
		/* one that is not known of would be used as well: this makes a new one, or uses it */
		err = send_line_end(stack, dst);
		if (!err && !expected->made) {
			tandem_log(TANDEM_LOG_WARNING, "sip",
				   "there is a connection that may not be with %s",
				   peer->name ? peer->name : "that peer");
			err = -EACCES;
		}
	}
	if (err)
		tandem_tls_peers_expected();

	return err;
}

void tandem_tls_peers_expected(void)
{
	expected = NULL;
}

void tandem_tls_peer_begin(const SSL *ssl)
{
	const struct connection *c = connection_of(ssl);
	struct sa literal;

	if (c && c->name && sa_set_str(&literal, c->name, 0))
		(void)SSL_set_tlsext_host_name(c->ssl, c->name);
}

bool tandem_tls_peer_is(const SSL *ssl, X509 *cert)
{
	const struct connection *c = connection_of(ssl);

	if (!c || !c->name || tandem_tls_is_for(cert, c->name))
		return true;
	tandem_log(TANDEM_LOG_WARNING, "sip", "the certificate that was shown is not for %s",
		   c->name);

	return false;
}

const struct tandem_tls_files *tandem_tls_peer_own(const SSL *ssl)
{
	const struct connection *c = connection_of(ssl);

	return c ? c->own : NULL;
}
