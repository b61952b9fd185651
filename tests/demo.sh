#!/bin/sh
# Shows nlapply at work on examples/three-router-lab: plan, apply, a break, the
# repair, the end. All of it happens in network and mount namespaces of its own, as
# root or not, and goes with them; nothing is left, also after Ctrl-C.
set -eu

if [ "${1-}" != inside ]; then
	cd "$(dirname "$0")/.."
	for tool in go unshare nsenter mount ip ping; do
		command -v $tool >/dev/null || { echo "demo: there is no $tool" >&2; exit 1; }
	done
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	trap 'exit 130' INT TERM HUP
	CGO_ENABLED=0 go build -o "$tmp/nlapply" ./cmd/nlapply
	exec 3<"$tmp/nlapply" # held by the descriptor alone from now on
	rm -rf "$tmp"
	flags=-nm
	unshare $flags true 2>/dev/null || flags=-Urnm # as a user: root of a user namespace
	exec unshare $flags sh tests/demo.sh inside
fi

# Names of namespaces are files in /run/netns. Here they are files in memory that
# nobody else sees, as is the program.
mount -t tmpfs none /run
mkdir /run/bin
cat <&3 >/run/bin/nlapply
chmod +x /run/bin/nlapply
PATH=/run/bin:$PATH
cp examples/three-router-lab/net.yaml /run
cd /run

heading() { printf '\n# %s\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }
status() { # the exit status that the command must end with
	want=$1
	shift
	have=0
	run "$@" || have=$?
	[ $have = "$want" ] || { echo "demo: exit status $have, want $want" >&2; exit 1; }
}
from_h1() { nsenter --net=/run/netns/h1 "$@"; }

heading "h1 – r1 – r2 – r3 – h2: what there is to do (exit status 2: something)"
status 2 nlapply plan -f net.yaml

heading "Do it"
run nlapply -f net.yaml

heading "h1 reaches h2 through three routers"
run from_h1 ping -c 2 10.0.3.2

heading "Break a link, a route and an address"
run ip -n r1 link delete to-r2
run ip -n r3 route delete 10.0.1.0/24
run ip -n h2 address delete 10.0.3.2/24 dev eth0
status 1 from_h1 ping -c 1 -W 1 10.0.3.2

heading "The plan names what is missing, and what went with it"
status 2 nlapply plan -f net.yaml

heading "Put it back"
run nlapply -f net.yaml
run from_h1 ping -c 2 10.0.3.2

heading "Nothing is left to do (exit status 0)"
status 0 nlapply plan -f net.yaml

heading "Take it away: only what nlapply made goes, here everything"
run nlapply delete -f net.yaml
[ -z "$(ip netns list)" ]
