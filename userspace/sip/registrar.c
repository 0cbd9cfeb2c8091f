/* SPDX-License-Identifier: GPL-2.0-only */
/* RFC 3261 section 10.3, with Path (RFC 3327). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "userspace/sip/auth.h"
#include "userspace/sip/conns.h"
#include "userspace/sip/local.h"
#include "userspace/sip/location.h"
#include "userspace/sip/outflow.h"
#include "userspace/util/log.h"

#define CONTACTS_MAX  64  /* in one REGISTER */
#define URI_MAX	      512 /* octets of a contact URI */
#define PATH_MAX_LEN  1024
#define HOUR	      3600
#define STORE_RETRY_S 10 /* when the store may be well again */

/* A REGISTER being processed. */
struct registration {
	struct tandem_sip *ts;
	const struct sip_msg *msg;
	char *aor;
	char *path;
	bool outbound; /* a flow was registered (RFC 5626) */
	char *user_agent;
	struct tandem_binding *bindings[CONTACTS_MAX]; /* present before */
	size_t bindings_count;
	struct tandem_binding_change changes[CONTACTS_MAX];
	size_t changes_count;
	size_t repeated; /* contacts that are bound just so by this very request */
	size_t added;
	size_t removed;
	uint32_t max_contacts;
	uint16_t code;		/* why not, 0 when all is well */
	uint32_t retry_after_s; /* of 503; 0: as for want of room */
	bool wildcard;
};

/* Decimal digits only; anything else means "no value" (RFC 3261 section 10.3 step 6). */
static bool parse_seconds(const struct pl *pl, uint32_t *seconds)
{
	uint64_t v = 0;
	size_t i;

	if (!pl_isset(pl))
		return false;
	for (i = 0; i < pl->l; i++) {
		if (pl->p[i] < '0' || pl->p[i] > '9')
			return false;
		if (v <= UINT32_MAX)
			v = v * 10 + (uint64_t)(pl->p[i] - '0');
	}
	*seconds = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;

	return true;
}

/* "0.7" as 700, "1" as 1000; a malformed or missing value is 1000. */
static unsigned int parse_q(const struct pl *params)
{
	unsigned int q, scale = 100;
	struct pl pl;
	size_t i;

	if (msg_param_decode(params, "q", &pl) || !pl.l || (pl.p[0] != '0' && pl.p[0] != '1'))
		return 1000;
	q = pl.p[0] == '1' ? 1000 : 0;
	for (i = 2; i < pl.l && i < 5 && pl.p[1] == '.'; i++, scale /= 10) {
		if (pl.p[i] < '0' || pl.p[i] > '9')
			return 1000;
		q += (unsigned int)(pl.p[i] - '0') * scale;
	}

	return MIN(q, 1000);
}

static bool param_equal(const struct uri *a, const struct uri *b, const char *name)
{
	struct pl va = pl_null, vb = pl_null;

	(void)msg_param_decode(&a->params, name, &va);
	(void)msg_param_decode(&b->params, name, &vb);

	return !pl_casecmp(&va, &vb) || (!va.l && !vb.l);
}

/* The parts of RFC 3261 section 19.1.4 that tell contacts apart. */
static bool uri_equal(const struct pl *a, const char *b)
{
	struct uri ua, ub;
	struct pl pb;

	if (!pl_strcmp(a, b))
		return true;

	pl_set_str(&pb, b);
	if (uri_decode(&ua, a) || uri_decode(&ub, &pb))
		return false;

	return !pl_casecmp(&ua.scheme, &ub.scheme) && ua.user.l == ub.user.l &&
	       (!ua.user.l || !pl_cmp(&ua.user, &ub.user)) && !pl_casecmp(&ua.host, &ub.host) &&
	       ua.port == ub.port && param_equal(&ua, &ub, "transport") &&
	       param_equal(&ua, &ub, "maddr") && param_equal(&ua, &ub, "ob");
}

/* A flow is known by its phone and its number there, whatever its URI (RFC 5626 section 6). */
static struct tandem_binding *find_binding(struct registration *r, const struct pl *uri,
					   const struct tandem_outbound *flow)
{
	size_t i;

	for (i = 0; i < r->bindings_count; i++) {
		struct tandem_binding *b = r->bindings[i];

		if (b->reg_id != flow->reg_id)
			continue;
		if (b->reg_id ? !strcmp(b->instance, flow->instance) : uri_equal(uri, b->uri))
			return b;
	}

	return NULL;
}

/* Requests of one Call-ID that come out of order must not undo the later one. */
static bool out_of_order(const struct registration *r, const struct tandem_binding *b)
{
	return !pl_strcmp(&r->msg->callid, b->call_id) && r->msg->cseq.num <= b->cseq;
}

