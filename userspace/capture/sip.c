/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/capture/sip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

#include "userspace/datapath/hash.h"

#define CALL_ID_MAX 256
#define REASON_MAX  80 /* characters of a reason phrase that are kept */

struct tandem_sip_log {
	struct tandem_sip_call *calls;
	size_t count, room;
	size_t messages;
	uint64_t missed;
	struct tandem_hash hash; /* of a Call-ID, cut: index */
};

int tandem_sip_log_alloc(struct tandem_sip_log **lp)
{
	struct tandem_sip_log *log = calloc(1, sizeof(*log));

	if (!log)
		return -ENOMEM;
	tandem_hash_init(&log->hash, CALL_ID_MAX);
	*lp = log;
	return 0;
}

static void call_clean(struct tandem_sip_call *call)
{
	for (size_t i = 0; i < call->count; i++) {
		free(call->messages[i].text);
		free(call->messages[i].sdp);
	}
	free(call->messages);
	free(call->call_id);
	free(call->from);
	free(call->to);
}

void tandem_sip_log_free(struct tandem_sip_log *log)
{
	if (!log)
		return;
	for (size_t i = 0; i < log->count; i++)
		call_clean(&log->calls[i]);
	free(log->calls);
	tandem_hash_clean(&log->hash);
	free(log);
}

size_t tandem_sip_log_count(const struct tandem_sip_log *log)
{
	return log->count;
}

const struct tandem_sip_call *tandem_sip_log_at(const struct tandem_sip_log *log, size_t i)
{
	return &log->calls[i];
}

uint64_t tandem_sip_log_missed(const struct tandem_sip_log *log)
{
	return log->missed;
}

/* "SIP/2.0 200 OK", or a method, a URI and "SIP/2.0" on the first line (RFC 3261 7.1, 7.2). */
static bool begins_like_sip(const struct tandem_udp *d)
{
	const char *text = (const char *)d->payload, *end = memchr(text, '\n', d->len);
	static const char version[] = " SIP/2.0";
	size_t len;

	if (!end)
		return false;
	len = (size_t)(end - text);
	if (len && text[len - 1] == '\r')
		len--;
	if (len >= 8 && memcmp(text, version + 1, 7) == 0)
		return text[7] == ' ';
	return len > sizeof(version) && text[0] >= 'A' && text[0] <= 'Z' &&
	       memcmp(text + len - 8, version, 8) == 0;
}

static char *copy(const struct pl *pl)
{
	return strndup(pl->p ? pl->p : "", pl->p ? pl->l : 0);
}

static void *grown(void *list, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 8;

	if (count < *room)
		return list;
	list = reallocarray(list, more, size);
	if (list)
		*room = more;
	return list;
}

static struct tandem_sip_call *call_add(struct tandem_sip_log *log, const struct sip_msg *msg,
					const char key[CALL_ID_MAX])
{
	struct tandem_sip_call *calls, *call;

	calls = grown(log->calls, log->count, &log->room, sizeof(*calls));
	if (!calls)
		return NULL;
	log->calls = calls;
	call = &calls[log->count];
	*call = (struct tandem_sip_call){ .call_id = copy(&msg->callid),
					  .from = copy(&msg->from.auri),
					  .to = copy(&msg->to.auri) };
	if (!call->call_id || !call->from || !call->to ||
	    tandem_hash_set(&log->hash, key, (uint32_t)log->count)) {
		call_clean(call);
		return NULL;
	}
	log->count++;
	return call;
}

static struct tandem_sip_call *call_of(struct tandem_sip_log *log, const struct sip_msg *msg)
{
	char key[CALL_ID_MAX] = "";
	uint32_t index;

	if (msg->callid.p)
		memcpy(key, msg->callid.p,
		       msg->callid.l < sizeof(key) ? msg->callid.l : sizeof(key));
	index = tandem_hash_get(&log->hash, key);
	return index == TANDEM_HASH_NONE ? call_add(log, msg, key) : &log->calls[index];
}

/* What an arrow of the ladder says. */
static char *text_of(const struct sip_msg *msg)
{
	char *text;
	int n;

	if (msg->req)
		return copy(&msg->met);
	n = asprintf(&text, "%u %.*s", msg->scode,
		     (int)(msg->reason.l < REASON_MAX ? msg->reason.l : REASON_MAX),
		     msg->reason.p ? msg->reason.p : "");
	return n < 0 ? NULL : text;
}

static int log_message(struct tandem_sip_log *log, const struct sip_msg *msg,
		       const struct tandem_captured *p, const struct pl *sdp)
{
	struct tandem_sip_message *messages, *m;
	struct tandem_sip_call *call;

	if (log->messages == TANDEM_SIP_MESSAGES_MAX) {
		log->missed++;
		return 0;
	}
	call = call_of(log, msg);
	if (!call)
		return -ENOMEM;
	messages = grown(call->messages, call->count, &call->room, sizeof(*messages));
	if (!messages)
		return -ENOMEM;
	call->messages = messages;
	m = &messages[call->count];
	*m = (struct tandem_sip_message){ .time_ns = p->time_ns,
					  .src = p->d.src,
					  .dst = p->d.dst,
					  .text = text_of(msg),
					  .status = msg->req ? 0 : msg->scode,
					  .sdp = sdp->l ? copy(sdp) : NULL };
	if (!m->text || (sdp->l && !m->sdp)) {
		free(m->text);
		free(m->sdp);
		return -ENOMEM;
	}
	if (msg->cseq.met.p)
		(void)pl_strcpy(&msg->cseq.met, m->method, sizeof(m->method));
	call->count++;
	log->messages++;
	return 0;
}

/* The description that msg carries, or a pl of nothing. Bodies of several parts are not read. */
static struct pl description_of(const struct sip_msg *msg)
{
	struct pl body = { (const char *)mbuf_buf(msg->mb), mbuf_get_left(msg->mb) };

	if (!msg_ctype_cmp(&msg->ctyp, "application", "sdp"))
		body.l = 0;
	if (msg->clen.p && pl_u32(&msg->clen) < body.l)
		body.l = pl_u32(&msg->clen);
	return body;
}

int tandem_sip_log_take(struct tandem_sip_log *log, const struct tandem_captured *p,
			struct tandem_announces *announces)
{
	struct sip_msg *msg = NULL;
	struct mbuf *mb;
	struct pl sdp;
	int err = 0;

	if (!begins_like_sip(&p->d))
		return 0;
	mb = mbuf_alloc(p->d.len);
	if (!mb || mbuf_write_mem(mb, p->d.payload, p->d.len)) {
		err = -ENOMEM;
		goto out;
	}
	mbuf_set_pos(mb, 0);
	if (sip_msg_decode(&msg, mb))
		goto out;
	sdp = description_of(msg);
	if (sdp.l)
		err = tandem_announces_add(announces, sdp.p, sdp.l, p->time_ns);
	if (!err)
		err = log_message(log, msg, p, &sdp);
out:
	mem_deref(msg);
	mem_deref(mb);
	return err ? err : 1;
}
