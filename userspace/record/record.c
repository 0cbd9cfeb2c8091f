/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/record/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "core/abi.h"
#include "core/classify.h"
#include "userspace/record/local.h"
#include "userspace/util/log.h"
#include "userspace/util/thread.h"

#define MODULE	  "record"
#define MAIL_ROOM (32U << 20) /* 5 s of 1,000 calls */
#define SLOW_S	  5	      /* of packets lost, after which the disk is too slow */
#define AUDIO	  "audio"

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* ---- marks: with the lock -------------------------------------------------------- */

static struct record_mark *find(struct tandem_record *rec, uint64_t number)
{
	struct record_mark *m = rec->marks[number % RECORD_BUCKETS];

	while (m && m->number != number)
		m = m->next;
	return m;
}

static struct record_mark *add(struct tandem_record *rec, const struct tandem_tap_call *call)
{
	struct record_mark *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->call = strdup(call->call_id);
	if (!m->call) {
		free(m);
		return NULL;
	}
	m->number = call->number;
	m->next = rec->marks[m->number % RECORD_BUCKETS];
	rec->marks[m->number % RECORD_BUCKETS] = m;
	return m;
}

static void drop(struct tandem_record *rec, uint64_t number)
{
	struct record_mark **at = &rec->marks[number % RECORD_BUCKETS], *m;

	while (*at && (*at)->number != number)
		at = &(*at)->next;
	m = *at;
	if (!m)
		return;
	*at = m->next;
	free(m->call);
	free(m->path);
	free(m);
}

static bool is_running(const struct record_mark *m)
{
	return m->state == RECORD_ON || m->state == RECORD_PAUSED;
}

/* An order is not lost for want of room: packets leave them an eighth. */
static bool tell(struct tandem_record *rec, uint64_t number, enum record_letter_kind kind,
		 const void *data, size_t len)
{
	const struct record_letter letter = {
		.number = number, .ns = now_ns(), .len = (uint32_t)len, .kind = (uint8_t)kind
	};

	if (record_mail_put(&rec->mail, &letter, data))
		return true;
	tandem_log(TANDEM_LOG_ERROR, MODULE, "an order is lost: too many wait");
	return false;
}

static void stop(struct tandem_record *rec, struct record_mark *m, const char *why)
{
	if (is_running(m)) {
		tell(rec, m->number, RECORD_CLOSE, why, strlen(why) + 1);
		rec->count--;
	}
	m->state = RECORD_ENDED;
}

/* ---- what there is to record ------------------------------------------------------ */

static void read_codecs(const struct tandem_tap_call *call, struct tandem_mix_codecs *codecs)
{
	struct tandem_tap_codec all[TANDEM_MIX_CODECS];
	size_t media, i, n;

	memset(codecs, 0, sizeof(*codecs));
	for (media = 0; media < 2 * tandem_tap_media(call); media++) {
		const enum tandem_party_id party = (enum tandem_party_id)(media & 1);

		if (strcmp(tandem_tap_media_type(call, media / 2), AUDIO))
			continue;
		n = tandem_tap_codecs(call, party, media / 2, all, TANDEM_MIX_CODECS);
		for (i = 0; i < n && codecs->count < TANDEM_MIX_CODECS; i++) {
			struct tandem_mix_codec *c = &codecs->v[codecs->count++];

			c->party = (uint8_t)party;
			c->media = (uint8_t)(media / 2);
			c->pt = all[i].pt;
			c->clock_hz = all[i].clock_hz;
			snprintf(c->name, sizeof(c->name), "%s", all[i].name);
		}
	}
}

static json_t *about(const struct tandem_tap_call *call)
{
	return json_pack("{s:s, s:s?, s:s?, s:s?, s:s?}", "call_id", call->call_id, "from",
			 call->from_uri, "to", call->to_uri, "from_tag", call->tag[0], "to_tag",
			 call->tag[1]);
}

/* By when it began, and the session's number, which no other one has. */
static int path_of(const struct tandem_record *rec, uint64_t number, char *path, size_t size)
{
	const time_t now = time(NULL);
	char when[32];
	struct tm tm;
	int n;

	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	for (n = 0; n < 1000; n++) {
		snprintf(path, size, n ? "%s/%s-%012llx-%d.wav" : "%s/%s-%012llx.wav", rec->dir,
			 when, (unsigned long long)number, n);
		if (access(path, F_OK))
			return 0;
	}
	return -EEXIST;
}

