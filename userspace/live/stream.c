/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/live/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "userspace/live/comment.h"
#include "userspace/live/filter.h"
#include "userspace/live/wire.h"
#include "userspace/capture/pcapng.h"
#include "userspace/util/log.h"

#define MODULE	   "capture"
#define ROOM	   (16U << 20) /* bytes that a client may be behind */
#define PATIENCE_S 10	       /* for it to connect */
#define RTP_HEADER 12
#define SIP_ROOM   (1U << 20)

enum state {
	STREAM_WAITS,	/* for its client */
	STREAM_RUNS,	/* packets come */
	STREAM_ENDS,	/* the client wants no more: to be told in the controller's thread */
	STREAM_FLUSHES, /* none comes any more: what there is, and the last block */
	STREAM_OVER,	/* to be freed there */
};

/* All but what is said is of the captures' thread, once the stream has joined. */
struct feed {
	struct feed *next; /* of the controller's thread */
	struct tandem_streams *streams;
	struct tandem_taker taker;
	struct tandem_live_filter filter;
	unsigned int id;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int listen_fd, fd;
	time_t since;
	enum state state; /* atomic */
	unsigned char *bytes;
	size_t start, end;
	uint64_t packets, dropped; /* given to it, not kept */
	uint64_t lost, lost_before;
	bool counted;  /* lost_before is known */
	bool complete; /* the last block is in it */

	pthread_mutex_t lock; /* of blocks that the controller's thread has put here, and */
	unsigned char *sip;   /* that are not in bytes yet: SIP_ROOM */
	size_t sip_len;
	uint64_t sip_packets, sip_dropped;
};

struct tandem_streams {
	struct tandem_live *cap;
	char *base;
	unsigned int next_id;
	struct feed *first;
	int event_fd;
};

static enum state state_of(const struct feed *s)
{
	return __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
}

static void set_state(struct feed *s, enum state state)
{
	__atomic_store_n(&s->state, state, __ATOMIC_RELEASE);
	if (state == STREAM_ENDS || state == STREAM_OVER)
		eventfd_write(s->streams->event_fd, 1);
}

/* ---- what goes in -------------------------------------------------------------- */

static unsigned char *room(struct feed *s, size_t *size)
{
	if (s->start == s->end)
		s->start = s->end = 0;
	if (s->start > ROOM / 2) {
		memmove(s->bytes, s->bytes + s->start, s->end - s->start);
		s->end -= s->start;
		s->start = 0;
	}
	*size = ROOM - s->end;
	return s->bytes + s->end;
}

static void begin(struct feed *s)
{
	size_t size;

	s->end += tandem_pcapng_section(room(s, &size), ROOM, "tandem " TANDEM_VERSION);
	s->end += tandem_pcapng_interface(room(s, &size), size, TANDEM_PCAPNG_ETHERNET, "frames");
	s->end += tandem_pcapng_interface(room(s, &size), size, TANDEM_PCAPNG_ETHERNET,
					  "datagrams");
}

/* Of RTP no more than its first header, if that is what is wanted. */
static uint32_t kept(const struct feed *s, const struct tandem_live_packet *p)
{
	uint32_t before;

	if (!s->filter.headers || !p->payload || p->payload_len <= RTP_HEADER)
		return p->len;
	before = (uint32_t)(p->payload - (const uint8_t *)p->bytes);
	return before + RTP_HEADER < p->len ? before + RTP_HEADER : p->len;
}

static void packet_h(const struct tandem_live_packet *p, void *arg)
{
	struct feed *s = arg;
	struct tandem_pcapng_packet block = {
		.interface = p->ethernet ? 0 : 1,
		.ns = p->ns,
		.part = { { p->header, p->header_len }, { p->bytes, kept(s, p) } },
		.original = p->original,
		.direction = p->kind == TANDEM_LIVE_OUT ? TANDEM_PCAPNG_OUTBOUND
							: TANDEM_PCAPNG_INBOUND,
	};
	char comment[TANDEM_COMMENT_SIZE];
	unsigned char *at;
	size_t size, len;

	if (state_of(s) > STREAM_FLUSHES || !tandem_live_filter_has(&s->filter, p))
		return;
	tandem_live_comment(p, comment);
	block.comment = comment;
	at = room(s, &size);
	len = tandem_pcapng_packet(at, size, &block);
	s->packets++;
	s->dropped += !len;
	s->end += len;
}

/* What the controller's thread has put in meanwhile. */
static void take_sip(struct feed *s)
{
	unsigned char *at;
	size_t size;

	pthread_mutex_lock(&s->lock);
	at = room(s, &size);
	if (s->sip_len && size >= s->sip_len) {
		memcpy(at, s->sip, s->sip_len);
		s->end += s->sip_len;
		s->sip_len = 0;
	}
	s->packets += s->sip_packets;
	s->dropped += s->sip_dropped;
	s->sip_packets = s->sip_dropped = 0;
	pthread_mutex_unlock(&s->lock);
}

