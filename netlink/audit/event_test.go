package audit

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// recordOf is a record of the event with a serial number, at some time after the first.
func recordOf(typ MessageType, serial uint64, after time.Duration) Record {
	when := time.Unix(1700000000, 0).Add(after).UTC()
	text := fmt.Sprintf("audit(%d.%03d:%d): x=1", when.Unix(), when.Nanosecond()/1e6, serial)
	return Record{Type: typ, Time: when, Serial: serial, Text: text}
}

// recordsOf yields records, and errors where there is one.
func recordsOf(all ...any) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, x := range all {
			r, _ := x.(Record)
			err, _ := x.(error)
			if !yield(r, err) {
				return
			}
		}
	}
}

// toldEvents is what Assemble yields, a line for each.
func toldEvents(events iter.Seq2[Event, error]) (lines []string) {
	for e, err := range events {
		if err != nil {
			lines = append(lines, err.Error())
			continue
		}
		var line strings.Builder
		fmt.Fprintf(&line, "%d:", e.Serial)
		for _, r := range e.Records {
			if r.Serial != e.Serial || !r.Time.Equal(e.Time) {
				line.WriteString(" FOREIGN")
			}
			fmt.Fprintf(&line, " %d", r.Type)
		}
		if e.Incomplete {
			line.WriteString(" incomplete")
		}
		lines = append(lines, line.String())
	}
	return lines
}

const (
	typeCall  = MessageType(unix.AUDIT_SYSCALL)       // 1300
	typePath  = MessageType(unix.AUDIT_PATH)          // 1302
	typeConf  = MessageType(unix.AUDIT_CONFIG_CHANGE) // 1305
	typeTitle = MessageType(unix.AUDIT_PROCTITLE)     // 1327
	typeEOE   = MessageType(unix.AUDIT_EOE)           // 1320
	typeAVC   = MessageType(unix.AUDIT_AVC)           // 1400
	typeUser  = MessageType(1112)                     // USER_LOGIN
)

