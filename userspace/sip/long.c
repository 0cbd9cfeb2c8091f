/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/long.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define OCTETS_MAX    1300
#define MARGIN	      200  /* below the MTU, for responses, which are longer */
#define MTU_LEAST     1280 /* no way of IPv6 has less, and hardly one of IPv4 */
#define REFUSED_MS    (10 * 60 * 1000)
#define OCTETS_LITTLE (MTU_LEAST - MARGIN)

/* What the routes say, and what the kernel has learnt of packets that were too big for the way. */
static int known_mtu(const struct sa *dst)
{
	bool v6 = sa_af(dst) == AF_INET6;
	int fd = socket(sa_af(dst), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int mtu = 0;
	socklen_t len = sizeof(mtu);

	if (fd < 0)
		return 0;
	if (connect(fd, &dst->u.sa, dst->len) ||
	    getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &len))
		mtu = 0;
	close(fd);

	return mtu;
}

bool tandem_long_is(size_t octets, const struct sa *dst)
{
	int mtu;

	if (octets <= OCTETS_LITTLE)
		return false;
	if (octets > OCTETS_MAX)
		return true;
	mtu = known_mtu(dst);

	return mtu > 0 && octets + MARGIN > (size_t)mtu;
}

bool tandem_long_may_change(const struct tandem_sip *ts, const struct sa *src, const struct sa *dst)
{
	uint64_t now = tmr_jiffies();
	bool have = false;
	size_t i;

	for (i = 0; i < ts->listeners_count && !have; i++)
		have = ts->listeners[i].tp == SIP_TRANSP_TCP &&
		       sa_cmp(&ts->listeners[i].addr, src, SA_ADDR);
	for (i = 0; i < TANDEM_UDP_ONLY_MAX && have; i++)
		have = ts->udp_only[i].until <= now || !sa_cmp(&ts->udp_only[i].addr, dst, SA_ALL);

	return have;
}

void tandem_long_refused(struct tandem_sip *ts, const struct sa *dst)
{
	struct tandem_udp_only *slot = &ts->udp_only[ts->udp_only_next];

	slot->addr = *dst;
	slot->until = tmr_jiffies() + REFUSED_MS;
	ts->udp_only_next = (ts->udp_only_next + 1) % TANDEM_UDP_ONLY_MAX;
}
