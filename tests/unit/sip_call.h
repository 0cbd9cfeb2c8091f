/* SPDX-License-Identifier: GPL-2.0-only */
/* A call between two peers through the relay, step by step. */
#ifndef TANDEM_TESTS_SIP_CALL_H
#define TANDEM_TESTS_SIP_CALL_H

#include "tests/unit/sip_fixture.h"

#define SDP(ip, port)                                                                              \
	"v=0\r\no=- 1 1 IN IP4 " ip "\r\ns=-\r\nc=IN IP4 " ip "\r\nt=0 0\r\n"                      \
	"m=audio " port " RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
#define SDP6(port)                                                                                 \
	"v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\nc=IN IP6 ::1\r\nt=0 0\r\n"                            \
	"m=audio " port " RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"

#define OFFER  SDP("127.0.0.1", "30000")
#define ANSWER SDP("127.0.0.1", "30002")

struct call {
	struct peer alice, bob;
	struct world *w;
	char invite[MSG_SIZE]; /* as bob got it */
	char ok[MSG_SIZE];     /* as alice got it */
};

static inline const char *tp(const struct peer *p)
{
	return p->tcp ? "TCP" : "UDP";
}

static inline void do_register(struct peer *p, const char *user)
{
	static unsigned int cseq;

	cseq++;
	peer_send(
		p, NULL,
		"REGISTER sip:example.test SIP/2.0\nVia: SIP/2.0/%s %s:%u;branch=z9hG4bKr%u;rport\n"
		"Max-Forwards: 70\nFrom: <sip:%s@example.test>;tag=r\nTo: <sip:%s@example.test>\n"
		"Call-ID: reg-%s-%u\nCSeq: %u REGISTER\n"
		"Contact: <sip:%s@%s:%u;transport=%s>\nExpires: 600\n",
		tp(p), p->host, p->port, cseq, user, user, user, p->port, cseq, user, p->host,
		p->port, tp(p));
	peer_expect(p, "SIP/2.0 200");
}

static inline void send_invite(struct call *c, const char *id, const char *sdp)
{
	peer_send(&c->alice, sdp,
		  "INVITE sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/%s %s:%u;branch=z9hG4bK%s;rport\nMax-Forwards: 70\n"
		  "X-Odd:   a ,b;c=\"d\"  e\nFrom: <sip:alice@example.test>;tag=atag\n"
		  "To: <sip:bob@example.test>\nCall-ID: %s\nCSeq: 1 INVITE\n"
		  "Contact: <sip:alice@%s:%u;transport=%s>\nSupported: 100rel, timer\n",
		  tp(&c->alice), c->alice.host, c->alice.port, id, id, c->alice.host, c->alice.port,
		  tp(&c->alice));
}

/* bob answers what he got last */
static inline void respond(struct call *c, const char *request, const char *status,
			   const char *extra, const char *sdp)
{
	const char *to = header(request, "To");

	peer_send(&c->bob, sdp,
		  "SIP/2.0 %s\n%s%sFrom: %s\nTo: %s%s\nCall-ID: %s\nCSeq: %s\n%s"
		  "Contact: <sip:bob@%s:%u;transport=%s>\n",
		  status, headers(request, "Via"), headers(request, "Record-Route"),
		  header(request, "From"), to, strstr(to, "tag=") ? "" : ";tag=btag",
		  header(request, "Call-ID"), header(request, "CSeq"), extra ? extra : "",
		  c->bob.host, c->bob.port, tp(&c->bob));
}

/* a request of alice's within the dialog */
static inline void alice_request(struct call *c, const char *method, unsigned int cseq,
				 const char *extra, const char *sdp)
{
	peer_send(&c->alice, sdp,
		  "%s sip:bob@%s:%u;transport=%s SIP/2.0\n"
		  "Via: SIP/2.0/%s %s:%u;branch=z9hG4bK%s%u%s;rport\n%sMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>;tag=btag\n"
		  "Call-ID: %s\nCSeq: %u %s\n%s",
		  method, c->bob.host, c->bob.port, tp(&c->bob), tp(&c->alice), c->alice.host,
		  c->alice.port, method, cseq, header(c->invite, "Call-ID"), routes_reversed(c->ok),
		  header(c->invite, "Call-ID"), cseq, method, extra ? extra : "");
}

static inline void bob_request(struct call *c, const char *method, unsigned int cseq,
			       const char *sdp)
{
	peer_send(&c->bob, sdp,
		  "%s sip:alice@%s:%u;transport=%s SIP/2.0\n"
		  "Via: SIP/2.0/%s %s:%u;branch=z9hG4bKb%s%u%s;rport\n%sMax-Forwards: 70\n"
		  "From: <sip:bob@example.test>;tag=btag\nTo: <sip:alice@example.test>;tag=atag\n"
		  "Call-ID: %s\nCSeq: %u %s\nContact: <sip:bob@%s:%u>\n",
		  method, c->alice.host, c->alice.port, tp(&c->alice), tp(&c->bob), c->bob.host,
		  c->bob.port, method, cseq, header(c->invite, "Call-ID"),
		  routes_forward(c->invite), header(c->invite, "Call-ID"), cseq, method,
		  c->bob.host, c->bob.port);
}

static inline void open_call(struct call *c, struct world *w, int af_a, bool tcp_a, int af_b,
			     bool tcp_b)
{
	memset(c, 0, sizeof(*c));
	c->w = w;
	peer_open(&c->alice, af_a, tcp_a);
	peer_open(&c->bob, af_b, tcp_b);
	do_register(&c->bob, "bob");
}

static inline void close_call(struct call *c)
{
	peer_close(&c->alice);
	peer_close(&c->bob);
}

static inline void assert_anchored(const char *sdp, const char *foreign_port)
{
	char line[64];

	snprintf(line, sizeof(line), "m=audio %s ", foreign_port);
	assert_null(strstr(sdp, line));
	assert_non_null(strstr(sdp, "m=audio 26"));
}

static inline void establish(struct call *c, const char *id, const char *offer, const char *answer)
{
	send_invite(c, id, offer);
	peer_expect(&c->alice, "SIP/2.0 100");
	strcpy(c->invite, peer_expect(&c->bob, "INVITE "));
	respond(c, c->invite, "180 Ringing", NULL, NULL);
	peer_expect(&c->alice, "SIP/2.0 180");
	respond(c, c->invite, "200 OK", NULL, answer);
	strcpy(c->ok, peer_expect(&c->alice, "SIP/2.0 200"));
	alice_request(c, "ACK", 1, NULL, NULL);
	peer_expect(&c->bob, "ACK ");
}

static inline void hang_up(struct call *c)
{
	alice_request(c, "BYE", 2, NULL, NULL);
	peer_expect(&c->bob, "BYE ");
	respond(c, c->bob.msg, "200 OK", NULL, NULL);
	peer_expect(&c->alice, "SIP/2.0 200");
}

#endif
