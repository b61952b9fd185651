package netlink

// Constants that golang.org/x/sys/unix lacks.

// include/uapi/linux/netlink.h, v6.12, enum nlmsgerr_attrs.
const (
	nlmsgerrAttrPolicy   = 4 // NLMSGERR_ATTR_POLICY, v5.10
	nlmsgerrAttrMissType = 5 // NLMSGERR_ATTR_MISS_TYPE, v6.1
	nlmsgerrAttrMissNest = 6 // NLMSGERR_ATTR_MISS_NEST, v6.1
)
