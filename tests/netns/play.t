#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Announcements and DTMF that the relay itself sends into calls, by the NG protocol: plain, under
# SRTP, and by Opus. Needs python3-aiortc (its pylibsrtp opens what is sealed).
#
#   phone 10.77.1.2:7000 ---- relay: NG 127.0.0.1:2223 ---- phone 10.77.2.2:7000

. "$(dirname "$0")/calls.sh"

# wav FILE RATE KIND: one second; speech is noise that no other second is like.
wav()
{
	"$PYTHON" - "$@" <<-'EOF2'
		import math, random, struct, sys, wave
		path, rate, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
		random.seed(7)
		with wave.open(path, "wb") as w:
		    w.setnchannels(1)
		    w.setsampwidth(2)
		    w.setframerate(rate)
		    for i in range(rate):
		        v = random.randint(-20000, 20000) if kind == "speech" else 12000 * math.sin(2 * math.pi * 440 * i / rate)
		        w.writeframesraw(struct.pack("<h", int(v)))
	EOF2
}

test_begin 60 tcpdump tshark clang-16
need_tandem
need_tool g711cmp
"$PYTHON" -c "import pylibsrtp" 2>/dev/null || tap_skip_all "needs python3-pylibsrtp"
topology_up || tap_bail topology
mkdir "$WORK/play"
wav "$WORK/play/speech.wav" 8000 speech
wav "$WORK/play/tone.wav" 44100 tone
cp "$WORK/play/speech.wav" "$WORK/secret.wav"
ln -s ../secret.wav "$WORK/play/link.wav"
head -c 3000 /dev/urandom >"$WORK/play/broken.wav"
SIP_EXTRA="mode: off"
MEDIA_EXTRA="play_dir: $WORK/play"
YAML_EXTRA="ng: {listen: [\"udp:127.0.0.1:2223\"]}"
check "tandem starts without SIP" start_tandem || tap_done
TANDEM=$TANDEM SOCK=$SOCK timeout 50 "$PYTHON" "$NETNS/play.py" "$(ns_name caller)" "$(ns_name relay)" "$(ns_name callee)" "$WORK" >"$WORK/play.out" 2>&1
check "the phones come to their end" test $? = 0 || tap_note "$(tail -n 5 "$WORK/play.out")"
while read -r line; do
	case $line in
	"ok "*) tap_ok "${line#ok }" ;;
	"not ok "*) tap_fail "${line#not ok }" ;;
	"# "*) echo "${line:0:400}" ;;
	esac
done <"$WORK/play.out"
check "it was heard sample for sample" \
	"$TOOLS/g711cmp" --law a --min 7000 "$WORK/play/speech.wav" "$WORK/heard.al"
check "nothing is being played any more" test "$(tandem stats | field - get play.players)" = 0
check "no voice is left" test "$(tandem stats | field - get play.voices)" = 0
check "every packet has left" test "$(tandem stats | field - get play.lost)" = 0
check "no session is left" session_count_is 0
check "tandem stops when told to" relay_stops
tap_done
