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
	cp examples/three-router-lab/net.yaml "$NLAPPLY_DEMO"
	unshare --user --map-root-user --net --mount --pid --fork --kill-child "$PWD/tests/demo.sh"
	exit
fi

bold=
plain=
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
	bold=$(printf '\033[1m')
	plain=$(printf '\033[0m')
fi
say() { printf '\n%s# %s%s\n' "$bold" "$*" "$plain"; }
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

say "two hosts, and three routers between them, in one file"
run cat net.yaml
say "what would be done: nothing is changed, and the exit status is 2"
run nlapply plan -f net.yaml
expect 2
say "do it"
run nlapply -f net.yaml
expect 0
say "host h1 reaches host h2 through the routers"
run ip netns exec h1 ping -c 2 -i 0.2 -W 2 10.0.3.2
expect 0
say "somebody breaks it: a route, an address and a link go"
run ip -n r2 route del 10.0.3.0/24
run ip -n h2 addr flush dev eth0
run ip -n r1 link set to-r2 down
run ip netns exec h1 ping -c 1 -W 1 10.0.3.2
[ $status != 0 ] || { echo "demo: still reachable" >&2; exit 1; }
say "heal it: only what is missing is put back"
run nlapply -f net.yaml
expect 0
run ip netns exec h1 ping -c 2 -i 0.2 -W 2 10.0.3.2
expect 0
say "nothing is left to do"
run nlapply plan -f net.yaml
expect 0
