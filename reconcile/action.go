package reconcile

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Action is what a step does to an object. Its value is the sign that a plan
// prints before the object.
type Action rune

// The actions.
const (
	Create  Action = '+' // does not exist yet
	Change  Action = '~' // is changed in place
	Replace Action = '±' // is deleted and made anew
	Delete  Action = '-' // goes
)

// String returns the sign.
func (a Action) String() string { return string(a) }

// MarshalText implements encoding.TextMarshaler: the sign.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Action) UnmarshalText(text []byte) error {
	r, size := utf8.DecodeRune(text)
	if size != len(text) || size == 0 {
		return fmt.Errorf("%q is no action", text)
	}
	*a = Action(r)
	return nil
}

// A FieldChange is one field that a step changes, in the document's words. Have
// is empty where there was nothing.
type FieldChange struct {
	Name string `json:"name"`
	Have string `json:"have"`
	Want string `json:"want"`
}

// A Step is one line of a plan.
type Step struct {
	Action    Action        `json:"action"`
	Namespace string        `json:"namespace,omitempty"` // as the document names it; empty for the run's own
	Class     string        `json:"class"`               // link, address, route, …
	Object    string        `json:"object"`              // what `ip` would print to name it
	Fields    []FieldChange `json:"fields,omitempty"`
	Note      string        `json:"note,omitempty"` // side effects: what is interrupted, put back, lost
	Path      string        `json:"path,omitempty"` // place in the document; empty for what is pruned
	Restores  bool          `json:"-"`              // puts back what another step of the same plan takes down
}

// putsBack tells whether the step makes what another step of the plan takes down
// and the document does not declare.
func (s Step) putsBack() bool { return s.Restores || s.Action == Create && s.Path == "" }

// Subject returns the object that the step is about.
func (s Step) Subject() Object { return Object{s.Namespace, s.Class, s.Path, s.Object} }

// An Object is one object of a plan.
type Object struct {
	Namespace string `json:"namespace,omitempty"` // as the document names it; empty for the run's own
	Class     string `json:"class"`               // link, address, route, …
	Path      string `json:"path,omitempty"`      // place in the document; empty for what is not declared
	Name      string `json:"object"`              // what `ip` would print to name it
}

// String returns the object as plans name it.
func (o Object) String() string {
	s := o.Class + " " + o.Name
	if o.Namespace != "" {
		s = o.Namespace + ": " + s
	}
	return s
}

// ID returns what tells objects apart: the place of one in the document, the name
// of one that is not declared.
func (o Object) ID() ObjectID { return ObjectID{o.Namespace, o.Class, cmp.Or(o.Path, o.Name)} }

// An ObjectID tells objects apart.
type ObjectID struct{ namespace, class, id string }

// String returns the step as one line, as design and README show them:
//
//	red: ~ link eth0 mtu 1500 → 9000
func (s Step) String() string {
	var b strings.Builder
	if s.Namespace != "" {
		b.WriteString(s.Namespace + ": ")
	}
	b.WriteRune(rune(s.Action))
	b.WriteString(" " + s.Class + " " + s.Object)
	for i, f := range s.Fields {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(" " + f.String())
	}
	if s.Note != "" {
		b.WriteString("   " + s.Note)
	}
	return b.String()
}

// String returns "name have → want"; a change of the object as a whole has no
// name.
func (f FieldChange) String() string {
	have, want := f.Have, f.Want
	if have == "" {
		have = "none"
	}
	if want == "" {
		want = "none"
	}
	return strings.TrimSpace(f.Name + " " + have + " → " + want)
}
