#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Run a test program on a loopback of its own, where its ports are free whatever else
# this host runs. Only root can have one; others run on the host's. Usage: own_net.sh PROGRAM...
set -eu
if [ "$(id -u)" -eq 0 ]; then
	# shellcheck disable=SC2016
	exec unshare --net sh -c 'ip link set lo up && exec "$@"' sh "$@"
fi
exec "$@"
