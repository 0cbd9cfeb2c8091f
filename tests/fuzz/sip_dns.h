/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The name server of a SIP server under a fuzzer. A line of its zone is "NAME TYPE ...", NAME may be
 * "*"; lines of the script come before those that are always there. "NAME RCODE n" is an error,
 * "NAME SILENT" no answer, "NAME RAW ..." an answer of any octets.
 */
#ifndef TANDEM_TESTS_FUZZ_SIP_DNS_H
#define TANDEM_TESTS_FUZZ_SIP_DNS_H

#include "tests/fuzz/sip_peers.h"

#define DNS_LINES_MAX 16
#define DNS_LINE      512
#define DNS_QUESTION  12 /* the header before it */

struct dns {
	int fd;
	char lines[DNS_LINES_MAX][DNS_LINE]; /* of the script */
	size_t lines_count;
};

static struct dns dns;

static const char *const dns_zone[] = {
	"bob.test A 127.0.0.3",
	"carol.test AAAA ::1",
	"gateway.test NAPTR 1 1 s SIP+D2U . _sip._udp.gateway.test",
	"_sip._udp.gateway.test SRV 1 1 5060 one.test",
	"_sip._udp.gateway.test SRV 2 1 5060 two.test",
	"_sip._tcp.tcp.test SRV 1 1 5060 sam.test",
	"one.test A 127.0.0.5",
	"two.test A 127.0.0.6",
	"sam.test A 127.0.0.8",
	"loop.test A 127.0.0.1",
	"1.8.e164.arpa NAPTR 1 1 u E2U+sip !^.*$!sip:bob@example.test! .",
	"1.1.2.8.e164.arpa NAPTR 1 1 u E2U+sip !^\\+82(.*)$!sip:\\1@bob.test! .",
};

struct answer {
	uint8_t p[4096];
	size_t len;
	unsigned int count;
	bool silent;
	uint8_t rcode;
};

static inline void dns_put(struct answer *a, const void *p, size_t len)
{
	if (len <= sizeof(a->p) - a->len) {
		memcpy(a->p + a->len, p, len);
		a->len += len;
	}
}

static inline void dns_put_u16(struct answer *a, unsigned int value)
{
	const uint8_t p[2] = { (uint8_t)(value >> 8), (uint8_t)value };

	dns_put(a, p, sizeof(p));
}

/* Up to 255 octets, with their number in front. */
static inline void dns_put_string(struct answer *a, const char *p, size_t len)
{
	const uint8_t n = (uint8_t)(len > 255 ? 255 : len);

	dns_put(a, &n, 1);
	dns_put(a, p, n);
}

static inline void dns_put_name(struct answer *a, const char *name)
{
	size_t len;

	for (; (len = strcspn(name, ".")); name += len + (name[len] == '.')) {
		if (len > 63)
			break;
		dns_put_string(a, name, len);
	}
	dns_put(a, "", 1);
}

/* The next word of a line; at its end: "". */
static inline const char *dns_word(char **line)
{
	char *word = strsep(line, " ");

	return word ? word : "";
}

static inline void dns_put_data(struct answer *a, const char *type, char *line)
{
	uint8_t ip[16];
	int i;

	if (!strcmp(type, "A") && inet_pton(AF_INET, dns_word(&line), ip) == 1) {
		dns_put(a, ip, 4);
	} else if (!strcmp(type, "AAAA") && inet_pton(AF_INET6, dns_word(&line), ip) == 1) {
		dns_put(a, ip, 16);
	} else if (!strcmp(type, "CNAME")) {
		dns_put_name(a, dns_word(&line));
	} else if (!strcmp(type, "SRV")) {
		for (i = 0; i < 3; i++)
			dns_put_u16(a, (unsigned int)strtoul(dns_word(&line), NULL, 10));
		dns_put_name(a, dns_word(&line));
	} else if (!strcmp(type, "NAPTR")) {
		for (i = 0; i < 2; i++)
			dns_put_u16(a, (unsigned int)strtoul(dns_word(&line), NULL, 10));
		for (i = 0; i < 3; i++) {
			const char *word = dns_word(&line);

			word = strcmp(word, ".") ? word : "";
			dns_put_string(a, word, strlen(word));
		}
		dns_put_name(a, dns_word(&line));
	}
}

