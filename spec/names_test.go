package spec

import (
	"testing"
	"testing/fstest"
)

func TestReadNames(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	n := ReadNames(fstest.MapFS{
		"etc/iproute2/rt_tables":                 file("# comment\n100\tblue # ours\n0x65 green\n200 300\nbad line\n256\n\n"),
		"usr/share/iproute2/rt_tables":           file("102 hidden\n"),
		"etc/iproute2/rt_tables.d/a.conf":        file("103 red\n104 old\n"),
		"etc/iproute2/rt_tables.d/b.txt":         file("105 no\n"),
		"usr/lib/iproute2/rt_tables.d/a.conf":    file("106 no\n"),
		"usr/share/iproute2/rt_tables.d/z.conf":  file("104 new\n"),
		"usr/share/iproute2/rt_protos":           file("111 edge\n"),
		"etc/iproute2/group":                     file("1 uplinks\n"),
		"etc/iproute2/rt_dsfield":                file("0x28 AF11\n"),
		"etc/iproute2/rt_realms":                 file("5 lab\n"),
		"etc/iproute2/rt_scopes/not-a-file/deep": file(""),
	})
	for _, test := range []struct {
		table  *NameTable
		name   string
		number uint32
	}{
		{&n.Tables, "blue", 100}, {&n.Tables, "green", 101}, {&n.Tables, "main", 254}, {&n.Tables, "red", 103}, {&n.Tables, "new", 104},
		{&n.Protocols, "edge", 111}, {&n.Protocols, "kernel", 2}, {&n.Scopes, "link", 253}, {&n.Groups, "uplinks", 1},
		{&n.Groups, "default", 0}, {&n.DSFields, "AF11", 0x28}, {&n.Realms, "lab", 5},
	} {
		if got, ok := test.table.Number(test.name); !ok || got != test.number {
			t.Errorf("%s is %d, want %d", test.name, got, test.number)
		}
		if got, ok := test.table.Name(test.number); !ok || got != test.name {
			t.Errorf("%d is %q, want %q", test.number, got, test.name)
		}
	}
	if got, _ := n.Tables.Number("old"); got != 104 {
		t.Errorf("a number's first name is %d", got)
	}
	for _, name := range []string{"hidden", "no", "300", "ours"} {
		if got, ok := n.Tables.Number(name); ok {
			t.Errorf("%s is %d", name, got)
		}
	}
	if _, ok := (NameTable{}).Number("main"); ok {
		t.Error("the zero table knows main")
	}
}
