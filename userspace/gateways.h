/* SPDX-License-Identifier: GPL-2.0-only */
/* Gateways and routes, from the configuration to the SIP front end. */
#ifndef TANDEM_GATEWAYS_H
#define TANDEM_GATEWAYS_H

#include "userspace/config/config.h"
#include "userspace/sip/sip.h"

struct tandem_gateway_lists;

/*
 * Fill in what sip has of gateways, routes and name servers from cfg, which has been checked. sip
 * refers to cfg and to *listsp, which is freed when sip has been used. 0 or -ENOMEM.
 */
int tandem_gateways_read(struct tandem_gateway_lists **listsp, struct tandem_sip_config *sip,
			 const struct tandem_config *cfg);
void tandem_gateway_lists_free(struct tandem_gateway_lists *lists);

#endif
