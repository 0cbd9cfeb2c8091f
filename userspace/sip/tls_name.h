/* SPDX-License-Identifier: GPL-2.0-only */
/* Whom a certificate is for: RFC 5922 sections 7.1 and 7.2. */
#ifndef TANDEM_SIP_TLS_NAME_H
#define TANDEM_SIP_TLS_NAME_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "userspace/util/tls_files.h"

/*
 * True when cert is for the SIP domain name: a subjectAltName of it is the URI "sip:NAME" without
 * user, or the DNS name NAME; where it has no subjectAltName at all, its common name is. Case does
 * not matter, nor does a dot at the end of name; a wildcard is not one of these domains. An IP
 * address is compared with subjectAltNames of that kind.
 */
bool tandem_tls_is_for(X509 *cert, const char *name);

/* True when a client that asks for this name is served with them: a wildcard counts here. */
bool tandem_tls_files_serve(const struct tandem_tls_files *files, const char *name);

#endif
