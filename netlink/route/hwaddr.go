package route

import (
	"bytes"
	"encoding/hex"
	"fmt"
)

// A HardwareAddr is a link-layer address of any length; nil is none.
type HardwareAddr []byte

// ParseHardwareAddr reads pairs of hexadecimal digits with colons or dashes
// between them: 02:00:5e:10:00:01.
func ParseHardwareAddr(s string) (HardwareAddr, error) {
	if len(s)%3 != 2 || len(s) > 3*32-1 {
		return nil, fmt.Errorf("%q is not a link-layer address", s)
	}
	a := make(HardwareAddr, len(s)/3+1)
	for i := range a {
		if _, err := hex.Decode(a[i:i+1], []byte(s[3*i:3*i+2])); err != nil {
			return nil, fmt.Errorf("%q is not a link-layer address", s)
		}
		if i > 0 && (s[3*i-1] != s[2] || s[2] != ':' && s[2] != '-') {
			return nil, fmt.Errorf("%q is not a link-layer address", s)
		}
	}
	return a, nil
}

// String returns the address as iproute2 prints it: 02:00:5e:10:00:01.
func (a HardwareAddr) String() string {
	const digits = "0123456789abcdef"
	if len(a) == 0 {
		return ""
	}
	s := make([]byte, 0, 3*len(a)-1)
	for i, b := range a {
		if i > 0 {
			s = append(s, ':')
		}
		s = append(s, digits[b>>4], digits[b&15])
	}
	return string(s)
}

// Equal tells whether both have the same bytes.
func (a HardwareAddr) Equal(b HardwareAddr) bool { return bytes.Equal(a, b) }

// IsZero tells whether all bytes are zero, as in the entry of a VXLAN for
// unknown destinations.
func (a HardwareAddr) IsZero() bool {
	for _, b := range a {
		if b != 0 {
			return false
		}
	}
	return true
}
