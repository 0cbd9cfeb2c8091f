/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The worker's end of the control socket against clients of all sorts: keys of SRTP and the streams
 * that are shared, and messages that no client of ours sends. It has no ports; its control
 * thread is the real one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/srtp_suite.h"
#include "dpdk/control.h"
#include "userspace/datapath/dpdk_streams.h"
#include "userspace/datapath/dpdk_wire.h"
#include "userspace/datapath/srtp_sets.h"
#include "userspace/util/endpoint.h"
#include "userspace/util/log.h"

#define SETS	40
#define PORTS	16
#define BASE	20000
#define ROUNDS	4000
#define TIMEOUT 5 /* s */

static struct dpdk_relay relay;

static struct {
	char path[64];
	struct dpdk_control *control;
	pthread_t thread;
	struct tandem_dpdk_request request;
	struct tandem_dpdk_reply reply;
	int passed; /* came with the last reply */
} t;

static void *control_main(void *arg)
{
	dpdk_control_run(arg);
	return NULL;
}

static int set_up(void **state)
{
	(void)state;
	snprintf(t.path, sizeof(t.path), "/tmp/test-dpdk-control-%d.sock", (int)getpid());
	t.passed = -1;
	relay.quit = 0;
	assert_int_equal(dpdk_control_open(&t.control, t.path, &relay), 0);
	return pthread_create(&t.thread, NULL, control_main, t.control);
}

static int tear_down(void **state)
{
	(void)state;
	__atomic_store_n(&relay.quit, 1, __ATOMIC_RELAXED);
	pthread_join(t.thread, NULL);
	dpdk_control_close(t.control);
	if (t.passed >= 0)
		close(t.passed);
	return 0;
}

static int client(void)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	memcpy(addr.sun_path, t.path, sizeof(t.path));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

/* t.request, len bytes of it. Its result, in t.reply too; -ECONNRESET: the worker hangs up. */
static int ask_len(int fd, enum tandem_dpdk_op op, size_t len, int passed)
{
	ssize_t got;

	if (t.passed >= 0)
		close(t.passed);
	t.request.magic = TANDEM_DPDK_MAGIC;
	t.request.op = op;
	if (tandem_dpdk_send(fd, &t.request, len, MSG_NOSIGNAL, passed) < 0)
		return -ECONNRESET;
	got = tandem_dpdk_recv(fd, &t.reply, sizeof(t.reply), 0, &t.passed);
	if (got == 0 || (got < 0 && errno == ECONNRESET))
		return -ECONNRESET;
	assert_int_equal(got, tandem_dpdk_reply_size(op));
	assert_int_equal(t.reply.magic, TANDEM_DPDK_MAGIC);
	return t.reply.result;
}

static int ask(int fd, enum tandem_dpdk_op op)
{
	t.request.op = op;
	return ask_len(fd, op, tandem_dpdk_request_size(&t.request), -1);
}

static void config_fill(void)
{
	struct relay_config *relay_config = &t.request.config.relay;

	memset(&t.request, 0, sizeof(t.request));
	t.request.config.stream_capacity = 16;
	*relay_config = (struct relay_config){
		.abi_version = TANDEM_ABI_VERSION,
		.slots = PORTS + 8,
		.fans = 4,
		.legs = 16,
		.srtps = SETS + 1,
		.srtp_streams = SETS * TANDEM_SRTP_STREAMS,
		.locals_count = 1,
		.port_base = BASE,
		.port_count = PORTS,
		.nexthop_age_ns = 500000000,
	};
	tandem_ip_parse(&relay_config->locals[0], "127.0.0.1");
}

/* A client that owns the rules, of a worker with SRTP. */
static int owner(void)
{
	int fd = client();

	config_fill();
	assert_int_equal(ask(fd, TANDEM_DPDK_CONFIG), 0);
	return fd;
}

static void set_fill(uint32_t index, uint64_t id)
{
	struct srtp_keys *keys = &t.request.srtp.keys;

	memset(&t.request, 0, sizeof(t.request));
	t.request.srtp.index = index;
	*keys = (struct srtp_keys){ .suite = SRTP_AES_CM_128_HMAC_SHA1_80,
				    .id = id,
				    .first_stream = index * 4,
				    .stream_count = 4,
				    .tag_len = { 10, 10 } };
	memset(keys->session[SRTP_RTP].key, 0x5a, 16);
}

