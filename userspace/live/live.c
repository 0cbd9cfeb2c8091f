/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/live/live.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "userspace/capture/link.h"
#include "userspace/capture/pcapng.h"
#include "userspace/live/wire.h"
#include "userspace/datapath/plane.h"
#include "userspace/util/log.h"
#include "userspace/util/thread.h"

#define BUCKETS	   1024
#define RINGS	   257 /* one for each CPU that there is room for, and that of io_uring */
#define PACKET_MAX 65535
#define TURN_NS	   4000000
#define NS_PER_S   1000000000ULL

/* A call that somebody takes packets of. */
struct call {
	struct tandem_live_call call;  /* what takers see */
	struct call *next;	       /* of the bucket */
	uint32_t wants[TANDEM_TAKERS]; /* RULE_F_TAPS */
};

/* A packet as it came, until it is known whether it went further. */
struct waiting {
	bool there;
	bool seen; /* since the last turn */
	struct tap_record record;
	unsigned char *bytes; /* PACKET_MAX */
};

struct tandem_live {
	struct tandem_plane *plane;
	struct tandem_sessions *sessions;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	pthread_t thread;
	bool started, stopping, open, in_turn;
	struct tandem_taker *takers[TANDEM_TAKERS];
	unsigned int taker_count;
	struct call *calls[BUCKETS];
	size_t call_count;
	struct waiting waiting[RINGS];
	uint64_t epoch_ns; /* of the monotonic clock's 0 */
	uint64_t packets, lost;
};

/* ---- calls ------------------------------------------------------------------ */

static struct call **bucket(struct tandem_live *cap, uint64_t number)
{
	return &cap->calls[number % BUCKETS];
}

static struct call *find(struct tandem_live *cap, uint64_t number)
{
	struct call *c = *bucket(cap, number);

	while (c && c->call.number != number)
		c = c->next;
	return c;
}

static void call_free(struct call *c)
{
	free(c->call.call_id);
	free(c->call.tag[0]);
	free(c->call.tag[1]);
	free(c);
}

static void forget(struct tandem_live *cap, uint64_t number)
{
	struct call **at = bucket(cap, number), *c;

	while (*at && (*at)->call.number != number)
		at = &(*at)->next;
	c = *at;
	if (!c)
		return;
	*at = c->next;
	cap->call_count--;
	call_free(c);
}

static bool set_text(char **to, const char *text)
{
	char *copy;

	if (*to && text && !strcmp(*to, text))
		return true;
	copy = strdup(text ? text : "");
	if (!copy)
		return false;
	free(*to);
	*to = copy;
	return true;
}

/* NULL without memory: then it is not captured. */
static struct call *enter(struct tandem_live *cap, const struct tandem_tap_call *from)
{
	struct call *c = find(cap, from->number);

	if (!c) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return NULL;
		c->call.number = from->number;
		c->call.forward = from->forward;
		c->next = *bucket(cap, from->number);
		*bucket(cap, from->number) = c;
		cap->call_count++;
	}
	if (!set_text(&c->call.call_id, from->call_id) ||
	    !set_text(&c->call.tag[0], from->tag[0]) || !set_text(&c->call.tag[1], from->tag[1])) {
		forget(cap, from->number);
		return NULL;
	}
	return c;
}

/* ---- what the sessions ask ---------------------------------------------------- */

static void drain(struct tandem_live *cap);

static uint32_t wants_h(const struct tandem_tap_call *call, void *arg)
{
	uint32_t wants[TANDEM_TAKERS] = { 0 }, all = 0;
	struct tandem_live *cap = arg;
	struct call *c;

	pthread_mutex_lock(&cap->lock);
	for (size_t i = 0; i < TANDEM_TAKERS; i++) {
		const struct tandem_taker *t = cap->takers[i];

		wants[i] = t ? t->wants(call, t->arg) : 0;
		all |= wants[i];
	}
	c = find(cap, call->number);
	if (c && !all)
		drain(cap);
	c = all ? enter(cap, call) : NULL;
	if (c)
		memcpy(c->wants, wants, sizeof(wants));
	else
		forget(cap, call->number);
	pthread_mutex_unlock(&cap->lock);
	return c ? all : 0;
}

