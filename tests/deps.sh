#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Install what building, the demo and the tests need, on Debian 12, as root.
# Nothing is installed that is there already; without root it says what is missing.
set -eu

build='gcc make pkg-config clang-16 bpftool linux-libc-dev libbpf-dev liburing-dev libre-dev
	libsqlite3-dev libcyaml-dev libyaml-dev libjansson-dev libssl-dev libwebsockets-dev libhiredis-dev libjemalloc-dev dpdk-dev
	libsndfile1-dev libspeexdsp-dev libopus-dev libspandsp-dev libpcap-dev'
demo='iproute2 ethtool util-linux procps python3 sip-tester baresip-core tshark tcpdump'
tests='libcmocka-dev openssl dnsmasq-base redis-server python3-aioice python3-aiortc chromium libsrtp2-dev libclang-rt-16-dev llvm-16 perl clang-format codespell shellcheck man-db git
	qemu-system-x86 busybox-static cpio binutils pahole lz4
	linux-headers-cloud-'$(dpkg --print-architecture)

# Intel's; elsewhere OpenSSL does what it does.
[ "$(dpkg --print-architecture)" != amd64 ] || build="$build libipsec-mb-dev"

missing=
for p in $build $demo $tests; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' ||
		missing="$missing $p"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ]; then
	echo "deps: not root; these packages are missing:$missing" >&2
	exit 1
fi
echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null
