/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/replay/compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/classify.h"
#include "core/rtp.h"
#include "userspace/datapath/hash.h"
#include "userspace/replay/sources.h"

#define CANDIDATES 64  /* packets of the script that the first one that came is looked for in */
#define SAMPLE	   256 /* that came, by which a candidate is judged */

/* A packet of RTP. */
struct packet {
	const uint8_t *payload;
	uint32_t len; /* of payload */
	int64_t seq;  /* extended */
	uint32_t ts;
	uint8_t pt;
	bool marker;
};

/* The packets of an SSRC, in order. */
struct sequence {
	uint32_t ssrc;
	struct packet *packets;
	size_t count, room;
	struct tandem_hash by_seq; /* index of the first with an extended sequence number */
	unsigned int used;	   /* streams that came and were taken for it */
};

/* Of all SSRCs, in order of their first packets. */
struct sequences {
	struct sequence *list;
	size_t count, room;
	struct tandem_hash by_ssrc;
};

static int sequence_index(struct sequences *s, uint32_t ssrc, uint32_t *index)
{
	size_t room = s->room ? s->room * 2 : 16;
	struct sequence *list;

	*index = tandem_hash_get(&s->by_ssrc, &ssrc);
	if (*index != TANDEM_HASH_NONE)
		return 0;
	if (s->count == s->room) {
		list = reallocarray(s->list, room, sizeof(*list));
		if (!list)
			return -ENOMEM;
		s->list = list;
		s->room = room;
	}
	*index = (uint32_t)s->count;
	if (tandem_hash_set(&s->by_ssrc, &ssrc, *index))
		return -ENOMEM;
	s->list[s->count] = (struct sequence){ .ssrc = ssrc };
	tandem_hash_init(&s->list[s->count++].by_seq, sizeof(int64_t));
	return 0;
}

/* Sequence numbers are extended by the way that is nearest to the one before. */
static int64_t extend(const struct sequence *st, uint16_t seq)
{
	int64_t last;

	if (!st->count)
		return seq;
	last = st->packets[st->count - 1].seq;
	return last + (int16_t)(seq - (uint16_t)last);
}

static int sequence_add(struct sequence *st, const struct packet *p)
{
	size_t room = st->room ? st->room * 2 : 64;
	struct packet *packets;

	if (st->count == st->room) {
		packets = reallocarray(st->packets, room, sizeof(*packets));
		if (!packets)
			return -ENOMEM;
		st->packets = packets;
		st->room = room;
	}
	if (tandem_hash_get(&st->by_seq, &p->seq) == TANDEM_HASH_NONE &&
	    tandem_hash_set(&st->by_seq, &p->seq, (uint32_t)st->count))
		return -ENOMEM;
	st->packets[st->count++] = *p;
	return 0;
}

/* Returns 1: it is no RTP. */
static int sequences_add(struct sequences *s, const uint8_t *data, size_t len)
{
	const uint8_t *end = data + len;
	struct rtp_info info;
	struct packet p;
	uint32_t index;

	if (classify(data, end, (__u32)len) != CLASS_RTP ||
	    rtp_parse(data, end, (__u32)len, 1, &info) != REASON_NONE)
		return 1;
	if (sequence_index(s, info.ssrc, &index))
		return -ENOMEM;
	p = (struct packet){ .payload = data + info.head,
			     .len = (uint32_t)len - info.head,
			     .seq = extend(&s->list[index], info.seq),
			     .ts = info.ts,
			     .pt = info.pt,
			     .marker = data[1] >> 7 };
	return sequence_add(&s->list[index], &p);
}

static void sequences_clean(struct sequences *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->list[i].packets);
		tandem_hash_clean(&s->list[i].by_seq);
	}
	free(s->list);
	tandem_hash_clean(&s->by_ssrc);
}

static bool same_payload(const struct packet *a, const struct packet *b)
{
	return a->len == b->len && memcmp(a->payload, b->payload, a->len) == 0;
}

/* What of the script the packet p is, when its sequence number has had offset added; or NULL. */
static const struct packet *original(const struct sequence *want, const struct packet *p,
				     int64_t offset)
{
	const int64_t seq = p->seq - offset;
	uint32_t index = tandem_hash_get(&want->by_seq, &seq);

	return index == TANDEM_HASH_NONE ? NULL : &want->packets[index];
}

static size_t score(const struct sequence *want, const struct sequence *came, int64_t offset)
{
	const struct packet *from;
	size_t n = 0;

	for (size_t i = 0; i < came->count && i < SAMPLE; i++) {
		from = original(want, &came->packets[i], offset);
		n += from && same_payload(from, &came->packets[i]);
	}
	return n;
}

/* The offset of sequence numbers that makes most of what came that of the script. Returns how many. */
static size_t best_offset(const struct sequence *want, const struct sequence *came, int64_t *offset)
{
	size_t best = 0, n;

	for (size_t i = 0; i < want->count && i < CANDIDATES; i++) {
		int64_t candidate = came->packets[0].seq - want->packets[i].seq;

		if (!same_payload(&want->packets[i], &came->packets[0]))
			continue;
		n = score(want, came, candidate);
		if (n > best) {
			best = n;
			*offset = candidate;
		}
	}
	return best;
}

