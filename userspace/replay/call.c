/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/replay/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/capture/inspect.h"
#include "userspace/replay/dialog.h"
#include "userspace/sdp/sdp.h"

/* Who is who, also as number of a source: that is where media comes from. */
enum side { CALLER, CALLEE, SIDES };

struct call {
	struct tandem_replay_result *r;
	struct tandem_inspection in;
	const struct tandem_sip_message *said[SIDES]; /* offer and answer of the file */
	struct tandem_endpoint media[SIDES];	      /* where they receive, in the file */
	char *sdp[SIDES];			      /* the same, of addresses of ours */
	struct tandem_script script;
	struct tandem_sources *sources;
	struct tandem_dialog *dialog;
};

static int refuse(const struct call *c, const char *why)
{
	fprintf(stderr, "tandem: %s: call %u: %s\n", c->r->o->file, c->r->o->call, why);
	return -EINVAL;
}

/* The first INVITE with a description, and the 200 to it from where it went. */
static int find_messages(struct call *c, const struct tandem_sip_call *sip)
{
	const struct tandem_sip_message *offer = NULL;

	for (size_t i = 0; i < sip->count; i++) {
		const struct tandem_sip_message *m = &sip->messages[i];

		if (!offer && m->sdp && strcmp(m->text, "INVITE") == 0)
			offer = m;
		if (offer && m->sdp && m->status == 200 && strcmp(m->method, "INVITE") == 0 &&
		    tandem_endpoint_equal(&m->src, &offer->dst)) {
			c->said[CALLER] = offer;
			c->said[CALLEE] = m;
			return 0;
		}
	}
	return refuse(c, "it has no INVITE with a description and no answer to it");
}

/* Calls are counted as they begin; what is no INVITE does not count. */
static int find_call(struct call *c)
{
	unsigned int n = 0;

	for (size_t i = 0; i < tandem_sip_log_count(c->in.sip); i++) {
		const struct tandem_sip_call *sip = tandem_sip_log_at(c->in.sip, i);

		if (sip->count && strcmp(sip->messages[0].method, "INVITE") == 0 &&
		    ++n == c->r->o->call)
			return find_messages(c, sip);
	}
	return refuse(c, "there is no such call");
}

/* Index of the first media that is plain RTP and not refused, or -1. */
static int rtp_media(const struct tandem_sdp *sdp)
{
	for (size_t i = 0; i < tandem_sdp_media_count(sdp); i++) {
		const struct tandem_sdp_media *m = tandem_sdp_media(sdp, i);

		if (m->rtp && !m->secure && m->port && m->conn.has_addr)
			return (int)i;
	}
	return -1;
}

/* Where a description wants RTP. */
static int media_address(const char *text, struct tandem_endpoint *ep)
{
	struct tandem_sdp *sdp;
	int err = tandem_sdp_parse(&sdp, text, strlen(text), NULL), i;

	if (err)
		return err;
	i = rtp_media(sdp);
	if (i < 0)
		err = -ENOENT;
	else
		err = tandem_ip_parse(&ep->ip, tandem_sdp_media(sdp, (size_t)i)->conn.host);
	if (!err)
		ep->port = tandem_sdp_media(sdp, (size_t)i)->port;
	tandem_sdp_free(sdp);
	return err;
}

static int edit_media(struct tandem_sdp *sdp, int media, const struct tandem_endpoint *ep)
{
	static const char *const ice[] = { "ice-ufrag", "ice-pwd", "ice-options", "candidate" };
	char host[TANDEM_ENDPOINT_STRLEN];
	int family = tandem_ip_family(&ep->ip), err = 0;

	tandem_ip_format(&ep->ip, host, sizeof(host));
	for (size_t i = 0; i < tandem_sdp_media_count(sdp) && !err; i++) {
		if ((int)i != media)
			err = tandem_sdp_reject_media(sdp, i);
	}
	/* Nobody answers checks here. */
	for (size_t i = 0; i < sizeof(ice) / sizeof(ice[0]) && !err; i++) {
		err = tandem_sdp_remove_attr(sdp, media, ice[i]);
		if (!err)
			err = tandem_sdp_remove_attr(sdp, TANDEM_SDP_SESSION, ice[i]);
	}
	if (!err)
		err = tandem_sdp_set_connection(sdp, media, family, host);
	if (!err)
		err = tandem_sdp_set_port(sdp, (size_t)media, ep->port);
	if (!err)
		err = tandem_sdp_set_rtcp(sdp, (size_t)media, 0, family, NULL);
	return err;
}

