package normalize

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// object is one JSON object of iproute2.
type object = map[string]any

func drop(o object, keys ...string) {
	for _, k := range keys {
		delete(o, k)
	}
}

// dropWords takes words out of a list of words, such as flags.
func dropWords(o object, key string, words ...string) {
	list, ok := o[key].([]any)
	if !ok {
		return
	}
	list = slices.DeleteFunc(list, func(w any) bool { return slices.Contains(words, fmt.Sprint(w)) })
	if o[key] = list; len(list) == 0 {
		delete(o, key)
	}
}

func hasWord(o object, key, word string) bool {
	list, _ := o[key].([]any)
	return slices.Contains(list, any(word))
}

// sub returns the object under a key, or an empty one.
func sub(o object, key string) object {
	s, _ := o[key].(object)
	return s
}

// protocol takes out the protocol number that is nlapply's mark.
func (n *Normalizer) protocol(o object) {
	marks := n.Protocols
	if marks == nil {
		marks = []string{"110"}
	}
	if p, ok := o["protocol"]; ok && slices.Contains(marks, fmt.Sprint(p)) {
		delete(o, "protocol")
	}
}

// addresses replaces random hardware addresses, and the IPv6 addresses made
// from them, everywhere below v.
func (n *Normalizer) addresses(v any) any {
	switch v := v.(type) {
	case object:
		for k, e := range v {
			v[k] = n.addresses(e)
		}
	case []any:
		for i, e := range v {
			v[i] = n.addresses(e)
		}
	case string:
		return n.address(v)
	}
	return v
}

// randomLocal stands for a link-local address made from a random hardware address.
const randomLocal = "fe80::random"

func (n *Normalizer) address(s string) string {
	if mac, err := net.ParseMAC(s); err == nil && len(mac) == 6 {
		if n.random(mac) {
			return "random"
		}
		return s
	}
	host, suffix, _ := strings.Cut(s, "/")
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.Is6() || !ip.IsLinkLocalUnicast() {
		return s
	}
	b := ip.As16()
	if b[11] != 0xff || b[12] != 0xfe { // not EUI-64
		return s
	}
	if n.random(net.HardwareAddr{b[8] ^ 2, b[9], b[10], b[13], b[14], b[15]}) {
		return strings.TrimSuffix(randomLocal+"/"+suffix, "/")
	}
	return s
}

// random reports whether mac is a host's address that no document names.
func (n *Normalizer) random(mac net.HardwareAddr) bool {
	group := mac[0]&1 != 0
	zero := !slices.ContainsFunc(mac, func(b byte) bool { return b != 0 })
	written := slices.ContainsFunc(n.Written, func(w string) bool { return strings.EqualFold(w, mac.String()) })
	return !group && !zero && !written
}
