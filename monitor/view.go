package monitor

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// A view is what has to be known of a namespace to write its objects down. It
// belongs to the goroutine that reads the namespace's messages.
type view struct {
	names *spec.Names
	links map[int32]*seenLink
	conn  *route.Conn // nil: ids of namespaces have no names

	nsids   map[int32]string // "" for one without a name; nil: not asked yet
	changes func() uint64    // counts the changes of /run/netns
	asked   uint64           // the count when nsids were asked
}

// seenLink is a link as it was last seen.
type seenLink struct {
	name  string
	state []Change // New is the value; Old is not used. Nil: only the name is known
}

// link returns the name of a link, as ip does "ifN" for one that there is not.
// The kernel tells of the sysctls and forwarding entries of a new link before it
// tells of the link.
func (v *view) link(index int32) string {
	if v.links[index] == nil && v.conn != nil {
		if l, err := v.conn.LinkByIndex(context.Background(), index); err == nil {
			v.links[index] = &seenLink{name: l.Name}
		}
	}
	if l := v.links[index]; l != nil {
		return l.name
	}
	return "if" + strconv.Itoa(int(index))
}

// learn looks at all links. When they do not stand still for it, a few are left
// to be known by their events.
func (v *view) learn(ctx context.Context) (err error) {
	v.links, v.nsids = map[int32]*seenLink{}, nil
	for range 3 {
		if err = v.lookAtLinks(ctx); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return err
		}
	}
	return nil
}

func (v *view) lookAtLinks(ctx context.Context) error {
	for l, err := range v.conn.Links(ctx) {
		if err != nil {
			return err
		}
		v.see(l.Index, l.Name, v.linkFields(l))
	}
	return nil
}

// netns returns the name of the namespace that has an id in this one, "" if it
// has none.
func (v *view) netns(id int32) string {
	if v.conn == nil || id < 0 {
		return ""
	}
	if now := v.changes(); v.nsids == nil || now != v.asked {
		v.nsids, v.asked = map[int32]string{}, now
		names, _ := netns.List()
		for _, name := range names {
			if id, ok := v.nsidOf(name); ok && v.nsids[id] == "" {
				v.nsids[id] = name
			}
		}
	}
	return v.nsids[id]
}

func (v *view) nsidOf(name string) (int32, bool) {
	ns, err := netns.Open(name)
	if err != nil {
		return 0, false
	}
	defer ns.Close()
	id, err := v.conn.NSID(context.Background(), ns.FD())
	return id, err == nil && id >= 0
}

// nameOf returns the name of a number, or the number in digits.
func nameOf[N uint8 | uint32](t spec.NameTable, n N) string {
	if name, ok := t.Name(uint32(n)); ok {
		return name
	}
	return strconv.FormatUint(uint64(n), 10)
}

// familyName is ip's word for an address family.
func familyName(f uint8) string {
	switch f {
	case unix.AF_INET:
		return "inet"
	case unix.AF_INET6:
		return "inet6"
	case unix.AF_MPLS:
		return "mpls"
	case unix.AF_BRIDGE:
		return "bridge"
	}
	return fmt.Sprintf("family %d", f)
}

// unknownAttrs adds the attributes that are not understood: their numbers to the
// text, their bytes to JSON too.
func (f *Fields) unknownAttrs(extra []byte) {
	var list []Fields
	text := ""
	for a := netlink.ReadAttrs(extra); a.Next(); {
		list = append(list, Fields{{Key: "type", Value: a.Type()}, {Key: "data", Value: hexBytes(a.Bytes())}})
		text += fmt.Sprintf(",%d", a.Type())
	}
	if len(list) > 0 {
		f.as("unknown_attributes", list, "unknown attributes "+text[1:])
	}
}

func hexBytes(b []byte) string { return fmt.Sprintf("%x", b) }
