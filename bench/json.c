/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/result.h"

/* A figure that was not taken is null. */
static json_t *number(double v)
{
	return v > 0 ? json_real(v) : json_null();
}

static json_t *latency_json(const struct result_latency *l)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:o, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}",
			 "load", l->share, "packets_per_s", l->rate, "loss", l->loss, "sent",
			 l->sent, "taken_by_device", number(l->taken), "lost", l->lost,
			 "duplicates", l->duplicates, "reordered", l->reordered, "p50_us",
			 l->p50 / 1e3, "p99_us", l->p99 / 1e3, "p999_us", l->p999 / 1e3, "max_us",
			 l->max / 1e3, "jitter_mean_us", l->jitter_mean / 1e3, "jitter_max_us",
			 l->jitter_max / 1e3);
}

static json_t *cpu_json(const struct result_cpu *c)
{
	if (c->rate <= 0)
		return json_null();
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:o}", "packets_per_s", c->rate, "loss",
			 c->loss, "cpu_s_per_million", c->ns / 1e3, "cpu_s_per_million_system",
			 c->system_ns / 1e3, "cpu_s_per_million_wire", c->wire_ns / 1e3,
			 "packets_per_cpu_s", number(c->ns > 0 ? 1e9 / c->ns : 0));
}

static json_t *round_json(const struct result_round *r)
{
	json_t *latency = json_array();

	for (size_t i = 0; i < RESULT_LOADS; i++) {
		if (r->latency[i].rate > 0)
			json_array_append_new(latency, latency_json(&r->latency[i]));
	}
	return json_pack("{s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "zero_loss_packets_per_s",
			 number(r->zero_loss), "near_zero_loss_packets_per_s", number(r->near_zero),
			 "peak_packets_per_s", number(r->peak), "generator_bound",
			 r->generator_bound, "latency", latency, "cpu_saturated",
			 cpu_json(&r->saturated), "cpu_calls", cpu_json(&r->calls));
}

json_t *tandem_result_json(const struct result *results, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct result *r = &results[i];
		struct result_round m = tandem_result_median(r);
		json_t *rounds = json_array();

		for (int k = 0; k < r->rounds; k++)
			json_array_append_new(rounds, round_json(&r->round[k]));
		json_array_append_new(
			list,
			json_pack("{s:s, s:i, s:i, s:i, s:b, s:o, s:o, s:o, s:o, s:o, s:o}",
				  "relay", r->relay, "flows", (int)r->flows, "payload_octets",
				  (int)r->size, "copies", (int)r->copies, "polls", r->polls,
				  "installed_flows_per_s", number(r->install_rate),
				  "fast_path_flows_per_s", number(r->fast_rate), "octets_per_flow",
				  number(r->memory), "resident_octets_per_flow",
				  number(r->resident), "median", round_json(&m), "rounds", rounds));
	}
	return list;
}
