#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The attacks of netns/dtls_attack.t on a call through the worker, which hands on what the relay has to
# answer itself. Its NICs are by net_pcap for the reason that webrtc.t has.

export DATAPATH=dpdk WORKER_DRIVER=pcap
exec "$(dirname "$0")/../netns/dtls_attack.t"
