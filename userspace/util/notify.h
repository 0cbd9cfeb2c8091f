/* SPDX-License-Identifier: GPL-2.0-only */
/* What a service manager is told of this process: systemd's sd_notify(3), where there is one. */
#ifndef TANDEM_UTIL_NOTIFY_H
#define TANDEM_UTIL_NOTIFY_H

/*
 * Send lines such as "READY=1" to the socket that $NOTIFY_SOCKET names. Without one, or if nobody
 * is there, nothing happens: the relay does not depend on it.
 */
void tandem_notify(const char *lines);

#endif
