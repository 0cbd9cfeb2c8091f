# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts about several relays share: two of them, Redis, and parties.
#
#   parties 10.78.0.10, .11 ---+
#                              |
#   relay a 10.78.0.1   -------+--- hub: bridge 10.78.0.254, redis-server
#   relay b 10.78.0.2   -------+
#
#   10.78.0.100 is on relay a, and later on relay b.

. "$(dirname "${BASH_SOURCE[0]}")/calls.sh"
CALLS=${CALLS:-500}
SECURED=${SECURED:-20} # of them, with keys
VIP=10.78.0.100
REDIS_PORT=6379

hub_up()
{
	local n
	for n in hub parties a b; do
		ns_add "$n" || return 1
	done
	ip -n "$(ns_name hub)" link add br0 address 02:00:00:00:00:fe type bridge \
		forward_delay 0 || return 1 # of its own, as it would change with the ports
	ip -n "$(ns_name hub)" link set br0 up
	addr_add hub br0 10.78.0.254/24
	for n in parties a b; do
		link_add "$n" eth0 hub "to_$n" || return 1
		ip -n "$(ns_name hub)" link set "to_$n" master br0
		xdp_pass_on hub "to_$n" || return 1
	done
	addr_add parties eth0 10.78.0.10/24 10.78.0.11/24
	addr_add a eth0 10.78.0.1/24
	addr_add b eth0 10.78.0.2/24
	# as keepalived's manual says, for servers that listen at an address before it is theirs
	for n in a b; do
		ns_run "$n" sysctl -qw net.ipv4.ip_nonlocal_bind=1
	done
}

redis_start()
{
	ns_start hub "$WORK/redis.log" redis-server --port "$REDIS_PORT" --bind 10.78.0.254 --dir "$WORK" \
		--save "" --appendonly "${1:-no}" --requirepass secret
	REDIS_PID=$LAST_PID
	wait_for 5 redis ping
}

redis()
{
	ns_run hub redis-cli -h 10.78.0.254 -p "$REDIS_PORT" --no-auth-warning -a secret "$@"
}

redis_calls()
{
	[ "$(redis hlen "tandem:{$VIP}:calls")" = "$1" ]
}

# node_start NAME NUMBER: with an NG port at its own address, and SIP at the one that moves.
node_start()
{
	local node=$1 dir=$WORK/$1
	mkdir -p "$dir"
	echo secret >"$WORK/redis.password"
	cat >"$dir/tandem.yaml" <<-END
		datapath: ${DATAPATH:-auto}
		control_socket: $dir/control.sock
		database: $dir/tandem.db
		bpf_dir: $BPF_DIR/$node
		media:
		  addresses: [{address: $VIP, standby: true}]
		  interfaces: [eth0]
		  port_min: 16384
		  port_max: 20479
		  flow_capacity: 16384
		sip: {listen: ["udp:$VIP:5060"]}
		gateways: [{name: parties, uri: "sip:10.78.0.11:5070", options_s: 0}]
		routes: [{to: "*", domain: example.test, from: [any], via: [parties]}]
		ng: {listen: ["udp:10.78.0.$2:2223"], allow: [10.78.0.0/24]}
		cluster:
		  node: $node
		  redis: {server: "10.78.0.254:$REDIS_PORT", password_file: $WORK/redis.password}
	END
	ns_start "$node" "$WORK/tandem.log.$node" "$TANDEM" run -c "$dir/tandem.yaml"
	wait_for 60 on "$node" session list
}

# on NODE COMMAND...: the command line of that relay.
on()
{
	local node=$1
	shift
	timeout 5 "$TANDEM" "$@" --socket "$WORK/$node/control.sock" --json
}

# cluster_is NODE CONDITION...: of what it says of the cluster.
cluster_is()
{
	local node=$1
	shift
	on "$node" stats >"$WORK/stats.json" && field "$WORK/stats.json" has "$@"
}

sessions_on()
{
	[ "$(on "$1" session list | field - count)" = "$2" ]
}

vip_to()
{
	addr_add "$1" eth0 "$VIP/24"
	# what VRRP does: the others hear of it
	ns_run "$1" arping -q -c 2 -w 1 -U -I eth0 "$VIP" 2>/dev/null ||
		ip -n "$(ns_name parties)" neigh flush dev eth0
}

# calls_do COMMAND...: have the parties do it, and wait.
calls_do()
{
	echo "$*" >&7
	wait_for 60 grep -q "done $*" "$WORK/calls.log"
}

calls_begin()
{
	mkfifo "$WORK/calls.in"
	nsenter --net="/run/netns/$(ns_name parties)" "$PYTHON" "$NETNS/cluster.py" calls --ng 10.78.0.1:2223 --calls "$CALLS" --secured "$SECURED" \
		--caller 10.78.0.10 --callee 10.78.0.11 --pps 10 --report "$WORK/calls.json" \
		<"$WORK/calls.in" >"$WORK/calls.log" 2>&1 &
	CALLS_PID=$!
	exec 7>"$WORK/calls.in"
	wait_for 60 grep -qx up "$WORK/calls.log"
}
