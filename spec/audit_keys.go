package spec

import "math"

// auditKey is the top of the document's: a namespace has none of its own.
var auditKey = key[Document]{
	name: "audit", doc: "the Linux audit system", schema: orNull(auditObject.schema()),
	read: func(d *decoder, n ref, doc *Document) bool {
		if doc.Audit == nil {
			doc.Audit = &Audit{}
		}
		if d.t.shape(n) == isNull {
			return true
		}
		return auditObject.read(d, n, doc.Audit)
	},
	write: func(w *writer, doc *Document) {
		if doc.Audit == nil {
			return
		}
		w.key("audit")
		w.openMap(false)
		auditObject.write(w, doc.Audit)
		w.close()
	},
}

var anyUint32 = number[uint32](0, math.MaxUint32)

var auditObject = define(object[Audit]{
	what: "the audit system",
	keys: []key[Audit]{
		once(pointer("enabled", "whether records are made: true, false, or locked, which lasts until the next boot", auditEnabled,
			func(a *Audit) **uint32 { return &a.Enabled })),
		once(pointer("failure", "what happens when a record cannot be made: silent, printk or panic",
			enum([]string{"silent", "printk", "panic"}, []uint32{0, 1, 2}), func(a *Audit) **uint32 { return &a.Failure })),
		once(pointer("rate_limit", "records a second, 0 for no limit", anyUint32, func(a *Audit) **uint32 { return &a.RateLimit })),
		once(pointer("backlog_limit", "records that may wait, 0 for no limit", anyUint32, func(a *Audit) **uint32 { return &a.BacklogLimit })),
		once(pointer("backlog_wait_time", "how long a process waits for room in the backlog, in jiffies", anyUint32,
			func(a *Audit) **uint32 { return &a.BacklogWaitTime })),
		once(pointer("loginuid_immutable", "whether a login uid that is set stays so; true lasts until the next boot", boolean,
			func(a *Audit) **bool { return &a.LoginUIDImmutable })),
		once(value("allow_irreversible", "allow what only the next boot takes back: enabled: locked, failure: panic, loginuid_immutable: true", boolean,
			func(a *Audit) *bool { return &a.AllowIrreversible })),
		once(value("position", "where new rules go among those of others: last (default) or first",
			enum([]string{"last", "first"}, []bool{false, true}), func(a *Audit) *bool { return &a.First })),
		once(value("order", "the order of the rules: strict (default), as declared, or relaxed, where rules that cannot both match may be in any order",
			enum([]string{"strict", "relaxed"}, []bool{false, true}), func(a *Audit) *bool { return &a.Relaxed })),
		once(value("on_missing_path", "what becomes of rules whose directory is not there: pending (default) or error",
			enum([]string{"pending", "error"}, []MissingPath{MissingPathPending, MissingPathError}),
			func(a *Audit) *MissingPath { return &a.OnMissingPath })),
		auditFilesKey,
		auditRulesKey,
	},
	check: (*decoder).checkAudit,
})

// once is a key of the audit system that only one file may have.
func once(k key[Audit]) key[Audit] {
	read := k.read
	k.read = func(d *decoder, n ref, a *Audit) bool {
		return d.first(d.found.audit, k.name, n, "it is set twice") && read(d, n, a)
	}
	return k
}

var auditEnabled = format[uint32]{
	read: func(d *decoder, n ref, v *uint32) bool {
		if s := d.t.shape(n); (s == isPlain || s == isText) && d.t.string(n) == "locked" {
			*v = 2
			return true
		}
		var on bool
		if s := d.t.shape(n); s != isPlain && s != isText || !boolean.read(&decoder{t: d.t, src: d.src}, n, &on) {
			return d.want(n, "true, false or locked")
		}
		if on {
			*v = 1
		}
		return true
	},
	write: func(w *writer, v *uint32) {
		if *v == 2 {
			w.text("locked")
			return
		}
		w.bool(*v == 1)
	},
	schema: schema{"enum": []any{true, false, "on", "off", "locked"}},
}

// checkAudit refuses what only a boot takes back, unless it is allowed.
func (d *decoder) checkAudit(n ref, a *Audit) {
	if a.AllowIrreversible {
		return
	}
	for _, k := range []struct {
		name         string
		irreversible bool
	}{
		{"enabled", a.Enabled != nil && *a.Enabled == 2}, {"failure", a.Failure != nil && *a.Failure == 2},
		{"loginuid_immutable", a.LoginUIDImmutable != nil && *a.LoginUIDImmutable},
	} {
		if k.irreversible && d.has(n, k.name) {
			d.failKey(n, k.name, "only the next boot takes it back: it needs allow_irreversible: true")
		}
	}
}

