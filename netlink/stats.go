package netlink

import (
	"encoding/binary"
	"maps"
)

// Stats counts what a client has done since Dial.
type Stats struct {
	// Sent are the messages sent, dump requests included, by type. A client that
	// wrote nothing has only those of reading types.
	Sent map[uint16]uint64
	// Dropped are the messages on the request socket that answered nobody: late
	// answers to requests that were given up, and strangers' events.
	Dropped uint64
	// Overruns is how often answers to requests were lost.
	Overruns uint64
}

// Stats returns the counts of the moment.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Sent = maps.Clone(s.Sent)
	return s
}

// count counts the messages of a datagram, a run of one type at a time.
func (s *Stats) count(datagram []byte)   { s.add(datagram, 1) }
func (s *Stats) uncount(datagram []byte) { s.add(datagram, ^uint64(0)) }

func (s *Stats) add(datagram []byte, one uint64) {
	var typ uint16
	var run uint64
	for len(datagram) > 0 {
		next := binary.NativeEndian.Uint16(datagram[4:])
		if next != typ && run != 0 {
			s.Sent[typ] += run
			run = 0
		}
		typ = next
		run += one
		datagram = datagram[binary.NativeEndian.Uint32(datagram):]
	}
	if run != 0 {
		s.Sent[typ] += run
	}
}
