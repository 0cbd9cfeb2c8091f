/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The document of a forward: what is refused says why; what is taken compiles to flows whose
 * branches share out all of their legs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/session/forward.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_fan(const struct tandem_fan *fan)
{
	uint32_t i, next = 0;

	CHECK(fan->branch_count <= TANDEM_MAX_BRANCHES);
	for (i = 0; i < fan->branch_count; i++) {
		CHECK(fan->branches[i].count <= TANDEM_MAX_LEGS && fan->branches[i].first == next);
		next += fan->branches[i].count;
	}
	CHECK(next == fan->leg_count);
}

static void check_flows(struct tandem_forward *f)
{
	struct tandem_forward_flows flows;
	size_t i;
	int err;

	f->number = 1;
	err = tandem_forward_compile(f, &flows);
	CHECK(!err || err == -ENODEV);
	CHECK(err || flows.n == 1U + f->spec.rtcp);
	for (i = 0; !err && i < flows.n; i++) {
		CHECK(flows.specs[i].id == (1U << 16 | i));
		if (flows.specs[i].fan)
			check_fan(flows.specs[i].fan);
	}
	tandem_forward_flows_clean(&flows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *doc = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct tandem_forward f = { 0 };
	char why[256] = "";
	int err;

	if (!doc)
		return 0;
	err = tandem_forward_parse(&f.spec, doc, why, sizeof(why));
	CHECK(!err || (err == -EINVAL && *why));
	if (!err)
		check_flows(&f);
	tandem_forward_spec_clean(&f.spec);
	json_decref(doc);
	return 0;
}
