#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The calls of netns/security.t through the worker, which has their keys.

export DATAPATHS=dpdk
exec "$(dirname "$0")/../netns/security.t"
