package reconcile

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"
)

// markPrefix begins every alternative name that is a mark.
const markPrefix = "nlapply:"

// A mark is the alternative name by which the kernel itself remembers who
// created a link, or a namespace (on its lo): nlapply:OWNER:PROTOCOL:HEX, with
// :adopted behind it for a namespace that existed before.
type mark struct {
	owner    string
	protocol uint8
	id       string // 16 hexadecimal digits, so that no two links have the same
	adopted  bool
}

func newMark(owner string, protocol uint8) mark {
	var b [8]byte
	rand.Read(b[:]) // never fails: see crypto/rand
	return mark{owner: owner, protocol: protocol, id: hex.EncodeToString(b[:])}
}

func (m mark) String() string {
	s := markPrefix + m.owner + ":" + strconv.Itoa(int(m.protocol)) + ":" + m.id
	if m.adopted {
		s += ":adopted"
	}
	return s
}

// temporaryName is the name that a link bears until its mark is on it: 15
// bytes, the longest that a link can have.
func (m mark) temporaryName() string { return "nla" + m.id[:12] }

func parseMark(altName string) (mark, bool) {
	rest, ok := strings.CutPrefix(altName, markPrefix)
	if !ok {
		return mark{}, false
	}
	parts := strings.Split(rest, ":")
	if len(parts) < 3 || len(parts) > 4 || len(parts) == 4 && parts[3] != "adopted" {
		return mark{}, false
	}
	p, err := strconv.ParseUint(parts[1], 10, 8)
	if err != nil {
		return mark{}, false
	}
	return mark{owner: parts[0], protocol: uint8(p), id: parts[2], adopted: len(parts) == 4}, true
}

// marksOf returns the marks among a link's alternative names.
func marksOf(altNames []string) (marks []mark) {
	for _, n := range altNames {
		if m, ok := parseMark(n); ok {
			marks = append(marks, m)
		}
	}
	return marks
}

// ownMark returns the owner's mark among a link's alternative names.
func ownMark(altNames []string, owner string) (mark, bool) {
	for _, m := range marksOf(altNames) {
		if m.owner == owner {
			return m, true
		}
	}
	return mark{}, false
}
