/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the other party gets to see of a description. Changed are: the address of
 * c= and o=, the port of m=, a=rtcp where there is one, ICE and BUNDLE, and what
 * secures the media where that ends at the relay. Everything else passes byte for byte.
 *
 * The sender's ICE has to go because connectivity checks would either find a way around
 * the relay or fail at it, and its BUNDLE because it is one with the relay. Who speaks WebRTC
 * gets a group with the relay (bundle.c); for others every media has a port of its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "userspace/session/model.h"

#define HOST_SIZE	 48
#define MAX_OTHER_GROUPS 4

static const char *const ice_attributes[] = {
	"candidate",   "remote-candidates", "end-of-candidates", "ice-ufrag", "ice-pwd",
	"ice-options", "ice-pacing",	    "ice-mismatch",	 "ice-lite",
};

/* What a party sees of the relay in one media. */
struct face {
	bool set;	     /* the relay is in this media's path */
	bool own_connection; /* its address has to be shown, too */
	bool hold;	     /* in place of 0.0.0.0: hold has to be said by the direction */
	bool ends;	     /* its security ends here */
	bool ice;	     /* the relay takes part in ICE, */
	bool lite;	     /* and leaves the checks to the party */
	bool two_ports;	     /* RTCP has a port of its own */
	bool one_port;	     /* it has not, by the front end's wish: that is always shown */
	enum tandem_sdp_dir dir;
	int family;
	char host[HOST_SIZE];
	uint16_t port;
};

static int remove_ice(struct tandem_sdp *sdp, int section)
{
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(ice_attributes) / sizeof(ice_attributes[0]) && !err; i++)
		err = tandem_sdp_remove_attr(sdp, section, ice_attributes[i]);
	return err;
}

/* Groups with another meaning are put back. */
int tandem_relay_unbundle(struct tandem_sdp *sdp)
{
	char *others[MAX_OTHER_GROUPS];
	size_t i, n = 0;
	const char *value;
	bool found = false;
	int err = 0;

	for (i = 0; (value = tandem_sdp_find_attr(sdp, TANDEM_SDP_SESSION, "group", i)); i++) {
		if (!strncasecmp(value, "BUNDLE", 6) && (!value[6] || value[6] == ' ')) {
			found = true;
		} else if (n < MAX_OTHER_GROUPS) {
			others[n] = strdup(value);
			if (!others[n]) {
				err = -ENOMEM;
				goto out;
			}
			n++;
		}
	}
	if (!found)
		goto out;
	err = tandem_sdp_remove_attr(sdp, TANDEM_SDP_SESSION, "group");
	for (i = 0; i < n && !err; i++)
		err = tandem_sdp_add_attr(sdp, TANDEM_SDP_SESSION, "group", others[i]);
out:
	for (i = 0; i < n; i++)
		free(others[i]);
	return err;
}

/* Has a front end a say in rtcp-mux with this party? */
static bool has_wish(const struct tandem_leg *leg)
{
	return leg->mux_wish != TANDEM_MUX_AS_SAID && leg->secure.kind != TANDEM_PROTECT_DTLS;
}

/*
 * a=rtcp with the port of m= announces rtcp-mux only (RFC 5761 5.1.1, 5.1.3). In an offer it is for
 * those that do not multiplex, until one has agreed to.
 */
static bool has_two_ports(const struct tandem_leg *leg, bool answer,
			  const struct tandem_sdp_media *media)
{
	if (has_wish(leg))
		return answer ? !leg->mux : leg->mux_wish != TANDEM_MUX_ONLY;
	if (leg->secure.kind == TANDEM_PROTECT_PASS)
		return media->rtcp_port != media->port;
	if (answer || leg->secure.kind != TANDEM_PROTECT_DTLS)
		return !answer || !leg->mux;
	return leg->secure.wire && tandem_wire_has_rtcp(leg->secure.wire);
}

