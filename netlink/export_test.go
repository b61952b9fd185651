package netlink

// SetSeq makes n the number of the last request of c.
func SetSeq(c *Client, n uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq = n
}
