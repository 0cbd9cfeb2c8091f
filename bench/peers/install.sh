#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The relays that tandem is measured against, from Debian. Starts no service: it is the
# benchmark that runs them, in namespaces of its own.
set -eu
[ "$(id -u)" -eq 0 ] || {
	echo "needs root" >&2
	exit 1
}
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
	trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	rtpengine-daemon nftables python3 >/dev/null
rtpengine --version 2>&1 | head -n 1
nft --version
