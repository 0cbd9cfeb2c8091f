#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# As under systemd: a relay whose program is replaced is told to upgrade by SIGUSR2. The new program
# takes over, and says which process the service is now. One that does not work does no harm.
#
#   caller ---- relay (a copy of tandem, and who is notified) ---- callee

. "$(dirname "$0")/calls.sh"

# Who is notified: a line for each datagram, with spaces for the ends of lines.
notified_start()
{
	"$PYTHON" -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(4096).decode().replace("\n", " "), flush=True)
' "$WORK/notify" >"$WORK/notified" 2>&1 &
	NOTIFIED_PID=$!
	wait_for 5 test -S "$WORK/notify"
}

# told N: so many times has a process said that it is in service; $MAIN is the last one.
told()
{
	[ "$(grep -c READY=1 "$WORK/notified")" = "$1" ] || return 1
	MAIN=$(sed -n 's/.*MAINPID=\([0-9]*\).*/\1/p' "$WORK/notified" | tail -n 1)
}

# program_is FILE: it is installed, in place of the one that runs.
program_is()
{
	install -m 755 "$1" "$WORK/program.new" && mv "$WORK/program.new" "$WORK/program"
}

is_gone()
{
	! alive "$1"
}

test_begin 120 sipp
need_tandem
topology_up || tap_bail "topology"
check "there is one to be notified" notified_start || tap_done
export NOTIFY_SOCKET=$WORK/notify
INSTALLED=$TANDEM
program_is "$INSTALLED"
TANDEM=$WORK/program
check "tandem starts" start_tandem xdp || tap_done
check "and says so" wait_for 5 told 1
check "of itself" [ "$MAIN" = "$TANDEM_PID" ]
TANDEM=$INSTALLED
call_start uac_quiet uas_answer -d 60000
call_answered

echo '#!/bin/false' >"$WORK/broken"
program_is "$WORK/broken"
kill -USR2 "$TANDEM_PID"
check "a program that does not work is said in the log" wait_for 10 grep -q 'without taking over' "$WORK/tandem.log"
check "the old one serves" serves "$TANDEM_PID"

program_is "$INSTALLED"
old=$TANDEM_PID
kill -USR2 "$old"
check "the new one says that it is in service" wait_for 60 told 2
TANDEM_PID=$MAIN
check "it is another" [ "$MAIN" != "$old" ]
check "the old one has ended well" wait "$old"
check "the new one serves" wait_for 10 serves "$MAIN"
check "the call is known" session_count_is 1
kill -USR2 "$MAIN"
check "it can do so again" wait_for 60 told 3
check "that one ends, too" wait_for 10 is_gone "$TANDEM_PID"
TANDEM_PID=$MAIN
check "the call is known still" wait_for 10 session_count_is 1
check "an operator ends it" tandem session end "$(session_ids | head -n 1)"
kill -TERM "$TANDEM_PID"
check "the last one ends when told to" wait_for 10 is_gone "$TANDEM_PID"
stop_pid "$NOTIFIED_PID"
stop_pid "$UAC_PID" KILL
stop_pid "$UAS_PID" KILL
tap_done
