/* SPDX-License-Identifier: GPL-2.0-only */
#include "dpdk/control.h"

#include <errno.h>
#include <poll.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "userspace/datapath/dpdk_wire.h"
#include "userspace/util/log.h"

#define MODULE	     "control"
#define HEADER	     offsetof(struct tandem_dpdk_request, hello)
#define MAX_CLIENTS  4
#define TICK_MS	     10
#define TURN	     64		/* requests of one client before the others have theirs */
#define CAPACITY_MAX (1U << 24) /* flows, fans, legs, streams */

struct dpdk_control {
	struct dpdk_relay *relay;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	int listen_fd;
	int clients[MAX_CLIENTS]; /* -1: free */
	int owner;		  /* descriptor of the controller; -1: none */
	struct tandem_fan *fan;	  /* of the flow that will be set next: room for every leg */
	struct tandem_dpdk_request request;
	struct tandem_dpdk_reply reply;
	struct tandem_leg_stats stats[TANDEM_DPDK_FAN];
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* ---- what is asked ---- */

static void describe(const struct dpdk_control *control, char *text, size_t size)
{
	const struct dpdk_ports *ports = &control->relay->ports;
	size_t len = (size_t)snprintf(text, size, "workers: %u;", ports->workers);

	for (uint32_t n = 0; n < ports->count && len < size; n++) {
		char name[RTE_ETH_NAME_MAX_LEN] = "?";

		rte_eth_dev_get_name_by_port(ports->port[n].id, name);
		len += (size_t)snprintf(text + len, size - len, "%s %s", n ? "," : "", name);
	}
}

static int op_hello(struct dpdk_control *control)
{
	struct tandem_dpdk_hello own = tandem_dpdk_hello_own();

	control->reply.hello = own;
	describe(control, control->reply.describe, sizeof(control->reply.describe));
	return memcmp(&control->request.hello, &own, sizeof(own)) ? -EPROTO : 0;
}

/* Take the table away from the workers; when this returns, none looks at it. */
static void table_drop(struct dpdk_relay *relay)
{
	struct dpdk_table *table = relay->table;

	__atomic_store_n(&relay->table, NULL, __ATOMIC_RELEASE);
	rte_rcu_qsbr_synchronize(relay->rcu, RTE_QSBR_THRID_INVALID);
	dpdk_table_free(table);
}

static bool config_valid(const struct tandem_dpdk_config *config)
{
	const struct relay_config *relay = &config->relay;

	return relay->abi_version == TANDEM_ABI_VERSION && relay->locals_count &&
	       relay->locals_count <= TANDEM_MAX_LOCALS && relay->port_count &&
	       relay->port_count <= UINT16_MAX &&
	       relay->slots >= relay->locals_count * relay->port_count &&
	       relay->slots <= CAPACITY_MAX && relay->fans <= CAPACITY_MAX &&
	       relay->legs <= CAPACITY_MAX && config->stream_capacity <= CAPACITY_MAX;
}

static int op_config(struct dpdk_control *control, int fd)
{
	const struct tandem_dpdk_config *config = &control->request.config;
	struct dpdk_relay *relay = control->relay;
	struct dpdk_table *table = relay->table;
	int err;

	if (control->owner >= 0 && control->owner != fd)
		return -EBUSY;
	if (!config_valid(config))
		return -EINVAL;
	control->owner = fd;
	if (table && !config->fresh && table->stream_capacity == config->stream_capacity &&
	    !memcmp(&table->config, &config->relay, sizeof(config->relay))) {
		control->reply.flows = tandem_slots_count(table->book.slots);
		tandem_log(TANDEM_LOG_INFO, MODULE, "a controller took over %u flows",
			   control->reply.flows);
		return 0;
	}
	table_drop(relay);
	err = dpdk_table_alloc(&table, &config->relay, config->stream_capacity, relay->rcu);
	if (err)
		return err;
	__atomic_store_n(&relay->table, table, __ATOMIC_RELEASE);
	tandem_log(TANDEM_LOG_INFO, MODULE, "a controller began anew: %u slots",
		   table->config.slots);
	return 0;
}

/* The ways that the flow will take are known before its first packet. */
static void resolve(struct dpdk_hops *hops, const struct tandem_flow_spec *spec)
{
	const struct tandem_egress *eg;
	uint64_t now = now_ns();

	for (int i = EGRESS_RTP; i <= EGRESS_RTCP; i++) {
		eg = &spec->egress[i];
		if (eg->flags & EGRESS_F_ACTIVE)
			dpdk_hops_resolve(hops, &eg->remote, &eg->local, now);
	}
	for (uint32_t i = 0; spec->fan && i < spec->fan->leg_count; i++) {
		eg = &spec->fan->legs[i].leg.egress;
		dpdk_hops_resolve(hops, &eg->remote, &eg->local, now);
	}
}

/* A further part of the legs that the next set is to take. */
static int op_legs_set(struct dpdk_control *control)
{
	const struct tandem_dpdk_legs *part = &control->request.part;
	struct tandem_fan *fan = control->fan;

	if (part->first == 0)
		fan->leg_count = 0;
	if (part->first != fan->leg_count)
		return -EPROTO;
	if (part->count > TANDEM_DPDK_FAN - part->first)
		return -EINVAL;
	memcpy(&fan->legs[part->first], part->legs, part->count * sizeof(fan->legs[0]));
	fan->leg_count += part->count;
	return 0;
}

static int op_set(struct dpdk_control *control)
{
	const struct tandem_dpdk_set *set = &control->request.set;
	struct tandem_flow_spec spec = set->spec;
	struct tandem_fan *fan = control->fan;
	uint32_t sent = fan->leg_count;
	int err;

	fan->leg_count = 0;
	spec.fan = NULL;
	if (set->fan) {
		if (set->leg_count && set->leg_count != sent)
			return -EPROTO;
		if (set->branch_count > TANDEM_MAX_BRANCHES)
			return -EINVAL;
		fan->branch_count = set->branch_count;
		fan->leg_count = set->leg_count;
		memcpy(fan->branches, set->branches, sizeof(fan->branches));
		spec.fan = fan;
	}
	resolve(control->relay->hops, &spec);
	err = dpdk_table_set(control->relay->table, &spec);
	fan->leg_count = 0;
	return err;
}

static int op_read(struct dpdk_control *control)
{
	struct tandem_dpdk_reply *reply = &control->reply;
	struct tandem_flow_stats stats = { 0 };
	int err = dpdk_table_read(control->relay->table, control->request.id, &stats);

	if (err)
		return err;
	reply->read.flow = stats.flow;
	reply->read.count = (uint32_t)stats.stream_count;
	memcpy(reply->read.streams, stats.streams, sizeof(reply->read.streams));
	return 0;
}

static int op_legs_read(struct dpdk_control *control)
{
	const struct tandem_table *book = &control->relay->table->book;
	uint32_t slot = tandem_table_find(book, control->request.legs.id);
	uint32_t first = control->request.legs.first;
	struct tandem_dpdk_reply *reply = &control->reply;
	size_t n;

	if (slot == TANDEM_NO_SLOT)
		return -ENOENT;
	tandem_table_read_legs(book, slot, control->stats, TANDEM_DPDK_FAN, &n);
	reply->legs.total = (uint32_t)n;
	if (first >= n)
		return 0;
	reply->legs.count = (uint32_t)RTE_MIN(n - first, (size_t)TANDEM_DPDK_STATS);
	memcpy(reply->legs.legs, &control->stats[first],
	       reply->legs.count * sizeof(control->stats[0]));
	return 0;
}

static int op_list(struct dpdk_control *control)
{
	const struct tandem_table *book = &control->relay->table->book;
	struct tandem_dpdk_reply *reply = &control->reply;

	for (uint32_t slot = control->request.cursor; slot < book->relay.slots; slot++) {
		if (reply->list.count == TANDEM_DPDK_BATCH) {
			reply->list.next = slot;
			break;
		}
		if (!tandem_table_spec(book, slot, &reply->list.specs[reply->list.count]))
			reply->list.count++;
	}
	return 0;
}

static int op_counters(struct dpdk_control *control)
{
	if (control->relay->table)
		dpdk_table_counters(control->relay->table, &control->reply.counters);
	return 0;
}

static int op_reset(struct dpdk_control *control)
{
	table_drop(control->relay);
	return 0;
}

/* Questions about rules, from the one who owns them. */
static int op_rules(struct dpdk_control *control, int fd)
{
	struct dpdk_table *table = control->relay->table;

	if (control->owner != fd)
		return -EPERM;
	if (!table)
		return -ENODEV;
	switch (control->request.op) {
	case TANDEM_DPDK_SET:
		return op_set(control);
	case TANDEM_DPDK_REMOVE:
		return dpdk_table_remove(table, control->request.id);
	case TANDEM_DPDK_READ:
		return op_read(control);
	case TANDEM_DPDK_LIST:
		return op_list(control);
	case TANDEM_DPDK_LEGS_SET:
		return op_legs_set(control);
	case TANDEM_DPDK_LEGS_READ:
		return op_legs_read(control);
	case TANDEM_DPDK_RESET:
		return op_reset(control);
	default:
		return -EOPNOTSUPP;
	}
}

static int answer(struct dpdk_control *control, int fd)
{
	switch (control->request.op) {
	case TANDEM_DPDK_HELLO:
		return op_hello(control);
	case TANDEM_DPDK_CONFIG:
		return op_config(control, fd);
	case TANDEM_DPDK_COUNTERS:
		return op_counters(control);
	default:
		return op_rules(control, fd);
	}
}

/* ---- clients ---- */

static void client_close(struct dpdk_control *control, int *client)
{
	if (control->owner == *client) {
		control->owner = -1;
		control->fan->leg_count = 0;
		tandem_log(TANDEM_LOG_INFO, MODULE, "the controller is gone; its flows go on");
	}
	close(*client);
	*client = -1;
}

/* Is a message as long as what it says it is? */
static bool complete(const struct tandem_dpdk_request *request, size_t len)
{
	if (request->op == TANDEM_DPDK_LEGS_SET &&
	    len < offsetof(struct tandem_dpdk_request, part.legs))
		return false;
	return len == tandem_dpdk_request_size(request);
}

/* One request; false when there is none now. */
static bool client_serve(struct dpdk_control *control, int *client)
{
	struct tandem_dpdk_request *request = &control->request;
	ssize_t len = recv(*client, request, sizeof(*request), MSG_DONTWAIT | MSG_TRUNC);
	size_t reply;

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	/* Another build's hello is answered, that it may say so. */
	if (len < (ssize_t)HEADER || request->magic != TANDEM_DPDK_MAGIC ||
	    (request->op != TANDEM_DPDK_HELLO && !complete(request, (size_t)len))) {
		client_close(control, client);
		return false;
	}
	if (request->op == TANDEM_DPDK_HELLO && (size_t)len < tandem_dpdk_request_size(request))
		memset(&request->hello, 0, sizeof(request->hello));
	reply = tandem_dpdk_reply_size(request->op);
	memset(&control->reply, 0, reply);
	control->reply.magic = TANDEM_DPDK_MAGIC;
	control->reply.result = answer(control, *client);
	if (send(*client, &control->reply, reply, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return true;
	client_close(control, client);
	return false;
}

static void client_turn(struct dpdk_control *control, int *client)
{
	for (int i = 0; i < TURN && client_serve(control, client); i++)
		;
}

static void client_accept(struct dpdk_control *control)
{
	int fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	for (int i = 0; fd >= 0 && i < MAX_CLIENTS; i++) {
		if (control->clients[i] < 0) {
			control->clients[i] = fd;
			return;
		}
	}
	if (fd >= 0)
		close(fd);
}

static bool answers(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool there = fd >= 0 && !connect(fd, (const struct sockaddr *)addr, sizeof(*addr));

	if (fd >= 0)
		close(fd);
	return there;
}

static int control_listen(struct dpdk_control *control)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	mode_t mask;
	int err = 0;

	memcpy(addr.sun_path, control->path, sizeof(addr.sun_path));
	if (answers(&addr))
		return -EADDRINUSE;
	unlink(control->path);
	control->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->listen_fd < 0)
		return -errno;
	mask = umask(0177); /* who may connect may relay */
	if (bind(control->listen_fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(control->listen_fd, MAX_CLIENTS))
		err = -errno;
	umask(mask);
	return err;
}

static struct dpdk_control *control_alloc(void)
{
	struct dpdk_control *control = calloc(1, sizeof(*control));

	if (!control)
		return NULL;
	control->fan =
		calloc(1, sizeof(*control->fan) + TANDEM_DPDK_FAN * sizeof(control->fan->legs[0]));
	if (!control->fan) {
		free(control);
		return NULL;
	}
	return control;
}

int dpdk_control_open(struct dpdk_control **controlp, const char *path, struct dpdk_relay *relay)
{
	struct dpdk_control *control = control_alloc();
	const char *slash = strrchr(path, '/');
	int err = 0;

	if (!control)
		return -ENOMEM;
	control->relay = relay;
	control->listen_fd = -1;
	control->owner = -1;
	for (int i = 0; i < MAX_CLIENTS; i++)
		control->clients[i] = -1;
	if (strlen(path) >= sizeof(control->path))
		err = -ENAMETOOLONG;
	if (!err && slash && slash != path) {
		snprintf(control->path, sizeof(control->path), "%.*s", (int)(slash - path), path);
		mkdir(control->path, 0755); /* when it cannot be made, bind() says so */
	}
	if (!err) {
		snprintf(control->path, sizeof(control->path), "%s", path);
		err = control_listen(control);
	}
	if (err) {
		if (control->listen_fd >= 0)
			close(control->listen_fd);
		free(control->fan);
		free(control);
		return err;
	}
	*controlp = control;
	return 0;
}

void dpdk_control_close(struct dpdk_control *control)
{
	if (!control)
		return;
	for (int i = 0; i < MAX_CLIENTS; i++) {
		if (control->clients[i] >= 0)
			close(control->clients[i]);
	}
	close(control->listen_fd);
	unlink(control->path);
	table_drop(control->relay);
	free(control->fan);
	free(control);
}

void dpdk_control_run(struct dpdk_control *control)
{
	struct dpdk_relay *relay = control->relay;
	struct pollfd fds[MAX_CLIENTS + 2];
	uint64_t ticked = 0, now;

	while (!__atomic_load_n(&relay->quit, __ATOMIC_RELAXED)) {
		for (int i = 0; i < MAX_CLIENTS; i++)
			fds[i] = (struct pollfd){ .fd = control->clients[i], .events = POLLIN };
		fds[MAX_CLIENTS] = (struct pollfd){ .fd = control->listen_fd, .events = POLLIN };
		fds[MAX_CLIENTS + 1] = (struct pollfd){ .fd = dpdk_hops_fd(relay->hops),
							.events = POLLIN };
		if (poll(fds, MAX_CLIENTS + 2, TICK_MS) > 0) {
			for (int i = 0; i < MAX_CLIENTS; i++) {
				if (fds[i].revents && control->clients[i] >= 0)
					client_turn(control, &control->clients[i]);
			}
			if (fds[MAX_CLIENTS].revents)
				client_accept(control);
		}
		now = now_ns();
		if (now - ticked < TICK_MS * 1000000ULL && !(fds[MAX_CLIENTS + 1].revents & POLLIN))
			continue;
		ticked = now;
		dpdk_hops_tick(relay->hops, now);
		if (relay->table)
			dpdk_table_reclaim(relay->table);
	}
}
