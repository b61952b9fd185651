package reconcile

import (
	"context"
	"iter"
	"net/netip"

	"github.com/nlapply/nlapply/netlink"
)

// Maker tells who made an object, as far as the kernel knows.
type Maker uint8

// The makers. The zero value is the careful one.
const (
	// Foreign objects are another program's or a person's: they go only under
	// `prune: all`.
	Foreign Maker = iota
	// Ours bear the mark of the document's owner.
	Ours
	// Kernel objects come and go by themselves (prefix routes, link-local
	// addresses, learned neighbours) or cannot be removed. They are never
	// planned.
	Kernel
	// Other objects bear another owner's mark: nothing touches them, and what
	// a plan takes down of them it puts back.
	Other
	// Listed objects belong to a list that the document writes down whole (the
	// VLANs of a port): what is not in the list goes.
	Listed
)

// isOthers tells whether somebody made the object who is not us.
func (m Maker) isOthers() bool { return m == Foreign || m == Other }

// A Verdict is the result of comparing a declared object with the kernel's.
type Verdict struct {
	Action Action        // 0 for equal, else Change or Replace
	Fields []FieldChange // what differs, for the plan
}

// Equal tells that nothing has to be done.
func (v Verdict) Equal() bool { return v.Action == 0 }

// A Resource is all that the engine has to be told about one class of kernel
// objects. K is the key by which the kernel tells them apart, T holds one of
// them, declared or observed; link indexes in a T are those of Scope.Index,
// which may stand for links that do not exist yet.
type Resource[K comparable, T any] interface {
	// Class is the word for one object in plans.
	Class() string
	// Declare returns the objects that the scope's document has.
	Declare(s *Scope) ([]T, error)
	// Dump yields what the kernel has, in its order: at least the objects of
	// declared keys and those of ours, and with all the others, too. A yielded
	// object is valid until the next one; Own makes a copy that stays.
	Dump(ctx context.Context, s *Scope, all bool) iter.Seq2[*T, error]
	Own(t *T) T
	Key(t *T) K
	// Maker tells who made an observed object.
	Maker(s *Scope, t *T) Maker
	// Compare says what brings have to want. Both have the same key.
	Compare(s *Scope, want, have *T) Verdict
	// Name returns the object as plans print it.
	Name(s *Scope, t *T) string
	// Path returns the place of a declared object in the document.
	Path(s *Scope, t *T) string
	// Relocate replaces the link indexes in t.
	Relocate(t *T, index func(int32) int32)

	Create(s *Scope, b *netlink.Batch, want *T)
	Change(s *Scope, b *netlink.Batch, want, have *T)
	Delete(s *Scope, b *netlink.Batch, have *T)

	// Groups are the multicast groups (RTNLGRP_*) that report changes, of the
	// objects and of what they go with.
	Groups() []uint32
}

// A survivor is a resource whose objects a change of a link can take down.
type survivor[T any] interface {
	// Survives tells whether t outlives e. Objects that come back by
	// themselves survive, too.
	Survives(s *Scope, t *T, e LinkEvent) bool
	// Restorable tells whether an object of others that did not survive can
	// be put back as it was. Those that a protocol will bring back are not.
	Restorable(s *Scope, t *T) bool
}

// A sharder is a resource of which a part can be looked at by itself: routes by
// their table.
type sharder[T any] interface {
	// Shard tells which part t is in. Dump yields those parts of Scope.shards, or
	// all when that is nil.
	Shard(t *T) uint32
}

// A sourced resource has objects that name an address of this host.
type sourced[T any] interface{ Source(t *T) netip.Addr }

// A differ is a resource whose objects depend on each other's order, so that
// comparing them one by one is not enough. All of its objects are kept.
type differ[T any] interface {
	// Diff completes or replaces ops, the result of comparing one by one.
	Diff(s *Scope, want, have []T, ops []op[T]) []op[T]
}

// An identifier is a resource whose objects have a shorter name for the lines
// that say what changes.
type identifier[T any] interface{ Ident(s *Scope, t *T) string }

// An effecter is a resource whose plan takes down objects of others.
type effecter[T any] interface {
	Effects(s *Scope, want, have []T, ops []op[T]) []LinkEvent
}

// An awaiter is a resource of which the kernel accepts objects and finds fault
// with them later.
type awaiter[T any] interface {
	// Await returns when the kernel has made up its mind about those objects
	// of ops that it found fault with before.
	Await(ctx context.Context, s *Scope, have []T, ops []op[T]) error
}

// An ignorer is a resource of which the document can name objects that
// `prune: all` leaves alone.
type ignorer[T any] interface {
	Ignored(s *Scope, t *T) bool
}

// An orderer is a resource whose objects must be made in a certain order.
type orderer[T any] interface {
	// Rank sorts creations, lowest first.
	Rank(s *Scope, t *T) int64
}

// EventKind is a kind of LinkEvent.
type EventKind uint8

// What can happen to a link in a plan so that other objects suffer.
const (
	LinkRemoved    EventKind = iota // the link is deleted, perhaps to be made anew
	LinkDown                        // it goes down, perhaps to come up again
	LinkLeft                        // it leaves its master
	LinkVRF                         // it joins or leaves a VRF
	LinkNoIPv6                      // its MTU falls below 1280: IPv6 ends
	LinkAddress                     // its hardware address changes
	AddressRemoved                  // one of its addresses is removed
	LinkNoIPv4                      // it loses its last IPv4 address
)

// A LinkEvent is a side effect that a plan has on the objects behind one link.
type LinkEvent struct {
	Kind  EventKind
	Index int32      // of the link
	Addr  netip.Addr // of AddressRemoved
	Table uint32     // of AddressRemoved, the table of the routes that may use it
	step  *linkStep  // nil when no link step is behind it
	// loses takes what goes for good with an address that is removed after
	// everything new was made; nil for what happens before that.
	loses *[]string
	// soon is set to have such an address removed before the objects of later
	// tables are made, because it would take declared ones down; nil with loses.
	soon *bool
}

// standsUntilReplaced tells whether the link goes only when everything new is
// there: an object of a declared key is still in its place then.
func (e LinkEvent) standsUntilReplaced() bool {
	return e.Kind == LinkRemoved && e.step != nil && e.step.isLate()
}
