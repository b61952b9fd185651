package spec

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// laterKinds are kinds of links that iproute2 makes and a vocabulary may lack.
var laterKinds = []string{
	"amt", "bareudp", "batadv", "bond", "bridge", "can", "dsa", "dummy", "erspan", "geneve", "gre", "gretap", "gtp", "hsr",
	"ifb", "ip6erspan", "ip6gre", "ip6gretap", "ip6tnl", "ipip", "ipoib", "ipvlan", "ipvtap", "macsec", "macvlan", "macvtap",
	"netdevsim", "netkit", "nlmon", "rmnet", "sit", "team", "tun", "vcan", "veth", "virt_wifi", "vlan", "vrf", "vti", "vti6",
	"vxcan", "vxlan", "wireguard", "wwan", "xfrm",
}

// portSuffix makes the name of a kind's section for its ports.
const portSuffix = "_slave"

// sectionNames are the sections that may stand under a link.
func (d *decoder) sectionNames() []string {
	var names []string
	for _, kind := range d.vocab.Kinds() {
		for _, name := range []string{kind, kind + portSuffix} {
			if _, ok := d.vocab.Section(name); ok {
				names = append(names, name)
			}
		}
	}
	return names
}

// readSection reads a section of a link. It tells whether there is such a section.
func (d *decoder) readSection(name string, n ref, l *Link) bool {
	section, ok := d.vocab.Section(name)
	if !ok {
		if slices.Contains(d.vocab.Kinds(), name) {
			d.fail(n-1, "kind %s has no options", name)
			return true
		}
		if slices.Contains(laterKinds, strings.TrimSuffix(name, portSuffix)) {
			d.fail(n-1, "not supported by this version")
			return true
		}
		return false
	}
	if l.Options == nil {
		l.Options = map[string]map[string]any{}
	}
	l.Options[name] = d.options(n, section)
	return true
}

// options reads the keys of a section.
func (d *decoder) options(n ref, section Section) map[string]any {
	values := map[string]any{}
	if d.t.shape(n) == isNull {
		return values
	}
	if d.t.shape(n) != isMap {
		d.want(n, "a map of options")
		return values
	}
	keys, errs := section.Keys(), len(d.errs)
	for k, end := n+1, d.t.next(n); k < end; k = d.t.next(k + 1) {
		name := d.t.string(k)
		d.push(name)
		_, twice := values[name]
		switch {
		case twice:
			first, _, _ := d.t.value(n, name)
			d.fail(k, "the key is written twice, first at %s", d.place(first-1))
		case !slices.Contains(keys, name):
			d.fail(k, "unknown key%s", didYouMean(name, keys))
		default:
			values[name] = nil
			if v, ok := d.plain(k + 1); ok {
				values[name] = d.option(k+1, section, name, v)
			}
		}
		d.pop()
	}
	if len(d.errs) == errs {
		if err := section.CheckAll(values); err != nil {
			d.fail(n, "%v", err)
		}
	}
	return values
}

// option checks a value and returns it in the form that passed: on and off are
// booleans to a key that knows no such words, and a name of iproute2's files is its
// number where the key's schema asks for it ("x-names": "tables").
func (d *decoder) option(n ref, section Section, key string, v any) any {
	err := section.Check(key, v)
	if err == nil {
		return v
	}
	word, isWord := v.(string)
	if isWord && (word == "on" || word == "off") && section.Check(key, word == "on") == nil {
		return word == "on"
	}
	if table := d.names.table(section.Schema(key)["x-names"]); isWord && table != nil {
		x, ok := table.Number(word)
		if ok && section.Check(key, int64(x)) == nil {
			return int64(x)
		}
		if !isDecimal(word) {
			d.fail(n, "unknown name %s%s", quote(word), didYouMean(word, table.sorted()))
			return nil
		}
	}
	d.fail(n, "%v", err)
	return nil
}

// table returns the table that a schema's "x-names" speaks of, nil for none.
func (n *Names) table(name any) *NameTable {
	return map[any]*NameTable{
		"tables": &n.Tables, "protocols": &n.Protocols, "scopes": &n.Scopes, "groups": &n.Groups, "dsfields": &n.DSFields,
	}[name]
}

// plain returns the value at n as bool, int64, json.Number, float64, string, []any
// or map[string]any.
func (d *decoder) plain(n ref) (any, bool) {
	switch d.t.shape(n) {
	case isNull:
		return nil, d.want(n, "a value")
	case isText:
		return d.t.string(n), true
	case isPlain:
		return d.plainWord(n)
	case isList:
		values, ok := make([]any, 0, d.t.count(n)), true
		for e, end := n+1, d.t.next(n); e < end; e = d.t.next(e) {
			d.pushIndex(len(values))
			v, good := d.plain(e)
			values, ok = append(values, v), ok && good
			d.pop()
		}
		return values, ok
	}
	values, ok := map[string]any{}, true
	for k, end := n+1, d.t.next(n); k < end; k = d.t.next(k + 1) {
		name := d.t.string(k)
		d.push(name)
		if len(name) > maxKey {
			ok = d.fail(k, "a key has at most %d bytes", maxKey)
		} else if _, twice := values[name]; twice {
			first, _, _ := d.t.value(n, name)
			ok = d.fail(k, "the key is written twice, first at %s", d.place(first-1))
		} else {
			v, good := d.plain(k + 1)
			values[name], ok = v, ok && good
		}
		d.pop()
	}
	return values, ok
}

// maxKey keeps keys to what YAML allows, however they are escaped.
const maxKey = 255

func (d *decoder) plainWord(n ref) (any, bool) {
	s := d.t.string(n)
	if s == "true" || s == "false" {
		return s == "true", true
	}
	if !isNumber(s) {
		return s, true
	}
	x, err := parseNumber(strings.TrimPrefix(s, "-"))
	negative := s[0] == '-'
	switch {
	case err == nil && x <= math.MaxInt64 && negative:
		return -int64(x), true
	case err == nil && x <= math.MaxInt64:
		return int64(x), true
	case err == nil && !negative:
		return json.Number(strconv.FormatUint(x, 10)), true
	case err != nil && isDecimal(s) && s[0] == '0':
		return nil, d.fail(n, "%v", err)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, d.fail(n, "%s is no number that can be used", shorten(s))
	}
	return f, true
}

// sectionsKey writes the sections between other keys; it is read by readSection.
var sectionsKey = key[Link]{
	write: func(w *writer, l *Link) {
		for _, name := range slices.Sorted(maps.Keys(l.Options)) {
			w.key(name)
			w.plain(l.Options[name])
		}
	},
}

// plain writes a value of a section.
func (w *writer) plain(v any) {
	switch v := v.(type) {
	case bool:
		w.bool(v)
	case string:
		w.text(v)
	case map[string]any:
		w.openMap(true)
		for _, name := range slices.Sorted(maps.Keys(v)) {
			w.key(name)
			w.plain(v[name])
		}
		w.close()
	case []any:
		w.openList(true)
		for _, e := range v {
			w.item()
			w.plain(e)
		}
		w.close()
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if isDecimal(strings.TrimPrefix(s, "-")) {
			s += ".0" // or it would be read as an integer
		}
		w.raw(s)
	default: // the integers and json.Number
		w.raw(fmt.Sprint(v))
	}
}
