package kind

// The functions here say what else happens when a link of a kind, or what it
// stands on, is changed. A planner asks them.

// MovesRoutes tells whether joining and leaving a link of this kind moves a
// port to another routing table, so that the port loses its routes and global
// IPv6 addresses.
func MovesRoutes(k Kind) bool {
	m, ok := as[interface{ movesRoutes() bool }](k)
	return ok && m.movesRoutes()
}

// FollowsDown tells whether the link that k, as decoded, describes goes down
// when its parent does, and up again with it.
func FollowsDown(k Kind) bool {
	f, ok := as[interface{ followsDown() bool }](k)
	return ok && f.followsDown()
}

// GoesWithDevice tells whether the kernel deletes the link when a link that its
// options name is deleted.
func GoesWithDevice(k Kind) bool {
	g, ok := as[interface{ goesWithDevice() bool }](k)
	return ok && g.goesWithDevice()
}

// TakesAll tells whether a link of this kind takes everything that its parent
// receives, so that the parent cannot be a port as well.
func TakesAll(k Kind) bool {
	t, ok := as[interface{ takesAll() bool }](k)
	return ok && t.takesAll()
}

// FollowsPorts tells whether the MTU and the address of a link of this kind are those
// of its ports until they are changed: the MTU that the link is made with does not
// count.
func FollowsPorts(k Kind) bool {
	f, ok := as[interface{ followsPorts() bool }](k)
	return ok && f.followsPorts()
}

// HasFDB tells whether links of this kind forward by a table of remotes, in which
// the kernel makes an entry for the options remote and group.
func HasFDB(k Kind) bool {
	f, ok := as[interface{ hasFDB() bool }](k)
	return ok && f.hasFDB()
}

// SetPeer sets the far end that is made together with the link. It reports
// false for kinds that are not pairs.
func SetPeer(k Kind, p *Peer) bool {
	s, ok := as[interface{ setPeer(*Peer) }](k)
	if ok {
		s.setPeer(p)
	}
	return ok
}

// IsPair tells whether links of this kind come in pairs: IFLA_LINK is the far
// end, and deleting one deletes both.
func IsPair(k Kind) bool {
	_, ok := as[interface{ setPeer(*Peer) }](k)
	return ok
}

// Rounds tells whether Diff changes what is wanted, by what there is: such a Kind
// is to be made anew for every comparison.
func Rounds(k Kind) bool {
	_, ok := as[normalizer](k)
	return ok
}

// IsQuiet tells whether links of this kind are made without ARP and multicast.
func IsQuiet(k Kind) bool {
	q, ok := as[interface{ isQuiet() bool }](k)
	return ok && q.isQuiet()
}