/* A bit for each party of whom some sound is to be forwarded. */
static uint8_t forwarded(const struct tandem_record *rec, const struct tandem_tap_call *call)
{
	uint8_t parties = 0;
	size_t i;

	for (i = 0; rec->cfg.forward.port && i < 2 * tandem_tap_media(call); i++) {
		if (!strcmp(tandem_tap_media_type(call, i / 2), AUDIO) &&
		    tandem_tap_forwarded(call, (enum tandem_party_id)(i & 1), i / 2))
			parties |= (uint8_t)(1 << (i & 1));
	}
	return parties;
}

/* Of one party, as its listener is told it. */
static char *about_party(const struct tandem_tap_call *call, int party, uint32_t rate)
{
	json_t *doc = about(call);
	char *text;

	json_object_set_new(doc, "party", json_string(party ? "b" : "a"));
	json_object_set_new(doc, "rate", json_integer(rate));
	text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	return text;
}

/* call may be NULL: for nobody any more. */
static void forward(struct tandem_record *rec, struct record_mark *m, uint8_t parties,
		    const struct tandem_tap_call *call)
{
	struct record_forwarding f = { .parties = parties, .codecs = m->codecs };
	int i;

	for (i = 0; i < 2; i++) {
		if (parties & 1 << i)
			f.about[i] = about_party(call, i, rec->cfg.forward_rate);
	}
	if (m->parties != parties)
		tandem_log(TANDEM_LOG_INFO, MODULE, "%s: forwarding of %s", m->call,
			   parties == 3	  ? "both parties"
			   : parties == 2 ? "the callee"
			   : parties	  ? "the caller"
					  : "nobody any more");
	m->parties = parties;
	if (!tell(rec, m->number, RECORD_FORWARD, &f, sizeof(f))) {
		free(f.about[0]);
		free(f.about[1]);
	}
}

static void begin(struct tandem_record *rec, struct record_mark *m,
		  const struct tandem_tap_call *call)
{
	struct record_opening *o = calloc(1, sizeof(*o));

	if (!o || path_of(rec, m->number, o->path, sizeof(o->path))) {
		free(o);
		return;
	}
	o->codecs = m->codecs;
	o->about = about(call);
	free(m->path);
	m->path = strdup(o->path);
	m->state = RECORD_ON;
	rec->count++;
	tell(rec, m->number, RECORD_OPEN, o, sizeof(*o));
	tandem_log(TANDEM_LOG_INFO, MODULE, "%s: %s", m->call, o->path);
	free(o);
}

/* ---- as a taker -------------------------------------------------------------------- */

/* Is this a call to be recorded that was not asked about before? */
static bool is_new(const struct tandem_record *rec, const struct tandem_tap_call *call)
{
	if (rec->asked && (!strcmp(rec->asked, call->name) || !strcmp(rec->asked, call->call_id)))
		return true;
	return rec->cfg.all && rec->count < rec->cfg.max_recordings;
}

static bool is_heard(const struct record_mark *m)
{
	return is_running(m) || m->parties;
}

static uint32_t wants_mark(struct tandem_record *rec, struct record_mark *m, uint8_t parties,
			   const struct tandem_tap_call *call)
{
	struct tandem_mix_codecs codecs;

	m->secret = tandem_tap_is_secret(call);
	if (m->secret)
		parties = 0;
	read_codecs(call, &codecs);
	if (codecs.count && memcmp(&codecs, &m->codecs, sizeof(codecs))) {
		m->codecs = codecs;
		if (is_heard(m))
			tell(rec, m->number, RECORD_CODECS, &codecs, sizeof(codecs));
	}
	if (codecs.count && m->state == RECORD_ASKED && !m->secret)
		begin(rec, m, call);
	if (parties != m->parties)
		forward(rec, m, parties, call);
	return is_heard(m) && !m->secret ? RULE_F_TAP_CLEAR : 0;
}

static uint32_t wants_h(const struct tandem_tap_call *call, void *arg)
{
	struct tandem_record *rec = arg;
	struct record_mark *m;
	uint32_t wants = 0;
	uint8_t parties;
	bool recorded;

	if (call->forward || call->subscription)
		return 0;
	parties = forwarded(rec, call);
	pthread_mutex_lock(&rec->lock);
	m = find(rec, call->number);
	recorded = !m && is_new(rec, call);
	if (!m && (recorded || parties)) {
		m = add(rec, call);
		if (m)
			m->state = recorded ? RECORD_ASKED : RECORD_ENDED;
	}
	if (m)
		wants = wants_mark(rec, m, parties, call);
	pthread_mutex_unlock(&rec->lock);
	return wants;
}

