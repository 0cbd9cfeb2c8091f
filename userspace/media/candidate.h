/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICE in session descriptions (RFC 8839, RFC 8840): attribute values to and from structs. Input is
 * pointer and length, and need not be terminated.
 */
#ifndef TANDEM_MEDIA_CANDIDATE_H
#define TANDEM_MEDIA_CANDIDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/util/endpoint.h"

enum {
	TANDEM_CANDIDATE_FOUNDATION = 32, /* characters */
	TANDEM_CANDIDATE_STRLEN = 256,	  /* room for any value that format() writes, and NUL */
	TANDEM_ICE_COMPONENTS = 2,	  /* 1: RTP, 2: RTCP where it has a port of its own */
	TANDEM_ICE_UFRAG_MIN = 4,
	TANDEM_ICE_PWD_MIN = 22,
	TANDEM_ICE_CRED_MAX = 256,
};

enum tandem_candidate_type {
	TANDEM_CANDIDATE_HOST,
	TANDEM_CANDIDATE_SRFLX,
	TANDEM_CANDIDATE_PRFLX,
	TANDEM_CANDIDATE_RELAY,
	TANDEM_CANDIDATE_OTHER, /* a type that is not known here */
};

/* What stands where the address belongs. */
enum tandem_candidate_address {
	TANDEM_CANDIDATE_IP,
	TANDEM_CANDIDATE_MDNS, /* a name in .local: hides an address from us */
	TANDEM_CANDIDATE_FQDN,
};

/* One a=candidate. */
struct tandem_candidate {
	char foundation[TANDEM_CANDIDATE_FOUNDATION + 1];
	unsigned int component; /* 1..256 */
	bool udp;		/* else TCP or another transport: not usable here */
	uint32_t priority;
	enum tandem_candidate_type type;
	enum tandem_candidate_address kind;
	struct tandem_endpoint addr; /* ip is zero unless kind is TANDEM_CANDIDATE_IP */
	bool has_related;	     /* raddr and rport, when raddr is an address */
	struct tandem_endpoint related;
};

/**
 * Read the value of an a=candidate attribute (RFC 8839 5.1), with or without "candidate:" before
 * it. Extensions are passed over.
 *
 * @return 0, also for what cannot be used here (TCP, names, other types); -EBADMSG: malformed
 */
int tandem_candidate_parse(struct tandem_candidate *c, const char *value, size_t len);

/**
 * Write the value of an a=candidate attribute, without "candidate:". Only UDP with an address.
 *
 * @return length without NUL; -ENOSPC; -EINVAL: not of that kind
 */
int tandem_candidate_format(const struct tandem_candidate *c, char *buf, size_t size);

/** Priority of RFC 8445 5.1.2.1. local_preference 0..65535, component 1..256. */
uint32_t tandem_candidate_priority(enum tandem_candidate_type type, unsigned int local_preference,
				   unsigned int component);

/** Are these fit to be used: ice-chars only, 4..256 and 22..256 of them (RFC 8839 5.4)? */
bool tandem_ice_ufrag_valid(const char *ufrag, size_t len);
bool tandem_ice_pwd_valid(const char *pwd, size_t len);

/** Is this one of the words of an a=ice-options value: "trickle", "ice2", ...? */
bool tandem_ice_has_option(const char *value, size_t len, const char *option);

/**
 * Read the value of an a=remote-candidates attribute: where component c is, in out[c - 1]. A
 * component that is not named has port 0. Names instead of addresses: -EBADMSG.
 *
 * @return 0 or -EBADMSG
 */
int tandem_remote_candidates_parse(struct tandem_endpoint out[TANDEM_ICE_COMPONENTS],
				   const char *value, size_t len);

/** Write such a value: components 1..n. @return length without NUL; -ENOSPC; -EINVAL */
int tandem_remote_candidates_format(const struct tandem_endpoint *eps, size_t n, char *buf,
				    size_t size);

#endif
