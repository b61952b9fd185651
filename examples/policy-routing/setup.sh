# An uplink, a second one and the office's network, where a router has network cards.
for nic in eth0 eth1 eth2; do
	ip link add $nic type veth peer name $nic-far
	ip link set $nic-far up
done
