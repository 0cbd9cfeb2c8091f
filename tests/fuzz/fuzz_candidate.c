/* SPDX-License-Identifier: GPL-2.0-only */
/* Candidates: what is read and can be written is the same when read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/media/candidate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void remote_candidates(const char *value, size_t len)
{
	struct tandem_endpoint eps[TANDEM_ICE_COMPONENTS], back[TANDEM_ICE_COMPONENTS];
	char text[256];
	int n;

	if (tandem_remote_candidates_parse(eps, value, len) || !eps[0].port || !eps[1].port)
		return;
	n = tandem_remote_candidates_format(eps, TANDEM_ICE_COMPONENTS, text, sizeof(text));
	CHECK(n > 0);
	CHECK(!tandem_remote_candidates_parse(back, text, (size_t)n));
	CHECK(tandem_endpoint_equal(&eps[0], &back[0]) && tandem_endpoint_equal(&eps[1], &back[1]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TANDEM_CANDIDATE_STRLEN], *copy = malloc(size ? size : 1);
	struct tandem_candidate c, back;
	int n;

	CHECK(copy);
	memcpy(copy, data, size);
	(void)tandem_ice_ufrag_valid(copy, size);
	(void)tandem_ice_has_option(copy, size, "trickle");
	remote_candidates(copy, size);
	if (!tandem_candidate_parse(&c, copy, size)) {
		n = tandem_candidate_format(&c, text, sizeof(text));
		CHECK(n > 0 || !c.udp || c.kind != TANDEM_CANDIDATE_IP ||
		      c.type == TANDEM_CANDIDATE_OTHER);
		if (n > 0) {
			CHECK(!tandem_candidate_parse(&back, text, (size_t)n));
			CHECK(!strcmp(c.foundation, back.foundation) && c.type == back.type);
			CHECK(c.component == back.component && c.priority == back.priority);
			CHECK(tandem_endpoint_equal(&c.addr, &back.addr));
			CHECK(c.has_related == back.has_related);
		}
	}
	free(copy);
	return 0;
}
