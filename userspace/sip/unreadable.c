/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/unreadable.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "userspace/sip/auth.h"
#include "userspace/sip/conns.h"
#include "userspace/sip/raw.h"
#include "userspace/util/log.h"

#define STAND_IN_MAX 640
#define LINE_SHOWN   160
#define END_OF_ALL   '\0' /* no message begins like this */

/* Read and handed on within one handler of libre's loop. */
static struct {
	const struct sip_msg *msg;
	struct tandem_unreadable u;
} last;

static bool is_sip_2(const struct pl *version)
{
	return version->l == 7 && !strncasecmp(version->p, "SIP/2.0", 7);
}

/* RFC 3261 section 21.5.6: another version, not a first line that goes wrong after the right one. */
static uint16_t code_of(const struct tandem_raw *raw)
{
	const char *p = raw->version.p + strlen("SIP/"), *end = raw->version.p + raw->version.l;
	size_t digits = 0, dots = 0;

	for (; p < end && (*p == '.' || (*p >= '0' && *p <= '9')); p++) {
		digits += *p != '.';
		dots += *p == '.';
	}

	return p == end && digits > 1 && dots == 1 && !is_sip_2(&raw->version) ? 505 : 400;
}

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

/* On one line, whatever it was on. */
static int add(struct tandem_unreadable *u, const char *p, size_t len)
{
	size_t i;

	if (len > sizeof(u->text) - u->len)
		return -EBADMSG;
	for (i = 0; i < len; i++)
		u->text[u->len++] = is_control(p[i]) ? ' ' : p[i];

	return 0;
}

static int add_end(struct tandem_unreadable *u)
{
	if (sizeof(u->text) - u->len < 2)
		return -EBADMSG;
	u->text[u->len++] = '\r';
	u->text[u->len++] = '\n';

	return 0;
}

static int add_line(struct tandem_unreadable *u, const char *name, const struct pl *value)
{
	int err = 0;

	if (!value->p)
		return 0;
	err = add(u, name, strlen(name));
	if (!err)
		err = add(u, value->p, value->l);

	return err ? err : add_end(u);
}

/* RFC 3261 section 8.2.6.2: a tag of ours, the same for each copy of a request. */
static int add_to(struct tandem_unreadable *u, const struct tandem_raw *raw)
{
	char tag[24];
	int err;

	if (!raw->to.p)
		return 0;
	(void)re_snprintf(tag, sizeof(tag), ";tag=%08x",
			  hash_joaat_pl(&raw->callid) ^ hash_joaat_pl(&raw->top));
	err = add(u, "To: ", 4);
	if (!err)
		err = add(u, raw->to.p, raw->to.l);
	if (!err && re_regex(raw->to.p, raw->to.l, ";[ \t\r\n]*tag[ \t\r\n]*=", NULL, NULL))
		err = add(u, tag, strlen(tag));

	return err ? err : add_end(u);
}

/* Without what we fill in: the top Via of a response has that anew (section 18.2.1, RFC 3581). */
static int add_top(struct tandem_unreadable *u, const struct pl *top)
{
	struct pl value, whole;
	const char *end = top->p + top->l;
	int err = add(u, "Via: ", 5);

	u->rport = tandem_raw_via_param(top, "rport", &value, &whole);
	if (err || !u->rport)
		return err ? err : add(u, top->p, top->l);
	err = add(u, top->p, (size_t)(whole.p - top->p));

	return err ? err : add(u, whole.p + whole.l, (size_t)(end - whole.p - whole.l));
}

static int add_vias(struct tandem_unreadable *u, const struct tandem_raw *raw)
{
	struct pl rest = raw->header, name, value, more = raw->via, top;
	bool first = true;
	int err = add_top(u, &raw->top);

	u->top = u->len;
	(void)tandem_raw_value(&more, &top);
	if (!err && more.l)
		err = add(u, ", ", 2);
	if (!err)
		err = add(u, more.p, more.l);
	if (!err)
		err = add_end(u);
	while (!err && tandem_raw_field(&rest, &name, &value)) {
		if (!tandem_raw_is(&name, "Via", 'v'))
			continue;
		if (!first)
			err = add_line(u, "Via: ", &value);
		first = false;
	}

	return err;
}

