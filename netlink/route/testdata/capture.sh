#!/bin/bash
# Writes what iproute2 sends and what the kernel answers into the *.txt beside
# it, or into another directory. Needs iproute2, strace, unshare and user
# namespaces; little endian. vlan.txt needs a kernel with VLAN filtering: the one
# here is from Debian's 6.12 in a virtual machine.
#
#	./capture.sh [DIR]
set -eu
dir=${1-$(dirname "$0")}
if [ "${2-}" != inside ]; then
	exec unshare -Urnm "$0" "$dir" inside
fi
cd "$dir"
trace=$(mktemp)
trap 'rm -f "$trace"' EXIT

# hex prints the datagrams of a trace that begin with a message whose type (and
# family, when given) matches: ">" sent, "<" received, then the bytes.
hex() {
	awk -v want="$1" -v type="$2" -v family="${3-}" '
	function flush() {
		if (dir == want && substr(bytes, 9, 2) ~ "^(" type ")$" &&
		    (family == "" || substr(bytes, 33, 2) == family)) {
			print dir
			for (; bytes != ""; bytes = substr(bytes, 65))
				print substr(bytes, 1, 64)
		}
		bytes = ""
		dir = ""
	}
	/^send/ { flush(); dir = ">" }
	/^recv/ { flush(); dir = "<" }
	/^ \| [0-9a-f]+  / { line = substr($0, 11, 49); gsub(/ /, "", line); bytes = bytes line }
	END { flush() }' "$trace" | grep -v '^$' || true
}

# quiet does a command that is only the set-up of the next.
quiet() { "$@" >/dev/null; }

# run does a command under strace.
run() {
	strace -o "$trace" -e trace=sendmsg,sendto,recvmsg -e write=3,4,5 -e read=3,4,5 "$@" >/dev/null ||
		echo "refused: $*" >&2 # what was sent is still worth having
}

# sent appends to a file what a command sends, without its requests for objects.
sent() {
	local file=$1
	shift
	run "$@"
	{
		echo "# $*"
		hex '>' '1[013]|1[45]|1[89]|1[cd]|2[01]|6[cd]' # new and del of all, set of links
		echo
	} >>"$file"
}

# shown appends to a file what a command receives of one type.
shown() {
	local file=$1 type=$2 family=$3
	shift 3
	run "$@"
	{
		echo "# $*"
		hex '<' "$type" "$family"
		echo
	} >>"$file"
}

for f in link addr route rule neigh vlan; do
	echo "# Linux $(uname -r | sed 's/[-+].*//'), $(ip -V | sed 's/.*, \(iproute2-[0-9.]*\),.*/\1/'). Written by capture.sh." >$f.txt
	echo >>$f.txt
done

quiet ip link set lo up
sent link.txt ip link add v0 numtxqueues 2 numrxqueues 2 type veth peer name v1
sent link.txt ip link set v0 up
sent link.txt ip link set v0 mtu 1400 txqueuelen 77 group 5 alias uplink
sent link.txt ip link set v0 address 02:00:00:00:00:01
sent link.txt ip link set v1 addrgenmode none
sent link.txt ip link set v1 up promisc on
sent link.txt ip link property add dev v0 altname nlapply:edge:110:00112233aabbccdd
sent link.txt ip link add br0 mtu 1450 type bridge ageing_time 1000
sent link.txt ip link set v1 master br0
sent link.txt ip link set dev v1 type bridge_slave cost 50 learning off
sent link.txt ip link add vx0 address 02:00:00:00:00:99 type vxlan id 100 local 192.0.2.1 dstport 4789 dev v0
sent link.txt ip link add name ifb7 index 77 type ifb
sent link.txt ip link set ifb7 name ifb8
shown link.txt 10 '' ip -d link show
sent link.txt ip link property del dev v0 altname nlapply:edge:110:00112233aabbccdd
sent link.txt ip link set v1 nomaster
sent link.txt ip link del ifb8

quiet ip link set br0 up
quiet ip link set vx0 up
sent addr.txt ip addr add 192.0.2.2/24 brd + dev v0 label v0:a metric 50
sent addr.txt ip addr add 192.0.2.3/24 dev v0 valid_lft 3600 preferred_lft 1800
sent addr.txt ip addr add 10.0.0.1 peer 10.0.0.2/32 dev v0 scope link
sent addr.txt ip addr add 2001:db8::2/64 dev v0 nodad noprefixroute
sent addr.txt ip addr add 2001:db8::3/64 dev v0 nodad preferred_lft 0
sent addr.txt ip addr add 2001:db8:1::1 peer 2001:db8:1::2/128 dev v0 nodad
shown addr.txt 14 '' ip addr show
sent addr.txt ip addr del 192.0.2.3/24 dev v0

