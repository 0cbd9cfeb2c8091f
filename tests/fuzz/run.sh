#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Run every fuzz harness for a bounded time, two at once. Usage: run.sh SECONDS HARNESS...
# New inputs go to the build folder; the seeds in tests/fuzz/corpus are only read.
set -u
seconds=$1
shift
status=0

run_one() {
	name=$(basename "$1" | sed 's/^fuzz_//')
	work=build/fuzz-corpus/$name
	mkdir -p "$work"
	seeds=tests/fuzz/corpus/$name
	[ -d "$seeds" ] || seeds=
	# shellcheck disable=SC2086
	if "$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="build/fuzz-corpus/$name-" "$work" $seeds >"$work.log" 2>&1; then
		runs=$(awk '/number_of_executed_units/ {print $2}' "$work.log")
		echo "ok - fuzz $name: $runs runs in ${seconds}s"
	else
		echo "not ok - fuzz $name"
		tail -n 40 "$work.log"
		return 1
	fi
}

while [ $# -gt 0 ]; do
	run_one "$1" &
	first=$!
	shift
	if [ $# -gt 0 ]; then
		run_one "$1" || status=1
		shift
	fi
	wait "$first" || status=1
done
exit "$status"
