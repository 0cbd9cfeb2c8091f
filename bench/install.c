/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How fast the plane takes flows, and what memory they have then: the XDP datapath with io_uring
 * behind it, in namespaces of this process' own (root). See docs/benchmark.md.
 *
 *   install [-u] [FLOWS[/BATCH]...]      -u: io_uring alone
 *
 * BATCH changes are handed over at a time; 4 are a call with RTP and RTCP.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "userspace/datapath/plane.h"
#include "userspace/util/log.h"

#define BPFFS	  "/sys/fs/bpf"
#define LOCALS	  TANDEM_MAX_LOCALS
#define PORT_MIN  2048
#define PORTS	  63488
#define MAX_FLOWS ((uint32_t)LOCALS * PORTS)
#define LOCAL_NET 0x0a090000U /* 10.9.0.0, and the remotes in 10.9.1.0 */

struct row {
	uint32_t flows, batch;
	double install_s, remove_s;
	long anon_kib;	 /* of the process, that it has not shared */
	uint64_t maps;	 /* bytes of BPF maps */
	int descriptors; /* while the flows are there, beyond those before them */
	int err;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static long status_kib(const char *name)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256], what[64];
	long value = 0, found = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63[^:]: %ld", what, &value) == 2 && strcmp(what, name) == 0)
			found = value;
	}
	if (f)
		fclose(f);
	return found;
}

/* What the kernel says that the BPF maps of this process take; and how many files are open. */
static uint64_t map_bytes(int *descriptors)
{
	DIR *dir = opendir("/proc/self/fdinfo");
	uint64_t sum = 0;

	*descriptors = 0;
	for (struct dirent *e; dir && (e = readdir(dir));) {
		char path[300], line[256];
		unsigned long long bytes;
		bool map = false;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", e->d_name);
		f = e->d_name[0] == '.' ? NULL : fopen(path, "re");
		if (!f)
			continue;
		++*descriptors;
		while (fgets(line, sizeof(line), f)) {
			map = map || strncmp(line, "map_type:", 9) == 0;
			if (map && sscanf(line, "memlock: %llu", &bytes) == 1)
				sum += bytes;
		}
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return sum;
}

static struct ip_addr mapped(uint32_t host)
{
	struct ip_addr ip = { .w = { 0, 0, htonl(0xffff), htonl(host) } };

	return ip;
}

static struct ip_addr local_of(uint32_t i)
{
	return mapped(LOCAL_NET + 1 + i / PORTS);
}

static __be16 port_of(uint32_t i)
{
	return htons((uint16_t)(PORT_MIN + i % PORTS));
}

/* Flow i and its neighbour are the two directions of a stream. */
static void change_for(uint32_t i, struct tandem_change *c)
{
	struct tandem_flow_spec *spec = &c->spec;
	struct tandem_egress *eg = &spec->egress[EGRESS_RTP];
	uint32_t other = i ^ 1;

	memset(c, 0, sizeof(*c));
	spec->id = i + 1;
	spec->media_id = spec->id;
	spec->reverse_id = other + 1;
	spec->key.local = local_of(i);
	spec->key.local_port = port_of(i);
	spec->key.remote = mapped(LOCAL_NET + 0x100 + (i & 0x7f));
	spec->key.remote_port = htons(4000);
	eg->flags = EGRESS_F_ACTIVE;
	eg->local = local_of(other);
	eg->local_port = port_of(other);
	eg->remote = mapped(LOCAL_NET + 0x100 + (other & 0x7f));
	eg->remote_port = htons(4000);
	spec->pts.clock_hz[0] = 8000;
}

static int change_all(struct tandem_plane *plane, const struct row *row, enum tandem_change_op op,
		      double *seconds)
{
	struct tandem_change *changes = calloc(row->batch, sizeof(*changes));
	int err = changes ? 0 : -ENOMEM;

	*seconds = 0;
	for (uint32_t done = 0; !err && done < row->flows;) {
		uint32_t n = row->flows - done < row->batch ? row->flows - done : row->batch;

		for (uint32_t i = 0; i < n; i++) {
			change_for(done + i, &changes[i]);
			changes[i].op = op;
		}
		*seconds -= now();
		err = tandem_plane_apply(plane, changes, n);
		*seconds += now();
		for (uint32_t i = 0; i < n && !err; i++)
			err = changes[i].result;
		done += n;
	}
	free(changes);
	return err;
}

static int open_plane(struct tandem_plane **plane, bool fast)
{
	static const char *const interfaces[] = { "in0" };
	struct tandem_datapath_config cfg = {
		.locals_count = LOCALS,
		.port_min = PORT_MIN,
		.port_max = PORT_MIN + PORTS - 1,
		.flow_capacity = MAX_FLOWS,
		.stream_capacity = 1024,
		.nexthop_age_ms = 500,
		.bpf_dir = BPFFS "/install",
		.interfaces = interfaces,
		.interfaces_count = 1,
		.fresh = true,
	};
	char why[256];
	int err;

	for (uint32_t i = 0; i < LOCALS; i++)
		cfg.locals[i].ip = local_of(i * PORTS);
	err = tandem_plane_open(plane, fast ? "xdp" : "uring", &cfg, why, sizeof(why));
	if (err)
		fprintf(stderr, "install: %s\n", why);
	return err;
}

static int own_host(void)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", BPFFS, "bpf", 0, NULL))
		return -errno;
	return system("ip link add in0 type veth peer name far0 && ip link set far0 up && "
		      "ip addr add 10.9.0.1/24 dev in0 && ip link set in0 up")
		       ? -EIO
		       : 0;
}

