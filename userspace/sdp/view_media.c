/* SPDX-License-Identifier: GPL-2.0-only */
/* The typed view of a media section */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "userspace/sdp/doc.h"

/* A media section being read */
struct section {
	struct tandem_sdp *sdp;
	struct tandem_sdp_media *m;
	struct tandem_sdp_format *formats;
	uint32_t *ssrcs;
	const char *reason;
};

static enum tandem_sdp_kind media_kind(const char *type)
{
	static const char *const names[] = {
		[TANDEM_SDP_AUDIO] = "audio",	  [TANDEM_SDP_VIDEO] = "video",
		[TANDEM_SDP_TEXT] = "text",	  [TANDEM_SDP_APPLICATION] = "application",
		[TANDEM_SDP_MESSAGE] = "message", [TANDEM_SDP_IMAGE] = "image",
	};
	size_t i;

	for (i = TANDEM_SDP_AUDIO; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcasecmp(type, names[i]))
			return (enum tandem_sdp_kind)i;
	return TANDEM_SDP_OTHER;
}

/* RTP profiles end the protocol: "RTP/AVP", "TCP/RTP/AVP", "UDP/TLS/RTP/SAVPF" ... */
static void view_proto(struct tandem_sdp_media *m)
{
	const char *part = m->proto, *slash = strchr(part, '/');
	const char *profile;

	while (slash && strncasecmp(part, "RTP/", 4)) {
		part = slash + 1;
		slash = strchr(part, '/');
	}
	if (!slash)
		return;
	m->rtp = true;
	profile = strrchr(m->proto, '/') + 1;
	m->secure = !strcasecmp(profile, "SAVP") || !strcasecmp(profile, "SAVPF");
	m->feedback = !strcasecmp(profile, "AVPF") || !strcasecmp(profile, "SAVPF");
}

static int view_port(struct section *s, char *word)
{
	struct tandem_sdp_media *m = s->m;
	char *count = strchr(word, '/');
	uint32_t port;

	m->nports = 1;
	if (count) {
		*count++ = '\0';
		if (tandem_sdp_scan_number(count, 32768, &m->nports) || !m->nports) {
			s->reason = "bad port count";
			return -EBADMSG;
		}
	}
	if (tandem_sdp_scan_number(word, 65535, &port)) {
		s->reason = "bad port";
		return -EBADMSG;
	}
	if (m->nports > 1 && port + m->nports * (m->rtp ? 2 : 1) > 65536) {
		s->reason = "port count passes port 65535";
		return -EBADMSG;
	}
	m->port = (uint16_t)port;
	return 0;
}

static void init_format(const struct tandem_sdp_media *m, struct tandem_sdp_format *f,
			const char *word)
{
	uint32_t pt;

	f->pt = -1;
	if (m->rtp && strlen(word) <= 3 && !tandem_sdp_scan_number(word, 127, &pt)) {
		f->pt = (int)pt;
		(void)tandem_sdp_static_format(f->pt, f);
	}
	f->fmt = word;
}

static int view_formats(struct section *s, char *cursor)
{
	size_t n = tandem_sdp_word_count(cursor), i;

	if (n > TANDEM_SDP_MAX_FORMATS) {
		s->reason = "too many formats";
		return -EMSGSIZE;
	}
	s->formats = calloc(n ? n : 1, sizeof(*s->formats));
	if (!s->formats) {
		s->reason = "out of memory";
		return -ENOMEM;
	}
	s->m->formats = s->formats;
	s->m->nformats = n;
	for (i = 0; i < n; i++)
		init_format(s->m, &s->formats[i], tandem_sdp_next_word(&cursor));
	return 0;
}

static int view_mline(struct section *s, char *cursor)
{
	char *type = tandem_sdp_next_word(&cursor);
	char *port = type ? tandem_sdp_next_word(&cursor) : NULL;
	char *proto = port ? tandem_sdp_next_word(&cursor) : NULL;
	int rc;

	if (!proto) {
		s->reason = "m= lacks type, port or protocol";
		return -EBADMSG;
	}
	s->m->type = type;
	s->m->kind = media_kind(type);
	s->m->proto = proto;
	view_proto(s->m);
	rc = view_port(s, port);
	return rc ? rc : view_formats(s, cursor);
}

/* The payload type that an rtpmap or fmtp names; -1: a format that is not a number */
static int scan_pt(const char *word)
{
	uint32_t pt;

	return tandem_sdp_scan_number(word, 127, &pt) ? -1 : (int)pt;
}

static bool is_format(const struct tandem_sdp_format *f, int pt, const char *word)
{
	return f->pt >= 0 ? f->pt == pt : !strcmp(f->fmt, word);
}

