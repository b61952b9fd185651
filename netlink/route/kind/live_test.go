package kind_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/attr"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

// TestKernelDefaults makes a link of each kind with what it cannot do without:
// every default must be what the kernel reports.
func TestKernelDefaults(t *testing.T) {
	for _, r := range everyKind() {
		t.Run(r.name, func(t *testing.T) {
			tr := newTrial(t, r, nil)
			tr.make(base[r.name])
			have := tr.have()
			fields := have.Fields()
			for i := range fields {
				f := &fields[i]
				if _, given := base[r.name][f.Name]; given || f.Default == nil {
					continue
				}
				if f.Value.IsSet() && !f.IsDefault() {
					t.Errorf("%s is %v, not %v", f.Name, f.Value.Get(), f.Default)
				}
			}
			t.Logf("dumped: %v", kind.Minimal(have))
		})
	}
}

// TestKernelTakesRows goes through all rows of all kinds: a link is made with one
// value of the row, read back, and changed to another; when the kernel takes that
// must be what the row says.
func TestKernelTakesRows(t *testing.T) {
	for _, r := range everyKind() {
		t.Run(r.name, func(t *testing.T) {
			fields := r.new().Fields()
			for i := range fields {
				f := &fields[i]
				t.Run(f.Name, func(t *testing.T) { tryRow(t, r, f) })
			}
		})
	}
}

func tryRow(t *testing.T, r registered, f *attr.Field) {
	s := sampleOf(t, r.name, f)
	tr := newTrial(t, r, s.with)
	tr.skipUnsupported(f)
	tr.make(base[r.name], s.with, doc{f.Name: s.values[0]})
	tr.equal(base[r.name], s.with, doc{f.Name: s.values[0]})

	options := []doc{base[r.name], s.with, {f.Name: s.values[1]}}
	want, have := tr.want(options), tr.have()
	changes := kind.Diff(want, have)
	if len(changes) != 1 || changes[0].Name != f.Name {
		t.Fatalf("from %v to %v: %v", s.values[0], s.values[1], changes)
	}
	if changes[0].NoPorts {
		tr.withPorts(want, have, changes, options)
	}
	tr.up(true)
	err := tr.change(want, have, changes)
	tr.classify(changes[0], err, options)
}

// A trial is a link of one kind, or a port of a master of one kind, on a kernel.
type trial struct {
	*lab
	kind registered
}

// newTrial readies a lab; with is what the master of a port must have.
func newTrial(t *testing.T, r registered, with doc) *trial {
	tr := &trial{newLab(t), r}
	if !r.port {
		return tr
	}
	master, _ := kind.New(r.new().Name())
	for key, v := range with {
		if f, ok := master.Fields().Lookup(key); ok {
			tr.must(f.Value.Set(v))
		}
	}
	tr.must(tr.create(master))
	tr.lab.up("t0", true)
	for _, port := range []string{"p0", "q0"} {
		if kind.PortsJoinDown(master) {
			tr.lab.up(port, false)
		}
		tr.must(tr.enslave(port))
	}
	return tr
}

// make makes the link, or sets the port, with the given options.
func (tr *trial) make(options ...doc) {
	tr.Helper()
	if tr.kind.port {
		want := tr.want(options)
		tr.must(tr.change(want, tr.have(), kind.Diff(want, tr.have())))
		return
	}
	want := build(tr, tr.kind, options...)
	tr.must(tr.create(want))
	tr.late(want)
}

// own leaves out what the options say about the master.
func (tr *trial) own(options []doc) []doc {
	var list []doc
	for _, o := range options {
		mine := doc{}
		for key, v := range o {
			if _, ok := tr.kind.new().Fields().Lookup(key); ok {
				mine[key] = v
			}
		}
		list = append(list, mine)
	}
	return list
}

// late sets the rows that name ports, after those have joined.
func (tr *trial) late(want kind.Kind) {
	tr.Helper()
	var changes []attr.Change
	fields := want.Fields()
	for i := range fields {
		if fields[i].Late && fields[i].Value.IsSet() {
			changes = append(changes, attr.Change{Name: fields[i].Name})
		}
	}
	if len(changes) == 0 {
		return
	}
	for _, port := range []string{"p0", "q0"} {
		tr.lab.up(port, false)
		tr.must(tr.enslave(port))
	}
	tr.lab.up("t0", true)
	tr.must(tr.change(want, tr.have(), changes))
}

func (tr *trial) have() kind.Kind {
	tr.Helper()
	if tr.kind.port {
		return tr.havePort(tr.kind.new)
	}
	return tr.lab.have(tr.kind.new)
}

func (tr *trial) change(want, have kind.Kind, changes []attr.Change) error {
	tr.Helper()
	tr.lab.resolve(want)
	if tr.kind.port {
		return tr.changePort(want, have, changes)
	}
	return tr.lab.change(want, have, changes)
}

func (tr *trial) resolve(k kind.Kind) {
	tr.Helper()
	tr.lab.resolve(k)
}

func (tr *trial) up(on bool) {
	tr.Helper()
	tr.lab.up("t0", on)
}