static void gone_h(uint64_t number, void *arg)
{
	struct tandem_record *rec = arg;
	struct record_mark *m;

	pthread_mutex_lock(&rec->lock);
	m = find(rec, number);
	if (m)
		stop(rec, m, "the call has ended");
	if (m && m->parties)
		forward(rec, m, 0, NULL);
	drop(rec, number);
	pthread_mutex_unlock(&rec->lock);
}

static void packet_h(const struct tandem_live_packet *p, void *arg)
{
	struct tandem_record *rec = arg;
	const struct record_letter letter = {
		.number = p->flow.number,
		.ns = p->ns,
		.len = p->payload_len,
		.kind = RECORD_PACKET,
		.party = (uint8_t)p->flow.from,
		.media = (uint8_t)p->flow.media,
	};

	if (!p->payload ||
	    classify(p->payload, p->payload + p->payload_len, p->payload_len) != CLASS_RTP)
		return;
	if (!record_mail_put(&rec->mail, &letter, p->payload))
		__atomic_fetch_add(&rec->lost, 1, __ATOMIC_RELAXED);
}

/* ---- how recordings end ------------------------------------------------------------ */

static void alarm_on(struct tandem_record *rec, const char *text)
{
	if (!strcmp(rec->alarm, text))
		return;
	snprintf(rec->alarm, sizeof(rec->alarm), "%s", text);
	tandem_log(TANDEM_LOG_ERROR, MODULE, "%s: %s; the calls go on",
		   rec->dir ? rec->dir : "forwarding", text);
}

void record_done(struct tandem_record *rec, uint64_t number, int err)
{
	struct record_mark *m;

	pthread_mutex_lock(&rec->lock);
	m = find(rec, number);
	if (err) {
		rec->failed++;
		alarm_on(rec, err == -ENOSPC ? "the disk is full" : strerror(-err));
		if (m)
			m->failed = true;
	} else {
		rec->made++;
	}
	pthread_mutex_unlock(&rec->lock);
}

bool record_disk_full(const struct tandem_record *rec)
{
	struct statvfs fs;

	if (!rec->dir || statvfs(rec->dir, &fs))
		return false;
	return (uint64_t)fs.f_bavail * fs.f_frsize < (uint64_t)rec->cfg.min_free_mb << 20;
}

/* Packets have been lost for so long: the disk does not keep up. With the lock. */
static bool is_slow(struct tandem_record *rec, uint64_t lost_now, uint64_t *lost_before)
{
	const uint64_t now = now_ns() / 1000000000ULL;
	const bool losing = lost_now != *lost_before;

	*lost_before = lost_now;
	if (!losing)
		rec->full_since = 0;
	else if (!rec->full_since)
		rec->full_since = now;
	return losing && now - rec->full_since >= SLOW_S;
}

void tandem_record_tick(struct tandem_record *rec)
{
	bool slow, again = false;
	size_t i;

	if (!rec || !rec->joined)
		return;
	pthread_mutex_lock(&rec->lock);
	slow = is_slow(rec, __atomic_load_n(&rec->lost, __ATOMIC_RELAXED), &rec->lost_before);
	if (slow)
		alarm_on(rec, "it is too slow");
	for (i = 0; i < RECORD_BUCKETS; i++) {
		for (struct record_mark *m = rec->marks[i]; m; m = m->next) {
			if (!is_running(m) || (!m->failed && !slow))
				continue;
			stop(rec, m, "it is too slow");
			again = true;
		}
	}
	pthread_mutex_unlock(&rec->lock);
	if (again)
		tandem_live_again(rec->cap);
}

/* ---- orders ------------------------------------------------------------------------ */

static int join(struct tandem_record *rec)
{
	int err = rec->joined ? 0 : tandem_live_join(rec->cap, &rec->taker);

	rec->joined = !err;
	return err;
}

/* The mark of a session, with the lock, which is held if there is one. */
static struct record_mark *hold(struct tandem_record *rec, const char *call)
{
	const uint64_t number = tandem_tap_number(rec->sessions, call);
	struct record_mark *m;

	pthread_mutex_lock(&rec->lock);
	m = number ? find(rec, number) : NULL;
	if (!m)
		pthread_mutex_unlock(&rec->lock);
	return m;
}

/* What became of the wish. */
static int result_of(struct tandem_record *rec, const char *call)
{
	struct record_mark *m = hold(rec, call);
	int err;

	if (!m)
		return -ENOENT; /* a subscription, which has nothing of its own; or no memory */
	err = m->secret ? -EKEYREJECTED : 0;
	pthread_mutex_unlock(&rec->lock);
	return err;
}

