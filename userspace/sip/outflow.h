/* SPDX-License-Identifier: GPL-2.0-only */
/* Flows that phones have opened (RFC 5626): which phone, and which of its flows. */
#ifndef TANDEM_SIP_OUTFLOW_H
#define TANDEM_SIP_OUTFLOW_H

#include "userspace/sip/location.h"
#include "userspace/sip/local.h"

#define TANDEM_INSTANCE_SIZE 128

struct tandem_outbound {
	char instance[TANDEM_INSTANCE_SIZE]; /* "<urn:uuid:...>", or "" */
	uint32_t reg_id;		     /* 0: a contact as of RFC 3261 */
};

/*
 * What a contact in a REGISTER says of its flow. It counts where the phone supports outbound.
 * 0, or -EBADMSG for a reg-id or an instance that cannot be.
 */
int tandem_outbound_read(struct tandem_outbound *out, const struct sip_msg *msg,
			 const struct sip_addr *addr);

/* True when a REGISTER has come from the phone itself, and not by way of a proxy. */
bool tandem_outbound_is_direct(const struct sip_msg *msg);

/* True when a proxy on its way keeps the flow to the phone: one of its Path URIs has the parameter ob. */
bool tandem_outbound_has_edge(const struct sip_msg *msg);

/* False for a flow that is known to be closed. */
bool tandem_outbound_is_open(const struct tandem_binding *b);

/*
 * Of the flows to one phone only one is used for a request. True when list[i] is not the one: the
 * newest that is open counts, or else the newest. list is in the order of tandem_location_find().
 */
bool tandem_outbound_passed_over(struct tandem_binding *const *list, size_t count, size_t i);

/* True when b is for when a request that went by used fails: another open flow of the same phone. */
bool tandem_outbound_stands_in(const struct tandem_binding *b, const struct tandem_binding *used);

#endif
