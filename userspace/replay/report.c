/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/replay/report.h"

#include <jansson.h>

static double mean_late_us(const struct tandem_pace_report *p)
{
	uint64_t n = p->sent + p->failed;

	return n ? (double)p->late_sum_ns / (double)n / 1e3 : 0;
}

static void show_timing(const struct tandem_pace_report *p, FILE *out)
{
	uint64_t n = p->sent + p->failed;

	fprintf(out, "late by %.1f us in the mean, %.1f us at the most:\n", mean_late_us(p),
		(double)p->late_max_ns / 1e3);
	for (unsigned int i = 0; i < TANDEM_LATE_BUCKETS; i++) {
		if (!p->late[i])
			continue;
		if (i < TANDEM_LATE_BUCKETS - 1)
			fprintf(out, "  up to %8.0f us", (double)tandem_late_limits[i] / 1e3);
		else
			fprintf(out, "  more            ");
		fprintf(out, " %10llu  %6.2f%%\n", (unsigned long long)p->late[i],
			100.0 * (double)p->late[i] / (double)n);
	}
}

static void show_compared(const struct tandem_compared *c, FILE *out)
{
	if (!c->came) {
		fprintf(out, "0x%08x: none of its %llu packets came\n", c->ssrc,
			(unsigned long long)c->expected);
		return;
	}
	fprintf(out,
		"0x%08x as 0x%08x: %llu of %llu came, %llu missing, %llu twice, %llu out of order, "
		"%llu altered, %llu mapped otherwise, %llu unexpected; sequence +%u, timestamp "
		"+%u, "
		"payload type %u -> %u\n",
		c->ssrc, c->came_as, (unsigned long long)(c->expected - c->missing),
		(unsigned long long)c->expected, (unsigned long long)c->missing,
		(unsigned long long)c->duplicates, (unsigned long long)c->disordered,
		(unsigned long long)c->altered, (unsigned long long)c->unmapped,
		(unsigned long long)c->unexpected, c->seq_offset, c->ts_offset, c->pt_from,
		c->pt_to);
}

static void show_sent(const struct tandem_replay_result *r, FILE *out)
{
	const struct tandem_pace_report *p = &r->pace;

	fprintf(out,
		"sent %llu packets of %u streams from %u sources in %.3f s, %llu octets; %llu "
		"failed\n",
		(unsigned long long)p->sent, r->streams, r->sources, (double)p->took_ns / 1e9,
		(unsigned long long)p->octets, (unsigned long long)p->failed);
	if (r->o->impaired)
		fprintf(out, "impaired: %llu lost, %llu twice, %llu out of order\n",
			(unsigned long long)p->lost, (unsigned long long)p->duplicated,
			(unsigned long long)p->reordered);
	if (!r->o->fast)
		show_timing(p, out);
}

static void show(const struct tandem_replay_result *r, FILE *out)
{
	if (r->o->file)
		show_sent(r, out);
	if (r->listened)
		fprintf(out, "heard %llu packets; %llu could not be kept\n",
			(unsigned long long)r->heard, (unsigned long long)r->heard_missed);
	if (!r->compared)
		return;
	for (size_t i = 0; i < r->comparison.count; i++)
		show_compared(&r->comparison.streams[i], out);
	if (r->comparison.strangers)
		fprintf(out, "%llu packets of streams that nobody expects\n",
			(unsigned long long)r->comparison.strangers);
	fputs(r->comparison.same ? "as expected\n" : "NOT as expected\n", out);
}

static json_t *timing(const struct tandem_pace_report *p)
{
	json_t *histogram = json_array();

	for (unsigned int i = 0; i < TANDEM_LATE_BUCKETS; i++)
		json_array_append_new(histogram,
				      i < TANDEM_LATE_BUCKETS - 1
					      ? json_pack("{s:f, s:I}", "up_to_us",
							  (double)tandem_late_limits[i] / 1e3,
							  "packets", (json_int_t)p->late[i])
					      : json_pack("{s:n, s:I}", "up_to_us", "packets",
							  (json_int_t)p->late[i]));
	return json_pack("{s:f, s:f, s:o}", "mean_us", mean_late_us(p), "max_us",
			 (double)p->late_max_ns / 1e3, "histogram", histogram);
}

static json_t *compared(const struct tandem_compared *c)
{
	char ssrc[16], came_as[16];

	snprintf(ssrc, sizeof(ssrc), "0x%08x", c->ssrc);
	snprintf(came_as, sizeof(came_as), "0x%08x", c->came_as);
	return json_pack("{s:s, s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:I, s:i, s:i}",
			 "ssrc", ssrc, "came_as", c->came ? came_as : NULL, "expected",
			 (json_int_t)c->expected, "received", (json_int_t)c->received, "missing",
			 (json_int_t)c->missing, "duplicates", (json_int_t)c->duplicates,
			 "disordered", (json_int_t)c->disordered, "altered", (json_int_t)c->altered,
			 "unmapped", (json_int_t)c->unmapped, "unexpected",
			 (json_int_t)c->unexpected, "seq_offset", (int)c->seq_offset, "ts_offset",
			 (json_int_t)c->ts_offset, "pt_from", (int)c->pt_from, "pt_to",
			 (int)c->pt_to);
}

static json_t *comparison(const struct tandem_comparison *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->count; i++)
		json_array_append_new(list, compared(&c->streams[i]));
	return json_pack("{s:o, s:I, s:b}", "streams", list, "strangers", (json_int_t)c->strangers,
			 "same", c->same);
}

static json_t *document(const struct tandem_replay_result *r)
{
	const struct tandem_pace_report *p = &r->pace;
	json_t *doc = json_pack("{s:I, s:I, s:I, s:I, s:I, s:f, s:{s:I, s:I, s:I}}", "sent",
				(json_int_t)p->sent, "failed", (json_int_t)p->failed, "octets",
				(json_int_t)p->octets, "sources", (json_int_t)r->sources, "streams",
				(json_int_t)r->streams, "took_s", (double)p->took_ns / 1e9,
				"impaired", "lost", (json_int_t)p->lost, "duplicated",
				(json_int_t)p->duplicated, "reordered", (json_int_t)p->reordered);

	if (!doc)
		return NULL;
	if (r->o->file && !r->o->fast)
		json_object_set_new(doc, "late", timing(p));
	if (r->listened)
		json_object_set_new(doc, "heard",
				    json_pack("{s:I, s:I}", "packets", (json_int_t)r->heard,
					      "not_kept", (json_int_t)r->heard_missed));
	if (r->compared)
		json_object_set_new(doc, "comparison", comparison(&r->comparison));
	return doc;
}

void tandem_replay_report(const struct tandem_replay_result *r, FILE *out)
{
	json_t *doc;

	if (!r->o->json) {
		show(r, out);
		return;
	}
	doc = document(r);
	json_dumpf(doc, out, JSON_COMPACT | JSON_REAL_PRECISION(12));
	fputc('\n', out);
	json_decref(doc);
}
