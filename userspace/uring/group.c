/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One socket serves all flows of a group and port: the kernel gives each socket that hears a
 * group a copy of its own. On each interface it is a member for certain sources (RFC 4607),
 * or for all as soon as one flow wants any; the core then tells them apart.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/util/sparse.h"
#include "userspace/uring/worker.h"

#define SCOPE_MASK	 0x0f /* RFC 4291 2.7 */
#define SCOPE_LINK_LOCAL 2

int tandem_uring_groups_init(struct tandem_datapath *dp)
{
	tandem_hash_init(&dp->group_keys, sizeof(struct uring_group_key));
	dp->groups_free = TANDEM_NO_SLOT;
	/* Flows on groups are behind the direct slots; sockets that are closing come to that. */
	dp->group_room = 2 * (dp->tables.config.slots - dp->direct_count);
	dp->groups = tandem_sparse_alloc(dp->group_room, sizeof(*dp->groups));
	return dp->groups ? 0 : -ENOMEM;
}

void tandem_uring_groups_clean(struct tandem_datapath *dp)
{
	for (uint32_t i = 0; i < dp->groups_fresh; i++)
		free(dp->groups[i].members);
	tandem_sparse_free(dp->groups, dp->group_room, sizeof(*dp->groups));
	tandem_hash_clean(&dp->group_keys);
}

/* ---- interfaces ---- */

uint32_t tandem_uring_ifindex_of(const struct ip_addr *ip)
{
	struct ifaddrs *list;
	uint32_t found = 0;

	if (getifaddrs(&list))
		return 0;
	for (const struct ifaddrs *a = list; a && !found; a = a->ifa_next) {
		struct tandem_endpoint ep;

		if (a->ifa_addr && !tandem_endpoint_from_sockaddr(&ep, a->ifa_addr) &&
		    tandem_ip_equal(&ep.ip, ip))
			found = if_nametoindex(a->ifa_name);
	}
	freeifaddrs(list);
	return found;
}

/* The interface by which this host would send to the group; 0: none. */
static uint32_t default_ifindex(const struct flow_key *key)
{
	const struct tandem_endpoint to = { .ip = key->local, .port = ntohs(key->local_port) };
	struct tandem_endpoint from;
	struct sockaddr_storage ss;
	socklen_t len = tandem_endpoint_to_sockaddr(&to, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	uint32_t found = 0;

	if (fd < 0)
		return 0;
	if (connect(fd, (struct sockaddr *)&ss, len) == 0) {
		len = sizeof(ss);
		if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
		    tandem_endpoint_from_sockaddr(&from, (struct sockaddr *)&ss) == 0)
			found = tandem_uring_ifindex_of(&from.ip);
	}
	close(fd);
	return found;
}

/* ---- membership ---- */

static void set_address(struct sockaddr_storage *ss, const struct ip_addr *ip)
{
	const struct tandem_endpoint ep = { .ip = *ip };

	memset(ss, 0, sizeof(*ss));
	tandem_endpoint_to_sockaddr(&ep, ss);
}

static int set_member(int fd, int option, const struct uring_group *g, const struct uring_member *m)
{
	int level = tandem_ip_is_v4(&g->key.ip) ? IPPROTO_IP : IPPROTO_IPV6;
	struct group_source_req one = { .gsr_interface = m->ifindex };
	struct group_req any = { .gr_interface = m->ifindex };
	int err;

	set_address(&any.gr_group, &g->key.ip);
	set_address(&one.gsr_group, &g->key.ip);
	set_address(&one.gsr_source, &m->source);
	err = option == MCAST_JOIN_SOURCE_GROUP ? setsockopt(fd, level, option, &one, sizeof(one))
						: setsockopt(fd, level, option, &any, sizeof(any));
	return err < 0 ? -errno : 0;
}

/* All of what is heard on one interface at once, so that nothing is missed on the way. */
static int set_filter(int fd, const struct uring_group *g, uint32_t ifindex)
{
	int level = tandem_ip_is_v4(&g->key.ip) ? IPPROTO_IP : IPPROTO_IPV6;
	struct group_filter *filter = calloc(1, GROUP_FILTER_SIZE((size_t)g->member_count + 1));
	int err;

	if (!filter)
		return -ENOMEM;
	filter->gf_interface = ifindex;
	filter->gf_fmode = MCAST_INCLUDE;
	set_address(&filter->gf_group, &g->key.ip);
	for (uint32_t i = 0; i < g->member_count; i++) {
		const struct uring_member *m = &g->members[i];

		if (m->ifindex != ifindex)
			continue;
		if (tandem_ip_is_any(&m->source))
			filter->gf_fmode = MCAST_EXCLUDE; /* none */
		else
			set_address(&filter->gf_slist[filter->gf_numsrc++], &m->source);
	}
	if (filter->gf_fmode == MCAST_EXCLUDE)
		filter->gf_numsrc = 0;
	err = setsockopt(fd, level, MCAST_MSFILTER, filter, GROUP_FILTER_SIZE(filter->gf_numsrc));
	err = err < 0 ? -errno : 0;
	free(filter);
	return err;
}

