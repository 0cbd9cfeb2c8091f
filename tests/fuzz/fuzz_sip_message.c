/* SPDX-License-Identifier: GPL-2.0-only */
/* Any bytes as a SIP message: what the proxy reads from it and writes again stays within it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "userspace/sip/body.h"
#include "userspace/sip/header.h"
#include "userspace/sip/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rewrite(const struct sip_msg *msg)
{
	struct mbuf *mb = mbuf_alloc(256), *out = mbuf_alloc(8);
	struct pl body = pl_null, sdp = pl_null;
	int err;

	mbuf_write_str(out, "v=0\r\n");
	err = tandem_header_request_vias(mb, msg);
	err |= tandem_header_response_vias(mb, msg);
	err |= tandem_header_copy(mb, msg, TANDEM_HEADER_DROP_BODY, "tandem");
	if (!tandem_body_get(&body, msg) && tandem_body_find_sdp(&sdp, &body, &msg->ctyp)) {
		if (sdp.p < body.p || sdp.p + sdp.l > body.p + body.l)
			abort();
		err |= tandem_body_write(mb, &body, &sdp, out);
	}
	if (err)
		abort();
	mem_deref(out);
	mem_deref(mb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[20] = "fuzz";
	struct tandem_flow flow;
	struct mbuf *mb = mbuf_alloc(size + 1);
	struct sip_msg *msg;

	mbuf_write_mem(mb, data, size);
	mb->pos = 0;
	if (!sip_msg_decode(&msg, mb)) {
		(void)tandem_header_max_forwards(msg);
		(void)tandem_token_loop(key, msg);
		if (msg->req && !tandem_token_read(&flow, key, &msg->callid, &msg->uri.user))
			abort(); /* nobody can make one up */
		if (tandem_header_ids_true(msg))
			rewrite(msg);
		mem_deref(msg);
	}
	mem_deref(mb);

	return 0;
}
