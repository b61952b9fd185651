package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/nlapply/nlapply/netlink/audit"
)

// auditSetting is a setting that the kernel has another value of.
type auditSetting struct {
	key        string // under audit
	path       string // where it is declared
	have, want string
	change     audit.Settings
}

// auditWords are the document's words for the values of some settings.
var auditWords = map[string][]string{
	"enabled": {"false", "true", "locked"}, "failure": {"silent", "printk", "panic"},
}

func auditWord(key string, value uint32) string {
	if words := auditWords[key]; int(value) < len(words) {
		return words[value]
	}
	return strconv.FormatUint(uint64(value), 10)
}

// compareSettings returns the settings of which the kernel has other values.
func compareSettings(want *audit.Settings, have *audit.Status, features *audit.Features) (list []auditSetting) {
	add := func(key string, have uint32, want *uint32, set func(*audit.Settings, *uint32)) {
		if want == nil || *want == have {
			return
		}
		st := auditSetting{key: key, have: auditWord(key, have), want: auditWord(key, *want)}
		set(&st.change, want)
		list = append(list, st)
	}
	add("failure", have.Failure, want.Failure, func(s *audit.Settings, v *uint32) { s.Failure = v })
	add("rate_limit", have.RateLimit, want.RateLimit, func(s *audit.Settings, v *uint32) { s.RateLimit = v })
	add("backlog_limit", have.BacklogLimit, want.BacklogLimit, func(s *audit.Settings, v *uint32) { s.BacklogLimit = v })
	add("backlog_wait_time", have.BacklogWaitTime, want.BacklogWaitTime, func(s *audit.Settings, v *uint32) { s.BacklogWaitTime = v })
	if want.LoginUIDImmutable != nil && *want.LoginUIDImmutable != features.LoginUIDImmutable {
		st := auditSetting{key: "loginuid_immutable", have: strconv.FormatBool(features.LoginUIDImmutable), want: strconv.FormatBool(*want.LoginUIDImmutable)}
		st.change.LoginUIDImmutable = want.LoginUIDImmutable
		list = append(list, st)
	}
	add("enabled", have.Enabled, want.Enabled, func(s *audit.Settings, v *uint32) { s.Enabled = v })
	return list
}

// planSettings compares the declared settings with the kernel's.
func (t *auditTable) planSettings(ctx context.Context, s *Scope, c *audit.Conn) error {
	want := s.auditSettings()
	t.settings, t.locked = nil, false
	if s.deleting() || want.IsEmpty() && !t.manages(s) {
		return nil
	}
	have, err := c.Status(ctx)
	if err != nil {
		return err
	}
	t.status, t.locked = have, have.Enabled == audit.EnabledLocked
	var features audit.Features
	if want.LoginUIDImmutable != nil {
		if features, err = c.Features(ctx); err != nil {
			return err
		}
	}
	t.settings = compareSettings(&want, &have, &features)
	for i := range t.settings {
		t.settings[i].path = s.auditSettingPath(t.settings[i].key)
	}
	t.settings = slices.DeleteFunc(t.settings, func(st auditSetting) bool {
		return s.run.holds(st.step().Subject())
	})
	return nil
}

func (st *auditSetting) step() Step {
	return Step{
		Action: Change, Class: AuditClass, Object: st.key, Path: st.path,
		Fields: []FieldChange{{"", st.have, st.want}},
	}
}

// isLast tells whether nothing can be changed after it.
func (st *auditSetting) isLast() bool {
	return st.change.Enabled != nil && *st.change.Enabled == audit.EnabledLocked
}

// set changes the settings that are due: the lock when everything else was done.
func (t *auditTable) set(ctx context.Context, s *Scope, c *audit.Conn, last bool, report reporter) error {
	for i := range t.settings {
		st := &t.settings[i]
		if st.isLast() != last {
			continue
		}
		if last {
			if err := t.ready(ctx, s, c); err != nil {
				report.refused(st.step(), err)
				continue
			}
		}
		err := c.Set(ctx, &st.change)
		s.run.mayHaveWritten(err)
		switch {
		case err == nil:
			report.done(1)
		case ctx.Err() != nil:
			return err
		default:
			t.refused = true
			report.refused(st.step(), err)
		}
	}
	return nil
}

// ready looks once more, before the lock: a mistake would last until the next boot.
func (t *auditTable) ready(ctx context.Context, s *Scope, c *audit.Conn) error {
	check := auditTable{declared: t.declared}
	have, err := listAudit(ctx, c)
	if err != nil {
		return err
	}
	if err := check.plan(s, have); err != nil {
		return err
	}
	if n := len(check.changes) + len(check.pending); n > 0 {
		return fmt.Errorf("%d rules are not as declared, and could not be changed after it", n)
	}
	return nil
}
