/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/tls_name.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "userspace/sip/libre.h"

/* A name without the dot at its end, which makes no other name of it. */
static struct pl undotted(const char *text, size_t len)
{
	struct pl pl = { .p = text, .l = len };

	if (pl.l > 1 && pl.p[pl.l - 1] == '.')
		pl.l--;

	return pl;
}

/* A NUL within would cut one name to another; a name with wildcards is equal to none. */
static bool is_name(const ASN1_STRING *value, const struct pl *name)
{
	struct pl have = undotted((const char *)ASN1_STRING_get0_data(value),
				  (size_t)ASN1_STRING_length(value));

	return have.l && !memchr(have.p, '\0', have.l) && !memchr(have.p, '*', have.l) &&
	       !pl_casecmp(&have, name);
}

static bool is_uri(const ASN1_STRING *value, const struct pl *name)
{
	struct pl text = { .p = (const char *)ASN1_STRING_get0_data(value),
			   .l = (size_t)ASN1_STRING_length(value) };
	struct pl host;
	struct uri uri;

	if (memchr(text.p, '\0', text.l) || uri_decode(&uri, &text) ||
	    pl_strcasecmp(&uri.scheme, "sip") || pl_isset(&uri.user))
		return false;
	host = undotted(uri.host.p, uri.host.l);

	return !pl_casecmp(&host, name);
}

static bool is_address(const ASN1_STRING *value, const unsigned char *addr, int len)
{
	return ASN1_STRING_length(value) == len && !memcmp(ASN1_STRING_get0_data(value), addr, len);
}

static bool alternative_is(const GENERAL_NAME *alt, const struct pl *name,
			   const unsigned char *addr, int addr_len)
{
	switch (alt->type) {
	case GEN_DNS:
		return !addr_len && is_name(alt->d.dNSName, name);
	case GEN_URI:
		return !addr_len && is_uri(alt->d.uniformResourceIdentifier, name);
	case GEN_IPADD:
		return addr_len && is_address(alt->d.iPAddress, addr, addr_len);
	default:
		return false;
	}
}

static bool common_name_is(X509 *cert, const struct pl *name)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	return at >= 0 && is_name(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), name);
}

bool tandem_tls_is_for(X509 *cert, const char *name)
{
	struct pl pl = undotted(name, strlen(name));
	unsigned char addr[16];
	GENERAL_NAMES *alts;
	int i, addr_len = 0;
	bool found = false;

	if (inet_pton(AF_INET, name, addr) == 1)
		addr_len = 4;
	else if (inet_pton(AF_INET6, name, addr) == 1)
		addr_len = 16;
	/* -1: there is none; where it cannot be read or is there twice, no other name counts */
	alts = X509_get_ext_d2i(cert, NID_subject_alt_name, &i, NULL);
	if (!alts)
		return i == -1 && !addr_len && common_name_is(cert, &pl);
	for (i = 0; i < sk_GENERAL_NAME_num(alts) && !found; i++)
		found = alternative_is(sk_GENERAL_NAME_value(alts, i), &pl, addr, addr_len);
	GENERAL_NAMES_free(alts);

	return found;
}

bool tandem_tls_files_serve(const struct tandem_tls_files *files, const char *name)
{
	X509 *cert = tandem_tls_files_certificate(files);

	return tandem_tls_is_for(cert, name) || X509_check_host(cert, name, 0, 0, NULL) == 1;
}
