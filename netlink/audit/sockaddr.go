package audit

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A SockAddr is a socket address that a system call was given, or gave.
type SockAddr struct {
	// Family is AF_*.
	Family uint16
	// AddrPort is the address of AF_INET and AF_INET6, with the scope as a number in
	// its zone. The zero value means another family, or an address that is too short.
	AddrPort netip.AddrPort
	// Path is that of AF_UNIX, which begins with @ when it is in the abstract
	// namespace, as unix(7) shows it. Empty means another family, or an address
	// without a name.
	Path string
}

// SockAddr returns the address in a record of type AUDIT_SOCKADDR. It returns
// false for other types, and when saddr is not the hexadecimal digits of at least
// a family (kernel/auditsc.c, audit_log_exit). It is read in the byte order of
// this machine.
func (r Record) SockAddr() (SockAddr, bool) {
	digits, _ := r.Get("saddr")
	b, err := hex.DecodeString(digits)
	if r.Type != unix.AUDIT_SOCKADDR || err != nil || len(b) < 2 {
		return SockAddr{}, false
	}
	a := SockAddr{Family: binary.NativeEndian.Uint16(b)}
	switch a.Family {
	case unix.AF_INET:
		a.AddrPort = inetAddr(b)
	case unix.AF_INET6:
		a.AddrPort = inet6Addr(b)
	case unix.AF_UNIX:
		a.Path = unixPath(b[2:])
	}
	return a, true
}

// inetAddr reads struct sockaddr_in, include/uapi/linux/in.h.
func inetAddr(b []byte) netip.AddrPort {
	if len(b) < 8 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:])), binary.BigEndian.Uint16(b[2:]))
}

// inet6Addr reads struct sockaddr_in6, include/uapi/linux/in6.h. Its scope may be
// missing (RFC 2133).
func inet6Addr(b []byte) netip.AddrPort {
	if len(b) < 24 {
		return netip.AddrPort{}
	}
	addr := netip.AddrFrom16([16]byte(b[8:]))
	if len(b) >= 28 {
		if scope := binary.NativeEndian.Uint32(b[24:]); scope != 0 {
			addr = addr.WithZone(strconv.FormatUint(uint64(scope), 10))
		}
	}
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(b[2:]))
}

// unixPath reads sun_path: a path ends at its NUL, if it has one; an abstract name
// begins with a NUL, and has all other bytes.
func unixPath(b []byte) string {
	if len(b) > 0 && b[0] == 0 {
		return "@" + string(b[1:])
	}
	path, _, _ := strings.Cut(string(b), "\x00")
	return path
}