static inline unsigned int dns_type(const char *word)
{
	static const struct {
		const char *word;
		unsigned int type;
	} types[] = { { "A", 1 }, { "CNAME", 5 }, { "AAAA", 28 }, { "SRV", 33 }, { "NAPTR", 35 } };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!strcmp(types[i].word, word))
			return types[i].type;
	}
	return 0;
}

/* A record as the line has it, named as the question, so that whatever was asked for is answered. */
static inline void dns_put_record(struct answer *a, unsigned int type, const char *word, char *line)
{
	size_t at;

	dns_put_u16(a, 0xc000 | DNS_QUESTION);
	dns_put_u16(a, type);
	dns_put_u16(a, 1);
	dns_put_u16(a, 0);
	dns_put_u16(a, 10); /* seconds that it holds */
	at = a->len;
	dns_put_u16(a, 0);
	dns_put_data(a, word, line);
	if (a->len >= at + 2) {
		a->p[at] = (uint8_t)((a->len - at - 2) >> 8);
		a->p[at + 1] = (uint8_t)(a->len - at - 2);
	}
	a->count++;
}

static inline void dns_take_line(struct answer *a, const char *text, const char *name,
				 unsigned int asked)
{
	char copy[DNS_LINE], *line = copy;
	const char *word;
	unsigned int type;

	snprintf(copy, sizeof(copy), "%s", text);
	word = dns_word(&line);
	if (strcmp(word, "*") && strcasecmp(word, name))
		return;
	word = dns_word(&line);
	type = dns_type(word);
	if (type && (type == asked || type == 5)) {
		dns_put_record(a, type, word, line);
	} else if (!strcmp(word, "RCODE")) {
		a->rcode = (uint8_t)strtoul(dns_word(&line), NULL, 10) & 15;
	} else if (!strcmp(word, "SILENT")) {
		a->silent = true;
	} else if (!strcmp(word, "RAW") && line) {
		dns_put(a, line, strlen(line));
		a->count++;
	}
}

/* The name of a question as text; where it ends, 0: not well formed. */
static inline size_t dns_read_name(const uint8_t *p, size_t len, char *name, size_t size)
{
	size_t at = DNS_QUESTION, used = 0;

	while (at < len && p[at]) {
		size_t n = p[at];

		if (n > 63 || at + 1 + n >= len || used + n + 2 > size)
			return 0;
		memcpy(name + used, p + at + 1, n);
		used += n;
		name[used++] = '.';
		at += n + 1;
	}
	name[used ? used - 1 : 0] = '\0';
	return at + 5 <= len ? at + 1 : 0;
}

static inline void dns_reply(const uint8_t *p, size_t len, const struct sockaddr *to,
			     socklen_t to_len)
{
	struct answer a = { .len = 0 };
	char name[256];
	size_t end = dns_read_name(p, len, name, sizeof(name)), i;

	CHECK(end);
	dns_put(&a, p, end + 4);
	for (i = 0; i < dns.lines_count; i++)
		dns_take_line(&a, dns.lines[i], name, p[end + 1]);
	for (i = 0; i < ARRAY_SIZE(dns_zone) && !a.count && !a.rcode && !a.silent; i++)
		dns_take_line(&a, dns_zone[i], name, p[end + 1]);
	if (a.silent)
		return;
	a.p[2] |= 0x80;
	a.p[3] = a.rcode ? a.rcode : a.count ? 0 : 3;
	a.p[6] = 0;
	a.p[7] = (uint8_t)a.count;
	(void)sendto(dns.fd, a.p, a.len, 0, to, to_len);
}

/* Answer what was asked. True when there was something. */
static inline bool dns_read(void)
{
	uint8_t buf[1024];
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	bool any = false;
	ssize_t n;

	while ((n = recvfrom(dns.fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &from_len)) >=
		       0 ||
	       errno == ECONNREFUSED) {
		if (n > DNS_QUESTION)
			dns_reply(buf, (size_t)n, (struct sockaddr *)&from, from_len);
		any = true;
		from_len = sizeof(from);
	}
	return any;
}

static inline void dns_add(const char *line, size_t len)
{
	if (dns.lines_count < DNS_LINES_MAX)
		snprintf(dns.lines[dns.lines_count++], DNS_LINE, "%.*s", (int)len, line);
}

static inline void dns_open(void)
{
	const struct peer server = { .ip = "127.0.0.9", .port = 5353 };

	dns.fd = peer_socket(&server);
	CHECK(!fcntl(dns.fd, F_SETFL, O_NONBLOCK));
}

#endif
