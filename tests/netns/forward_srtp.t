#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An encrypted stream to receivers that have keys of their own each, as an SFU would have it: what
# arrives is authenticated and decrypted, changed for each leg, and encrypted anew. libsrtp is at
# both ends. Through each datapath; one without SRTP leaves it to io_uring.
#
#   caller 10.77.1.2:4000 --SRTP-- [ relay: tandem ] --SRTP, SRTP, RTP-- callee 10.77.2.2:6000, 6002, 6004

. "$(dirname "$0")/forwards.sh"

COUNT=200

# key OCTETS SEED: inline, in base64
key()
{
	printf 'inline:%s' "$("$PYTHON" -c 'import base64, sys
print(base64.b64encode(bytes((int(sys.argv[2]) + 3 * i) % 256 for i in range(int(sys.argv[1])))).decode())' "$1" "$2")"
}

srtp()
{
	printf '"srtp": {"suite": "%s", "key": "%s"}' "$1" "$(key "$2" "$3")"
}

CM80=AES_CM_128_HMAC_SHA1_80
CM32=AES_CM_128_HMAC_SHA1_32

# document LEG2: the second leg's keys
document()
{
	cat <<-EOF
		{"from": "$SOURCE", "to": "10.77.1.1:16400", "payload_types": [{"pt": 0}],
		 $(srtp "$CM80" 30 1),
		 "out": [{"id": 1, "to": "10.77.2.2:6000", $(srtp "$CM32" 30 2),
		          "ssrc": ["0x11223344", "0x50000000"], "seq_offset": 100},
		         {"id": 2, "to": "10.77.2.2:6002", $1},
		         {"id": 3, "to": "10.77.2.2:6004"}]}
	EOF
}

passes()
{
	check "$DATAPATH: $1: receivers listen" receive_start room --keys "$WORK/room.doc" --count "$COUNT" || return
	check "$DATAPATH: $1: the sender sends" send --keys "$WORK/room.doc" --to 10.77.1.1:16400 \
		--count "$COUNT" --rtcp 50
	receive_wait
	check "$DATAPATH: $1: every leg can read its copies, and what they say is right" all_arrived room
	check "$DATAPATH: $1: so it can RTCP" field "$WORK/room.report" has 'legs.*.rtcp=4'
}

shows_no_key()
{
	tandem forward show room >"$WORK/shown" && tandem --help >/dev/null &&
		! grep -qe inline -e "$(key 30 1 | cut -c 8-)" "$WORK/shown" "$WORK/tandem.log" "$WORK/room.json"
}

forward_srtp()
{
	forward_begin
	check "$DATAPATH: a forward with keys" forward_set room < <(document "$(srtp "$CM80" 30 3)") || tap_done
	check "$DATAPATH: the relay knows its neighbour" neighbours_known
	passes "first"
	check "$DATAPATH: suites are shown" forward_has room "srtp=$CM80" "legs.0.srtp=$CM32" "legs.1.srtp=$CM80"
	check "$DATAPATH: keys are not" shows_no_key
	check "$DATAPATH: what is not encrypted is dropped" eval \
		'send --to 10.77.1.1:16400 --count 20 && forward_has room "dropped>=20"'
	check "$DATAPATH: the forward is removed" tandem forward remove room
	check "$DATAPATH: a new one, with the same keys" forward_set room < <(document "$(srtp "$CM80" 30 3)")
	passes "again"
	tap_note "$DATAPATH: offload: $(forward_offload room)"
	# the next datapath knows nothing of what these keys have sealed
	check "$DATAPATH: it ends" tandem forward remove room
}

test_begin 90
need_tandem
"$PYTHON" -c 'import pylibsrtp' 2>/dev/null || tap_skip_all "needs python3-pylibsrtp"
each_datapath forward_srtp
tap_done
