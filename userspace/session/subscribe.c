/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who publishes sends media to the relay alone; who subscribes gets media of a session that others
 * have. A subscription is a session of its own, with the subscriber as its B and nobody as its A:
 * so its offer, answer, keys, ports and learning are those of any session. What it is fed with are
 * legs of the flows of its source (compile.c), which knows its subscribers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/model.h"
#include "userspace/util/log.h"

/* ---- the list of a source ---- */

static size_t count(const struct tandem_session *source)
{
	const struct tandem_session *sub;
	size_t n = 0;

	for (sub = source->subscribers; sub; sub = sub->next_subscriber)
		n++;
	return n;
}

static void attach(struct tandem_session *sub, struct tandem_session *source)
{
	sub->source_session = source;
	sub->source_number = source->number;
	sub->next_subscriber = source->subscribers;
	source->subscribers = sub;
}

static void detach(struct tandem_session *sub)
{
	struct tandem_session **p = &sub->source_session->subscribers;

	while (*p != sub)
		p = &(*p)->next_subscriber;
	*p = sub->next_subscriber;
	sub->source_session = NULL;
}

void tandem_session_part(struct tandem_sessions *ss, struct tandem_session *s)
{
	struct tandem_session *source = s->source_session, *sub;

	while ((sub = s->subscribers)) {
		detach(sub);
		/* one that is on its way out comes to its end by itself */
		if (!sub->why_over)
			(void)tandem_session_end(ss, sub->name, "its source has ended");
	}
	if (!source)
		return;
	detach(s);
	(void)tandem_flows_sync(ss, source);
}

int tandem_subscriptions_restore(struct tandem_sessions *ss)
{
	struct tandem_session *s, *next, *source;

	for (s = ss->first; s; s = next) {
		next = s->next;
		if (!s->feeds)
			continue;
		source = tandem_sessions_by_number(ss, s->source_number);
		if (source && !source->feeds) {
			attach(s, source);
			continue;
		}
		tandem_session_log(s, TANDEM_LOG_WARNING, "what it has subscribed to is gone");
		tandem_sessions_unlink(ss, s);
		tandem_media_list_release(ss, &s->agreed, NULL, NULL);
		tandem_session_unsave(ss, s);
		tandem_session_destroy(s);
	}
	return 0;
}

/* ---- what is offered to a subscriber ---- */

struct offer {
	struct tandem_feed feeds[TANDEM_MEDIA_MAX];
	size_t n;
	char *text;
	size_t len;
};

/* The last description of a party that was agreed on. -ENODATA: it was that of another process. */
static int read_description(const struct tandem_session *s, enum tandem_party_id party,
			    struct tandem_sdp **docp)
{
	struct tandem_sdp_error why;

	if (!s->offer)
		return -ENODATA;
	if (s->offerer == (int)party)
		return tandem_sdp_dup(docp, s->offer);
	return s->answer ? tandem_sdp_parse(docp, s->answer, strlen(s->answer), &why) : -ENODATA;
}

/* The party's own security, transports and groups are between it and the relay. */
static int make_plain(struct tandem_sdp *doc, size_t i)
{
	int err = tandem_secure_sdp_strip(
		doc, i, tandem_sdp_media(doc, i)->feedback ? "RTP/AVPF" : "RTP/AVP");

	if (!err)
		err = tandem_sdp_remove_attr(doc, (int)i, "mid");
	return err ? err : tandem_sdp_remove_attr(doc, (int)i, "bundle-only");
}

static int describe_media(const struct tandem_session *s, enum tandem_party_id party,
			  struct tandem_sdp *doc, size_t i)
{
	const struct tandem_media *m = i < s->agreed.n ? &s->agreed.v[i] : NULL;
	int err;

	/* what is secured from end to end nobody else can read */
	if (!m || !m->active || m->srtp)
		return tandem_sdp_reject_media(doc, i);
	err = make_plain(doc, i);
	return err ? err
		   : tandem_sdp_set_direction(doc, (int)i,
					      m->leg[party].sends ? TANDEM_SDP_SENDONLY : 0);
}

