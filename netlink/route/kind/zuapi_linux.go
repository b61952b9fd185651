package kind

// What golang.org/x/sys/unix lacks.

// include/uapi/linux/if_tunnel.h, Linux 6.12
const (
	iflaGRELink            = 1
	iflaGREIFlags          = 2
	iflaGREOFlags          = 3
	iflaGREIKey            = 4
	iflaGREOKey            = 5
	iflaGRELocal           = 6
	iflaGRERemote          = 7
	iflaGRETTL             = 8
	iflaGRETOS             = 9
	iflaGREPMTUDisc        = 10
	iflaGREEncapType       = 14
	iflaGREEncapFlags      = 15
	iflaGREEncapSport      = 16
	iflaGREEncapDport      = 17
	iflaGRECollectMetadata = 18
	iflaGREIgnoreDF        = 19
	iflaGREFWMark          = 20

	greCSUM = 0x8000
	greKEY  = 0x2000
	greSEQ  = 0x1000

	tunnelEncapFlagCSUM    = 1 << 0
	tunnelEncapFlagCSUM6   = 1 << 1
	tunnelEncapFlagREMCSUM = 1 << 2
)

// include/uapi/linux/veth.h, Linux 6.12
const vethInfoPeer = 1

// include/uapi/linux/if_vlan.h, Linux 6.12
const (
	vlanFlagReorderHdr    = 0x1
	vlanFlagGVRP          = 0x2
	vlanFlagLooseBinding  = 0x4
	vlanFlagMVRP          = 0x8
	vlanFlagBridgeBinding = 0x10
)

// include/uapi/linux/if_link.h, Linux 6.18
const (
	macvlanFlagNoPromisc = 1
	macvlanFlagNoDst     = 2

	iflaVXLANReservedBits = 33 // Linux 6.14

	iflaBondSlaveActorPortPrio       = 10
	iflaBondSlaveADChurnActorState   = 11
	iflaBondSlaveADChurnPartnerState = 12
)

// include/uapi/linux/if_bridge.h, enum br_boolopt_id, Linux 6.18: bits of IFLA_BR_MULTI_BOOLOPT
const (
	brBooloptNoLLLearn            = 1 << 0
	brBooloptMcastVLANSnooping    = 1 << 1
	brBooloptMSTEnable            = 1 << 2
	brBooloptMDBOffloadFailNotify = 1 << 3
	brBooloptFDBLocalVLAN0        = 1 << 4
)