static struct tap_address address_of(const struct tandem_endpoint *ep)
{
	struct tap_address a = { .port = htons(ep->port) };

	memcpy(a.ip, &ep->ip, sizeof(a.ip));
	return a;
}

static void put_sip(struct feed *s, const struct tandem_pcapng_packet *block)
{
	size_t len = 0;

	pthread_mutex_lock(&s->lock);
	if (!s->sip)
		s->sip = malloc(SIP_ROOM);
	if (s->sip)
		len = tandem_pcapng_packet(s->sip + s->sip_len, SIP_ROOM - s->sip_len, block);
	s->sip_len += len;
	s->sip_packets++;
	s->sip_dropped += !len;
	pthread_mutex_unlock(&s->lock);
}

/* As a datagram, whatever carried it: who wants to read it can. */
void tandem_streams_sip(struct tandem_streams *streams, const struct tandem_live_sip *m)
{
	const struct tap_address from = address_of(&m->from), to = address_of(&m->to);
	uint8_t header[TANDEM_WIRE_HEADER];
	char comment[64];
	struct tandem_pcapng_packet block = {
		.interface = 1,
		.direction = m->sent ? TANDEM_PCAPNG_OUTBOUND : TANDEM_PCAPNG_INBOUND,
		.comment = comment,
	};
	struct timespec now;

	if (!streams->first || m->len > UINT16_MAX - TANDEM_WIRE_HEADER)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	block.ns = (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
	snprintf(comment, sizeof(comment), "sip transport=%s %s", m->transport,
		 m->sent ? "out" : "in");
	block.part[0].data = header;
	block.part[0].len = tandem_wire_header(header, &from, &to, m->text, (uint32_t)m->len,
					       (uint32_t)m->len);
	block.part[1].data = m->text;
	block.part[1].len = (uint32_t)m->len;
	block.original = block.part[0].len + block.part[1].len;
	for (struct feed *s = streams->first; s; s = s->next) {
		if (state_of(s) < STREAM_ENDS && tandem_live_filter_has_sip(&s->filter, m))
			put_sip(s, &block);
	}
}

static uint32_t wants_h(const struct tandem_tap_call *call, void *arg)
{
	const struct feed *s = arg;

	return state_of(s) >= STREAM_ENDS ? 0 : tandem_live_filter_wants(&s->filter, call);
}

/* ---- what goes out ------------------------------------------------------------- */

static void hang_up(struct feed *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->listen_fd >= 0)
		close(s->listen_fd);
	s->fd = s->listen_fd = -1;
	unlink(s->path);
}

static void wait_for_client(struct feed *s)
{
	s->fd = accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (s->fd >= 0) {
		close(s->listen_fd);
		s->listen_fd = -1;
		unlink(s->path);
		set_state(s, STREAM_RUNS);
	} else if (time(NULL) - s->since > PATIENCE_S) {
		set_state(s, STREAM_ENDS);
	}
}

