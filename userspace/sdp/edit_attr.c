/* SPDX-License-Identifier: GPL-2.0-only */
/* Edits of a= lines */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/sdp/draft.h"

/* Past the last line of a section that is not empty */
static size_t section_tail(const struct tandem_sdp *sdp, size_t first, size_t end)
{
	while (end > first && !tandem_sdp_line_type(sdp, end - 1))
		end--;
	return end;
}

static void put_attr(struct tandem_sdp_draft *draft, bool replace, size_t line, const char *name,
		     const char *value)
{
	const char *colon = value ? ":" : "";

	value = value ? value : "";
	if (replace)
		tandem_sdp_draft_replace(draft, line, "a=%s%s%s", name, colon, value);
	else
		tandem_sdp_draft_insert(draft, line, "a=%s%s%s", name, colon, value);
}

static int check_attr(const struct tandem_sdp *sdp, int section, const char *name, size_t *first,
		      size_t *end)
{
	if (!sdp || !name || !tandem_sdp_is_token(name))
		return -EINVAL;
	return tandem_sdp_section(sdp, section, first, end);
}

int tandem_sdp_set_attr(struct tandem_sdp *sdp, int section, const char *name, const char *value)
{
	struct tandem_sdp_draft draft;
	size_t first, end, i;
	bool done = false;

	if (check_attr(sdp, section, name, &first, &end))
		return -EINVAL;
	tandem_sdp_draft_init(&draft, sdp);
	for (i = first; i < end; i++) {
		if (!tandem_sdp_line_attr(sdp, i, name))
			continue;
		if (done)
			tandem_sdp_draft_drop(&draft, i);
		else
			put_attr(&draft, true, i, name, value);
		done = true;
	}
	if (!done)
		put_attr(&draft, false, section_tail(sdp, first, end), name, value);
	return tandem_sdp_draft_commit(&draft);
}

int tandem_sdp_add_attr(struct tandem_sdp *sdp, int section, const char *name, const char *value)
{
	struct tandem_sdp_draft draft;
	size_t first, end;

	if (check_attr(sdp, section, name, &first, &end))
		return -EINVAL;
	tandem_sdp_draft_init(&draft, sdp);
	put_attr(&draft, false, section_tail(sdp, first, end), name, value);
	return tandem_sdp_draft_commit(&draft);
}

int tandem_sdp_remove_attr(struct tandem_sdp *sdp, int section, const char *name)
{
	struct tandem_sdp_draft draft;
	size_t i, end;

	if (check_attr(sdp, section, name, &i, &end))
		return -EINVAL;
	if (!tandem_sdp_find_attr(sdp, section, name, 0))
		return 0;
	tandem_sdp_draft_init(&draft, sdp);
	for (; i < end; i++)
		if (tandem_sdp_line_attr(sdp, i, name))
			tandem_sdp_draft_drop(&draft, i);
	return tandem_sdp_draft_commit(&draft);
}

static bool is_dir_line(const struct tandem_sdp *sdp, size_t i)
{
	int dir;

	for (dir = TANDEM_SDP_INACTIVE; dir <= TANDEM_SDP_SENDRECV; dir++)
		if (tandem_sdp_line_attr(sdp, i, tandem_sdp_dir_name((enum tandem_sdp_dir)dir)))
			return true;
	return false;
}

int tandem_sdp_set_direction(struct tandem_sdp *sdp, int section, enum tandem_sdp_dir dir)
{
	struct tandem_sdp_draft draft;
	size_t first, end, i;
	bool done = false;

	if (!sdp || (unsigned int)dir > TANDEM_SDP_SENDRECV ||
	    tandem_sdp_section(sdp, section, &first, &end))
		return -EINVAL;
	tandem_sdp_draft_init(&draft, sdp);
	for (i = first; i < end; i++) {
		if (!is_dir_line(sdp, i))
			continue;
		if (done)
			tandem_sdp_draft_drop(&draft, i);
		else
			put_attr(&draft, true, i, tandem_sdp_dir_name(dir), NULL);
		done = true;
	}
	if (!done)
		put_attr(&draft, false, section_tail(sdp, first, end), tandem_sdp_dir_name(dir),
			 NULL);
	return tandem_sdp_draft_commit(&draft);
}

int tandem_sdp_set_rtcp(struct tandem_sdp *sdp, size_t media, uint16_t port, int family,
			const char *host)
{
	char value[128];
	uint8_t bytes[16];

	if (!sdp || media >= sdp->nmedia)
		return -EINVAL;
	if (!port)
		return tandem_sdp_remove_attr(sdp, (int)media, "rtcp");
	if (!host) {
		snprintf(value, sizeof(value), "%u", port);
		return tandem_sdp_set_attr(sdp, (int)media, "rtcp", value);
	}
	if ((family != AF_INET && family != AF_INET6) || inet_pton(family, host, bytes) != 1)
		return -EINVAL;
	snprintf(value, sizeof(value), "%u IN %s %s", port, family == AF_INET ? "IP4" : "IP6",
		 host);
	return tandem_sdp_set_attr(sdp, (int)media, "rtcp", value);
}
