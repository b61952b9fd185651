package spec

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// HardwareAddr is a link-layer address. nil is none.
type HardwareAddr []byte

// String returns the address as iproute2 writes it: four octets, which only
// tunnels over IPv4 have, as an IPv4 address, others as hexadecimal pairs.
func (a HardwareAddr) String() string {
	if len(a) == 4 {
		return netip.AddrFrom4([4]byte(a)).String()
	}
	const digits = "0123456789abcdef"
	b := make([]byte, 0, 3*len(a))
	for i, c := range a {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, digits[c>>4], digits[c&15])
	}
	return string(b)
}

// ParseHardwareAddr reads what String writes.
func ParseHardwareAddr(s string) (HardwareAddr, error) {
	if strings.Contains(s, ".") {
		ip, err := netip.ParseAddr(s)
		if err != nil || !ip.Is4() {
			return nil, fmt.Errorf("%q is no hardware address", s)
		}
		b := ip.As4()
		return b[:], nil
	}
	var a HardwareAddr
	for pair := range strings.SplitSeq(s, ":") {
		n, err := strconv.ParseUint(pair, 16, 8)
		if err != nil || len(pair) > 2 {
			return nil, fmt.Errorf("%q is no hardware address, want pairs of hexadecimal digits like 02:00:00:00:00:01", s)
		}
		a = append(a, byte(n))
	}
	// MAX_ADDR_LEN is 32; in use are 6 (Ethernet), 8 (IEEE 1394, 802.15.4), 16 (tunnels over IPv6) and 20 (InfiniBand).
	switch len(a) {
	case 6, 8, 16, 20:
		return a, nil
	}
	return nil, errors.New(strconv.Quote(s) + " has " + strconv.Itoa(len(a)) + " octets, an Ethernet address has 6")
}
