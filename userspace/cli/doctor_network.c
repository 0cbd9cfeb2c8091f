/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userspace/cli/doctor.h"

static bool driver_of(int fd, const char *ifname, char *driver, size_t size)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	ifr.ifr_data = (void *)&info;
	if (ioctl(fd, SIOCETHTOOL, &ifr))
		return false;
	snprintf(driver, size, "%.31s", info.driver);
	return true;
}

static void check_interfaces(struct tandem_doctor *doctor, const struct tandem_resolved *resolved)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (size_t i = 0; fd >= 0 && i < resolved->datapath.interfaces_count; i++) {
		const char *name = resolved->datapath.interfaces[i];
		char driver[32];

		if (!driver_of(fd, name, driver, sizeof(driver)))
			snprintf(driver, sizeof(driver), "unknown");
		tandem_doctor_add(doctor, "interface", TANDEM_FINDING_INFO, "%s: driver %s", name,
				  driver);
		/*
		 * A veth carries frames whose checksum the sending host left to a device
		 * that never comes; redirected onwards they would leave with a wrong one.
		 */
		if (strcmp(driver, "veth") == 0)
			tandem_doctor_add(
				doctor, "checksums", TANDEM_FINDING_WARNING,
				"%s: its peer, if on this host, leaves checksums unfinished: "
				"run \"ethtool -K PEER tx off\" there, and for native XDP "
				"attach an XDP program that passes everything",
				name);
	}
	if (fd >= 0)
		close(fd);
}

static void check_media_ports(struct tandem_doctor *doctor, const struct tandem_host *host,
			      const struct tandem_resolved *resolved)
{
	const struct tandem_port_range range = { resolved->sessions.port_min,
						 resolved->sessions.port_max };
	struct tandem_port_range overlap;

	/* An overlap is among the warnings of the configuration. */
	if (!tandem_host_ephemeral_overlap(host, &range, &overlap))
		tandem_doctor_add(doctor, "media ports", TANDEM_FINDING_OK,
				  "not among those handed out to any program (%u-%u)",
				  host->ephemeral.first, host->ephemeral.last);
}

static int try_bind(const struct tandem_listen *listen)
{
	struct sockaddr_storage ss;
	socklen_t len = tandem_endpoint_to_sockaddr(&listen->local, &ss);
	bool stream = strcmp(listen->transport, "udp") != 0;
	int type = stream ? SOCK_STREAM : SOCK_DGRAM;
	int fd = socket(ss.ss_family, type | SOCK_CLOEXEC, 0), one = 1, ret = 0;

	if (fd < 0)
		return -errno;
	/* Connections that linger are no obstacle to a listener. */
	if (stream)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&ss, len))
		ret = -errno;
	close(fd);
	return ret;
}

static void check_sip_ports(struct tandem_doctor *doctor, const struct tandem_resolved *resolved)
{
	size_t free_count = 0;

	for (size_t i = 0; i < resolved->listen_count; i++) {
		int ret = try_bind(&resolved->listen[i]);
		char text[64];

		if (!ret)
			free_count++;
		else
			tandem_doctor_add(
				doctor, "sip port", TANDEM_FINDING_FAILURE, "%s: %s",
				tandem_listen_format(&resolved->listen[i], text, sizeof(text)),
				strerror(-ret));
	}
	if (free_count == resolved->listen_count)
		tandem_doctor_add(doctor, "sip ports", TANDEM_FINDING_OK, "%zu, all free",
				  free_count);
}

void tandem_doctor_network(struct tandem_doctor *doctor, const struct tandem_host *host,
			   const struct tandem_resolved *resolved, bool running)
{
	char text[TANDEM_ENDPOINT_STRLEN];

	for (size_t i = 0; i < resolved->sessions.locals_count; i++)
		tandem_doctor_add(
			doctor, "media address", TANDEM_FINDING_INFO, "%s, ports %u-%u",
			tandem_ip_format(&resolved->sessions.locals[i].ip, text, sizeof(text)),
			resolved->sessions.port_min, resolved->sessions.port_max);
	check_interfaces(doctor, resolved);
	check_media_ports(doctor, host, resolved);
	for (size_t i = 0; i < resolved->warnings_count; i++)
		tandem_doctor_add(doctor, "configuration", TANDEM_FINDING_WARNING, "%s",
				  resolved->warnings[i]);
	if (running)
		tandem_doctor_add(doctor, "sip ports", TANDEM_FINDING_INFO,
				  "not tried: a relay is running");
	else
		check_sip_ports(doctor, resolved);
}