/* The first party's description, and behind it the media of the others'. */
static int append(struct offer *offer, const struct tandem_sdp *doc)
{
	char *text, *joined;
	const char *from;
	size_t len;
	int err = tandem_sdp_print(doc, &text, &len);

	if (err)
		return err;
	from = offer->text ? strstr(text, "\r\nm=") : text;
	from = from && offer->text ? from + 2 : from;
	len = from ? strlen(from) : 0;
	joined = realloc(offer->text, offer->len + len + 1);
	if (joined && from) {
		memcpy(joined + offer->len, from, len + 1);
		offer->len += len;
	}
	offer->text = joined ? joined : offer->text;
	free(text);
	return joined ? 0 : -ENOMEM;
}

static int describe_party(const struct tandem_session *s, enum tandem_party_id party,
			  struct offer *offer)
{
	struct tandem_sdp *doc;
	size_t i;
	int err = read_description(s, party, &doc);

	if (err)
		return err;
	if (offer->n + tandem_sdp_media_count(doc) > TANDEM_MEDIA_MAX)
		err = -ENOSPC;
	if (!err)
		err = tandem_relay_unbundle(doc);
	if (!err)
		err = tandem_secure_sdp_session(doc);
	for (i = 0; i < tandem_sdp_media_count(doc) && !err; i++) {
		err = describe_media(s, party, doc, i);
		if (!err)
			offer->feeds[offer->n++] = (struct tandem_feed){ (uint8_t)party,
									 (uint8_t)i };
	}
	if (!err)
		err = append(offer, doc);
	tandem_sdp_free(doc);
	return err;
}

static int describe(const struct tandem_session *s, unsigned int parties, struct offer *offer)
{
	int p, err = 0;

	*offer = (struct offer){ 0 };
	for (p = TANDEM_PARTY_A; p <= TANDEM_PARTY_B && !err; p++) {
		if (parties & 1U << p && !s->absent[p])
			err = describe_party(s, p, offer);
	}
	return err || offer->n ? err : -EINVAL;
}

/* ---- subscribers ---- */

static struct tandem_session *find(const struct tandem_sessions *ss, enum tandem_owner owner,
				   const char *call_id, const char *to_tag)
{
	struct tandem_session *s = tandem_sessions_next_owned(ss, owner, call_id, NULL);

	while (s &&
	       !(s->feeds && s->tag[TANDEM_PARTY_B] && !strcmp(s->tag[TANDEM_PARTY_B], to_tag)))
		s = tandem_sessions_next_owned(ss, owner, call_id, s);
	return s;
}

static int create(struct tandem_sessions *ss, struct tandem_session *source, const char *to_tag,
		  struct tandem_session **subp)
{
	char name[TANDEM_SESSION_NAME_SIZE];
	struct tandem_dialog dialog = {
		.owner = source->owner,
		.call_id = source->call_id,
		.from_tag = "",
		.to_tag = to_tag,
		.branch = tandem_session_spare(ss, source->owner, source->call_id),
	};
	struct tandem_session *sub;
	struct tandem_feed *feeds;
	int err;

	if (count(source) >= TANDEM_SUBSCRIBERS_MAX)
		return -ENOSPC;
	feeds = calloc(TANDEM_MEDIA_MAX, sizeof(*feeds));
	if (!feeds)
		return -ENOMEM;
	err = tandem_session_open(ss, &dialog);
	if (err) {
		free(feeds);
		return err;
	}
	tandem_session_name(name, dialog.owner, dialog.call_id, dialog.branch);
	sub = tandem_sessions_by_call(ss, name);
	sub->feeds = feeds;
	sub->absent[TANDEM_PARTY_A] = true;
	attach(sub, source);
	*subp = sub;
	return 0;
}

/* Has any party, or another subscriber, this tag? */
static bool is_taken(const struct tandem_sessions *ss, const struct tandem_session *source,
		     const char *tag)
{
	const struct tandem_session *s = NULL;

	while ((s = tandem_sessions_next_owned(ss, source->owner, source->call_id, s))) {
		if ((s->tag[0] && !strcmp(s->tag[0], tag)) ||
		    (s->tag[1] && !strcmp(s->tag[1], tag)))
			return true;
	}
	return false;
}

