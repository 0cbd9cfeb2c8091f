/* SPDX-License-Identifier: GPL-2.0-only */
/* Words, numbers and addresses of SDP lines (RFC 8866 section 9) */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "userspace/sdp/doc.h"

/* The grammar has single spaces; the world also has several, and tabs. */
static const char blanks[] = " \t";

char *tandem_sdp_next_word(char **cursor)
{
	char *word = *cursor + strspn(*cursor, blanks);
	size_t len = strcspn(word, blanks);

	if (!len)
		return NULL;
	*cursor = word + len;
	if (word[len]) {
		word[len] = '\0';
		++*cursor;
	}
	return word;
}

int tandem_sdp_scan_number(const char *word, uint32_t max, uint32_t *value)
{
	uint64_t n = 0;

	if (!tandem_sdp_is_number(word))
		return -EBADMSG;
	for (; *word; word++) {
		n = n * 10 + (uint64_t)(*word - '0');
		if (n > max)
			return -EBADMSG;
	}
	*value = (uint32_t)n;
	return 0;
}

bool tandem_sdp_is_number(const char *word)
{
	return *word && !word[strspn(word, "0123456789")];
}

bool tandem_sdp_is_token(const char *word)
{
	const char *p;

	for (p = word; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c <= 0x20 || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]", c))
			return false;
	}
	return p != word;
}

const char *tandem_sdp_word(const char *text, size_t n, size_t *len)
{
	for (;;) {
		text += strspn(text, blanks);
		*len = strcspn(text, blanks);
		if (!*len)
			return NULL;
		if (!n--)
			return text;
		text += *len;
	}
}

size_t tandem_sdp_word_count(const char *text)
{
	size_t n = 0;

	for (;;) {
		text += strspn(text, blanks);
		if (!*text)
			return n;
		text += strcspn(text, blanks);
		n++;
	}
}

/* Host becomes bytes if it is a literal; a name or a zoned address stays text. */
static void classify_host(struct tandem_sdp_addr *addr)
{
	static const uint8_t zero[16];

	if (addr->family != AF_INET && addr->family != AF_INET6)
		return;
	if (inet_pton(addr->family, addr->host, addr->bytes) != 1)
		return;
	addr->has_addr = true;
	addr->unspecified = !memcmp(addr->bytes, zero, addr->family == AF_INET ? 4 : 16);
	if (addr->family == AF_INET)
		addr->multicast = (addr->bytes[0] & 0xf0) == 0xe0;
	else
		addr->multicast = addr->bytes[0] == 0xff;
}

/* IP4: /ttl[/count], IP6: /count (RFC 8866 5.7) */
static int scan_suffix(char *suffix, struct tandem_sdp_addr *addr)
{
	char *count = suffix;
	uint32_t ttl;

	if (addr->family == AF_INET) {
		count = strchr(suffix, '/');
		if (count)
			*count++ = '\0';
		if (tandem_sdp_scan_number(suffix, 255, &ttl))
			return -EBADMSG;
		addr->ttl = (uint8_t)ttl;
	}
	if (!count)
		return 0;
	if (tandem_sdp_scan_number(count, UINT32_MAX, &addr->count) || !addr->count)
		return -EBADMSG;
	return 0;
}

static int addr_family(const char *nettype, const char *addrtype)
{
	if (strcasecmp(nettype, "IN"))
		return AF_UNSPEC;
	if (!strcasecmp(addrtype, "IP4"))
		return AF_INET;
	if (!strcasecmp(addrtype, "IP6"))
		return AF_INET6;
	return AF_UNSPEC;
}

int tandem_sdp_scan_addr(char **cursor, struct tandem_sdp_addr *addr, const char **reason)
{
	char *nettype = tandem_sdp_next_word(cursor);
	char *addrtype = nettype ? tandem_sdp_next_word(cursor) : NULL;
	char *host = addrtype ? tandem_sdp_next_word(cursor) : NULL;
	char *suffix;

	memset(addr, 0, sizeof(*addr));
	addr->host = "";
	addr->count = 1;
	if (!host) {
		*reason = "address lacks nettype, addrtype or host";
		return -EBADMSG;
	}
	addr->present = true;
	addr->family = addr_family(nettype, addrtype);
	addr->host = host;
	suffix = addr->family == AF_UNSPEC ? NULL : strchr(host, '/');
	if (suffix) {
		*suffix++ = '\0';
		if (scan_suffix(suffix, addr)) {
			*reason = "bad multicast ttl or address count";
			return -EBADMSG;
		}
	}
	if (!*host) {
		*reason = "empty host";
		return -EBADMSG;
	}
	if (strlen(host) > TANDEM_SDP_MAX_HOST) {
		*reason = "host is too long";
		return -EMSGSIZE;
	}
	classify_host(addr);
	return 0;
}
