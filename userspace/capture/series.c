/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/capture/series.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STEP_NS 100000000ULL

void tandem_series_clean(struct tandem_series *s)
{
	free(s->steps);
	memset(s, 0, sizeof(*s));
}

static void add_to(struct tandem_step *step, const struct tandem_step *add)
{
	step->octets += add->octets;
	step->packets += add->packets;
	step->lost += add->lost;
	if (add->jitter_ns > step->jitter_ns)
		step->jitter_ns = add->jitter_ns;
}

/* Steps of twice the length. */
static void halve(struct tandem_series *s)
{
	size_t count = (s->count + 1) / 2;

	for (size_t i = 1; i < s->count; i++) {
		struct tandem_step step = s->steps[i];

		if (i % 2 == 0)
			memset(&s->steps[i / 2], 0, sizeof(step));
		add_to(&s->steps[i / 2], &step);
	}
	s->count = count;
	s->step_ns *= 2;
}

int tandem_series_add(struct tandem_series *s, uint64_t since_ns, const struct tandem_step *add)
{
	struct tandem_step *steps;
	uint64_t at;

	if (!s->step_ns)
		s->step_ns = STEP_NS;
	while (since_ns / s->step_ns >= TANDEM_SERIES_MAX)
		halve(s);
	at = since_ns / s->step_ns;
	/* The first packets want little room: most streams of a hostile file have no more. */
	if (at >= s->count) {
		steps = reallocarray(s->steps, at + 1, sizeof(*steps));
		if (!steps)
			return -ENOMEM;
		s->steps = steps;
		memset(steps + s->count, 0, (at + 1 - s->count) * sizeof(*steps));
		s->count = at + 1;
	}
	add_to(&s->steps[at], add);
	return 0;
}