static void gone_h(uint64_t number, void *arg)
{
	struct tandem_live *cap = arg;

	pthread_mutex_lock(&cap->lock);
	if (find(cap, number))
		drain(cap);
	for (size_t i = 0; i < TANDEM_TAKERS; i++) {
		const struct tandem_taker *t = cap->takers[i];

		if (t && t->gone)
			t->gone(number, t->arg);
	}
	forget(cap, number);
	pthread_mutex_unlock(&cap->lock);
}

/* ---- packets ------------------------------------------------------------------ */

static uint32_t flag_of(enum tandem_live_kind kind)
{
	return kind == TANDEM_LIVE_IN	 ? RULE_F_TAP_IN
	       : kind == TANDEM_LIVE_OUT ? RULE_F_TAP_OUT
					 : RULE_F_TAP_CLEAR;
}

static void hand_over(struct tandem_live *cap, struct tandem_live_packet *p)
{
	const struct call *c = find(cap, p->flow.number);

	if (!c)
		return;
	p->call = &c->call;
	cap->packets++;
	for (size_t i = 0; i < TANDEM_TAKERS; i++) {
		if (cap->takers[i] && c->wants[i] & flag_of(p->kind))
			cap->takers[i]->packet(p, cap->takers[i]->arg);
	}
}

/* Bytes that are addresses and an UDP payload. */
static void with_header(struct tandem_live_packet *p, const struct tap_record *r,
			const uint8_t *bytes, uint8_t header[TANDEM_WIRE_HEADER])
{
	uint32_t kept = r->size > r->payload_off ? r->size - r->payload_off : 0;
	struct tap_address from, to;

	memcpy(&from, bytes, sizeof(from));
	memcpy(&to, bytes + sizeof(from), sizeof(to));
	if (kept > r->payload_len)
		kept = r->payload_len;
	p->payload = p->bytes = bytes + r->payload_off;
	p->payload_len = p->len = kept;
	p->header = header;
	p->header_len = tandem_wire_header(header, &from, &to, p->bytes, p->len, r->payload_len);
	p->original = p->header_len + r->payload_len;
}

/* Of a frame that was refused early nobody has said where. */
static void find_payload(struct tandem_live_packet *p, const struct tap_record *r,
			 const uint8_t *bytes)
{
	uint32_t off = r->payload_off, len = r->payload_len;
	struct tandem_udp d;

	if (!off) {
		if (tandem_link_udp(TANDEM_PCAPNG_ETHERNET, bytes, r->size, &d) != TANDEM_LINK_UDP)
			return;
		off = (uint32_t)(d.payload - bytes);
		len = (uint32_t)d.full_len;
	}
	if (off >= r->size)
		return;
	p->payload = bytes + off;
	p->payload_len = r->size - off < len ? r->size - off : len;
	p->original = off + len;
}

/* refused: the reason of a packet that was waiting, or REASON_COUNT. */
static void deliver(struct tandem_live *cap, const struct tap_record *r, const uint8_t *bytes,
		    uint32_t refused)
{
	struct tandem_live_packet p = {
		.kind = r->kind == TAP_OUT     ? TANDEM_LIVE_OUT
			: r->kind == TAP_CLEAR ? TANDEM_LIVE_CLEAR
					       : TANDEM_LIVE_IN,
		.ns = r->ns + cap->epoch_ns,
		.flow = tandem_tap_flow_of(r->flow_id),
		.leg = r->leg,
		.has_reason = refused != REASON_COUNT,
		.reason = (uint8_t)refused,
		.bytes = bytes,
		.len = r->size,
		.original = r->size,
		.ethernet = true,
	};
	uint8_t header[TANDEM_WIRE_HEADER];

	if (r->flags & TAP_F_ADDRESSES) {
		p.ethernet = false;
		with_header(&p, r, bytes, header);
	} else {
		find_payload(&p, r, bytes);
	}
	if (p.original < p.len + p.header_len)
		p.original = p.len + p.header_len;
	hand_over(cap, &p);
}

static void let_go(struct tandem_live *cap, struct waiting *w)
{
	if (w->there)
		deliver(cap, &w->record, w->bytes, REASON_COUNT);
	w->there = false;
}

