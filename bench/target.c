/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/sessions.h"
#include "bench/stats.h"

#define NS_PER_S  1000000000ULL
#define MAX_FILES 1000000
#define EVENTS	  64
#define BURST	  32
#define BATCH	  64 /* packets sent by one system call */
#define ROOM	  2048
#define STOP	  UINT32_MAX /* in place of a flow number */
#define GRACE_NS  10000000   /* that a packet may come after the last was sent */
#define SILENCE	  0xd5	     /* of the payload behind the mark */
#define LATE_NS	  1000000    /* a pause longer than this is not made up for */
#define BUFFER	  (1 << 22)
#define SSRC_BASE 0x74000000U

struct target {
	uint32_t count, size;
	int *out, *in; /* sockets by flow */
	uint32_t *next;
	int epoll, stop;
	pthread_t thread;
	bool receiving;

	pthread_mutex_t lock; /* of what follows */
	uint32_t trial;
	uint64_t deadline_ns;
	struct seq_state *seqs;
	struct wire_sink sink;

	uint64_t began_ns, ended_ns, sent, late;
	struct io_uring ring;
	bool ring_up;
	uint8_t packets[BATCH][WIRE_SIZE_MAX];
	struct mmsghdr msgs[BURST];
	struct iovec iov[BURST];
	uint8_t data[BURST][ROOM];
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void nap(long ns)
{
	struct timespec ts = { .tv_nsec = ns };

	nanosleep(&ts, NULL);
}

/* ---- receiving ---- */

/* The mark stands behind CSRCs and header extension, which a relay may have added. */
static const struct wire_mark *mark_of(const uint8_t *p, size_t len, struct wire_mark *mark)
{
	size_t off = WIRE_RTP_LEN + 4U * (p[0] & 15);

	if (len < WIRE_RTP_LEN || p[0] >> 6 != 2)
		return NULL;
	if (p[0] & 0x10) {
		if (len < off + 4)
			return NULL;
		off += 4 + 4U * (size_t)(p[off + 2] << 8 | p[off + 3]);
	}
	if (len < off + sizeof(*mark))
		return NULL;
	memcpy(mark, p + off, sizeof(*mark));
	return mark->magic == WIRE_MAGIC ? mark : NULL;
}

static void count_packet(struct target *t, const uint8_t *p, size_t len, uint64_t now)
{
	struct wire_mark mark;

	if (!mark_of(p, len, &mark))
		return;
	if (mark.trial != t->trial) {
		t->sink.stale++;
		return;
	}
	if (t->deadline_ns && now > t->deadline_ns) {
		t->sink.overdue++;
		return;
	}
	if (mark.flow >= t->count) {
		t->sink.strange++;
		return;
	}
	seq_count(&t->seqs[mark.flow], mark.seq, (int64_t)(now - mark.sent_ns));
	hist_add(&t->sink.latency, now - mark.sent_ns);
	t->sink.received++;
	t->sink.octets += len;
}

static void receive_burst(struct target *t, uint32_t flow)
{
	int n = recvmmsg(t->in[flow], t->msgs, BURST, MSG_DONTWAIT, NULL);
	uint64_t now = now_ns();

	pthread_mutex_lock(&t->lock);
	for (int i = 0; i < n; i++)
		count_packet(t, t->data[i], t->msgs[i].msg_len, now);
	pthread_mutex_unlock(&t->lock);
}

static void *receive(void *arg)
{
	struct target *t = arg;
	struct epoll_event events[EVENTS];

	for (int i = 0; i < BURST; i++) {
		t->iov[i] = (struct iovec){ t->data[i], ROOM };
		t->msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &t->iov[i], .msg_iovlen = 1 };
	}
	for (;;) {
		int n = epoll_wait(t->epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 == STOP)
				return NULL;
			receive_burst(t, events[i].data.u32);
		}
	}
}

/* ---- life ---- */

