package audit

import (
	"encoding/hex"
	"iter"
	"strings"

	"golang.org/x/sys/unix"
)

// Fields iterates over the fields in their order. Those that the kernel writes as
// (null) or (none) are absent and left out; a key may come more than once.
//
// Values are decoded: the quotes of "…" are taken off, and where the kernel writes
// what a program chose (kernel/audit.c, audit_log_untrustedstring) in hexadecimal
// digits, because it has blanks, quotes or bytes that are not printable, these are
// bytes again. That is so for keys of a fixed list (name, path, comm, exe, key,
// acct and so on): others, such as the a0 of a system call, are numbers. A value
// with NULs in it is possible (proctitle), and so is one that is no UTF-8.
// What the kernel quotes has no escapes.
//
// The message of a program (AUDIT_USER_*) is the field msg, and the fields that
// are in it follow. They use ? for what is not known, which is a value here. What
// SELinux writes without a key has those that auparse(3) gives it: seresult is
// "denied" or "granted", seperms are permissions, joined with commas. Other words
// without a key are skipped, and so is what auditd adds to its log with
// log_format = ENRICHED.
func (r Record) Fields() iter.Seq2[string, string] {
	return func(yield func(key, value string) bool) {
		for f := range r.fields() {
			if !f.absent && !yield(f.key, f.value) {
				return
			}
		}
	}
}

// A recordField is one field, decoded. An absent one has no value.
type recordField struct {
	key, value string
	absent     bool
}

func (r Record) fields() iter.Seq[recordField] {
	return func(yield func(recordField) bool) {
		text, _, _ := strings.Cut(cutStamp(r.Text).fields, enrichment)
		s := fieldScanner{rest: text, typ: r.Type}
		s.scan(yield)
	}
}

// enrichment stands before what auditd adds: AUDIT_INTERP_SEPARATOR.
const enrichment = "\x1d"

// A fieldScanner cuts fields off rest.
type fieldScanner struct {
	rest    string
	typ     MessageType
	message bool // rest is the message of a program, not the kernel's
}

func (s *fieldScanner) scan(yield func(recordField) bool) bool {
	if !s.scanAVC(yield) {
		return false
	}
	for s.rest = strings.TrimLeft(s.rest, fieldBlanks); s.rest != ""; s.rest = strings.TrimLeft(s.rest, fieldBlanks) {
		end := strings.IndexAny(s.rest, fieldBlanks+"=")
		if end < 0 {
			return true
		}
		key, isField := s.rest[:end], s.rest[end] == '='
		s.rest = s.rest[end+1:]
		if isField && !s.scanValue(key, yield) {
			return false
		}
	}
	return true
}

const fieldBlanks = " \t\n\r"

// scanAVC takes `avc:  denied  { read write } for  ` off rest.
// security/selinux/avc.c, avc_audit_pre_callback.
func (s *fieldScanner) scanAVC(yield func(recordField) bool) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(s.rest, fieldBlanks), "avc:")
	if !ok {
		return true
	}
	result, rest, braced := strings.Cut(rest, "{")
	perms, rest, closed := strings.Cut(rest, "}")
	result = strings.Trim(result, fieldBlanks)
	if !braced || !closed || strings.Contains(result, "=") {
		return true
	}
	s.rest = rest
	return yield(recordField{key: "seresult", value: result}) &&
		yield(recordField{key: "seperms", value: strings.Join(strings.Fields(perms), ",")})
}

// scanValue takes the value of key off rest.
func (s *fieldScanner) scanValue(key string, yield func(recordField) bool) bool {
	if s.message {
		key = strings.TrimLeft(key, "(") // as in (hostname=?, addr=?, terminal=pts/0 res=success)
	}
	if rest, ok := strings.CutPrefix(s.rest, `'`); ok && key == "msg" && !s.message {
		return s.scanMessage(rest, yield)
	}
	if rest, ok := strings.CutPrefix(s.rest, `"`); ok {
		// Without the second quote the line was cut off.
		var value string
		value, s.rest, _ = strings.Cut(rest, `"`)
		return yield(recordField{key: key, value: value})
	}
	value := s.rest
	if end := strings.IndexAny(value, fieldBlanks); end >= 0 {
		value = value[:end]
	}
	if digits, _, ok := strings.Cut(value, "op="); ok && key == "ses" && isDigits(digits) {
		// "ses=%uop=%s": the blank is missing in kernel/audit_watch.c,
		// audit_watch_log_rule_change.
		value = digits
	}
	s.rest = s.rest[len(value):]
	return yield(s.decode(key, value))
}

// scanMessage takes msg='…' off rest. The message may have quotes in it, but
// nothing follows it.
func (s *fieldScanner) scanMessage(rest string, yield func(recordField) bool) bool {
	message := rest
	if end := strings.LastIndexByte(rest, '\''); end >= 0 {
		message, s.rest = rest[:end], rest[end+1:]
	} else {
		s.rest = ""
	}
	inner := fieldScanner{rest: message, typ: s.typ, message: true}
	return yield(recordField{key: "msg", value: message}) && inner.scan(yield)
}

// decode reads a value that is not in quotes.
func (s *fieldScanner) decode(key, value string) recordField {
	if s.message {
		if value = strings.TrimSuffix(value, ","); !isAbsent(value) {
			value = strings.TrimSuffix(value, ")")
		}
	}
	if isAbsent(value) {
		return recordField{key: key, absent: true}
	}
	f := recordField{key: key, value: value}
	if untrustedKeys[key] || s.typ == unix.AUDIT_EXECVE && isExecArg(key) {
		if b, err := hex.DecodeString(value); err == nil && len(b) > 0 {
			f.value = string(b)
		}
	}
	return f
}

func isAbsent(value string) bool { return value == "(null)" || value == "(none)" }

// untrustedKeys are those of the values that may be in hexadecimal digits: the
// keys of audit_log_untrustedstring and audit_log_n_untrustedstring in the kernel,
// and of audit_encode_nv_string in programs. auparse has them as
// AUPARSE_TYPE_ESCAPED (auparse/typetab.h).
var untrustedKeys = setOf(
	"name", "path", "dir", "cwd", "exe", "comm", "ocomm", "key", "proctitle", "data",
	"cmd", "acct", "file", "watch", "grp", "new_group", "cgroup", "device", "root_dir",
	"sw", "vm", "invalid_context",
	"old-chardev", "new-chardev", "old-disk", "new-disk", "old-fs", "new-fs", "old-net",
	"new-net", "old-rng", "new-rng",
	"apparmor", "operation", "profile", "info", "denied_mask", "requested_mask",
)

func setOf(keys ...string) map[string]bool {
	set := make(map[string]bool, len(keys))
	for _, key := range keys {
		set[key] = true
	}
	return set
}