var auditRulesKey = key[Audit]{
	name: "rules", doc: "the rules in their order: as auditctl takes them, or spelled out",
	schema: schema{"type": []string{"array", "null"}, "items": auditRuleFormat.schema},
	read: func(d *decoder, n ref, a *Audit) bool {
		switch d.t.shape(n) {
		case isNull:
			return true
		case isList:
		default:
			return d.want(n, "a list")
		}
		d.found.auditRules.parts = append(d.found.auditRules.parts, part{d.src, d.root, len(a.Rules)})
		ok := true
		for i, e := 0, n+1; i < d.t.count(n); i, e = i+1, d.t.next(e) {
			var r AuditRule
			d.pushIndex(i)
			ok = auditRuleFormat.read(d, e, &r) && ok
			d.pop()
			a.Rules = append(a.Rules, r)
		}
		return ok
	},
	write: func(w *writer, a *Audit) {
		if len(a.Rules) == 0 {
			return
		}
		w.key("rules")
		w.openList(false)
		for i := range a.Rules {
			w.item()
			auditRuleFormat.write(w, &a.Rules[i])
		}
		w.close()
	},
}

var (
	words           = listOf(text("a word", nil), true)
	auditRuleObject = define(object[AuditRule]{
		what: "an audit rule",
		keys: []key[AuditRule]{
			must(value("list", "user, task, exit, exclude, filesystem or io_uring", text("a list", nil), func(r *AuditRule) *string { return &r.List })),
			must(value("action", "always or never", text("an action", nil), func(r *AuditRule) *string { return &r.Action })),
			list("arch", "b64, b32 or names of machines; the rule is made for each", words, func(r *AuditRule) *[]string { return &r.Arch }),
			list("syscalls", "system calls by name or number; all where absent", words, func(r *AuditRule) *[]string { return &r.Syscalls }),
			list("fields", "conditions: a field, an operator and a value each", words, func(r *AuditRule) *[]string { return &r.Fields }),
			list("compare", "conditions between two ids: auid!=uid", words, func(r *AuditRule) *[]string { return &r.Compare }),
			list("keys", "what records of the rule are marked with", words, func(r *AuditRule) *[]string { return &r.Keys }),
		},
	})
)

// auditRuleFormat is a rule in either form.
var auditRuleFormat = func() format[AuditRule] {
	spelledOut := auditRuleObject.format(true)
	return format[AuditRule]{
		read: func(d *decoder, n ref, r *AuditRule) bool {
			ok := false
			switch d.t.shape(n) {
			case isMap:
				ok = spelledOut.read(d, n, r)
			case isText, isPlain:
				r.Text, ok = d.t.string(n), true
			default:
				return d.want(n, "a rule as auditctl takes it, or a map")
			}
			return ok && d.checkAuditRule(n, r)
		},
		write: func(w *writer, r *AuditRule) {
			if r.Text != "" {
				w.quoted(r.Text)
				return
			}
			spelledOut.write(w, r)
		},
		schema: schema{"anyOf": []any{schema{"type": "string"}, spelledOut.schema}},
	}
}()

// checkAuditRule has the vocabulary look at a rule.
func (d *decoder) checkAuditRule(n ref, r *AuditRule) bool {
	v, ok := d.vocab.vocabulary.(AuditVocabulary)
	if !ok {
		return true
	}
	problems := v.CheckAuditRule(r)
	for _, p := range problems {
		at, path := n, d.pathTo()
		if value, _, ok := d.t.value(n, p.Key); ok && p.Key != "" {
			at, path = value, d.pathTo(p.Key)
			if p.Index >= 0 && d.t.shape(value) == isList {
				at = d.t.item(value, p.Index)
			}
		}
		d.errs = append(d.errs, placed{d.src, d.within(at, p.Offset), path, p.Reason})
	}
	return len(problems) == 0
}

// within returns the offset of a place within a scalar, or of the scalar where that is
// written in another way than it is read.
func (d *decoder) within(n ref, offset int) int {
	pos := int(d.t.nodes[n].pos)
	start := pos
	if start < len(d.src.text) && (d.src.text[start] == '"' || d.src.text[start] == '\'') {
		start++
	}
	value := ""
	if s := d.t.shape(n); s == isText || s == isPlain {
		value = d.t.string(n)
	}
	if offset > len(value) || start+offset > len(d.src.text) || d.src.text[start:start+offset] != value[:offset] {
		return pos
	}
	return start + offset
}
