/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/util/log_flood.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SLOTS 256 /* a power of two; two lines that share one take turns */

struct slot {
	uint64_t key; /* 0: free */
	uint64_t until_ms;
	unsigned int left;
	struct tandem_log_sum held;
};

/* How many lines may be written in which time, and who has written how many. */
struct budget {
	unsigned int lines;
	unsigned int ms;
	struct slot slots[SLOTS];
};

static struct budget of_equal = { .lines = 5, .ms = 10000 };
static struct budget of_alike = { .lines = 100, .ms = 1000 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static uint64_t hash(uint64_t h, const char *text)
{
	for (; *text; text++) {
		h ^= (unsigned char)*text;
		h *= 0x100000001b3ull;
	}
	h ^= h >> 32;
	return h ? h : 1;
}

/* What the slot has held back, if there is any; it has none then. */
static bool take_sum(struct slot *s, struct tandem_log_sum *sum)
{
	if (!s->held.count)
		return false;
	*sum = s->held;
	s->held.count = 0;
	return true;
}

/* With the lock held. sum: of lines that were in the slot before. */
static bool take(uint64_t key, struct budget *budget, uint64_t now, struct slot **slotp,
		 struct tandem_log_sum *sum, bool *has_sum)
{
	struct slot *s = *slotp = &budget->slots[key & (SLOTS - 1)];

	*has_sum = false;
	if (s->key != key || now >= s->until_ms) {
		*has_sum = take_sum(s, sum);
		s->key = key;
		s->until_ms = now + budget->ms;
		s->left = budget->lines;
	}
	if (!s->left)
		return false;
	s->left--;
	return true;
}

bool tandem_log_flood_admit(int level, const char *module, const char *fmt, const char *text,
			    tandem_log_sum_h *h, void *arg)
{
	uint64_t now = now_ms();
	struct tandem_log_sum sums[2];
	bool has[2] = { false, false }, admitted;
	struct slot *s;

	pthread_mutex_lock(&lock);
	admitted = take(hash(0xcbf29ce484222325ull, text), &of_equal, now, &s, &sums[0], &has[0]) &&
		   take(hash(0x84222325cbf29ce4ull, fmt), &of_alike, now, &s, &sums[1], &has[1]);
	if (!admitted) {
		s->held.level = level;
		s->held.module = module;
		s->held.count++;
		snprintf(s->held.text, sizeof(s->held.text), "%s", text);
	}
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < 2; i++) {
		if (has[i])
			h(&sums[i], arg);
	}
	return admitted;
}

static void tick(struct budget *budget, tandem_log_sum_h *h, void *arg)
{
	uint64_t now = now_ms();
	struct tandem_log_sum sum;
	struct slot *s;
	bool has;

	for (s = budget->slots; s < budget->slots + SLOTS; s++) {
		pthread_mutex_lock(&lock);
		has = now >= s->until_ms && take_sum(s, &sum);
		pthread_mutex_unlock(&lock);
		if (has)
			h(&sum, arg);
	}
}

void tandem_log_flood_tick(tandem_log_sum_h *h, void *arg)
{
	tick(&of_equal, h, arg);
	tick(&of_alike, h, arg);
}