sent route.txt ip route add default via 192.0.2.1
sent route.txt ip route add 10.1.0.0/24 via 192.0.2.9 dev v0 src 192.0.2.2 metric 50 proto 110
sent route.txt ip route add 10.2.0.0/16 dev v0 table 1000 scope link
sent route.txt ip route add 10.3.0.0/16 table 100 nexthop via 192.0.2.9 dev v0 weight 3 nexthop via 192.0.2.10 dev v0 weight 256
sent route.txt ip route add 10.4.0.0/16 via 192.0.2.9 mtu lock 1400 advmss 1360 hoplimit 10 congctl reno rtt 20ms
sent route.txt ip route add 10.5.0.0/16 via inet6 2001:db8::9 dev v0
sent route.txt ip route add 10.6.0.0/16 via 198.51.100.1 dev v0 onlink realms 3/4
sent route.txt ip route add tos 0x10 10.7.0.0/16 via 192.0.2.9
sent route.txt ip route add blackhole 10.8.0.0/16 metric 4000
sent route.txt ip route add unreachable 2001:db8:8::/48
sent route.txt ip route add 10.9.0.0/16 encap ip id 7 dst 203.0.113.1 via 192.0.2.9
sent route.txt ip route add default via 2001:db8::1 dev v0 pref high
sent route.txt ip route add 2001:db8:2::/48 nexthop via 2001:db8::9 dev v0 nexthop via 2001:db8::a dev v0 weight 5
sent route.txt ip route add 2001:db8:3::/48 via 2001:db8::9 dev v0 expires 600 mtu 1300
sent route.txt ip route add 2001:db8:4::/48 from 2001:db8:5::/48 via 2001:db8::9 dev v0
sent route.txt ip nexthop add id 10 via 192.0.2.9 dev v0
sent route.txt ip route add 10.10.0.0/16 nhid 10
shown route.txt 18 '' ip -4 route show table all
shown route.txt 18 '' ip -6 route show table all
sent route.txt ip route del 10.1.0.0/24 metric 50

sent rule.txt ip rule add pref 100 from 203.0.113.0/24 fwmark 0x10/0xff lookup 100 protocol 110
sent rule.txt ip rule add pref 110 not from all iif v0 ipproto tcp dport 443 lookup main suppress_prefixlength 0
sent rule.txt ip rule add pref 120 to 10.0.0.0/8 oif gone tos 0x10 sport 1000-2000 uidrange 0-0 lookup 1000
sent rule.txt ip rule add pref 130 fwmark 7 goto 200
sent rule.txt ip rule add pref 140 tun_id 5000000000 lookup 100 realms 1/2
sent rule.txt ip rule add pref 150 l3mdev
sent rule.txt ip rule add pref 160 from 198.51.100.7 blackhole
sent rule.txt ip rule add pref 170 suppress_ifgroup 5 lookup main
sent rule.txt ip -6 rule add pref 180 to 2001:db8::/32 prohibit
shown rule.txt 20 '' ip -4 rule show
shown rule.txt 20 '' ip -6 rule show
sent rule.txt ip rule del pref 100

sent neigh.txt ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev v0 protocol 110
sent neigh.txt ip neigh add 2001:db8::9 lladdr 02:00:00:00:00:09 dev v0 router
sent neigh.txt ip neigh add proxy 192.0.2.77 dev v0
sent neigh.txt bridge fdb append 00:00:00:00:00:00 dev vx0 dst 192.0.2.3 port 8472 vni 200 via v0
sent neigh.txt bridge fdb append 00:00:00:00:00:00 dev vx0 dst 2001:db8::3
quiet ip link set v1 master br0
sent neigh.txt bridge fdb add 02:00:00:00:00:55 dev v1 master static
sent neigh.txt bridge fdb add 02:00:00:00:00:56 dev v1 master sticky static
shown neigh.txt 1c '' ip neigh show
shown neigh.txt 1c '' ip neigh show proxy
shown neigh.txt 1c '' bridge fdb show
sent neigh.txt ip neigh del 192.0.2.9 dev v0

sent vlan.txt bridge vlan add dev v1 vid 10 pvid untagged
sent vlan.txt bridge vlan add dev v1 vid 20-29
sent vlan.txt bridge vlan add dev br0 vid 20 self
shown vlan.txt 10 07 bridge vlan show
sent vlan.txt bridge vlan del dev v1 vid 25
