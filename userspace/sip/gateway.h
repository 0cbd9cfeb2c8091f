/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gateways: where calls that leave this relay go, and whether they are well. Asked by OPTIONS at
 * intervals, and judged by what becomes of calls; from up to down and back only after
 * several of the same.
 */
#ifndef TANDEM_SIP_GATEWAY_H
#define TANDEM_SIP_GATEWAY_H

#include "userspace/sip/facts.h"
#include "userspace/sip/local.h"
#include "userspace/sip/locate.h"

struct tandem_gateways;

struct tandem_gateway {
	struct tandem_gateways *all;
	char *name;
	char *uri;
	struct pl hostport; /* of uri */
	uint16_t priority;
	uint16_t weight;
	uint64_t options_ms; /* 0: not asked */
	uint32_t timeout_ms; /* to the first word of a call; 0: as RFC 3261 has it */
	size_t prefix_strip;
	char *prefix_add;
	char *tls_name; /* what its certificate has to be for */
	const struct tandem_tls_files
		*tls_files; /* what it is shown; borrowed; NULL: nothing special */
	struct tandem_prefix *sources;
	size_t sources_count;
	char *user; /* that we are to it, with the password; NULL: it does not ask */
	char *password;
	char *realm; /* that it asks in; NULL: any */

	/* where it is, as last found out */
	struct tandem_dest dests[TANDEM_DESTS_MAX];
	size_t dests_count;

	/* how it is */
	bool up;
	bool settled;		   /* has answered, or failed to, at least once */
	unsigned int asked_failed; /* OPTIONS in a row */
	unsigned int asked_well;   /* the same, while it is down */
	unsigned int calls_failed; /* in a row */
	int64_t changed_s;	   /* wall clock; 0: never */
	double rtt_ms;		   /* of the last OPTIONS that was answered; 0: not known */
	uint64_t calls, failures;  /* branches that have ended, and those of no use */
	uint64_t options, unanswered;

	/* the question on its way */
	struct tandem_facts *facts;
	struct sip_request *req;
	size_t dest;
	uint64_t sent_us;
	struct tmr tmr;
	struct tmr tmr_answer;
};

struct tandem_gateways {
	struct tandem_sip *ts;
	struct tandem_gateway *list;
	size_t count;
};

/* gateway.c */

/* From the configuration. 0, or a negative errno with why. */
int tandem_gateways_alloc(struct tandem_gateways **gp, struct tandem_sip *ts,
			  const struct tandem_sip_config *cfg, char *why, size_t why_size);
void tandem_gateways_free(struct tandem_gateways *g);

/* NULL when there is none of that name. g may be NULL, here and below. */
struct tandem_gateway *tandem_gateway_find(const struct tandem_gateways *g, const char *name);

/*
 * Read the certificates that gateways are shown, once ts has its listeners. 0, or a negative errno
 * with why: see tandem_sip_tls_read(); -EINVAL also where there is no listener of TLS.
 */
int tandem_gateways_secure(struct tandem_gateways *g, const struct tandem_sip_config *cfg,
			   char *why, size_t why_size);

/* The gateway that is reached at dst by TLS; NULL when none is. */
const struct tandem_gateway *tandem_gateway_tls_at(const struct tandem_gateways *g,
						   const struct sa *dst);

/* The gateway that sends from ip; NULL when none does. */
const struct tandem_gateway *tandem_gateway_at(const struct tandem_gateways *g,
					       const struct ip_addr *ip);

/*
 * What became of a request sent to the gateway of that name: its final status code, 0 when
 * none came. Another name, or NULL, is ignored.
 */
void tandem_gateway_outcome(struct tandem_sip *ts, const char *name, uint16_t code);

/* What OPTIONS told. */
void tandem_gateway_asked(struct tandem_gateway *gw, bool well);

/* One that is not asked has been left alone for a while: if it is down, a call may try. */
void tandem_gateway_rested(struct tandem_gateway *gw);

/* {"gateways": [...]}: docs/api.md has it; new reference, NULL on no memory. */
json_t *tandem_gateways_json(const struct tandem_gateways *g);

/* gateway_ask.c */

/* Begin to look after all of them: find out where they are, and ask those that are asked. */
void tandem_gateways_start(struct tandem_gateways *g);

/* Give up what is under way. */
void tandem_gateway_stop(struct tandem_gateway *gw);

#endif
