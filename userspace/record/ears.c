/* SPDX-License-Identifier: GPL-2.0-only */
/* Those who listen to a call while it lasts, one to each party. */
#include <stdlib.h>

#include "userspace/record/local.h"

#define BEHIND_MS 200 /* for packets that come late; it is said in docs/record.md */
#define PART	  256 /* samples */

struct record_ears {
	struct tandem_record *rec;
	struct tandem_mix *mix;
	struct tandem_sink *sinks[2]; /* NULL: nobody listens to that party */
	bool listening[2];
};

/* What one of the two says. */
static void hear(struct record_ears *ears, int party, const int16_t *frames, size_t n)
{
	int16_t part[PART];
	size_t i, lost = 0;

	for (i = 0; i < n; i++) {
		part[i % PART] = frames[2 * i + (size_t)party];
		if (i % PART == PART - 1 || i == n - 1)
			lost += tandem_sink_put(ears->sinks[party], part, i % PART + 1);
	}
	if (lost)
		__atomic_fetch_add(&ears->rec->unheard, lost, __ATOMIC_RELAXED);
}

static int hear_both(const int16_t *frames, size_t n, void *arg)
{
	struct record_ears *ears = arg;

	for (int party = 0; party < 2; party++) {
		if (ears->sinks[party])
			hear(ears, party, frames, n);
	}
	return 0;
}

/* As many are connected as there are. */
static void count(struct record_ears *ears, int party)
{
	const bool now = ears->sinks[party] && tandem_sink_connected(ears->sinks[party]);

	if (now != ears->listening[party])
		__atomic_fetch_add(&ears->rec->listening, now ? 1U : -1U, __ATOMIC_RELAXED);
	ears->listening[party] = now;
}

static void leave(struct record_ears *ears, int party)
{
	if (!ears->sinks[party])
		return;
	tandem_sink_free(ears->sinks[party]);
	ears->sinks[party] = NULL;
	__atomic_fetch_sub(&ears->rec->forwarded, 1, __ATOMIC_RELAXED);
	count(ears, party);
}

static void come(struct record_ears *ears, int party, const char *about)
{
	if (!ears->sinks[party] && !tandem_sink_alloc(&ears->sinks[party], &ears->rec->to, about,
						      ears->rec->cfg.forward_rate))
		__atomic_fetch_add(&ears->rec->forwarded, 1, __ATOMIC_RELAXED);
}

void record_ears_set(struct record_ears *ears, const struct record_forwarding *f)
{
	for (int party = 0; party < 2; party++) {
		if (f->about[party])
			come(ears, party, f->about[party]);
		else
			leave(ears, party);
		free(f->about[party]);
	}
	record_ears_codecs(ears, &f->codecs);
}

struct record_ears *record_ears_open(struct tandem_record *rec, const struct record_forwarding *f,
				     uint64_t now_ns)
{
	struct record_ears *ears = calloc(1, sizeof(*ears));

	if (!ears || tandem_mix_alloc(&ears->mix, rec->cfg.forward_rate, BEHIND_MS, now_ns,
				      &f->codecs, hear_both, ears)) {
		free(ears);
		free(f->about[0]);
		free(f->about[1]);
		return NULL;
	}
	ears->rec = rec;
	record_ears_set(ears, f);
	return ears;
}

void record_ears_codecs(struct record_ears *ears, const struct tandem_mix_codecs *codecs)
{
	tandem_mix_codecs(ears->mix, codecs);
}

void record_ears_packet(struct record_ears *ears, const struct tandem_mix_packet *p)
{
	(void)tandem_mix_packet(ears->mix, p);
}

void record_ears_run(struct record_ears *ears, uint64_t now_ns)
{
	(void)tandem_mix_run(ears->mix, now_ns);
	for (int party = 0; party < 2; party++) {
		if (ears->sinks[party])
			tandem_sink_run(ears->sinks[party], now_ns);
		count(ears, party);
	}
}

void record_ears_close(struct record_ears *ears, uint64_t now_ns)
{
	if (!ears)
		return;
	(void)tandem_mix_end(ears->mix, now_ns);
	leave(ears, 0);
	leave(ears, 1);
	tandem_mix_free(ears->mix);
	free(ears);
}