// want returns what the options say, with indexes. Those that are about the
// master of a port are left out.
func (tr *trial) want(options []doc) kind.Kind {
	tr.Helper()
	if tr.kind.port {
		options = tr.own(options)
	}
	k := build(tr, tr.kind, options...)
	tr.resolve(k)
	return k
}

// equal checks that the kernel has what the options say.
func (tr *trial) equal(options ...doc) {
	tr.Helper()
	if changes := tr.differ(options); len(changes) > 0 {
		tr.Fatalf("made, but still to do: %v", changes)
	}
}

func (tr *trial) differ(options []doc) []attr.Change {
	tr.Helper()
	return kind.Diff(tr.want(options), tr.have())
}

// withPorts checks that the kernel refuses a change while there is a port.
func (tr *trial) withPorts(want, have kind.Kind, changes []attr.Change, options []doc) {
	tr.Helper()
	tr.lab.up("p0", false)
	tr.must(tr.enslave("p0"))
	err := tr.change(want, have, changes)
	if err == nil && len(tr.differ(options)) == 0 {
		tr.Errorf("without ports, but the kernel took the change with one")
	}
	tr.Logf("with a port: %v", err)
	tr.must(tr.newLink(&route.LinkChange{Index: tr.link("p0").Index, Master: new(int32(0))}, 0))
}

// classify compares what the kernel did with a change, while the link is up,
// with what its row says.
func (tr *trial) classify(c attr.Change, err error, options []doc) {
	tr.Helper()
	todo := tr.differ(options)
	done := err == nil && len(todo) == 0
	switch c.When {
	case attr.Live:
		if !done {
			tr.Errorf("live: %v, still to do: %v", err, todo)
		}
	case attr.AtCreation:
		tr.Logf("while up: %v", err)
		tr.up(false)
		want, have := tr.want(options), tr.have()
		err := tr.change(want, have, kind.Diff(want, have))
		if done || len(tr.differ(options)) == 0 {
			tr.Errorf("at creation, but the kernel took the change")
		}
		tr.Logf("while down: %v", err)
	case attr.WhileDown:
		if done || !errors.Is(err, unix.EBUSY) {
			tr.Errorf("while down, but while up: %v, still to do: %v", err, todo)
		}
		tr.up(false)
		want, have := tr.want(options), tr.have()
		err := tr.change(want, have, kind.Diff(want, have))
		if todo := tr.differ(options); err != nil || len(todo) > 0 {
			tr.Errorf("while down: %v, still to do: %v", err, todo)
		}
	}
}

// skipUnsupported skips the test of a row that the kernel does not have.
func (tr *trial) skipUnsupported(f *attr.Field) {
	tr.Helper()
	if needs := since[tr.kind.name+"."+f.Name]; needs != "" && kernel(tr) < needs {
		tr.Skipf("Linux %s has it, this is %s", needs, kernel(tr))
	}
	if strings.HasPrefix(f.Name, "encap") && !tr.hasFOU() {
		tr.Skip("the kernel has no module fou")
	}
	if !slices.Contains(optional[tr.kind.name], f.Name) {
		return
	}
	if !tr.kind.port {
		tr.make(base[tr.kind.name])
		defer func() {
			tr.must(tr.conn.Do(context.Background(), unix.RTM_DELLINK, 0, &route.LinkChange{Name: new("t0")}))
		}()
	}
	name := f.Name
	if tr.kind.name == "bridge" && (strings.HasPrefix(name, "vlan_") || name == "mcast_vlan_snooping" || name == "mst_enabled") {
		name = "vlan_protocol" // the others are reported, but cannot be set
	}
	if row, _ := tr.have().Fields().Lookup(name); !row.Value.IsSet() {
		tr.Skip("the kernel does not report it")
	}
}

// hasFOU loads the module: the kernel does not do it for a tunnel.
func (tr *trial) hasFOU() bool {
	tr.Helper()
	_ = exec.Command("modprobe", "fou").Run()
	b, err := os.ReadFile("/proc/modules")
	return err == nil && strings.Contains("\n"+string(b), "\nfou ")
}

// kernel returns the version as one that sorts: 6.01, 6.12.
func kernel(t testing.TB) string {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &major, &minor); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d.%02d", major, minor)
}

// since names the rows that old kernels take with "ok" and do not report.
var since = map[string]string{"bridge_slave.backup_nhid": "6.06", "macvlan.bclim": "6.04"}

// optional names the rows that a kernel of the matrix lacks: an old one, or one
// without CONFIG_BRIDGE_VLAN_FILTERING.
var optional = map[string][]string{
	"bridge": {"fdb_max_learned", "fdb_local_vlan_0", "mdb_offload_fail_notification",
		"vlan_filtering", "vlan_protocol", "vlan_default_pvid", "vlan_stats_enabled", "vlan_stats_per_port",
		"mst_enabled", "mcast_vlan_snooping"},
	"bridge_slave": {"mab", "mcast_max_groups", "neigh_vlan_suppress"},
	"vxlan":        {"localbypass", "reserved_bits"},
	"bond":         {"coupled_control"},
	"bond_slave":   {"actor_port_prio"},
}
