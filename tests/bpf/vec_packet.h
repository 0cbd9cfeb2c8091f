/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets from their description in a .vec file (tests/vectors/README.md): layers
 * separated by '|'. Written without any of the core, as it is what the core is judged by; but
 * for what is protected, of which libsrtp2 has been the judge (tests/unit/test_srtp_oracle.c).
 */
#ifndef TANDEM_TESTS_VEC_PACKET_H
#define TANDEM_TESTS_VEC_PACKET_H

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/abi.h"

#define VEC_PACKET_MAX 3072
#define VEC_LINE       4096   /* longest line of a file */
#define VEC_BAD_SUM    0x1111 /* what csum=bad is off by */

struct vec_packet {
	uint8_t data[VEC_PACKET_MAX];
	size_t len;
	bool v6;
	int l3, l4, payload; /* offsets; -1: no such layer */
	bool udp_no_sum, udp_bad_sum, ip_bad_sum, udp_len_set, ip_len_set;
	int rtcp; /* offset of the RTCP header being filled */
	bool rtcp_len_set;
	size_t trailer; /* Ethernet padding */
};

static void vec_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("Bail out! ", stdout);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	exit(1);
}

static void put8(struct vec_packet *p, unsigned int v)
{
	if (p->len == sizeof(p->data))
		vec_die("packet too long");
	p->data[p->len++] = (uint8_t)v;
}

static void put16(struct vec_packet *p, unsigned int v)
{
	put8(p, v >> 8);
	put8(p, v);
}

static void put32(struct vec_packet *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p, v & 0xffff);
}

static void set16(struct vec_packet *p, int at, unsigned int v)
{
	p->data[at] = (uint8_t)(v >> 8);
	p->data[at + 1] = (uint8_t)v;
}

/* Value of "name=..." among the words of a layer, or NULL. "name" alone gives "". */
static const char *vec_word(const char *layer, const char *name)
{
	static char value[256];
	size_t n = strlen(name);
	const char *s = layer;

	while ((s = strstr(s, name))) {
		bool starts = s == layer || s[-1] == ' ';

		if (starts && (s[n] == '=' || s[n] == ' ' || s[n] == 0)) {
			snprintf(value, sizeof(value), "%s", s[n] == '=' ? s + n + 1 : "");
			value[strcspn(value, " ")] = 0;
			return value;
		}
		s += n;
	}
	return NULL;
}

static uint64_t vec_num(const char *layer, const char *name, uint64_t absent)
{
	const char *s = vec_word(layer, name);

	return s ? strtoull(s, NULL, 0) : absent;
}

/* Second word of a layer split at '>': "A>B". */
static void vec_pair(const char *layer, char *a, char *b, size_t size)
{
	const char *s = strchr(layer, ' '), *gt = s ? strchr(s, '>') : NULL;

	if (!gt)
		vec_die("A>B expected in '%s'", layer);
	snprintf(a, size, "%.*s", (int)(gt - s - 1), s + 1);
	snprintf(b, size, "%s", gt + 1);
	b[strcspn(b, " ")] = 0;
}

static void vec_mac(const char *text, uint8_t *mac)
{
	unsigned int m[6];
	int i;

	if (sscanf(text, "%x:%x:%x:%x:%x:%x", m, m + 1, m + 2, m + 3, m + 4, m + 5) != 6)
		vec_die("bad MAC address '%s'", text);
	for (i = 0; i < 6; i++)
		mac[i] = (uint8_t)m[i];
}