static void find_face(const struct tandem_sessions *ss, const struct tandem_media_list *list,
		      size_t i, enum tandem_party_id to, bool answer,
		      const struct tandem_sdp_media *media, struct face *face)
{
	const struct tandem_leg *leg = tandem_leg_transport(list, i, to);
	const struct tandem_media *m = &list->v[i];
	const struct ip_addr *ip;

	if (!m->anchored || !media->port || leg->local == TANDEM_LOCAL_NONE)
		return;
	ip = &ss->cfg.advertise[leg->local];
	if (tandem_ip_is_any(ip))
		ip = &ss->cfg.locals[leg->local].ip;
	face->set = true;
	face->family = tandem_ip_family(ip);
	face->port = leg->port;
	tandem_ip_format(ip, face->host, sizeof(face->host));
	face->ends = leg->secure.kind != TANDEM_PROTECT_PASS;
	face->ice = leg->secure.wire && tandem_wire_has_ice(leg->secure.wire);
	face->lite = face->ice && tandem_wire_is_lite(leg->secure.wire);
	face->two_ports = has_two_ports(leg, answer, media);
	face->one_port = has_wish(leg) && !face->two_ports;
	/* 0.0.0.0 is a message to the other side, not an address; it passes as it is */
	face->own_connection = !media->conn.unspecified || media->conn.family != face->family ||
			       (face->ends && !media->hold2543);
	face->hold = face->own_connection && media->hold2543;
	face->dir = media->dir;
}

/* The session's c= can be changed only if no media lives by the address in it. */
static int edit_session(struct tandem_sdp *sdp, struct face *faces, size_t n)
{
	const struct face *first = NULL;
	bool needed = false, ends = false, lite = false;
	int err;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct tandem_sdp_media *media = tandem_sdp_media(sdp, i);

		ends |= faces[i].ends;
		lite |= faces[i].lite;
		if (faces[i].own_connection) {
			if (!first)
				first = &faces[i];
		} else if (media->port && !media->nconns) {
			needed = true;
		}
	}
	if (first && !needed && tandem_sdp_session(sdp)->conn.present) {
		err = tandem_sdp_set_connection(sdp, TANDEM_SDP_SESSION, first->family,
						first->host);
		if (err)
			return err;
	}
	for (i = 0; i < n && !faces[i].set;)
		i++;
	if (i == n)
		return 0;
	err = tandem_sdp_set_origin_address(sdp, faces[i].family, faces[i].host);
	if (!err || err == -ENOENT)
		err = tandem_relay_unbundle(sdp);
	if (!err && ends)
		err = tandem_secure_sdp_session(sdp);
	if (!err)
		err = remove_ice(sdp, TANDEM_SDP_SESSION);
	return err || !lite ? err : tandem_sdp_set_attr(sdp, TANDEM_SDP_SESSION, "ice-lite", NULL);
}

static int edit_rtcp(struct tandem_sdp *sdp, size_t i, const struct face *face)
{
	const struct tandem_sdp_media *media = tandem_sdp_media(sdp, i);
	const char *value = tandem_sdp_find_attr(sdp, i, "rtcp", 0);
	/* some WebRTC stacks read no line without one */
	bool has_address = face->ice || (value && strchr(value, ' '));

	/* RFC 5761 5.1.3: with ICE there is a line in any case */
	if (!(media->rtcp_explicit && media->rtcp_port) && !(face->ice && face->two_ports) &&
	    !face->one_port)
		return 0;
	return tandem_sdp_set_rtcp(sdp, i, face->port + face->two_ports, face->family,
				   has_address ? face->host : NULL);
}

static int edit_media(struct tandem_sdp *sdp, size_t i, const struct face *face)
{
	const struct tandem_sdp_media *media = tandem_sdp_media(sdp, i);
	int err = 0;

	if (face->own_connection && (media->nconns || media->conn.family != face->family ||
				     strcmp(media->conn.host, face->host)))
		err = tandem_sdp_set_connection(sdp, i, face->family, face->host);
	if (!err && face->hold)
		err = tandem_sdp_set_direction(sdp, i, face->dir & TANDEM_SDP_SENDONLY);
	if (!err)
		err = edit_rtcp(sdp, i, face);
	if (!err)
		err = tandem_sdp_set_ports(sdp, i, face->port, 1);
	if (!err)
		err = tandem_sdp_remove_attr(sdp, i, "bundle-only");
	return err ? err : remove_ice(sdp, i);
}

static int edit_mux(const struct tandem_leg *leg, bool answer, struct tandem_sdp *sdp, size_t i)
{
	int err;

	if (!has_wish(leg))
		return 0;
	if (answer ? leg->mux : leg->mux_wish != TANDEM_MUX_NO)
		return tandem_sdp_set_attr(sdp, i, "rtcp-mux", NULL);
	err = tandem_sdp_remove_attr(sdp, i, "rtcp-mux");
	return err ? err : tandem_sdp_remove_attr(sdp, i, "rtcp-mux-only");
}