/* False: the client is gone. */
static bool flush(struct feed *s)
{
	ssize_t n = 1;

	while (s->start < s->end && n > 0) {
		n = send(s->fd, s->bytes + s->start, s->end - s->start,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			s->start += (size_t)n;
	}
	return n > 0 || errno == EAGAIN || errno == EINTR;
}

static bool wants_no_more(const struct feed *s)
{
	char ignored;
	ssize_t n = recv(s->fd, &ignored, 1, MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

/* False: there is no room for it yet. */
static bool last_block(struct feed *s)
{
	struct timespec now;
	size_t size, len;
	unsigned char *at = room(s, &size);

	clock_gettime(CLOCK_REALTIME, &now);
	len = tandem_pcapng_statistics(at, size, 0,
				       (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec,
				       s->packets + s->lost, s->dropped + s->lost);
	s->end += len;
	return len != 0;
}

static void finish(struct feed *s)
{
	if (!s->complete)
		s->complete = last_block(s);
	if (s->fd < 0 || !flush(s) || (s->complete && s->start == s->end))
		set_state(s, STREAM_OVER);
}

static void turn_h(uint64_t lost, void *arg)
{
	struct feed *s = arg;
	const enum state state = state_of(s);

	if (!s->counted)
		s->lost_before = lost;
	s->counted = true;
	s->lost = lost - s->lost_before;
	take_sip(s);
	if (state == STREAM_WAITS) {
		wait_for_client(s);
	} else if (state == STREAM_RUNS) {
		if (!flush(s) || wants_no_more(s))
			set_state(s, STREAM_ENDS);
	} else if (state == STREAM_FLUSHES) {
		finish(s);
	}
}

/* ---- in the controller's thread ------------------------------------------------- */

static void feed_free(struct feed *s)
{
	struct feed **at = &s->streams->first;

	while (*at && *at != s)
		at = &(*at)->next;
	if (*at)
		*at = s->next;
	hang_up(s);
	tandem_live_filter_clean(&s->filter);
	pthread_mutex_destroy(&s->lock);
	free(s->sip);
	free(s->bytes);
	free(s);
}

/* Its calls are no longer copied for it, and what was is in its hands: then the last block. */
static void wind_up(struct feed *s)
{
	tandem_live_again(s->streams->cap);
	set_state(s, STREAM_FLUSHES);
}

void tandem_streams_dispatch(struct tandem_streams *streams)
{
	struct feed *s, *next;
	eventfd_t ignored;

	eventfd_read(streams->event_fd, &ignored);
	for (s = streams->first; s; s = next) {
		next = s->next;
		if (state_of(s) == STREAM_ENDS)
			wind_up(s);
		if (state_of(s) != STREAM_OVER)
			continue;
		tandem_log(TANDEM_LOG_INFO, MODULE,
			   "%u has ended: %llu packets, %llu of them not in it, %llu lost", s->id,
			   (unsigned long long)s->packets, (unsigned long long)s->dropped,
			   (unsigned long long)s->lost);
		tandem_live_leave(streams->cap, &s->taker);
		feed_free(s);
	}
}

static int listen_on(struct feed *s)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t mask;
	int err = 0;

	memcpy(sun.sun_path, s->path, sizeof(s->path));
	s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->listen_fd < 0)
		return -errno;
	unlink(s->path);
	mask = umask(0177);
	if (bind(s->listen_fd, (struct sockaddr *)&sun, sizeof(sun)) || listen(s->listen_fd, 1))
		err = -errno;
	umask(mask);
	return err;
}

static int start(struct tandem_streams *streams, struct tandem_live_filter *filter,
		 struct feed **sp)
{
	struct feed *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->streams = streams;
	s->fd = s->listen_fd = -1;
	pthread_mutex_init(&s->lock, NULL);
	s->filter = *filter;
	memset(filter, 0, sizeof(*filter));
	s->id = streams->next_id++;
	s->since = time(NULL);
	snprintf(s->path, sizeof(s->path), "%s%u", streams->base, s->id);
	s->taker = (struct tandem_taker){
		.wants = wants_h, .packet = packet_h, .turn = turn_h, .arg = s
	};
	s->bytes = malloc(ROOM);
	err = s->bytes ? listen_on(s) : -ENOMEM;
	if (!err) {
		begin(s);
		err = tandem_live_join(streams->cap, &s->taker);
	}
	if (err) {
		feed_free(s);
		return err;
	}
	s->next = streams->first;
	streams->first = s;
	*sp = s;
	return 0;
}

static int call_start(struct tandem_streams *streams, const json_t *params, json_t **result,
		      char *why, size_t why_size)
{
	struct tandem_live_filter filter;
	struct feed *s;
	int err = tandem_live_filter_parse(&filter, params, why, why_size);

	if (err)
		return err;
	err = start(streams, &filter, &s);
	tandem_live_filter_clean(&filter);
	if (err)
		return err;
	tandem_log(TANDEM_LOG_INFO, MODULE, "%u begins", s->id);
	*result = json_pack("{s:i, s:s}", "id", (int)s->id, "socket", s->path);
	return *result ? 0 : -ENOMEM;
}

static int call_list(const struct tandem_streams *streams, json_t **result)
{
	json_t *list = json_array();

	for (const struct feed *s = streams->first; s; s = s->next)
		json_array_append_new(list, json_pack("{s:i, s:b}", "id", (int)s->id, "connected",
						      state_of(s) >= STREAM_RUNS));
	*result = json_pack("{s:o, s:o}", "captures", list, "taps", tandem_live_json(streams->cap));
	return *result ? 0 : -ENOMEM;
}

int tandem_streams_call(const char *call, const json_t *params, json_t **result, char *why,
			size_t why_size, void *arg)
{
	if (!strcmp(call, "capture.start"))
		return call_start(arg, params, result, why, why_size);
	return strcmp(call, "capture.list") ? -ENOSYS : call_list(arg, result);
}

int tandem_streams_open(struct tandem_streams **streamsp, struct tandem_live *cap, const char *base)
{
	struct tandem_streams *streams = calloc(1, sizeof(*streams));

	if (!streams)
		return -ENOMEM;
	streams->cap = cap;
	streams->next_id = 1;
	streams->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (streams->event_fd < 0 || asprintf(&streams->base, "%s.capture", base) < 0) {
		tandem_streams_close(streams);
		return -ENOMEM;
	}
	*streamsp = streams;
	return 0;
}

void tandem_streams_close(struct tandem_streams *streams)
{
	if (!streams)
		return;
	while (streams->first) {
		struct feed *s = streams->first;

		tandem_live_leave(streams->cap, &s->taker);
		feed_free(s);
	}
	if (streams->event_fd >= 0)
		close(streams->event_fd);
	free(streams->base);
	free(streams);
}

int tandem_streams_fd(const struct tandem_streams *streams)
{
	return streams->event_fd;
}
