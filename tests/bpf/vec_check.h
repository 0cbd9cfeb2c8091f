/* SPDX-License-Identifier: GPL-2.0-only */
/* The count, flow, leg and stream lines of a case. Included by vectors.c, whose types it uses. */
#ifndef TANDEM_TESTS_VEC_CHECK_H
#define TANDEM_TESTS_VEC_CHECK_H

struct field {
	const char *name;
	long long value;
};

/* Compare each "name=value" of line, after skipping some words, with fields. */
static void check_fields(struct world *w, const struct side *s, const char *line, int skip,
			 const struct field *fields, size_t n)
{
	char copy[256], *save = NULL, *word, *eq;
	size_t i;

	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (skip-- > 0)
			continue;
		eq = strchr(word, '=');
		if (!eq)
			vec_die("name=value expected in '%s'", line);
		*eq++ = 0;
		for (i = 0; i < n && strcmp(fields[i].name, word); i++)
			;
		if (i == n)
			vec_die("unknown field '%s' in '%s'", word, line);
		if (!strcmp(word, "last_reason") || !strcmp(word, "reason")
			    ? fields[i].value != vec_reason(eq)
			    : fields[i].value != strtoll(eq, NULL, 0))
			complain(w, s->name, 0, "%s: %s is %lld", line, word, fields[i].value);
	}
}

/* count NAME=N ...: these and no others are counted. */
static void check_count(struct world *w, const struct side *s, const char *line)
{
	struct field fields[REASON_COUNT];
	unsigned int i;

	for (i = 0; i < REASON_COUNT; i++) {
		fields[i] = (struct field){ vec_reasons[i], (long long)s->env.counters.packets[i] };
		if (fields[i].value && !strstr(line, vec_reasons[i]))
			complain(w, s->name, 0, "%s also counted", vec_reasons[i]);
	}
	check_fields(w, s, line, 1, fields, REASON_COUNT);
}

static void check_flow(struct world *w, const struct side *s, const char *line)
{
	char where[64];
	const struct flow_more *more;
	const struct flow *f;
	unsigned int slot;

	sscanf(line, "flow %63s", where);
	slot = vec_slot(&w->c, where);
	f = &s->entries[slot].flow;
	more = &s->flows_more[slot];
	const struct field fields[] = {
		{ "packets", (long long)f->packets },
		{ "octets", (long long)f->octets },
		{ "rtcp", (long long)more->rtcp_packets },
		{ "dropped", (long long)more->dropped },
		{ "unknown", (long long)more->unknown_source },
		{ "unknown_port", host16(more->unknown_port) },
		{ "punted", (long long)more->punted },
		{ "extra", more->extra_streams },
		{ "last_reason", more->last_reason },
		{ "no_room", more->no_room },
	};
	check_fields(w, s, line, 2, fields, sizeof(fields) / sizeof(fields[0]));
}

/* leg N ...: of all legs of the case, in the order of the file, from 0. */
static void check_leg(struct world *w, const struct side *s, const char *line)
{
	const struct leg_state *leg;
	unsigned int n;

	if (sscanf(line, "leg %u", &n) != 1 || n >= w->c.leg_count)
		vec_die("no such leg: '%s'", line);
	leg = &s->leg_states[n];
	const struct field fields[] = {
		{ "packets", (long long)leg->packets },
		{ "octets", (long long)leg->octets },
		{ "lost", (long long)leg->lost },
		{ "reason", leg->last_reason },
	};
	check_fields(w, s, line, 2, fields, sizeof(fields) / sizeof(fields[0]));
}

static void check_stream(struct world *w, const struct side *s, const char *line)
{
	char where[64];
	const struct stream_more *more = NULL;
	const struct stream *st = NULL;
	unsigned int slot, ssrc, i;

	if (sscanf(line, "stream %63s %i", where, (int *)&ssrc) != 2)
		vec_die("stream SLOT SSRC expected in '%s'", line);
	slot = vec_slot(&w->c, where);
	if (s->entries[slot].flow.stream.packets && s->entries[slot].flow.stream.ssrc == ssrc) {
		st = &s->entries[slot].flow.stream;
		more = &s->flows_more[slot].stream;
	}
	for (i = 0; !st && i < VEC_STREAMS; i++) {
		if (s->streams[i].key != env_stream_word(slot, ssrc))
			continue;
		st = &s->streams[i].extra.stream;
		more = &s->streams[i].extra.more;
	}
	if (!st) {
		complain(w, s->name, 0, "%s: no such stream", line);
		return;
	}
	const struct field fields[] = {
		{ "packets", (long long)st->packets },
		{ "octets", (long long)st->octets },
		{ "lost", (__s32)stream_lost(st, more) },
		{ "expected", stream_expected(st, more) },
		{ "received", st->received },
		{ "gaps", more->gaps },
		{ "reordered", more->reordered },
		{ "duplicates", more->duplicates },
		{ "restarts", more->restarts },
		{ "max_seq", st->max_seq },
		{ "cycles", more->cycles >> 16 },
		{ "pt", st->pt },
		{ "clock", st->clock_hz },
		{ "jitter_ns", (long long)(st->jitter_ns >> 4) },
		{ "jitter_max_ns", st->jitter_max_ns },
		{ "sr", more->sr_count },
		{ "rr", more->rr_count },
		{ "rr_lost", more->rr_lost },
		{ "rr_fraction", more->rr_fraction },
		{ "rr_jitter", more->rr_jitter },
		{ "rtt_ns", more->rtt_ns },
		{ "rtt_min_ns", more->rtt_min_ns },
		{ "rtt_max_ns", more->rtt_max_ns },
		{ "bye", more->bye },
	};
	check_fields(w, s, line, 3, fields, sizeof(fields) / sizeof(fields[0]));
}

static void run_checks(struct world *w, const struct side *s)
{
	size_t i;

	for (i = 0; i < w->c.check_count; i++) {
		const char *line = w->c.checks[i];

		if (!strncmp(line, "count", 5))
			check_count(w, s, line);
		else if (!strncmp(line, "flow", 4))
			check_flow(w, s, line);
		else if (!strncmp(line, "leg", 3))
			check_leg(w, s, line);
		else
			check_stream(w, s, line);
	}
}

#endif
