/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The messages of calls as arrows:
 *
 *              192.0.2.1:5060          192.0.2.9:5060
 *      0.000000 |---- INVITE (SDP) ---->|
 *      0.020113 |<--- 180 Ringing ------|
 */
#include <string.h>

#include "userspace/capture/inspect.h"

#define HOSTS_MAX 8
#define COLUMN	  38
#define TIME	  14

struct ladder {
	struct tandem_endpoint hosts[HOSTS_MAX];
	int count;
};

/* The column of a host, which may be new; -1 when there are too many. */
static int column(struct ladder *l, const struct tandem_endpoint *ep)
{
	for (int i = 0; i < l->count; i++) {
		if (tandem_endpoint_equal(&l->hosts[i], ep))
			return i;
	}
	if (l->count == HOSTS_MAX)
		return -1;
	l->hosts[l->count] = *ep;
	return l->count++;
}

/* Text of a packet: what could steer a terminal is a question mark. */
static void clean(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || (unsigned char)*text >= 0x7f)
			*text = '?';
	}
}

/* An arrow between two bars, with its text in the middle. */
static void arrow(const struct tandem_sip_message *m, int from, int to, char *line)
{
	int left = from < to ? from : to, right = from < to ? to : from;
	char *begin = line + left * COLUMN + 1, label[COLUMN - 4];
	size_t room = (size_t)(right - left) * COLUMN - 1, len;

	snprintf(label, sizeof(label), " %.*s%s ", COLUMN - 13, m->text, m->sdp ? " (SDP)" : "");
	clean(label);
	len = strlen(label);
	memset(begin, '-', room);
	memcpy(begin + (room - len) / 2, label, len);
	if (from < to)
		begin[room - 1] = '>';
	else
		begin[0] = '<';
}

static void show_message(struct ladder *l, const struct tandem_sip_message *m, double time_s,
			 FILE *out)
{
	int from = column(l, &m->src), to = column(l, &m->dst);
	char line[HOSTS_MAX * COLUMN + 1];

	memset(line, ' ', sizeof(line));
	for (int i = 0; i < l->count; i++)
		line[i * COLUMN] = '|';
	line[(l->count - 1) * COLUMN + 1] = '\0';
	if (from >= 0 && to >= 0 && from != to)
		arrow(m, from, to, line);
	fprintf(out, "%*.6f %s\n", TIME - 1, time_s, line);
}

static void show_hosts(const struct ladder *l, FILE *out)
{
	char buf[TANDEM_ENDPOINT_STRLEN];

	fprintf(out, "%*s", TIME, "");
	for (int i = 0; i < l->count; i++)
		fprintf(out, "%-*s", i + 1 < l->count ? COLUMN : 0,
			tandem_endpoint_format(&l->hosts[i], buf, sizeof(buf)));
	fputc('\n', out);
}

static void show_call(const struct tandem_inspection *in, const struct tandem_sip_call *call,
		      FILE *out)
{
	struct ladder l = { .count = 0 };
	char title[512];

	snprintf(title, sizeof(title), "%.150s  %.150s -> %.150s", call->call_id, call->from,
		 call->to);
	clean(title);
	fprintf(out, "%s\n", title);
	for (size_t i = 0; i < call->count; i++) {
		(void)column(&l, &call->messages[i].src);
		(void)column(&l, &call->messages[i].dst);
	}
	show_hosts(&l, out);
	for (size_t i = 0; i < call->count; i++) {
		const struct tandem_sip_message *m = &call->messages[i];

		show_message(&l, m, (double)(int64_t)(m->time_ns - in->counts.first_ns) / 1e9, out);
	}
	fputc('\n', out);
}

void tandem_inspection_ladder(const struct tandem_inspection *in, FILE *out)
{
	for (size_t i = 0; i < tandem_sip_log_count(in->sip); i++) {
		const struct tandem_sip_call *call = tandem_sip_log_at(in->sip, i);

		if (call->count)
			show_call(in, call, out);
	}
}
