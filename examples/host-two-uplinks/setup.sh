# Two uplinks, where a host has network cards.
for nic in eth0 eth1; do
	ip link add $nic type veth peer name $nic-far
	ip link set $nic-far up
done
