#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two relays that have their registrations in common by Redis: who registers at one is called by way of
# the other. The topology is that of cluster.sh; the phones are in location.py.

. "$(dirname "$0")/cluster.sh"

# node_start NAME NUMBER: SIP at its own address and at the one that moves; nobody calls unasked.
node_start()
{
	local node=$1 dir=$WORK/$1
	mkdir -p "$dir"
	echo secret >"$WORK/redis.password"
	cat >"$dir/tandem.yaml" <<-END
		datapath: uring
		control_socket: $dir/control.sock
		database: $dir/tandem.db
		media:
		  addresses: [{address: 10.78.0.$2}, {address: $VIP, standby: true}]
		  port_min: 16384
		  port_max: 16483
		sip:
		  listen: ["udp:10.78.0.$2:5060", "tcp:10.78.0.$2:5060", "udp:$VIP:5060"]
		  domains: [example.test]
		  auth: required
		  trusted: [10.78.0.10/32]
		cluster:
		  node: $node
		  location: true
		  redis: {server: "10.78.0.254:$REDIS_PORT", user: tandem, password_file: $WORK/redis.password}
	END
	ns_start "$node" "$WORK/tandem.log.$node" "$TANDEM" run -c "$dir/tandem.yaml"
	wait_for 60 on "$node" session list
}

# A user that may do what docs/cluster.md says, and no more.
redis_user()
{
	redis_start && redis acl setuser tandem on '>secret' '~tandem:*' -@all +auth +select +eval +get +set +hset +hdel +hscan +expire \
		+hkeys +xadd +xread +xrevrange
}

# redis_has_only KEY...: behind the prefix; beside those of the address that moves.
redis_has_only()
{
	[ "$(redis keys '*' | grep -v "{$VIP}" | sort)" = "$(printf 'tandem:%s\n' "$@" | sort)" ]
}

# registered NODE COUNT
registered()
{
	[ "$(on "$1" registrations | "$PYTHON" -c 'import json, sys; print(len(json.load(sys.stdin)["registrations"]))')" = "$2" ]
}

# What b has of him.
bob_is_at()
{
	on b registrations | "$PYTHON" -c '
import json, sys
print([r for r in json.load(sys.stdin)["registrations"] if r["aor"] == "sip:bob@example.test"][0]["local"])' | grep -qxF "$1"
}

phones_begin()
{
	mkfifo "$WORK/phones.in"
	"$PYTHON" "$NETNS/location.py" "$(ns_name parties)" <"$WORK/phones.in" >"$WORK/phones.log" 2>&1 &
	PHONES_PID=$!
	exec 8>"$WORK/phones.in"
}

# phones COMMAND...: have them do it.
phones()
{
	local before
	before=$(wc -l <"$WORK/phones.log")
	echo "$*" >&8
	wait_for 30 phones_answered "$before" && tail -n 1 "$WORK/phones.log" | tee "$WORK/check.out" | grep -q "^done "
}
phones_answered() { [ "$(wc -l <"$WORK/phones.log")" -gt "$1" ]; }

A=10.78.0.1
B=10.78.0.2
test_begin 180 redis-server redis-cli
need_tandem
hub_up || tap_bail "topology"
check "Redis runs" redis_user || tap_done
check "relay a runs" node_start a 1 || tap_done
RELAY_A_PID=$LAST_PID
check "relay b runs" node_start b 2 || tap_done
check "they know of each other" wait_for 10 cluster_is a location.state=shared location.nodes.b=alive
check "both of them" wait_for 10 cluster_is b location.state=shared location.nodes.a=alive
phones_begin

check "bob, behind a NAT, registers at a" phones register bob $A
check "carol registers at b, by TCP" phones register carol $B
check "dave registers at b" phones register dave $B
check "a knows of all" wait_for 5 registered a 3
check "b, too" wait_for 5 registered b 3
check "bob is called by way of b" phones call alice $B bob
check "carol is called by way of a" phones call alice $A carol
check "dave is called by way of a" phones call alice $A dave
check "bob is called by way of a" phones call alice $A bob
check "no key but those of the page is there" redis_has_only '{location}' '{location}:log' '{location}:secret' || tap_note "$(redis keys '*')"
check "no session is left at a" sessions_on a 0
check "nor at b" sessions_on b 0
check "who pretends to be a relay is asked for credentials" phones forge mallory $A bob
check "and nobody hears of it" phones silent bob

check "dave registers at a, having been at b" phones register dave $A
check "b's is replaced, at b" wait_for 5 registered b 3
check "and at a" registered a 3
check "he is called by way of b" phones call alice $B dave
check "he rings once" phones silent dave
check "he unregisters at b, being at a" phones unregister dave $B
check "a has forgotten him" wait_for 5 registered a 2
check "b, too" wait_for 5 registered b 2
check "he cannot be called any more" phones refused alice $A dave 480

stop_pid "$REDIS_PID" KILL
check "without Redis a says so" wait_for 10 cluster_is a location.state=waiting
check "bob is called by way of b all the same" phones call alice $B bob
check "dave registers at a meanwhile" phones register dave $A
check "Redis comes back, with nothing in it" redis_user
check "b hears of dave" wait_for 15 registered b 3
check "and is heard of" wait_for 15 cluster_is a location.state=shared location.nodes.b=alive
check "he is called by way of b" phones call alice $B dave
check "carol is called by way of a once more" phones call alice $A carol

vip_to a
check "the address that moves is at a" wait_for 5 cluster_is a cluster.addresses.0.state=owner
check "bob registers there" phones register bob $VIP
check "b knows" wait_for 5 bob_is_at "$VIP:5060"
stop_pid "$RELAY_A_PID" KILL
ip -n "$(ns_name a)" addr del $VIP/24 dev eth0
check "a is missed" wait_for 30 cluster_is b location.nodes.a=gone
vip_to b
check "the address is at b" wait_for 10 cluster_is b cluster.addresses.0.state=owner
check "bob is called by b, from the address that he knows" phones call alice $B bob
check "dave, whom a had, is called where he is" phones answers dave $B
check "and answers" phones call alice $B dave
check "relay a comes back" node_start a 1
check "and has dave as before" wait_for 10 registered a 3
check "they know of each other" wait_for 15 cluster_is b location.nodes.a=alive
check "dave is called by way of b" eval 'phones answers dave $A && phones call alice $B dave'
check "Redis has refused nothing" cluster_is b location.errors=0 location.refused=0
kill -TERM "$PHONES_PID"
while read -r line; do tap_note "$line"; done < <(grep ^failed "$WORK/phones.log")
tap_done
