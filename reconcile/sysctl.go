package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// sysctlTable implements table for sysctls, which are files and no netlink: the
// ones of a namespace, or those of its links. It never writes what is right, and
// never forgets what is no longer declared: a sysctl has no maker.
type sysctlTable struct {
	perLink  bool
	root     string
	declared []sysctl
	pending  []int // of declared, what has to be written
}

// sysctl is one declared value.
type sysctl struct {
	name string // in full: net.ipv4.ip_forward
	link string // "" for one of the namespace
	key  string // under the link: ipv4.forwarding
	want string
	have string
	// known says that have was read. The files of a link, and of a namespace, to
	// come are not there yet.
	known bool
	// reset is the declared sysctl that will set this one to another value.
	reset string
	held  bool // is left as it is for now
}

func newSysctlTable(perLink bool) table { return &sysctlTable{perLink: perLink, root: "/proc/sys"} }

func (*sysctlTable) class() string { return "sysctl" }

// groups are those that report forwarding, rp_filter and a few others.
func (*sysctlTable) groups() []uint32 {
	return []uint32{unix.RTNLGRP_IPV4_NETCONF, unix.RTNLGRP_IPV6_NETCONF}
}

func (t *sysctlTable) len() int { return len(t.pending) }

func (*sysctlTable) relocate(func(int32) int32) {}

func (t *sysctlTable) reset(bool) { t.pending = nil }

func (*sysctlTable) describe(*Scope, *spec.Namespace, bool) {}

func (t *sysctlTable) declare(s *Scope) error {
	t.declared = nil
	switch {
	case s.Spec == nil || s.deleting():
	case t.perLink:
		for _, link := range sortedKeys(s.Spec.Links) {
			values := s.Spec.Links[link].Sysctl
			if len(values) > 0 && s.mustWait(link) {
				continue
			}
			for _, key := range sortedKeys(values) {
				t.declared = append(t.declared, sysctl{name: spec.LinkSysctl(link, key), link: link, key: key, want: values[key]})
			}
		}
	default:
		for name, want := range s.Spec.Sysctl {
			t.declared = append(t.declared, sysctl{name: name, want: want})
		}
		slices.SortFunc(t.declared, func(a, b sysctl) int {
			return cmp.Or(cmp.Compare(sysctlRank(a.name), sysctlRank(b.name)), cmp.Compare(a.name, b.name))
		})
	}
	return nil
}

// sysctlRank puts first what changes others: ip_forward resets much of conf.*
// (net/ipv4/devinet.c, inet_forward_change), all.* reaches every link, and
// default.* every link to come.
func sysctlRank(name string) int {
	switch {
	case name == "net.ipv4.ip_forward":
		return 0
	case strings.Contains(name, ".conf.all."):
		return 1
	case strings.Contains(name, ".conf.default."):
		return 2
	}
	return 3
}

func (t *sysctlTable) observe(_ context.Context, s *Scope, _ []LinkEvent) error {
	t.pending = nil
	if len(t.declared) == 0 {
		return nil
	}
	var errs spec.Errors
	look := func() error {
		for i := range t.declared {
			v := &t.declared[i]
			if err := t.look(s, v); err != nil && !s.run.holds(v.step(s).Subject()) {
				errs = append(errs, s.run.doc.Errorf(v.path(s), "%v", err))
			}
		}
		return nil
	}
	if s.Exists {
		if err := s.do(look); err != nil {
			return err
		}
	}
	if len(errs) > 0 {
		return errs
	}
	for i := range t.declared {
		v := &t.declared[i]
		v.held = false
		if v.reset = t.resetBy(s, v); v.reset != "" || !equalSysctl(v.want, v.have) {
			if v.held = s.run.holds(v.step(s).Subject()); !v.held {
				t.pending = append(t.pending, i)
			}
		}
	}
	return nil
}

// look reads the present value, or the one that a link to come will have.
func (t *sysctlTable) look(s *Scope, v *sysctl) (err error) {
	v.have, v.known = "", false
	k := s.Link(s.Index(v.link))
	if v.link == "" || k != nil {
		name := v.name
		if v.link != "" {
			name = spec.LinkSysctl(k.Name, v.key)
		}
		v.have, err = t.read(name)
		if err == nil {
			v.known = true
			return nil
		}
		if v.link == "" || !errors.Is(err, fs.ErrNotExist) || !lacksIPv6(k) {
			return sysctlError(err)
		}
	}
	return t.foresee(s, v)
}

// lacksIPv6 tells whether a link has no IPv6 because its MTU is too small, so
// that its sysctls are not there.
func lacksIPv6(k *route.Link) bool { return k.MTU < minIPv6MTU }

// foresee takes what the kernel gives to new links: default.*, as it will be.
func (t *sysctlTable) foresee(s *Scope, v *sysctl) error {
	name := spec.LinkSysctl("default", v.key)
	have, err := t.read(name)
	if err != nil {
		return sysctlError(err)
	}
	if by, value := t.propagated(s, name); by != "" {
		have = value
	}
	if declared, ok := s.Spec.Sysctl[name]; ok {
		have = declared
	}
	if equalSysctl(v.want, have) {
		v.have = have
	}
	return nil
}