/* An answer that goes to another host than the question is for whoever wrote maddr to hurt. */
static int describe(struct tandem_unreadable *u, const struct tandem_raw *raw)
{
	struct pl sent_by;
	size_t i;
	int err;

	if (!pl_strcmp(&raw->method, "ACK") || !raw->top.l || !raw->from.p || !raw->to.p ||
	    !raw->callid.p || !raw->cseq.p || !tandem_raw_sent_by(&raw->top, &sent_by) ||
	    tandem_raw_via_param(&raw->top, "maddr", NULL, NULL) ||
	    pl_strcpy(&sent_by, u->sent_by, sizeof(u->sent_by)))
		return -EBADMSG;
	u->agent[0] = '\0';
	(void)pl_strcpy(&raw->agent, u->agent, sizeof(u->agent));
	for (i = 0; u->agent[i]; i++) {
		if (is_control(u->agent[i]))
			u->agent[i] = ' ';
	}
	u->code = code_of(raw);
	u->len = 0;
	err = add_vias(u, raw);
	if (!err)
		err = add_line(u, "From: ", &raw->from);
	if (!err)
		err = add_to(u, raw);
	if (!err)
		err = add_line(u, "Call-ID: ", &raw->callid);

	return err ? err : add_line(u, "CSeq: ", &raw->cseq);
}

/* Replace len octets at mb's position by text; what is after them stays. */
static int splice(struct mbuf *mb, size_t len, const char *text, size_t text_len)
{
	size_t after = mbuf_get_left(mb) - len, end = mb->pos + text_len + after;

	if (end > mb->size && mbuf_resize(mb, end))
		return -ENOMEM;
	memmove(mbuf_buf(mb) + text_len, mbuf_buf(mb) + len, after);
	memcpy(mbuf_buf(mb), text, text_len);
	mb->end = end;

	return 0;
}

/*
 * An INVITE, its ACK and its CANCEL have the same one, and so has a request that comes again; nothing
 * else has: it is what RFC 3261 section 17.2.3 compares where there is no branch.
 */
static int write_branch(struct mbuf *mb, const struct tandem_raw *raw)
{
	static const uint8_t key[] = "RFC 2543";
	bool invite = !pl_strcmp(&raw->method, "ACK") || !pl_strcmp(&raw->method, "CANCEL");
	struct pl method = raw->method, number = { .p = raw->cseq.p };
	uint8_t digest[20];
	int err;

	if (invite)
		pl_set_str(&method, "INVITE");
	while (number.l < raw->cseq.l && number.p[number.l] >= '0' && number.p[number.l] <= '9')
		number.l++;
	err = mbuf_printf(mb, "%r|%r|%r|%r|%r|%r", &method, &raw->uri, &raw->from, &raw->callid,
			  &number, &raw->top);
	if (err)
		return -err;
	hmac_sha1(key, sizeof(key) - 1, mb->buf, mb->end, digest, sizeof(digest));
	mbuf_rewind(mb);

	return -mbuf_printf(mb, ";branch=z9hG4bK2543%w", digest, sizeof(digest));
}

static bool may_mend(const struct tandem_raw *raw)
{
	return is_sip_2(&raw->version) && raw->uri.p && tandem_sip_uri_clean(&raw->uri) &&
	       raw->from.p && raw->callid.p && raw->cseq.p && raw->via.p &&
	       tandem_raw_via_sound(&raw->via);
}

/* RFC 3261 sections 7.1, "case-insensitive", and 17.2.3. *lenp: octets of the header, which grow. */
static int mend(struct mbuf *mb, const struct tandem_raw *raw, size_t *lenp)
{
	const char *start = (const char *)mbuf_buf(mb);
	size_t pos = mb->pos, version, at;
	struct mbuf *branch;
	int err = 0;

	if (!may_mend(raw))
		return -EBADMSG;
	version = (size_t)(raw->version.p - start);
	at = (size_t)(raw->top.p + raw->top.l - start);
	branch = mbuf_alloc(512);
	if (!branch)
		return -ENOMEM;
	if (!tandem_raw_via_param(&raw->top, "branch", NULL, NULL))
		err = write_branch(branch, raw);
	if (!err) {
		memcpy(mbuf_buf(mb) + version, "SIP/2.0", 7);
		mb->pos += at;
		err = splice(mb, 0, (const char *)branch->buf, branch->end);
		mb->pos = pos;
	}
	if (!err)
		*lenp += branch->end;
	mem_deref(branch);

	return err;
}

/*
 * What comes to the front end in place of a request. The body is left where its length is known;
 * where it is not, nobody knows what is next on a connection, and END_OF_ALL has it closed after the answer.
 */
static int stand_in(struct mbuf *mb, const struct tandem_unreadable *u, size_t len, int body)
{
	static const char end_of_all[2] = { END_OF_ALL, END_OF_ALL };
	struct pl sent_by = { .p = u->sent_by, .l = strlen(u->sent_by) };
	char text[STAND_IN_MAX];
	int n;

	n = re_snprintf(text, sizeof(text) - sizeof(end_of_all),
			"UNREADABLE sip:unreadable.invalid SIP/2.0\r\n"
			"Via: SIP/2.0/UDP %r%s;branch=z9hG4bKunreadable\r\n"
			"%s%s%sContent-Length: %d\r\n\r\n",
			&sent_by, u->rport ? ";rport" : "", *u->agent ? "User-Agent: " : "",
			u->agent, *u->agent ? "\r\n" : "", body < 0 ? 0 : body);
	if (n < 0)
		return -ENOMEM;
	if (body < 0) {
		len = mbuf_get_left(mb);
		memcpy(text + n, end_of_all, sizeof(end_of_all));
		n += (int)sizeof(end_of_all);
	}

	return splice(mb, len, text, (size_t)n);
}

