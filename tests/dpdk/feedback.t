#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The call of netns/feedback.t through the worker: packets of which it does not know whose they are climb to the
# controller, and none is lost over that. The driver is that of webrtc.t, which says why.

export DATAPATH=dpdk WORKER_DRIVER=pcap
exec "$(dirname "$0")/../netns/feedback.t"