/* a=rtpmap:pt name/clock[/channels] (RFC 8866 6.6) */
static int attr_rtpmap(struct section *s, char *value)
{
	char *fmt = tandem_sdp_next_word(&value);
	char *name = fmt ? tandem_sdp_next_word(&value) : NULL;
	char *clock = name ? strchr(name, '/') : NULL;
	uint32_t hz, channels = 1;
	char *params;
	size_t i;
	int pt;

	if (!clock || clock == name)
		return 0;
	*clock++ = '\0';
	params = strchr(clock, '/');
	if (params)
		*params++ = '\0';
	if (tandem_sdp_scan_number(clock, UINT32_MAX, &hz) || !hz)
		return 0;
	if (params && (tandem_sdp_scan_number(params, 255, &channels) || !channels))
		channels = 1;
	/* Some write the sampling rate, 16000; the RTP clock is 8000 all the same. */
	if (!strcasecmp(name, "G722"))
		hz = 8000;
	pt = scan_pt(fmt);
	for (i = 0; i < s->m->nformats; i++) {
		struct tandem_sdp_format *f = &s->formats[i];

		if (f->rtpmap || !is_format(f, pt, fmt))
			continue;
		f->name = name;
		f->clock = hz;
		f->channels = channels;
		f->rtpmap = true;
	}
	return 0;
}

static int attr_fmtp(struct section *s, char *value)
{
	char *fmt = tandem_sdp_next_word(&value);
	size_t i;
	int pt;

	if (!fmt)
		return 0;
	pt = scan_pt(fmt);
	value += strspn(value, " \t");
	for (i = 0; i < s->m->nformats; i++)
		if (!s->formats[i].fmtp && is_format(&s->formats[i], pt, fmt))
			s->formats[i].fmtp = value;
	return 0;
}

/* a=rtcp:port [nettype addrtype address] (RFC 3605 section 2.1) */
static int attr_rtcp(struct section *s, char *value)
{
	char *word = tandem_sdp_next_word(&value);
	uint32_t port;

	if (!word || tandem_sdp_scan_number(word, 65535, &port)) {
		s->reason = "bad port in a=rtcp";
		return -EBADMSG;
	}
	s->m->rtcp_explicit = true;
	s->m->rtcp_port = (uint16_t)port;
	if (!tandem_sdp_word_count(value)) {
		memset(&s->m->rtcp, 0, sizeof(s->m->rtcp));
		return 0;
	}
	return tandem_sdp_scan_addr(&value, &s->m->rtcp, &s->reason);
}

/* a=ssrc:id attribute[:value] (RFC 5576 section 4.1); one id has many such lines */
static int attr_ssrc(struct section *s, char *value)
{
	char *word = tandem_sdp_next_word(&value);
	struct tandem_sdp_media *m = s->m;
	uint32_t ssrc;
	size_t i;

	if (!word || tandem_sdp_scan_number(word, UINT32_MAX, &ssrc))
		return 0;
	for (i = m->nssrcs; i > 0; i--)
		if (s->ssrcs[i - 1] == ssrc)
			return 0;
	if (m->nssrcs == TANDEM_SDP_MAX_SSRCS) {
		s->reason = "too many SSRCs";
		return -EMSGSIZE;
	}
	if (!s->ssrcs) {
		s->ssrcs = calloc(TANDEM_SDP_MAX_SSRCS, sizeof(*s->ssrcs));
		if (!s->ssrcs) {
			s->reason = "out of memory";
			return -ENOMEM;
		}
		m->ssrcs = s->ssrcs;
	}
	s->ssrcs[m->nssrcs++] = ssrc;
	return 0;
}

/* Milliseconds, perhaps with a fraction (RFC 8866 6.4); malformed: as if absent */
static uint32_t scan_ms(char *value)
{
	char *word = tandem_sdp_next_word(&value);
	char *dot = word ? strchr(word, '.') : NULL;
	uint32_t ms = 0;

	if (!word)
		return 0;
	if (dot) {
		*dot++ = '\0';
		if (!tandem_sdp_is_number(dot))
			return 0;
	}
	(void)tandem_sdp_scan_number(word, UINT32_MAX, &ms);
	return ms;
}

static int attr_ptime(struct section *s, char *value)
{
	s->m->ptime = scan_ms(value);
	return 0;
}

static int attr_maxptime(struct section *s, char *value)
{
	s->m->maxptime = scan_ms(value);
	return 0;
}

static int attr_mid(struct section *s, char *value)
{
	s->m->mid = tandem_sdp_next_word(&value);
	return 0;
}

static int attr_setup(struct section *s, char *value)
{
	s->m->setup = tandem_sdp_next_word(&value);
	return 0;
}