/* The file's description, with where our socket is bound. */
static int rewrite(const char *text, const struct tandem_endpoint *ep, char **out)
{
	struct tandem_sdp *sdp;
	int err = tandem_sdp_parse(&sdp, text, strlen(text), NULL);

	if (err)
		return err;
	err = edit_media(sdp, rtp_media(sdp), ep);
	if (!err)
		err = tandem_sdp_print(sdp, out, NULL);
	tandem_sdp_free(sdp);
	return err;
}

/* Of all RTP of the file, that of the call: to where a party receives, or from there. */
static int select_media(struct call *c)
{
	struct tandem_script *s = &c->script;
	uint32_t *map = calloc(s->flows, sizeof(*map));

	if (!map)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->flows; i++) {
		const struct tandem_script_flow *f = &s->list[i];

		map[i] = TANDEM_SCRIPT_DROP;
		if (tandem_endpoint_equal(&f->dst, &c->media[CALLEE]) ||
		    tandem_endpoint_equal(&f->src, &c->media[CALLER]))
			map[i] = CALLER;
		else if (tandem_endpoint_equal(&f->dst, &c->media[CALLER]) ||
			 tandem_endpoint_equal(&f->src, &c->media[CALLEE]))
			map[i] = CALLEE;
	}
	tandem_script_renumber(s, map);
	free(map);
	s->flows = SIDES;
	return s->count ? 0 : refuse(c, "its media is not in the file");
}

/* What the file has of the call. */
static int load(struct call *c)
{
	const struct tandem_replay_options *o = c->r->o;
	const struct tandem_replay_options all = { .file = o->file, .clones = 1 };
	char why[512] = "out of memory";
	int err = tandem_inspection_init(&c->in);

	if (!err)
		err = tandem_inspect_file(&c->in, o->file, why, sizeof(why));
	if (err) {
		fprintf(stderr, "tandem: %s\n", why);
		return err;
	}
	err = find_call(c);
	if (err)
		return err;
	for (int i = 0; i < SIDES; i++) {
		if (media_address(c->said[i]->sdp, &c->media[i]))
			return refuse(c, "no media of it is plain RTP");
	}
	err = tandem_script_load(&c->script, &all);
	return err ? err : select_media(c);
}

/* Sockets for media, at the parties' addresses, and descriptions that name them. */
static int prepare(struct call *c)
{
	const struct tandem_replay_options *o = c->r->o;
	struct tandem_source list[SIDES] = { { o->caller, o->proxy }, { o->callee, o->proxy } };
	struct tandem_endpoint bound;
	int err;

	list[CALLER].from.port = list[CALLEE].from.port = 0;
	err = tandem_sources_open(&c->sources, list, SIDES, false);
	for (uint32_t i = 0; i < SIDES && !err; i++) {
		bound = tandem_sources_bound(c->sources, i);
		err = rewrite(c->said[i]->sdp, &bound, &c->sdp[i]);
		if (err)
			refuse(c, "its description cannot be written again");
	}
	return err;
}

