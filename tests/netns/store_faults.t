#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The store fails in every way it can, and the process is killed at random moments (KILLS times,
# 25 by default): no registration that was answered with 200 is lost, and no call leaves
# anything behind.
#
#   caller (store_client.py: registers, and calls itself) ---- relay (tandem, killed) ---- callee
#                                                              its database on a tmpfs of 24 MB

if [ -z "${STORE_MOUNTS:-}" ]; then
	# mounts of this script's own; bpffs stays where it is
	STORE_MOUNTS=1 exec unshare --mount --propagation private bash "$0"
fi
. "$(dirname "$0")/calls.sh"
KILLS=${KILLS:-25}
test_begin $((100 + KILLS * 2)) clang-16
need_tandem
topology_up || tap_bail "topology"
STORE=$WORK/store
mkdir "$STORE"
mount -t tmpfs -o size=24m none "$STORE" || tap_bail "a tmpfs"
MEDIA_EXTRA="inactivity_timeout_s: 5
  setup_timeout_s: 5"
SIP_EXTRA="trusted: [10.77.1.0/24]"
DB=$STORE/tandem.db

# launch [DATAPATH]: io_uring starts fast, for which most of this is the same.
launch()
{
	tandem_config "${1:-uring}" | sed "s|^database: .*|database: $DB|" >"$WORK/tandem.yaml"
	tandem_launch
}

ask()
{
	ns_run caller "$PYTHON" "$NETNS/ask.py" --bind 10.77.1.9 --to 10.77.1.1:5060 "$@"
}

registers()
{
	[ "$(ask --method REGISTER --uri sip:example.test --to-uri "sip:$1@example.test" --wait 3)" = "$2" ]
}

in_store()
{
	"$PYTHON" -c 'import sqlite3, sys
db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True, timeout=5)
sys.exit(not db.execute("SELECT count(*) FROM contacts WHERE aor = ?", (sys.argv[2],)).fetchone()[0])' \
		"$DB" "sip:$1@example.test"
}

kill_tandem()
{
	kill -KILL "$TANDEM_PID"
	wait "$TANDEM_PID" 2>/dev/null
}

check "tandem starts" launch || tap_done

# ---- another process has the database --------------------------------------

ns_start relay "$WORK/lock.log" "$PYTHON" -c 'import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
time.sleep(60)' "$DB"
LOCKER=$LAST_PID
check "another process locks the database" wait_for 5 grep -q locked "$WORK/lock.log"
check "a registration is put off" registers locked1 503
check "and so is the next" registers locked2 503
check "the relay answers all the same" test "$(ask)" = 200
stop_pid "$LOCKER" KILL
check "once it is free, registrations are taken" registers locked1 200
check "and stored" in_store locked1

# ---- the disk is full -------------------------------------------------------

fill()
{
	dd if=/dev/zero of="$STORE/filler" bs=4k count=10000 2>/dev/null
	[ "$(stat -f -c %a "$STORE")" = 0 ]
}

# all that got 200 is kept in FULL_OK
full_registers()
{
	local i
	FULL_OK=
	for ((i = 0; i < 2000; i++)); do
		if registers "full$i" 503; then
			return 0
		fi
		FULL_OK=full$i
	done
	return 1
}
check "the disk fills up" fill
check "then a registration is not acknowledged" full_registers
[ -z "$FULL_OK" ] || check "the last that was acknowledged is stored" in_store "$FULL_OK"
check "the relay answers all the same" test "$(ask)" = 200
rm -f "$STORE/filler"
check "with room again, registrations are taken" registers roomy 200
check "and stored" in_store roomy

# ---- files that cannot be used ----------------------------------------------

# refuses WORDS: tandem run ends by itself, with an error that says so.
refuses()
{
	ns_run relay timeout 20 "$TANDEM" run -c "$WORK/tandem.yaml" >"$WORK/refused.log" 2>&1
	[ $? -eq 1 ] && grep -q "$1" "$WORK/refused.log"
}
kill_tandem
mount -o remount,ro "$STORE"
check "a file system that is read-only: it says so and does not start" refuses 'read-only\|readonly\|Read-only'
mount -o remount,rw "$STORE"
cp "$DB" "$WORK/good.db"
rm -f "$DB-wal" "$DB-shm"
head -c 8192 /dev/urandom >"$DB"
check "a damaged file: it says so and does not start" refuses 'not a database\|malformed'
cp "$WORK/good.db" "$DB"
# a page in the middle: whether it starts depends on what was there; it may not crash
dd if=/dev/urandom of="$DB" bs=4096 seek=3 count=2 conv=notrunc 2>/dev/null
ns_run relay timeout -s KILL 3 "$TANDEM" run -c "$WORK/tandem.yaml" >"$WORK/refused.log" 2>&1
check "a damaged page: it does not crash" eval "[ $? -eq 1 ] || [ $? -eq 137 ]"
rm -f "$DB" "$DB-wal" "$DB-shm"

# ---- killed at random moments -----------------------------------------------

check "tandem starts with a new store" launch || tap_done
ns_start caller "$WORK/client.log" "$PYTHON" "$NETNS/store_client.py" --bind 10.77.1.2 \
	--callee 10.77.1.9 --relay 10.77.1.1:5060 --promises "$WORK/promises" --rate 60 --calls 12 \
	--seconds $((60 + KILLS * 2))
CLIENT=$LAST_PID
check "the client has its first promises" wait_for 10 grep -q '^+' "$WORK/promises"
bad=0
for ((kills = 0; kills < KILLS; kills++)); do
	# the last two with flows that outlive the process
	[ $kills -ne $((KILLS - 2)) ] || fast=${DATAPATH:-auto}
	sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
	kill_tandem
	launch "${fast:-uring}" || break
	"$PYTHON" "$NETNS/store_check.py" "$DB" "$WORK/promises" >"$WORK/kept" || {
		bad=$((bad + 1))
		tap_note "after kill $kills: $(cat "$WORK/kept")"
	}
done
check "it starts again after each of $KILLS kills" test "$kills" -eq "$KILLS"
check "what was promised is kept, what was removed stays so ($(cat "$WORK/kept"))" test "$bad" -eq 0
stop_pid "$CLIENT"
tap_note "client: $(cat "$WORK/client.log")"
check "there was something to keep" eval '[ "$(grep -c "^+" "$WORK/promises")" -ge '$((KILLS * 3))' ]'
check "and calls went on meanwhile" eval 'grep -qE "calls=[1-9]" "$WORK/client.log"'

# ---- nothing is left ----------------------------------------------------------

rows()
{
	"$PYTHON" -c 'import sqlite3, sys
db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True, timeout=5)
print(db.execute("SELECT count(*) FROM " + sys.argv[2]).fetchone()[0])' "$@"
}
no_rows()
{
	[ "$(rows "$@")" = 0 ]
}
check "calls that nobody ended are cleared away" wait_for 20 session_count_is 0
check "the store has none" wait_for 5 no_rows "$DB" sessions
# one that rings where nobody is any more ends with timer B (32 s)
check "calls that go on: none in the records" wait_for 45 no_rows "${DB%.db}-cdr.db" open_calls
check "but records of those that were" eval '[ "$(rows "${DB%.db}-cdr.db" records)" -gt 0 ]'
kill_tandem
check "tandem starts once more" launch "${DATAPATH:-auto}"
check "the fast path had no flow left" eval \
	'! grep -qE "took over [1-9][0-9]* flows" "$WORK/tandem.log"'
check "no session came back" session_count_is 0
check "tandem stops when told to" relay_stops
umount "$STORE"
tap_done
