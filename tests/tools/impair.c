/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * impair: a bad network between two interfaces.
 *
 *   phone --- near [ impair ] far --- relay
 *
 * Every frame that arrives on one interface leaves on the other. UDP datagrams
 * that match (--ports, --rtp) are lost, delayed, jittered, duplicated and
 * reordered on the way, decided by a seeded generator: each matching frame of a
 * direction takes the same number of draws, so the n-th frame meets the same
 * fate in every run. SIGTERM or SIGINT ends it and prints what was done as JSON.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "userspace/util/due.h"
#include "userspace/util/fate.h"

enum {
	FRAME_MAX = 2048,
	QUEUE_MAX = 65536,
	NSEC_PER_MSEC = 1000000,
};

struct frame {
	struct tandem_due due; /* first: the queue knows frames by it */
	int out;
	uint32_t len;
	uint8_t data[FRAME_MAX];
};

struct direction {
	struct tandem_fate fate;
	uint64_t frames, matched, delayed, sent, failed;
};

struct impair {
	struct tandem_impairment network;
	unsigned int port_min, port_max, grace;
	bool rtp_only, on[2];
	int fd[2];
	uint64_t late_max, late_sum, overflow;
	struct direction dir[2];
	struct tandem_dues queue;
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

static void frame_send(struct impair *im, struct direction *d, int out, const void *data,
		       size_t len)
{
	if (send(im->fd[out], data, len, 0) == (ssize_t)len)
		d->sent++;
	else
		d->failed++;
}

static void frame_delay(struct impair *im, int out, const uint8_t *data, size_t len, uint64_t due)
{
	struct frame *f = im->queue.count < QUEUE_MAX ? malloc(sizeof(*f)) : NULL;

	if (!f) {
		im->overflow++;
		return;
	}
	f->due.ns = due;
	f->out = out;
	f->len = (uint32_t)len;
	memcpy(f->data, data, len);
	if (tandem_dues_push(&im->queue, &f->due)) {
		im->overflow++;
		free(f);
	}
}

/* The UDP header, or NULL: not UDP, a fragment, or IPv6 extension headers. */
static const uint8_t *udp_of(const uint8_t *p, size_t len)
{
	size_t off;

	if (len < 14)
		return NULL;
	if (p[12] == 0x08 && p[13] == 0x00) {
		if (len < 34 || p[23] != IPPROTO_UDP || ((p[20] & 0x3f) | p[21]))
			return NULL;
		off = 14 + (size_t)(p[14] & 0x0f) * 4;
	} else if (p[12] == 0x86 && p[13] == 0xdd) {
		if (len < 54 || p[20] != IPPROTO_UDP)
			return NULL;
		off = 54;
	} else {
		return NULL;
	}
	return off + 8 <= len ? p + off : NULL;
}

/* RFC 7983: RTP and RTCP start with 128..191; RFC 5761: RTCP's type is 192..223. */
static bool is_rtp(const uint8_t *payload, size_t len)
{
	return len >= 12 && payload[0] >= 128 && payload[0] <= 191 &&
	       (payload[1] < 192 || payload[1] > 223);
}

static bool matches(const struct impair *im, const uint8_t *p, size_t len)
{
	const uint8_t *udp = udp_of(p, len);
	unsigned int sport, dport;

	if (!udp)
		return false;
	sport = (unsigned int)udp[0] << 8 | udp[1];
	dport = (unsigned int)udp[2] << 8 | udp[3];
	if ((sport < im->port_min || sport > im->port_max) &&
	    (dport < im->port_min || dport > im->port_max))
		return false;
	return !im->rtp_only || is_rtp(udp + 8, (size_t)(p + len - udp) - 8);
}

static void frame_impair(struct impair *im, int in, const uint8_t *data, size_t len)
{
	struct direction *d = &im->dir[in];
	uint64_t due;
	unsigned int copies = tandem_fate_draw(&d->fate, &im->network, now_ns(), &due);

	d->delayed += copies > 0;
	while (copies--)
		frame_delay(im, !in, data, len, due);
}

static void frame_take(struct impair *im, int in, const uint8_t *data, size_t len)
{
	struct direction *d = &im->dir[in];

	d->frames++;
	if (im->on[in] && matches(im, data, len) && d->matched++ >= im->grace)
		frame_impair(im, in, data, len);
	else
		frame_send(im, d, !in, data, len);
}

static void receive(struct impair *im, int in)
{
	uint8_t buf[FRAME_MAX];
	struct sockaddr_ll from;
	socklen_t fromlen;
	ssize_t len;

	for (;;) {
		fromlen = sizeof(from);
		len = recvfrom(im->fd[in], buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC,
			       (struct sockaddr *)&from, &fromlen);
		if (len < 0)
			return;
		if (from.sll_pkttype == PACKET_OUTGOING)
			continue;
		if (len > FRAME_MAX) {
			im->overflow++;
			continue;
		}
		frame_take(im, in, buf, (size_t)len);
	}
}

static void release_due(struct impair *im)
{
	const struct tandem_due *first;
	uint64_t now;

	while ((first = tandem_dues_first(&im->queue)) && first->ns <= (now = now_ns())) {
		struct frame *f = (struct frame *)tandem_dues_pop(&im->queue);
		uint64_t late = now - f->due.ns;

		im->late_sum += late;
		if (late > im->late_max)
			im->late_max = late;
		frame_send(im, &im->dir[!f->out], f->out, f->data, f->len);
		free(f);
	}
}

static void run(struct impair *im, const sigset_t *unblocked)
{
	struct pollfd pfd[2] = {
		{ .fd = im->fd[0], .events = POLLIN },
		{ .fd = im->fd[1], .events = POLLIN },
	};

	while (!stopping) {
		const struct tandem_due *first = tandem_dues_first(&im->queue);
		struct timespec ts = { .tv_sec = 1 };

		if (first) {
			uint64_t now = now_ns();
			uint64_t wait = first->ns > now ? first->ns - now : 0;

			ts.tv_sec = (time_t)(wait / 1000000000u);
			ts.tv_nsec = (long)(wait % 1000000000u);
		}
		if (ppoll(pfd, 2, &ts, unblocked) < 0 && errno != EINTR)
			return;
		release_due(im);
		receive(im, 0);
		receive(im, 1);
	}
}

static void report_direction(FILE *f, const char *name, const struct direction *d)
{
	fprintf(f,
		"\"%s\":{\"frames\":%lu,\"matched\":%lu,\"lost\":%lu,\"duplicated\":%lu,"
		"\"reordered\":%lu,\"delayed\":%lu,\"sent\":%lu,\"failed\":%lu}",
		name, d->frames, d->matched, d->fate.lost, d->fate.duplicated, d->fate.reordered,
		d->delayed, d->sent, d->failed);
}

static void report(const struct impair *im, FILE *f)
{
	uint64_t timed = im->queue.serial - im->queue.count;

	fputc('{', f);
	report_direction(f, "ab", &im->dir[0]);
	fputc(',', f);
	report_direction(f, "ba", &im->dir[1]);
	fprintf(f, ",\"queued\":%zu,\"overflow\":%lu,\"late_mean_us\":%.1f,\"late_max_us\":%.1f}\n",
		im->queue.count, im->overflow,
		timed ? (double)im->late_sum / (double)timed / 1000 : 0.0,
		(double)im->late_max / 1000);
}

static int open_interface(const char *name)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	int fd, size = 4 << 20;

