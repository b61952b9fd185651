// Package normalize takes out of iproute2's JSON what differs by nature
// between two systems that are configured alike: indexes, random hardware
// addresses and what is derived from them, the state of carriers and timers,
// remaining lifetimes, and the marks of nlapply. What is left can be compared
// as text, one object a line.
//
// It is the only place that knows what may differ: whatever is not taken out
// here has to be equal.
package normalize

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Class is one kind of object and the commands that list it.
type Class struct {
	Name    string
	Program string   // with the options that say what is listed: "ip -6"
	Lists   []string // what Program is told; the answers are one list
	clean   func(n *Normalizer, o object) bool
	key     func(o object) string // objects are sorted by it, stably; nil keeps iproute2's order
}

// Classes lists everything that makes up the state of a namespace.
var Classes = []Class{
	{"link", "ip -d", []string{"link show"}, cleanLink, byName},
	{"addr", "ip -d", []string{"addr show"}, cleanAddr, byName},
	{"route", "ip -d", []string{"route show table all"}, cleanRoute, byText},
	{"rule", "ip -d", []string{"rule show"}, cleanRule, nil},
	{"rule6", "ip -d -6", []string{"rule show"}, cleanRule, nil},
	{"neigh", "ip -d", []string{"neigh show", "neigh show proxy"}, cleanNeigh, byText},
	{"vlan", "bridge", []string{"vlan show"}, cleanVLAN, byName},
	{"fdb", "bridge", []string{"fdb show"}, cleanFDB, byText},
}

// ClassOf returns the class that an iproute2 command line lists.
func ClassOf(argv []string) (Class, error) {
	i := 1
	for i < len(argv) && strings.HasPrefix(argv[i], "-") {
		if i++; i < len(argv) && (argv[i-1] == "-n" || argv[i-1] == "-netns") {
			i++
		}
	}
	if i < len(argv) {
		for _, c := range Classes {
			if strings.HasPrefix(argv[i], c.Name) && argv[0] == strings.Fields(c.Program)[0] {
				return c, nil
			}
		}
	}
	return Class{}, fmt.Errorf("%s: not a command that lists links, addresses, routes, rules, neighbours, vlans or fdb entries", strings.Join(argv, " "))
}

// Normalizer says what is not random. The zero value takes every hardware
// address of a host for random.
type Normalizer struct {
	// Written are the hardware addresses that documents name: they stay.
	Written []string
	// Protocols are the numbers that mark nlapply's objects, as iproute2
	// prints them. Nil means 110, the default owner's.
	Protocols []string
}

// Objects normalises what the commands of a class have printed: any number of
// JSON lists, one after another.
func (n *Normalizer) Objects(c Class, data []byte) ([]map[string]any, error) {
	var list []map[string]any
	in := json.NewDecoder(bytes.NewReader(data))
	in.UseNumber()
	for in.More() {
		var part []map[string]any
		if err := in.Decode(&part); err != nil {
			return nil, fmt.Errorf("%s: %w in %.200q", c.Name, err, data)
		}
		list = append(list, part...)
	}
	list = slices.DeleteFunc(list, func(o map[string]any) bool { return len(o) == 0 || !c.clean(n, o) })
	for _, o := range list {
		n.addresses(o)
	}
	if c.key != nil {
		slices.SortStableFunc(list, func(a, b map[string]any) int { return strings.Compare(c.key(a), c.key(b)) })
	}
	return list, nil
}

// Text is Objects as text: one object a line, keys in order.
func (n *Normalizer) Text(c Class, data []byte) (string, error) {
	list, err := n.Objects(c, data)
	var b strings.Builder
	for _, o := range list {
		b.WriteString(byText(o))
		b.WriteByte('\n')
	}
	return b.String(), err
}

func byName(o object) string { return fmt.Sprint(o["ifname"]) }

func byText(o object) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(o); err != nil {
		panic(err) // what was decoded from JSON can be encoded again
	}
	return strings.TrimSpace(b.String())
}
