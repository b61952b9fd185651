# A card, where a router has one.
ip link add eth0 type veth peer name eth0-far
ip link set eth0-far up
