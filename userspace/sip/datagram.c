/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/datagram.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include <re_udp.h>

#include "userspace/media/stun.h"
#include "userspace/sip/auth_limit.h"
#include "userspace/sip/block.h"
#include "userspace/util/log.h"

#define DATAGRAM_MAX 65535
#define ANSWER_MAX   64
#define RATE	     100 /* answers in a second to one source */

/* A socket, and whose it is. */
struct door {
	struct le le;
	struct tandem_datagrams *all;
	struct udp_sock *us; /* libre's */
};

struct tandem_datagrams {
	struct tandem_sip *ts;
	struct list doors;
	struct tandem_limit *limit;
	struct {
#define COUNTER(name) uint64_t name;
		TANDEM_DATAGRAM_COUNTERS(COUNTER)
#undef COUNTER
	} counters;
};

/* For whom libre is opening a socket. */
static struct tandem_datagrams *opening;

static void answer(const struct door *door, const struct sa *src, const struct tandem_endpoint *ep,
		   const struct tandem_stun *msg)
{
	struct mbuf *mb = mbuf_alloc(ANSWER_MAX);
	struct tandem_stun_writer w;
	int len;

	if (!mb)
		return;
	if (msg->unknown_count) {
		tandem_stun_start(&w, mb->buf, mb->size, TANDEM_STUN_BINDING, TANDEM_STUN_ERROR,
				  msg->id);
		tandem_stun_put_error(&w, TANDEM_STUN_UNKNOWN_ATTRIBUTE);
		tandem_stun_put_unknown(&w, msg);
	} else {
		tandem_stun_start(&w, mb->buf, mb->size, TANDEM_STUN_BINDING, TANDEM_STUN_SUCCESS,
				  msg->id);
		tandem_stun_put_mapped(&w, ep);
	}
	if (msg->fingerprint)
		tandem_stun_put_fingerprint(&w);
	len = tandem_stun_finish(&w);
	if (len > 0) {
		mb->end = (size_t)len;
		(void)udp_send(door->us, src, mb);
	}
	mem_deref(mb);
}

/* Nothing else but a question how it is seen from here (RFC 5626 section 8). */
static void handle_stun(const struct door *door, const struct sa *src,
			const struct tandem_endpoint *ep, const struct mbuf *mb)
{
	struct tandem_datagrams *d = door->all;
	struct tandem_stun msg;

	if (tandem_stun_parse(&msg, mbuf_buf(mb), mbuf_get_left(mb)) ||
	    msg.class != TANDEM_STUN_REQUEST || msg.method != TANDEM_STUN_BINDING) {
		d->counters.stun_ignored++;
	} else if (tandem_limit_take(d->limit, &ep->ip, tmr_jiffies()) != TANDEM_LIMIT_OK) {
		d->counters.stun_limited++;
	} else {
		d->counters.stun_answered++;
		answer(door, src, ep, &msg);
	}
}

/* True: libre does not see it. */
static bool recv_handler(struct sa *src, struct mbuf *mb, void *arg)
{
	const struct door *door = arg;
	struct tandem_endpoint ep;

	if (tandem_sip_endpoint(&ep, src) ||
	    tandem_block_drops_source(door->all->ts->block, &ep.ip))
		return true;
	if (!tandem_stun_is(mbuf_buf(mb), mbuf_get_left(mb)))
		return false;
	handle_stun(door, src, &ep, mb);

	return true;
}

static void destructor(void *arg)
{
	struct door *door = arg;

	list_unlink(&door->le);
}

static int attend(struct tandem_datagrams *d, struct udp_sock *us)
{
	struct door *door = mem_zalloc(sizeof(*door), destructor);
	int err;

	if (!door)
		return ENOMEM;
	door->all = d;
	door->us = us;
	udp_rxsz_set(us, DATAGRAM_MAX);
	err = udp_register_helper(NULL, us, 0, NULL, recv_handler, door);
	if (err)
		mem_deref(door);
	else
		list_append(&d->doors, &door->le, door);

	return err;
}

typedef int(listen_fn)(struct udp_sock **usp, const struct sa *local, udp_recv_h *rh, void *arg);

int udp_listen(struct udp_sock **usp, const struct sa *local, udp_recv_h *rh, void *arg)
{
	static listen_fn *next;
	int err;

	/* ISO C does not make functions of pointers to void */
	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "udp_listen");
	if (!next)
		return ENOSYS;
	err = next(usp, local, rh, arg);
	if (!err && opening) {
		err = attend(opening, *usp);
		if (err)
			*usp = mem_deref(*usp);
	}

	return err;
}

int tandem_datagrams_listen(struct tandem_datagrams *d, struct sip *sip, const struct sa *addr)
{
	const struct le *last = d->doors.tail;
	int err;

	opening = d;
	err = -sip_transp_add(sip, SIP_TRANSP_UDP, addr);
	opening = NULL;
	if (!err && d->doors.tail == last)
		tandem_log(TANDEM_LOG_ERROR, "sip",
			   "this build of libre does not let STUN be answered");

	return err;
}

int tandem_datagrams_alloc(struct tandem_datagrams **dp, struct tandem_sip *ts)
{
	const struct tandem_limit_config rate = { .burst = RATE,
						  .per_s_num = RATE,
						  .per_s_den = 1 };
	struct tandem_datagrams *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->ts = ts;
	d->limit = tandem_limit_alloc(&rate);
	if (!d->limit) {
		free(d);
		return -ENOMEM;
	}
	*dp = d;

	return 0;
}

void tandem_datagrams_free(struct tandem_datagrams *d)
{
	if (!d)
		return;
	while (d->doors.head)
		mem_deref(d->doors.head->data);
	tandem_limit_free(d->limit);
	free(d);
}

json_t *tandem_datagrams_json(const struct tandem_datagrams *d)
{
	json_t *doc = json_object();

#define COUNTER(name) json_object_set_new(doc, #name, json_integer((json_int_t)d->counters.name));
	TANDEM_DATAGRAM_COUNTERS(COUNTER)
#undef COUNTER

	return doc;
}
