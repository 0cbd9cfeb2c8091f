/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/replay/sources.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/checksum.h"

#define HEADERS	    (sizeof(struct ip6_hdr) + sizeof(struct udphdr) + TANDEM_RTP_FIXED)
#define SEND_BUFFER (8 << 20)

struct tandem_sources {
	uint32_t count;
	int *fds;
	struct tandem_source *list; /* from: as it is bound */
	int raw;		    /* or -1 */
	int error;
	struct sockaddr_storage addrs[TANDEM_BATCH_MAX];
	struct iovec iov[TANDEM_BATCH_MAX][2];
	struct mmsghdr msgs[TANDEM_BATCH_MAX];
	uint8_t heads[TANDEM_BATCH_MAX][HEADERS];
};

uint32_t tandem_clone_ssrc(uint32_t ssrc, uint32_t clone)
{
	return ssrc + clone * 0x9e3779b1U; /* odd: no two clones of a stream have the same */
}

static int fail(const char *what, int err)
{
	fprintf(stderr, "tandem: %s: %s\n", what, strerror(err));
	return -err;
}

/* As many descriptors as there are sources, and some. */
static void raise_limit(uint32_t count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= count + 64)
		return;
	limit.rlim_cur = count + 64;
	if (limit.rlim_max < limit.rlim_cur)
		limit.rlim_max = limit.rlim_cur;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* The address that the kernel would send from. */
static int find_from(struct tandem_source *source)
{
	struct sockaddr_storage ss;
	socklen_t len = tandem_endpoint_to_sockaddr(&source->to, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0 || connect(fd, (struct sockaddr *)&ss, len))
		err = fail("--to", errno);
	len = sizeof(ss);
	if (!err && getsockname(fd, (struct sockaddr *)&ss, &len))
		err = fail("--to", errno);
	if (!err)
		err = tandem_endpoint_from_sockaddr(&source->from, (struct sockaddr *)&ss);
	source->from.port = 0;
	if (fd >= 0)
		close(fd);
	return err;
}

static int open_source(struct tandem_sources *s, uint32_t i)
{
	struct tandem_endpoint *from = &s->list[i].from;
	struct sockaddr_storage ss;
	char text[TANDEM_ENDPOINT_STRLEN];
	socklen_t len;

	if (tandem_ip_is_any(&from->ip) && find_from(&s->list[i]))
		return -EADDRNOTAVAIL;
	len = tandem_endpoint_to_sockaddr(from, &ss);
	s->fds[i] = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->fds[i] < 0)
		return fail("a socket", errno);
	if (bind(s->fds[i], (struct sockaddr *)&ss, len))
		return fail(tandem_endpoint_format(from, text, sizeof(text)), errno);
	len = sizeof(ss);
	if (getsockname(s->fds[i], (struct sockaddr *)&ss, &len))
		return fail("a socket's name", errno);
	return tandem_endpoint_from_sockaddr(from, (struct sockaddr *)&ss);
}

