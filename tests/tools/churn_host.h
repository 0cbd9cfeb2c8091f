/* SPDX-License-Identifier: GPL-2.0-only */
/* What the churn test asks of the host: namespaces, sockets, and what the kernel counts. */
#ifndef TANDEM_TESTS_CHURN_HOST_H
#define TANDEM_TESTS_CHURN_HOST_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userspace/util/endpoint.h"

static inline void die(const char *what)
{
	printf("not ok - %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Enter a network namespace made by ip(8), as this thread; NULL: the one it began in. */
static inline void enter(const char *name)
{
	static int home = -1;
	char path[256];
	int fd;

	if (home < 0)
		home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (!name) {
		if (setns(home, CLONE_NEWNET))
			die("setns");
		return;
	}
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
}

static inline int udp_socket(const struct ip_addr *ip, uint16_t port, int option, int size)
{
	struct tandem_endpoint ep = { .ip = *ip, .port = port };
	struct sockaddr_storage ss;
	socklen_t len = tandem_endpoint_to_sockaddr(&ep, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&ss, len))
		die("udp socket");
	setsockopt(fd, SOL_SOCKET, option, &size, sizeof(size));
	return fd;
}

/* Sees every IP packet of the namespace as it arrives, whether anybody listens or not. */
static inline int tap_socket(void)
{
	struct timeval wait = { .tv_usec = 50000 };
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));
	int size = 64 << 20;

	if (fd < 0)
		die("packet socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return fd;
}

/* What the tap itself had no room for. */
static inline uint64_t tap_drops(int fd)
{
	struct tpacket_stats st = { 0 };
	socklen_t len = sizeof(st);

	if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &st, &len))
		die("packet statistics");
	return st.tp_drops;
}

/* Packets that devices of this thread's namespace dropped, in and out. */
static inline uint64_t device_drops(void)
{
	unsigned long rx, tx;
	uint64_t sum = 0;
	char line[512];
	FILE *f = fopen("/proc/thread-self/net/dev", "r");

	if (!f)
		die("/proc/thread-self/net/dev");
	while (fgets(line, sizeof(line), f)) {
		const char *p = strchr(line, ':');

		if (p &&
		    sscanf(p + 1, "%*u %*u %*u %lu %*u %*u %*u %*u %*u %*u %*u %lu", &rx, &tx) == 2)
			sum += rx + tx;
	}
	fclose(f);
	return sum;
}

/* Datagrams for which a socket of this thread's namespace had no room, IPv4. */
static inline uint64_t socket_drops(void)
{
	unsigned long errors = 0;
	char line[1024];
	FILE *f = fopen("/proc/thread-self/net/snmp", "r");

	if (!f)
		die("/proc/thread-self/net/snmp");
	while (fgets(line, sizeof(line), f))
		sscanf(line, "Udp: %*u %*u %*u %*u %lu", &errors);
	fclose(f);
	return errors;
}

/* Resident memory of a process in kB, without what it shares of files. */
static inline uint64_t resident_kb(long pid)
{
	unsigned long kb = 0;
	char line[256], path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	f = fopen(path, "r");
	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "RssAnon: %lu", &kb);
	fclose(f);
	return kb;
}

/* Open descriptors of this process, and the bytes that the maps of BPF among them hold. */
static inline void descriptors(uint64_t *count, uint64_t *map_bytes)
{
	DIR *dir = opendir("/proc/self/fdinfo");
	struct dirent *e;

	*count = *map_bytes = 0;
	if (!dir)
		die("/proc/self/fdinfo");
	while ((e = readdir(dir))) {
		char path[300], line[256];
		unsigned long bytes;
		bool map = false;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", e->d_name);
		f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
		if (!f)
			continue;
		++*count;
		while (fgets(line, sizeof(line), f)) {
			map = map || strncmp(line, "map_type:", 9) == 0;
			if (map && sscanf(line, "memlock: %lu", &bytes) == 1)
				*map_bytes += bytes;
		}
		fclose(f);
	}
	closedir(dir);
}

#endif
