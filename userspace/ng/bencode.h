/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bencode, the encoding of BitTorrent (BEP 3) that the NG protocol has as well, to and from
 * jansson's values: dictionaries are objects, lists arrays. Strings are octets, and need not be
 * UTF-8 as they are by jansson's own rules.
 */
#ifndef TANDEM_NG_BENCODE_H
#define TANDEM_NG_BENCODE_H

#include <jansson.h>
#include <stddef.h>

/* Dictionaries and lists within one another. */
#define TANDEM_BENCODE_DEPTH 16

/*
 * The value that buf begins with; *used octets of it. A new reference. -EBADMSG: it is none, or one
 * that is nested too deep, or has a key with NUL in it; -EAGAIN: it is not complete; -ENOMEM.
 */
int tandem_bencode_decode(json_t **valuep, const char *buf, size_t len, size_t *used);

/*
 * The reverse, malloc'd; keys in order. Bencode has neither booleans nor fractions: they are written
 * as whole numbers, and null as the empty string. -ENOMEM.
 */
int tandem_bencode_encode(const json_t *value, char **outp, size_t *len);

#endif
