/* SPDX-License-Identifier: GPL-2.0-only */
/* What a description says of the security of media that ends at the relay. */
#include <errno.h>
#include <string.h>

#include "userspace/session/model.h"

/* Of the sender of the description, and no business of the other party's. */
static const char *const attributes[] = {
	"crypto", "fingerprint", "setup", "tls-id", "key-mgmt", "rtcp-mux-only",
};

static int remove_all(struct tandem_sdp *sdp, int section)
{
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]) && !err; i++)
		err = tandem_sdp_remove_attr(sdp, section, attributes[i]);
	return err;
}

int tandem_secure_sdp_session(struct tandem_sdp *sdp)
{
	return remove_all(sdp, TANDEM_SDP_SESSION);
}

int tandem_secure_sdp_strip(struct tandem_sdp *sdp, size_t i, const char *proto)
{
	int err = remove_all(sdp, (int)i);

	if (!err && *proto && strcmp(tandem_sdp_media(sdp, i)->proto, proto))
		err = tandem_sdp_set_proto(sdp, i, proto);
	return err;
}

static int add_key(struct tandem_sdp *sdp, size_t i, const struct tandem_sdes *sdes)
{
	char value[TANDEM_SDES_STRLEN];
	int err = tandem_sdes_format(sdes, value, sizeof(value));

	if (!err)
		err = tandem_sdp_add_attr(sdp, i, "crypto", value);
	explicit_bzero(value, sizeof(value));
	return err;
}

static int add_keys(struct tandem_sdp *sdp, size_t i, const struct tandem_secure_leg *leg,
		    bool answer)
{
	const struct tandem_sdes chosen = { leg->tag, leg->rtp.out };
	size_t n;
	int err = 0;

	if (answer)
		return add_key(sdp, i, &chosen);
	for (n = 0; n < leg->offered_count && !err; n++)
		err = add_key(sdp, i, &leg->offered[n]);
	return err;
}

static int set_mux(struct tandem_sdp *sdp, size_t i, const struct tandem_leg *leg, bool answer)
{
	if (answer ? leg->mux : leg->secure.kind == TANDEM_PROTECT_DTLS)
		return tandem_sdp_set_attr(sdp, i, "rtcp-mux", NULL);
	return answer ? tandem_sdp_remove_attr(sdp, i, "rtcp-mux") : 0;
}

int tandem_secure_sdp_idle(const struct tandem_media *m, enum tandem_party_id to,
			   struct tandem_sdp *sdp, size_t i)
{
	return tandem_secure_sdp_strip(sdp, i, m->leg[to].secure.proto);
}

int tandem_secure_sdp(const struct tandem_media_list *list, enum tandem_party_id to, bool answer,
		      struct tandem_sdp *sdp, size_t i)
{
	const struct tandem_media *m = &list->v[i];
	const struct tandem_leg *leg = &m->leg[to], *transport = tandem_leg_transport(list, i, to);
	int err = tandem_secure_sdp_idle(m, to, sdp, i);

	if (!err)
		err = set_mux(sdp, i, transport, answer);
	if (!err && leg->secure.kind == TANDEM_PROTECT_SDES)
		err = add_keys(sdp, i, &leg->secure, answer);
	/* RFC 5888 section 9.2: a phone that answers may know nothing of it, but the offerer does. */
	if (!err && answer && leg->secure.kind == TANDEM_PROTECT_DTLS && leg->secure.mid[0])
		err = tandem_sdp_set_attr(sdp, i, "mid", leg->secure.mid);
	if (!err && leg->secure.kind == TANDEM_PROTECT_DTLS)
		err = tandem_wire_sdp(transport->secure.wire, answer, leg == transport, sdp, i);
	return err;
}
