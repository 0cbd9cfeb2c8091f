#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What `make bench` runs. Bounded in time; fails on errors, never on a speed.
set -eu
cd "$(dirname "$0")/.."
build/bench/core "$@"
