package kind

// The functions here say what else happens when a link of a kind, or what it
// stands on, is changed. A planner asks them.

// MovesRoutes tells whether joining and leaving a link of this kind moves a
// port to another routing table, so that the port loses its routes and global
// IPv6 addresses.
func MovesRoutes(k Kind) bool {
	m, ok := k.(interface{ movesRoutes() bool })
	return ok && m.movesRoutes()
}

// FollowsDown tells whether the link that k, as decoded, describes goes down
// when its parent does, and up again with it.
func FollowsDown(k Kind) bool {
	f, ok := k.(interface{ followsDown() bool })
	return ok && f.followsDown()
}

// GoesWithDevice tells whether the kernel deletes the link when a link that its
// options name is deleted.
func GoesWithDevice(k Kind) bool {
	g, ok := k.(interface{ goesWithDevice() bool })
	return ok && g.goesWithDevice()
}

// TakesAll tells whether a link of this kind takes everything that its parent
// receives, so that the parent cannot be a port as well.
func TakesAll(k Kind) bool {
	t, ok := k.(interface{ takesAll() bool })
	return ok && t.takesAll()
}

// FollowsPorts tells whether the MTU of a link of this kind is that of its ports
// until it is changed: the one that the link is made with does not count.
func FollowsPorts(k Kind) bool {
	f, ok := k.(interface{ followsPorts() bool })
	return ok && f.followsPorts()
}

// HasFDB tells whether links of this kind forward by a table of remotes, in which
// the kernel makes an entry for the options remote and group.
func HasFDB(k Kind) bool {
	f, ok := k.(interface{ hasFDB() bool })
	return ok && f.hasFDB()
}

// SetPeer sets the far end that is made together with the link. It reports
// false for kinds that are not pairs.
func SetPeer(k Kind, p *Peer) bool {
	s, ok := k.(interface{ setPeer(*Peer) })
	if ok {
		s.setPeer(p)
	}
	return ok
}

// IsPair tells whether links of this kind come in pairs: IFLA_LINK is the far
// end, and deleting one deletes both.
func IsPair(k Kind) bool {
	_, ok := k.(interface{ setPeer(*Peer) })
	return ok
}

// IsQuiet tells whether links of this kind are made without ARP and multicast.
func IsQuiet(k Kind) bool {
	q, ok := k.(interface{ isQuiet() bool })
	return ok && q.isQuiet()
}
