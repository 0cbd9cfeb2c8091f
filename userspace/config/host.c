/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/config/host.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool usable(const struct ifaddrs *ifa)
{
	return ifa->ifa_addr && (ifa->ifa_flags & IFF_UP) &&
	       (ifa->ifa_addr->sa_family == AF_INET || ifa->ifa_addr->sa_family == AF_INET6);
}

static int read_addresses(struct tandem_host *host)
{
	struct ifaddrs *list;
	size_t n = 0;

	if (getifaddrs(&list))
		return -errno;
	for (const struct ifaddrs *ifa = list; ifa; ifa = ifa->ifa_next)
		n += usable(ifa);
	host->addresses = calloc(n ? n : 1, sizeof(*host->addresses));
	for (const struct ifaddrs *ifa = list; ifa && host->addresses; ifa = ifa->ifa_next) {
		struct tandem_host_address *address = &host->addresses[host->addresses_count];
		struct tandem_endpoint ep;

		if (!usable(ifa) || tandem_endpoint_from_sockaddr(&ep, ifa->ifa_addr))
			continue;
		/* A label such as "eth0:1" is no interface of its own. */
		snprintf(address->ifname, sizeof(address->ifname), "%.*s",
			 (int)strcspn(ifa->ifa_name, ":"), ifa->ifa_name);
		address->ip = ep.ip;
		host->addresses_count++;
	}
	freeifaddrs(list);
	return host->addresses ? 0 : -ENOMEM;
}

static bool read_line(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (!f)
		return false;
	ok = fgets(buf, (int)size, f);
	fclose(f);
	return ok;
}

size_t tandem_port_ranges_parse(const char *text, struct tandem_port_range *ranges, size_t max)
{
	size_t n = 0;

	while (n < max) {
		char *end;
		unsigned long first = strtoul(text, &end, 10), last = first;

		if (end == text)
			break;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (first <= last && last <= UINT16_MAX)
			ranges[n++] = (struct tandem_port_range){ (uint16_t)first, (uint16_t)last };
		if (*end != ',')
			break;
		text = end + 1;
	}
	return n;
}

static void read_ports(struct tandem_host *host)
{
	char line[1024];

	if (read_line("/proc/sys/net/ipv4/ip_local_port_range", line, sizeof(line)) &&
	    sscanf(line, "%hu %hu", &host->ephemeral.first, &host->ephemeral.last) != 2)
		host->ephemeral = (struct tandem_port_range){ 0, 0 };
	if (read_line("/proc/sys/net/ipv4/ip_local_reserved_ports", line, sizeof(line)))
		host->reserved_count = tandem_port_ranges_parse(
			line, host->reserved, sizeof(host->reserved) / sizeof(host->reserved[0]));
}

int tandem_host_init(struct tandem_host *host)
{
	memset(host, 0, sizeof(*host));
	read_ports(host);
	return read_addresses(host);
}

void tandem_host_clean(struct tandem_host *host)
{
	free(host->addresses);
	memset(host, 0, sizeof(*host));
}

bool tandem_host_ephemeral_overlap(const struct tandem_host *host,
				   const struct tandem_port_range *range,
				   struct tandem_port_range *overlap)
{
	const struct tandem_port_range *eph = &host->ephemeral;

	overlap->first = eph->first > range->first ? eph->first : range->first;
	overlap->last = eph->last < range->last ? eph->last : range->last;
	if (!eph->last || overlap->first > overlap->last)
		return false;
	for (size_t i = 0; i < host->reserved_count; i++) {
		if (host->reserved[i].first <= overlap->first &&
		    host->reserved[i].last >= overlap->last)
			return false;
	}
	return true;
}

bool tandem_host_address_global(const struct ip_addr *ip)
{
	static const char *const others[] = { "0.0.0.0/8",   "127.0.0.0/8", "169.254.0.0/16",
					      "224.0.0.0/3", "::/127",	    "fe80::/10",
					      "ff00::/8" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct tandem_prefix block;

		if (!tandem_prefix_parse(&block, others[i]) && tandem_prefix_contains(&block, ip))
			return false;
	}
	return true;
}
