# Two uplinks to the spines and a port for a server, where a leaf has network cards.
for nic in eth0 eth1 eth2; do
	ip link add $nic type veth peer name $nic-far
	ip link set $nic-far up
done
