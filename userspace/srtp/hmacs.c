/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/srtp/hmacs.h"

#include <errno.h>
#include <stdlib.h>

#include "userspace/srtp/backend.h"
#include "userspace/srtp/sha1.h"

struct tandem_hmacs {
	const struct tandem_lanes_backend *backend; /* NULL: one by one */
	void *lanes;
};

int tandem_hmacs_alloc(struct tandem_hmacs **hmacsp)
{
	struct tandem_hmacs *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->backend = tandem_ipsec_mb_lanes();
	if (h->backend)
		h->lanes = h->backend->alloc();
	if (h->backend && !h->lanes) {
		free(h);
		return -ENOMEM;
	}
	*hmacsp = h;
	return 0;
}

void tandem_hmacs_free(struct tandem_hmacs *h)
{
	if (h && h->backend)
		h->backend->free(h->lanes);
	free(h);
}

void tandem_hmacs_run(struct tandem_hmacs *h, struct tandem_hmac_job *jobs, uint32_t n)
{
	if (h->backend && n >= h->backend->worth) {
		h->backend->run(h->lanes, jobs, n);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		tandem_hmac(jobs[i].tag, jobs[i].session, jobs[i].data, jobs[i].len, "", 0);
}
