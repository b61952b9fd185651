package route

import (
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// A LinkProp gives a link alternative names or takes them away: the payload of
// RTM_NEWLINKPROP and RTM_DELLINKPROP.
type LinkProp struct {
	Index    int32
	Name     string // the key if Index is 0: a name or an alternative name
	AltNames []string
	Extra    []byte // attributes that are not known here
}

// AppendTo appends the message's payload.
func (p *LinkProp) AppendTo(e *netlink.Encoder) {
	appendIfInfo(e, unix.AF_UNSPEC, 0, p.Index, 0, 0)
	if p.Name != "" {
		e.String(nameKey(p.Name), p.Name)
	}
	appendAltNames(e, p.AltNames)
	e.Raw(p.Extra)
}

// Decode resets p and fills it from a payload.
func (p *LinkProp) Decode(b []byte) error {
	*p = LinkProp{AltNames: p.AltNames[:0], Extra: p.Extra[:0]}
	h, rest := split(b, unix.SizeofIfInfomsg)
	p.Index = int32(binary.NativeEndian.Uint32(h[4:]))
	a := netlink.ReadAttrs(rest)
	for a.Next() {
		switch a.Type() {
		case unix.IFLA_IFNAME, unix.IFLA_ALT_IFNAME:
			p.Name = a.String()
		case unix.IFLA_PROP_LIST:
			l := Link{AltNames: p.AltNames}
			if !l.decodeNest(&a) {
				p.Extra = keep(p.Extra, &a)
			}
			p.AltNames = l.AltNames
		default:
			p.Extra = keep(p.Extra, &a)
		}
	}
	return a.Err()
}

// Clone returns a copy that shares nothing with p.
func (p *LinkProp) Clone() *LinkProp {
	return &LinkProp{Index: p.Index, Name: p.Name, AltNames: slices.Clone(p.AltNames), Extra: clone(p.Extra)}
}

// altIfNameSize is what an alternative name takes with its NUL at most, the
// kernel's ALTIFNAMSIZ.
const altIfNameSize = 128

// nameKey returns the attribute by which a link of this name is looked up.
// IFLA_IFNAME also finds alternative names, but takes no more than 15 bytes.
func nameKey(name string) uint16 {
	if len(name) < unix.IFNAMSIZ {
		return unix.IFLA_IFNAME
	}
	return unix.IFLA_ALT_IFNAME
}
