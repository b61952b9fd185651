package kind

import (
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route/attr"
)

// ResetsAbsent tells whether the kernel resets attributes that a change leaves
// out, as it does for the gre family. EncodeChange takes care of it.
func ResetsAbsent(k Kind) bool {
	r, ok := as[interface{ resetsAbsent() bool }](k)
	return ok && r.resetsAbsent()
}

// IsFallback tells whether k, as decoded, is a device that the kernel made when
// it loaded the module (gre0) and that cannot be deleted. It may be renamed, so
// the name says nothing.
func IsFallback(k Kind) bool {
	f, ok := as[interface{ isFallback() bool }](k)
	return ok && f.isFallback()
}

// Check returns the reason why the attributes that k sets do not fit together,
// or nil. It is for what a document declares, not for what was decoded.
func Check(k Kind) error {
	if c, ok := as[interface{ check() error }](k); ok {
		return c.check()
	}
	return nil
}

// HardwareLen returns how many bytes a hardware address of such a link has.
func HardwareLen(k Kind) int {
	if h, ok := as[interface{ hardwareLen() int }](k); ok {
		return h.hardwareLen()
	}
	return 6 // ETH_ALEN
}

// Identity returns what no two links of the kind may have in common although each
// can be changed; "" where there is no such thing. k is complete, as decoded.
func Identity(k Kind) string {
	if u, ok := as[unique](k); ok {
		return u.identity()
	}
	return ""
}

// Aside returns attributes that differ from k's and from those of all others, for
// the time in which another link takes over k's identity.
func Aside(k Kind) Kind {
	if u, ok := as[unique](k); ok {
		return u.aside()
	}
	return nil
}

// NeedsParent tells whether links of this kind stand on another one, IFLA_LINK,
// which must be named at creation and never changes.
func NeedsParent(k Kind) bool {
	p, ok := as[interface{ needsParent() bool }](k)
	return ok && p.needsParent()
}

// NeedsData tells whether RTM_NEWLINK with this kind must carry IFLA_INFO_DATA,
// even with nothing in it. Changes of generic attributes leave IFLA_LINKINFO out.
func NeedsData(k Kind) bool {
	d, ok := as[interface{ needsData() bool }](k)
	return ok && d.needsData()
}

// IsMaster tells whether links of this kind take ports (IFLA_MASTER).
func IsMaster(k Kind) bool {
	_, ok := as[master](k)
	return ok
}

// PortsJoinDown tells whether a link must be down to become a port of a link of
// this kind. The kernel sets it up then.
func PortsJoinDown(k Kind) bool {
	m, ok := as[master](k)
	return ok && m.portsJoinDown()
}

// A master is a kind whose links take ports.
type master interface{ portsJoinDown() bool }

// A creator is a kind that has more to say at creation than its rows.
type creator interface{ encodeCreate(e *netlink.Encoder) }

// A reporter is a kind whose dump holds attributes that are no settings.
type reporter interface{ reports(typ uint16) bool }

// A normalizer is a kind some of whose values the kernel rounds: normalize
// rounds what is wanted, given what is there.
type normalizer interface{ normalize(have Kind) }

// A unique kind refuses links that are equal in something that can be changed.
type unique interface {
	identity() string
	aside() Kind
}

// A rater is a kind for which it depends on the values when a change is possible.
type rater interface {
	changeWhen(have Kind, c attr.Change) attr.When
}

// A minimizer is a kind some of whose defaults depend on other values: minimal
// adds to a document what is no default in its case.
type minimizer interface{ minimal(doc map[string]any) }