/* libre's own, which this one is found in place of. */
static int libre_decode(struct sip_msg **msgp, struct mbuf *mb)
{
	static int (*next)(struct sip_msg **, struct mbuf *);

	/* ISO C does not make functions of pointers to void */
	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "sip_msg_decode");

	return next ? next(msgp, mb) : ENOSYS;
}

static int decode_other(struct sip_msg **msgp, struct mbuf *mb, bool mendable, int err)
{
	struct tandem_raw raw;
	size_t len;
	int body, silent, incomplete;

	incomplete = tandem_raw_read(&raw, (const char *)mbuf_buf(mb), mbuf_get_left(mb));
	if (incomplete)
		return incomplete == -ENODATA ? ENODATA : err;

	tandem_log(TANDEM_LOG_DEBUG, "sip", "not as RFC 3261 has it: %.*s",
		   (int)MIN(raw.version.p + raw.version.l - raw.method.p, LINE_SHOWN),
		   raw.method.p);
	len = (size_t)(raw.header.p + raw.header.l - (const char *)mbuf_buf(mb));
	body = tandem_raw_body_len(&raw, mbuf_get_left(mb) - len);
	silent = describe(&last.u, &raw);
	mendable &= body >= 0 || !tandem_conns_receiving();
	if (mendable && !mend(mb, &raw, &len) && !libre_decode(msgp, mb))
		return 0;
	if (silent)
		return EBADMSG;

	err = -stand_in(mb, &last.u, len, body);
	if (!err)
		err = libre_decode(msgp, mb);
	if (!err)
		last.msg = *msgp;

	return err;
}

/* RFC 3261 section 18.3: where messages follow one another each has to say how long it is. */
static bool lacks_length(const struct sip_msg *msg)
{
	return msg->req && !sip_msg_hdr(msg, SIP_HDR_CONTENT_LENGTH) && tandem_conns_receiving();
}

int sip_msg_decode(struct sip_msg **msgp, struct mbuf *mb)
{
	size_t pos;
	int err;

	if (!msgp || !mb)
		return EINVAL;

	last.msg = NULL;
	if (mbuf_get_left(mb) && *mbuf_buf(mb) == END_OF_ALL)
		return EBADMSG;
	pos = mb->pos;
	err = libre_decode(msgp, mb);
	if (err)
		return err == ENOMEM ? err : decode_other(msgp, mb, true, err);
	if (!lacks_length(*msgp))
		return 0;
	*msgp = mem_deref(*msgp);
	mb->pos = pos;

	return decode_other(msgp, mb, false, EBADMSG);
}

const struct tandem_unreadable *tandem_unreadable_of(const struct sip_msg *msg)
{
	return msg && msg == last.msg ? &last.u : NULL;
}

int tandem_unreadable_write(struct mbuf *mb, const struct tandem_unreadable *u,
			    const struct sip_msg *msg)
{
	int err;

	err = mbuf_printf(mb, "SIP/2.0 %u %s\r\n", u->code, tandem_sip_reason(u->code));
	err |= mbuf_write_mem(mb, (const uint8_t *)u->text, u->top);
	if (u->rport)
		err |= mbuf_printf(mb, ";rport=%u", sa_port(&msg->src));
	if (u->rport || !sa_cmp(&msg->src, &msg->via.addr, SA_ADDR))
		err |= mbuf_printf(mb, ";received=%j", &msg->src);
	err |= mbuf_write_mem(mb, (const uint8_t *)u->text + u->top, u->len - u->top);
	err |= mbuf_write_str(mb, "Content-Length: 0\r\n\r\n");
	mb->pos = 0;

	return err ? -ENOMEM : 0;
}

void tandem_unreadable_answer(struct tandem_sip *ts, const struct sip_msg *msg,
			      const struct tandem_unreadable *u)
{
	struct mbuf *mb;
	struct sa dst;

	if (tandem_auth_flood(ts->auth, msg))
		return;
	mb = mbuf_alloc(512);
	if (!mb)
		return;
	tandem_sip_reply_addr(&dst, msg);
	if (!tandem_unreadable_write(mb, u, msg))
		(void)sip_send(tandem_sip_stack(ts, &msg->dst), msg->sock, msg->tp, &dst, mb);
	ts->auth->counters.unreadable++;
	mem_deref(mb);
}