/* Should there be no memory it is not known what became of it. */
static void keep(struct tandem_live *cap, struct waiting *w, const struct tandem_tapped *t)
{
	if (!w->bytes)
		w->bytes = malloc(PACKET_MAX);
	if (!w->bytes) {
		deliver(cap, t->record, t->bytes, REASON_COUNT);
		return;
	}
	w->there = true;
	w->seen = true;
	w->record = *t->record;
	memcpy(w->bytes, t->bytes, t->record->size);
}

/* What the fast path punts the slow one tells of. */
static void refused(struct tandem_live *cap, struct waiting *w, const struct tandem_tapped *t)
{
	const struct tap_record *r = t->record;
	const bool waits = w->there && w->record.ns == r->ns && w->record.flow_id == r->flow_id;
	const bool punted = t->fast && r->reason >= REASON_stun && r->reason <= REASON_no_headroom;

	if (waits && !punted)
		deliver(cap, &w->record, w->bytes, r->reason);
	if (waits)
		w->there = false;
	let_go(cap, w);
	if (!waits && !punted)
		deliver(cap, r, t->bytes, r->reason);
}

static void tapped_h(const struct tandem_tapped *t, void *arg)
{
	struct tandem_live *cap = arg;
	struct waiting *w = &cap->waiting[t->fast ? t->ring % (RINGS - 1) : RINGS - 1];

	if (t->record->flags & TAP_F_ADDRESSES && t->record->size < 2 * sizeof(struct tap_address))
		return;
	if (t->record->kind == TAP_REFUSED) {
		refused(cap, w, t);
		return;
	}
	let_go(cap, w);
	if (t->record->kind == TAP_IN)
		keep(cap, w, t);
	else
		deliver(cap, t->record, t->bytes, REASON_COUNT);
}

/* Nothing has followed (for a turn, unless it is all): it went on. */
static void let_go_old(struct tandem_live *cap, bool all)
{
	for (size_t i = 0; i < RINGS; i++) {
		struct waiting *w = &cap->waiting[i];

		if (w->there && (all || !w->seen))
			let_go(cap, w);
		w->seen = false;
	}
}

