/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/cpu.h"
#include "bench/seal.h"

#define STOP_STEPS   600 /* of 10 ms */
#define MAX_FILES    1000000
#define SPARE_FILES  64
#define STOP_STEP_US 10000

const struct relay_kind *const tandem_relay_kinds[] = {
	&tandem_relay_xdp,	    &tandem_relay_xdp_captured,
	&tandem_relay_bare,	    &tandem_relay_uring,
	&tandem_relay_mmsg,	    &tandem_relay_dpdk,
	&tandem_relay_xdp_srtp,	    &tandem_relay_uring_srtp,
	&tandem_relay_dpdk_srtp,    &tandem_relay_xdp_unsrtp,
	&tandem_relay_uring_unsrtp, &tandem_relay_dpdk_unsrtp,
	&tandem_relay_xdp_resrtp,   &tandem_relay_uring_resrtp,
	&tandem_relay_dpdk_resrtp,  NULL,
};

double tandem_bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int tandem_relay_parse(struct relay *relay, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text);

	memset(relay, 0, sizeof(*relay));
	relay->fd = relay->input = -1;
	if (!len || len >= sizeof(relay->name))
		return -EINVAL;
	memcpy(relay->name, text, len);
	if (equals) {
		relay->script = equals + 1;
		return access(relay->script, X_OK) ? -errno : 0;
	}
	if (strcmp(text, "direct") == 0)
		return 0;
	for (size_t i = 0; tandem_relay_kinds[i]; i++) {
		if (strcmp(text, tandem_relay_kinds[i]->name) == 0)
			relay->kind = tandem_relay_kinds[i];
	}
	return relay->kind ? 0 : -EINVAL;
}

/* ---- the child ---- */

static void block_term(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void tandem_relay_wait(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigwait(&set, &sig);
}

int tandem_relay_stop_fd(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void leave_cpu(unsigned int cpu)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	CPU_CLR(cpu, &set);
	if (CPU_COUNT(&set))
		sched_setaffinity(0, sizeof(set), &set);
}

static void send_report(int fd, const struct relay_report *report)
{
	ssize_t n = write(fd, report, sizeof(*report));

	if (n != (ssize_t)sizeof(*report))
		_exit(1);
}

void tandem_relay_ready(const struct relay_job *job, double install_s, double fast_s, pid_t worker)
{
	struct relay_report report = { .install_s = install_s,
				       .fast_s = fast_s,
				       .installed = job->flows,
				       .polls = worker != 0 };

	report.pids[report.pids_count++] = getpid();
	if (worker)
		report.pids[report.pids_count++] = worker;
	send_report(job->report_fd, &report);
}

/* As many as root may take, or as it was left. */
static rlim_t raise_files(void)
{
	struct rlimit files = { MAX_FILES, MAX_FILES };

	if (!setrlimit(RLIMIT_NOFILE, &files) || getrlimit(RLIMIT_NOFILE, &files))
		return MAX_FILES;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	return files.rlim_max;
}

static void child_prepare(const struct lab *lab, const struct relay *relay, unsigned int avoid_cpu)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	raise_files();
	leave_cpu(avoid_cpu);
	if (tandem_lab_enter(lab->lanes[relay->lane].ns))
		_exit(1);
}

static void child_serve(const struct lab *lab, const struct relay *relay, int fd)
{
	struct relay_report report = { 0 };
	struct relay_job job = { .ways = relay->ways,
				 .flows = relay->flows,
				 .copies = relay->copies,
				 .suite_in = relay->kind->unprotects ? relay->suite : 0,
				 .suite = relay->kind->protects ? relay->suite : 0,
				 .sink_mac = lab->lanes[relay->lane].rx_mac,
				 .out_mac = lab->lanes[relay->lane].out_mac,
				 .report_fd = fd };

	block_term();
	if (relay->kind->files * (uint64_t)relay->flows + SPARE_FILES > raise_files()) {
		snprintf(report.why, sizeof(report.why),
			 "needs more than %llu descriptors (ulimit -n)",
			 (unsigned long long)raise_files());
		report.err = -EMFILE;
		send_report(fd, &report);
		_exit(1);
	}
	report.err = relay->kind->serve(&job, report.why, sizeof(report.why));
	if (report.err)
		send_report(fd, &report);
	_exit(report.err ? 1 : 0);
}

/* ---- the parent ---- */