/* eth [dst=MAC] [src=MAC] [vlan=TCI[,TCI]] [type=N]; the type follows from the next layer. */
static void layer_eth(struct vec_packet *p, const char *l)
{
	uint8_t mac[12] = { 2, 0, 0, 0, 1, 2, 2, 0, 0, 0, 1, 1 };
	const char *s;
	char *next;

	if ((s = vec_word(l, "dst")))
		vec_mac(s, mac);
	if ((s = vec_word(l, "src")))
		vec_mac(s, mac + 6);
	memcpy(p->data, mac, sizeof(mac));
	p->len = sizeof(mac);
	for (s = vec_word(l, "vlan"); s && *s; s = *next == ',' ? next + 1 : next) {
		put16(p, 0x8100);
		put16(p, (unsigned int)strtoul(s, &next, 0));
	}
	put16(p, (unsigned int)vec_num(l, "type", 0));
}

/* ip4 SRC>DST [tos=N] [id=N] [frag=N] [ttl=N] [proto=N] [opt] [len=N] [v=N] [csum=bad] */
static void layer_ip4(struct vec_packet *p, const char *l)
{
	char a[64], b[64];
	const char *s = vec_word(l, "csum");

	set16(p, (int)p->len - 2, 0x0800);
	vec_pair(l, a, b, sizeof(a));
	p->l3 = (int)p->len;
	p->ip_bad_sum = s && !strcmp(s, "bad");
	p->ip_len_set = vec_word(l, "len") != NULL;
	put8(p, (unsigned int)vec_num(l, "v", vec_word(l, "opt") ? 0x46 : 0x45));
	put8(p, (unsigned int)vec_num(l, "tos", 0));
	put16(p, (unsigned int)vec_num(l, "len", 0));
	put16(p, (unsigned int)vec_num(l, "id", 0));
	put16(p, (unsigned int)vec_num(l, "frag", 0x4000));
	put8(p, (unsigned int)vec_num(l, "ttl", 64));
	put8(p, (unsigned int)vec_num(l, "proto", 17));
	put16(p, 0);
	inet_pton(AF_INET, a, p->data + p->len);
	inet_pton(AF_INET, b, p->data + p->len + 4);
	p->len += 8;
	if (vec_word(l, "opt"))
		put32(p, 0x01010101);
}

/* ip6 SRC>DST [tc=N] [label=N] [next=N] [hop=N] [len=N] [v=N] */
static void layer_ip6(struct vec_packet *p, const char *l)
{
	char a[64], b[64];

	set16(p, (int)p->len - 2, 0x86dd);
	vec_pair(l, a, b, sizeof(a));
	p->l3 = (int)p->len;
	p->v6 = true;
	p->ip_len_set = vec_word(l, "len") != NULL;
	put32(p, (uint32_t)(vec_num(l, "v", 6) << 28 | vec_num(l, "tc", 0) << 20 |
			    vec_num(l, "label", 0)));
	put16(p, (unsigned int)vec_num(l, "len", 0));
	put8(p, (unsigned int)vec_num(l, "next", 17));
	put8(p, (unsigned int)vec_num(l, "hop", 64));
	inet_pton(AF_INET6, a, p->data + p->len);
	inet_pton(AF_INET6, b, p->data + p->len + 16);
	p->len += 32;
}

/* udp SPORT>DPORT [len=N] [csum=none|bad] */
static void layer_udp(struct vec_packet *p, const char *l)
{
	char a[64], b[64];
	const char *s = vec_word(l, "csum");

	p->udp_no_sum = s && !strcmp(s, "none");
	p->udp_bad_sum = s && !strcmp(s, "bad");
	p->udp_len_set = vec_word(l, "len") != NULL;
	vec_pair(l, a, b, sizeof(a));
	p->l4 = (int)p->len;
	put16(p, (unsigned int)strtoul(a, NULL, 0));
	put16(p, (unsigned int)strtoul(b, NULL, 0));
	put16(p, (unsigned int)vec_num(l, "len", 0));
	put16(p, 0);
	p->payload = (int)p->len;
}