func TestAssemble(t *testing.T) {
	lost := fmt.Errorf("%w: test", netlink.ErrOverrun)
	bad := fmt.Errorf("bad: %w", unix.EBADMSG)
	for _, c := range []struct {
		name string
		in   []any
		want []string
	}{
		{"nothing", nil, nil},
		{"system call", []any{recordOf(typeCall, 1, 0), recordOf(typePath, 1, 0), recordOf(typeTitle, 1, 0), recordOf(typeEOE, 1, 0)}, []string{"1: 1300 1302 1327"}},
		{"without a title", []any{recordOf(typeCall, 1, 0), recordOf(typePath, 1, 0), recordOf(typeEOE, 1, 0)}, []string{"1: 1300 1302"}},
		{"a log has no EOE", []any{recordOf(typeCall, 1, 0), recordOf(typeTitle, 1, 0), recordOf(typeCall, 2, 0), recordOf(typeTitle, 2, 0)}, []string{"1: 1300 1327", "2: 1300 1327"}},
		{"mixed", []any{recordOf(typeCall, 1, 0), recordOf(typeCall, 2, 0), recordOf(typePath, 1, 0), recordOf(typeTitle, 2, 0), recordOf(typeEOE, 2, 0), recordOf(typeTitle, 1, 0), recordOf(typeEOE, 1, 0)},
			[]string{"2: 1300 1327", "1: 1300 1302 1327"}},
		{"same serial, other time", []any{recordOf(typeCall, 1, 0), recordOf(typeCall, 1, time.Millisecond), recordOf(typeEOE, 1, 0), recordOf(typeEOE, 1, time.Millisecond)}, []string{"1: 1300", "1: 1300"}},
		{"first what was found", []any{recordOf(typeAVC, 1, 0), recordOf(typeConf, 1, 0), recordOf(typeCall, 1, 0), recordOf(typeTitle, 1, 0)}, []string{"1: 1400 1305 1300 1327"}},
		{"message of a program", []any{recordOf(typeCall, 1, 0), recordOf(typeUser, 2, 0), recordOf(typeTitle, 1, 0)}, []string{"2: 1112", "1: 1300 1327"}},
		{"of an open event", []any{recordOf(typeCall, 1, 0), recordOf(typeUser, 1, 0), recordOf(typeEOE, 1, 0)}, []string{"1: 1300 1112"}},
		{"other ones alone", []any{recordOf(1200, 1, 0), recordOf(2000, 2, 0), recordOf(2100, 3, 0)}, []string{"1: 1200", "2: 2000", "3: 2100"}},
		{"login of a system call", []any{recordOf(1006, 1, 0), recordOf(typeCall, 1, 0), recordOf(typeTitle, 1, 0)}, []string{"1: 1006 1300 1327"}},
		{"no end, no system call", []any{recordOf(typeConf, 1, 0), recordOf(typeUser, 2, 0)}, []string{"2: 1112", "1: 1305"}},
		{"no end", []any{recordOf(typeCall, 1, 0), recordOf(typePath, 1, 0)}, []string{"1: 1300 1302 incomplete"}},
		{"too old", []any{recordOf(typeConf, 1, 0), recordOf(typeCall, 2, time.Second), recordOf(typeUser, 3, 2*time.Second), recordOf(typeEOE, 2, time.Second)},
			[]string{"1: 1305", "3: 1112", "2: 1300"}},
		{"an old stamp is not old", []any{recordOf(typeUser, 1, time.Minute), recordOf(typeCall, 2, 0), recordOf(typeUser, 3, time.Minute), recordOf(typeTitle, 2, 0)},
			[]string{"1: 1112", "3: 1112", "2: 1300 1327"}},
		{"only an end", []any{recordOf(typeEOE, 1, 0)}, nil},
		{"overrun", []any{recordOf(typeCall, 1, 0), recordOf(typeCall, 2, 0), recordOf(typeTitle, 2, 0), lost, recordOf(typeTitle, 1, 0), recordOf(typeUser, 3, 0)},
			[]string{"2: 1300 1327", lost.Error(), "1: 1300 1327 incomplete", "3: 1112"}},
		{"begun in an overrun", []any{lost, recordOf(typePath, 1, 0), recordOf(typeTitle, 1, 0), recordOf(typeCall, 2, 0), recordOf(typeEOE, 2, 0), recordOf(typeConf, 3, 0)},
			[]string{lost.Error(), "1: 1302 1327 incomplete", "2: 1300", "3: 1305"}},
		{"long after an overrun", []any{lost, recordOf(typeUser, 1, 0), recordOf(typePath, 2, 3*time.Second), recordOf(typeEOE, 2, 3*time.Second)},
			[]string{lost.Error(), "1: 1112", "2: 1302"}},
		{"an unreadable one", []any{recordOf(typeCall, 1, 0), bad, recordOf(typeEOE, 1, 0)}, []string{bad.Error(), "1: 1300"}},
		{"an error", []any{recordOf(typeCall, 1, 0), recordOf(typeConf, 2, 0), io.ErrClosedPipe, recordOf(typeUser, 3, 0)},
			[]string{"1: 1300 incomplete", "2: 1305", io.ErrClosedPipe.Error()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, toldEvents(Assemble(recordsOf(c.in...)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAssembleNodes(t *testing.T) {
	a, b := recordOf(typeCall, 1, 0), recordOf(typeCall, 1, 0)
	a.Node, b.Node = "a", "b"
	end := b
	end.Type = typeTitle
	var nodes []string
	for e, err := range Assemble(recordsOf(a, b, end)) {
		if err != nil || e.Node != e.Records[0].Node {
			t.Errorf("%+v, %v", e, err)
		}
		nodes = append(nodes, e.Node)
	}
	if diff := cmp.Diff([]string{"b", "a"}, nodes); diff != "" {
		t.Error(diff)
	}
}

// Too many open events push out the oldest.
func TestAssembleBound(t *testing.T) {
	var in []any
	for n := range uint64(maxOpen + 2) {
		in = append(in, recordOf(typeCall, n+1, 0))
	}
	in = append(in, io.EOF)
	n := uint64(0)
	for e, err := range Assemble(recordsOf(in...)) {
		if errors.Is(err, io.EOF) {
			break
		}
		if n++; e.Serial != n || !e.Incomplete {
			t.Fatalf("event %d: %+v", n, e)
		}
	}
	if n != maxOpen+2 {
		t.Errorf("%d events", n)
	}
}

// An iteration can be left at any event and any error.
func TestAssembleLeft(t *testing.T) {
	in := []any{recordOf(typeCall, 1, 0), recordOf(typeUser, 2, 0), fmt.Errorf("%w", netlink.ErrOverrun), recordOf(typeTitle, 1, 0), recordOf(typeConf, 3, 0), recordOf(typeConf, 4, 0), io.EOF}
	total := len(toldEvents(Assemble(recordsOf(in...))))
	if total != 6 {
		t.Fatalf("%d yields", total)
	}
	for stop := range total {
		n := 0
		for range Assemble(recordsOf(in...)) {
			if n++; n > stop {
				break
			}
		}
		if n != stop+1 {
			t.Errorf("%d yields after leaving at %d", n, stop)
		}
	}
}
