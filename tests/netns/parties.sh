# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Phones that know what they should hear (rtp_party.py), and those that attack their media
# (rtp_attack.py). Sourced in addition to calls.sh.

declare -A PARTY

# party_start NS NAME OPTIONS...: a phone; its output in NAME.out, its report in NAME.json.
party_start()
{
	local ns=$1 name=$2
	shift 2
	rm -f "$WORK/$name.json" "$WORK/$name.out"
	ns_start "$ns" "$WORK/$name.out" "$PYTHON" -u "$NETNS/rtp_party.py" --user "$name" \
		--report "$WORK/$name.json" "$@"
	PARTY[$name]=$LAST_PID
}

# party_is NAME ready|answered|reinvited: it has said so.
party_is()
{
	grep -q "^$2" "$WORK/$1.out" 2>/dev/null
}

# party_ended NAME: its exit status, with what it has said if that is bad.
party_ended()
{
	pid_wait "${PARTY[$1]}" || {
		cat "$WORK/$1.out"
		return 1
	}
}

# relay_of NAME: where the relay takes that phone's media.
relay_of()
{
	awk '$1 == "answered" { print $2 ":" $3 }' "$WORK/$1.out"
}

# party_heard NAME SSRC EXPRESSION...: it has heard this SSRC and no other, nothing from
# elsewhere, no goodbye, and of its stream s and its report r the Python expressions hold.
party_heard()
{
	"$PYTHON" - "$WORK/$1.json" "${@:2}" <<-'EOF'
		import json, sys
		r = json.load(open(sys.argv[1]))
		print(r)
		s = r["streams"].get(sys.argv[2])
		good = list(r["streams"]) == [sys.argv[2]] and set(r["rtcp"]) <= {sys.argv[2]}
		good = good and not (r["strangers"] or r["unreadable"] or r["byes"] or s["bad"])
		sys.exit(not good or not all(eval(e, {"r": r, "s": s}) for e in sys.argv[3:]))
	EOF
}

# any_session CONDITION...: one of the sessions fulfils them all.
any_session()
{
	local id
	for id in $(session_ids); do
		if session_save "$WORK/any.json" "$id" && field "$WORK/any.json" has "$@"; then
			return 0
		fi
	done
	return 1
}

# attack_start NS NAME OPTIONS...: in the background; its report in NAME.json.
attack_start()
{
	ns_start "$1" "$WORK/$2.json" "$PYTHON" "$NETNS/rtp_attack.py" "${@:3}"
}

# attack NS OPTIONS...: to its end; its report in attack.json.
attack()
{
	ns_run "$1" "$PYTHON" "$NETNS/rtp_attack.py" "${@:2}" >"$WORK/attack.json"
}

# counted LEAST REASON...: the datapaths together have counted these so often.
counted()
{
	tandem stats | "$PYTHON" -c '
import json, sys
stats = json.load(sys.stdin)
n = sum(stats.get(path, {}).get(reason, 0) for path in ("fast", "slow") for reason in sys.argv[2:])
print(n)
sys.exit(n < int(sys.argv[1]))' "$@"
}
