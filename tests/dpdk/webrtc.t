#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The calls of netns/webrtc.t through the worker. For net_af_packet the kernel would put fragments together,
# and a browser's INVITE is then longer than a frame; so the worker has its NICs by net_pcap.

export DATAPATH=dpdk WORKER_DRIVER=pcap
exec "$(dirname "$0")/../netns/webrtc.t"