static int read_report(struct relay *relay, double timeout_s)
{
	struct pollfd pfd = { .fd = relay->fd, .events = POLLIN };
	ssize_t n;
	int ret = poll(&pfd, 1, (int)(timeout_s * 1000));

	if (ret < 0)
		return -errno;
	if (!ret) {
		snprintf(relay->report.why, sizeof(relay->report.why), "not ready after %.0f s",
			 timeout_s);
		return -ETIMEDOUT;
	}
	n = read(relay->fd, &relay->report, sizeof(relay->report));
	if (n != (ssize_t)sizeof(relay->report)) {
		snprintf(relay->report.why, sizeof(relay->report.why), "it ended at once");
		return -ECHILD;
	}
	return relay->report.err;
}

/* Pipes: what the child says, and what a script reads. */
static int launch(struct relay *relay, const struct lab *lab, unsigned int avoid_cpu)
{
	int out[2], in[2];

	if (pipe2(out, O_CLOEXEC))
		return -errno;
	if (pipe2(in, O_CLOEXEC)) {
		close(out[0]);
		close(out[1]);
		return -errno;
	}
	fflush(NULL);
	relay->pid = fork();
	if (relay->pid == 0) {
		child_prepare(lab, relay, avoid_cpu);
		if (relay->kind)
			child_serve(lab, relay, out[1]);
		_exit(tandem_script_exec(relay, in[0], out[1]));
	}
	close(out[1]);
	close(in[0]);
	relay->fd = out[0];
	relay->input = in[1];
	return relay->pid < 0 ? -errno : 0;
}

static int make_ways(struct relay *relay, uint32_t flows)
{
	relay->ways = calloc(flows, sizeof(*relay->ways));
	if (!relay->ways)
		return -ENOMEM;
	relay->flows = flows;
	for (uint32_t i = 0; i < flows; i++)
		tandem_lab_way(relay->lane, i, &relay->ways[i]);
	return 0;
}

static int wait_ready(struct relay *relay, double timeout_s)
{
	int err;

	if (relay->kind)
		return read_report(relay, timeout_s);
	err = tandem_script_flows(relay);
	return err ? err : tandem_script_read(relay, timeout_s);
}

/* A script's flows have one key, as it says; tandem's have each its own. */
static void arriving_key(uint32_t i, struct tandem_srtp *key, void *arg)
{
	const struct relay *relay = arg;

	if (relay->kind)
		tandem_bench_key(i, BENCH_IN, relay->suite, key);
	else
		*key = relay->report.srtp;
}

static int make_seal(struct relay *relay)
{
	uint8_t suite = relay->report.srtp.suite;

	if (relay->kind)
		suite = relay->kind->unprotects ? relay->suite : 0;
	return suite ? tandem_seal_alloc(&relay->seal, relay->flows, suite, arriving_key, relay)
		     : 0;
}

int tandem_relay_start(struct relay *relay, const struct lab *lab, uint32_t flows, uint32_t copies,
		       unsigned int avoid_cpu, double timeout_s)
{
	uint64_t before = tandem_memory_free();
	int err = make_ways(relay, flows);

	relay->copies = copies;
	memset(&relay->report, 0, sizeof(relay->report));
	if (err || (!relay->kind && !relay->script))
		return err;
	err = launch(relay, lab, avoid_cpu);
	if (!err)
		err = wait_ready(relay, timeout_s);
	if (!err)
		err = make_seal(relay);
	if (err) {
		fprintf(stderr, "bench: %s with %u flows: %s\n", relay->name, flows,
			relay->report.why[0] ? relay->report.why : strerror(-err));
		tandem_relay_stop(relay);
		return err;
	}
	relay->memory = tandem_memory_free();
	relay->memory = relay->memory < before ? before - relay->memory : 0;
	return 0;
}

void tandem_relay_turn(const struct relay *relay, bool on)
{
	for (size_t i = 0; relay->report.polls && i < relay->report.pids_count; i++)
		kill(relay->report.pids[i], on ? SIGCONT : SIGSTOP);
}

bool tandem_relay_alive(struct relay *relay)
{
	if (!relay->kind && !relay->script)
		return true;
	return relay->pid > 0 && waitpid(relay->pid, NULL, WNOHANG) == 0;
}

void tandem_relay_stop(struct relay *relay)
{
	if (relay->input >= 0)
		close(relay->input);
	if (relay->pid > 0) {
		tandem_relay_turn(relay, true);
		kill(relay->pid, SIGTERM);
		for (int i = 0; i < STOP_STEPS && waitpid(relay->pid, NULL, WNOHANG) == 0; i++)
			usleep(STOP_STEP_US);
		kill(-relay->pid, SIGKILL); /* whatever is left of its group */
		waitpid(relay->pid, NULL, 0);
	}
	if (relay->fd >= 0)
		close(relay->fd);
	tandem_seal_free(relay->seal);
	relay->seal = NULL;
	free(relay->ways);
	relay->ways = NULL;
	relay->pid = 0;
	relay->fd = relay->input = -1;
}