/* The stream that came is which one of the script? NULL: none, or that has come often enough. */
static struct sequence *find_original(struct sequences *want, const struct sequence *came,
				      unsigned int copies, int64_t *offset)
{
	struct sequence *best = NULL;
	size_t high = 0;

	for (size_t i = 0; i < want->count; i++) {
		struct sequence *st = &want->list[i];
		int64_t here = 0;
		size_t n = st->used < copies ? best_offset(st, came, &here) : 0;

		/* Of two that are alike the one with its own SSRC. */
		if (n > high || (n && n == high && st->ssrc == came->ssrc)) {
			best = st;
			high = n;
			*offset = here;
		}
	}
	return best;
}

/* One packet that came, against its original. */
static void compare_packet(struct tandem_compared *c, const struct packet *from,
			   const struct packet *p)
{
	c->altered += !same_payload(from, p) || from->marker != p->marker;
	c->unmapped += p->ts - from->ts != c->ts_offset ||
		       (from->pt == c->pt_from && p->pt != c->pt_to);
}

static int compare_stream(struct tandem_compared *c, const struct sequence *want,
			  const struct sequence *came, int64_t offset)
{
	uint8_t *times = calloc(want->count, 1);
	size_t last = 0;

	if (!times)
		return -ENOMEM;
	for (size_t i = 0; i < came->count; i++) {
		const struct packet *p = &came->packets[i], *from = original(want, p, offset);
		size_t at;

		if (!from) {
			c->unexpected++;
			continue;
		}
		at = (size_t)(from - want->packets);
		if (c->received == c->duplicates) {
			c->ts_offset = p->ts - from->ts;
			c->pt_from = from->pt;
			c->pt_to = p->pt;
		}
		c->received++;
		c->duplicates += times[at] > 0;
		times[at] = 1;
		c->disordered += at < last;
		last = at > last ? at : last;
		compare_packet(c, from, p);
	}
	for (size_t i = 0; i < want->count; i++) {
		/* A packet that the capture has twice is expected once. */
		if (original(want, &want->packets[i], 0) == &want->packets[i]) {
			c->expected++;
			c->missing += !times[i];
		}
	}
	free(times);
	return 0;
}

static bool flawless(const struct tandem_compared *c)
{
	return c->came && !c->missing && !c->duplicates && !c->disordered && !c->unexpected &&
	       !c->altered && !c->unmapped;
}

static int compare_came(struct tandem_comparison *c, struct sequences *want,
			const struct sequence *came, unsigned int copies)
{
	struct tandem_compared *to = &c->streams[c->count];
	int64_t offset = 0;
	struct sequence *from = find_original(want, came, copies, &offset);

	if (!from) {
		c->strangers += came->count;
		return 0;
	}
	from->used++;
	*to = (struct tandem_compared){ .ssrc = from->ssrc,
					.came_as = came->ssrc,
					.came = true,
					.seq_offset = (uint16_t)offset };
	c->count++;
	return compare_stream(to, from, came, offset);
}

static int compare_all(struct tandem_comparison *c, struct sequences *want, struct sequences *came,
		       unsigned int copies)
{
	int err = 0;

	c->streams = calloc(want->count * copies + 1, sizeof(*c->streams));
	if (!c->streams)
		return -ENOMEM;
	for (size_t i = 0; i < came->count && !err; i++)
		err = compare_came(c, want, &came->list[i], copies);
	for (size_t i = 0; i < want->count; i++) {
		for (; want->list[i].used < copies; want->list[i].used++)
			c->streams[c->count++] =
				(struct tandem_compared){ .ssrc = want->list[i].ssrc,
							  .expected = want->list[i].count,
							  .missing = want->list[i].count };
	}
	c->same = !err && c->count && !c->strangers;
	for (size_t i = 0; i < c->count; i++)
		c->same &= flawless(&c->streams[i]);
	return err;
}

int tandem_compare(struct tandem_comparison *c, const struct tandem_script *expected,
		   const struct tandem_heard *heard, size_t count, unsigned int copies)
{
	struct sequences want = { 0 }, came = { 0 };
	int err = 0;

	memset(c, 0, sizeof(*c));
	tandem_hash_init(&want.by_ssrc, sizeof(uint32_t));
	tandem_hash_init(&came.by_ssrc, sizeof(uint32_t));
	for (size_t i = 0; i < expected->count && err >= 0; i++)
		err = sequences_add(&want, expected->packets[i].data, expected->packets[i].len);
	for (size_t i = 0; i < count && err >= 0; i++)
		err = sequences_add(&came, heard[i].data, heard[i].len);
	if (err >= 0)
		err = compare_all(c, &want, &came, copies);
	sequences_clean(&want);
	sequences_clean(&came);
	return err;
}

void tandem_comparison_clean(struct tandem_comparison *c)
{
	free(c->streams);
	memset(c, 0, sizeof(*c));
}
