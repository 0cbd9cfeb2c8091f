# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The phones: sipp with the scenarios of tests/sip, and baresip. Sourced by lib.sh.

# ---- phones: sipp ---------------------------------------------------------

# sipp_run NS NAME SCENARIO TARGET OPTIONS...: in the foreground, bounded.
# Messages and logs stay in $WORK/NAME_*.log.
sipp_args()
{
	local name=$2 scenario=$3 target=$4 local_ip
	local ns=$1
	shift 4
	local_ip=$(phone_address "$ns" "$target")
	SIPP_ARGS=(sipp -sf "$SIP/$scenario.xml" -i "$local_ip" -mi "$local_ip"
		-nostdin -timeout "${SIPP_TIMEOUT:-30}s" -timeout_error
		-trace_err -error_file "$WORK/${name}_errors.log"
		-trace_msg -message_file "$WORK/${name}_messages.log"
		-trace_logs -log_file "$WORK/${name}_actions.log"
		-mp 6000 -key audio_port "${AUDIO_PORT:-6000}" -key expires 300
		-ap "${SIPP_PASSWORD:-secret}" -message_overwrite false "$target" "$@")
}

# phone_address NS TARGET: the phone's address of the target's family.
phone_address()
{
	local side=1
	[ "$1" = callee ] && side=2
	case $2 in
	*'['* | *:*:*) echo "fd77:$side::2" ;;
	*) echo "10.77.$side.2" ;;
	esac
}

sipp_run()
{
	local ns=$1
	sipp_args "$@"
	ns_run "$ns" "${SIPP_ARGS[@]}" >"$WORK/$2.out" 2>&1 </dev/null
}

# sipp_start: the same in the background; finish with sipp_wait PID.
sipp_start()
{
	local ns=$1
	sipp_args "$@"
	ns_start "$ns" "$WORK/$2.out" "${SIPP_ARGS[@]}"
}

# pid_wait PID: its exit status, bounded by its own timeout.
pid_wait()
{
	wait "$1"
}

# udp_bound NS PORT: something there listens on that UDP port.
udp_bound()
{
	ns_run "$1" ss -Hlun "sport = :$2" | grep -q .
}

tcp_bound()
{
	ns_run "$1" ss -Hltn "sport = :$2" | grep -q .
}

# register NS USER PORT TARGET [OPTIONS...]: its contact is the phone's PORT, with the q REG_Q.
register()
{
	sipp_run "$1" "reg_$2" register "$4" -s "$2" -p "$(($3 + 1000))" -m 1 \
		-key contact_port "$3" -key q "${REG_Q:-1.0}" "${@:5}"
}

# relay_media NAME: "address port" tandem offered to the sipp called NAME.
relay_media()
{
	awk '$1 == "media" { a = $2; p = $3 } END { if (p) print a, p; exit !p }' \
		"$WORK/${1}_actions.log"
}

# ---- phones: baresip ------------------------------------------------------