/* In a process of its own, so that each row begins with nothing. */
static void measure(struct row *row, bool fast)
{
	struct tandem_plane *plane;
	int before, after;
	long anon;

	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
	tandem_log_set_level(TANDEM_LOG_ERROR);
	row->err = own_host();
	if (row->err)
		return;
	anon = status_kib("RssAnon");
	row->err = open_plane(&plane, fast);
	if (row->err)
		return;
	row->maps = map_bytes(&before);
	row->err = change_all(plane, row, TANDEM_FLOW_SET, &row->install_s);
	row->anon_kib = status_kib("RssAnon") - anon;
	map_bytes(&after);
	row->descriptors = after - before;
	if (!row->err)
		row->err = change_all(plane, row, TANDEM_FLOW_REMOVE, &row->remove_s);
	tandem_plane_close(plane, false);
}

static int run(struct row *row, bool fast)
{
	int fds[2];
	pid_t pid;

	if (pipe(fds))
		return -errno;
	pid = fork();
	if (pid == 0) {
		measure(row, fast);
		_exit(write(fds[1], row, sizeof(*row)) != sizeof(*row));
	}
	close(fds[1]);
	if (pid < 0 || read(fds[0], row, sizeof(*row)) != sizeof(*row))
		row->err = -EIO;
	close(fds[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return row->err;
}

static int parse(const char *text, struct row *row)
{
	*row = (struct row){ .batch = 4 };
	if (sscanf(text, "%u/%u", &row->flows, &row->batch) < 1 || !row->flows ||
	    row->flows > MAX_FLOWS || !row->batch) {
		fprintf(stderr, "install: %s: not FLOWS or FLOWS/BATCH, up to %u flows\n", text,
			MAX_FLOWS);
		return -EINVAL;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static char *usual[] = { "2000/4", "2000/64", "100000/4", "100000/64", "1000000/64" };
	bool fast = argc < 2 || strcmp(argv[1], "-u");
	int first = fast ? 1 : 2, n = argc - first;
	char **rows = argv + first;
	int status = 0;

	if (n <= 0) {
		rows = usual;
		n = sizeof(usual) / sizeof(usual[0]);
	}
	printf("%9s %6s %12s %12s %14s %14s %12s\n", "flows", "batch", "installed/s", "removed/s",
	       "process B/flow", "BPF maps, MiB", "descriptors");
	for (int i = 0; i < n; i++) {
		struct row row;

		if (parse(rows[i], &row))
			return 2;
		if (run(&row, fast)) {
			fprintf(stderr, "install: %s: %s\n", rows[i], strerror(-row.err));
			status = 1;
			continue;
		}
		printf("%9u %6u %12.0f %12.0f %14.0f %14.0f %12d\n", row.flows, row.batch,
		       row.flows / row.install_s, row.flows / row.remove_s,
		       (double)row.anon_kib * 1024 / row.flows, (double)row.maps / (1 << 20),
		       row.descriptors);
		fflush(stdout);
	}
	return status;
}
