/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/search.h"

#include <string.h>

#define SHORT_OF     0.95 /* of a rate: less than that was sent, and says little of it */
#define SHORT_MAX    3	  /* times, and the search gives up */
#define MUCH	     0.1
#define STARVED_MORE 4

struct state {
	const struct search_limits *limits;
	search_trial_h *h;
	void *arg;
	struct search_result *result;
	double began;
};

static bool over(const struct state *s)
{
	const struct search_limits *l = s->limits;

	if ((int)s->result->count >= l->steps || s->result->count >= SEARCH_MAX_STEPS)
		return true;
	return l->seconds > 0 && l->now && l->now() - s->began >= l->seconds;
}

static int one_trial(struct state *s, double rate, struct search_step *step)
{
	int err;

	*step = (struct search_step){ .rate = rate };
	err = s->h(rate, &step->got, s->arg);
	if (err)
		return err;
	step->passed = step->got.offered > 0 && step->got.loss <= s->limits->tolerance;
	if (step->got.delivered > s->result->peak)
		s->result->peak = step->got.delivered;
	if (step->passed && step->got.offered > s->result->rate)
		s->result->rate = step->got.offered;
	s->result->steps[s->result->count++] = *step;
	return 0;
}

/*
 * A rate has failed only when it failed every time: a pause of the host is not the relay's. But
 * who lost much has not been unlucky.
 */
static int try_rate(struct state *s, double rate, struct search_step *step)
{
	int err = 0;

	for (int i = 0; i <= s->limits->retries && !err; i++) {
		if (i && over(s))
			break;
		err = one_trial(s, rate, step);
		if (!err && (step->passed || step->got.loss > MUCH))
			break;
	}
	return err;
}

/*
 * Where to look next. What was delivered when flooded is a fair guess, but a relay may do better
 * when it is not: so upward by doubling first.
 */
static double guess(const struct state *s, double low, double high)
{
	double peak = s->result->peak;

	if (low <= 0 && peak > 0 && peak < high)
		return peak;
	if (low > 0 && 2 * low < high)
		return 2 * low;
	return (low + high) / 2;
}

static int narrow(struct state *s, double low, double high)
{
	struct search_step step;
	int short_of = 0;

	while (high - low > s->limits->precision * high) {
		double rate = guess(s, low, high);
		int err;

		if (over(s) || short_of == SHORT_MAX)
			return 0;
		err = try_rate(s, rate, &step);
		if (err)
			return err;
		if (!step.passed) {
			high = rate;
			continue;
		}
		low = step.got.offered > low ? step.got.offered : low;
		if (step.got.offered < SHORT_OF * rate)
			short_of++;
	}
	s->result->complete = true;
	return 0;
}

/* Bounds from the trials of another search: the highest that passed, the lowest above that failed. */
static void recall(struct state *s, const struct search_result *known, double *low, double *high)
{
	*high = 0;
	*low = 0;
	s->result->peak = known->peak;
	for (size_t i = 0; i < known->count; i++) {
		const struct search_trial *t = &known->steps[i].got;

		if (t->loss <= s->limits->tolerance && t->offered > *low)
			*low = t->offered;
	}
	for (size_t i = 0; i < known->count; i++) {
		const struct search_trial *t = &known->steps[i].got;

		if (t->loss > s->limits->tolerance && t->offered > *low &&
		    (*high <= 0 || t->offered < *high))
			*high = t->offered;
	}
	s->result->rate = *low;
	if (*high <= 0 && *low > 0) {
		s->result->generator_bound = known->generator_bound;
		s->result->complete = known->complete;
	}
}

int tandem_search(const struct search_limits *limits, const struct search_result *known,
		  search_trial_h *h, void *arg, struct search_result *result)
{
	struct state s = { .limits = limits, .h = h, .arg = arg, .result = result };
	double low = 0, high = 0;
	struct search_step step;
	int err;

	memset(result, 0, sizeof(*result));
	s.began = limits->now ? limits->now() : 0;
	if (known && known->count) {
		recall(&s, known, &low, &high);
		return high > 0 ? narrow(&s, low, high) : 0;
	}
	err = try_rate(&s, 0, &step);
	if (err)
		return err;
	if (step.passed && !step.got.starved) {
		result->generator_bound = true;
		result->complete = true;
		return 0;
	}
	high = step.got.offered;
	if (step.passed) { /* so much, and nobody knows how much more */
		low = high;
		high *= STARVED_MORE;
	}
	return high > 0 ? narrow(&s, low, high) : 0;
}