/* The header extension: WORDS, which count up, or PROFILE:BYTES in hexadecimal, filled up. */
static void put_extension(struct vec_packet *p, const char *s)
{
	unsigned int words = (unsigned int)strtoul(s, NULL, 0), i, byte;
	const char *hex = strchr(s, ':');

	if (!hex) {
		put32(p, 0xbede0000 | words);
		for (i = 0; i < words; i++)
			put32(p, 0xe0000000 + i);
		return;
	}
	if (strlen(hex + 1) % 2)
		vec_die("half a byte in '%s'", hex + 1);
	put16(p, words);
	put16(p, ((unsigned int)strlen(hex + 1) + 7) / 8);
	for (i = 0; sscanf(hex + 1 + 2 * i, "%2x", &byte) == 1; i++)
		put8(p, byte);
	for (; i % 4; i++)
		put8(p, 0);
}

/*
 * rtp [v=2] [m] [pt=0] [seq=1] [ts=160] [ssrc=0x11] [cc=N] [ext=WORDS|PROFILE:HEX] [size=20]
 * [pad=N]: size bytes of payload counting up from 0; CSRCs count up too.
 */
static void layer_rtp(struct vec_packet *p, const char *l)
{
	unsigned int cc = (unsigned int)vec_num(l, "cc", 0), i;
	unsigned int pad = (unsigned int)vec_num(l, "pad", 0);
	unsigned int size = (unsigned int)vec_num(l, "size", 20);

	put8(p, (unsigned int)vec_num(l, "v", 2) << 6 | (vec_word(l, "pad") ? 0x20 : 0) |
			(vec_word(l, "ext") ? 0x10 : 0) | cc);
	put8(p, (vec_word(l, "m") ? 0x80 : 0) | (unsigned int)vec_num(l, "pt", 0));
	put16(p, (unsigned int)vec_num(l, "seq", 1));
	put32(p, (uint32_t)vec_num(l, "ts", 160));
	put32(p, (uint32_t)vec_num(l, "ssrc", 0x11));
	for (i = 0; i < cc; i++)
		put32(p, 0xc0000000 + i);
	if (vec_word(l, "ext"))
		put_extension(p, vec_word(l, "ext"));
	for (i = 0; i < size; i++)
		put8(p, i);
	for (i = 1; i < pad; i++)
		put8(p, 0);
	if (pad)
		put8(p, pad);
}

static void rtcp_end(struct vec_packet *p)
{
	if (p->rtcp >= 0 && !p->rtcp_len_set)
		set16(p, p->rtcp + 2, (unsigned int)(p->len - (size_t)p->rtcp) / 4 - 1);
	p->rtcp = -1;
}

/*
 * TYPE [count=N] [ssrc=N] [media=N] [len=WORDS] [v=2] [p], with TYPE one of sr rr sdes bye
 * app rtpfb psfb xr, or rtcp type=N. sr adds ntp=N ts=N pc=N oc=N. What follows up to the
 * next such layer belongs to it; block and chunk add to its count.
 */
static void layer_rtcp(struct vec_packet *p, const char *l, unsigned int type)
{
	uint64_t ntp = vec_num(l, "ntp", 0x1122334455667788);

	rtcp_end(p);
	p->rtcp = (int)p->len;
	p->rtcp_len_set = vec_word(l, "len") != NULL;
	put8(p, (unsigned int)vec_num(l, "v", 2) << 6 | (vec_word(l, "p") ? 0x20 : 0) |
			(unsigned int)vec_num(l, "count", 0));
	put8(p, type);
	put16(p, (unsigned int)vec_num(l, "len", 0));
	if (vec_word(l, "ssrc"))
		put32(p, (uint32_t)vec_num(l, "ssrc", 0));
	if (type == 200) {
		put32(p, (uint32_t)(ntp >> 32));
		put32(p, (uint32_t)ntp);
		put32(p, (uint32_t)vec_num(l, "ts", 160));
		put32(p, (uint32_t)vec_num(l, "pc", 1));
		put32(p, (uint32_t)vec_num(l, "oc", 20));
	}
	if (vec_word(l, "media"))
		put32(p, (uint32_t)vec_num(l, "media", 0));
}

