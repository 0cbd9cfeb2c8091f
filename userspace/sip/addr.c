/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/local.h"

int tandem_sip_endpoint(struct tandem_endpoint *ep, const struct sa *sa)
{
	return tandem_endpoint_from_sockaddr(ep, &sa->u.sa);
}

void tandem_sip_reply_addr(struct sa *dst, const struct sip_msg *msg)
{
	struct pl rport;

	sip_reply_addr(dst, msg, !msg_param_exists(&msg->via.params, "rport", &rport));
}

bool tandem_sip_uri_clean(const struct pl *uri)
{
	size_t i;

	for (i = 0; i < uri->l; i++) {
		if ((unsigned char)uri->p[i] <= ' ' || uri->p[i] == 0x7f || uri->p[i] == '<' ||
		    uri->p[i] == '>')
			return false;
	}

	return uri->l > 0;
}

bool tandem_sip_host_is(const struct pl *host, const struct sa *sa)
{
	struct sa addr;

	return !sa_set(&addr, host, 0) && sa_cmp(&addr, sa, SA_ADDR);
}

int tandem_sip_hop(char **hopp, enum sip_transp tp, const struct sa *sa)
{
	return -re_sdprintf(hopp, "sip:%J%s", sa,
			    tp == SIP_TRANSP_UDP ? ";transport=udp" : sip_transp_param(tp));
}
