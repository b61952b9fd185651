package audit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Record is one line of the kernel, which tells one thing about an event, such
// as one path of a system call. The records of an event have the same Time and
// Serial; Assemble puts them together. The zero value is a record without fields.
//
// The text of a record of type AUDIT_PATH, for example:
//
//	audit(1700000000.123:456): item=0 name="/etc/passwd" inode=12 nametype=NORMAL
type Record struct {
	Type MessageType
	// Time is when the event began, to the millisecond, in UTC: for a system call
	// that is its entry, while its records come when it ends.
	Time time.Time
	// Serial tells events with the same Time apart. The kernel counts from 1, with
	// 32 bits (kernel/audit.c, audit_serial).
	Serial uint64
	// Node is the machine, where a log names it (auditd.conf(5), name_format). The
	// kernel never does: empty.
	Node string
	// Text is the whole line, time stamp included, without the end of the line.
	// Fields and all that is made of them are read from it.
	Text string
}

// ParseRecord reads a record as it comes from the kernel, `audit(SEC.MSEC:SERIAL):
// KEY=VALUE …` (kernel/audit.c, audit_log_start), or as it is in a log, where
// `node=NAME type=NAME msg=` comes first. With a typ of 0, which is what no record
// has, the type there is taken. The text is copied.
//
// Without a time stamp, the error matches unix.EBADMSG, and the record has its
// Type, its Text and its Fields all the same.
func ParseRecord(typ MessageType, text []byte) (Record, error) {
	r := Record{Type: typ, Text: strings.TrimRight(string(text), "\x00\n")}
	s := cutStamp(r.Text)
	r.Node = s.node
	if r.Type == 0 {
		r.Type, _ = ParseMessageType(s.typ)
	}
	sec, msec, err := s.time()
	serial, serialErr := strconv.ParseUint(s.serial, 10, 64)
	if err := errors.Join(err, serialErr); err != nil {
		return r, fmt.Errorf("audit record %.80q: no time stamp: %w", r.Text, unix.EBADMSG)
	}
	r.Time = time.Unix(sec, msec*int64(time.Millisecond)).UTC()
	r.Serial = serial
	return r, nil
}

// A stamp is a line cut into what stands before the fields, and the fields.
type stamp struct {
	node, typ    string
	date, serial string // SEC.MSEC and SERIAL, empty when there are none
	fields       string
}

func cutStamp(line string) (s stamp) {
	rest, hasNode := strings.CutPrefix(line, "node=")
	if hasNode {
		s.node, rest, _ = strings.Cut(rest, " ")
	}
	if typ, ok := strings.CutPrefix(rest, "type="); ok {
		s.typ, rest, _ = strings.Cut(typ, " ")
	}
	s.fields = rest
	rest, ok := strings.CutPrefix(strings.TrimPrefix(rest, "msg="), "audit(")
	inside, fields, closed := strings.Cut(rest, ")")
	if ok && closed {
		s.date, s.serial, _ = strings.Cut(inside, ":")
		s.fields = strings.TrimPrefix(fields, ":")
	}
	return s
}

// time reads `%llu.%03lu`.
func (s stamp) time() (sec, msec int64, err error) {
	whole, part, _ := strings.Cut(s.date, ".")
	a, err := strconv.ParseUint(whole, 10, 62)
	b, err2 := strconv.ParseUint(part, 10, 64)
	if err == nil && (err2 != nil || len(part) != 3) {
		err = strconv.ErrSyntax
	}
	return int64(a), int64(b), err
}

// Get returns the value of the first field with the key, as Fields has it. It
// returns false when the record has none, or when that one is absent.
//
// What the kernel tells comes before what a program told it (msg='…'), and so
// hides it. But a key that only the message has, such as acct, has the value that
// the program chose.
func (r Record) Get(key string) (string, bool) {
	for f := range r.fields() {
		if f.key == key {
			return f.value, !f.absent
		}
	}
	return "", false
}

// Keys returns the keys of the rule that made the record, or that it is about:
// the field key, which has them joined with KeySeparator. It returns nil when
// there are none.
func (r Record) Keys() []string {
	keys, _ := r.Get("key")
	if keys == "" {
		return nil
	}
	return strings.Split(keys, KeySeparator)
}

// Args returns the arguments of the process in a record of type AUDIT_PROCTITLE
// or AUDIT_EXECVE, and nil for others.
//
// A PROCTITLE has what the process shows as its command line when the system call
// ends, cut off after 128 bytes (kernel/auditsc.c, MAX_PROCTITLE_AUDIT_LEN). An
// EXECVE has what was asked for; when that is long, each of several records has
// some, and a long argument is in parts, which are joined here when they are in
// one record.
func (r Record) Args() []string {
	switch r.Type {
	case unix.AUDIT_PROCTITLE:
		title, ok := r.Get("proctitle")
		if !ok {
			return nil
		}
		return strings.Split(strings.TrimRight(title, "\x00"), "\x00")
	case unix.AUDIT_EXECVE:
		return r.execArgs()
	}
	return nil
}

// execArgs joins a1[0] and a1[1] (kernel/auditsc.c, audit_log_execve_info).
func (r Record) execArgs() (args []string) {
	last := ""
	for key, value := range r.Fields() {
		if !isExecArg(key) {
			continue
		}
		name, _, isPart := strings.Cut(key, "[")
		if isPart && name == last {
			args[len(args)-1] += value
		} else {
			args = append(args, value)
		}
		last = name
	}
	return args
}

// isExecArg tells whether key is an argument of AUDIT_EXECVE, aN or aN[M], and
// not its length, aN_len.
func isExecArg(key string) bool {
	rest, ok := strings.CutPrefix(key, "a")
	number, part, isPart := strings.Cut(rest, "[")
	if isPart {
		var closed bool
		part, closed = strings.CutSuffix(part, "]")
		ok = ok && closed && isDigits(part)
	}
	return ok && isDigits(number)
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
