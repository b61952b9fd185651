#!/bin/sh
# Shows nlapply at work: plan, apply, a ping across two namespaces, a break that
# is healed, and an empty plan. Everything happens in namespaces of its own, so
# it needs no root and changes nothing on this machine.
set -eu
if [ -z "${NLAPPLY_DEMO-}" ]; then
	cd "$(dirname "$0")/.."
	NLAPPLY_DEMO=$(mktemp -d)
	export NLAPPLY_DEMO
	trap 'rm -rf "$NLAPPLY_DEMO"' EXIT
	eval "$("${GO:-go}" run ./tests/fetch ip ping)"
	CGO_ENABLED=0 "${GO:-go}" build -o "$NLAPPLY_DEMO/nlapply" ./cmd/nlapply
	cp examples/two-hosts/net.yaml "$NLAPPLY_DEMO"
	unshare --user --map-root-user --net --mount --pid --fork --kill-child "$PWD/tests/demo.sh"
	exit
fi

say() { printf '\n\033[1m# %s\033[0m\n' "$*"; }
run() { # a command, its output and its exit status, which may be any
	printf '$ %s\n' "$*"
	status=0
	"$@" || status=$?
	[ $status = 0 ] || echo "(exit status $status)"
}
expect() {
	[ $status = "$1" ] || { echo "demo: expected exit status $1" >&2; exit 1; }
}

mount -t tmpfs tmpfs /run
cd "$NLAPPLY_DEMO"
PATH=$NLAPPLY_DEMO:$PATH

say "two hosts and a router between them, in one file"
run cat net.yaml
say "what would be done: nothing is changed, and the exit status is 2"
run nlapply plan -f net.yaml
expect 2
say "do it"
run nlapply -f net.yaml
expect 0
say "host a reaches host b through the router"
run ip netns exec a ping -c 2 -i 0.2 -W 2 10.2.0.2
expect 0
say "somebody breaks it: a route, an address and a link go"
run ip -n a route del default
run ip -n b addr flush dev eth0
run ip link set to-b down
run ip netns exec a ping -c 1 -W 1 10.2.0.2
[ $status != 0 ] || { echo "demo: still reachable" >&2; exit 1; }
say "heal it: only what is missing is put back"
run nlapply -f net.yaml
expect 0
run ip netns exec a ping -c 2 -i 0.2 -W 2 10.2.0.2
expect 0
say "nothing is left to do"
run nlapply plan -f net.yaml
expect 0
