/* SPDX-License-Identifier: GPL-2.0-only */
/* The thread that writes recordings, and lets others listen. */
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

/* What is made of one call: a recording, or it is heard, or both. */
struct reel {
	struct reel *next;
	uint64_t number;
	struct tandem_tape *tape; /* NULL: none */
	struct record_ears *ears; /* the same */
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

static struct reel *add(struct shelf *s, uint64_t number)
{
	struct reel **at = find(s, number);

	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (*at)
			(*at)->number = number;
	}
	return *at;
}

/* Of which nothing is made any more. */
static void drop_empty(struct reel **at)
{
	struct reel *r = *at;

	if (!r || r->tape || r->ears)
		return;
	*at = r->next;
	free(r);
}

/* err: what has gone wrong; 0: it was to end. */
static void end(struct shelf *s, struct reel *r, uint64_t ns, const char *why, int err)
{
	int last = tandem_tape_close(r->tape, ns, err ? strerror(-err) : why);

	r->tape = NULL;
	record_done(s->rec, r->number, err ? err : last);
}

static void begin(struct shelf *s, uint64_t number, uint64_t ns, const unsigned char *data)
{
	struct record_opening *o = malloc(sizeof(*o));
	struct reel *r = add(s, number);
	int err = o && r ? 0 : -ENOMEM;

	if (o) {
		memcpy(o, data, sizeof(*o));
		if (!err)
			err = tandem_tape_open(&r->tape, o->path, ns, &o->codecs, o->about);
		json_decref(o->about);
	}
	free(o);
	if (err) {
		if (r)
			r->tape = NULL;
		record_done(s->rec, number, err);
	}
}

static void listen_to(struct shelf *s, uint64_t number, uint64_t ns, const unsigned char *data)
{
	struct record_forwarding f;
	struct reel *r;

	memcpy(&f, data, sizeof(f));
	r = f.parties ? add(s, number) : *find(s, number);
	if (r && r->ears && f.parties) {
		record_ears_set(r->ears, &f);
	} else if (r && f.parties) {
		r->ears = record_ears_open(s->rec, &f, ns);
	} else if (r) {
		record_ears_close(r->ears, ns);
		r->ears = NULL;
	} else {
		free(f.about[0]);
		free(f.about[1]);
	}
}

static void hear(struct shelf *s, struct reel *r, const struct record_letter *l,
		 const unsigned char *data)
{
	const struct tandem_mix_packet packet = { l->ns, l->party, l->media, data, l->len };
	int err;

	if (r->ears)
		record_ears_packet(r->ears, &packet);
	err = r->tape ? tandem_tape_packet(r->tape, &packet) : 0;
	if (err)
		end(s, r, l->ns, NULL, err);
}

static void learn(struct reel *r, const unsigned char *data)
{
	struct tandem_mix_codecs codecs;

	memcpy(&codecs, data, sizeof(codecs));
	if (r->tape)
		tandem_tape_codecs(r->tape, &codecs);
	if (r->ears)
		record_ears_codecs(r->ears, &codecs);
}

static void read_letter(struct shelf *s, const struct record_letter *l, const unsigned char *data)
{
	struct reel **at = find(s, l->number), *r = *at;

	if (l->kind == RECORD_OPEN)
		begin(s, l->number, l->ns, data);
	else if (l->kind == RECORD_FORWARD)
		listen_to(s, l->number, l->ns, data);
	else if (r && l->kind == RECORD_PACKET)
		hear(s, r, l, data);
	else if (r && l->kind == RECORD_CODECS)
		learn(r, data);
	else if (r && r->tape && l->kind == RECORD_CLOSE)
		end(s, r, l->ns, (const char *)data, 0);
	else if (r && r->tape)
		tandem_tape_pause(r->tape, l->kind == RECORD_PAUSE, l->ns);
	drop_empty(at);
}

/* Those that hear nothing are written as well, and none when the disk is full. why: it is the end. */
static void run_all(struct shelf *s, uint64_t ns, const char *why)
{
	const int full = why ? 0 : record_disk_full(s->rec) ? -ENOSPC : 0;

	for (size_t i = 0; i < RECORD_BUCKETS; i++) {
		struct reel **at = &s->reels[i];

		while (*at) {
			struct reel *r = *at;
			int err = full || !r->tape ? full : tandem_tape_run(r->tape, ns);

			if (r->tape && (err || why))
				end(s, r, ns, why, err);
			if (why) {
				record_ears_close(r->ears, ns);
				r->ears = NULL;
			}
			drop_empty(at);
			if (*at == r)
				at = &r->next;
		}
	}
	s->run_ns = ns;
}

/* Those who listen do so now. */
static void run_ears(struct shelf *s, uint64_t ns)
{
	for (size_t i = 0; i < RECORD_BUCKETS; i++) {
		for (struct reel *r = s->reels[i]; r; r = r->next) {
			if (r->ears)
				record_ears_run(r->ears, ns);
		}
	}
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
		run_ears(s, now_ns());
		if (now_ns() - s->run_ns > CHECK_S * NS_PER_S)
			run_all(s, now_ns(), NULL);
	}
	run_all(s, now_ns(), "the relay has stopped");
	free(s);
	return NULL;
}