/* block ssrc=N [frac=N] [lost=N] [ehsn=N] [jitter=N] [lsr=N] [dlsr=N] */
static void layer_block(struct vec_packet *p, const char *l)
{
	if (p->rtcp >= 0)
		p->data[p->rtcp]++;
	put32(p, (uint32_t)vec_num(l, "ssrc", 0));
	put32(p, (uint32_t)(vec_num(l, "frac", 0) << 24 | (vec_num(l, "lost", 0) & 0xffffff)));
	put32(p, (uint32_t)vec_num(l, "ehsn", 1));
	put32(p, (uint32_t)vec_num(l, "jitter", 0));
	put32(p, (uint32_t)vec_num(l, "lsr", 0));
	put32(p, (uint32_t)vec_num(l, "dlsr", 0));
}

/* chunk ssrc=N [cname=TEXT] [note=TEXT] */
static void layer_chunk(struct vec_packet *p, const char *l)
{
	static const struct {
		const char *name;
		unsigned int type;
	} items[] = { { "cname", 1 }, { "note", 7 } };
	const char *s;
	size_t i;

	if (p->rtcp >= 0)
		p->data[p->rtcp]++;
	put32(p, (uint32_t)vec_num(l, "ssrc", 0));
	for (i = 0; i < 2; i++) {
		s = vec_word(l, items[i].name);
		if (!s)
			continue;
		put8(p, items[i].type);
		for (put8(p, (unsigned int)strlen(s)); *s; s++)
			put8(p, (unsigned char)*s);
	}
	do
		put8(p, 0);
	while ((p->len - (size_t)p->payload) % 4);
}

#include "vec_srtp.h"

static void layer_protect(struct vec_packet *p, const char *l)
{
	static _Alignas(8) uint8_t packet[VEC_PACKET_MAX];
	size_t len;

	if (p->payload < 0)
		vec_die("protect what? %s", l);
	rtcp_end(p);
	len = p->len - (size_t)p->payload;
	memcpy(packet, p->data + p->payload, len);
	len = vec_protect(l, packet, (uint32_t)len, (uint32_t)(VEC_PACKET_MAX - p->payload));
	memcpy(p->data + p->payload, packet, len);
	p->len = (size_t)p->payload + len;
}

/*
 * hex BYTES..., w WORD..., fill COUNT BYTE, trim COUNT (of the bytes before it), trail COUNT
 * (Ethernet padding), cut COUNT
 */
static bool layer_bytes(struct vec_packet *p, const char *l)
{
	char *s = (char *)l + strcspn(l, " "), *next;
	unsigned long n, v;

	if (!strncmp(l, "hex ", 4) || !strncmp(l, "w ", 2)) {
		for (v = strtoul(s, &next, *l == 'h' ? 16 : 0); next != s;
		     v = strtoul(s, &next, *l == 'h' ? 16 : 0)) {
			*l == 'h' ? put8(p, (unsigned int)v) : put32(p, (uint32_t)v);
			s = next;
		}
		return true;
	}
	n = strtoul(s, &next, 0);
	if (!strncmp(l, "fill ", 5)) {
		for (v = strtoul(next, NULL, 0); n; n--)
			put8(p, (unsigned int)v);
		return true;
	}
	if (!strncmp(l, "trim ", 5)) {
		if (n > p->len - (size_t)p->payload)
			vec_die("trim is of the UDP payload alone");
		rtcp_end(p);
		p->len -= n;
		return true;
	}
	if (!strncmp(l, "trail ", 6)) {
		for (p->trailer = n; n; n--)
			put8(p, 0);
		return true;
	}
	return false;
}

