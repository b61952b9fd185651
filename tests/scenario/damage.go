package scenario

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// damage deletes and changes, by `ip`, what nlapply made in this namespace and in
// some named ones: N objects that SEED chooses, with pauses that it chooses, too.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg || len(args) < 2, "damage SEED N [namespace...]")
	seed, err := strconv.ParseUint(args[0], 10, 64)
	ts.Check(err)
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	v := &vandal{Rand: rand.New(rand.NewPCG(seed, 0))}
	spaces := append([]string{""}, args[2:]...)
	for range n {
		v.space = spaces[v.IntN(len(spaces))]
		if argv := v.choose(); argv != nil {
			out, err := exec.Command("ip", argv...).CombinedOutput()
			ts.Logf("ip %s: %v %s", strings.Join(argv, " "), err, out)
		}
		time.Sleep(time.Duration(v.IntN(30)) * time.Millisecond)
	}
}

// vandal chooses what to damage.
type vandal struct {
	*rand.Rand
	space string
}

type listed = map[string]any

// list returns what `ip -j` prints in the namespace.
func (v *vandal) list(args ...string) (list []listed) {
	out, err := exec.Command("ip", v.in(append([]string{"-j", "-d"}, args...)...)...).Output()
	if err != nil || json.Unmarshal(out, &list) != nil {
		return nil
	}
	return list
}

func (v *vandal) in(args ...string) []string {
	if v.space == "" {
		return args
	}
	return append([]string{"-n", v.space}, args...)
}

func (v *vandal) pick(list []listed) listed {
	if len(list) == 0 {
		return nil
	}
	return list[v.IntN(len(list))]
}

func word(o listed, key string) string {
	if o[key] == nil {
		return ""
	}
	return fmt.Sprint(o[key])
}

// choose returns the arguments of a command that damages something; nil when
// there is nothing of the sort.
func (v *vandal) choose() []string {
	switch v.IntN(8) {
	case 0, 1:
		return v.address()
	case 2, 3:
		return v.route()
	case 4:
		return v.rule()
	case 5:
		return v.neighbor()
	}
	return v.link()
}

func (v *vandal) address() []string {
	l := v.pick(v.list("addr", "show"))
	infos, _ := l["addr_info"].([]any)
	var own []listed
	for _, i := range infos {
		if a := i.(listed); word(a, "scope") == "global" {
			own = append(own, a)
		}
	}
	a := v.pick(own)
	if a == nil || l["ifname"] == "lo" {
		return nil
	}
	return v.in("addr", "del", fmt.Sprintf("%s/%v", a["local"], a["prefixlen"]), "dev", word(l, "ifname"))
}

func (v *vandal) route() []string {
	family := []string{"-4", "-6"}[v.IntN(2)]
	own := slices.DeleteFunc(v.list(family, "route", "show", "table", "all"), func(r listed) bool { return word(r, "protocol") != "110" })
	r := v.pick(own)
	if r == nil {
		return nil
	}
	argv := []string{family, "route", "del", word(r, "dst"), "proto", "110"}
	if t := word(r, "type"); t != "unicast" && t != "" {
		argv = slices.Insert(argv, 3, t)
	}
	for key, option := range map[string]string{"table": "table", "metric": "metric", "tos": "tos"} {
		if w := word(r, key); w != "" {
			argv = append(argv, option, w)
		}
	}
	return v.in(argv...)
}

func (v *vandal) rule() []string {
	family := []string{"-4", "-6"}[v.IntN(2)]
	own := slices.DeleteFunc(v.list(family, "rule", "show"), func(r listed) bool { return word(r, "protocol") != "110" })
	r := v.pick(own)
	if r == nil {
		return nil
	}
	return v.in(family, "rule", "del", "pref", word(r, "priority"))
}

func (v *vandal) neighbor() []string {
	own := slices.DeleteFunc(v.list("neigh", "show", "nud", "permanent"), func(n listed) bool { return word(n, "protocol") != "110" })
	n := v.pick(own)
	if n == nil {
		return nil
	}
	if v.IntN(2) == 0 {
		return v.in("neigh", "del", word(n, "dst"), "dev", word(n, "dev"))
	}
	return v.in("neigh", "replace", word(n, "dst"), "dev", word(n, "dev"), "lladdr", "02:00:00:00:66:66", "nud", "permanent")
}

func (v *vandal) link() []string {
	own := slices.DeleteFunc(v.list("link", "show"), func(l listed) bool {
		names, _ := l["altnames"].([]any)
		return l["ifname"] == "lo" || !slices.ContainsFunc(names, func(n any) bool { return strings.HasPrefix(n.(string), "nlapply:") })
	})
	l := v.pick(own)
	if l == nil {
		return nil
	}
	name := word(l, "ifname")
	switch v.IntN(5) {
	case 0:
		return v.in("link", "del", name)
	case 1:
		return v.in("link", "set", name, "down")
	case 2:
		return v.in("link", "set", name, "nomaster")
	case 3:
		return v.in("link", "set", name, "name", "x"+name)
	}
	return v.in("addr", "flush", "dev", name, "scope", "global")
}
