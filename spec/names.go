package spec

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Names are iproute2's names for numbers. They are safe for concurrent use.
type Names struct {
	Tables    NameTable // rt_tables
	Protocols NameTable // rt_protos
	Scopes    NameTable // rt_scopes
	Groups    NameTable // group
	DSFields  NameTable // rt_dsfield
	Realms    NameTable // rt_realms
}

// SystemNames reads iproute2's files as they are now. Where they are missing,
// iproute2's built-in names hold.
func SystemNames() *Names { return ReadNames(os.DirFS("/")) }

// nameDirs are the places of iproute2's files; an earlier one hides a later one,
// as the administrator's files hide the distribution's (iproute2, lib/rt_names.c).
var nameDirs = []string{"etc/iproute2", "usr/share/iproute2", "usr/lib/iproute2"}

// ReadNames reads iproute2's files below root.
func ReadNames(root fs.FS) *Names {
	return &Names{
		Tables:    readTable(root, "rt_tables", builtinTables),
		Protocols: readTable(root, "rt_protos", builtinProtocols),
		Scopes:    readTable(root, "rt_scopes", builtinScopes),
		Groups:    readTable(root, "group", builtinGroups),
		DSFields:  readTable(root, "rt_dsfield", builtinDSFields),
		Realms:    readTable(root, "rt_realms", builtinRealms),
	}
}

// NameTable translates between names and numbers. The zero value knows none.
type NameTable struct {
	numbers map[string]uint32
	names   map[uint32]string
}

// Number returns the number of a name.
func (t NameTable) Number(name string) (uint32, bool) {
	n, ok := t.numbers[name]
	return n, ok
}

// Name returns the name of a number.
func (t NameTable) Name(n uint32) (string, bool) {
	name, ok := t.names[n]
	return name, ok
}

// sorted returns the names, for suggestions.
func (t NameTable) sorted() []string { return slices.Sorted(maps.Keys(t.numbers)) }

// add enters a name; of two names of a number the later one is printed. A name
// that reads as a number is not taken: the number it looks like would be meant.
func (t *NameTable) add(n uint32, name string) {
	if _, err := strconv.ParseUint(name, 0, 64); err == nil {
		return
	}
	t.numbers[name] = n
	t.names[n] = name
}

func readTable(root fs.FS, file string, builtin map[uint32]string) NameTable {
	t := NameTable{numbers: map[string]uint32{}, names: map[uint32]string{}}
	for n, name := range builtin {
		t.add(n, name)
	}
	for _, dir := range nameDirs {
		if t.read(root, path.Join(dir, file)) {
			break
		}
	}
	seen := map[string]bool{}
	for _, dir := range nameDirs {
		entries, _ := fs.ReadDir(root, path.Join(dir, file+".d"))
		for _, e := range entries {
			if !strings.HasSuffix(e.Name(), ".conf") || seen[e.Name()] {
				continue
			}
			seen[e.Name()] = true
			t.read(root, path.Join(dir, file+".d", e.Name()))
		}
	}
	return t
}

// read enters the lines "NUMBER NAME" of a file and tells whether there is one.
// Lines that iproute2 would not understand are skipped, as it does.
func (t *NameTable) read(root fs.FS, file string) bool {
	data, err := fs.ReadFile(root, file)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		digits, base := words[0], 10
		if hex, ok := strings.CutPrefix(strings.ToLower(digits), "0x"); ok {
			digits, base = hex, 16
		}
		if n, err := strconv.ParseUint(digits, base, 32); err == nil {
			t.add(uint32(n), words[1])
		}
	}
	return true
}

// What iproute2 knows without its files.
var (
	builtinTables    = map[uint32]string{253: "default", 254: "main", 255: "local"}
	builtinScopes    = map[uint32]string{0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
	builtinRealms    = map[uint32]string{0: "unknown"}
	builtinGroups    = map[uint32]string{0: "default"}
	builtinProtocols = map[uint32]string{
		1: "redirect", 2: "kernel", 3: "boot", 4: "static", 8: "gated", 9: "ra", 10: "mrt", 11: "zebra",
		12: "bird", 13: "dnrouted", 14: "xorp", 15: "ntk", 16: "dhcp", 18: "keepalived", 42: "babel",
		99: "openr", 186: "bgp", 187: "isis", 188: "ospf", 189: "rip", 192: "eigrp",
	}
	builtinDSFields = map[uint32]string{
		0x00: "default", 0x20: "CS1", 0x28: "AF11", 0x30: "AF12", 0x38: "AF13", 0x40: "CS2", 0x48: "AF21", 0x50: "AF22",
		0x58: "AF23", 0x60: "CS3", 0x68: "AF31", 0x70: "AF32", 0x78: "AF33", 0x80: "CS4", 0x88: "AF41", 0x90: "AF42",
		0x98: "AF43", 0xa0: "CS5", 0xb8: "EF", 0xc0: "CS6", 0xe0: "CS7",
	}
)