static void flow_fill(uint64_t id, uint64_t in, uint64_t out)
{
	struct tandem_flow_spec *spec = &t.request.set.spec;

	memset(&t.request, 0, sizeof(t.request));
	spec->id = spec->media_id = id;
	tandem_ip_parse(&spec->key.local, "127.0.0.1");
	tandem_ip_parse(&spec->key.remote, "127.0.0.2");
	spec->key.local_port = htons((uint16_t)(BASE + id % PORTS));
	spec->key.remote_port = htons(4000);
	t.request.set.srtp[TANDEM_DPDK_USE_IN] = in;
	t.request.set.srtp[TANDEM_DPDK_USE_OUT] = out;
}

static uint32_t listed(int fd)
{
	memset(&t.request, 0, sizeof(t.request));
	assert_int_equal(ask(fd, TANDEM_DPDK_SRTP_LIST), 0);
	return t.reply.srtp.count;
}

static void messages_of_another_length_end_the_connection(void **state)
{
	(void)state;
	for (uint32_t op = TANDEM_DPDK_CONFIG; op <= TANDEM_DPDK_SRTP_USES + 1; op++) {
		for (int by = -1; by <= 1; by++) {
			int fd = client();
			size_t len;

			memset(&t.request, 0, sizeof(t.request));
			t.request.op = op;
			len = tandem_dpdk_request_size(&t.request);
			if (by == 0 && len)
				assert_int_not_equal(ask_len(fd, op, len, -1), -ECONNRESET);
			else
				assert_int_equal(
					ask_len(fd, op, len ? len + by : 8 + (size_t)by, -1),
					-ECONNRESET);
			close(fd);
		}
	}
}

static void a_configuration_that_does_not_add_up(void **state)
{
	int fd = client();
	(void)state;

	config_fill();
	t.request.config.relay.srtp_streams++;
	assert_int_equal(ask(fd, TANDEM_DPDK_CONFIG), -EINVAL);
	config_fill();
	t.request.config.relay.srtps = 0;
	assert_int_equal(ask(fd, TANDEM_DPDK_CONFIG), -EINVAL);
	config_fill();
	t.request.config.relay.srtps = 1U << 25;
	t.request.config.relay.srtp_streams = ((1U << 25) - 1) * TANDEM_SRTP_STREAMS;
	assert_int_equal(ask(fd, TANDEM_DPDK_CONFIG), -EINVAL);
	/* Without SRTP there are no streams, and nobody has keys. */
	config_fill();
	t.request.config.relay.srtps = t.request.config.relay.srtp_streams = 0;
	assert_int_equal(ask(fd, TANDEM_DPDK_CONFIG), 0);
	assert_int_equal(t.passed, -1);
	set_fill(1, 70);
	assert_int_equal(ask(fd, TANDEM_DPDK_SRTP_SET), -EPROTONOSUPPORT);
	flow_fill(1, 70, 0);
	assert_int_equal(ask(fd, TANDEM_DPDK_SET), -EPROTONOSUPPORT);
	close(fd);
}

static void sets_that_do_not_add_up(void **state)
{
	struct srtp_keys *keys = &t.request.srtp.keys;
	int fd = owner();
	(void)state;

#define REFUSED(index, change)                                                                     \
	do {                                                                                       \
		set_fill(index, 70);                                                               \
		change;                                                                            \
		assert_int_equal(ask(fd, TANDEM_DPDK_SRTP_SET), -EINVAL);                          \
	} while (0)
	REFUSED(0, (void)0);
	REFUSED(SETS + 1, (void)0);
	REFUSED(0xffffffff, (void)0);
	REFUSED(1, keys->suite = SRTP_SUITE_NONE);
	REFUSED(1, keys->suite = SRTP_SUITES);
	REFUSED(1, keys->suite = SRTP_AEAD_AES_128_GCM); /* its tags are longer */
	REFUSED(1, keys->tag_len[SRTP_RTCP] = 255);
	REFUSED(1, keys->mki_len = SRTP_MKI_MAX + 1);
	REFUSED(1, keys->stream_count = 0);
	REFUSED(1, keys->stream_count = SRTP_SSRCS_MAX + 1);
	REFUSED(1, keys->first_stream = SETS * TANDEM_SRTP_STREAMS - 3);
	REFUSED(1, keys->first_stream = 0xfffffffe);
	REFUSED(1, keys->id = 0);
	REFUSED(1, keys->gen = 1);
	assert_int_equal(listed(fd), 0);

	set_fill(1, 70);
	assert_int_equal(ask(fd, TANDEM_DPDK_SRTP_SET), 0);
	assert_int_equal(ask(fd, TANDEM_DPDK_SRTP_SET), -EEXIST);
	REFUSED(2, (void)0);				     /* the id is another's */
	REFUSED(2, (keys->id = 71, keys->first_stream = 7)); /* and so is a stream */
#undef REFUSED
	assert_int_equal(listed(fd), 1);
	t.request.index = 2;
	assert_int_equal(ask(fd, TANDEM_DPDK_SRTP_DROP), -ENOENT);
	t.request.index = 0xffffffff;
	assert_int_equal(ask(fd, TANDEM_DPDK_SRTP_DROP), -ENOENT);
	t.request.index = 1;
	assert_int_equal(ask(fd, TANDEM_DPDK_SRTP_DROP), 0);
	assert_int_equal(listed(fd), 0);
	close(fd);
}

