package spec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPosition(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	a := write("a.yaml", `version: 1
links:
  eth0: {mtu: 1500}
  eth0.100:
    kind: vlan
    link: eth0
    vlan: {id: 5}
routes:
  - {to: default, via: 192.0.2.1}
  - to: 10.0.0.0/8
    nexthops: [{via: 192.0.2.2}, {via: 192.0.2.3, weight: 5}]
namespaces:
  red: {routes: [{to: default, dev: eth0}]}
  red.links: {links: {eth0: {}}}
---
routes: [{to: 10.1.0.0/16, dev: eth0}]
`)
	b := write("b.json", `{"routes": [{"to": "10.2.0.0/16", "dev": "eth0"}],
"links": {"br0": {"kind": "bridge", "bridge": {"stp_state": true}}},
"namespaces": {"red": {"routes": [{"to": "10.3.0.0/16", "dev": "eth1"}], "links": {"eth1": {}}}}}`)
	d, err := load([]string{a, b}, nil, testVocabulary, builtin)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ path, place, local string }{
		{"version", "a.yaml:1:10", ""},
		{"owner", "a.yaml:1:1", ""},
		{"links.eth0.mtu", "a.yaml:3:15", ""},
		{"links.eth0.addresses[3].label", "a.yaml:3:9", ""},
		{"links.eth0.100.vlan.id", "a.yaml:7:16", ""},
		{"links.eth0.100.mtu", "a.yaml:5:5", ""},
		{"links.br0.bridge.stp_state", "b.json:2:61", ""},
		{"links.nosuch", "a.yaml:3:3", ""},
		{"routes[0].via", "a.yaml:9:24", ""},
		{"routes[1].nexthops[1].weight", "a.yaml:11:59", ""},
		{"routes[2].dev", "a.yaml:16:33", "routes[0].dev"},
		{"routes[3].dev", "b.json:1:42", "routes[0].dev"},
		{"routes[3].metric", "b.json:1:13", "routes[0].metric"},
		{"namespaces.red.routes[0].dev", "a.yaml:13:37", ""},
		{"namespaces.red.routes[1].dev", "b.json:3:64", "namespaces.red.routes[0].dev"},
		{"namespaces.red.links.eth1", "b.json:3:92", ""},
		{"namespaces.red.links.links.eth0", "a.yaml:14:29", ""},
	} {
		e := d.Errorf(test.path, "is %s", "wrong")
		if test.local == "" {
			test.local = test.path
		}
		want := filepath.Join(dir, test.place) + ": " + test.local + ": is wrong"
		if e.Error() != want {
			t.Errorf("got  %s\nwant %s", e, want)
		}
		file, line, column := d.Position(test.path)
		if got := fmt.Sprintf("%s:%d:%d", filepath.Base(file), line, column); got != test.place {
			t.Errorf("%s: %s, want %s", test.path, got, test.place)
		}
	}
}

func TestErrorfWithoutFiles(t *testing.T) {
	d := &Document{}
	if got := d.Errorf(Path("red", "links", "eth0", "addresses", 0), "no").Error(); got != "namespaces.red.links.eth0.addresses[0]: no" {
		t.Error(got)
	}
	if _, line, _ := d.Position("version"); line != 0 {
		t.Error(line)
	}
}

func TestErrorsUnwrap(t *testing.T) {
	_, err := loadText("version: 1\nlinks: []\n")
	var e *Error
	if !errors.As(err, &e) || e.Line != 2 || e.Path != "links" {
		t.Errorf("%#v", e)
	}
}

// TestStdin loads standard input besides files.
func TestStdin(t *testing.T) {
	_, err := load([]string{"-"}, strings.NewReader("version: 1\nx: 1\n"), testVocabulary, builtin)
	if err == nil || err.Error() != "-:2:1: x: unknown key" {
		t.Error(err)
	}
	if _, err := load([]string{"-"}, failing{}, nil, builtin); err == nil || err.Error() != "standard input: broken" {
		t.Error(err)
	}
	d, err := load([]string{"-"}, strings.NewReader("\ufeffversion: 1\nlinks: {on: {}}\n"), nil, builtin)
	if err != nil || d.Links["on"] == nil || d.Files[0] != "-" {
		t.Error(d, err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("broken") }