static int open_socket(const struct tandem_endpoint *local, const struct tandem_endpoint *remote)
{
	struct sockaddr_storage ss;
	socklen_t len = tandem_endpoint_to_sockaddr(local, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = BUFFER;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (!bind(fd, (struct sockaddr *)&ss, len)) {
		if (!remote)
			return fd;
		len = tandem_endpoint_to_sockaddr(remote, &ss);
		if (!connect(fd, (struct sockaddr *)&ss, len))
			return fd;
	}
	close(fd);
	return -errno;
}

static int refused(const char *what, const struct tandem_endpoint *ep, int err)
{
	char text[TANDEM_ENDPOINT_STRLEN];

	fprintf(stderr, "bench: %s %s: %s\n", what, tandem_endpoint_format(ep, text, sizeof(text)),
		strerror(-err));
	return err;
}

static int open_flows(struct target *t, const struct session_flow *flows)
{
	for (uint32_t i = 0; i < t->count; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.u32 = i };

		t->in[i] = open_socket(&flows[i].sink, NULL);
		if (t->in[i] < 0)
			return refused("sink", &flows[i].sink, t->in[i]);
		t->out[i] = open_socket(&flows[i].source, &flows[i].target);
		if (t->out[i] < 0)
			return refused("source", &flows[i].source, t->out[i]);
		if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->in[i], &ev))
			return -errno;
	}
	return 0;
}

static int start(struct target *t, const struct session_flow *flows)
{
	struct epoll_event stop = { .events = EPOLLIN, .data.u32 = STOP };
	struct rlimit files = { MAX_FILES, MAX_FILES };
	int err;

	setrlimit(RLIMIT_NOFILE, &files); /* where it may not, few flows still work */
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	t->stop = eventfd(0, EFD_CLOEXEC);
	t->out = malloc(t->count * sizeof(*t->out));
	t->in = malloc(t->count * sizeof(*t->in));
	t->next = calloc(t->count, sizeof(*t->next));
	t->seqs = calloc(t->count, sizeof(*t->seqs));
	if (t->epoll < 0 || t->stop < 0)
		return -errno;
	if (!t->out || !t->in || !t->next || !t->seqs)
		return -ENOMEM;
	memset(t->out, 0xff, t->count * sizeof(*t->out));
	memset(t->in, 0xff, t->count * sizeof(*t->in));
	err = open_flows(t, flows);
	if (err)
		return err;
	if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->stop, &stop))
		return -errno;
	err = io_uring_queue_init(BATCH, &t->ring, 0);
	if (err)
		return err;
	t->ring_up = true;
	for (int i = 0; i < BATCH; i++) {
		memset(t->packets[i], SILENCE, sizeof(t->packets[i]));
		memset(t->packets[i], 0, WIRE_RTP_LEN);
		t->packets[i][0] = 0x80;
	}
	err = -pthread_create(&t->thread, NULL, receive, t);
	t->receiving = !err;
	return err;
}

int tandem_target_open(struct target **targetp, const struct bench_options *opts)
{
	struct target *t = calloc(1, sizeof(*t));
	struct session_flow *flows = NULL;
	int err;

	if (!t)
		return -ENOMEM;
	t->epoll = t->stop = -1;
	pthread_mutex_init(&t->lock, NULL);
	err = tandem_sessions_read(opts, &flows, &t->count);
	if (!err)
		err = start(t, flows);
	free(flows);
	if (err)
		tandem_target_close(t);
	else
		*targetp = t;
	return err;
}