// resetBy returns the declared sysctl whose change takes the value of v away.
func (t *sysctlTable) resetBy(s *Scope, v *sysctl) string {
	if by, value := t.propagated(s, v.name); v.known && by != "" && !equalSysctl(v.want, value) {
		return by
	}
	return ""
}

// propagated returns the declared sysctl that will be changed and with it another
// one, and the value that it gives to that.
func (t *sysctlTable) propagated(s *Scope, name string) (by, value string) {
	family, rest, _ := strings.Cut(strings.TrimPrefix(name, "net."), ".conf.")
	link, key, _ := strings.Cut(rest, ".")
	if link == "all" || !slices.Contains(propagating[family], key) {
		return "", ""
	}
	all := []string{"net." + family + ".conf.all." + key}
	if family == "ipv4" {
		all = append(all, "net.ipv4.ip_forward")
	}
	for _, by := range all {
		want, declared := s.Spec.Sysctl[by]
		if have, err := t.read(by); declared && err == nil && !equalSysctl(want, have) {
			return by, want
		}
	}
	return "", ""
}

// propagating are the sysctls of which a change of conf.all is one of every link
// and of conf.default (net/ipv4/devinet.c, inet_forward_change;
// net/ipv6/addrconf.c, addrconf_forward_change and the like).
var propagating = map[string][]string{
	"ipv4": {"forwarding"},
	"ipv6": {"forwarding", "disable_ipv6", "ignore_routes_with_linkdown", "addr_gen_mode"},
}

func (t *sysctlTable) steps(s *Scope) iter.Seq[Step] {
	return func(yield func(Step) bool) {
		for _, i := range t.pending {
			if !yield(t.declared[i].step(s)) {
				return
			}
		}
	}
}

func (v *sysctl) step(s *Scope) Step {
	st := Step{Action: Change, Namespace: s.Name, Class: "sysctl", Object: v.name, Path: v.path(s)}
	switch {
	case v.known && v.reset != "" && equalSysctl(v.want, v.have):
		st.Object, st.Note = v.name+" "+v.want, v.reset+" changes it, set again"
	case v.known:
		st.Fields = []FieldChange{{"", v.have, v.want}}
	default:
		st.Action, st.Object = Create, v.name+" "+v.want
	}
	return st
}

func (v *sysctl) path(s *Scope) string {
	if v.link != "" {
		return spec.Path(s.Name, "links", v.link, "sysctl", v.key)
	}
	return spec.Path(s.Name, "sysctl", v.name)
}

// execute reads every value again before it writes: one that was right may have
// been changed by one before it, and the other way round.
func (t *sysctlTable) execute(_ context.Context, s *Scope, ph phase, report reporter) error {
	if ph != adding {
		return nil
	}
	return s.do(func() error {
		for i := range t.declared {
			v := &t.declared[i]
			if v.held {
				continue
			}
			_, planned := slices.BinarySearch(t.pending, i)
			switch err := t.make(s, v); {
			case err != nil:
				report.refused(v.step(s), sysctlError(err))
			case planned:
				report.done(1)
			}
		}
		return nil
	})
}

// make brings the value about. A link has the declared name by now, unless it is
// declared by an alternative one.
func (t *sysctlTable) make(s *Scope, v *sysctl) error {
	name := v.name
	have, err := t.read(name)
	if k := s.links.byName[v.link]; k != nil && errors.Is(err, fs.ErrNotExist) {
		name = spec.LinkSysctl(k.Name, v.key)
		have, err = t.read(name)
	}
	if err != nil || equalSysctl(v.want, have) {
		return err
	}
	f, err := os.OpenFile(t.file(name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(v.want + "\n")
	return errors.Join(err, f.Close())
}

func (t *sysctlTable) file(name string) string {
	return filepath.Join(t.root, filepath.FromSlash(spec.SysctlPath(name)))
}

func (t *sysctlTable) read(name string) (string, error) {
	b, err := os.ReadFile(t.file(name))
	if errors.Is(err, unix.EIO) {
		return "", nil // net/ipv6/addrconf.c, addrconf_sysctl_stable_secret: not set
	}
	return strings.Join(strings.Fields(string(b)), " "), err
}

// sysctlError says what an errno means for a sysctl.
func sysctlError(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no such sysctl: %w", errnoOf(err))
	case errors.Is(err, unix.EROFS):
		return fmt.Errorf("/proc/sys is read-only here: %w", errnoOf(err))
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ERANGE):
		return fmt.Errorf("the kernel refuses the value: %w", errnoOf(err))
	}
	return errnoOf(err)
}

// errnoOf returns the cause of a file's error: the message names the sysctl.
func errnoOf(err error) error {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}

// equalSysctl compares values as the kernel reads them: words between blanks,
// numbers in any base (kernel/sysctl.c, proc_get_long).
func equalSysctl(want, have string) bool {
	w, h := strings.Fields(want), strings.Fields(have)
	return slices.EqualFunc(w, h, func(a, b string) bool {
		if a == b {
			return true
		}
		x, errX := strconv.ParseInt(a, 0, 64)
		y, errY := strconv.ParseInt(b, 0, 64)
		return errX == nil && errY == nil && x == y
	})
}
