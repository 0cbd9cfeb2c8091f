/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userspace/sip/conns.h"
#include "userspace/sip/datagram.h"
#include "userspace/sip/local.h"
#include "userspace/sip/tls.h"
#include "userspace/util/log.h"

#define HASH_SIZE 4096

static struct tandem_stack *find(const struct tandem_sip *ts, const struct sa *local)
{
	size_t i;

	for (i = 0; i < ts->stacks_count; i++) {
		if (sa_cmp(&ts->stacks[i].addr, local, SA_ADDR))
			return &ts->stacks[i];
	}

	return NULL;
}

static struct tandem_stack *find_af(const struct tandem_sip *ts, int af)
{
	size_t i;

	for (i = 0; i < ts->stacks_count; i++) {
		if (sa_af(&ts->stacks[i].addr) == af)
			return &ts->stacks[i];
	}

	return &ts->stacks[0];
}

struct sip *tandem_sip_stack(const struct tandem_sip *ts, const struct sa *local)
{
	const struct tandem_stack *stack = find(ts, local);

	return stack ? stack->sip : ts->stacks[0].sip;
}

/* Connecting a datagram socket sends nothing, but looks the route up. */
static int route_source(struct sa *src, const struct sa *dst)
{
	int fd = socket(sa_af(dst), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		return -errno;
	sa_init(src, sa_af(dst));
	src->len = sizeof(src->u);
	if (connect(fd, &dst->u.sa, dst->len) || getsockname(fd, &src->u.sa, &src->len))
		err = -errno;
	close(fd);

	return err;
}

struct sip *tandem_sip_stack_to(const struct tandem_sip *ts, const struct sa *dst)
{
	const struct tandem_stack *stack = NULL;
	struct sa src;

	if (ts->stacks_count == 1)
		return ts->stacks[0].sip;

	if (dst ? !route_source(&src, dst) : !net_default_source_addr_get(AF_INET, &src))
		stack = find(ts, &src);
	if (!stack)
		stack = find_af(ts, dst ? sa_af(dst) : AF_INET);

	return stack->sip;
}

void tandem_sip_on_message(struct tandem_sip *ts, tandem_sip_message_h *h, void *arg)
{
	ts->message_h = h;
	ts->message_arg = arg;
}

static void tell(const struct tandem_sip *ts, bool tx, enum sip_transp tp, const struct sa *src,
		 const struct sa *dst, const uint8_t *pkt, size_t len)
{
	struct tandem_sip_message m = {
		.sent = tx,
		.transport = tandem_sip_transport_word(tp),
		.text = (const char *)pkt,
		.len = len,
	};

	if (src)
		(void)tandem_endpoint_from_sockaddr(&m.from, &src->u.sa);
	if (dst)
		(void)tandem_endpoint_from_sockaddr(&m.to, &dst->u.sa);
	ts->message_h(&m, ts->message_arg);
}

/* First lines, for those who look for a message that got lost. */
static void trace(bool tx, enum sip_transp tp, const struct sa *src, const struct sa *dst,
		  const uint8_t *pkt, size_t len, void *arg)
{
	struct pl line = { .p = (const char *)pkt, .l = 0 };
	const struct tandem_sip *ts = arg;
	char peer[64];

	if (!tx)
		tandem_conns_message();
	if (ts->message_h)
		tell(ts, tx, tp, src, dst, pkt, len);
	while (line.l < len && line.l < 160 && line.p[line.l] != '\r' && line.p[line.l] != '\n')
		line.l++;
	if (re_snprintf(peer, sizeof(peer), "%s %J", sip_transp_name(tp), tx ? dst : src) > 0)
		tandem_log(TANDEM_LOG_DEBUG, "sip", "%s %s: %.*s", tx ? "to" : "from", peer,
			   (int)line.l, line.p);
}

static int stack_open(struct tandem_sip *ts, const struct sa *addr, sip_msg_h *request_h,
		      sip_msg_h *response_h)
{
	struct tandem_stack *stack = &ts->stacks[ts->stacks_count];
	int err;

	err = sip_alloc(&stack->sip, ts->dnsc, HASH_SIZE, HASH_SIZE, HASH_SIZE,
			"tandem/" TANDEM_VERSION, NULL, ts);
	if (err)
		return -err;

	sip_set_trace_handler(stack->sip, trace);
	stack->addr = *addr;
	ts->stacks_count++;
	err = sip_listen(&stack->lsnr_req, stack->sip, true, request_h, ts);
	if (!err)
		err = sip_listen(&stack->lsnr_resp, stack->sip, false, response_h, ts);

	return -err;
}

int tandem_sip_stack_listen(struct tandem_sip *ts, const struct tandem_listener *l,
			    sip_msg_h *request_h, sip_msg_h *response_h)
{
	int err = 0;

	if (!find(ts, &l->addr))
		err = stack_open(ts, &l->addr, request_h, response_h);
	if (err)
		return err;
	if (l->tp == SIP_TRANSP_UDP)
		return tandem_datagrams_listen(ts->datagrams, find(ts, &l->addr)->sip, &l->addr);

	err = -sip_transp_add(find(ts, &l->addr)->sip, l->tp, &l->addr,
			      tandem_sip_tls_context(ts->tls));
	if (!err && !tandem_conns_are_seen())
		tandem_log(TANDEM_LOG_ERROR, "sip",
			   "this build of libre does not let connections be bounded");

	return err;
}

void tandem_sip_stacks_close(struct tandem_sip *ts)
{
	size_t i;

	for (i = 0; i < ts->stacks_count; i++)
		sip_close(ts->stacks[i].sip, true);
}

void tandem_sip_stacks_free(struct tandem_sip *ts)
{
	size_t i;

	for (i = 0; i < ts->stacks_count; i++) {
		mem_deref(ts->stacks[i].lsnr_req);
		mem_deref(ts->stacks[i].lsnr_resp);
		mem_deref(ts->stacks[i].sip);
	}
	ts->stacks = mem_deref(ts->stacks);
	ts->stacks_count = 0;
}
