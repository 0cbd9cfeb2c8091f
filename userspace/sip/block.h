/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is not heard, and gets no answer: networks of the configuration, networks that an
 * operator has blocked at run time, and programs that name themselves as scanners.
 */
#ifndef TANDEM_SIP_BLOCK_H
#define TANDEM_SIP_BLOCK_H

#include "userspace/sip/local.h"

#define TANDEM_BLOCKS_MAX 1024 /* at run time */

/* Take the blocks of the store up again. cfg is not kept. 0, -ENOMEM, or an error of the store. */
int tandem_block_alloc(struct tandem_block **bp, const struct tandem_sip_config *cfg,
		       struct tandem_store *store);
void tandem_block_free(struct tandem_block *b);

/* True when what comes from ip is to be dropped; it is counted. */
bool tandem_block_drops_source(struct tandem_block *b, const struct ip_addr *ip);

/*
 * True when msg is to be dropped; it is counted. What an operator has blocked comes first,
 * then the networks that are allowed, then those that are denied and the programs.
 */
bool tandem_block_drops(struct tandem_block *b, const struct sip_msg *msg);

/* True for a source that is not heard whatever it sends; nothing is counted. */
bool tandem_block_refuses(const struct tandem_block *b, const struct ip_addr *ip);

/* See sip.h. */
int tandem_block_add(struct tandem_block *b, const char *network, uint32_t seconds, char *why,
		     size_t why_size);
int tandem_block_remove(struct tandem_block *b, const char *network, char *why, size_t why_size);
json_t *tandem_block_json(const struct tandem_block *b);
json_t *tandem_block_counters_json(const struct tandem_block *b);

#endif