static void flows_name_sets_that_are_there(void **state)
{
	int fd = owner();
	(void)state;

	flow_fill(1, 70, 0);
	assert_int_equal(ask(fd, TANDEM_DPDK_SET), -EINVAL);
	set_fill(1, 70);
	assert_int_equal(ask(fd, TANDEM_DPDK_SRTP_SET), 0);
	set_fill(2, 71);
	assert_int_equal(ask(fd, TANDEM_DPDK_SRTP_SET), 0);
	flow_fill(1, 70, 71);
	assert_int_equal(ask(fd, TANDEM_DPDK_SET), 0);
	memset(&t.request, 0, sizeof(t.request));
	assert_int_equal(ask(fd, TANDEM_DPDK_SRTP_USES), 0);
	assert_int_equal(t.reply.uses.count, 2);
	assert_int_equal(t.reply.uses.lines[0].id, 1);
	assert_int_equal(t.reply.uses.lines[0].index, 1);
	assert_int_equal(t.reply.uses.lines[1].index, 2);
	/* A place that is none is the end. */
	t.request.place = (struct tandem_dpdk_place){ 0xffffffff, 0xffffffff };
	assert_int_equal(ask(fd, TANDEM_DPDK_SRTP_USES), 0);
	assert_int_equal(t.reply.uses.count, 0);

	/* A set that is taken back under a flow is there until the flow goes. */
	t.request.index = 1;
	assert_int_equal(ask(fd, TANDEM_DPDK_SRTP_DROP), 0);
	set_fill(1, 72);
	assert_int_equal(ask(fd, TANDEM_DPDK_SRTP_SET), -EINVAL);
	t.request.id = 1;
	assert_int_equal(ask(fd, TANDEM_DPDK_REMOVE), 0);
	set_fill(1, 72);
	assert_int_equal(ask(fd, TANDEM_DPDK_SRTP_SET), 0);
	close(fd);
}

static void keys_are_for_the_owner_alone(void **state)
{
	int fd = owner(), other = client();
	(void)state;

	set_fill(1, 70);
	assert_int_equal(ask(fd, TANDEM_DPDK_SRTP_SET), 0);
	assert_int_equal(ask(other, TANDEM_DPDK_SRTP_LIST), -EPERM);
	for (size_t i = 0; i < sizeof(t.reply.srtp.sets); i++)
		assert_int_equal(((const uint8_t *)t.reply.srtp.sets)[i], 0);
	assert_int_equal(ask(other, TANDEM_DPDK_SRTP_DROP), -EPERM);
	assert_int_equal(ask(other, TANDEM_DPDK_SRTP_USES), -EPERM);
	config_fill();
	assert_int_equal(ask(other, TANDEM_DPDK_CONFIG), -EBUSY);
	assert_int_equal(t.passed, -1);
	close(other);
	close(fd);
}

/* Ask for the configuration until the one before is seen to be gone. */
static void configure(int fd, int passed, int result)
{
	int got = -EBUSY;

	for (int i = 0; i < 200 && got == -EBUSY; i++) {
		config_fill();
		t.request.op = TANDEM_DPDK_CONFIG;
		got = ask_len(fd, TANDEM_DPDK_CONFIG, tandem_dpdk_request_size(&t.request), passed);
		if (got == -EBUSY)
			usleep(10000);
	}
	assert_int_equal(got, result);
}