static void close_all(const int *fds, uint32_t count)
{
	for (uint32_t i = 0; fds && i < count; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

void tandem_target_close(struct target *t)
{
	if (!t)
		return;
	if (t->receiving && eventfd_write(t->stop, 1) == 0)
		pthread_join(t->thread, NULL);
	if (t->ring_up)
		io_uring_queue_exit(&t->ring);
	close_all(t->out, t->count);
	close_all(t->in, t->count);
	if (t->epoll >= 0)
		close(t->epoll);
	if (t->stop >= 0)
		close(t->stop);
	pthread_mutex_destroy(&t->lock);
	free(t->out);
	free(t->in);
	free(t->next);
	free(t->seqs);
	free(t);
}

uint32_t tandem_target_flows(const struct target *t)
{
	return t->count;
}

void tandem_target_size(struct target *t, uint32_t size)
{
	t->size = size;
}

/* ---- a trial ---- */

static int reset(void *ends)
{
	struct target *t = ends;

	pthread_mutex_lock(&t->lock);
	t->trial++;
	t->deadline_ns = 0;
	memset(&t->sink, 0, sizeof(t->sink));
	for (uint32_t i = 0; i < t->count; i++)
		seq_reset(&t->seqs[i], t->next[i]);
	pthread_mutex_unlock(&t->lock);
	return 0;
}

static void write_packet(struct target *t, uint32_t flow, uint8_t *packet)
{
	uint32_t seq = t->next[flow]++, ts = htonl(seq * 160), ssrc = htonl(SSRC_BASE + flow);
	struct wire_mark mark = { WIRE_MAGIC, t->trial, flow, seq, now_ns() };

	packet[2] = (uint8_t)(seq >> 8);
	packet[3] = (uint8_t)seq;
	memcpy(packet + 4, &ts, 4);
	memcpy(packet + 8, &ssrc, 4);
	memcpy(packet + WIRE_RTP_LEN, &mark, sizeof(mark));
}

/* n packets, no two of them of one flow: one that the local stack refuses can take its number back. */
static int send_batch(struct target *t, uint32_t n, uint32_t *flow, uint32_t stride)
{
	struct io_uring_cqe *cqe;
	unsigned int head, seen = 0;
	int ret;

	for (uint32_t i = 0; i < n; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&t->ring);

		write_packet(t, *flow, t->packets[i]);
		io_uring_prep_send(sqe, t->out[*flow], t->packets[i], t->size, 0);
		io_uring_sqe_set_data64(sqe, *flow);
		*flow += stride;
		if (*flow >= t->count)
			*flow -= t->count;
	}
	ret = io_uring_submit_and_wait(&t->ring, n);
	if (ret < 0)
		return ret;
	io_uring_for_each_cqe(&t->ring, head, cqe)
	{
		/* What the local stack refuses did not leave: it is no loss of the relay's. */
		if (cqe->res == (int)t->size)
			t->sent++;
		else
			t->next[cqe->user_data]--;
		seen++;
	}
	io_uring_cq_advance(&t->ring, seen);
	return 0;
}

/* How many packets are due; time that was slept through is given up. */
static uint64_t due(struct target *t, double rate, uint64_t now, uint64_t *origin)
{
	uint64_t total = (uint64_t)(rate * (double)(now - *origin) / NS_PER_S),
		 gone = t->sent + t->late;

	if (total > gone && (double)(total - gone) / rate * NS_PER_S > LATE_NS && total - gone > 1)
		t->late += total - gone - 1;
	return total > t->sent + t->late ? total - t->sent - t->late : 0;
}

static int send_load(void *ends, const struct wire_load *load)
{
	struct target *t = ends;
	uint32_t stride = tandem_stride(t->count), flow = 0;
	const uint32_t most = t->count < BATCH ? t->count : BATCH;
	uint64_t now;
	int err = 0;

	t->sent = t->late = 0;
	t->began_ns = now = now_ns();
	t->ended_ns = now + (uint64_t)(load->seconds * NS_PER_S);
	pthread_mutex_lock(&t->lock);
	t->deadline_ns = t->ended_ns + GRACE_NS;
	pthread_mutex_unlock(&t->lock);
	for (; now < t->ended_ns && !err; now = now_ns()) {
		uint64_t n = load->rate > 0 ? due(t, load->rate, now, &t->began_ns) : most;

		if (tandem_bench_stopped)
			return -EINTR;
		if (!n && load->sleep)
			nap(LATE_NS / 4);
		for (uint64_t batch; n && !err; n -= batch) {
			batch = n < most ? n : most;
			err = send_batch(t, (uint32_t)batch, &flow, stride);
		}
	}
	return err;
}

static uint64_t arrived(struct target *t)
{
	uint64_t n;

	pthread_mutex_lock(&t->lock);
	n = t->sink.received + t->sink.overdue;
	pthread_mutex_unlock(&t->lock);
	return n;
}

static void drain(void *ends)
{
	struct target *t = ends;
	uint64_t before = arrived(t), now;

	for (int i = 0; i < 15 && before < t->sent; i++) {
		nap(20000000);
		now = arrived(t);
		if (now == before && i)
			break;
		before = now;
	}
}

static int collect(void *ends, struct wire_count *count)
{
	struct target *t = ends;

	memset(count, 0, sizeof(*count));
	count->seconds = (double)(t->ended_ns - t->began_ns) / NS_PER_S;
	count->sent = t->sent;
	count->late = t->late;
	pthread_mutex_lock(&t->lock);
	tandem_wire_sum(count, &t->sink, 1, t->seqs, t->count);
	pthread_mutex_unlock(&t->lock);
	return 0;
}

const struct trial_ends tandem_target_ends = { reset, send_load, drain, collect, NULL };
