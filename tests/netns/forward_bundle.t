#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Several SSRCs on one port, each with a rule of its own: one forwarded and renumbered, one to two
# receivers, one muted, the rest as "out" says; header extension ids; G.711 in both directions;
# through each datapath.
#
#   caller 10.77.1.2:4000 ---- [ relay: tandem ] ---- callee 10.77.2.2
#          SSRC 1  ----------------- 0x1001 -------->  :6000
#          SSRC 2  ----------------- 2 ------------->  :6002, :6004
#          SSRC 3  ----- muted
#          SSRC 4  ----------------- 4 ------------->  :6006  ("out")

. "$(dirname "$0")/forwards.sh"

COUNT=100

bundle_document()
{
	cat <<-EOF
		{"from": "$SOURCE", "to": "10.77.1.1:16400", "payload_types": [{"pt": 0}],
		 "out": [{"to": "10.77.2.2:6006"}],
		 "ssrc": [
		  {"ssrc": 1, "out": [{"to": "10.77.2.2:6000", "ssrc": "0x1001", "seq_offset": -40000,
		                       "extensions": {"3": 7}}]},
		  {"ssrc": "0x2", "out": [{"to": "10.77.2.2:6002", "extensions": {"3": 4, "4": 3}},
		                          {"to": "10.77.2.2:6004"}]},
		  {"ssrc": 3, "out": []}],
		 "rtcp_out": []}
	EOF
}

# law PT LAW: the whole of a stream in one law to two receivers, one of which wants the other.
law()
{
	forward_set law <<-EOF || return 1
		{"from": "$SOURCE", "to": "10.77.1.1:16400", "payload_types": [{"pt": 0}, {"pt": 8}],
		 "out": [{"to": "10.77.2.2:6000", "g711": "$2"}, {"to": "10.77.2.2:6002"}]}
	EOF
	receive_start law --count "$COUNT" --pt "$1" || return 1
	send --to 10.77.1.1:16400 --count "$COUNT" --pt "$1" || return 1
	receive_wait
	all_arrived law
}

forward_bundle()
{
	forward_begin
	check "$DATAPATH: rules for single SSRCs" forward_set bundle < <(bundle_document) || tap_done
	check "$DATAPATH: the relay knows its neighbour" neighbours_known
	check "$DATAPATH: receivers listen" receive_start bundle --count "$COUNT" --ssrcs 1,2,3,4 \
		--extension || return
	check "$DATAPATH: the sender sends four SSRCs" send --to 10.77.1.1:16400 --count "$COUNT" \
		--ssrcs 1,2,3,4 --extension
	receive_wait
	check "$DATAPATH: each SSRC goes where its rule says, as it says" all_arrived bundle
	check "$DATAPATH: each leg has one stream" field "$WORK/bundle.report" has \
		"legs.*.received=$COUNT"
	check "$DATAPATH: the muted one is counted" forward_has bundle \
		"packets=$((3 * COUNT))" "legs.*.packets=$COUNT" "streams.*.packets=$COUNT" \
		'streams.*.lost=0' "dropped>=$COUNT"
	check "$DATAPATH: an SSRC without a rule, and no \"out\"" eval \
		'bundle_document | sed "/^ *\"out\": \[{\"to\": \"10.77.2.2:6006\"}\],/d" | forward_set bundle'
	send --to 10.77.1.1:16400 --count 10 --ssrcs 1,9 --extension
	check "$DATAPATH: it is not forwarded, and said why" eval \
		'tandem stats | grep -q "\"unknown_ssrc\":"'
	check "$DATAPATH: the bundle is removed" tandem forward remove bundle
	check "$DATAPATH: u-law becomes A-law" law 0 pcma
	check "$DATAPATH: A-law becomes u-law" law 8 pcmu
	check "$DATAPATH: what is A-law already stays" law 8 pcma
	check "$DATAPATH: the forward is removed" tandem forward remove law
	tap_note "$DATAPATH: $(tandem stats)"
}

test_begin 180
need_tandem
each_datapath forward_bundle
tap_done
