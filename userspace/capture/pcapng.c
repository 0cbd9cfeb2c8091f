/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/capture/pcapng.h"

#include <stdbool.h>
#include <string.h>

#define BYTE_ORDER_MAGIC 0x1a2b3c4dU
#define VERSION_MAJOR	 1
#define VERSION_MINOR	 0
#define SNAPLEN		 0 /* no limit */
#define TSRESOL_NS	 9 /* 10^-9 s */

enum option {
	OPT_END = 0,
	OPT_COMMENT = 1,
	SHB_USERAPPL = 4,
	IF_NAME = 2,
	IF_TSRESOL = 9,
	EPB_FLAGS = 2,
	ISB_IFRECV = 4,
	ISB_IFDROP = 5,
};

/* A block being written; full: it does not fit. */
struct block {
	unsigned char *start;
	size_t size, len;
	bool full;
};

static void put(struct block *b, const void *data, size_t len)
{
	b->full = b->full || len > b->size - b->len;
	if (b->full)
		return;
	if (len)
		memcpy(b->start + b->len, data, len);
	b->len += len;
}

static void put16(struct block *b, uint16_t value)
{
	put(b, &value, sizeof(value));
}

static void put32(struct block *b, uint32_t value)
{
	put(b, &value, sizeof(value));
}

static void put64(struct block *b, uint64_t value)
{
	put(b, &value, sizeof(value));
}

static void pad(struct block *b)
{
	static const unsigned char zero[4];

	put(b, zero, -b->len & 3);
}

static struct block begin(void *buf, size_t size, uint32_t type)
{
	struct block b = { .start = buf, .size = size };

	put32(&b, type);
	put32(&b, 0); /* its length, once that is known */
	return b;
}

static size_t end(struct block *b)
{
	const uint32_t len = (uint32_t)b->len + 4;

	put32(b, len);
	if (b->full)
		return 0;
	memcpy(b->start + 4, &len, sizeof(len));
	return b->len;
}

static void option(struct block *b, enum option code, const void *data, size_t len)
{
	put16(b, (uint16_t)code);
	put16(b, (uint16_t)len);
	put(b, data, len);
	pad(b);
}

static void text(struct block *b, enum option code, const char *s)
{
	option(b, code, s, strlen(s));
}

/* A time is two words, the higher one first. */
static void put_time(struct block *b, uint64_t ns)
{
	put32(b, (uint32_t)(ns >> 32));
	put32(b, (uint32_t)ns);
}

size_t tandem_pcapng_section(void *buf, size_t size, const char *application)
{
	struct block b = begin(buf, size, TANDEM_PCAPNG_SECTION);

	put32(&b, BYTE_ORDER_MAGIC);
	put16(&b, VERSION_MAJOR);
	put16(&b, VERSION_MINOR);
	put64(&b, UINT64_MAX); /* a section of any length */
	text(&b, SHB_USERAPPL, application);
	option(&b, OPT_END, NULL, 0);
	return end(&b);
}

size_t tandem_pcapng_interface(void *buf, size_t size, uint16_t link, const char *name)
{
	struct block b = begin(buf, size, TANDEM_PCAPNG_IDB);
	const uint8_t resolution = TSRESOL_NS;

	put16(&b, link);
	put16(&b, 0);
	put32(&b, SNAPLEN);
	text(&b, IF_NAME, name);
	option(&b, IF_TSRESOL, &resolution, sizeof(resolution));
	option(&b, OPT_END, NULL, 0);
	return end(&b);
}

size_t tandem_pcapng_packet(void *buf, size_t size, const struct tandem_pcapng_packet *p)
{
	struct block b = begin(buf, size, TANDEM_PCAPNG_EPB);
	const uint32_t direction = p->direction;

	put32(&b, p->interface);
	put_time(&b, p->ns);
	put32(&b, p->part[0].len + p->part[1].len);
	put32(&b, p->original);
	put(&b, p->part[0].data, p->part[0].len);
	put(&b, p->part[1].data, p->part[1].len);
	pad(&b);
	if (p->comment)
		text(&b, OPT_COMMENT, p->comment);
	if (direction)
		option(&b, EPB_FLAGS, &direction, sizeof(direction));
	option(&b, OPT_END, NULL, 0);
	return end(&b);
}

size_t tandem_pcapng_statistics(void *buf, size_t size, uint32_t interface, uint64_t ns,
				uint64_t received, uint64_t dropped)
{
	struct block b = begin(buf, size, TANDEM_PCAPNG_ISB);

	put32(&b, interface);
	put_time(&b, ns);
	option(&b, ISB_IFRECV, &received, sizeof(received));
	option(&b, ISB_IFDROP, &dropped, sizeof(dropped));
	option(&b, OPT_END, NULL, 0);
	return end(&b);
}
