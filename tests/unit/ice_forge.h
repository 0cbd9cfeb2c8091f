/* SPDX-License-Identifier: GPL-2.0-only */
/* An ICE agent, and messages to it that its peer may have made, or somebody else. */
#ifndef TANDEM_TESTS_ICE_FORGE_H
#define TANDEM_TESTS_ICE_FORGE_H

#include "tests/unit/ice_net.h"

#include "userspace/media/stun.h"

#define LOCAL  "192.0.2.1:5000"
#define REMOTE "198.51.100.2:6000"

static const char their_ufrag[] = "evil", their_pwd[] = "0123456789abcdefghijkl";

/* A message to be made. */
struct forge {
	enum tandem_stun_class class;
	const char *ufrag, *pwd; /* of the agent it is for; pwd NULL: without integrity */
	const char *from;	 /* NULL: their_ufrag */
	uint8_t id[TANDEM_STUN_ID];
	uint32_t priority;
	bool use_candidate, controlled, no_username, mapped;
	unsigned int error;
};

static inline size_t forge(uint8_t *buf, size_t size, const struct forge *f)
{
	struct tandem_endpoint mapped = ep(LOCAL);
	struct tandem_stun_writer w;

	tandem_stun_start(&w, buf, size, TANDEM_STUN_BINDING, f->class, f->id);
	if (f->class == TANDEM_STUN_REQUEST) {
		if (!f->no_username)
			tandem_stun_put_username(&w, f->ufrag, f->from ? f->from : their_ufrag);
		tandem_stun_put_priority(&w, f->priority);
		tandem_stun_put_role(&w, !f->controlled, 7);
	}
	if (f->use_candidate)
		tandem_stun_put_use_candidate(&w);
	if (f->mapped)
		tandem_stun_put_mapped(&w, &mapped);
	if (f->error)
		tandem_stun_put_error(&w, f->error);
	if (f->pwd)
		tandem_stun_put_integrity(&w, f->pwd, strlen(f->pwd));
	tandem_stun_put_fingerprint(&w);
	assert_true(tandem_stun_finish(&w) > 0);
	return (size_t)tandem_stun_finish(&w);
}

static inline void give(struct peer *p, const char *from, const struct forge *f)
{
	struct tandem_endpoint local = ep(LOCAL), remote = ep(from);
	uint8_t buf[512];

	tandem_ice_input(p->ice, &local, &remote, buf, forge(buf, sizeof(buf), f), p->net->now);
}

static inline struct peer *agent(struct net *net, bool lite)
{
	static const char *const local[] = { LOCAL };
	struct tandem_ice_config cfg = { .lite = lite, .controlling = true, .components = 1 };
	struct tandem_ice_remote r = { their_ufrag, their_pwd, false };
	struct peer *p = net_peer(net, cfg, local, 1);

	assert_int_equal(tandem_ice_set_remote(p->ice, &r, net->now), 0);
	return p;
}

static inline struct forge request_for(const struct peer *p)
{
	return (struct forge){ .class = TANDEM_STUN_REQUEST,
			       .ufrag = tandem_ice_ufrag(p->ice),
			       .pwd = tandem_ice_pwd(p->ice),
			       .priority = 1000 };
}

/* The newest message that the agent has sent. */
static inline void sent_last(const struct net *net, struct tandem_stun *m)
{
	assert_true(net->queued > 0);
	assert_int_equal(tandem_stun_parse(m, net->queue[net->queued - 1].data,
					   net->queue[net->queued - 1].len),
			 0);
}

static inline void candidate(struct tandem_candidate *c, const char *text)
{
	assert_int_equal(tandem_candidate_parse(c, text, strlen(text)), 0);
}

#endif
