/* SPDX-License-Identifier: GPL-2.0-only */
/* The thread that writes recordings. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "userspace/record/local.h"
#include "userspace/util/log.h"

#define MODULE	 "record"
#define WAIT_MS	 20
#define NS_PER_S 1000000000ULL
#define CHECK_S	 1 /* for how much room there is on the disk */

struct reel {
	struct reel *next;
	uint64_t number;
	struct tandem_tape *tape;
};

struct shelf {
	struct tandem_record *rec;
	struct reel *reels[RECORD_BUCKETS];
	uint64_t run_ns;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static struct reel **find(struct shelf *s, uint64_t number)
{
	struct reel **at = &s->reels[number % RECORD_BUCKETS];

	while (*at && (*at)->number != number)
		at = &(*at)->next;
	return at;
}

/* err: what has gone wrong; 0: it was to end. */
static void end(struct shelf *s, struct reel **at, uint64_t ns, const char *why, int err)
{
	struct reel *r = *at;
	int last = tandem_tape_close(r->tape, ns, err ? strerror(-err) : why);

	*at = r->next;
	record_done(s->rec, r->number, err ? err : last);
	free(r);
}

static void begin(struct shelf *s, uint64_t number, uint64_t ns, const unsigned char *data)
{
	struct record_opening *o = malloc(sizeof(*o));
	struct reel *r = calloc(1, sizeof(*r));
	int err = o && r ? 0 : -ENOMEM;

	if (!err) {
		memcpy(o, data, sizeof(*o));
		err = tandem_tape_open(&r->tape, o->path, ns, &o->codecs, o->about);
		json_decref(o->about);
	}
	free(o);
	if (err) {
		free(r);
		record_done(s->rec, number, err);
		return;
	}
	r->number = number;
	r->next = s->reels[number % RECORD_BUCKETS];
	s->reels[number % RECORD_BUCKETS] = r;
}

static void read_letter(struct shelf *s, const struct record_letter *l, const unsigned char *data)
{
	const struct tandem_tape_packet packet = { l->ns, l->party, l->media, data, l->len };
	struct tandem_tape_codecs codecs;
	struct reel **at = find(s, l->number);
	int err = 0;

	if (l->kind == RECORD_OPEN) {
		begin(s, l->number, l->ns, data);
		return;
	}
	if (!*at)
		return;
	switch (l->kind) {
	case RECORD_PACKET:
		err = tandem_tape_packet((*at)->tape, &packet);
		break;
	case RECORD_CODECS:
		memcpy(&codecs, data, sizeof(codecs));
		tandem_tape_codecs((*at)->tape, &codecs);
		break;
	case RECORD_PAUSE:
	case RECORD_RESUME:
		tandem_tape_pause((*at)->tape, l->kind == RECORD_PAUSE, l->ns);
		break;
	default:
		end(s, at, l->ns, (const char *)data, 0);
		return;
	}
	if (err)
		end(s, at, l->ns, NULL, err);
}

/* Those that hear nothing are written as well, and none when the disk is full. */
static void run_all(struct shelf *s, uint64_t ns, const char *why)
{
	const int full = why ? 0 : record_disk_full(s->rec) ? -ENOSPC : 0;

	for (size_t i = 0; i < RECORD_BUCKETS; i++) {
		struct reel **at = &s->reels[i];

		while (*at) {
			int err = full ? full : tandem_tape_run((*at)->tape, ns);

			if (err || why)
				end(s, at, ns, why, err);
			else
				at = &(*at)->next;
		}
	}
	s->run_ns = ns;
}

void *record_shelf(void *arg)
{
	struct shelf *s = calloc(1, sizeof(*s));
	struct tandem_record *rec = arg;
	struct record_letter letter;
	const unsigned char *data;

	if (!s)
		return NULL;
	s->rec = rec;
	while (record_mail_wait(&rec->mail, WAIT_MS)) {
		size_t at = 0;

		while (record_mail_next(&rec->mail, &at, &letter, &data))
			read_letter(s, &letter, data);
		if (now_ns() - s->run_ns > CHECK_S * NS_PER_S)
			run_all(s, now_ns(), NULL);
	}
	run_all(s, now_ns(), "the relay has stopped");
	free(s);
	return NULL;
}