static uint32_t contact_expires(const struct registration *r, const struct sip_addr *addr)
{
	uint32_t seconds = r->ts->cfg.default_expires_s;
	struct pl pl;

	if (msg_param_decode(&addr->params, "expires", &pl))
		pl = r->msg->expires;
	else if (!parse_seconds(&pl, &seconds))
		return seconds;
	(void)parse_seconds(&pl, &seconds);

	return seconds;
}

static struct tandem_binding *new_binding(const struct registration *r, const struct sip_addr *addr,
					  const struct tandem_outbound *flow, uint32_t seconds)
{
	char source[64], local[64], uri[URI_MAX + 1], call_id[256];
	struct tandem_binding *b;
	struct tandem_contact c = {
		.aor = r->aor,
		.uri = uri,
		.call_id = call_id,
		.cseq = r->msg->cseq.num,
		.q = parse_q(&addr->params),
		.expires = time(NULL) + seconds,
		.source = source,
		.transport = tandem_sip_transport_word(tandem_sip_tp(r->ts, r->msg)),
		.local = local,
		.path = r->path,
		.user_agent = r->user_agent,
		.instance = flow->instance,
		.reg_id = flow->reg_id,
	};

	if (tandem_sip_copy(uri, sizeof(uri), &addr->auri) ||
	    tandem_sip_copy(call_id, sizeof(call_id), &r->msg->callid))
		return NULL;
	(void)re_snprintf(source, sizeof(source), "%J", &r->msg->src);
	(void)re_snprintf(local, sizeof(local), "%J", &r->msg->dst);

	b = tandem_binding_alloc(&c);
	if (b && tandem_sip_is_stream(r->msg->tp))
		b->conn = mem_ref(r->msg->sock);

	return b;
}

/* The same contact twice in one request contradicts itself. */
static bool named_before(const struct registration *r, const struct pl *uri)
{
	size_t i;

	for (i = 0; i < r->changes_count; i++) {
		const struct tandem_binding_change *c = &r->changes[i];

		if (uri_equal(uri, c->put ? c->put->uri : c->remove->uri))
			return true;
	}

	return false;
}

/*
 * The request that has made the binding comes once more: its answer was lost with the process that gave
 * it. Section 10.3 step 7 has the second one fail, but only so that it undoes nothing.
 */
static bool is_repeat(const struct registration *r, const struct tandem_binding *b,
		      const struct sip_addr *addr)
{
	char source[64];

	if (re_snprintf(source, sizeof(source), "%J", &r->msg->src) < 0)
		return false;

	return !pl_strcmp(&r->msg->callid, b->call_id) && r->msg->cseq.num == b->cseq &&
	       !pl_strcmp(&addr->auri, b->uri) && parse_q(&addr->params) == b->q &&
	       tandem_sip_tp(r->ts, r->msg) == b->tp && !strcmp(source, b->source) &&
	       !strcmp(r->path, b->path);
}

static uint16_t add_change(struct registration *r, const struct sip_addr *addr, uint32_t seconds)
{
	struct tandem_binding_change *change = &r->changes[r->changes_count];
	struct tandem_outbound flow;

	if (named_before(r, &addr->auri) || tandem_outbound_read(&flow, r->msg, addr))
		return 400;
	if (flow.reg_id && !tandem_outbound_is_direct(r->msg) && !tandem_outbound_has_edge(r->msg))
		return 439;

	r->outbound |= flow.reg_id != 0;
	change->remove = find_binding(r, &addr->auri, &flow);
	if (change->remove && seconds && is_repeat(r, change->remove, addr)) {
		r->repeated++;
		return 0;
	}
	if (change->remove && out_of_order(r, change->remove))
		return 500;
	if (!seconds && !change->remove)
		return 0;

	if (seconds) {
		change->put = new_binding(r, addr, &flow, seconds);
		if (!change->put)
			return 500;
	}
	r->added += change->put != NULL;
	r->removed += change->remove != NULL;
	r->changes_count++;

	return 0;
}

/* RFC 5630 section 5.2: who is to be reached by TLS alone has said so over TLS. */
static bool scheme_fits(const struct registration *r, const struct uri *uri)
{
	enum sip_transp tp = tandem_sip_tp(r->ts, r->msg);

	if (!pl_strcasecmp(&uri->scheme, "sips"))
		return tp == SIP_TRANSP_TLS || tp == SIP_TRANSP_WSS;

	return !pl_strcasecmp(&uri->scheme, "sip");
}