static void streams_outlive_the_controller(void **state)
{
	struct tandem_dpdk_streams streams = { .fd = -1 }, others = { .fd = -1 };
	int fd = owner(), bad;
	(void)state;

	assert_int_equal(
		tandem_dpdk_streams_take(&streams, dup(t.passed), SETS * TANDEM_SRTP_STREAMS), 0);
	streams.array[4].top = 0x123456;
	set_fill(1, 70);
	assert_int_equal(ask(fd, TANDEM_DPDK_SRTP_SET), 0);
	flow_fill(1, 70, 0);
	assert_int_equal(ask(fd, TANDEM_DPDK_SET), 0);
	close(fd);

	fd = client();
	configure(fd, -1, 0);
	assert_int_equal(t.reply.flows, 1);
	assert_true(tandem_dpdk_streams_same(t.passed, streams.fd));
	assert_int_equal(streams.array[4].top, 0x123456);
	assert_int_equal(listed(fd), 1);
	assert_int_equal(t.reply.srtp.sets[0].keys.id, 70);

	/* One who brings the same memory finds all of it, too. */
	configure(fd, streams.fd, 0);
	assert_int_equal(t.reply.flows, 1);
	/* One who brings other memory does not: then that is used. */
	assert_int_equal(tandem_dpdk_streams_make(&others, SETS * TANDEM_SRTP_STREAMS), 0);
	configure(fd, others.fd, 0);
	assert_int_equal(t.reply.flows, 0);
	assert_true(tandem_dpdk_streams_same(t.passed, others.fd));
	/* And what could be taken away is not. */
	bad = memfd_create("unsealed", MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(bad, (off_t)others.size), 0);
	configure(fd, bad, -EINVAL);
	configure(fd, STDIN_FILENO, -EINVAL);
	close(bad);
	close(fd);
	tandem_dpdk_streams_close(&streams);
	tandem_dpdk_streams_close(&others);
}

/* A request that is right, but for some octets behind its op. */
static enum tandem_dpdk_op damaged(unsigned int round)
{
	static const enum tandem_dpdk_op ops[] = {
		TANDEM_DPDK_SRTP_SET,  TANDEM_DPDK_SET,	      TANDEM_DPDK_SRTP_DROP,
		TANDEM_DPDK_SRTP_USES, TANDEM_DPDK_SRTP_LIST, TANDEM_DPDK_LEGS_SET,
		TANDEM_DPDK_LEGS_READ, TANDEM_DPDK_REMOVE,    TANDEM_DPDK_LIST,
	};
	enum tandem_dpdk_op op = ops[round % (sizeof(ops) / sizeof(ops[0]))];
	uint8_t *bytes = (uint8_t *)&t.request;
	size_t len;

	if (op == TANDEM_DPDK_SRTP_SET)
		set_fill(1 + (uint32_t)rand() % SETS, 70 + (uint64_t)rand() % SETS);
	else
		flow_fill(1 + (uint64_t)rand() % 8, 70 + (uint64_t)rand() % SETS, 70);
	t.request.op = op;
	if (op == TANDEM_DPDK_LEGS_SET)
		t.request.part.count = (uint32_t)rand() % 4;
	len = tandem_dpdk_request_size(&t.request);
	for (int i = rand() % 4; i > 0; i--)
		bytes[8 + (size_t)rand() % (len - 8)] = (uint8_t)rand();
	return op;
}

static void damaged_messages_are_answered(void **state)
{
	int fd = owner(), lost = 0, done = 0;
	(void)state;

	srand(1);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		enum tandem_dpdk_op op = damaged(round);
		size_t len = tandem_dpdk_request_size(&t.request);
		int result = ask_len(fd, op, len ? len : 8, -1);

		done += result == 0;
		if (result != -ECONNRESET)
			continue;
		/* A length that the message itself belies. */
		lost++;
		assert_int_equal(op, TANDEM_DPDK_LEGS_SET);
		close(fd);
		fd = client();
		configure(fd, -1, 0);
	}
	assert_true(done > ROUNDS / 8);
	t.request.hello = tandem_dpdk_hello_own();
	assert_int_equal(ask(fd, TANDEM_DPDK_HELLO), 0);
	close(fd);
}

static int worker_up(void)
{
	static char *args[] = {
		"control", "--no-huge", "--no-pci",	"--no-shconf",	     "--no-telemetry",
		"-m",	   "64",	"--lcores=0@0", "--log-level=error", "--iova-mode=va"
	};

	tandem_log_set_level(TANDEM_LOG_ERROR);
	if (rte_eal_init(sizeof(args) / sizeof(args[0]), args) < 0)
		return -1;
	relay.rcu = rte_zmalloc("rcu", rte_rcu_qsbr_get_memsize(1), RTE_CACHE_LINE_SIZE);
	if (!relay.rcu || rte_rcu_qsbr_init(relay.rcu, 1))
		return -1;
	return dpdk_hops_alloc(&relay.hops);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(messages_of_another_length_end_the_connection),
		CASE(a_configuration_that_does_not_add_up),
		CASE(sets_that_do_not_add_up),
		CASE(flows_name_sets_that_are_there),
		CASE(keys_are_for_the_owner_alone),
		CASE(streams_outlive_the_controller),
		CASE(damaged_messages_are_answered),
#undef CASE
	};
	int failed;

	if (worker_up()) {
		printf("Bail out! no worker\n");
		return 1;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	dpdk_hops_free(relay.hops);
	return failed;
}
