/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tandem-dpdk: the packet worker of the DPDK datapath. The first lcore serves the
 * controller and follows the kernel's tables, every further one relays packets.
 */
#include <errno.h>
#include <getopt.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_cycles.h>
#include <rte_malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dpdk/control.h"
#include "dpdk/worker.h"
#include "userspace/config/config.h"
#include "userspace/util/log.h"
#include "userspace/util/secrecy.h"

#define MODULE	     "dpdk"
#define MAX_EAL_ARGS 64

static struct dpdk_relay relay; /* the signal handler has to find it */
static struct dpdk_worker workers[DPDK_MAX_WORKERS];

struct options {
	const char *config;
	const char *socket;
	const char *exceptions;
	uint32_t idle_us;
	char *eal[MAX_EAL_ARGS];
	int eal_count;
};

static void quit_h(int number)
{
	(void)number;
	__atomic_store_n(&relay.quit, 1, __ATOMIC_RELAXED);
}

static int usage(void)
{
	fputs("usage: tandem-dpdk [-c CONFIG] [-s SOCKET] [-x EXCEPTIONS] [-i IDLE_US] "
	      "[-- EAL ARGUMENTS]\n",
	      stderr);
	return 2;
}

static int options_parse(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+c:s:x:i:")) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 's':
			o->socket = optarg;
			break;
		case 'x':
			o->exceptions = optarg;
			break;
		case 'i':
			o->idle_us = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		default:
			return -EINVAL;
		}
	}
	o->eal[o->eal_count++] = argv[0];
	for (; optind < argc && o->eal_count < MAX_EAL_ARGS - 1; optind++)
		o->eal[o->eal_count++] = argv[optind];
	return optind < argc ? -E2BIG : 0;
}

/* What the command line leaves open comes from the configuration. */
static void options_complete(struct options *o, struct tandem_config *cfg)
{
	char *save = NULL, *word;

	if (!o->socket)
		o->socket = cfg->dpdk.socket;
	if (!o->exceptions)
		o->exceptions = cfg->dpdk.exceptions;
	if (o->eal_count > 1)
		return;
	for (word = strtok_r(cfg->dpdk.eal, " \t\n", &save);
	     word && o->eal_count < MAX_EAL_ARGS - 1; word = strtok_r(NULL, " \t\n", &save))
		o->eal[o->eal_count++] = word;
}

static int relay_open(const struct options *o)
{
	uint32_t lcores = rte_lcore_count() - 1;
	size_t size = rte_rcu_qsbr_get_memsize(DPDK_MAX_WORKERS);
	char why[256] = "";
	int err;

	if (!lcores) {
		tandem_log(TANDEM_LOG_ERROR, MODULE,
			   "two lcores are needed: one for control, the others for packets");
		return -EINVAL;
	}
	relay.idle_us = o->idle_us;
	relay.rcu = rte_zmalloc("tandem_rcu", size, RTE_CACHE_LINE_SIZE);
	if (!relay.rcu || rte_rcu_qsbr_init(relay.rcu, DPDK_MAX_WORKERS))
		return -ENOMEM;
	err = dpdk_ports_open(&relay.ports, o->exceptions,
			      (uint16_t)RTE_MIN(lcores, (uint32_t)DPDK_MAX_WORKERS), why,
			      sizeof(why));
	if (err) {
		tandem_log(TANDEM_LOG_ERROR, MODULE, "%s", why);
		return err;
	}
	err = dpdk_hops_alloc(&relay.hops);
	return err ? err : dpdk_ports_link(&relay.ports, relay.hops);
}

static void workers_start(void)
{
	unsigned int lcore;
	uint16_t n = 0;

	RTE_LCORE_FOREACH_WORKER(lcore)
	{
		if (n == relay.ports.workers)
			break;
		workers[n] = (struct dpdk_worker){ .relay = &relay, .index = n };
		rte_eal_remote_launch(dpdk_worker_run, &workers[n], lcore);
		n++;
	}
}

static void workers_stop(void)
{
	__atomic_store_n(&relay.quit, 1, __ATOMIC_RELAXED);
	rte_eal_mp_wait_lcore();
	for (uint16_t n = 0; n < relay.ports.workers; n++) {
		double ns = 1e9 * (double)workers[n].cycles / (double)rte_get_tsc_hz();

		if (workers[n].packets)
			tandem_log(TANDEM_LOG_INFO, MODULE,
				   "worker %u: %llu frames, %.0f ns each with receive and transmit",
				   n, (unsigned long long)workers[n].packets,
				   ns / (double)workers[n].packets);
	}
}

static int serve(const struct options *o)
{
	struct dpdk_control *control = NULL;
	int err = relay_open(o);

	if (!err)
		err = dpdk_control_open(&control, o->socket, &relay);
	if (!err) {
		workers_start();
		tandem_log(TANDEM_LOG_INFO, MODULE, "ready at %s", o->socket);
		dpdk_control_run(control);
		workers_stop();
		dpdk_control_close(control);
	} else {
		tandem_log(TANDEM_LOG_ERROR, MODULE, "%s: %s", o->socket, strerror(-err));
	}
	dpdk_ports_close(&relay.ports);
	dpdk_hops_free(relay.hops);
	return err;
}

int main(int argc, char **argv)
{
	struct sigaction quit = { .sa_handler = quit_h };
	struct tandem_config_error error;
	struct tandem_config *cfg = NULL;
	struct options o = { 0 };
	int status = 1;

	if (options_parse(&o, argc, argv))
		return usage();
	if (tandem_config_load(&cfg, o.config, &error)) {
		fprintf(stderr, "tandem-dpdk: %s: line %u: %s %s\n", o.config, error.line,
			error.key, error.text);
		return 2;
	}
	options_complete(&o, cfg);
	tandem_secrecy(cfg->core_dumps);
	if (rte_eal_init(o.eal_count, o.eal) < 0) {
		tandem_log(TANDEM_LOG_ERROR, MODULE, "EAL: %s", rte_strerror(rte_errno));
	} else {
		sigaction(SIGTERM, &quit, NULL);
		sigaction(SIGINT, &quit, NULL);
		status = serve(&o) ? 1 : 0;
		rte_eal_cleanup();
	}
	tandem_config_free(cfg);
	return status;
}
