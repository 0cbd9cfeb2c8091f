/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rtpphone: the media half of a phone, exact enough to be a judge.
 *
 * Binds one address and port (RTCP on the next), sends a paced RTP stream when
 * given a destination, and accounts everything that arrives: per SSRC the unique,
 * lost, duplicated and reordered packets, the RFC 3550 A.8 jitter and the sources
 * seen. Without --to it is a sink; with --echo it returns what it hears; from a
 * foreign port it is an attacker. JSON on stdout at the end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	PACKET_MAX = 1500,
	HEADER = 12,
	STREAMS_MAX = 64,
	SOURCES_MAX = 16,
	SEQ_SPAN = 1 << 20, /* extended sequence numbers kept for one stream */
	NTP_OFFSET = 2208988800u,
};

struct payload {
	uint16_t len;
	bool seen;
	uint8_t data[];
};

struct stream {
	uint32_t ssrc, ts_prev;
	int64_t first, max; /* extended sequence numbers, the first one is SEQ_SPAN / 2 */
	uint64_t packets, unique, duplicates, reordered, bad;
	uint64_t arrival_prev;
	double jitter, jitter_max, jitter_sum;
	uint16_t first_seq;
	uint8_t pt;
	struct payload **got; /* by extended sequence number */
};

struct phone {
	struct sockaddr_storage to;
	socklen_t to_len;
	int fd, rtcp_fd;
	uint32_t ssrc, ts, clock, seq; /* seq counts on beyond 16 bits */
	uint32_t pt, count, size, rtcp_ms, linger_ms, duration_ms, start_ms;
	unsigned int ptime_us;
	bool echo, check, marker, have_to;
	FILE *source;
	const char *sink;
	uint64_t sent, sent_octets, rtcp_sent, rtcp_received, other, echoed;
	struct stream streams[STREAMS_MAX];
	unsigned int n_streams, n_sources;
	char sources[SOURCES_MAX][80];
};

static volatile sig_atomic_t stopping;

static void on_signal(int sig)
{
	(void)sig;
	stopping = 1;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void put32(uint8_t *p, uint32_t v)
{
	v = htonl(v);
	memcpy(p, &v, 4);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return ntohl(v);
}

/* What the payload of a packet is when no file is given: the sink can check it. */
static uint8_t pattern(uint16_t seq, size_t i)
{
	return (uint8_t)(seq * 31u + i * 7u + (seq >> 8));
}

/* ADDR:PORT or [ADDR]:PORT, numeric. */
static int parse_address(const char *s, struct sockaddr_storage *ss, socklen_t *len)
{
	char host[80];
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM }, *ai;
	const char *colon = strrchr(s, ':');
	size_t n;

	if (!colon || (n = (size_t)(colon - s)) >= sizeof(host))
		return -EINVAL;
	if (s[0] == '[' && n >= 2 && s[n - 1] == ']') {
		s++;
		n -= 2;
	}
	memcpy(host, s, n);
	host[n] = '\0';
	if (getaddrinfo(host, colon + 1, &hints, &ai))
		return -EINVAL;
	memcpy(ss, ai->ai_addr, ai->ai_addrlen);
	*len = ai->ai_addrlen;
	freeaddrinfo(ai);
	return 0;
}

/* Works for both families: the port sits at the same place. */
static void next_port(struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;

	in->sin_port = htons((uint16_t)(ntohs(in->sin_port) + 1));
}

