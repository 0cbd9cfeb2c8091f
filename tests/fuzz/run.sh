#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Run every fuzz harness for a bounded time, two at once. Usage: run.sh SECONDS HARNESS...
# New inputs go to the folder that the harness was built in; the seeds in tests/fuzz/corpus are only
# read. tests/fuzz/dict has words for a harness to make inputs of.
set -u
seconds=$1
shift
status=0

# Folders that the harness of this name starts from.
seeds_of() {
	[ ! -d "tests/fuzz/corpus/$1" ] || echo "tests/fuzz/corpus/$1"
	case $1 in
	sip_message | sip_server) echo tests/corpus/rfc4475 ;;
	esac
}

run_one() {
	name=$(basename "$1" | sed 's/^fuzz_//')
	work=${1%/tests/fuzz/*}/fuzz-corpus/$name
	mkdir -p "$work"
	dict=tests/fuzz/dict/$name
	[ ! -f "$dict" ] || set -- "$1" "-dict=$dict"
	# shellcheck disable=SC2046
	if "$@" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$work-" "$work" $(seeds_of "$name") >"$work.log" 2>&1; then
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