static int set_up(struct call *c)
{
	const struct tandem_replay_options *o = c->r->o;
	const char *seen[SIDES]; /* by the caller: the answer; by the callee: the offer */
	struct tandem_endpoint to;
	int err = tandem_dialog_open(&c->dialog, &o->proxy, &o->caller, &o->callee, o->domain);

	if (!err)
		err = tandem_dialog_call(c->dialog, c->sdp[CALLER], c->sdp[CALLEE], &seen[CALLEE],
					 &seen[CALLER]);
	for (uint32_t i = 0; i < SIDES && !err; i++) {
		if (media_address(seen[i], &to))
			err = refuse(c, "the proxy left no media in it");
		else
			tandem_sources_redirect(c->sources, i, &to);
	}
	return err;
}

/* What one party sent against what the other heard. */
static int compare(struct call *c, enum side from, const struct tandem_heard *heard, size_t count,
		   struct tandem_comparison *result)
{
	struct tandem_script sent = { 0 };
	struct tandem_heard *mine = calloc(count + 1, sizeof(*mine));
	size_t n = 0;
	int err = -ENOMEM;

	sent.packets = calloc(c->script.count, sizeof(*sent.packets));
	if (!mine || !sent.packets)
		goto out;
	for (size_t i = 0; i < c->script.count; i++) {
		if (c->script.packets[i].flow == from)
			sent.packets[sent.count++] = c->script.packets[i];
	}
	for (size_t i = 0; i < count; i++) {
		if (heard[i].socket != from)
			mine[n++] = heard[i];
	}
	err = tandem_compare(result, &sent, mine, n, 1);
	/* A party that said nothing is heard when nothing came. */
	result->same |= !err && !sent.count && !n;
out:
	free(sent.packets);
	free(mine);
	return err;
}

static int judge(struct call *c, const struct tandem_heard *heard, size_t count)
{
	struct tandem_comparison part[SIDES] = { 0 }, *all = &c->r->comparison;
	int err = compare(c, CALLER, heard, count, &part[CALLER]);

	if (!err)
		err = compare(c, CALLEE, heard, count, &part[CALLEE]);
	if (!err) {
		all->streams = calloc(part[CALLER].count + part[CALLEE].count + 1,
				      sizeof(*all->streams));
		err = all->streams ? 0 : -ENOMEM;
	}
	all->same = !err;
	for (int i = 0; i < SIDES && !err; i++) {
		if (part[i].count)
			memcpy(all->streams + all->count, part[i].streams,
			       part[i].count * sizeof(*all->streams));
		all->count += part[i].count;
		all->strangers += part[i].strangers;
		all->same &= part[i].same;
	}
	tandem_comparison_clean(&part[CALLER]);
	tandem_comparison_clean(&part[CALLEE]);
	return err;
}

static int talk(struct call *c)
{
	const int fds[SIDES] = { tandem_sources_fd(c->sources, CALLER),
				 tandem_sources_fd(c->sources, CALLEE) };
	struct tandem_listener *listener = NULL;
	const struct tandem_heard *heard;
	size_t count;
	int err = tandem_listener_start(&listener, fds, SIDES);

	if (!err)
		err = tandem_pace_run(&c->script, c->r->o, c->sources, &c->r->pace);
	if (!err) {
		tandem_listener_stop(listener, c->r->o->wait_ns);
		heard = tandem_listener_heard(listener, &count);
		c->r->heard = count;
		c->r->heard_missed = tandem_listener_missed(listener);
		err = judge(c, heard, count);
	}
	tandem_listener_free(listener);
	return err;
}

int tandem_call_run(struct tandem_replay_result *r)
{
	struct call c = { .r = r };
	int err = load(&c), end;

	if (!err)
		err = prepare(&c);
	if (!err)
		err = set_up(&c);
	if (!err)
		err = talk(&c);
	if (c.dialog) {
		end = tandem_dialog_end(c.dialog);
		err = err ? err : end;
	}
	r->sources = SIDES;
	r->streams = (uint32_t)r->comparison.count;
	r->listened = r->compared = true;
	tandem_dialog_free(c.dialog);
	tandem_sources_close(c.sources);
	tandem_script_free(&c.script);
	free(c.sdp[CALLER]);
	free(c.sdp[CALLEE]);
	tandem_inspection_clean(&c.in);
	return err;
}