static int udp_open(const struct sockaddr_storage *ss, socklen_t len)
{
	int fd = socket(ss->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int size = 4 << 20, on = 1;

	if (fd < 0 || bind(fd, (const struct sockaddr *)ss, len) < 0) {
		fprintf(stderr, "rtpphone: bind: %s\n", strerror(errno));
		return -errno;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	return fd;
}

static void rtp_send(struct phone *ph)
{
	uint8_t buf[PACKET_MAX];
	size_t len = ph->size, i;

	buf[0] = 0x80;
	buf[1] = (uint8_t)(ph->pt | (ph->marker && ph->sent == 0 ? 0x80 : 0));
	buf[2] = (uint8_t)(ph->seq >> 8);
	buf[3] = (uint8_t)ph->seq;
	put32(buf + 4, ph->ts);
	put32(buf + 8, ph->ssrc);
	if (ph->source) {
		len = fread(buf + HEADER, 1, ph->size, ph->source);
		if (!len) {
			ph->count = (unsigned int)ph->sent;
			return;
		}
	} else {
		for (i = 0; i < len; i++)
			buf[HEADER + i] = pattern((uint16_t)ph->seq, i);
	}
	if (sendto(ph->fd, buf, HEADER + len, 0, (struct sockaddr *)&ph->to, ph->to_len) > 0) {
		ph->sent++;
		ph->sent_octets += len;
	}
	ph->seq++;
	ph->ts += (uint32_t)((uint64_t)ph->ptime_us * ph->clock / 1000000u);
}

/* SR and SDES CNAME, RFC 3550 6.4.1 and 6.5. */
static void rtcp_send(struct phone *ph)
{
	uint8_t buf[28 + 20] = { 0x80, 200, 0, 6 };
	struct sockaddr_storage to = ph->to;
	struct timespec ts;

	next_port(&to);
	clock_gettime(CLOCK_REALTIME, &ts);
	put32(buf + 4, ph->ssrc);
	put32(buf + 8, (uint32_t)ts.tv_sec + NTP_OFFSET);
	put32(buf + 12, (uint32_t)(((uint64_t)ts.tv_nsec << 32) / 1000000000u));
	put32(buf + 16, ph->ts);
	put32(buf + 20, (uint32_t)ph->sent);
	put32(buf + 24, (uint32_t)ph->sent_octets);
	memcpy(buf + 28, "\x81\xca\0\4", 4);
	put32(buf + 32, ph->ssrc);
	memcpy(buf + 36, "\1\10tandem-t\0\0", 12);
	if (sendto(ph->rtcp_fd, buf, sizeof(buf), 0, (struct sockaddr *)&to, ph->to_len) > 0)
		ph->rtcp_sent++;
}

static void source_note(struct phone *ph, const struct sockaddr_storage *ss, socklen_t len)
{
	char host[64], port[8], text[80];
	unsigned int i;

	if (getnameinfo((const struct sockaddr *)ss, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	snprintf(text, sizeof(text), ss->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
	for (i = 0; i < ph->n_sources; i++)
		if (!strcmp(ph->sources[i], text))
			return;
	if (ph->n_sources < SOURCES_MAX)
		memcpy(ph->sources[ph->n_sources++], text, sizeof(text));
}

static struct stream *stream_find(struct phone *ph, uint32_t ssrc, uint16_t seq)
{
	struct stream *s;
	unsigned int i;

	for (i = 0; i < ph->n_streams; i++)
		if (ph->streams[i].ssrc == ssrc)
			return &ph->streams[i];
	if (ph->n_streams == STREAMS_MAX)
		return NULL;
	s = &ph->streams[ph->n_streams];
	s->got = calloc(SEQ_SPAN, sizeof(struct payload *));
	if (!s->got)
		return NULL;
	ph->n_streams++;
	s->ssrc = ssrc;
	s->first_seq = seq;
	s->first = s->max = SEQ_SPAN / 2;
	return s;
}

static void stream_jitter(struct stream *s, uint32_t ts, uint32_t clock, uint64_t now)
{
	double d;

	if (s->packets > 1) {
		d = (double)(int64_t)(now - s->arrival_prev) / 1e6 -
		    (double)(int32_t)(ts - s->ts_prev) * 1000.0 / clock;
		s->jitter += (fabs(d) - s->jitter) / 16;
		s->jitter_sum += s->jitter;
		if (s->jitter > s->jitter_max)
			s->jitter_max = s->jitter;
	}
	s->ts_prev = ts;
	s->arrival_prev = now;
}

static bool payload_bad(uint16_t seq, const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != pattern(seq, i))
			return true;
	return false;
}

static void stream_take(struct phone *ph, const uint8_t *p, size_t len, uint64_t now)
{
	uint16_t seq = (uint16_t)(p[2] << 8 | p[3]);
	size_t off = HEADER + (size_t)(p[0] & 0x0f) * 4;
	struct stream *s = stream_find(ph, get32(p + 8), seq);
	int64_t ext;

	if (!s || off > len) {
		ph->other++;
		return;
	}
	ext = s->max + (int16_t)(seq - (uint16_t)(s->first_seq + (s->max - SEQ_SPAN / 2)));
	s->packets++;
	s->pt = p[1] & 0x7f;
	stream_jitter(s, get32(p + 4), ph->clock, now);
	if (ph->check && payload_bad(seq, p + off, len - off))
		s->bad++;
	if (ext < 0 || ext >= SEQ_SPAN)
		return;
	if (s->got[ext]) {
		s->duplicates++;
		return;
	}
	s->got[ext] = malloc(sizeof(struct payload) + len - off);
	if (!s->got[ext])
		return;
	s->got[ext]->len = (uint16_t)(len - off);
	memcpy(s->got[ext]->data, p + off, len - off);
	s->unique++;
	if (ext < s->max)
		s->reordered++;
	else
		s->max = ext;
	if (ext < s->first)
		s->first = ext;
}

/* One datagram with the kernel's time of arrival: a busy host must not add jitter. */
static ssize_t datagram_read(int fd, uint8_t *buf, size_t size, struct sockaddr_storage *from,
			     socklen_t *from_len, uint64_t *when)
{
	char control[CMSG_SPACE(sizeof(struct timespec))];
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = {
		.msg_name = from,
		.msg_namelen = sizeof(*from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(fd, &msg, 0);
	struct cmsghdr *c;
	struct timespec ts;

	*when = 0;
	*from_len = msg.msg_namelen;
	for (c = CMSG_FIRSTHDR(&msg); len >= 0 && c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		*when = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	}
	return len;
}

static void receive(struct phone *ph, int fd)
{
	uint8_t buf[PACKET_MAX];
	struct sockaddr_storage from;
	socklen_t from_len;
	uint64_t when;
	ssize_t len;

	for (;;) {
		len = datagram_read(fd, buf, sizeof(buf), &from, &from_len, &when);
		if (len < 0)
			return;
		if (len >= 8 && buf[0] >> 6 == 2 && buf[1] >= 192 && buf[1] <= 223) {
			ph->rtcp_received++;
			continue;
		}
		source_note(ph, &from, from_len);
		if (len < HEADER || buf[0] >> 6 != 2) {
			ph->other++;
			continue;
		}
		stream_take(ph, buf, (size_t)len, when);
		if (ph->echo &&
		    sendto(fd, buf, (size_t)len, 0, (struct sockaddr *)&from, from_len) == len)
			ph->echoed++;
	}
}

/* One absolute schedule: a late wake-up never shifts the packets behind it. */
static void run(struct phone *ph)
{
	struct pollfd pfd[2] = {
		{ .fd = ph->fd, .events = POLLIN },
		{ .fd = ph->rtcp_fd, .events = POLLIN },
	};
	uint64_t start = now_ns(), next = start + ph->start_ms * 1000000ull, next_rtcp = next;
	uint64_t limit = ph->duration_ms ? start + ph->duration_ms * 1000000ull : UINT64_MAX;
	uint64_t end = 0, now, wake;

	while (!stopping && (now = now_ns()) < limit && (!end || now < end)) {
		struct timespec ts;

		if (ph->have_to && ph->rtcp_ms && now >= next_rtcp) {
			rtcp_send(ph);
			next_rtcp += ph->rtcp_ms * 1000000ull;
		}
		if (ph->have_to && !end && now >= next) {
			if (ph->sent < ph->count)
				rtp_send(ph);
			next += ph->ptime_us * 1000ull;
			if (ph->sent >= ph->count)
				end = now + ph->linger_ms * 1000000ull;
		}
		wake = end ? end : ph->have_to ? next : now + 100000000ull;
		if (wake > limit)
			wake = limit;
		now = now_ns();
		wake = wake > now ? wake - now : 0;
		ts.tv_sec = (time_t)(wake / 1000000000u);
		ts.tv_nsec = (long)(wake % 1000000000u);
		if (ppoll(pfd, 2, &ts, NULL) > 0) {
			receive(ph, ph->fd);
			receive(ph, ph->rtcp_fd);
		}
	}
	receive(ph, ph->fd);
	receive(ph, ph->rtcp_fd);
}

static void stream_report(const struct stream *s)
{
	uint64_t lost = (uint64_t)(s->max - s->first + 1) - s->unique;

	printf("{\"ssrc\":\"0x%08x\",\"pt\":%u,\"packets\":%lu,\"unique\":%lu,\"lost\":%lu,"
	       "\"duplicates\":%lu,\"reordered\":%lu,\"bad_payload\":%lu,\"jitter_ms\":%.4f,"
	       "\"jitter_max_ms\":%.4f,\"jitter_mean_ms\":%.4f}",
	       s->ssrc, s->pt, s->packets, s->unique, lost, s->duplicates, s->reordered, s->bad,
	       s->jitter, s->jitter_max,
	       s->packets > 1 ? s->jitter_sum / (double)(s->packets - 1) : 0.0);
}

static void report(const struct phone *ph)
{
	unsigned int i;

	printf("{\"sent\":%lu,\"echoed\":%lu,\"rtcp_sent\":%lu,\"rtcp_received\":%lu,"
	       "\"other\":%lu,\"sources\":[",
	       ph->sent, ph->echoed, ph->rtcp_sent, ph->rtcp_received, ph->other);
	for (i = 0; i < ph->n_sources; i++)
		printf("%s\"%s\"", i ? "," : "", ph->sources[i]);
	printf("],\"streams\":[");
	for (i = 0; i < ph->n_streams; i++) {
		fputs(i ? "," : "", stdout);
		stream_report(&ph->streams[i]);
	}
	printf("]}\n");
}

/* The first stream's payloads in sequence order; what was lost is left out. */
static int sink_write(const struct phone *ph)
{
	const struct stream *s = &ph->streams[0];
	FILE *f = fopen(ph->sink, "wb");
	int64_t i;

	if (!f)
		return -errno;
	for (i = s->first; ph->n_streams && i <= s->max; i++)
		if (s->got[i])
			fwrite(s->got[i]->data, 1, s->got[i]->len, f);
	return fclose(f) ? -errno : 0;
}

static void phone_clean(struct phone *ph)
{
	unsigned int i;
	int64_t e;

	for (i = 0; i < ph->n_streams; i++) {
		for (e = 0; e < SEQ_SPAN; e++)
			free(ph->streams[i].got[e]);
		free(ph->streams[i].got);
	}
	if (ph->source)
		fclose(ph->source);
}

static void usage(void)
{
	fputs("usage: rtpphone --bind ADDR:PORT [--to ADDR:PORT] [options]\n"
	      "  --ssrc N --pt N --seq N --ts N --clock HZ --ptime MS --count PACKETS --marker\n"
	      "  --size OCTETS       payload size (default 160)\n"
	      "  --payload FILE      raw payload; ends at its end unless --count does before\n"
	      "  --rtcp MS           send SR + SDES from port + 1 at this interval\n"
	      "  --check             received payloads must be the generated pattern\n"
	      "  --sink FILE         write the first received stream's payload in order\n"
	      "  --echo              return what arrives to where it came from\n"
	      "  --start MS          listen only until then\n"
	      "  --linger MS         keep receiving after the last packet (default 300)\n"
	      "  --duration MS       stop then in any case\n",
	      stderr);
}

/* Options that are a number kept as it is, or a flag. */
static const struct {
	const char *name;
	size_t offset;
	bool flag;
} plain[] = {
	{ "ssrc", offsetof(struct phone, ssrc), false },
	{ "pt", offsetof(struct phone, pt), false },
	{ "seq", offsetof(struct phone, seq), false },
	{ "ts", offsetof(struct phone, ts), false },
	{ "clock", offsetof(struct phone, clock), false },
	{ "count", offsetof(struct phone, count), false },
	{ "size", offsetof(struct phone, size), false },
	{ "rtcp", offsetof(struct phone, rtcp_ms), false },
	{ "start", offsetof(struct phone, start_ms), false },
	{ "linger", offsetof(struct phone, linger_ms), false },
	{ "duration", offsetof(struct phone, duration_ms), false },
	{ "echo", offsetof(struct phone, echo), true },
	{ "check", offsetof(struct phone, check), true },
	{ "marker", offsetof(struct phone, marker), true },
};

enum {
	PLAIN = sizeof(plain) / sizeof(plain[0]),
};

static int option_special(struct phone *ph, int which, char *arg, const char **bind_to)
{
	switch (which) {
	case 'b':
		*bind_to = arg;
		return 0;
	case 't':
		ph->have_to = true;
		return parse_address(arg, &ph->to, &ph->to_len);
	case 'i':
		ph->ptime_us = (unsigned int)(strtod(arg, NULL) * 1000);
		return 0;
	case 'f':
		ph->source = fopen(arg, "rb");
		return ph->source ? 0 : -errno;
	case 'o':
		ph->sink = arg;
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse_options(struct phone *ph, int argc, char **argv, const char **bind_to)
{
	struct option opts[PLAIN + 6] = {
		{ "bind", 1, NULL, 'b' },    { "to", 1, NULL, 't' },   { "ptime", 1, NULL, 'i' },
		{ "payload", 1, NULL, 'f' }, { "sink", 1, NULL, 'o' },
	};
	int c, i;

	for (i = 0; i < PLAIN; i++)
		opts[5 + i] = (struct option){ plain[i].name, !plain[i].flag, NULL, 1000 + i };
	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (c >= 1000 && plain[c - 1000].flag)
			*(bool *)((char *)ph + plain[c - 1000].offset) = true;
		else if (c >= 1000)
			*(uint32_t *)((char *)ph + plain[c - 1000].offset) =
				(uint32_t)strtoul(optarg, NULL, 0);
		else if (option_special(ph, c, optarg, bind_to))
			return -EINVAL;
	}
	if (!ph->clock || !ph->ptime_us || !ph->size || ph->size > PACKET_MAX - HEADER)
		return -EINVAL;
	return *bind_to && ph->pt < 128 ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	static struct phone ph = { .ssrc = 0x5eed0001,
				   .pt = 8,
				   .clock = 8000,
				   .ptime_us = 20000,
				   .size = 160,
				   .count = UINT32_MAX,
				   .linger_ms = 300 };
	struct sigaction sa = { .sa_handler = on_signal };
	struct sockaddr_storage local;
	const char *bind_to = NULL;
	socklen_t len;
	int err = 0;

	if (parse_options(&ph, argc, argv, &bind_to) || parse_address(bind_to, &local, &len)) {
		usage();
		return 2;
	}
	ph.fd = udp_open(&local, len);
	next_port(&local);
	ph.rtcp_fd = udp_open(&local, len);
	if (ph.fd < 0 || ph.rtcp_fd < 0)
		return 1;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	run(&ph);
	report(&ph);
	if (ph.sink)
		err = sink_write(&ph);
	phone_clean(&ph);
	return err ? 1 : 0;
}
