/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as what a socket has received: a message comes of them, a stand-in for one, or nothing. An
 * answer made for a stand-in is a response itself, not much longer than what was asked.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/sip/raw.h"
#include "userspace/sip/unreadable.h"

#define ANSWER_MORE 192 /* our tag, received, rport, the lines that were not in the request */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const struct tandem_unreadable *u, const struct sip_msg *msg, size_t size)
{
	struct mbuf *mb = mbuf_alloc(64);
	struct sip_msg *parsed = NULL;
	struct tandem_raw raw;

	CHECK(u->code == 400 || u->code == 505);
	CHECK(u->top <= u->len && u->len <= sizeof(u->text));
	CHECK(!memchr(u->text, '\0', u->len));
	CHECK(!tandem_unreadable_write(mb, u, msg));
	CHECK(mb->end <= size + ANSWER_MORE);
	CHECK(mb->end > 12 && !memcmp(mb->buf, "SIP/2.0 ", 8));
	CHECK(!memcmp(mb->buf + mb->end - 4, "\r\n\r\n", 4));
	CHECK(!memmem(mb->buf, mb->end - 4, "\r\n\r\n", 4));
	/* nobody answers an answer */
	CHECK(tandem_raw_read(&raw, (const char *)mb->buf, mb->end));
	if (!sip_msg_decode(&parsed, mb)) {
		CHECK(!parsed->req && !tandem_unreadable_of(parsed));
		mem_deref(parsed);
	}
	mem_deref(mb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mbuf *mb = mbuf_alloc(size + 1);
	struct sip_msg *msg = NULL;
	const struct tandem_unreadable *u;
	struct tandem_unreadable copy;

	mbuf_write_mem(mb, data, size);
	mb->pos = 0;
	if (!sip_msg_decode(&msg, mb)) {
		u = tandem_unreadable_of(msg);
		if (u) {
			copy = *u;
			CHECK(!pl_strcmp(&msg->met, "UNREADABLE"));
			CHECK(pl_isset(&msg->via.sentby) &&
			      sip_msg_hdr(msg, SIP_HDR_CONTENT_LENGTH));
			check_answer(&copy, msg, size);
		}
		mem_deref(msg);
	}
	mem_deref(mb);

	return 0;
}
