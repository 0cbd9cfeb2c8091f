/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tandem with its DPDK worker under test. The worker has the lane's two devices by AF_XDP, so
 * that the kernel sees none of the packets; a poll loop on one CPU.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/relay_plane.h"

#define FOLDER	  "/mnt" /* has a file system of ours, where the worker and we are */
#define SOCKET	  FOLDER "/worker"
#define LOG	  FOLDER "/log"
#define START_S	  30
#define STEP_US	  20000
#define MEMORY_MB "256"

/* A place for socket and log that nobody else sees, and that goes away with us and the worker. */
static int private_folder(void)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", FOLDER, "tmpfs", 0, NULL))
		return -errno;
	return 0;
}

/* The last CPU that we may use is the poll loop's; the first is for its control thread. */
static void lcores(char *text, size_t size)
{
	int first = -1, last = 0;
	cpu_set_t set;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &set))
			continue;
		first = first < 0 ? i : first;
		last = i;
	}
	snprintf(text, size, "--lcores=0@%d,1@%d", first < 0 ? 0 : first, last);
}

/* The worker of this build lies beside the program, where both are built and where installed. */
static void worker_path(char path[4096])
{
	ssize_t n = readlink("/proc/self/exe", path, 4000);

	path[n > 0 ? n : 0] = '\0';
	dirname(path);
	strcat(path, "/tandem-dpdk");
}

static void worker_exec(void)
{
	char path[4096], cpus[64];
	char *args[] = { "tandem-dpdk",
			 "-s",
			 SOCKET,
			 "--",
			 "--no-huge",
			 "--no-shconf",
			 "--no-pci",
			 "--no-telemetry",
			 "--iova-mode=va",
			 "--log-level=error",
			 "-m",
			 MEMORY_MB,
			 cpus,
			 "--vdev=net_af_xdp0,iface=in0",
			 "--vdev=net_af_xdp1,iface=out0",
			 NULL };
	int fd = open(LOG, O_WRONLY | O_CREAT, 0600);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	lcores(cpus, sizeof(cpus));
	/* One program on a device is enough, and devices of two namespaces may have one number. */
	setenv("LIBXDP_SKIP_DISPATCHER", "1", 1);
	worker_path(path);
	execv(path, args);
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	_exit(127);
}

static bool listens(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && !connect(fd, (struct sockaddr *)&addr, sizeof(addr));

	if (fd >= 0)
		close(fd);
	return ok;
}

/* What the worker said last. */
static void last_words(char *why, size_t size)
{
	FILE *f = fopen(LOG, "re");
	char line[200];

	snprintf(why, size, "the worker did not start");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0])
			snprintf(why, size, "the worker: %s", line);
	}
	if (f)
		fclose(f);
}

static int worker_start(pid_t *pid, char *why, size_t why_size)
{
	double until = tandem_bench_now() + START_S;

	*pid = fork();
	if (*pid == 0)
		worker_exec();
	while (*pid > 0 && tandem_bench_now() < until) {
		if (listens())
			return 0;
		if (waitpid(*pid, NULL, WNOHANG) == *pid) {
			*pid = 0;
			break;
		}
		usleep(STEP_US);
	}
	last_words(why, why_size);
	return -ECHILD;
}

static int serve(const struct relay_job *job, char *why, size_t why_size)
{
	struct relay_worker worker = { .socket = SOCKET };
	int err = private_folder();

	if (err) {
		snprintf(why, why_size, "no folder of its own: %s", strerror(-err));
		return err;
	}
	err = worker_start(&worker.pid, why, why_size);
	if (!err)
		err = tandem_relay_plane_serve(job, &tandem_dpdk_ops, &worker, why, why_size);
	if (worker.pid > 0) {
		kill(worker.pid, SIGTERM);
		waitpid(worker.pid, NULL, 0);
	}
	return err;
}

const struct relay_kind tandem_relay_dpdk = {
	.name = "dpdk",
	.xdp = true,
	.copies = true,
	.help = "tandem, DPDK worker by AF_XDP (polls)",
	.serve = serve,
};

const struct relay_kind tandem_relay_dpdk_srtp = {
	.name = "dpdk-srtp",
	.xdp = true,
	.protects = true,
	.help = "tandem, DPDK worker, from RTP to SRTP (polls)",
	.serve = serve,
};

const struct relay_kind tandem_relay_dpdk_unsrtp = {
	.name = "dpdk-unsrtp",
	.xdp = true,
	.unprotects = true,
	.help = "tandem, DPDK worker, from SRTP to RTP (polls)",
	.serve = serve,
};
const struct relay_kind tandem_relay_dpdk_resrtp = {
	.name = "dpdk-resrtp",
	.xdp = true,
	.unprotects = true,
	.protects = true,
	.help = "tandem, DPDK worker, from SRTP to SRTP (polls)",
	.serve = serve,
};
