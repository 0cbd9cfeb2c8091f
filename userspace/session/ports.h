/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which media ports of the relay are in use. They are handed out in pairs: the
 * even port for RTP, the odd one above it for RTCP (RFC 3550 section 11).
 *
 * The pair that has been unused for longest goes first, so that late packets of
 * a call that is over find no new call on its port as long as there is any other
 * choice. The first round is in random order, so that ports cannot be foretold.
 */
#ifndef TANDEM_SESSION_PORTS_H
#define TANDEM_SESSION_PORTS_H

#include <stddef.h>
#include <stdint.h>

struct tandem_ports;

/*
 * All pairs within [port_min, port_max], for each of `locals` addresses. An odd
 * port_min is rounded up, an even port_max down. The same seed gives the same
 * order. -EINVAL when that leaves no pair or there is no address; -ENOMEM.
 */
int tandem_ports_alloc(struct tandem_ports **portsp, size_t locals, uint16_t port_min,
		       uint16_t port_max, uint64_t seed);
void tandem_ports_free(struct tandem_ports *ports);

/* Take a pair on one local address; *port is the even one. O(1). -ENOSPC, -EINVAL. */
int tandem_ports_take(struct tandem_ports *ports, size_t local, uint16_t *port);

/* Take this very pair. O(1). -EBUSY when it is in use, -EINVAL when there is no such pair. */
int tandem_ports_reserve(struct tandem_ports *ports, size_t local, uint16_t port);

/*
 * The same for one who lets others in: the pair is free again when each has given it back. -EBUSY
 * when it is in use by one who does not.
 */
int tandem_ports_take_shared(struct tandem_ports *ports, size_t local, uint16_t *port);
int tandem_ports_share(struct tandem_ports *ports, size_t local, uint16_t port);

/* Give a pair back. A pair that is not in use is left alone. O(1). */
void tandem_ports_release(struct tandem_ports *ports, size_t local, uint16_t port);

/* How many pairs of one address are free. */
size_t tandem_ports_available(const struct tandem_ports *ports, size_t local);

#endif
