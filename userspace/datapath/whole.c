/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/whole.h"

#include <errno.h>
#include <string.h>

#include "userspace/util/endpoint.h"

__u8 tandem_local_index(const struct relay_config *relay, const struct ip_addr *ip)
{
	for (__u8 i = 0; i < relay->locals_count && i < TANDEM_MAX_LOCALS; i++) {
		if (tandem_ip_equal(&relay->locals[i], ip))
			return i;
	}
	return TANDEM_NO_LOCAL;
}

/* The address with an index; none for one that there is not. */
static struct ip_addr local_ip(const struct relay_config *relay, __u8 index)
{
	return index < relay->locals_count && index < TANDEM_MAX_LOCALS ? relay->locals[index]
									: (struct ip_addr){ 0 };
}

int tandem_egress_split(const struct relay_config *relay, const struct tandem_egress *from,
			struct egress *to)
{
	*to = (struct egress){
		.remote = from->remote,
		.remote_port = from->remote_port,
		.local_port = from->local_port,
		.flags = from->flags,
		.seq_offset = from->seq_offset,
		.ts_offset = from->ts_offset,
		.ssrc = from->ssrc,
		.dscp = from->dscp,
		.ttl = from->ttl,
		.to_alaw = from->to_alaw,
		.to_ulaw = from->to_ulaw,
		.acts = from->acts,
		.act_rest = from->act_rest,
		.local = tandem_local_index(relay, &from->local),
	};
	memcpy(to->pt_out, from->pt_out, sizeof(to->pt_out));
	return from->flags & EGRESS_F_ACTIVE && to->local == TANDEM_NO_LOCAL ? -EADDRNOTAVAIL : 0;
}

void tandem_egress_join(const struct relay_config *relay, const struct egress *from,
			struct tandem_egress *to)
{
	*to = (struct tandem_egress){
		.local = local_ip(relay, from->local),
		.remote = from->remote,
		.local_port = from->local_port,
		.remote_port = from->remote_port,
		.flags = from->flags,
		.seq_offset = from->seq_offset,
		.ts_offset = from->ts_offset,
		.ssrc = from->ssrc,
		.dscp = from->dscp,
		.ttl = from->ttl,
		.to_alaw = from->to_alaw,
		.to_ulaw = from->to_ulaw,
		.acts = from->acts,
		.act_rest = from->act_rest,
	};
	memcpy(to->pt_out, from->pt_out, sizeof(to->pt_out));
}

static int key_split(const struct relay_config *relay, const struct tandem_rule *from,
		     struct rule *rule, struct rule_more *more)
{
	rule->remote = from->key.remote;
	rule->remote_port = from->key.remote_port;
	rule->local_port = from->key.local_port;
	rule->local = TANDEM_NO_LOCAL;
	if (from->flags & RULE_F_GROUP) {
		more->group = from->key.local;
		return 0;
	}
	rule->local = tandem_local_index(relay, &from->key.local);
	return from->flags & RULE_F_ACTIVE && rule->local == TANDEM_NO_LOCAL ? -EADDRNOTAVAIL : 0;
}

int tandem_rule_split(const struct relay_config *relay, const struct tandem_rule *from,
		      struct rule *rule, struct rule_more *more)
{
	int err;

	*rule = (struct rule){
		.gen = from->gen, .flags = from->flags, .id = from->id, .fan = from->fan
	};
	*more = (struct rule_more){ .pts = from->pts,
				    .media = from->media,
				    .reverse = from->reverse,
				    .peer = from->peer,
				    .peer_seq_offset = from->peer_seq_offset };
	err = key_split(relay, from, rule, more);
	if (!err)
		err = tandem_egress_split(relay, &from->egress[EGRESS_RTP], &rule->egress);
	if (!err)
		err = tandem_egress_split(relay, &from->egress[EGRESS_RTCP], &more->rtcp);
	return err;
}

void tandem_rule_join(const struct relay_config *relay, const struct rule *rule,
		      const struct rule_more *more, struct tandem_rule *to)
{
	*to = (struct tandem_rule){
		.gen = rule->gen,
		.flags = rule->flags,
		.key = { .remote = rule->remote,
			 .remote_port = rule->remote_port,
			 .local_port = rule->local_port },
		.id = rule->id,
		.fan = rule->fan,
		.pts = more->pts,
		.media = more->media,
		.reverse = more->reverse,
		.peer = more->peer,
		.peer_seq_offset = more->peer_seq_offset,
	};
	to->key.local = rule->flags & RULE_F_GROUP ? more->group : local_ip(relay, rule->local);
	tandem_egress_join(relay, &rule->egress, &to->egress[EGRESS_RTP]);
	tandem_egress_join(relay, &more->rtcp, &to->egress[EGRESS_RTCP]);
}

/* What the packet path writes for packets in sequence. */
static void stream_common(const struct stream *s, struct tandem_stream *to)
{
	to->ssrc = s->ssrc;
	to->max_seq = s->max_seq;
	to->pt = s->pt;
	to->received = s->received;
	to->window = s->window;
	to->last_ns = s->last_ns;
	to->jitter_ns = s->jitter_ns;
	to->jitter_max_ns = s->jitter_max_ns;
	to->last_ts = s->last_ts;
	to->clock_hz = s->clock_hz;
	to->packets = s->packets;
	to->octets = s->octets;
}

void tandem_stream_whole(const struct stream *s, const struct stream_more *more,
			 struct tandem_stream *to)
{
	*to = (struct tandem_stream){
		.flow_id = s->packets ? more->flow_id : 0,
		.cycles = more->cycles,
		.base_seq = more->base_seq,
		.lost_prior = more->lost_prior,
		.first_ns = more->first_ns,
		.gaps = more->gaps,
		.reordered = more->reordered,
		.duplicates = more->duplicates,
		.restarts = more->restarts,
		.sr_lsr = { more->sr_lsr[0], more->sr_lsr[1] },
		.sr_ns = { more->sr_ns[0], more->sr_ns[1] },
		.sr_count = more->sr_count,
		.rr_count = more->rr_count,
		.rr_lost = more->rr_lost,
		.rr_jitter = more->rr_jitter,
		.rtt_ns = more->rtt_ns,
		.rtt_min_ns = more->rtt_min_ns,
		.rtt_max_ns = more->rtt_max_ns,
		.rr_fraction = more->rr_fraction,
		.bye = more->bye,
	};
	stream_common(s, to);
}

void tandem_flow_whole(const struct flow *flow, const struct flow_more *more,
		       struct tandem_flow_state *to)
{
	*to = (struct tandem_flow_state){
		.last_ns = flow->last_ns,
		.packets = flow->packets,
		.octets = flow->octets,
		.rtcp_packets = more->rtcp_packets,
		.dropped = more->dropped,
		.unknown_source = more->unknown_source,
		.punted = more->punted,
		.extra_streams = more->extra_streams,
		.last_reason = more->last_reason,
		.no_room = more->no_room,
		.unknown_port = more->unknown_port,
	};
	memcpy(to->unknown_addr, more->unknown_addr, sizeof(to->unknown_addr));
	tandem_stream_whole(&flow->stream, &more->stream, &to->stream);
}