/* Without the right to one (CAP_NET_RAW) each packet leaves by its own source's socket. */
static void open_raw(struct tandem_sources *s)
{
	int size = SEND_BUFFER;

	s->raw = socket(tandem_ip_family(&s->list[0].to.ip), SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (s->raw < 0)
		fprintf(stderr,
			"tandem: no raw socket (%s): one system call for each clone's packet\n",
			strerror(errno));
	else if (setsockopt(s->raw, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		(void)setsockopt(s->raw, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

int tandem_sources_open(struct tandem_sources **sp, const struct tandem_source *list,
			uint32_t count, bool raw)
{
	struct tandem_sources *s = calloc(1, sizeof(*s));
	int err = 0;

	if (!s)
		return fail("sources", ENOMEM);
	s->raw = -1;
	s->fds = calloc(count, sizeof(*s->fds));
	s->list = calloc(count, sizeof(*s->list));
	if (!s->fds || !s->list) {
		err = fail("sources", ENOMEM);
		goto out;
	}
	memcpy(s->list, list, count * sizeof(*list));
	memset(s->fds, 0xff, count * sizeof(*s->fds));
	s->count = count;
	raise_limit(count);
	for (uint32_t i = 0; !err && i < count; i++)
		err = open_source(s, i);
	if (!err && raw)
		open_raw(s);
out:
	if (err)
		tandem_sources_close(s);
	else
		*sp = s;
	return err;
}

int tandem_sources_fd(const struct tandem_sources *s, uint32_t i)
{
	return s->fds[i];
}

struct tandem_endpoint tandem_sources_bound(const struct tandem_sources *s, uint32_t i)
{
	return s->list[i].from;
}

void tandem_sources_redirect(struct tandem_sources *s, uint32_t i, const struct tandem_endpoint *to)
{
	s->list[i].to = *to;
}

void tandem_sources_close(struct tandem_sources *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->count; i++) {
		if (s->fds[i] >= 0)
			close(s->fds[i]);
	}
	if (s->raw >= 0)
		close(s->raw);
	free(s->fds);
	free(s->list);
	free(s);
}

int tandem_sources_error(const struct tandem_sources *s)
{
	return s->error;
}

/* The part of a packet that differs between clones: returns its length. RTCP has none. */
static size_t put_fixed(uint8_t *to, const struct tandem_outgoing *out)
{
	uint32_t ssrc;

	if (out->packet->rtcp)
		return 0;
	memcpy(to, out->packet->data, TANDEM_RTP_FIXED);
	memcpy(&ssrc, to + 8, 4);
	ssrc = htonl(tandem_clone_ssrc(ntohl(ssrc), out->clone));
	memcpy(to + 8, &ssrc, 4);
	return TANDEM_RTP_FIXED;
}

/* IP header in front of a UDP datagram of len octets. Returns its length; *sum: what it adds to UDP's. */
static size_t put_ip(uint8_t *to, const struct tandem_source *s, uint16_t len, uint64_t *sum)
{
	const uint16_t pseudo[2] = { htons(IPPROTO_UDP), htons(len) };

	*sum = csum_bytes(pseudo, sizeof(pseudo));
	if (tandem_ip_is_v4(&s->to.ip)) {
		/* The kernel fills in length, identification and checksum, see raw(7). */
		struct iphdr ip = { .version = 4,
				    .ihl = 5,
				    .ttl = 64,
				    .protocol = IPPROTO_UDP,
				    .frag_off = htons(IP_DF) };

		memcpy(&ip.saddr, s->from.ip.b + 12, 4);
		memcpy(&ip.daddr, s->to.ip.b + 12, 4);
		*sum += csum_bytes(&ip.saddr, 8);
		memcpy(to, &ip, sizeof(ip));
		return sizeof(ip);
	}
	struct ip6_hdr ip6 = { .ip6_plen = htons(len), .ip6_nxt = IPPROTO_UDP, .ip6_hlim = 64 };

	ip6.ip6_vfc = 0x60;
	memcpy(&ip6.ip6_src, s->from.ip.b, 16);
	memcpy(&ip6.ip6_dst, s->to.ip.b, 16);
	*sum += csum_bytes(&ip6.ip6_src, 32);
	memcpy(to, &ip6, sizeof(ip6));
	return sizeof(ip6);
}

/* All headers of a packet for the raw socket. Returns their length, the fixed one of RTP included. */
static size_t put_headers(uint8_t *to, const struct tandem_sources *s,
			  const struct tandem_outgoing *out)
{
	const struct tandem_source *source = &s->list[out->source];
	struct udphdr udp = { .source = htons(source->from.port),
			      .dest = htons(source->to.port),
			      .len = htons((uint16_t)(out->packet->len + sizeof(udp))) };
	uint64_t sum;
	size_t ip = put_ip(to, source, ntohs(udp.len), &sum);
	uint8_t *rtp = to + ip + sizeof(udp);
	size_t fixed = put_fixed(rtp, out);

	sum += csum_bytes(rtp, (uint32_t)fixed) + out->packet->sum + csum_bytes(&udp, sizeof(udp));
	udp.check = (uint16_t)~csum_fold16(sum);
	if (!udp.check)
		udp.check = 0xffff;
	memcpy(to + ip, &udp, sizeof(udp));
	return ip + sizeof(udp) + fixed;
}

static void fill(struct tandem_sources *s, const struct tandem_outgoing *out, unsigned int i)
{
	struct tandem_endpoint to = s->list[out->source].to;
	struct msghdr *msg = &s->msgs[i].msg_hdr;
	size_t head, skip = out->packet->rtcp ? 0 : TANDEM_RTP_FIXED;

	head = s->raw >= 0 ? put_headers(s->heads[i], s, out) : put_fixed(s->heads[i], out);
	s->iov[i][0] = (struct iovec){ s->heads[i], head };
	s->iov[i][1] = (struct iovec){ out->packet->data + skip, out->packet->len - skip };
	if (s->raw >= 0)
		to.port = 0; /* sin6_port has to be 0 here, and sin_port means nothing */
	*msg = (struct msghdr){ .msg_name = &s->addrs[i], .msg_iov = s->iov[i], .msg_iovlen = 2 };
	msg->msg_namelen = tandem_endpoint_to_sockaddr(&to, &s->addrs[i]);
}

/* Those from first on, by one socket. Returns how many failed. */
static unsigned int flush(struct tandem_sources *s, int fd, unsigned int first, unsigned int n)
{
	unsigned int failed = 0;

	while (n) {
		int sent = sendmmsg(fd, s->msgs + first, n, 0);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 1) {
			/* This one cannot be sent; the next may go elsewhere. */
			s->error = errno;
			failed++;
			sent = 1;
		}
		first += (unsigned int)sent;
		n -= (unsigned int)sent;
	}
	return failed;
}

unsigned int tandem_sources_send(struct tandem_sources *s, const struct tandem_outgoing *out,
				 unsigned int n)
{
	unsigned int first = 0, failed = 0;

	for (unsigned int i = 0; i < n; i++)
		fill(s, &out[i], i);
	if (s->raw >= 0)
		return flush(s, s->raw, 0, n);
	while (first < n) {
		unsigned int end = first + 1;

		while (end < n && out[end].source == out[first].source)
			end++;
		failed += flush(s, s->fds[out[first].source], first, end - first);
		first = end;
	}
	return failed;
}
