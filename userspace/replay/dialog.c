/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/replay/dialog.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <re_types.h>
#include <re_fmt.h>
#include <re_mbuf.h>
#include <re_msg.h>
#include <re_list.h>
#include <re_sa.h>
#include <re_uri.h>
#include <re_hash.h>
#include <re_mem.h>
#include <re_sip.h>

#define RETRY_MS     500 /* T1 of RFC 3261 17.1.1.1; without doubling, for the few seconds that it is */
#define TIMEOUT_MS   8000
#define DATAGRAM_MAX 65536

struct party {
	int fd;
	struct tandem_endpoint ep;
	const char *user;
	uint64_t tag;
};

struct tandem_dialog {
	struct party caller, callee;
	struct tandem_endpoint proxy;
	char domain[256];
	uint64_t call_id;
	unsigned int cseq;
	const char *answer;

	/* The request that waits for its final response, and that one's status, or 0. */
	const struct party *asking;
	char *request;
	uint16_t status;
	/* What the callee says again until it gets the ACK, and to whom. */
	char *reply;
	struct tandem_endpoint reply_to;
	bool acked, established;
	char *ack;

	/* The caller's side of the dialog (RFC 3261 12.1.2): lines of Route, the target, the value of To. */
	char *routes, *target, *to;
	char *offer_seen, *answer_seen;
};

