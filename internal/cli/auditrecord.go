package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/audit"
)

// auditEvent is an event in JSON.
type auditEvent struct {
	Time       time.Time     `json:"time"`
	Serial     uint64        `json:"serial"`
	Incomplete bool          `json:"incomplete,omitempty"`
	Keys       []string      `json:"keys,omitempty"`
	Records    []auditRecord `json:"records"`
}

// auditRecord is a record in JSON: what it says, and what its numbers mean.
type auditRecord struct {
	Type    string       `json:"type"`
	Arch    string       `json:"arch,omitempty"`
	Syscall string       `json:"syscall,omitempty"`
	Error   string       `json:"error,omitempty"` // EACCES, of a system call
	Args    []string     `json:"args,omitempty"`
	Address string       `json:"address,omitempty"`
	Path    string       `json:"path,omitempty"` // of a local socket
	Fields  recordFields `json:"fields"`
	Raw     string       `json:"raw,omitempty"`
}

// recordFields are the fields of a record, in their order.
type recordFields struct{ audit.Record }

// MarshalJSON writes an object of which the first one of each key counts.
func (f recordFields) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	b.WriteByte('{')
	seen := map[string]bool{}
	for key, value := range f.Fields() {
		if seen[key] {
			continue
		}
		if len(seen) > 0 {
			b.WriteByte(',')
		}
		seen[key] = true
		e.Encode(key) // strings do not fail
		b.WriteByte(':')
		e.Encode(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func describeEvent(e *audit.Event, raw bool) auditEvent {
	d := auditEvent{Time: e.Time, Serial: e.Serial, Incomplete: e.Incomplete}
	for _, r := range e.Records {
		for _, key := range r.Keys() {
			if !slices.Contains(d.Keys, key) {
				d.Keys = append(d.Keys, key)
			}
		}
		d.Records = append(d.Records, describeRecord(r, raw))
	}
	return d
}

func describeRecord(r audit.Record, raw bool) auditRecord {
	d := auditRecord{Type: logType(r.Type), Args: r.Args(), Fields: recordFields{r}}
	if arch, nr, ok := systemCall(r); ok {
		d.Arch = arch.String()
		d.Syscall, _ = arch.SyscallName(nr)
	}
	if exit, ok := r.Get("exit"); ok {
		d.Error = strings.TrimPrefix(errorOf(exit), "-")
	}
	if a, ok := r.SockAddr(); ok {
		d.Path = a.Path
		if a.AddrPort.IsValid() {
			d.Address = a.AddrPort.String()
		}
	}
	if raw {
		d.Raw = r.Text
	}
	return d
}

// systemCall returns what call a record is of.
func systemCall(r audit.Record) (arch audit.Arch, nr int, ok bool) {
	name, _ := r.Get("arch")
	digits, _ := r.Get("syscall")
	arch, archErr := audit.ParseArch(name, audit.Native())
	nr, err := strconv.Atoi(digits)
	return arch, nr, archErr == nil && err == nil
}

// errorOf is the name of the error that the result of a system call is, as -EACCES, "" of
// no error.
func errorOf(exit string) string {
	n, err := strconv.Atoi(exit)
	if err != nil || n >= 0 {
		return ""
	}
	name, ok := audit.ErrnoName(-n)
	if !ok {
		return ""
	}
	return "-" + name
}

// eventText is an event for people: a line, and a further one for each further record.
func eventText(e *audit.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d ", e.Time.Local().Format("2006-01-02 15:04:05.000"), e.Serial)
	if e.Incomplete {
		b.WriteString("(incomplete) ")
	}
	for i, r := range e.Records {
		if i > 0 {
			b.WriteString("  ")
		}
		b.WriteString(logType(r.Type))
		for key, value := range recordText(r) {
			b.WriteString(" " + printable(key) + "=" + value)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// recordText are the fields of a record as they are shown: with names for numbers.
func recordText(r audit.Record) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		arch, nr, isCall := systemCall(r)
		for key, value := range r.Fields() {
			text := printable(value)
			switch {
			case key == "msg" && r.Type < unix.AUDIT_SYSCALL:
				continue // its fields follow
			case key == "arch" && isCall:
				text = arch.String()
			case key == "syscall" && isCall:
				if name, ok := arch.SyscallName(nr); ok {
					text = name
				}
			case key == "exit" && errorOf(value) != "":
				text = errorOf(value)
			case value == "4294967295" && (key == "auid" || key == "ses"):
				text = "unset"
			case key == "saddr":
				text = addressText(r, text)
			case key == "proctitle":
				text = printable(strings.Join(r.Args(), " "))
			case key == "key":
				text = printable(strings.Join(r.Keys(), ","))
			}
			if !yield(key, text) {
				return
			}
		}
	}
}

func addressText(r audit.Record, digits string) string {
	a, ok := r.SockAddr()
	switch {
	case ok && a.AddrPort.IsValid():
		return a.AddrPort.String()
	case ok && a.Path != "":
		return printable(a.Path)
	}
	return digits
}

// printable quotes what a terminal would not show as it is, or that would not be one word.
func printable(s string) string {
	plain := func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' || r == '"' }
	if s != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, plain) {
		return s
	}
	return strconv.Quote(s)
}

// writeJSON prints a line of JSON, and tells when nobody reads it.
func (a *app) writeJSON(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
