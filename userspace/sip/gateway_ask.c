/* SPDX-License-Identifier: GPL-2.0-only */
/* Looking after a gateway: where it is (RFC 3263), and OPTIONS (RFC 3261 section 11). */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "userspace/sip/gateway.h"
#include "userspace/sip/tls_peer.h"

#define ANSWER_MS    3000  /* time for the first OPTIONS and two that are repeated */
#define FIND_MS	     30000 /* how often a gateway that is not asked is looked after */
#define FIND_WAIT_MS 5000  /* then its name counts as not known */
#define DOUBT_PARTS  4	   /* in doubt it is asked so many times as often */
#define DOUBT_LEAST  1000

static void round_begin(void *arg);
static void ask_next(struct tandem_gateway *gw);

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);

	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* Not all at once, and not in step with those of other relays: 90 to 110 %. */
static uint64_t jittered(uint64_t ms)
{
	return ms - ms / 10 + rand_u32() % (ms / 5 + 1);
}

static bool in_doubt(const struct tandem_gateway *gw)
{
	return gw->up ? gw->asked_failed > 0 : gw->asked_well > 0;
}

static void round_end(struct tandem_gateway *gw)
{
	uint64_t ms = gw->options_ms ? gw->options_ms : FIND_MS;

	if (gw->options_ms && in_doubt(gw))
		ms = MIN(ms, MAX(ms / DOUBT_PARTS, DOUBT_LEAST));
	tmr_cancel(&gw->tmr_answer);
	tmr_start(&gw->tmr, jittered(ms), round_begin, gw);
}

static int write_options(enum sip_transp tp, const struct sa *src, const struct sa *dst,
			 struct mbuf *mb, void *arg)
{
	const struct tandem_gateway *gw = arg;
	int err;

	(void)dst;
	err = mbuf_printf(mb,
			  "Max-Forwards: 70\r\n"
			  "From: <sip:%J>;tag=%08x%08x\r\n"
			  "To: <%s>\r\n"
			  "Call-ID: %08x%08x@%j\r\n"
			  "CSeq: 1 OPTIONS\r\n",
			  src, rand_u32(), rand_u32(), gw->uri, rand_u32(), rand_u32(), src);
	err |= mbuf_printf(mb,
			   "Contact: <sip:%J%s>\r\n"
			   "Accept: application/sdp\r\n"
			   "Content-Length: 0\r\n\r\n",
			   src, sip_transp_param(tp));

	return err;
}

static void response_handler(int err, const struct sip_msg *msg, void *arg)
{
	struct tandem_gateway *gw = arg;

	if (msg && msg->scode < 200)
		return;
	if (gw->all->ts->closing)
		return;
	/* whatever else it says: it is there, and works */
	if (!err && msg && msg->scode != 503 && msg->scode != 408) {
		gw->rtt_ms = (double)(now_us() - gw->sent_us) / 1000.0;
		tandem_gateway_asked(gw, true);
		round_end(gw);
		return;
	}
	gw->dest++;
	ask_next(gw);
}

static void answer_timeout(void *arg)
{
	struct tandem_gateway *gw = arg;

	gw->req = mem_deref(gw->req);
	gw->dest++;
	ask_next(gw);
}

static int send_options(struct tandem_gateway *gw, const struct tandem_dest *dest)
{
	struct tandem_sip *ts = gw->all->ts;
	struct sip *sip = tandem_sip_stack_to(ts, &dest->addr);
	struct mbuf *empty = mbuf_alloc(1);
	char *hop = NULL;
	struct uri uri;
	struct pl pl;
	int err;

	if (!empty)
		return -ENOMEM;
	err = tandem_sip_hop(&hop, dest->tp, &dest->addr);
	if (err)
		goto out;
	pl_set_str(&pl, hop);
	err = -uri_decode(&uri, &pl);
	if (err)
		goto out;
	gw->options++;
	gw->sent_us = now_us();
	if (dest->tp == SIP_TRANSP_TLS)
		err = tandem_tls_peers_expect(
			tandem_sip_tls_peers(ts->tls), sip, &dest->addr,
			&(struct tandem_tls_peer){ gw->tls_name, gw->tls_files });
	if (!err)
		err = -sip_request(&gw->req, sip, true, "OPTIONS", -1, gw->uri, -1, &uri, empty, 0,
				   write_options, response_handler, gw);
	tandem_tls_peers_expected();
	if (!err)
		tmr_start(&gw->tmr_answer, ANSWER_MS, answer_timeout, gw);

out:
	mem_deref(hop);
	mem_deref(empty);

	return err;
}

/* One of its addresses that answers will do. */
static void ask_next(struct tandem_gateway *gw)
{
	tmr_cancel(&gw->tmr_answer);
	for (; gw->dest < gw->dests_count; gw->dest++) {
		if (!send_options(gw, &gw->dests[gw->dest]))
			return;
	}
	tandem_gateway_asked(gw, false);
	round_end(gw);
}

/* Where it is is known as well as can be. */
static void found(struct tandem_gateway *gw)
{
	tmr_cancel(&gw->tmr_answer);
	gw->facts = mem_deref(gw->facts);
	gw->dest = 0;
	if (gw->options_ms)
		ask_next(gw);
	else
		round_end(gw);
}

static void look(void *arg)
{
	struct tandem_gateway *gw = arg;
	struct tandem_dest dests[TANDEM_DESTS_MAX];
	struct pl uri;
	size_t count;
	int err;

	pl_set_str(&uri, gw->uri);
	err = tandem_locate(gw->facts, gw->all->ts, &uri, 0, dests, &count);
	if (err == -EINPROGRESS)
		return;
	/* a name that is not known now: it stays where it was */
	if (!err) {
		memcpy(gw->dests, dests, sizeof(dests));
		gw->dests_count = count;
	}
	found(gw);
}

static void find_timeout(void *arg)
{
	found(arg);
}

static void round_begin(void *arg)
{
	struct tandem_gateway *gw = arg;

	/* one that nobody asks cannot show that it is well again: let a call find out */
	if (!gw->options_ms)
		tandem_gateway_rested(gw);
	gw->facts = tandem_facts_alloc(gw->all->ts->names, look, gw);
	if (!gw->facts) {
		round_end(gw);
		return;
	}
	tmr_start(&gw->tmr_answer, FIND_WAIT_MS, find_timeout, gw);
	look(gw);
}

void tandem_gateways_start(struct tandem_gateways *g)
{
	size_t i;

	/* spread over a moment; the first answers come before the first calls */
	for (i = 0; g && i < g->count; i++)
		tmr_start(&g->list[i].tmr, rand_u32() % 100, round_begin, &g->list[i]);
}

void tandem_gateway_stop(struct tandem_gateway *gw)
{
	tmr_cancel(&gw->tmr);
	tmr_cancel(&gw->tmr_answer);
	gw->facts = mem_deref(gw->facts);
	gw->req = mem_deref(gw->req);
}