static void vec_layer(struct vec_packet *p, const char *l)
{
	static const char *const rtcp[] = {
		"sr", "rr", "sdes", "bye", "app", "rtpfb", "psfb", "xr"
	};
	size_t n = strcspn(l, " "), i;

	if (!strncmp(l, "eth", 3))
		return layer_eth(p, l);
	if (!strncmp(l, "ip4", 3))
		return layer_ip4(p, l);
	if (!strncmp(l, "ip6", 3))
		return layer_ip6(p, l);
	if (!strncmp(l, "udp", 3))
		return layer_udp(p, l);
	if (n == 3 && !strncmp(l, "rtp", 3))
		return layer_rtp(p, l);
	if (n == 4 && !strncmp(l, "rtcp", 4))
		return layer_rtcp(p, l, (unsigned int)vec_num(l, "type", 0));
	if (!strncmp(l, "block", 5))
		return layer_block(p, l);
	if (!strncmp(l, "chunk", 5))
		return layer_chunk(p, l);
	for (i = 0; i < 8; i++) {
		if (strlen(rtcp[i]) == n && !strncmp(l, rtcp[i], n))
			return layer_rtcp(p, l, 200 + (unsigned int)i);
	}
	if (!strncmp(l, "protect ", 8))
		return layer_protect(p, l);
	if (!layer_bytes(p, l))
		vec_die("unknown layer '%s'", l);
}

static uint32_t vec_sum(const uint8_t *b, size_t n, uint32_t sum)
{
	size_t i;

	for (i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)b[i] << 8 | b[i + 1];
	if (n % 2)
		sum += (uint32_t)b[n - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Lengths and checksums, once all layers are there. */
static void vec_finish(struct vec_packet *p)
{
	size_t end = p->len - p->trailer, addrs = p->v6 ? 32 : 8;
	uint32_t sum;

	rtcp_end(p);
	if (p->l4 >= 0 && !p->udp_len_set)
		set16(p, p->l4 + 4, (unsigned int)(end - (size_t)p->l4));
	if (p->l3 >= 0 && !p->ip_len_set)
		set16(p, p->l3 + (p->v6 ? 4 : 2),
		      (unsigned int)(end - (size_t)p->l3 - (p->v6 ? 40 : 0)));
	if (p->l3 >= 0 && !p->v6) {
		sum = vec_sum(p->data + p->l3, (size_t)(p->data[p->l3] & 15) * 4,
			      p->ip_bad_sum ? VEC_BAD_SUM : 0);
		set16(p, p->l3 + 10, ~sum & 0xffff);
	}
	if (p->l4 >= 0 && p->l3 >= 0 && !p->udp_no_sum) {
		sum = vec_sum(p->data + p->l3 + (p->v6 ? 8 : 12), addrs,
			      17 + (p->udp_bad_sum ? VEC_BAD_SUM : 0));
		sum = vec_sum(p->data + p->l4, end - (size_t)p->l4,
			      sum + (uint32_t)(end - (size_t)p->l4));
		sum = ~sum & 0xffff;
		set16(p, p->l4 + 6, sum ? sum : 0xffff);
	}
}

/* The packet that text describes: "eth | ip4 A>B | udp 1>2 | rtp seq=1". */
static void vec_packet(struct vec_packet *p, const char *text)
{
	char line[VEC_LINE], *save = NULL, *l;
	const char *cut = strstr(text, "cut ");

	memset(p, 0, sizeof(*p));
	p->l3 = p->l4 = p->payload = p->rtcp = -1;
	snprintf(line, sizeof(line), "%s", text);
	for (l = strtok_r(line, "|\n", &save); l; l = strtok_r(NULL, "|\n", &save)) {
		l += strspn(l, " \t");
		while (*l && l[strlen(l) - 1] == ' ')
			l[strlen(l) - 1] = 0;
		if (*l && strncmp(l, "cut ", 4))
			vec_layer(p, l);
	}
	vec_finish(p);
	/* Cut last, so that lengths and checksums are those of the whole. */
	if (cut)
		p->len -= strtoul(cut + 4, NULL, 0);
}

#endif