/* Outside of <> a question mark is nobody's: it could be of the URI or of the header (section 20.10). */
static bool is_ambiguous(const struct sip_addr *addr, const struct pl *val)
{
	return pl_isset(&addr->uri.headers) && !pl_strchr(val, '<');
}

static uint16_t read_contact(struct registration *r, const struct pl *val)
{
	const struct tandem_sip_config *cfg = &r->ts->cfg;
	struct sip_addr addr;
	uint32_t seconds;

	if (r->changes_count >= CONTACTS_MAX || sip_addr_decode(&addr, val) ||
	    is_ambiguous(&addr, val) || !scheme_fits(r, &addr.uri) || addr.auri.l > URI_MAX ||
	    !addr.uri.host.l || !tandem_sip_uri_clean(&addr.auri) || r->msg->callid.l > 255)
		return 400;

	seconds = contact_expires(r, &addr);
	if (seconds && seconds < cfg->min_expires_s && seconds < HOUR)
		return 423;

	return add_change(r, &addr, MIN(seconds, cfg->max_expires_s));
}

static bool contact_handler(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct registration *r = arg;

	(void)msg;
	if (!pl_strcmp(&hdr->val, "*"))
		r->wildcard = true;
	else
		r->code = read_contact(r, &hdr->val);

	return r->code != 0;
}

/* "*" removes everything, must stand alone, and only with Expires: 0 */
static uint16_t remove_all(struct registration *r)
{
	uint32_t seconds = 1;
	size_t i;

	if (sip_msg_hdr_count(r->msg, SIP_HDR_CONTACT) != 1 ||
	    !parse_seconds(&r->msg->expires, &seconds) || seconds)
		return 400;

	for (i = 0; i < r->bindings_count; i++) {
		if (out_of_order(r, r->bindings[i]))
			return 500;
		r->changes[i].remove = r->bindings[i];
	}
	r->changes_count = r->bindings_count;

	return 0;
}

static uint16_t check_limits(const struct registration *r)
{
	const struct tandem_sip_config *cfg = &r->ts->cfg;

	if (r->added <= r->removed)
		return 0;
	if (r->bindings_count + r->added - r->removed > r->max_contacts)
		return 403;
	if (tandem_location_count(r->ts->loc) + r->added - r->removed > cfg->max_registrations)
		return 503;

	return 0;
}

static bool path_handler(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	(void)msg;
	return mbuf_printf(arg, "%s%r", ((struct mbuf *)arg)->pos ? ", " : "", &hdr->val) != 0;
}

/* Copy what the bindings keep of the request. */
static int read_request(struct registration *r)
{
	const struct sip_hdr *ua = sip_msg_hdr(r->msg, SIP_HDR_USER_AGENT);
	struct pl pl = ua ? ua->val : pl_null;
	struct mbuf *mb = mbuf_alloc(256);
	int err;

	if (!mb)
		return -ENOMEM;

	sip_msg_hdr_apply(r->msg, true, SIP_HDR_PATH, path_handler, mb);
	if (mb->end > PATH_MAX_LEN)
		err = -E2BIG;
	else
		err = -re_sdprintf(&r->path, "%b", mb->buf, mb->end);
	pl.l = MIN(pl.l, 128);
	if (!err)
		err = -re_sdprintf(&r->user_agent, "%r", &pl);
	mem_deref(mb);

	return err;
}

static bool unsupported_handler(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	(void)msg;
	if (pl_strcasecmp(&hdr->val, "path") && pl_strcasecmp(&hdr->val, "outbound"))
		(void)mbuf_printf(arg, "Unsupported: %r\r\n", &hdr->val);

	return false;
}

/* True when the request requires what we cannot do; it is answered then. */
static bool refuse_require(struct tandem_sip *ts, const struct sip_msg *msg)
{
	struct mbuf *mb = mbuf_alloc(64);
	char *text = NULL;
	bool refused = false;

	if (!mb)
		return false;
	sip_msg_hdr_apply(msg, true, SIP_HDR_REQUIRE, unsupported_handler, mb);
	if (mb->end && !re_sdprintf(&text, "%b", mb->buf, mb->end)) {
		tandem_sip_answer(ts, msg, 420, text);
		refused = true;
	}
	mem_deref(mb);
	mem_deref(text);

	return refused;
}

/* Browsers are asked for signs of life by WebSocket, over UDP phones know best what their NAT needs. */
static bool has_flow_timer(const struct registration *r)
{
	enum sip_transp tp = tandem_sip_tp(r->ts, r->msg);

	return (tp == SIP_TRANSP_TCP || tp == SIP_TRANSP_TLS) && tandem_outbound_is_direct(r->msg);
}