/* What is disabled says nothing of its sender's security either, where that ends here. */
static int edit_idle(const struct tandem_media *m, enum tandem_party_id to, struct tandem_sdp *sdp,
		     size_t i)
{
	int err;

	if (!tandem_media_is_anchored(tandem_sdp_media(sdp, i)))
		return 0;
	err = tandem_secure_sdp_idle(m, to, sdp, i);
	return err ? err : remove_ice(sdp, i);
}

/* Those with ICE: in an offer all, in an answer those that multiplex, and were offered in a group. */
static int edit_group(const struct tandem_media_list *list, enum tandem_party_id to, bool answer,
		      struct tandem_sdp *sdp, const struct face *faces)
{
	bool in[TANDEM_MEDIA_MAX] = { false };
	size_t i, n = tandem_sdp_media_count(sdp);

	for (i = 0; i < n; i++)
		in[i] = faces[i].ice &&
			(!answer || (!faces[i].two_ports && list->v[i].leg[to].secure.bundle_rank));
	return tandem_bundle_sdp(list, to, answer, sdp, in);
}

/*
 * A data channel (RFC 8841) would be one of the transport that ends here, and the relay has nowhere to
 * lead it: it is rejected on both sides.
 */
static int reject_data(const struct tandem_media_list *list, enum tandem_party_id to,
		       struct tandem_sdp *sdp)
{
	size_t i;
	int err = 0;

	for (i = 0; i < tandem_sdp_media_count(sdp) && !err; i++) {
		if (!strcasestr(tandem_sdp_media(sdp, i)->proto, "DTLS/SCTP"))
			continue;
		err = tandem_sdp_reject_media(sdp, i);
		if (!err)
			err = remove_ice(sdp, (int)i);
		if (!err)
			err = tandem_secure_sdp_idle(&list->v[i], to, sdp, i);
	}
	return err;
}

static bool has_ended(const struct face *faces, size_t n)
{
	size_t i;

	for (i = 0; i < n && !faces[i].ends;)
		i++;
	return i < n;
}

/* Who answers cannot take up what the offer has not on offer (RFC 3264 section 6): nobody listens there. */
static int reject_disabled(const struct tandem_media_list *list, struct tandem_sdp *sdp)
{
	size_t i;
	int err = 0;

	for (i = 0; i < tandem_sdp_media_count(sdp) && !err; i++) {
		if (list->v[i].anchored && !list->v[i].active && tandem_sdp_media(sdp, i)->port)
			err = tandem_sdp_reject_media(sdp, i);
	}
	return err;
}

int tandem_relay_sdp(const struct tandem_sessions *ss, const struct tandem_media_list *list,
		     enum tandem_party_id to, bool answer, const struct tandem_sdp *sdp,
		     char **outp, size_t *out_len)
{
	struct face faces[TANDEM_MEDIA_MAX] = { 0 };
	struct tandem_sdp *copy;
	size_t i, n = tandem_sdp_media_count(sdp);
	bool ends;
	int err;

	if (n > TANDEM_MEDIA_MAX || n > list->n)
		return -EPROTO;
	err = tandem_sdp_dup(&copy, sdp);
	if (err)
		return err;
	err = answer ? reject_disabled(list, copy) : 0;
	for (i = 0; i < n && !err; i++)
		find_face(ss, list, i, to, answer, tandem_sdp_media(copy, i), &faces[i]);
	ends = has_ended(faces, n);
	if (!err)
		err = edit_session(copy, faces, n);
	if (!err && ends)
		err = reject_data(list, to, copy);
	for (i = 0; i < n && !err; i++) {
		if (faces[i].set)
			err = edit_media(copy, i, &faces[i]);
		if (!err && faces[i].ends)
			err = tandem_secure_sdp(list, to, answer, copy, i);
		if (!err && faces[i].set)
			err = edit_mux(tandem_leg_transport(list, i, to), answer, copy, i);
		if (!err && !faces[i].set && ends)
			err = edit_idle(&list->v[i], to, copy, i);
	}
	if (!err)
		err = edit_group(list, to, answer, copy, faces);
	if (!err)
		err = tandem_sdp_print(copy, outp, out_len);
	tandem_sdp_free(copy);
	return err;
}
