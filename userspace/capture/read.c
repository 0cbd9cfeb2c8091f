/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/capture/read.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/capture/fragments.h"
#include "userspace/capture/rtpdump.h"

#define BUFFER	   65536
#define TIME_MAX_S UINT32_MAX
#define NS_PER_S   1000000000ULL

struct tandem_capture {
	pcap_t *pcap; /* or, when NULL, an rtpdump: */
	FILE *f;
	struct tandem_rtpdump dump;
	uint8_t *buf;
	struct tandem_fragments *fragments;
	int link;
	char *name;
	char error[PCAP_ERRBUF_SIZE + 512];
	struct tandem_capture_counts counts;
};

/* Takes f over when it succeeds. */
static int open_pcap(struct tandem_capture *c, FILE *f, char *why, size_t why_size)
{
	char text[PCAP_ERRBUF_SIZE];

	c->pcap = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, text);
	if (!c->pcap) {
		snprintf(why, why_size, "%s: %s", c->name, text);
		return -EBADMSG;
	}
	c->link = pcap_datalink(c->pcap);
	if (!tandem_link_known(c->link)) {
		const char *name = pcap_datalink_val_to_name(c->link);

		snprintf(why, why_size, "%s: link type %d (%s) is not known here", c->name, c->link,
			 name ? name : "no name");
		return -EBADMSG;
	}
	return 0;
}

static int open_rtpdump(struct tandem_capture *c, FILE *f, char *why, size_t why_size)
{
	c->f = f;
	if (tandem_rtpdump_read_header(&c->dump, f)) {
		snprintf(why, why_size, "%s: the header of this rtpdump is damaged", c->name);
		return -EBADMSG;
	}
	return 0;
}

int tandem_capture_open_stream(struct tandem_capture **cp, FILE *f, const char *name, char *why,
			       size_t why_size)
{
	struct tandem_capture *c = calloc(1, sizeof(*c));
	int first, err = -ENOMEM;

	if (c) {
		c->name = strdup(name);
		c->buf = malloc(BUFFER);
	}
	if (!c || !c->name || !c->buf || tandem_fragments_alloc(&c->fragments))
		goto out;
	/* No form of pcap begins like the text line of rtpdump. */
	first = getc(f);
	ungetc(first, f);
	if (first == TANDEM_RTPDUMP_MAGIC[0])
		err = open_rtpdump(c, f, why, why_size);
	else
		err = open_pcap(c, f, why, why_size);
out:
	if (!err) {
		*cp = c;
		return 0;
	}
	if (err == -ENOMEM)
		snprintf(why, why_size, "%s: %s", name, strerror(ENOMEM));
	if (!c || (!c->pcap && !c->f))
		fclose(f);
	tandem_capture_close(c);
	return err;
}

int tandem_capture_open(struct tandem_capture **cp, const char *path, char *why, size_t why_size)
{
	FILE *f = fopen(path, "re");
	int err = -errno;

	if (f)
		return tandem_capture_open_stream(cp, f, path, why, why_size);
	snprintf(why, why_size, "%s: %s", path, strerror(-err));
	return err;
}

void tandem_capture_close(struct tandem_capture *c)
{
	if (!c)
		return;
	if (c->pcap)
		pcap_close(c->pcap);
	if (c->f)
		fclose(c->f);
	tandem_fragments_free(c->fragments);
	free(c->buf);
	free(c->name);
	free(c);
}

static int damaged(struct tandem_capture *c, const char *what)
{
	snprintf(c->error, sizeof(c->error), "%s: packet %llu: %s", c->name,
		 (unsigned long long)c->counts.packets + 1, what);
	return -EBADMSG;
}

static void count(struct tandem_capture *c, uint64_t time_ns)
{
	if (!c->counts.packets++)
		c->counts.first_ns = time_ns;
}

static int next_rtpdump(struct tandem_capture *c, struct tandem_captured *p)
{
	int ret = tandem_rtpdump_read(&c->dump, c->f, c->buf, &p->d, &p->time_ns);

	if (ret < 0)
		return damaged(c, "it is cut off, or its lengths contradict each other");
	if (ret)
		count(c, p->time_ns);
	return ret;
}

/* A frame. Returns what it is; with TANDEM_LINK_UDP p->d is that, or what it was the last part of. */
static enum tandem_link read_frame(struct tandem_capture *c, const u_char *data, size_t len,
				   struct tandem_captured *p)
{
	struct tandem_fragment part;
	enum tandem_link link = tandem_link_part(c->link, data, len, &p->d, &part);
	const uint8_t *whole;

	if (link != TANDEM_LINK_FRAGMENT)
		return link;
	c->counts.fragments++;
	if (tandem_fragments_add(c->fragments, &part, &whole, &len) != 1)
		return link;
	c->counts.reassembled++;
	return tandem_link_whole(&part, whole, len, &p->d);
}

static int next_pcap(struct tandem_capture *c, struct tandem_captured *p)
{
	struct pcap_pkthdr *head;
	const u_char *data;
	enum tandem_link link;
	int ret;

	for (;;) {
		ret = pcap_next_ex(c->pcap, &head, &data);
		if (ret == PCAP_ERROR_BREAK)
			return 0;
		if (ret != 1)
			return damaged(c, pcap_geterr(c->pcap));
		/* What is added to and subtracted from times elsewhere stays within 63 bits. */
		if (head->ts.tv_sec < 0 || head->ts.tv_sec > TIME_MAX_S)
			return damaged(c, "its time is beyond the year 2106");
		/* With this precision tv_usec has nanoseconds; files may hold any number there. */
		p->time_ns = (uint64_t)head->ts.tv_sec * NS_PER_S + (uint32_t)head->ts.tv_usec;
		count(c, p->time_ns);
		link = read_frame(c, data, head->caplen, p);
		c->counts.bad += link == TANDEM_LINK_BAD;
		if (link == TANDEM_LINK_UDP)
			break;
	}
	/* In a frame it would rarely be on a boundary. */
	memcpy(c->buf, p->d.payload, p->d.len);
	p->d.payload = c->buf;
	return 1;
}

int tandem_capture_next(struct tandem_capture *c, struct tandem_captured *p)
{
	int ret = c->pcap ? next_pcap(c, p) : next_rtpdump(c, p);

	if (ret != 1)
		return ret;
	p->number = c->counts.packets;
	c->counts.datagrams++;
	c->counts.cut += p->d.len < p->d.full_len;
	return 1;
}

const char *tandem_capture_error(const struct tandem_capture *c)
{
	return c->error;
}

const struct tandem_capture_counts *tandem_capture_counts(const struct tandem_capture *c)
{
	return &c->counts;
}