/* Before a call is forgotten: its last packets are in the rings. */
static void drain(struct tandem_live *cap)
{
	if (!cap->open)
		return;
	tandem_plane_tap_read(cap->plane, tapped_h, cap, &cap->lost);
	let_go_old(cap, true);
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* ---- the thread --------------------------------------------------------------- */

/* With the lock, which it lets go of meanwhile. */
static void tell_turn(struct tandem_live *cap)
{
	struct tandem_taker *takers[TANDEM_TAKERS];
	const uint64_t lost = cap->lost;

	memcpy(takers, cap->takers, sizeof(takers));
	cap->in_turn = true;
	pthread_mutex_unlock(&cap->lock);
	for (size_t i = 0; i < TANDEM_TAKERS; i++) {
		if (takers[i] && takers[i]->turn)
			takers[i]->turn(lost, takers[i]->arg);
	}
	pthread_mutex_lock(&cap->lock);
	cap->in_turn = false;
	pthread_cond_broadcast(&cap->changed);
}

static void *run(void *arg)
{
	const struct timespec turn = { .tv_nsec = TURN_NS };
	struct tandem_live *cap = arg;

	pthread_mutex_lock(&cap->lock);
	while (!cap->stopping) {
		if (!cap->open) {
			pthread_cond_wait(&cap->changed, &cap->lock);
			continue;
		}
		cap->epoch_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
		tandem_plane_tap_read(cap->plane, tapped_h, cap, &cap->lost);
		let_go_old(cap, false);
		tell_turn(cap);
		pthread_mutex_unlock(&cap->lock);
		nanosleep(&turn, NULL);
		pthread_mutex_lock(&cap->lock);
	}
	pthread_mutex_unlock(&cap->lock);
	return NULL;
}

/* ---- takers ------------------------------------------------------------------- */

/* The ring has room for the most that anybody wants. With the lock. */
static int open_taps(struct tandem_live *cap)
{
	uint32_t bytes = 0;
	int err;

	for (size_t i = 0; i < TANDEM_TAKERS; i++) {
		uint32_t wanted = cap->takers[i] ? cap->takers[i]->bytes : 1;

		if (!wanted || wanted > PACKET_MAX)
			wanted = PACKET_MAX;
		bytes = wanted > bytes ? wanted : bytes;
	}
	err = tandem_plane_tap_open(cap->plane, bytes);
	cap->open = !err;
	pthread_cond_broadcast(&cap->changed);
	return err;
}

int tandem_live_join(struct tandem_live *cap, struct tandem_taker *taker)
{
	unsigned int place = 0;
	int err = -ENOSPC;

	pthread_mutex_lock(&cap->lock);
	while (place < TANDEM_TAKERS && cap->takers[place])
		place++;
	if (place < TANDEM_TAKERS) {
		taker->place = place;
		cap->takers[place] = taker;
		cap->taker_count++;
		err = open_taps(cap);
	}
	if (err && place < TANDEM_TAKERS) {
		cap->takers[place] = NULL;
		cap->taker_count--;
	}
	pthread_mutex_unlock(&cap->lock);
	if (!err)
		tandem_live_again(cap);
	return err;
}

void tandem_live_leave(struct tandem_live *cap, struct tandem_taker *taker)
{
	pthread_mutex_lock(&cap->lock);
	cap->takers[taker->place] = NULL;
	cap->taker_count--;
	while (cap->in_turn)
		pthread_cond_wait(&cap->changed, &cap->lock);
	pthread_mutex_unlock(&cap->lock);
	tandem_live_again(cap); /* before the taps are closed: nobody is to write there */
	pthread_mutex_lock(&cap->lock);
	if (!cap->taker_count && cap->open) {
		cap->open = false;
		cap->packets = cap->lost = 0;
		tandem_plane_tap_close(cap->plane);
	}
	pthread_mutex_unlock(&cap->lock);
}

void tandem_live_drain(struct tandem_live *cap)
{
	pthread_mutex_lock(&cap->lock);
	drain(cap);
	pthread_mutex_unlock(&cap->lock);
}

void tandem_live_again(struct tandem_live *cap)
{
	if (cap->sessions)
		tandem_sessions_retap(cap->sessions);
}

/* ---- life --------------------------------------------------------------------- */

int tandem_live_open(struct tandem_live **capp, struct tandem_plane *plane)
{
	struct tandem_live *cap = calloc(1, sizeof(*cap));
	int err;

	if (!cap)
		return -ENOMEM;
	cap->plane = plane;
	pthread_mutex_init(&cap->lock, NULL);
	pthread_cond_init(&cap->changed, NULL);
	err = tandem_thread_start(&cap->thread, run, cap);
	cap->started = !err;
	if (err) {
		tandem_live_close(cap);
		return err;
	}
	*capp = cap;
	return 0;
}

void tandem_live_attach(struct tandem_live *cap, struct tandem_sessions *sessions)
{
	cap->sessions = sessions;
	tandem_sessions_on_tap(sessions, wants_h, gone_h, cap);
}

void tandem_live_close(struct tandem_live *cap)
{
	if (!cap)
		return;
	pthread_mutex_lock(&cap->lock);
	cap->stopping = true;
	pthread_cond_broadcast(&cap->changed);
	pthread_mutex_unlock(&cap->lock);
	if (cap->started)
		pthread_join(cap->thread, NULL);
	if (cap->sessions)
		tandem_sessions_on_tap(cap->sessions, NULL, NULL, NULL);
	for (size_t i = 0; i < BUCKETS; i++) {
		while (cap->calls[i])
			forget(cap, cap->calls[i]->call.number);
	}
	for (size_t i = 0; i < RINGS; i++)
		free(cap->waiting[i].bytes);
	pthread_cond_destroy(&cap->changed);
	pthread_mutex_destroy(&cap->lock);
	free(cap);
}

json_t *tandem_live_json(struct tandem_live *cap)
{
	json_t *doc;

	pthread_mutex_lock(&cap->lock);
	doc = json_pack("{s:i, s:I, s:I, s:I}", "takers", (int)cap->taker_count, "calls",
			(json_int_t)cap->call_count, "packets", (json_int_t)cap->packets, "lost",
			(json_int_t)cap->lost);
	pthread_mutex_unlock(&cap->lock);
	return doc;
}
