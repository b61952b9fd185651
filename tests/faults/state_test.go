package faults_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nlapply/nlapply/tests/normalize"
	"github.com/nlapply/nlapply/tests/scenario"
)

// objects takes a state apart: one object a line, with its namespace and class.
// What is a list under a link in the state is many objects here. Which port has the
// bridge's entry of a random address is random, too.
func objects(state string) (all []string) {
	in, class := "", ""
	for line := range strings.Lines(state) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "# namespace "); ok {
			in = name
			continue
		}
		if name, ok := strings.CutPrefix(line, "## "); ok {
			class = name
			continue
		}
		if class == "fdb" && strings.Contains(line, `"mac":"random"`) {
			continue
		}
		for _, part := range parts(class, line) {
			all = append(all, fmt.Sprintf("%s %s %s", in, class, part))
		}
	}
	return all
}

// parts returns the objects of a line.
func parts(class, line string) (all []string) {
	key := map[string]string{"addr": "addr_info", "vlan": "vlans"}[class]
	if key == "" {
		return []string{line}
	}
	var o struct {
		IfName   string            `json:"ifname"`
		AddrInfo []json.RawMessage `json:"addr_info"`
		VLANs    []json.RawMessage `json:"vlans"`
	}
	if err := json.Unmarshal([]byte(line), &o); err != nil {
		panic(err) // it was JSON when the state was made
	}
	for _, a := range slices.Concat(o.AddrInfo, o.VLANs) {
		all = append(all, o.IfName+" "+string(a))
	}
	return all
}

// missing returns what of want is not in have.
func missing(want, have []string) (list []string) {
	in := set(have)
	for _, o := range want {
		if !in[o] {
			list = append(list, o)
		}
	}
	return list
}

// unequal returns what is in one list only.
func unequal(want, have []string) (list []string) {
	for _, o := range missing(want, have) {
		list = append(list, "-"+o)
	}
	for _, o := range missing(have, want) {
		list = append(list, "+"+o)
	}
	return list
}

// difference returns the objects by which two states differ, but for what mentions
// a name.
func difference(want, got, name string) (list []string) {
	list = unequal(objects(want), objects(got))
	if name != "" {
		list = slices.DeleteFunc(list, func(o string) bool { return strings.Contains(o, name) })
	}
	if len(list) == 0 && rules(want) != rules(got) {
		list = append(list, "rules in another order")
	}
	return list
}

// rules are those of a state, of which the order matters.
func rules(state string) (list string) {
	for _, o := range objects(state) {
		if strings.Contains(o, " rule") {
			list += o + "\n"
		}
	}
	return list
}

// patience is how long the kernel has for what it does by itself: link-local
// addresses come with the carrier, and links of a namespace go with it.
const patience = 10 * time.Second

// settled returns the state, which is given time to become want.
func settled(n *normalize.Normalizer, want, name string) (state string, err error) {
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		state, err = scenario.State(n)
		if err == nil && len(difference(want, state, name)) == 0 || time.Now().After(end) {
			return state, err
		}
	}
}
