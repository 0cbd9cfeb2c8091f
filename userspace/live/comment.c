/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/live/comment.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/verdict.h"
#include "userspace/live/filter.h"

static const char *const reason_names[REASON_COUNT] = {
#define REASON(name, kind, help) [REASON_##name] = #name,
#include "core/counters.def"
#undef REASON
};

struct text {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->at, t->left, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->left)
		n = t->left ? (int)t->left - 1 : 0;
	t->at += n;
	t->left -= (size_t)n;
}

static void add_verdict(struct text *t, const struct tandem_live_packet *p)
{
	static const char *const names[] = {
		[VERDICT_FORWARD] = "forward",
		[VERDICT_DROP] = "drop",
		[VERDICT_PUNT] = "controller", /* which has it, or nobody has */
	};

	if (!p->has_reason)
		add(t, " verdict=forward");
	else if (p->reason < REASON_COUNT)
		add(t, " verdict=%s reason=%s", names[reason_verdict(p->reason)],
		    reason_names[p->reason]);
}

void tandem_live_comment(const struct tandem_live_packet *p, char out[TANDEM_COMMENT_SIZE])
{
	static const char *const directions[] = { "in", "out", "in clear" };
	struct text t = { out, TANDEM_COMMENT_SIZE };
	bool rtcp = p->flow.rtcp;
	uint32_t ssrc;

	if (p->call->forward)
		add(&t, "forward=%s", p->call->call_id);
	else
		add(&t, "call-id=%s leg=%c media=%zu", p->call->call_id,
		    p->flow.from == TANDEM_PARTY_A ? 'a' : 'b', p->flow.media);
	if (tandem_live_ssrc(p, &ssrc, &rtcp))
		add(&t, " %s ssrc=0x%08x", rtcp ? "rtcp" : "rtp", ssrc);
	add(&t, " %s", directions[p->kind]);
	if (p->leg)
		add(&t, " copy=%u", p->leg);
	if (p->kind == TANDEM_LIVE_IN)
		add_verdict(&t, p);
}