# phone_start NS USER: a baresip in $WORK/USER, its events in $WORK/USER.events.
# PHONE_TRANSPORT udp|tcp|tls, PHONE_CONFIG (further lines of its configuration), PHONE_FAMILY 4|6, PHONE_ANSWER manual|auto|early,
# PHONE_DOMAIN, PHONE_OUTBOUND, PHONE_REGINT, PHONE_PASSWORD, PHONE_MUX yes|no, PHONE_MEDIAENC,
# PHONE_MEDIANAT override what it says, the last two also as PHONE_MEDIAENC_USER for one phone.
# WAVS is a directory with sound (USER.wav) that was made before, for a slow machine.
phone_start()
{
	local ns=$1 user=$2 dir=$WORK/$2 ip proxy f side=1 enc nat mux=no
	[ "$ns" = callee ] && side=2
	ip=10.77.$side.2
	proxy=10.77.$side.1
	if [ "${PHONE_FAMILY:-4}" = 6 ]; then
		ip="[fd77:$side::2]"
		proxy="[fd77:$side::1]"
	fi
	enc=PHONE_MEDIAENC_$user nat=PHONE_MEDIANAT_$user
	enc=${!enc-${PHONE_MEDIAENC:-}} nat=${!nat-${PHONE_MEDIANAT:-}}
	# ICE for one component, as in WebRTC, unless two are wanted
	[ -z "$nat" ] || mux=${PHONE_MUX:-yes}
	mkdir -p "$dir"
	for f in config accounts; do
		sed -e "s|@LISTEN@|$ip:5060|" -e "s|@WAV@|$WORK/$user.wav|" -e "s|@DIR@|$dir|" \
			-e "s|@RTP_PORTS@|10000-10100|" -e "s|@USER@|$user|g" \
			-e "s|@DOMAIN@|${PHONE_DOMAIN:-example.test}|" \
			-e "s|@TRANSPORT@|${PHONE_TRANSPORT:-udp}|" \
			-e "s|@OUTBOUND@|${PHONE_OUTBOUND-sip:$proxy;transport=${PHONE_TRANSPORT:-udp}}|" \
			-e "s|@REGINT@|${PHONE_REGINT:-60}|" -e "s|@PASSWORD@|${PHONE_PASSWORD:-secret}|" \
			-e "s|@MEDIAENC@|${enc:+;mediaenc=$enc}${nat:+;medianat=$nat}|" \
			-e "s|@MUX@|$mux|" -e "s|@ANSWER@|${PHONE_ANSWER:-manual}|" "$SIP/baresip/$f.in" >"$dir/$f"
	done
	[ -z "${PHONE_CONFIG:-}" ] || printf '%s\n' "$PHONE_CONFIG" >>"$dir/config"
	[ -e "$WORK/$user.wav" ] || cp "${WAVS:-$WORK}/$user.wav" "$WORK/" 2>/dev/null ||
		tone_wav "$WORK/$user.wav"
	ns_start "$ns" "$WORK/$user.log" baresip -f "$dir" -v
	PHONE_PID=$LAST_PID
	wait_for 10 tcp_bound "$ns" 4444 || return 1
	mkfifo "$dir/commands"
	ns_start "$ns" "$dir/driver.log" "$PYTHON" "$NETNS/baresip.py" "$dir/commands" \
		"$WORK/$user.events"
	wait_for 5 grep -q ATTACHED "$WORK/$user.events"
}

# phone USER COMMAND [PARAMS]: one baresip command, through the phone's driver.
phone()
{
	local user=$1
	shift
	echo "$*" >"$WORK/$user/commands"
}

# phone_event USER SECONDS EVENT: that event has happened, at any time so far.
phone_event()
{
	wait_for "$2" grep -q "^$3" "$WORK/$1.events"
}

# phone_registered USER SECONDS: its REGISTER was accepted, maybe before the driver came.
phone_registered()
{
	wait_for "$2" grep -Eq "$1@.*200 OK" "$WORK/$1.log"
}

# heard USER: the recording of what USER's phone decoded last.
heard()
{
	ls -t "$WORK/$1"/dump-*-dec.wav 2>/dev/null | head -n 1
}

# tone_wav FILE [SECONDS]: sound that never repeats, 8 kHz, 16 bits, mono. Samples
# are odd: G.711 encoders disagree on values exactly between two steps.
tone_wav()
{
	"$PYTHON" - "$1" "${2:-20}" <<-'EOF'
		import math, random, struct, sys, wave
		random.seed(sys.argv[1])
		with wave.open(sys.argv[1], "wb") as w:
		    w.setparams((1, 2, 8000, 0, "NONE", ""))
		    n = int(float(sys.argv[2]) * 8000)
		    w.writeframes(b"".join(struct.pack("<h", int(
		        9000 * math.sin(i * (0.2 + i * 1e-6)) + random.randint(-3000, 3000)) | 1)
		        for i in range(n)))
	EOF
}