bool tandem_record_forwards(const struct tandem_record *rec)
{
	return rec && rec->cfg.forward.port;
}

int tandem_record_start(struct tandem_record *rec, const char *call)
{
	struct record_mark *m;
	int err;

	if (!rec || !rec->dir)
		return -EACCES;
	if (!tandem_tap_number(rec->sessions, call))
		return -ENOENT;
	m = hold(rec, call);
	if (m) {
		err = m->state == RECORD_ON ? -EALREADY : 0;
		if (m->state == RECORD_PAUSED) {
			m->state = RECORD_ON;
			tell(rec, m->number, RECORD_RESUME, NULL, 0);
		} else if (m->state == RECORD_ENDED) {
			m->state = RECORD_ASKED;
			m->failed = false;
		}
		pthread_mutex_unlock(&rec->lock);
		if (err)
			return err;
	}
	if (rec->count >= rec->cfg.max_recordings || record_disk_full(rec))
		return -ENOSPC;
	rec->alarm[0] = '\0';
	rec->asked = call;
	err = join(rec);
	if (!err)
		err = tandem_tap_ask(rec->sessions, call);
	rec->asked = NULL;
	return err ? err : result_of(rec, call);
}

int tandem_record_pause(struct tandem_record *rec, const char *call)
{
	struct record_mark *m = rec ? hold(rec, call) : NULL;
	int err = -ENOENT;

	if (!m)
		return err;
	if (is_running(m)) {
		m->state = RECORD_PAUSED;
		tell(rec, m->number, RECORD_PAUSE, NULL, 0);
		err = 0;
	}
	pthread_mutex_unlock(&rec->lock);
	return err;
}

int tandem_record_stop(struct tandem_record *rec, const char *call)
{
	struct record_mark *m = rec ? hold(rec, call) : NULL;
	int err = -ENOENT;

	if (!m)
		return err;
	if (is_running(m) || m->state == RECORD_ASKED)
		err = 0;
	pthread_mutex_unlock(&rec->lock);
	if (err)
		return err;
	tandem_live_drain(rec->cap); /* what has come so far is in it */
	m = hold(rec, call);
	if (m) {
		stop(rec, m, "by command");
		pthread_mutex_unlock(&rec->lock);
	}
	return tandem_tap_ask(rec->sessions, call);
}

/* ---- life -------------------------------------------------------------------------- */

static int check_dir(const char *dir, char *why, size_t why_size)
{
	int err = access(dir, W_OK | X_OK) ? -errno : 0;

	if (err)
		snprintf(why, why_size, "%s: %s", dir, strerror(-err));
	return err;
}

int tandem_record_open(struct tandem_record **recp, const struct tandem_record_config *cfg,
		       struct tandem_sessions *sessions, struct tandem_live *cap, char *why,
		       size_t why_size)
{
	struct tandem_record *rec;
	int err = cfg->dir ? check_dir(cfg->dir, why, why_size) : 0;

	if (err)
		return err;
	rec = calloc(1, sizeof(*rec));
	if (!rec)
		return -ENOMEM;
	rec->cfg = *cfg;
	rec->sessions = sessions;
	rec->cap = cap;
	rec->taker = (struct tandem_taker){
		.wants = wants_h, .packet = packet_h, .gone = gone_h, .arg = rec
	};
	pthread_mutex_init(&rec->lock, NULL);
	if (cfg->forward.port)
		tandem_endpoint_to_sockaddr(&cfg->forward, &rec->to);
	rec->dir = cfg->dir ? strdup(cfg->dir) : NULL;
	err = record_mail_init(&rec->mail, MAIL_ROOM);
	if (!err && cfg->dir && !rec->dir)
		err = -ENOMEM;
	if (!err)
		err = tandem_thread_start(&rec->thread, record_shelf, rec);
	rec->started = !err;
	if (!err && (cfg->all || cfg->forward.port))
		err = join(rec);
	if (err) {
		tandem_record_close(rec);
		return err;
	}
	*recp = rec;
	return 0;
}

void tandem_record_close(struct tandem_record *rec)
{
	if (!rec)
		return;
	if (rec->joined)
		tandem_live_leave(rec->cap, &rec->taker);
	record_mail_close(&rec->mail);
	if (rec->started)
		pthread_join(rec->thread, NULL);
	for (size_t i = 0; i < RECORD_BUCKETS; i++) {
		while (rec->marks[i])
			drop(rec, rec->marks[i]->number);
	}
	record_mail_clean(&rec->mail);
	pthread_mutex_destroy(&rec->lock);
	free(rec->dir);
	free(rec);
}