static void answer_error(const struct registration *r)
{
	char headers[64] = "";

	if (r->code == 423)
		re_snprintf(headers, sizeof(headers), "Min-Expires: %u\r\n",
			    r->ts->cfg.min_expires_s);
	else if (r->code == 503)
		re_snprintf(headers, sizeof(headers), "Retry-After: %u\r\n",
			    r->retry_after_s ? r->retry_after_s : 60);
	tandem_sip_answer(r->ts, r->msg, r->code, headers);
}

/* 200 with all bindings and how long they last. */
static void answer_ok(struct registration *r)
{
	struct mbuf *mb = mbuf_alloc(512);
	int64_t now = time(NULL);
	char *text = NULL;
	size_t count, i;
	int err;

	if (!mb)
		return;

	count = tandem_location_find(r->ts->loc, r->aor, r->bindings, CONTACTS_MAX);
	err = 0;
	for (i = 0; i < MIN(count, CONTACTS_MAX); i++) {
		const struct tandem_binding *b = r->bindings[i];

		err |= mbuf_printf(mb, "Contact: <%s>;q=%u.%03u;expires=%u", b->uri, b->q / 1000,
				   b->q % 1000, (uint32_t)(b->expires - now));
		if (b->reg_id)
			err |= mbuf_printf(mb, ";+sip.instance=\"%s\";reg-id=%u", b->instance,
					   b->reg_id);
		err |= mbuf_write_str(mb, "\r\n");
	}
	if (r->outbound)
		err |= mbuf_write_str(mb, "Require: outbound\r\n");
	if (r->outbound && has_flow_timer(r))
		err |= mbuf_printf(mb, "Flow-Timer: %u\r\n", r->ts->cfg.connections.flow_timer_s);
	if (*r->path && sip_msg_hdr_has_value(r->msg, SIP_HDR_SUPPORTED, "path"))
		err |= mbuf_printf(mb, "Path: %s\r\n", r->path);
	if (!err)
		err = re_sdprintf(&text, "%b", mb->buf, mb->end);
	tandem_sip_answer(r->ts, r->msg, err ? 500 : 200, text);
	mem_deref(text);
	mem_deref(mb);
}

static void process(struct registration *r)
{
	size_t i;

	r->bindings_count = MIN(tandem_location_find(r->ts->loc, r->aor, r->bindings, CONTACTS_MAX),
				CONTACTS_MAX);

	(void)sip_msg_hdr_apply(r->msg, true, SIP_HDR_CONTACT, contact_handler, r);
	if (!r->code && r->wildcard)
		r->code = remove_all(r);
	/* a repeated request changes nothing at all */
	if (!r->code && r->repeated && r->changes_count)
		r->code = 500;
	if (!r->code)
		r->code = check_limits(r);
	/* what could not be written is not acknowledged: it would be gone with the process */
	if (!r->code && tandem_location_apply(r->ts->loc, r->changes, r->changes_count)) {
		r->code = 503;
		r->retry_after_s = STORE_RETRY_S;
	}

	if (!r->code && (r->added || r->repeated))
		tandem_conns_registered(r->msg, r->outbound && tandem_outbound_is_direct(r->msg));
	if (r->code)
		answer_error(r);
	else
		answer_ok(r);

	for (i = 0; i < r->changes_count; i++)
		mem_deref(r->changes[i].put);
}

void tandem_sip_register(struct tandem_sip *ts, const struct sip_msg *msg)
{
	uint32_t max_contacts = ts->cfg.max_contacts;
	struct registration *r;
	char *aor = NULL;
	int err;

	if (tandem_auth_flood(ts->auth, msg) || tandem_sip_drained(ts, msg) ||
	    !tandem_auth_admit(ts->auth, msg, &max_contacts))
		return;
	if (refuse_require(ts, msg))
		return;
	if (!tandem_sip_is_local(ts, &msg->to.uri) || tandem_sip_aor(ts, &msg->to.uri, &aor)) {
		tandem_sip_answer(ts, msg, 404, NULL);
		return;
	}

	r = mem_zalloc(sizeof(*r), NULL);
	if (!r) {
		mem_deref(aor);
		return;
	}
	r->ts = ts;
	r->msg = msg;
	r->aor = aor;
	r->max_contacts = max_contacts;

	err = read_request(r);
	if (err)
		tandem_sip_answer(ts, msg, err == -E2BIG ? 400 : 500, NULL);
	else
		process(r);

	tandem_log(TANDEM_LOG_DEBUG, "sip", "REGISTER %s: %u changes, %u", aor,
		   (unsigned int)r->changes_count, r->code ? r->code : 200);
	mem_deref(r->path);
	mem_deref(r->user_agent);
	mem_deref(r->aor);
	mem_deref(r);
}
