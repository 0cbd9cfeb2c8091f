/* SPDX-License-Identifier: GPL-2.0-only */
/* STUN messages: what is read lies within the message, and survives being written and read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/media/ice.h"
#include "userspace/media/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char key[] = "VOkJxbRl1RmTxUk/WvJxBt";

/* The same message from what was understood of it. */
static void write_again(const struct tandem_stun *m)
{
	struct tandem_stun_writer w;
	struct tandem_stun back;
	uint8_t buf[2048];
	int len;

	tandem_stun_start(&w, buf, sizeof(buf), TANDEM_STUN_BINDING, m->class, m->id);
	if (m->has_mapped)
		tandem_stun_put_mapped(&w, &m->mapped);
	if (m->has_priority)
		tandem_stun_put_priority(&w, m->priority);
	if (m->controlling || m->controlled)
		tandem_stun_put_role(&w, m->controlling, m->tie_breaker);
	if (m->use_candidate)
		tandem_stun_put_use_candidate(&w);
	if (m->error)
		tandem_stun_put_error(&w, m->error);
	if (m->unknown_count)
		tandem_stun_put_unknown(&w, m);
	tandem_stun_put_integrity(&w, key, sizeof(key) - 1);
	tandem_stun_put_fingerprint(&w);
	len = tandem_stun_finish(&w);
	CHECK(len > 0);
	CHECK(!tandem_stun_parse(&back, buf, (size_t)len));
	CHECK(!tandem_stun_check_integrity(&back, key, sizeof(key) - 1));
	CHECK(back.class == m->class && back.fingerprint && back.has_mapped == m->has_mapped);
	CHECK(!m->has_mapped || tandem_endpoint_equal(&back.mapped, &m->mapped));
	CHECK(back.has_priority == m->has_priority && back.priority == m->priority);
	CHECK(back.controlling == m->controlling && back.controlled == m->controlled);
	CHECK(back.tie_breaker == m->tie_breaker && back.error == m->error);
	CHECK(back.use_candidate == m->use_candidate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct tandem_stun m;
	size_t ufrag_len = 0;
	const char *ufrag;

	CHECK(copy);
	memcpy(copy, data, size);
	ufrag = tandem_ice_request_ufrag(copy, size, &ufrag_len);
	CHECK(!ufrag || (ufrag > (char *)copy && ufrag + ufrag_len < (char *)copy + size));
	if (!tandem_stun_parse(&m, copy, size)) {
		CHECK(tandem_stun_is(copy, size) && m.unknown_count <= TANDEM_STUN_UNKNOWN);
		CHECK(!m.username || ((const uint8_t *)m.username > copy &&
				      (const uint8_t *)m.username + m.username_len <= copy + size));
		CHECK(!m.integrity || m.integrity + 24 <= size);
		(void)tandem_stun_check_integrity(&m, key, sizeof(key) - 1);
		write_again(&m);
	}
	free(copy);
	return 0;
}
