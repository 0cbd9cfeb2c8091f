/* SPDX-License-Identifier: GPL-2.0-only */
/* The two threads of the churn test: one sends for every flow, one notes what arrives. */
#ifndef TANDEM_TESTS_CHURN_TRAFFIC_H
#define TANDEM_TESTS_CHURN_TRAFFIC_H

#include "tests/tools/churn.h"
#include "tests/tools/churn_host.h"

struct payload {
	uint32_t magic, flow, seq, pad;
	uint64_t sent_ns;
};

static inline void send_one(struct churn *c, struct churn_flow *f)
{
	struct tandem_endpoint to = { .ip = c->in, .port = f->in_port };
	uint8_t packet[PAYLOAD_SIZE] = { 0x80, 0 };
	struct payload p = { MAGIC, f->number, f->sent, 0, now_ns() };
	struct sockaddr_storage ss;
	socklen_t len = tandem_endpoint_to_sockaddr(&to, &ss);
	uint16_t seq = htons((uint16_t)f->sent);
	uint32_t ts = htonl(f->sent * 160), ssrc = htonl(f->number);

	memcpy(packet + 2, &seq, 2);
	memcpy(packet + 4, &ts, 4);
	memcpy(packet + 8, &ssrc, 4);
	memcpy(packet + 12, &p, sizeof(p));
	if (sendto(f->fd, packet, sizeof(packet), 0, (struct sockaddr *)&ss, len) < 0)
		return;
	f->sent++;
	c->sent++;
}

/*
 * To the hot flow three times of four, so that now and then its rule is being written when a packet
 * comes; else to each in turn.
 */
static inline void send_next(struct churn *c, size_t turn)
{
	send_one(c, turn % 4 ? c->hot : &c->flows[turn / 4 % c->n_flows]);
}

/* After a delay no more than BURST come at once. */
static inline void *send_all(void *arg)
{
	struct churn *c = arg;
	uint64_t gap = 1000000000U / c->o.pps, next = now_ns();
	size_t turn = 0;

	while (!c->stop_sending) {
		uint64_t now = now_ns();

		c->idle = c->paused;
		if (c->idle || now < next) {
			usleep(200);
			continue;
		}
		if (now - next > BURST * gap)
			next = now - BURST * gap;
		for (; next <= now; next += gap)
			send_next(c, turn++);
	}
	return NULL;
}

/*
 * STUN indications (RFC 8489 5), which every fast path hands to io_uring: so often that each of
 * its buffers has been used once. While the sender is idle.
 */
static inline void use_every_buffer(struct churn *c)
{
	const uint8_t packet[PAYLOAD_SIZE] = { 0x00, 0x11, 0,	 PAYLOAD_SIZE - 20,
					       0x21, 0x12, 0xa4, 0x42 };
	struct churn_flow *f = &c->flows[0];
	struct tandem_endpoint to = { .ip = c->in, .port = f->in_port };
	struct sockaddr_storage ss;
	socklen_t len = tandem_endpoint_to_sockaddr(&to, &ss);

	for (int i = 0; i < BUFFERS; i++) {
		if (sendto(f->fd, packet, sizeof(packet), 0, (struct sockaddr *)&ss, len) > 0)
			c->sent++;
		if (i % BURST == 0)
			pause_ms(2);
	}
}

struct datagram {
	struct tandem_endpoint from, to;
	const uint8_t *data;
};

/* IP and UDP as the tap gives them; false for what is not a packet of ours. */
static inline bool dissect(const uint8_t *p, size_t len, struct datagram *d)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	size_t head;

	if (len >= 20 && p[0] >> 4 == 4 && p[9] == IPPROTO_UDP) {
		head = (size_t)(p[0] & 15) * 4;
		memcpy(d->from.ip.b, mapped, 12);
		memcpy(d->to.ip.b, mapped, 12);
		memcpy(d->from.ip.b + 12, p + 12, 4);
		memcpy(d->to.ip.b + 12, p + 16, 4);
	} else if (len >= 40 && p[0] >> 4 == 6 && p[6] == IPPROTO_UDP) {
		head = 40;
		memcpy(d->from.ip.b, p + 8, 16);
		memcpy(d->to.ip.b, p + 24, 16);
	} else {
		return false;
	}
	if (len < head + 8 + PAYLOAD_SIZE)
		return false;
	d->from.port = (uint16_t)(p[head] << 8 | p[head + 1]);
	d->to.port = (uint16_t)(p[head + 2] << 8 | p[head + 3]);
	d->data = p + head + 8;
	return true;
}

/* Do all marks of a packet come from the one rule that its destination belongs to? */
static inline bool coherent(const struct churn *c, const struct datagram *d,
			    const struct payload *p, int dest)
{
	const struct churn_flow *f = &c->flows[p->flow - 1];
	uint32_t ssrc;

	memcpy(&ssrc, d->data + 8, 4);
	ssrc = ntohl(ssrc);
	return f->to_port[dest] == d->to.port && f->out_port[dest] == d->from.port &&
	       tandem_ip_equal(&c->to[f->ip6[dest]], &d->to.ip) &&
	       tandem_ip_equal(&c->out[f->ip6[dest]], &d->from.ip) &&
	       SSRC_FLOW(ssrc) == f->number && SSRC_DEST(ssrc) == (uint32_t)dest &&
	       (d->data[1] & 0x7f) == mark_pt(dest) &&
	       (d->data[2] << 8 | d->data[3]) == (int)(p->seq & 0xffff);
}

static inline void note(struct churn *c, const struct datagram *d, uint64_t now)
{
	struct payload p;
	size_t n = c->n_arrived;
	int dest = d->to.port % 2 ? DEST_B : DEST_A;

	memcpy(&p, d->data + 12, sizeof(p));
	if (p.magic != MAGIC)
		return;
	if (p.flow == 0 || p.flow > c->n_flows || n == c->max_arrived) {
		c->unknown++;
		return;
	}
	c->arrived[n] = (struct arrival){
		.sent_ns = p.sent_ns,
		.seen_ns = now,
		.seq = p.seq,
		.flow = (uint16_t)p.flow,
		.dest = (uint8_t)dest,
		.crossed = !coherent(c, d, &p, dest),
	};
	c->n_arrived = n + 1;
}

static inline void *receive_all(void *arg)
{
	struct churn *c = arg;
	struct sockaddr_ll from;
	uint8_t packet[2048];
	struct datagram d;

	while (!c->stop_receiving) {
		socklen_t from_len = sizeof(from);
		ssize_t len = recvfrom(c->tap, packet, sizeof(packet), 0, (struct sockaddr *)&from,
				       &from_len);

		if (len > 0 && from.sll_pkttype != PACKET_OUTGOING &&
		    dissect(packet, (size_t)len, &d))
			note(c, &d, now_ns());
	}
	return NULL;
}

/* Nothing has arrived for a while. */
static inline void drain(struct churn *c)
{
	size_t before;

	do {
		before = c->n_arrived;
		pause_ms(QUIET_MS);
	} while (c->n_arrived != before);
}

#endif
