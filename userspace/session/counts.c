/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/session/counts.h"

#include <arpa/inet.h>
#include <string.h>

#define NS_PER_MS 1e6

static const char *const reason_names[] = {
#define REASON(name, kind, help) [REASON_##name] = #name,
#include "core/counters.def"
#undef REASON
};

const char *tandem_reason_name(uint32_t reason)
{
	return reason < REASON_COUNT ? reason_names[reason] : NULL;
}

json_t *tandem_json_addr(const struct ip_addr *ip, __be16 port)
{
	struct tandem_endpoint ep = { .ip = *ip, .port = ntohs(port) };

	return tandem_json_endpoint(&ep);
}

static json_t *unknown_last(const struct tandem_flow_state *flow)
{
	struct ip_addr ip;

	if (!flow->unknown_source)
		return json_null();
	memcpy(ip.b, flow->unknown_addr, sizeof(ip.b));
	return tandem_json_addr(&ip, flow->unknown_port);
}

static json_t *last_reason(const struct tandem_flow_state *flow)
{
	const char *name = tandem_reason_name(flow->last_reason);

	return (flow->dropped || flow->punted) && name ? json_string(name) : json_null();
}

int tandem_json_flow_counts(json_t *js, const struct tandem_flow_stats *stats)
{
	const struct tandem_flow_state *flow = &stats->flow;

	return json_object_set_new(js, "packets", json_integer(flow->packets)) |
	       json_object_set_new(js, "octets", json_integer(flow->octets)) |
	       json_object_set_new(js, "rtcp_packets", json_integer(flow->rtcp_packets)) |
	       json_object_set_new(js, "dropped", json_integer(flow->dropped)) |
	       json_object_set_new(js, "no_room", json_integer(flow->no_room)) |
	       json_object_set_new(js, "unknown_source", json_integer(flow->unknown_source)) |
	       json_object_set_new(js, "unknown_last", unknown_last(flow)) |
	       json_object_set_new(js, "punted", json_integer(flow->punted)) |
	       json_object_set_new(js, "last_reason", last_reason(flow)) |
	       json_object_set_new(js, "fast_packets", json_integer(stats->fast_packets)) |
	       json_object_set_new(js, "slow_packets", json_integer(stats->slow_packets));
}

void tandem_stream_loss(const struct tandem_stream *st, struct tandem_stream_loss *loss)
{
	int64_t since_base = (int64_t)st->cycles + st->max_seq - st->base_seq + 1;
	int64_t distinct = (int64_t)st->packets - st->duplicates;

	*loss = (struct tandem_stream_loss){ 0 };
	if (!st->packets)
		return;
	loss->lost = (int64_t)st->lost_prior + since_base - st->received;
	loss->expected = distinct + loss->lost;
	if (loss->lost > 0 && loss->expected > 0)
		loss->percent = 100.0 * loss->lost / loss->expected;
}

json_t *tandem_json_rounded(double value)
{
	return json_real((double)(int64_t)(value * 100 + 0.5) / 100);
}

static int add_stream_times(json_t *js, const struct tandem_stream *st)
{
	double reported = st->clock_hz ? st->rr_jitter * 1000.0 / st->clock_hz : 0;

	return json_object_set_new(js, "jitter_ms",
				   tandem_json_rounded(st->jitter_ns / 16 / NS_PER_MS)) |
	       json_object_set_new(js, "jitter_max_ms",
				   tandem_json_rounded(st->jitter_max_ns / NS_PER_MS)) |
	       json_object_set_new(js, "rtt_ms", tandem_json_rounded(st->rtt_ns / NS_PER_MS)) |
	       json_object_set_new(js, "rtt_min_ms",
				   tandem_json_rounded(st->rtt_min_ns / NS_PER_MS)) |
	       json_object_set_new(js, "rtt_max_ms",
				   tandem_json_rounded(st->rtt_max_ns / NS_PER_MS)) |
	       json_object_set_new(js, "reports", json_integer(st->rr_count)) |
	       json_object_set_new(js, "reported_lost", json_integer(st->rr_lost)) |
	       json_object_set_new(js, "reported_fraction",
				   tandem_json_rounded(st->rr_fraction / 2.56)) |
	       json_object_set_new(js, "reported_jitter_ms", tandem_json_rounded(reported));
}

int tandem_json_stream_counts(json_t *js, const struct tandem_stream *st)
{
	struct tandem_stream_loss loss;

	tandem_stream_loss(st, &loss);
	return add_stream_times(js, st) |
	       json_object_set_new(js, "packets", json_integer(st->packets)) |
	       json_object_set_new(js, "octets", json_integer(st->octets)) |
	       json_object_set_new(js, "expected", json_integer(loss.expected)) |
	       json_object_set_new(js, "lost", json_integer(loss.lost)) |
	       json_object_set_new(js, "loss_percent", tandem_json_rounded(loss.percent)) |
	       json_object_set_new(js, "duplicates", json_integer(st->duplicates)) |
	       json_object_set_new(js, "reordered", json_integer(st->reordered)) |
	       json_object_set_new(js, "gaps", json_integer(st->gaps)) |
	       json_object_set_new(js, "restarts", json_integer(st->restarts)) |
	       json_object_set_new(js, "sender_reports", json_integer(st->sr_count));
}
