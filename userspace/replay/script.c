/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/replay/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/checksum.h"
#include "userspace/capture/inspect.h"
#include "userspace/datapath/hash.h"

/* Of a source; without padding. */
struct key {
	struct ip_addr src, dst;
	uint64_t ports;
};

struct load {
	struct tandem_script *script;
	const struct tandem_replay_options *o;
	struct tandem_inspection in;
	struct tandem_hash flows;
	uint64_t first_ns;
};

static bool listed(const struct tandem_replay_options *o, const struct tandem_rtp_stream *st)
{
	bool ssrc = !o->ssrc_count, port = !o->port_count;

	for (unsigned int i = 0; i < o->ssrc_count; i++)
		ssrc |= o->ssrcs[i] == st->ssrc;
	for (unsigned int i = 0; i < o->port_count; i++)
		port |= o->ports[i] == st->src.port || o->ports[i] == st->dst.port;
	return ssrc && port;
}

static struct key key_of(const struct tandem_endpoint *src, const struct tandem_endpoint *dst)
{
	return (struct key){ src->ip, dst->ip, (uint64_t)src->port << 16 | dst->port };
}

static int add_flow(struct load *l, const struct tandem_rtp_stream *st)
{
	const struct key key = key_of(&st->src, &st->dst);
	struct tandem_script *s = l->script;
	struct tandem_script_flow *list;

	if (tandem_hash_get(&l->flows, &key) != TANDEM_HASH_NONE)
		return 0;
	list = reallocarray(s->list, s->flows + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	s->list = list;
	list[s->flows] = (struct tandem_script_flow){ st->src, st->dst };
	return tandem_hash_set(&l->flows, &key, s->flows++);
}

/* Number the sources of the streams that are wanted. */
static int select_flows(struct load *l)
{
	for (size_t i = 0; i < tandem_streams_count(l->in.streams); i++) {
		const struct tandem_rtp_stream *st = tandem_streams_at(l->in.streams, i);

		if (!st->valid || !listed(l->o, st))
			continue;
		l->script->streams++;
		if (add_flow(l, st))
			return -ENOMEM;
	}
	return 0;
}

static int grow(struct tandem_script *s)
{
	size_t room = s->room ? s->room * 2 : 1024;
	struct tandem_script_packet *packets;

	if (s->count < s->room)
		return 0;
	packets = reallocarray(s->packets, room, sizeof(*packets));
	if (!packets)
		return -ENOMEM;
	s->packets = packets;
	s->room = room;
	return 0;
}

/* Is it one to be sent? RTCP of a clone would speak of SSRCs that are not there. */
static bool wanted(const struct load *l, const struct tandem_captured *p, bool *rtcp)
{
	const struct tandem_rtp_stream *st;
	struct rtp_info info;

	*rtcp = tandem_datagram_is_rtcp(&p->d);
	if (*rtcp)
		return l->o->clones == 1;
	st = tandem_streams_find(l->in.streams, p, &info);
	return st && st->valid && listed(l->o, st);
}

static int add(struct load *l, const struct tandem_captured *p)
{
	const struct key key = key_of(&p->d.src, &p->d.dst);
	uint32_t flow = tandem_hash_get(&l->flows, &key);
	struct tandem_script_packet *to;
	bool rtcp;

	if (flow == TANDEM_HASH_NONE || !wanted(l, p, &rtcp))
		return 0;
	if (p->d.len < p->d.full_len) {
		fprintf(stderr, "tandem: %s: packet %llu was captured in part only\n", l->o->file,
			(unsigned long long)p->number);
		return -EBADMSG;
	}
	if (grow(l->script))
		return -ENOMEM;
	to = &l->script->packets[l->script->count];
	*to = (struct tandem_script_packet){ .at_ns = p->time_ns,
					     .data = malloc(p->d.len),
					     .flow = flow,
					     .len = (uint16_t)p->d.len,
					     .rtcp = rtcp };
	if (!to->data)
		return -ENOMEM;
	memcpy(to->data, p->d.payload, p->d.len);
	if (!rtcp)
		to->sum = csum_bytes(to->data + TANDEM_RTP_FIXED,
				     (uint32_t)p->d.len - TANDEM_RTP_FIXED);
	if (!l->script->count++ || p->time_ns < l->first_ns)
		l->first_ns = p->time_ns;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct tandem_script_packet *x = a, *y = b;

	return x->at_ns < y->at_ns ? -1 : x->at_ns > y->at_ns;
}

/* Captures with several interfaces can be out of order by a little. */
static int order(struct load *l)
{
	struct tandem_script *s = l->script;
	bool sorted = true;

	for (size_t i = 0; i < s->count; i++) {
		s->packets[i].at_ns -= l->first_ns;
		sorted &= !i || s->packets[i].at_ns >= s->packets[i - 1].at_ns;
	}
	if (!sorted)
		qsort(s->packets, s->count, sizeof(*s->packets), by_time);
	return 0;
}

static int read_packets(struct load *l)
{
	struct tandem_captured p;
	struct tandem_capture *c;
	char why[512];
	int ret, err = tandem_capture_open(&c, l->o->file, why, sizeof(why));

	if (err) {
		fprintf(stderr, "tandem: %s\n", why);
		return err;
	}
	while (!err && (ret = tandem_capture_next(c, &p)) == 1)
		err = add(l, &p);
	tandem_capture_close(c);
	return err ? err : order(l);
}

static int load(struct load *l)
{
	char why[512] = "";
	int err = tandem_inspection_init(&l->in);

	if (!err)
		err = tandem_inspect_file(&l->in, l->o->file, why, sizeof(why));
	if (!err && l->in.damaged)
		err = -EBADMSG;
	if (err) {
		fprintf(stderr, "tandem: %s\n", why[0] ? why : strerror(-err));
		return err;
	}
	err = select_flows(l);
	if (!err && !l->script->flows) {
		fprintf(stderr, "tandem: %s: no RTP stream in it is wanted; see tandem inspect\n",
			l->o->file);
		return -ENOENT;
	}
	return err ? err : read_packets(l);
}

int tandem_script_load(struct tandem_script *s, const struct tandem_replay_options *o)
{
	struct load l = { .script = s, .o = o };
	int err;

	memset(s, 0, sizeof(*s));
	tandem_hash_init(&l.flows, sizeof(struct key));
	err = load(&l);
	if (err == -ENOMEM)
		fprintf(stderr, "tandem: %s: out of memory\n", o->file);
	tandem_hash_clean(&l.flows);
	tandem_inspection_clean(&l.in);
	return err;
}

void tandem_script_free(struct tandem_script *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->packets[i].data);
	free(s->packets);
	free(s->list);
}

void tandem_script_renumber(struct tandem_script *s, const uint32_t *map)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		s->packets[i].flow = map[s->packets[i].flow];
		if (s->packets[i].flow == TANDEM_SCRIPT_DROP)
			free(s->packets[i].data);
		else
			s->packets[kept++] = s->packets[i];
	}
	s->count = kept;
}
