/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What we write into the user part of our Record-Route URIs: a keyed hash that
 * proves that we wrote it for this Call-ID (so that the relay is not an open one,
 * without keeping dialogs), and, for peers that can only be reached over the flow
 * that they opened (NAT, TCP), that flow. As in RFC 5626 section 5.2.
 */
#ifndef TANDEM_SIP_TOKEN_H
#define TANDEM_SIP_TOKEN_H

#include "userspace/sip/libre.h"

#define TANDEM_TOKEN_SIZE 64

/* A peer's transport address. */
struct tandem_flow {
	bool set;
	enum sip_transp tp;
	struct sa addr;
};

/* Write the token for call_id and flow (NULL or not set: none) into buf of TANDEM_TOKEN_SIZE. */
int tandem_token_write(char *buf, const uint8_t key[20], const struct pl *call_id,
		       const struct tandem_flow *flow);

/* Read a token. 0, or -EACCES when it is not ours or not of this call. */
int tandem_token_read(struct tandem_flow *flow, const uint8_t key[20], const struct pl *call_id,
		      const struct pl *token);

/* The same for a number instead of a flow, in tokens of which the key is for nothing else. */
int tandem_token_write_number(char *buf, const uint8_t key[20], const struct pl *call_id,
			      uint64_t number);
int tandem_token_read_number(uint64_t *number, const uint8_t key[20], const struct pl *call_id,
			     const struct pl *token);

/* A number that differs between requests that are not the same one. */
uint64_t tandem_token_request(const uint8_t key[20], const struct sip_msg *msg);

/*
 * What we leave in our Via (RFC 3261 section 16.6 step 8): equal when the same request
 * comes again, and ours, but different, when it has changed on its way round.
 */
uint64_t tandem_token_loop(const uint8_t key[20], const struct sip_msg *msg);
bool tandem_token_loop_is_ours(uint64_t mark, uint64_t expected);

#endif
