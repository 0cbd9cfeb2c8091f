#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Run a test program on a loopback of its own, where its ports are free whatever else
# this host runs. Who may not have one, runs on the host's. Usage: own_net.sh PROGRAM...
set -eu
if unshare --net true 2>/dev/null; then
	# shellcheck disable=SC2016
	exec unshare --net sh -c 'ip link set lo up && exec "$@"' sh "$@"
fi
exec "$@"