static uint64_t random_word(void)
{
	uint64_t word = 0;

	(void)!getrandom(&word, sizeof(word), 0);
	return word;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void send_text(const struct party *from, const struct tandem_endpoint *to, const char *text)
{
	struct sockaddr_storage ss;
	socklen_t len = tandem_endpoint_to_sockaddr(to, &ss);

	/* What is lost is sent again until it is answered; and so is what could not be sent. */
	(void)!sendto(from->fd, text, strlen(text), 0, (struct sockaddr *)&ss, len);
}

static void replace(char **to, char *with)
{
	free(*to);
	*to = with;
}

static char *text_of(const struct pl *pl)
{
	return strndup(pl->p ? pl->p : "", pl->p ? pl->l : 0);
}

static void put_body(FILE *f, const char *body)
{
	if (body)
		fputs("Content-Type: application/sdp\r\n", f);
	fprintf(f, "Content-Length: %zu\r\n\r\n%s", body ? strlen(body) : 0, body ? body : "");
}

/* A request of a party; within the dialog when there is one. more: further header lines. */
static char *request_text(const struct tandem_dialog *d, const struct party *from,
			  const char *method, const char *uri, const char *to, const char *more,
			  const char *body)
{
	char ep[TANDEM_ENDPOINT_STRLEN], *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	tandem_endpoint_format(&from->ep, ep, sizeof(ep));
	fprintf(f,
		"%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%016llx;rport\r\n"
		"Max-Forwards: 70\r\n%sFrom: <sip:%s@%s>;tag=%016llx\r\nTo: %s\r\n"
		"Call-ID: %016llx@replay\r\nCSeq: %u %s\r\nContact: <sip:%s@%s>\r\n",
		method, uri, ep, (unsigned long long)random_word(), more, from->user, d->domain,
		(unsigned long long)from->tag, to, (unsigned long long)d->call_id, d->cseq, method,
		from->user, ep);
	put_body(f, body);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

/* A response of the callee to msg. */
static char *reply_text(const struct tandem_dialog *d, const struct sip_msg *msg,
			const char *status, const char *body)
{
	char ep[TANDEM_ENDPOINT_STRLEN], *text = NULL;
	const struct le *le;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fprintf(f, "SIP/2.0 %s\r\n", status);
	for (le = msg->hdrl.head; le; le = le->next) {
		const struct sip_hdr *hdr = le->data;

		switch (hdr->id) {
		case SIP_HDR_VIA:
		case SIP_HDR_RECORD_ROUTE:
		case SIP_HDR_FROM:
		case SIP_HDR_CALL_ID:
		case SIP_HDR_CSEQ:
			fprintf(f, "%.*s: %.*s\r\n", (int)hdr->name.l, hdr->name.p, (int)hdr->val.l,
				hdr->val.p);
			break;
		case SIP_HDR_TO:
			fprintf(f, "To: %.*s", (int)hdr->val.l, hdr->val.p);
			if (!msg->to.tag.l)
				fprintf(f, ";tag=%016llx", (unsigned long long)d->callee.tag);
			fputs("\r\n", f);
			break;
		default:
			break;
		}
	}
	fprintf(f, "Contact: <sip:%s@%s>\r\n", d->callee.user,
		tandem_endpoint_format(&d->callee.ep, ep, sizeof(ep)));
	put_body(f, body);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

static char *body_of(const struct sip_msg *msg)
{
	const struct pl body = { (const char *)mbuf_buf(msg->mb), mbuf_get_left(msg->mb) };

	return text_of(&body);
}

static void on_request(struct tandem_dialog *d, const struct sip_msg *msg,
		       const struct tandem_endpoint *from)
{
	char *text;

	if (!pl_strcmp(&msg->met, "ACK")) {
		d->acked = true;
		replace(&d->reply, NULL);
		return;
	}
	if (pl_strcmp(&msg->met, "INVITE")) {
		text = reply_text(d, msg, "200 OK", NULL);
		if (text)
			send_text(&d->callee, from, text);
		free(text);
		return;
	}
	if (!d->reply && !d->acked) {
		replace(&d->offer_seen, body_of(msg));
		d->reply = reply_text(d, msg, "200 OK", d->answer);
		d->reply_to = *from;
	}
	if (d->reply)
		send_text(&d->callee, &d->reply_to, d->reply);
}

/* Record-Route of a response, as Route of requests in the dialog: in reverse order (12.1.2). */
static char *routes_of(const struct sip_msg *msg)
{
	char *routes = strdup("");

	for (const struct le *le = msg->hdrl.head; le && routes; le = le->next) {
		const struct sip_hdr *hdr = le->data;
		char *more = NULL;

		if (hdr->id != SIP_HDR_RECORD_ROUTE)
			continue;
		if (asprintf(&more, "Route: %.*s\r\n%s", (int)hdr->val.l, hdr->val.p, routes) < 0)
			more = NULL;
		replace(&routes, more);
	}
	return routes;
}

/* The caller's side of the dialog, and its ACK. */
static void establish(struct tandem_dialog *d, const struct sip_msg *msg)
{
	const struct sip_hdr *contact = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	const struct sip_hdr *to = sip_msg_hdr(msg, SIP_HDR_TO);
	struct sip_addr addr;

	if (!contact || !to || sip_addr_decode(&addr, &contact->val))
		return;
	replace(&d->answer_seen, body_of(msg));
	replace(&d->target, text_of(&addr.auri));
	replace(&d->to, text_of(&to->val));
	replace(&d->routes, routes_of(msg));
	if (d->answer_seen && d->target && d->to && d->routes)
		replace(&d->ack,
			request_text(d, &d->caller, "ACK", d->target, d->to, d->routes, NULL));
	d->established = d->ack != NULL;
}

static void on_response(struct tandem_dialog *d, const struct party *at, const struct sip_msg *msg)
{
	bool invite = !pl_strcmp(&msg->cseq.met, "INVITE");

	if (msg->scode < 200 || at != d->asking || msg->cseq.num != d->cseq)
		return;
	if (invite && msg->scode < 300 && !d->established)
		establish(d, msg);
	if (invite && d->established)
		send_text(&d->caller, &d->proxy, d->ack);
	d->status = msg->scode;
}

static void receive(struct tandem_dialog *d, const struct party *at)
{
	struct mbuf *mb = mbuf_alloc(DATAGRAM_MAX);
	struct sip_msg *msg = NULL;
	struct sockaddr_storage ss;
	socklen_t sslen = sizeof(ss);
	struct tandem_endpoint from;
	ssize_t len;

	if (!mb)
		return;
	len = recvfrom(at->fd, mb->buf, mb->size, MSG_DONTWAIT, (struct sockaddr *)&ss, &sslen);
	mb->end = len > 0 ? (size_t)len : 0;
	if (len > 0 && !tandem_endpoint_from_sockaddr(&from, (struct sockaddr *)&ss) &&
	    !sip_msg_decode(&msg, mb)) {
		if (!msg->req)
			on_response(d, at, msg);
		else if (at == &d->callee)
			on_request(d, msg, &from);
	}
	mem_deref(msg);
	mem_deref(mb);
}

/* One step of waiting: what comes, and what has to be said again. */
static void turn(struct tandem_dialog *d, uint64_t *again_ms)
{
	struct pollfd fds[2] = { { .fd = d->caller.fd, .events = POLLIN },
				 { .fd = d->callee.fd, .events = POLLIN } };
	uint64_t now = now_ms();

	if (poll(fds, 2, *again_ms > now ? (int)(*again_ms - now) : 0) > 0) {
		if (fds[0].revents)
			receive(d, &d->caller);
		if (fds[1].revents)
			receive(d, &d->callee);
	}
	if (now_ms() < *again_ms)
		return;
	if (!d->status)
		send_text(d->asking, &d->proxy, d->request);
	if (d->reply)
		send_text(&d->callee, &d->reply_to, d->reply);
	*again_ms += RETRY_MS;
}

/* Send a request until it has its final response, and the callee the ACK it waits for. Takes text over. */
static int ask(struct tandem_dialog *d, const struct party *from, char *text, const char *what)
{
	uint64_t begin = now_ms(), again = begin;

	if (!text)
		return -ENOMEM;
	replace(&d->request, text);
	d->asking = from;
	d->status = 0;
	while ((!d->status || (d->status < 300 && d->reply)) && now_ms() < begin + TIMEOUT_MS)
		turn(d, &again);
	if (d->status >= 200 && d->status < 300)
		return 0;
	if (d->status)
		fprintf(stderr, "tandem: the proxy refuses the %s: %u\n", what, d->status);
	else
		fprintf(stderr, "tandem: the %s is not answered\n", what);
	return d->status ? -ECONNREFUSED : -ETIMEDOUT;
}

static int enrol(struct tandem_dialog *d, const char *expires)
{
	char uri[300], to[600];

	snprintf(uri, sizeof(uri), "sip:%s", d->domain);
	snprintf(to, sizeof(to), "<sip:%s@%s>", d->callee.user, d->domain);
	d->cseq++;
	return ask(d, &d->callee, request_text(d, &d->callee, "REGISTER", uri, to, expires, NULL),
		   "REGISTER");
}

static int open_party(struct party *p, const struct tandem_endpoint *ep, const char *user)
{
	struct sockaddr_storage ss;
	socklen_t len = tandem_endpoint_to_sockaddr(ep, &ss);
	char text[TANDEM_ENDPOINT_STRLEN];
	int err;

	*p = (struct party){ .ep = *ep, .user = user, .tag = random_word() };
	p->fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (p->fd >= 0 && !bind(p->fd, (struct sockaddr *)&ss, len))
		return 0;
	err = -errno;
	fprintf(stderr, "tandem: %s: %s\n", tandem_endpoint_format(ep, text, sizeof(text)),
		strerror(-err));
	return err;
}

int tandem_dialog_open(struct tandem_dialog **dp, const struct tandem_endpoint *proxy,
		       const struct tandem_endpoint *caller, const struct tandem_endpoint *callee,
		       const char *domain)
{
	struct tandem_dialog *d = calloc(1, sizeof(*d));
	char ip[TANDEM_ENDPOINT_STRLEN];
	int err;

	if (!d)
		return -ENOMEM;
	d->caller.fd = d->callee.fd = -1;
	d->proxy = *proxy;
	d->call_id = random_word();
	snprintf(d->domain, sizeof(d->domain),
		 domain || tandem_ip_is_v4(&proxy->ip) ? "%s" : "[%s]",
		 domain ? domain : tandem_ip_format(&proxy->ip, ip, sizeof(ip)));
	err = open_party(&d->caller, caller, "replay-caller");
	if (!err)
		err = open_party(&d->callee, callee, "replay-callee");
	if (!err)
		err = enrol(d, "Expires: 300\r\n");
	if (err) {
		tandem_dialog_free(d);
		return err;
	}
	/* The call is another dialog than the registration. */
	d->call_id = random_word();
	*dp = d;
	return 0;
}

int tandem_dialog_call(struct tandem_dialog *d, const char *offer, const char *answer,
		       const char **offer_seen, const char **answer_seen)
{
	char uri[600], to[610];
	int err;

	snprintf(uri, sizeof(uri), "sip:%s@%s", d->callee.user, d->domain);
	snprintf(to, sizeof(to), "<%s>", uri);
	d->answer = answer;
	d->cseq++;
	err = ask(d, &d->caller, request_text(d, &d->caller, "INVITE", uri, to, "", offer),
		  "INVITE");
	if (!err && (!d->established || !d->acked || !d->offer_seen)) {
		fputs("tandem: the call was answered, but not by the callee\n", stderr);
		err = -EPROTO;
	}
	*offer_seen = d->offer_seen;
	*answer_seen = d->answer_seen;
	return err;
}

int tandem_dialog_end(struct tandem_dialog *d)
{
	int err = 0, again;

	d->cseq++;
	if (d->established)
		err = ask(d, &d->caller,
			  request_text(d, &d->caller, "BYE", d->target, d->to, d->routes, NULL),
			  "BYE");
	d->call_id = random_word();
	again = enrol(d, "Expires: 0\r\n");
	return err ? err : again;
}

void tandem_dialog_free(struct tandem_dialog *d)
{
	if (!d)
		return;
	if (d->caller.fd >= 0)
		close(d->caller.fd);
	if (d->callee.fd >= 0)
		close(d->callee.fd);
	free(d->request);
	free(d->reply);
	free(d->ack);
	free(d->routes);
	free(d->target);
	free(d->to);
	free(d->offer_seen);
	free(d->answer_seen);
	free(d);
}
