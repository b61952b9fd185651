#!/bin/sh
# Shows nlapply at work on examples/three-router-lab: plan, apply, a ping from end
# to end, a break and its repair, the end. All of it happens in namespaces of its
# own, as root or not, and goes with them; nothing is left, also after Ctrl-C.
set -eu

if [ "${1-}" != inside ]; then
	cd "$(dirname "$0")/.."
	eval "$("${GO:-go}" run ./tests/fetch ip ping)"
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	trap 'exit 130' INT TERM HUP
	CGO_ENABLED=0 "${GO:-go}" build -o "$tmp/nlapply" ./cmd/nlapply
	exec 3<"$tmp/nlapply" # held by the descriptor alone from now on
	rm -rf "$tmp"
	flags=-nm
	unshare $flags true 2>/dev/null || flags=-Urnm # as a user: root of a user namespace
	exec unshare $flags sh tests/demo.sh inside
fi

# Names of namespaces are files in /run/netns. Here they are files in memory that
# nobody else sees, and so is the program.
mount -t tmpfs none /run
mkdir /run/bin
cat <&3 >/run/bin/nlapply
chmod +x /run/bin/nlapply
PATH=/run/bin:$PATH
cp examples/three-router-lab/net.yaml /run
cd /run

say() { printf '\n# %s\n' "$*"; }
run() { # run STATUS COMMAND...: the exit status that it must end with
	want=$1
	shift
	printf '$ %s\n' "$*"
	have=0
	"$@" || have=$?
	[ $have = 0 ] || echo "(exit status $have)"
	[ $have = "$want" ] || { echo "demo: expected exit status $want" >&2; exit 1; }
}
h1="nsenter --net=/run/netns/h1"

say "two hosts, and three routers between them, in one file"
run 0 cat net.yaml
say "what is to be done; nothing is changed"
run 2 nlapply plan -f net.yaml
say "do it"
run 0 nlapply -f net.yaml
say "host h1 reaches host h2 through the routers"
run 0 $h1 ping -c 2 10.0.3.2
say "somebody breaks it: a link, a route and an address go"
run 0 ip -n r1 link delete to-r2
run 0 ip -n r3 route delete 10.0.1.0/24
run 0 ip -n h2 address delete 10.0.3.2/24 dev eth0
run 1 $h1 ping -c 1 -W 1 10.0.3.2
say "the plan names what is missing, and what went with it"
run 2 nlapply plan -f net.yaml
say "heal it"
run 0 nlapply -f net.yaml
run 0 $h1 ping -c 2 10.0.3.2
say "nothing is left to do"
run 0 nlapply plan -f net.yaml
say "take it away: what nlapply made goes, here everything"
run 0 nlapply delete -f net.yaml
[ -z "$(ip netns list)" ]
