package audit

import (
	"slices"
	"strings"
)

// A Merged is what files of rules come to that are loaded one behind the other.
type Merged struct {
	Rules   []MergedRule // of each list in the order that the kernel would have them in; none is Prepend
	Twice   []Duplicate
	Dropped []*FileLine       // -D without a key, and -c and -i
	Deleted map[*FileLine]int // how many rules -d, -W and -D with a key have deleted
}

// A MergedRule is a rule, and the line that it comes from.
type MergedRule struct {
	Rule    Rule
	From    *FileLine
	meaning Meaning
}

// A Duplicate is a rule that is left out because another one means the same.
type Duplicate struct {
	Rule       Rule
	Left, Kept *FileLine
}

// Merge puts files of rules together as augenrules(8) does, and returns what the kernel
// would have when auditctl(8) had loaded the result: a rule of -A is before the earlier
// ones of its list, -d and -W delete an earlier rule, and -D those with its key. That
// there is none is an error for -d and -W. A -D without a key would come first, where it
// has no rules to delete, and settings are left to the reader of the lines.
//
// A rule that means the same as an earlier one is left out, and so is the earlier one
// of a rule of -A.
func Merge(files []File) (m Merged, errs []*FileError) {
	m.Deleted = map[*FileLine]int{}
	for _, f := range files {
		for i := range f.Lines {
			l := &f.Lines[i]
			switch {
			case l.DeleteAll && l.Key != "":
				before := len(m.Rules)
				m.Rules = slices.DeleteFunc(m.Rules, func(r MergedRule) bool { return r.hasKey(l.Key) })
				m.Deleted[l] = before - len(m.Rules)
			case l.DeleteAll || l.Lenient:
				m.Dropped = append(m.Dropped, l)
			case l.Delete:
				errs = append(errs, m.delete(l)...)
			default:
				m.add(l)
			}
		}
	}
	m.dropHidden()
	return m, errs
}

func (m *Merged) add(l *FileLine) {
	for _, r := range l.Rules {
		r := MergedRule{*r.Clone(), l, r.Meaning()}
		at := m.find(r.meaning)
		prepend := r.Rule.Prepend
		r.Rule.Prepend = false
		switch {
		case prepend: // the kernel has both then
			m.Rules = slices.Insert(m.Rules, 0, r)
		case at < 0:
			m.Rules = append(m.Rules, r)
		default:
			m.Twice = append(m.Twice, Duplicate{r.Rule, l, m.Rules[at].From})
		}
	}
}

func (m *Merged) delete(l *FileLine) (errs []*FileError) {
	for i := range l.Rules {
		if at := m.find(l.Rules[i].Meaning()); at >= 0 {
			m.Rules = slices.Delete(m.Rules, at, at+1)
			m.Deleted[l]++
			continue
		}
		errs = append(errs, l.errorf("there is no such rule before this line: %s", &l.Rules[i]))
	}
	return errs
}

// find returns the place of the first rule that means the same, -1 for none.
func (m *Merged) find(meaning Meaning) int {
	return slices.IndexFunc(m.Rules, func(r MergedRule) bool { return r.meaning == meaning })
}

// dropHidden leaves out rules behind others that mean the same.
func (m *Merged) dropHidden() {
	first := map[Meaning]*FileLine{}
	m.Rules = slices.DeleteFunc(m.Rules, func(r MergedRule) bool {
		kept, hidden := first[r.meaning]
		if hidden {
			m.Twice = append(m.Twice, Duplicate{r.Rule, r.From, kept})
		} else {
			first[r.meaning] = r.From
		}
		return hidden
	})
}

// hasKey tells whether -k of -D means the rule, as auditctl sees it (key_match in
// src/auditctl-listing.c): the key is a part of the rule's keys.
func (r *MergedRule) hasKey(key string) bool {
	f, _ := r.Rule.Field(FieldKey)
	return strings.Contains(f.Text, key)
}
