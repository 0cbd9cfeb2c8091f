/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/util/fate.h"

#include <stdbool.h>

void tandem_fate_seed(struct tandem_fate *fate, uint64_t seed, unsigned int which)
{
	static const uint64_t factors[2] = { 0x9E3779B97F4A7C15u, 0xBF58476D1CE4E5B9u };
	uint64_t random = seed * factors[which & 1] + which + 1;

	*fate = (struct tandem_fate){ .random = random ? random : 1 };
}

/* xorshift64*, as a number in [0, 1). */
static double draw(struct tandem_fate *fate)
{
	fate->random ^= fate->random >> 12;
	fate->random ^= fate->random << 25;
	fate->random ^= fate->random >> 27;
	return (double)((fate->random * 0x2545F4914F6CDD1Du) >> 11) / 9007199254740992.0;
}

unsigned int tandem_fate_draw(struct tandem_fate *fate, const struct tandem_impairment *network,
			      uint64_t now_ns, uint64_t *due_ns)
{
	bool lose = draw(fate) * 100 < network->loss;
	bool duplicate = draw(fate) * 100 < network->duplicate;
	bool reorder = draw(fate) * 100 < network->reorder;
	uint64_t due = now_ns + network->delay_ns +
		       (uint64_t)(draw(fate) * (double)network->jitter_ns);

	if (lose) {
		fate->lost++;
		return 0;
	}
	if (due < fate->last_due_ns)
		due = fate->last_due_ns;
	if (reorder) {
		due += network->reorder_by_ns;
		fate->reordered++;
	} else {
		fate->last_due_ns = due;
	}
	*due_ns = due;
	fate->duplicated += duplicate;
	return duplicate ? 2 : 1;
}