static struct uring_member *find_member(const struct uring_group *g, uint32_t ifindex,
					const struct ip_addr *source)
{
	for (uint32_t i = 0; i < g->member_count; i++) {
		struct uring_member *m = &g->members[i];

		if (m->ifindex == ifindex && tandem_ip_equal(&m->source, source))
			return m;
	}
	return NULL;
}

static bool member_on(const struct uring_group *g, uint32_t ifindex)
{
	for (uint32_t i = 0; i < g->member_count; i++) {
		if (g->members[i].ifindex == ifindex)
			return true;
	}
	return false;
}

static int join(struct uring_group *g, int fd, const struct uring_member *wanted)
{
	struct uring_member *m = find_member(g, wanted->ifindex, &wanted->source);
	bool joined = member_on(g, wanted->ifindex);
	int err;

	if (m) {
		m->refs++;
		return 0;
	}
	m = realloc(g->members, ((size_t)g->member_count + 1) * sizeof(*m));
	if (!m)
		return -ENOMEM;
	g->members = m;
	m[g->member_count++] = *wanted;
	if (joined)
		err = set_filter(fd, g, wanted->ifindex);
	else
		err = set_member(fd,
				 tandem_ip_is_any(&wanted->source) ? MCAST_JOIN_GROUP
								   : MCAST_JOIN_SOURCE_GROUP,
				 g, wanted);
	if (err)
		g->member_count--;
	return err;
}

/* Should this fail, more is heard than is wanted, and the core drops it. */
static void leave(struct uring_group *g, int fd, uint32_t ifindex, const struct ip_addr *source)
{
	struct uring_member *m = find_member(g, ifindex, source);
	struct uring_member gone;

	if (!m || --m->refs)
		return;
	gone = *m;
	*m = g->members[--g->member_count];
	if (member_on(g, ifindex))
		set_filter(fd, g, ifindex);
	else
		set_member(fd, MCAST_LEAVE_GROUP, g, &gone);
}

/* ---- groups ---- */

static struct uring_group_key key_of(const struct flow_key *flow, uint32_t ifindex)
{
	struct uring_group_key key = { .ip = flow->local, .port = flow->local_port };

	if (!tandem_ip_is_v4(&key.ip) && (key.ip.b[1] & SCOPE_MASK) <= SCOPE_LINK_LOCAL)
		key.scope = ifindex;
	return key;
}

/* Number of the group, which gets one if it has none. */
static int number_of(struct tandem_datapath *dp, const struct uring_group_key *key,
		     uint32_t *number)
{
	uint32_t i = tandem_hash_get(&dp->group_keys, key);
	bool fresh;
	int err;

	*number = i;
	if (i != TANDEM_HASH_NONE)
		return 0;
	fresh = dp->groups_free == TANDEM_NO_SLOT;
	i = fresh ? dp->groups_fresh : dp->groups_free;
	if (i >= dp->group_room)
		return -ENOSPC;
	err = tandem_hash_set(&dp->group_keys, key, i);
	if (err)
		return err;
	if (fresh)
		dp->groups_fresh++;
	else
		dp->groups_free = dp->groups[i].next_free;
	dp->groups[i].key = *key;
	*number = i;
	return 0;
}

int tandem_uring_group_get(struct tandem_datapath *dp, const struct flow_key *key,
			   uint32_t *ifindex, uint32_t *index)
{
	struct uring_member wanted = { .source = key->remote, .refs = 1 };
	struct uring_group_key group;
	uint32_t number;
	int err;

	if (!*ifindex)
		*ifindex = default_ifindex(key);
	if (!*ifindex)
		return -ENODEV;
	wanted.ifindex = *ifindex;
	group = key_of(key, *ifindex);
	err = number_of(dp, &group, &number);
	if (err)
		return err;
	*index = dp->direct_count + number;
	err = tandem_uring_port_get(dp, *index);
	if (err) {
		if (!dp->ports[*index].open)
			tandem_uring_group_release(dp, *index);
		return err;
	}
	err = join(&dp->groups[number], dp->ports[*index].fd, &wanted);
	if (err)
		tandem_uring_port_put(dp, *index);
	return err;
}

void tandem_uring_group_put(struct tandem_datapath *dp, uint32_t index, uint32_t ifindex,
			    const struct ip_addr *source)
{
	leave(&dp->groups[index - dp->direct_count], dp->ports[index].fd, ifindex, source);
	tandem_uring_port_put(dp, index);
}

void tandem_uring_group_release(struct tandem_datapath *dp, uint32_t index)
{
	uint32_t number = index - dp->direct_count;
	struct uring_group *g = &dp->groups[number];

	tandem_hash_remove(&dp->group_keys, &g->key);
	free(g->members);
	*g = (struct uring_group){ .next_free = dp->groups_free };
	dp->groups_free = number;
}
