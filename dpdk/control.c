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

#include "dpdk/srtp.h"
#include "userspace/datapath/dpdk_wire.h"
#include "userspace/datapath/srtp_sets.h"
#include "userspace/util/log.h"

#define MODULE	     "control"
#define HEADER	     offsetof(struct tandem_dpdk_request, hello)
#define MAX_CLIENTS  4
#define TICK_MS	     10
#define TURN	     64		/* requests of one client before the others have theirs */
#define CAPACITY_MAX (1U << 24) /* flows, fans, legs, streams, key sets */

struct dpdk_control {
	struct dpdk_relay *relay;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	int listen_fd;
	int clients[MAX_CLIENTS]; /* -1: free */
	int owner;		  /* descriptor of the controller; -1: none */
	int came;		  /* descriptor that came with the request; -1: none, or taken */
	int passed;		  /* goes with the reply, and stays the table's; -1: none */
	struct tandem_fan *fan;	  /* of the flow that will be set next: room for every leg */
	struct tandem_srtp leg_keys[TANDEM_DPDK_FAN]; /* ids alone */
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
	       relay->legs <= CAPACITY_MAX && config->stream_capacity <= CAPACITY_MAX &&
	       relay->srtps <= CAPACITY_MAX &&
	       relay->srtp_streams == (relay->srtps ? relay->srtps - 1 : 0) * TANDEM_SRTP_STREAMS;
}

/* Does the table that is there serve a controller with this configuration, and its streams? */
static bool table_fits(const struct dpdk_control *control, const struct dpdk_table *table)
{
	const struct tandem_dpdk_config *config = &control->request.config;

	return table && !config->fresh && table->stream_capacity == config->stream_capacity &&
	       !memcmp(&table->config, &config->relay, sizeof(config->relay)) &&
	       (control->came < 0 ||
		tandem_dpdk_streams_same(control->came, table->streams_memory.fd));
}

/* A table for the configuration, with the controller's streams if it has some already. */
static int table_begin(struct dpdk_control *control, struct dpdk_table **tablep)
{
	const struct tandem_dpdk_config *config = &control->request.config;
	int err = dpdk_table_alloc(tablep, &config->relay, config->stream_capacity,
				   control->relay->rcu);

	if (err || control->came < 0 || !config->relay.srtps)
		return err;
	err = dpdk_srtp_streams(*tablep, control->came);
	control->came = -1;
	if (err)
		dpdk_table_free(*tablep);
	return err;
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
	if (table_fits(control, table)) {
		control->reply.flows = tandem_slots_count(table->book.slots);
		control->passed = table->streams_memory.fd;
		tandem_log(TANDEM_LOG_INFO, MODULE, "a controller took over %u flows",
			   control->reply.flows);
		return 0;
	}
	table_drop(relay);
	err = table_begin(control, &table);
	if (err)
		return err;
	control->passed = table->streams_memory.fd;
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

/* A key set by its id alone: one that is there already, or else it has no suite and is refused. */
static const struct tandem_srtp *named(const struct tandem_dpdk_set *set, enum tandem_dpdk_use use,
				       struct tandem_srtp *srtp)
{
	srtp[use].id = set->srtp[use];
	return set->srtp[use] ? &srtp[use] : NULL;
}

/* The same for those that legs have. Their ids are all that a fan's keys are of. */
static void name_leg_keys(struct tandem_fan *fan, struct tandem_srtp *keys)
{
	uint32_t count = 0, k;

	for (uint32_t i = 0; i < fan->leg_count; i++) {
		for (k = 0; k < count && keys[k].id != fan->legs[i].srtp; k++)
			;
		if (fan->legs[i].srtp && k == count)
			keys[count++].id = fan->legs[i].srtp;
	}
	fan->keys = keys;
	fan->key_count = count;
}

static int op_set(struct dpdk_control *control)
{
	const struct tandem_dpdk_set *set = &control->request.set;
	struct tandem_srtp srtp[TANDEM_DPDK_USE_LEGS] = { 0 };
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
		name_leg_keys(fan, control->leg_keys);
		spec.fan = fan;
	}
	spec.srtp_in = named(set, TANDEM_DPDK_USE_IN, srtp);
	spec.srtp_in_old = named(set, TANDEM_DPDK_USE_OLD, srtp);
	spec.srtp_out = named(set, TANDEM_DPDK_USE_OUT, srtp);
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

static int op_srtp(struct dpdk_control *control, struct dpdk_table *table)
{
	struct tandem_dpdk_request *request = &control->request;
	int err;

	if (!table->config.srtps)
		return -EPROTONOSUPPORT;
	switch (request->op) {
	case TANDEM_DPDK_SRTP_SET:
		err = dpdk_srtp_set(table, &request->srtp);
		explicit_bzero(&request->srtp, sizeof(request->srtp));
		return err;
	case TANDEM_DPDK_SRTP_DROP:
		return dpdk_srtp_drop(table, request->index);
	case TANDEM_DPDK_SRTP_LIST:
		dpdk_srtp_list(table, request->cursor, &control->reply);
		return 0;
	case TANDEM_DPDK_SRTP_USES:
		dpdk_srtp_uses(table, request->place, &control->reply);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
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
		return op_srtp(control, table);
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

/* The next request. 1; 0: there is none now; negative: one that no client of ours sends. */
static int client_hear(struct dpdk_control *control, int fd)
{
	struct tandem_dpdk_request *request = &control->request;
	ssize_t len = tandem_dpdk_recv(fd, request, sizeof(*request), MSG_DONTWAIT | MSG_TRUNC,
				       &control->came);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* Another build's hello is answered, that it may say so. */
	if (len < (ssize_t)HEADER || request->magic != TANDEM_DPDK_MAGIC ||
	    (request->op != TANDEM_DPDK_HELLO && !complete(request, (size_t)len)))
		return -EPROTO;
	if (request->op == TANDEM_DPDK_HELLO && (size_t)len < tandem_dpdk_request_size(request))
		memset(&request->hello, 0, sizeof(request->hello));
	return 1;
}

static ssize_t client_answer(struct dpdk_control *control, int fd)
{
	const uint32_t op = control->request.op;
	const size_t len = tandem_dpdk_reply_size(op);
	ssize_t sent;

	memset(&control->reply, 0, len);
	control->passed = -1;
	control->reply.magic = TANDEM_DPDK_MAGIC;
	control->reply.result = answer(control, fd);
	sent = tandem_dpdk_send(fd, &control->reply, len, MSG_NOSIGNAL | MSG_DONTWAIT,
				control->passed);
	if (op == TANDEM_DPDK_SRTP_LIST)
		explicit_bzero(&control->reply, len);
	return sent;
}

/* One request; false when there is none now. */
static bool client_serve(struct dpdk_control *control, int *client)
{
	int heard = client_hear(control, *client);

	if (heard == 0)
		return false;
	if (heard > 0)
		heard = client_answer(control, *client) < 0 ? -errno : 1;
	if (control->came >= 0)
		close(control->came);
	control->came = -1;
	if (heard < 0)
		client_close(control, client);
	return heard > 0;
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
