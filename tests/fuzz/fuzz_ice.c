/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An ICE agent and one who knows its password. The input is a list of steps, each an octet and what
 * it wants: messages whose integrity is made right, or not, responses to what the agent sent last,
 * candidates, time. Checked: nothing leaves for a denied address, checks keep their pace, and
 * there is an end to them; a deadline that was served lies ahead.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/media/ice.h"
#include "userspace/media/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char pwd[] = "0123456789abcdefghijkl", theirs[] = "peer";

struct input {
	const uint8_t *p;
	size_t left;
};

struct world {
	struct tandem_ice *ice;
	uint64_t now, last_check;
	uint8_t id[TANDEM_STUN_ID]; /* of the last check */
	struct tandem_endpoint asked;
	uint64_t checks_before, consents_before;
};

static uint8_t next(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

/* Of the address 198.51.100.x; those above 200 are denied. */
static struct tandem_endpoint address(uint8_t x)
{
	struct tandem_endpoint e = { .port = (uint16_t)(1000 + x / 16) };

	CHECK(!tandem_ip_parse(&e.ip, "198.51.100.0"));
	e.ip.b[15] = x;
	return e;
}

static void send_h(const struct tandem_endpoint *local, const struct tandem_endpoint *remote,
		   const void *data, size_t len, void *arg)
{
	struct world *w = arg;
	struct tandem_stun m;

	(void)local;
	CHECK(remote->ip.b[15] <= 200 && remote->port);
	CHECK(!tandem_stun_parse(&m, data, len) && m.fingerprint);
	if (m.class != TANDEM_STUN_REQUEST)
		return;
	memcpy(w->id, m.id, sizeof(w->id));
	w->asked = *remote;
}

static bool allowed_h(const struct tandem_endpoint *remote, void *arg)
{
	(void)arg;
	return remote->ip.b[15] <= 200;
}

static void selected_h(unsigned int component, const struct tandem_endpoint *local,
		       const struct tandem_endpoint *remote, void *arg)
{
	(void)local;
	(void)arg;
	CHECK(component >= 1 && component <= TANDEM_ICE_COMPONENTS && remote->ip.b[15] <= 200);
}

static const struct tandem_ice_ops ops = { .send = send_h,
					   .allowed = allowed_h,
					   .selected = selected_h };

static struct tandem_endpoint local_of(unsigned int component)
{
	struct tandem_endpoint e = { .port = (uint16_t)(5000 + component) };

	CHECK(!tandem_ip_parse(&e.ip, "192.0.2.1"));
	return e;
}

static void tick(struct world *w)
{
	const struct tandem_ice_counters *n = tandem_ice_counters(w->ice);
	uint64_t before = n->checks_sent + n->retransmits, after;

	tandem_ice_tick(w->ice, w->now);
	after = n->checks_sent + n->retransmits;
	CHECK(after - before <= 1);
	if (after != before) {
		CHECK(!w->last_check || w->now - w->last_check >= TANDEM_ICE_TA_MS);
		w->last_check = w->now;
	}
}

static void request(struct world *w, struct input *in)
{
	struct tandem_endpoint local = local_of(1 + next(in) % 2), remote = address(next(in));
	uint8_t flags = next(in), buf[512], id[TANDEM_STUN_ID] = { flags };
	struct tandem_stun_writer out;

	tandem_stun_start(&out, buf, sizeof(buf), TANDEM_STUN_BINDING, TANDEM_STUN_REQUEST, id);
	tandem_stun_put_username(&out, tandem_ice_ufrag(w->ice), flags & 1 ? "fork" : theirs);
	if (flags & 2)
		tandem_stun_put_priority(&out, (uint32_t)next(in) << 24);
	if (flags & 4)
		tandem_stun_put_use_candidate(&out);
	if (flags & 8)
		tandem_stun_put_role(&out, flags & 16, (uint64_t)next(in) << 56);
	if (!(flags & 32))
		tandem_stun_put_integrity(&out, tandem_ice_pwd(w->ice),
					  strlen(tandem_ice_pwd(w->ice)));
	tandem_ice_input(w->ice, &local, &remote, buf, (size_t)tandem_stun_finish(&out), w->now);
}

static void response(struct world *w, struct input *in)
{
	static const unsigned int errors[] = { 400, 401, 420, 487, 500 };
	struct tandem_endpoint local = local_of(1 + next(in) % 2);
	uint8_t flags = next(in), buf[512];
	struct tandem_endpoint remote = flags & 1 ? address(next(in)) : w->asked;
	struct tandem_stun_writer out;

	tandem_stun_start(&out, buf, sizeof(buf), TANDEM_STUN_BINDING,
			  flags & 2 ? TANDEM_STUN_ERROR : TANDEM_STUN_SUCCESS, w->id);
	if (flags & 2)
		tandem_stun_put_error(&out, errors[next(in) % 5]);
	if (!(flags & 4))
		tandem_stun_put_mapped(&out, &local);
	if (!(flags & 8))
		tandem_stun_put_integrity(&out, pwd, sizeof(pwd) - 1);
	tandem_ice_input(w->ice, &local, &remote, buf, (size_t)tandem_stun_finish(&out), w->now);
}

static void raw(struct world *w, struct input *in)
{
	struct tandem_endpoint local = local_of(1), remote = address(next(in));
	size_t len = next(in);

	len = len < in->left ? len : in->left;
	tandem_ice_input(w->ice, &local, &remote, in->p, len, w->now);
	in->p += len;
	in->left -= len;
}

static void candidate(struct world *w, struct input *in)
{
	struct tandem_candidate c = { .foundation = "f",
				      .udp = true,
				      .component = next(in) % 4,
				      .priority = (uint32_t)next(in) << 20 };

	c.foundation[0] = (char)('a' + next(in) % 8);
	c.addr = address(next(in));
	(void)tandem_ice_add_remote(w->ice, &c, w->now);
}

static void step(struct world *w, struct input *in)
{
	struct tandem_ice_remote r = { theirs, pwd, false };
	struct tandem_endpoint local, remote;

	switch (next(in) % 13) {
	case 0:
		r.lite = next(in) & 1;
		(void)tandem_ice_set_remote(w->ice, &r, w->now);
		break;
	case 1:
		raw(w, in);
		break;
	case 2:
		tandem_ice_end_of_candidates(w->ice, w->now);
		break;
	case 3:
		CHECK(!tandem_ice_restart(w->ice));
		break;
	case 4:
		(void)tandem_ice_set_components(w->ice, next(in) % 4, w->now);
		break;
	case 5:
		local = local_of(1);
		remote = address(next(in));
		(void)tandem_ice_adopt(w->ice, 1, &local, &remote, w->now);
		break;
	case 6:
	case 7:
		request(w, in);
		break;
	case 8:
		response(w, in);
		break;
	case 9:
		candidate(w, in);
		break;
	case 10:
		(void)tandem_ice_rollback(w->ice);
		break;
	default:
		w->now += (uint64_t)next(in) * 10;
		tick(w);
	}
}

/* Without any input, an agent comes to rest, or to its consent checks. */
static void rest(struct world *w)
{
	const struct tandem_ice_counters *n = tandem_ice_counters(w->ice);
	uint64_t end = w->now + 3600000;
	unsigned int rounds = 0;

	while (tandem_ice_deadline(w->ice) < end) {
		uint64_t due = tandem_ice_deadline(w->ice);

		w->now = due > w->now ? due : w->now;
		tick(w);
		CHECK(++rounds < 20000);
	}
	CHECK(n->checks_sent + n->retransmits <= 32 * 7 * TANDEM_ICE_PAIRS);
	CHECK(tandem_ice_state(w->ice) != TANDEM_ICE_CHECKING);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tandem_ice_local locals[2] = { { .component = 1 }, { .component = 2 } };
	struct world w = { .now = 1000 };
	struct input in = { data, size };
	uint8_t flags = next(&in);
	struct tandem_ice_config cfg = {
		.lite = flags & 1,
		.controlling = flags & 2,
		.components = flags & 4 ? 2 : 1,
		.locals = locals,
		.tie_breaker = 1ULL << 60,
		.ops = &ops,
		.arg = &w,
	};

	cfg.locals_count = cfg.components;
	locals[0].addr = local_of(1);
	locals[1].addr = local_of(2);
	w.asked = address(1);
	CHECK(!tandem_ice_alloc(&w.ice, &cfg));
	while (in.left)
		step(&w, &in);
	rest(&w);
	tandem_ice_free(w.ice);
	return 0;
}