/* Attributes that are flags, or of which only the presence matters here */
static bool *media_flag(struct tandem_sdp_media *m, const char *name)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "rtcp-mux", &m->rtcp_mux },		{ "rtcp-mux-only", &m->rtcp_mux_only },
		{ "rtcp-rsize", &m->rtcp_rsize },	{ "bundle-only", &m->bundle_only },
		{ "ice-ufrag", &m->has_ice },		{ "candidate", &m->has_candidates },
		{ "fingerprint", &m->has_fingerprint }, { "crypto", &m->has_crypto },
	};
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (!strcmp(name, flags[i].name))
			return flags[i].flag;
	return NULL;
}

static int view_attr(struct section *s, char *name)
{
	static const struct {
		const char *name;
		int (*h)(struct section *s, char *value);
	} attrs[] = {
		{ "rtpmap", attr_rtpmap }, { "fmtp", attr_fmtp },   { "rtcp", attr_rtcp },
		{ "ssrc", attr_ssrc },	   { "ptime", attr_ptime }, { "maxptime", attr_maxptime },
		{ "mid", attr_mid },	   { "setup", attr_setup },
	};
	char *value = tandem_sdp_cut_attr(name);
	bool *flag = media_flag(s->m, name);
	size_t i;

	if (flag) {
		*flag = true;
		return 0;
	}
	if (!tandem_sdp_scan_dir(name, &s->m->dir))
		return 0;
	for (i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++)
		if (!strcmp(name, attrs[i].name))
			return attrs[i].h(s, value);
	return 0;
}

static int view_conn(struct section *s, char *cursor)
{
	struct tandem_sdp_addr addr;
	int rc = tandem_sdp_scan_addr(&cursor, &addr, &s->reason);

	if (!rc && !s->m->nconns++)
		s->m->conn = addr;
	return rc;
}

static int find_bundle(const struct tandem_sdp_session *session, const char *mid)
{
	size_t i, k;

	for (i = 0; mid && i < session->ngroups; i++) {
		if (strcmp(session->groups[i].semantics, "BUNDLE"))
			continue;
		for (k = 0; k < session->groups[i].nmids; k++)
			if (!strcmp(session->groups[i].mids[k], mid))
				return (int)i;
	}
	return -1;
}

/* What depends on several lines, whatever their order */
static void finish_media(struct section *s)
{
	struct tandem_sdp_media *m = s->m;

	m->bundle = find_bundle(&s->sdp->session, m->mid);
	m->rejected = !m->port && !m->bundle_only;
	m->hold2543 = m->conn.unspecified && !m->has_ice;
	if (!m->rtcp_explicit && m->rtp && m->port && m->port < 65535)
		m->rtcp_port = (uint16_t)(m->port + 1);
	if (!m->rtcp.present)
		m->rtcp = m->conn;
}

int tandem_sdp_view_media(struct tandem_sdp *sdp, size_t media, struct tandem_sdp_error *err)
{
	struct section s = { .sdp = sdp, .m = &sdp->media[media] };
	size_t i, end;
	int rc;

	s.m->conn = sdp->session.conn;
	s.m->dir = sdp->session.dir;
	s.m->has_ice = sdp->has_ice;
	s.m->has_fingerprint = sdp->has_fingerprint;
	s.m->setup = sdp->setup;
	rc = tandem_sdp_section(sdp, (int)media, &i, &end);
	for (; !rc && i < end; i++) {
		char *words = tandem_sdp_line_words(sdp, i);
		char type = tandem_sdp_line_type(sdp, i);

		if (type == 'm')
			rc = view_mline(&s, words);
		else if (type == 'c')
			rc = view_conn(&s, words);
		else if (type == 'a')
			rc = view_attr(&s, words);
		if (rc)
			tandem_sdp_fail(err, rc, i, s.reason);
	}
	if (!rc)
		finish_media(&s);
	return rc;
}

void tandem_sdp_view_clean(struct tandem_sdp *sdp)
{
	size_t i;

	for (i = 0; sdp->media && i < sdp->nmedia; i++) {
		free((void *)sdp->media[i].formats);
		free((void *)sdp->media[i].ssrcs);
	}
	for (i = 0; sdp->groups && i < sdp->session.ngroups; i++)
		free((void *)sdp->groups[i].mids);
	free(sdp->groups);
}

size_t tandem_sdp_media_count(const struct tandem_sdp *sdp)
{
	return sdp ? sdp->nmedia : 0;
}

const struct tandem_sdp_media *tandem_sdp_media(const struct tandem_sdp *sdp, size_t i)
{
	return sdp && i < sdp->nmedia ? &sdp->media[i] : NULL;
}
