/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/target_xdp.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/sessions.h"
#include "userspace/config/host.h"
#include "userspace/datapath/route.h"

#define SEEK_STEPS 30
#define SEEK_NS	   100000000 /* between the steps */

struct target_xdp {
	struct lab lab; /* one lane, both of whose ends are here */
	struct wire *wire;
	struct lab_way *ways;
	uint32_t count;
};

static struct lab_end end_of(const struct tandem_endpoint *ep)
{
	const uint8_t *b = ep->ip.b + 12;

	return (struct lab_end){
		(uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3], ep->port
	};
}

static int complain(int err, const char *what, const struct ip_addr *ip)
{
	char text[TANDEM_ENDPOINT_STRLEN];

	fprintf(stderr, "tandem: bench: %s: %s\n", tandem_ip_format(ip, text, sizeof(text)), what);
	return err;
}

static int read_ways(struct target_xdp *t, const struct session_flow *flows)
{
	t->ways = calloc(t->count, sizeof(*t->ways));
	if (!t->ways)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->count; i++) {
		const struct session_flow *f = &flows[i];

		if (!tandem_ip_is_v4(&f->source.ip) || !tandem_ip_is_v4(&f->target.ip) ||
		    !tandem_ip_is_v4(&f->sink.ip))
			return complain(-EAFNOSUPPORT, "the XDP generator has IPv4 only",
					&f->target.ip);
		t->ways[i] = (struct lab_way){ .source = end_of(&f->source),
					       .in = end_of(&f->target),
					       .sink = end_of(&f->sink) };
	}
	return 0;
}

static int find_neighbour(int fd, const struct tandem_route *route, uint8_t mac[6])
{
	const struct timespec step = { .tv_nsec = SEEK_NS };
	int err;

	for (int i = 0; i < SEEK_STEPS; i++) {
		err = tandem_neighbour_find(fd, route->oif, &route->next, mac);
		if (err != -ENOENT)
			return err;
		tandem_neighbour_seek(fd, route->oif, &route->next);
		nanosleep(&step, NULL);
	}
	return -EHOSTUNREACH;
}

/* The way of the first flow, which has to be that of all the others. */
static int find_way(struct target_xdp *t, int fd, const struct session_flow *flows)
{
	struct lab_lane *lane = &t->lab.lanes[0];
	struct tandem_route first, route;
	char name[IFNAMSIZ];
	int err;

	for (uint32_t i = 0; i < t->count; i++) {
		err = tandem_route_find(fd, &flows[i].target.ip, &flows[i].source.ip, &route);
		if (err)
			return complain(err, strerror(-err), &flows[i].target.ip);
		if (!i)
			first = route;
		if (route.oif != first.oif || !tandem_ip_equal(&route.next, &first.next))
			return complain(-EXDEV,
					"another way than to the first target: one run for each",
					&flows[i].target.ip);
	}
	err = find_neighbour(fd, &first, lane->in_mac);
	if (err)
		return complain(err, "nobody there has a link-layer address", &first.next);
	lane->gen_ifindex = (uint32_t)first.oif;
	return if_indextoname(lane->gen_ifindex, name) ? tandem_lab_mac(name, lane->gen_mac)
						       : -ENODEV;
}

static uint32_t device_with(const struct tandem_host *host, const struct ip_addr *ip)
{
	for (size_t i = 0; i < host->addresses_count; i++) {
		if (tandem_ip_equal(&host->addresses[i].ip, ip))
			return if_nametoindex(host->addresses[i].ifname);
	}
	return 0;
}

static int find_sink(struct target_xdp *t, const struct session_flow *flows)
{
	struct lab_lane *lane = &t->lab.lanes[0];
	struct tandem_host host;
	int err = tandem_host_init(&host);

	for (uint32_t i = 0; i < t->count && !err; i++) {
		uint32_t ifindex = device_with(&host, &flows[i].sink.ip);

		if (!ifindex)
			err = complain(-ENODEV, "no device that is up has this address",
				       &flows[i].sink.ip);
		else if (i && ifindex != lane->rx_ifindex)
			err = complain(-EXDEV, "another device than the first sink's",
				       &flows[i].sink.ip);
		lane->rx_ifindex = ifindex;
	}
	tandem_host_clean(&host);
	return err;
}

static int find_lane(struct target_xdp *t, const struct session_flow *flows)
{
	int fd = tandem_route_open(0), err;

	if (fd < 0)
		return fd;
	err = find_way(t, fd, flows);
	if (!err)
		err = find_sink(t, flows);
	close(fd);
	return err;
}

int tandem_target_xdp_open(struct target_xdp **targetp, const struct bench_options *opts)
{
	struct target_xdp *t = calloc(1, sizeof(*t));
	struct session_flow *flows = NULL;
	int err;

	if (!t)
		return -ENOMEM;
	err = tandem_lab_here(&t->lab);
	if (!err)
		err = tandem_sessions_read(opts, &flows, &t->count);
	if (!err)
		err = read_ways(t, flows);
	if (!err)
		err = find_lane(t, flows);
	if (!err)
		err = tandem_wire_open(&t->wire, &t->lab, t->count, false);
	if (!err && opts->generator == BENCH_BY_AF_XDP)
		err = tandem_wire_by_socket(t->wire, &t->lab);
	free(flows);
	if (err)
		tandem_target_xdp_close(t);
	else
		*targetp = t;
	return err;
}

void tandem_target_xdp_close(struct target_xdp *t)
{
	if (!t)
		return;
	tandem_wire_close(t->wire);
	tandem_lab_close(&t->lab);
	free(t->ways);
	free(t);
}

uint32_t tandem_target_xdp_flows(const struct target_xdp *t)
{
	return t->count;
}

struct wire *tandem_target_xdp_aim(struct target_xdp *t, uint32_t size)
{
	return tandem_wire_aim(t->wire, &t->lab, 0, t->ways, t->count, size) ? NULL : t->wire;
}