int tandem_session_subscribe(struct tandem_sessions *ss, const char *call, const char *to_tag,
			     unsigned int parties, const struct tandem_signal *sig, char **outp,
			     size_t *out_len)
{
	struct tandem_session *source = tandem_sessions_by_call(ss, call), *sub, *made = NULL;
	struct offer offer;
	int err;

	if (!source)
		return -ENOENT;
	if (source->feeds || !*to_tag)
		return -EINVAL;
	if (!source->answered || source->pending_from != TANDEM_PARTY_NONE)
		return -EAGAIN;
	err = describe(source, parties, &offer);
	sub = find(ss, source->owner, source->call_id, to_tag);
	if (!err && sub && sub->source_session != source)
		err = -EEXIST;
	if (!err && !sub) {
		err = is_taken(ss, source, to_tag) ? -EEXIST : create(ss, source, to_tag, &made);
		sub = made;
	}
	if (!err)
		err = tandem_session_offer(ss, sub->name, TANDEM_PARTY_A, sig, offer.text,
					   offer.len, outp, out_len);
	if (!err)
		memcpy(sub->feeds, offer.feeds, sizeof(offer.feeds));
	else if (made)
		(void)tandem_session_end(ss, made->name, "subscription refused");
	free(offer.text);
	return err;
}

int tandem_session_subscribed(struct tandem_sessions *ss, enum tandem_owner owner,
			      const char *call_id, const char *to_tag,
			      const struct tandem_signal *sig, const char *sdp, size_t len)
{
	struct tandem_session *sub = find(ss, owner, call_id, to_tag);
	char *out;
	size_t out_len;
	int err;

	if (!sub)
		return -ENOENT;
	err = tandem_session_answer(ss, sub->name, TANDEM_PARTY_B, sig, sdp, len, &out, &out_len);
	if (err)
		return err;
	free(out); /* there is nobody to pass it on to */
	return tandem_session_confirm(ss, sub->name);
}

int tandem_session_unsubscribe(struct tandem_sessions *ss, enum tandem_owner owner,
			       const char *call_id, const char *to_tag)
{
	struct tandem_session *sub = find(ss, owner, call_id, to_tag);

	return sub ? tandem_session_end(ss, sub->name, "unsubscribed") : -ENOENT;
}

/* ---- publishers ---- */

/* What nobody would say who takes all of it, and sends nothing: the offer as it would be passed on. */
static int accept_all(char **textp, size_t *lenp)
{
	struct tandem_sdp_error why;
	struct tandem_sdp *doc;
	int err = tandem_sdp_parse(&doc, *textp, *lenp, &why);
	size_t i;

	free(*textp);
	*textp = NULL;
	if (err)
		return err;
	for (i = 0; i < tandem_sdp_media_count(doc) && !err; i++) {
		const struct tandem_sdp_media *media = tandem_sdp_media(doc, i);

		if (media->port && tandem_media_is_anchored(media))
			err = tandem_sdp_set_direction(
				doc, (int)i,
				media->dir & TANDEM_SDP_SENDONLY ? TANDEM_SDP_RECVONLY : 0);
		else if (media->port)
			err = tandem_sdp_reject_media(doc, i);
	}
	if (!err)
		err = tandem_sdp_print(doc, textp, lenp);
	tandem_sdp_free(doc);
	return err;
}

int tandem_session_publish(struct tandem_sessions *ss, const char *call,
			   const struct tandem_signal *sig, const char *sdp, size_t len,
			   char **outp, size_t *out_len)
{
	const struct tandem_signal nobody = { .source = sig->source };
	struct tandem_session *s = tandem_sessions_by_call(ss, call);
	struct tandem_signal plain = *sig;
	char *text;
	size_t text_len;
	int err;

	if (!s)
		return -ENOENT;
	/* what has two parties, or waits for the second, is a call */
	if (s->feeds || (!s->absent[TANDEM_PARTY_B] && (s->offer || s->answered)))
		return -EINVAL;
	s->absent[TANDEM_PARTY_B] = true;
	plain.target_security = TANDEM_SECURITY_PLAIN;
	err = tandem_session_offer(ss, call, TANDEM_PARTY_A, &plain, sdp, len, &text, &text_len);
	if (err)
		return err;
	err = accept_all(&text, &text_len);
	if (!err)
		err = tandem_session_answer(ss, call, TANDEM_PARTY_B, &nobody, text, text_len, outp,
					    out_len);
	free(text);
	if (!err)
		return tandem_session_confirm(ss, call);
	(void)tandem_session_rollback(ss, call);
	return err;
}