	if (!ll.sll_ifindex) {
		fprintf(stderr, "impair: no interface %s\n", name);
		return -ENODEV;
	}
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&ll, sizeof(ll)) < 0) {
		fprintf(stderr, "impair: %s: %s\n", name, strerror(errno));
		return -errno;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static void usage(void)
{
	fputs("usage: impair -a IF -b IF [options]\n"
	      "  --ports LO-HI     only UDP with a port in this range (default: all)\n"
	      "  --rtp             only RTP (no RTCP, STUN, DTLS)\n"
	      "  --direction D     ab, ba or both (default)\n"
	      "  --loss PCT  --duplicate PCT  --reorder PCT  --reorder-by MS (default 30)\n"
	      "  --delay MS  --jitter MS (uniform, keeps the order)\n"
	      "  --grace N         leave the first N matching frames of a direction alone\n"
	      "  --seed N          same seed, same fate\n",
	      stderr);
}

static uint64_t msec(const char *s)
{
	return (uint64_t)(strtod(s, NULL) * NSEC_PER_MSEC);
}

static int option_take(struct impair *im, int which, const char *arg)
{
	switch (which) {
	case 'p':
		return sscanf(arg, "%u-%u", &im->port_min, &im->port_max) == 2 ? 0 : -EINVAL;
	case 'r':
		im->rtp_only = true;
		return 0;
	case 'd':
		im->on[0] = strcmp(arg, "ba") != 0;
		im->on[1] = strcmp(arg, "ab") != 0;
		return 0;
	case 'l':
		im->network.loss = strtod(arg, NULL);
		return 0;
	case 'u':
		im->network.duplicate = strtod(arg, NULL);
		return 0;
	case 'o':
		im->network.reorder = strtod(arg, NULL);
		return 0;
	case 'y':
		im->network.reorder_by_ns = msec(arg);
		return 0;
	case 'e':
		im->network.delay_ns = msec(arg);
		return 0;
	case 'j':
		im->network.jitter_ns = msec(arg);
		return 0;
	case 'g':
		im->grace = (unsigned int)strtoul(arg, NULL, 10);
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse_options(struct impair *im, int argc, char **argv, const char *names[2])
{
	static const struct option opts[] = {
		{ "ports", 1, NULL, 'p' },	{ "rtp", 0, NULL, 'r' },
		{ "direction", 1, NULL, 'd' },	{ "loss", 1, NULL, 'l' },
		{ "duplicate", 1, NULL, 'u' },	{ "reorder", 1, NULL, 'o' },
		{ "reorder-by", 1, NULL, 'y' }, { "delay", 1, NULL, 'e' },
		{ "jitter", 1, NULL, 'j' },	{ "grace", 1, NULL, 'g' },
		{ "seed", 1, NULL, 's' },	{ NULL, 0, NULL, 0 },
	};
	uint64_t seed = 1;
	int c;

	while ((c = getopt_long(argc, argv, "a:b:", opts, NULL)) != -1) {
		if (c == 'a' || c == 'b')
			names[c - 'a'] = optarg;
		else if (c == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (option_take(im, c, optarg))
			return -EINVAL;
	}
	tandem_fate_seed(&im->dir[0].fate, seed, 0);
	tandem_fate_seed(&im->dir[1].fate, seed, 1);
	return names[0] && names[1] ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct impair im = { .port_max = 65535,
			     .network = { .reorder_by_ns = 30 * NSEC_PER_MSEC },
			     .on = { true, true } };
	const char *names[2] = { NULL, NULL };
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t block, unblocked;

	if (parse_options(&im, argc, argv, names)) {
		usage();
		return 2;
	}
	im.fd[0] = open_interface(names[0]);
	im.fd[1] = open_interface(names[1]);
	if (im.fd[0] < 0 || im.fd[1] < 0)
		return 1;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &unblocked);
	fprintf(stderr, "impair: running\n");
	run(&im, &unblocked);
	report(&im, stdout);
	while (im.queue.count)
		free(tandem_dues_pop(&im.queue));
	tandem_dues_clean(&im.queue);
	return 0;
}
