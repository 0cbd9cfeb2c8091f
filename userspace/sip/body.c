/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>

#include "userspace/sip/body.h"

#define BOUNDARY_MAX 70 /* RFC 2046 section 5.1.1 */

int tandem_body_get(struct pl *body, const struct sip_msg *msg)
{
	const struct sip_hdr *length = sip_msg_hdr(msg, SIP_HDR_CONTENT_LENGTH);
	size_t i, left = mbuf_get_left(msg->mb);
	uint64_t len = 0;

	body->p = (const char *)mbuf_buf(msg->mb);
	body->l = left;
	if (!length)
		return 0;

	for (i = 0; i < length->val.l; i++) {
		if (length->val.p[i] < '0' || length->val.p[i] > '9')
			return -EBADMSG;
		len = len * 10 + (uint64_t)(length->val.p[i] - '0');
		if (len > left)
			return -EBADMSG;
	}
	body->l = (size_t)len;

	return 0;
}

static const char *find(const struct pl *hay, const char *needle, size_t len)
{
	return hay->l ? memmem(hay->p, hay->l, needle, len) : NULL;
}

static void skip_to(struct pl *pl, const char *p)
{
	pl->l -= (size_t)(p - pl->p);
	pl->p = p;
}

/* Length of the next line's text; *next is what follows its line end. */
static size_t line_length(const struct pl *pl, size_t *next)
{
	const char *nl = pl->l ? memchr(pl->p, '\n', pl->l) : NULL;
	size_t len = nl ? (size_t)(nl - pl->p) : pl->l;

	*next = nl ? len + 1 : len;
	if (len && pl->p[len - 1] == '\r')
		len--;

	return len;
}

/* Read the part's headers off *part; true when it is a session description. */
static bool part_is_sdp(struct pl *part)
{
	struct msg_ctype type;
	bool sdp = false;
	size_t len, next;

	while ((len = line_length(part, &next)) > 0) {
		struct pl line = { .p = part->p, .l = len }, val;

		if (!re_regex(line.p, line.l, "content-type[ \t]*:[ \t]*[^]+", NULL, NULL, &val) &&
		    !msg_ctype_decode(&type, &val))
			sdp = msg_ctype_cmp(&type, "application", "sdp");
		skip_to(part, part->p + next);
	}
	skip_to(part, part->p + next);

	return sdp;
}

/* The line end before a delimiter belongs to the delimiter. */
static void trim_line_end(struct pl *pl)
{
	if (pl->l && pl->p[pl->l - 1] == '\n')
		pl->l--;
	if (pl->l && pl->p[pl->l - 1] == '\r')
		pl->l--;
}

static bool find_part(struct pl *sdp, struct pl rest, const char *delimiter, size_t len)
{
	const char *p = find(&rest, delimiter, len);

	while (p) {
		struct pl part;

		skip_to(&rest, p + len);
		p = find(&rest, delimiter, len);
		if (!p)
			return false;

		part.p = rest.p;
		part.l = (size_t)(p - rest.p);
		if (part.l && memchr(part.p, '\n', part.l)) {
			skip_to(&part, (const char *)memchr(part.p, '\n', part.l) + 1);
			if (part_is_sdp(&part)) {
				trim_line_end(&part);
				*sdp = part;
				return part.l > 0;
			}
		}
	}

	return false;
}

bool tandem_body_find_sdp(struct pl *sdp, const struct pl *body, const struct msg_ctype *type)
{
	char delimiter[BOUNDARY_MAX + 3];
	struct pl boundary;

	if (!body->l)
		return false;
	if (msg_ctype_cmp(type, "application", "sdp")) {
		*sdp = *body;
		return true;
	}
	if (pl_strcasecmp(&type->type, "multipart") ||
	    msg_param_decode(&type->params, "boundary", &boundary))
		return false;

	if (boundary.l > 1 && boundary.p[0] == '"' && boundary.p[boundary.l - 1] == '"') {
		boundary.p++;
		boundary.l -= 2;
	}
	if (!boundary.l || boundary.l > BOUNDARY_MAX)
		return false;
	memcpy(delimiter, "--", 2);
	memcpy(delimiter + 2, boundary.p, boundary.l);

	return find_part(sdp, *body, delimiter, boundary.l + 2);
}

int tandem_body_write(struct mbuf *mb, const struct pl *body, const struct pl *sdp,
		      const struct mbuf *out)
{
	size_t before = out ? (size_t)(sdp->p - body->p) : body->l;
	size_t after = out ? body->l - before - sdp->l : 0;
	int err;

	err = mbuf_printf(mb, "Content-Length: %zu\r\n\r\n", before + (out ? out->end : 0) + after);
	if (before)
		err |= mbuf_write_mem(mb, (const uint8_t *)body->p, before);
	if (out)
		err |= mbuf_write_mem(mb, out->buf, out->end);
	if (after)
		err |= mbuf_write_mem(mb, (const uint8_t *)sdp->p + sdp->l, after);

	return err;
}
