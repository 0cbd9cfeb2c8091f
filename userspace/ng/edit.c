/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/ng/edit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "userspace/sdp/sdp.h"

#define MARK "tandem" /* of the relay, in descriptions that it has made */

static bool is_any(const struct tandem_ng_edits *e)
{
	return e->username || e->session_name || e->version || e->no_rtcp || e->full_rtcp ||
	       e->mids || e->real_address || e->ptime || e->instance ||
	       !tandem_ip_is_any(&e->address);
}

/* Is there a section with this mid? */
static bool has_mid(const struct tandem_sdp *doc, const char *mid)
{
	const struct tandem_sdp_media *media;
	size_t i;

	for (i = 0; i < tandem_sdp_media_count(doc); i++) {
		media = tandem_sdp_media(doc, i);
		if (media->mid && !strcmp(media->mid, mid))
			return true;
	}
	return false;
}

static int add_mid(struct tandem_sdp *doc, size_t i)
{
	size_t n = i + 1;
	char mid[24];

	if (tandem_sdp_media(doc, i)->mid)
		return 0;
	do {
		snprintf(mid, sizeof(mid), "%zu", n);
		n += tandem_sdp_media_count(doc);
	} while (has_mid(doc, mid));
	return tandem_sdp_set_attr(doc, (int)i, "mid", mid);
}

/* One that was told by DTLS or ICE is in the candidates as well, and there is no other to be had. */
static int show_address(const struct tandem_ng_edits *e, struct tandem_sdp *doc, size_t i)
{
	const struct tandem_sdp_media *media = tandem_sdp_media(doc, i);
	const int family = tandem_ip_family(&e->address);
	char host[TANDEM_ENDPOINT_STRLEN];
	bool own_rtcp;
	int err;

	if (media->has_candidates || !media->rtp || media->conn.unspecified)
		return 0;
	own_rtcp = media->rtcp_explicit && media->rtcp_port;
	tandem_ip_format(&e->address, host, sizeof(host));
	err = tandem_sdp_set_connection(doc, media->nconns ? (int)i : TANDEM_SDP_SESSION, family,
					host);
	if (!err && tandem_sdp_session(doc)->has_origin)
		err = tandem_sdp_set_origin_address(doc, family, host);
	if (!err && own_rtcp)
		err = tandem_sdp_set_rtcp(doc, i, tandem_sdp_media(doc, i)->rtcp_port, family,
					  host);
	return err;
}

static int edit_rtcp(const struct tandem_ng_edits *e, struct tandem_sdp *doc, size_t i)
{
	const struct tandem_sdp_media *media = tandem_sdp_media(doc, i);

	if (e->no_rtcp)
		return tandem_sdp_set_rtcp(doc, i, 0, 0, NULL);
	if (!e->full_rtcp || !media->rtcp_port || media->conn.unspecified || !media->conn.has_addr)
		return 0;
	return tandem_sdp_set_rtcp(doc, i, media->rtcp_port, media->conn.family, media->conn.host);
}

/* 0.0.0.0 says that its sender wants nothing sent (RFC 3264 8.4): then its direction has to. */
static int replace_zero(struct tandem_sdp *doc, size_t i)
{
	const struct tandem_sdp_addr *relay = &tandem_sdp_session(doc)->origin;
	const struct tandem_sdp_media *media = tandem_sdp_media(doc, i);
	enum tandem_sdp_dir dir = media->dir & TANDEM_SDP_SENDONLY;
	char host[TANDEM_SDP_MAX_HOST + 1];
	int family = relay->family, err;

	if (!media->hold2543 || !relay->has_addr || relay->unspecified)
		return 0;
	snprintf(host, sizeof(host), "%s", relay->host);
	err = tandem_sdp_set_connection(doc, (int)i, family, host);
	return err ? err : tandem_sdp_set_direction(doc, (int)i, dir);
}

static int set_ptime(const struct tandem_ng_edits *e, struct tandem_sdp *doc, size_t i)
{
	char value[16];

	if (tandem_sdp_media(doc, i)->kind != TANDEM_SDP_AUDIO)
		return 0;
	snprintf(value, sizeof(value), "%u", e->ptime);
	return tandem_sdp_set_attr(doc, (int)i, "ptime", value);
}

static int edit_media(const struct tandem_ng_edits *e, struct tandem_sdp *doc, size_t i)
{
	int err = 0;

	if (e->mids)
		err = add_mid(doc, i);
	if (!tandem_sdp_media(doc, i)->port)
		return err;
	if (!err && e->real_address)
		err = replace_zero(doc, i);
	if (!err && e->ptime)
		err = set_ptime(e, doc, i);
	if (!err && !tandem_ip_is_any(&e->address))
		err = show_address(e, doc, i);
	return err ? err : edit_rtcp(e, doc, i);
}

/* -ENOENT: a description without o= or s= has nothing of that to hide. */
static int edit_session(const struct tandem_ng_edits *e, struct tandem_sdp *doc)
{
	int err = 0;

	if (e->version)
		err = tandem_sdp_bump_version(doc);
	if (e->username && (!err || err == -ENOENT))
		err = tandem_sdp_set_origin_user(doc, "-");
	if (e->session_name && (!err || err == -ENOENT))
		err = tandem_sdp_set_session_name(doc, "-");
	if (e->instance && (!err || err == -ENOENT))
		err = tandem_sdp_set_attr(doc, TANDEM_SDP_SESSION, MARK, e->instance);
	return err == -ENOENT ? 0 : err;
}

bool tandem_ng_is_own(const char *instance, const char *sdp, size_t len)
{
	struct tandem_sdp *doc;
	const char *mark;
	bool own;

	if (tandem_sdp_parse(&doc, sdp, len, NULL))
		return false;
	mark = tandem_sdp_find_attr(doc, TANDEM_SDP_SESSION, MARK, 0);
	own = mark && !strcmp(mark, instance);
	tandem_sdp_free(doc);
	return own;
}

int tandem_ng_edit(const struct tandem_ng_edits *edits, char **sdpp, size_t *len)
{
	struct tandem_sdp *doc;
	char *out;
	size_t i;
	int err;

	if (!is_any(edits))
		return 0;
	err = tandem_sdp_parse(&doc, *sdpp, *len, NULL);
	if (err)
		return err == -ENOMEM ? err : -EBADMSG;
	err = edit_session(edits, doc);
	for (i = 0; i < tandem_sdp_media_count(doc) && !err; i++)
		err = edit_media(edits, doc, i);
	if (!err)
		err = tandem_sdp_print(doc, &out, len);
	tandem_sdp_free(doc);
	if (err)
		return err;
	free(*sdpp);
	*sdpp = out;
	return 0;
}
