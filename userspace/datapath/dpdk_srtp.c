/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/datapath/dpdk_client.h"
#include "userspace/datapath/srtp_sets.h"

/* Of a set at an index, what a worker that was there before says. */
enum held {
	HELD_NOT,
	HELD,
	HELD_WRONG, /* it is not the plane's, and the worker must give it up */
};

/* ---- what the worker is told ---- */

static int tell_set(struct tandem_datapath *dp, uint32_t index, const struct srtp_keys *keys)
{
	int err;

	dp->request.srtp = (struct tandem_dpdk_srtp){ .index = index, .keys = *keys };
	err = tandem_dpdk_talk(dp, TANDEM_DPDK_SRTP_SET);
	explicit_bzero(&dp->request.srtp, sizeof(dp->request.srtp));
	return err;
}

static int tell_drop(struct tandem_datapath *dp, uint32_t index)
{
	dp->request.index = index;
	return tandem_dpdk_talk(dp, TANDEM_DPDK_SRTP_DROP);
}

/* ---- uses of sets ---- */

static int uses_add(struct dpdk_uses *uses, uint32_t index)
{
	uint32_t room = uses->room ? 2 * uses->room : TANDEM_DPDK_USE_LEGS;
	uint32_t *more;

	if (uses->count == uses->room) {
		more = realloc(uses->index, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		uses->index = more;
		uses->room = room;
	}
	uses->index[uses->count++] = index;
	return 0;
}

/* One more use of a set, which the worker is sent if it has not got it yet. */
static int use(struct tandem_datapath *dp, const struct tandem_srtp *set, struct dpdk_uses *uses)
{
	struct dpdk_srtp *srtp = &dp->srtp;
	struct srtp_keys keys;
	uint32_t index;
	int err;

	if (!set)
		return 0;
	err = tandem_srtp_sets_get(srtp->sets, set, &index, &keys);
	if (err)
		return err;
	err = uses_add(uses, index);
	if (!err && !srtp->users[index]) {
		err = tell_set(dp, index, &keys);
		uses->count -= err ? 1 : 0;
	}
	explicit_bzero(&keys, sizeof(keys));
	if (err || srtp->users[index])
		tandem_srtp_sets_put(srtp->sets, index);
	if (!err)
		srtp->users[index]++;
	return err;
}

/*
 * The worker's answer is waited for: from then on none of its packets enters an index in the
 * streams of the set, which may be another's next.
 */
static void leave(struct tandem_datapath *dp, struct dpdk_uses *uses)
{
	for (uint32_t i = 0; i < uses->count; i++) {
		const uint32_t index = uses->index[i];

		if (--dp->srtp.users[index])
			continue;
		tell_drop(dp, index);
		tandem_srtp_sets_put(dp->srtp.sets, index);
	}
	free(uses->index);
	*uses = (struct dpdk_uses){ 0 };
}

/* Of all that a specification names. */
static int use_all(struct tandem_datapath *dp, const struct tandem_flow_spec *spec,
		   struct dpdk_uses *uses)
{
	int err;

	*uses = (struct dpdk_uses){ 0 };
	err = use(dp, spec->srtp_in, uses);
	if (!err && spec->srtp_in)
		err = use(dp, spec->srtp_in_old, uses);
	if (!err)
		err = use(dp, spec->srtp_out, uses);
	for (uint32_t i = 0; spec->fan && i < spec->fan->key_count && !err; i++)
		err = use(dp, &spec->fan->keys[i], uses);
	if (err)
		leave(dp, uses);
	return err;
}

/* ---- flows ---- */

/* What a flow has; NULL: none. */
static struct dpdk_uses *find(const struct dpdk_srtp *srtp, uint64_t id)
{
	uint32_t place = tandem_hash_get(&srtp->ids, &id);

	return place == TANDEM_HASH_NONE ? NULL : &srtp->flows[place];
}

static int grow(struct dpdk_srtp *srtp)
{
	uint32_t room = srtp->flow_room ? 2 * srtp->flow_room : 64;
	struct dpdk_uses *flows = realloc(srtp->flows, room * sizeof(*flows));
	uint32_t *unused;

	if (!flows)
		return -ENOMEM;
	srtp->flows = flows;
	unused = realloc(srtp->unused, room * sizeof(*unused));
	if (!unused)
		return -ENOMEM;
	srtp->unused = unused;
	srtp->flow_room = room;
	return 0;
}

/* The same; one that has none gets room for some. NULL: no memory. */
static struct dpdk_uses *enter(struct dpdk_srtp *srtp, uint64_t id)
{
	struct dpdk_uses *uses = find(srtp, id);
	uint32_t place;

	if (uses)
		return uses;
	if (!srtp->unused_count && srtp->flow_count == srtp->flow_room && grow(srtp))
		return NULL;
	place = srtp->unused_count ? srtp->unused[srtp->unused_count - 1] : srtp->flow_count;
	if (tandem_hash_set(&srtp->ids, &id, place))
		return NULL;
	if (srtp->unused_count)
		srtp->unused_count--;
	else
		srtp->flow_count++;
	srtp->flows[place] = (struct dpdk_uses){ 0 };
	return &srtp->flows[place];
}

/* It has none any more; uses are the caller's to leave. */
static struct dpdk_uses take_out(struct dpdk_srtp *srtp, uint64_t id)
{
	struct dpdk_uses *uses = find(srtp, id), had = { 0 };

	if (!uses)
		return had;
	had = *uses;
	*uses = (struct dpdk_uses){ 0 };
	srtp->unused[srtp->unused_count++] = (uint32_t)(uses - srtp->flows);
	tandem_hash_remove(&srtp->ids, &id);
	return had;
}

static void forget_all(struct dpdk_srtp *srtp)
{
	for (uint32_t i = 0; i < srtp->flow_count; i++)
		free(srtp->flows[i].index);
	srtp->flow_count = 0;
	srtp->unused_count = 0;
	tandem_hash_clean(&srtp->ids);
	tandem_hash_init(&srtp->ids, sizeof(uint64_t));
}

/* ---- changes ---- */

bool tandem_dpdk_srtp_concerns(const struct tandem_datapath *dp, const struct tandem_change *c)
{
	const struct tandem_flow_spec *spec = &c->spec;

	if (c->op == TANDEM_FLOW_SET &&
	    (spec->srtp_in || spec->srtp_out || (spec->fan && spec->fan->key_count)))
		return true;
	return find(&dp->srtp, spec->id) != NULL;
}

static int set_flow(struct tandem_datapath *dp, const struct tandem_change *c)
{
	struct dpdk_uses after, before, *kept;
	int err = use_all(dp, &c->spec, &after);

	if (err)
		return err;
	/* Room in the books first: then what the worker has done need not be undone. */
	kept = enter(&dp->srtp, c->spec.id);
	err = kept ? tandem_dpdk_do(dp, c) : -ENOMEM;
	if (!err) {
		before = *kept;
		*kept = after;
		leave(dp, &before);
	} else {
		leave(dp, &after);
	}
	kept = find(&dp->srtp, c->spec.id);
	if (kept && !kept->count) {
		before = take_out(&dp->srtp, c->spec.id);
		leave(dp, &before);
	}
	return err;
}

static int remove_flow(struct tandem_datapath *dp, const struct tandem_change *c)
{
	struct dpdk_uses before;
	int err = tandem_dpdk_do(dp, c);

	if (err && err != -ENOENT)
		return err;
	before = take_out(&dp->srtp, c->spec.id);
	leave(dp, &before);
	return err;
}

int tandem_dpdk_srtp_change(struct tandem_datapath *dp, const struct tandem_change *c)
{
	if (!dp->srtp.sets)
		return -EPROTONOSUPPORT;
	return c->op == TANDEM_FLOW_SET ? set_flow(dp, c) : remove_flow(dp, c);
}

/* ---- what the worker has ---- */

/* Key sets of the worker's, each of which gets a user. */
static int take_sets(struct tandem_datapath *dp, uint8_t *held)
{
	uint32_t cursor = 0;
	int err;

	do {
		dp->request.cursor = cursor;
		err = tandem_dpdk_talk(dp, TANDEM_DPDK_SRTP_LIST);
		if (err)
			return err;
		cursor = dp->reply.srtp.next;
		for (uint32_t i = 0; i < dp->reply.srtp.count && i < TANDEM_DPDK_SETS; i++) {
			const struct tandem_dpdk_srtp *s = &dp->reply.srtp.sets[i];

			if (s->index >= dp->srtp.count || held[s->index] != HELD_NOT)
				continue;
			err = tandem_srtp_sets_adopt(dp->srtp.sets, s->index, &s->keys);
			held[s->index] = err ? HELD_WRONG : HELD;
		}
		explicit_bzero(&dp->reply, sizeof(dp->reply));
	} while (cursor);
	return 0;
}

/* A line of the worker's: a flow has a set. If the set is not held, the flow must go. */
static int take_line(struct tandem_datapath *dp, const struct tandem_dpdk_uses *line,
		     const uint8_t *held, uint64_t *gone)
{
	struct dpdk_srtp *srtp = &dp->srtp;
	struct dpdk_uses had, *uses;

	if (line->id == *gone)
		return 0;
	if (line->index >= srtp->count || held[line->index] != HELD) {
		*gone = line->id;
		had = take_out(srtp, line->id);
		for (uint32_t i = 0; i < had.count; i++)
			srtp->users[had.index[i]]--;
		free(had.index);
		dp->request.id = line->id;
		return tandem_dpdk_talk(dp, TANDEM_DPDK_REMOVE);
	}
	uses = enter(srtp, line->id);
	if (!uses || uses_add(uses, line->index))
		return -ENOMEM;
	srtp->users[line->index]++;
	return 0;
}

static int take_flows(struct tandem_datapath *dp, const uint8_t *held)
{
	struct tandem_dpdk_uses lines[TANDEM_DPDK_USES];
	struct tandem_dpdk_place place = { 0 };
	uint64_t gone = 0;
	uint32_t count;
	int err = 0;

	do {
		dp->request.place = place;
		err = tandem_dpdk_talk(dp, TANDEM_DPDK_SRTP_USES);
		if (err)
			return err;
		memcpy(lines, dp->reply.uses.lines, sizeof(lines));
		place = dp->reply.uses.next;
		count = dp->reply.uses.count;
		for (uint32_t i = 0; i < count && i < TANDEM_DPDK_USES && !err; i++)
			err = take_line(dp, &lines[i], held, &gone);
	} while ((place.slot || place.use) && !err);
	return err;
}

/* Sets that the worker has for no flow, and those that it must not have. */
static void drop_rest(struct tandem_datapath *dp, const uint8_t *held)
{
	struct dpdk_srtp *srtp = &dp->srtp;

	for (uint32_t i = 1; i < srtp->count; i++) {
		if (held[i] == HELD_NOT || (held[i] == HELD && srtp->users[i]))
			continue;
		tell_drop(dp, i);
		if (held[i] == HELD)
			tandem_srtp_sets_put(srtp->sets, i);
	}
}

/* Books about the worker that is there now, in place of what was in them. */
static int take_books(struct tandem_datapath *dp)
{
	struct dpdk_srtp *srtp = &dp->srtp;
	uint32_t *before = srtp->users;
	uint8_t *held = calloc(srtp->count, sizeof(*held));
	int err = -ENOMEM;

	srtp->users = calloc(srtp->count, sizeof(*srtp->users));
	if (!held || !srtp->users) {
		free(srtp->users);
		srtp->users = before;
		goto out;
	}
	forget_all(srtp);
	err = take_sets(dp, held);
	if (!err)
		err = take_flows(dp, held);
	drop_rest(dp, held);
	/* Not before: what is held still is to be the same set. */
	for (uint32_t i = 1; i < srtp->count; i++) {
		if (before[i])
			tandem_srtp_sets_put(srtp->sets, i);
	}
	free(before);
out:
	free(held);
	return err;
}

static int take_streams(struct tandem_datapath *dp, int fd)
{
	struct dpdk_srtp *srtp = &dp->srtp;
	int err;

	if (srtp->streams.fd >= 0) {
		/* Those that the worker was given. */
		err = fd >= 0 && tandem_dpdk_streams_same(fd, srtp->streams.fd) ? 0 : -EPROTO;
		if (fd >= 0)
			close(fd);
		return err;
	}
	err = tandem_dpdk_streams_take(&srtp->streams, fd, dp->config.relay.srtp_streams);
	if (!err)
		tandem_srtp_sets_move(srtp->sets, srtp->streams.array);
	return err;
}

int tandem_dpdk_srtp_sync(struct tandem_datapath *dp, int fd)
{
	int err;

	if (!dp->srtp.sets) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	err = take_streams(dp, fd);
	return err ? err : take_books(dp);
}

/* ---- life ---- */

int tandem_dpdk_srtp_init(struct tandem_datapath *dp, struct tandem_srtp_sets *sets)
{
	struct dpdk_srtp *srtp = &dp->srtp;

	tandem_hash_init(&srtp->ids, sizeof(uint64_t));
	srtp->count = dp->config.relay.srtps;
	if (!srtp->count)
		return 0;
	srtp->users = calloc(srtp->count, sizeof(*srtp->users));
	if (!srtp->users)
		return -ENOMEM;
	srtp->sets = sets;
	return 0;
}

void tandem_dpdk_srtp_clean(struct tandem_datapath *dp)
{
	struct dpdk_srtp *srtp = &dp->srtp;

	for (uint32_t i = 1; srtp->users && i < srtp->count; i++) {
		if (srtp->users[i])
			tandem_srtp_sets_put(srtp->sets, i);
	}
	if (srtp->sets)
		tandem_srtp_sets_move(srtp->sets, NULL);
	tandem_dpdk_streams_close(&srtp->streams);
	forget_all(srtp);
	tandem_hash_clean(&srtp->ids);
	free(srtp->flows);
	free(srtp->unused);
	free(srtp->users);
}
