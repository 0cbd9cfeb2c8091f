/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/replay/pace.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "userspace/util/due.h"

#define NS_PER_S 1000000000ULL
#define SPIN_NS	 150000ULL /* a sleep ends late by up to this; the rest of the time is spun */
#define LEAD_NS	 20000000ULL

const uint64_t tandem_late_limits[TANDEM_LATE_BUCKETS - 1] = { 5000,   10000,	20000,
							       50000,  100000,	200000,
							       500000, 1000000, 10000000 };

/* What is in the queue: a cursor, or a held packet. */
struct waiting {
	struct tandem_due due; /* first: the queue knows them by it */
	bool held;
	uint32_t clone;
};

/* A clone on its way through the script. */
struct cursor {
	struct waiting e;
	size_t next;
	uint64_t begin_ns;
	struct tandem_fate fate;
};

/* A packet that an impairment holds back. */
struct held {
	struct waiting e;
	const struct tandem_script_packet *packet;
};

struct pace {
	const struct tandem_script *script;
	const struct tandem_replay_options *o;
	struct tandem_sources *sources;
	struct tandem_pace_report *report;
	struct tandem_dues queue;
	struct cursor *cursors;
	struct tandem_outgoing batch[TANDEM_BATCH_MAX];
	unsigned int count;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Sleep for the most of it, by the clock's own time so that nothing adds up; then look. */
static uint64_t wait_until(uint64_t ns)
{
	uint64_t now = now_ns();

	if (ns > now + SPIN_NS) {
		const uint64_t until = ns - SPIN_NS;
		const struct timespec ts = { .tv_sec = (time_t)(until / NS_PER_S),
					     .tv_nsec = (long)(until % NS_PER_S) };

		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
			;
	}
	while ((now = now_ns()) < ns)
		;
	return now;
}

static void note_late(struct tandem_pace_report *r, uint64_t late)
{
	unsigned int i = 0;

	while (i < TANDEM_LATE_BUCKETS - 1 && late > tandem_late_limits[i])
		i++;
	r->late[i]++;
	r->late_sum_ns += late;
	if (late > r->late_max_ns)
		r->late_max_ns = late;
}

static void flush(struct pace *p)
{
	struct tandem_pace_report *r = p->report;
	unsigned int failed = tandem_sources_send(p->sources, p->batch, p->count);
	uint64_t now = now_ns();

	r->failed += failed;
	r->sent += p->count - failed;
	for (unsigned int i = 0; i < p->count; i++) {
		r->octets += p->batch[i].packet->len;
		if (!p->o->fast)
			note_late(r, now - p->batch[i].due_ns);
	}
	p->count = 0;
}

static void put(struct pace *p, const struct tandem_script_packet *packet, uint32_t clone,
		uint64_t due_ns)
{
	p->batch[p->count++] = (struct tandem_outgoing){
		.packet = packet,
		.source = clone * p->script->flows + packet->flow,
		.clone = clone,
		.due_ns = due_ns,
	};
	if (p->count == TANDEM_BATCH_MAX)
		flush(p);
}

static int hold(struct pace *p, const struct tandem_script_packet *packet, uint32_t clone,
		uint64_t due_ns)
{
	struct held *h = malloc(sizeof(*h));

	if (!h)
		return -ENOMEM;
	*h = (struct held){ { .due.ns = due_ns, .held = true, .clone = clone }, packet };
	if (!tandem_dues_push(&p->queue, &h->e.due))
		return 0;
	free(h);
	return -ENOMEM;
}

/* Queue a cursor for its next packet, if there is one. */
static int go_on(struct pace *p, struct cursor *c)
{
	if (c->next == p->script->count)
		return 0;
	c->e.due.ns = p->o->fast
			      ? 0
			      : c->begin_ns + (uint64_t)((double)p->script->packets[c->next].at_ns /
							 p->o->speed);
	return tandem_dues_push(&p->queue, &c->e.due);
}

static int take_cursor(struct pace *p, struct cursor *c)
{
	const struct tandem_script_packet *packet = &p->script->packets[c->next++];
	uint64_t due = c->e.due.ns;
	unsigned int copies;
	int err = 0;

	if (!p->o->impaired) {
		put(p, packet, c->e.clone, due);
		return go_on(p, c);
	}
	copies = tandem_fate_draw(&c->fate, &p->o->network, c->e.due.ns, &due);
	while (copies-- && !err)
		err = hold(p, packet, c->e.clone, due);
	return err ? err : go_on(p, c);
}

static int take(struct pace *p)
{
	struct waiting *e = (struct waiting *)tandem_dues_pop(&p->queue);
	struct held *h;

	if (!e->held)
		return take_cursor(p, (struct cursor *)e);
	h = (struct held *)e;
	put(p, h->packet, e->clone, e->due.ns);
	free(h);
	return 0;
}

/* All that is due by the time that the first is leaves in one batch. */
static int run(struct pace *p)
{
	const struct tandem_due *first;
	uint64_t now;
	int err = 0;

	while (!err && (first = tandem_dues_first(&p->queue))) {
		now = p->o->fast ? 0 : wait_until(first->ns);
		while (!err && first && first->ns <= now) {
			err = take(p);
			first = tandem_dues_first(&p->queue);
		}
		flush(p);
	}
	return err;
}

static int begin(struct pace *p, uint64_t start_ns)
{
	int err = 0;

	p->cursors = calloc(p->o->clones, sizeof(*p->cursors));
	if (!p->cursors)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->o->clones && !err; i++) {
		struct cursor *c = &p->cursors[i];

		c->e.clone = i;
		c->begin_ns = start_ns + p->o->spread_ns * i / p->o->clones;
		tandem_fate_seed(&c->fate, p->o->seed, i);
		err = go_on(p, c);
	}
	return err;
}

static void end(struct pace *p)
{
	struct waiting *e;

	while ((e = (struct waiting *)tandem_dues_pop(&p->queue))) {
		if (e->held)
			free(e);
	}
	for (uint32_t i = 0; p->cursors && i < p->o->clones; i++) {
		p->report->lost += p->cursors[i].fate.lost;
		p->report->duplicated += p->cursors[i].fate.duplicated;
		p->report->reordered += p->cursors[i].fate.reordered;
	}
	tandem_dues_clean(&p->queue);
	free(p->cursors);
	free(p);
}

/*
 * Where that is allowed (CAP_SYS_NICE) nothing else delays a sleep's end. The listener, a thread of its
 * own, stays as it is. As fast as can be would be to take the processor for oneself.
 */
static void hurry(const struct tandem_replay_options *o, int policy)
{
	const struct sched_param param = { .sched_priority = policy == SCHED_FIFO ? 1 : 0 };

	if (!o->fast)
		(void)sched_setscheduler(0, policy, &param);
}

int tandem_pace_run(const struct tandem_script *script, const struct tandem_replay_options *o,
		    struct tandem_sources *sources, struct tandem_pace_report *report)
{
	struct pace *p = calloc(1, sizeof(*p));
	uint64_t start = now_ns() + LEAD_NS;
	int err;

	if (!p)
		return -ENOMEM;
	memset(report, 0, sizeof(*report));
	*p = (struct pace){ .script = script, .o = o, .sources = sources, .report = report };
	(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	err = begin(p, start);
	hurry(o, SCHED_FIFO);
	if (!err)
		err = run(p);
	hurry(o, SCHED_OTHER);
	report->took_ns = now_ns() - (o->fast ? start - LEAD_NS : start);
	end(p);
	return err;
}
