package reconcile

import "strings"

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

// A FieldChange is one field that a step changes, in the document's words. Have
// is empty where there was nothing.
type FieldChange struct {
	Name string `json:"name"`
	Have string `json:"have"`
	Want string `json:"want"`
}

// A Step is one line of a plan.
type Step struct {
	Action    Action
	Namespace string // as the document names it; empty for the run's own
	Class     string // link, address, route, …
	Object    string // what `ip` would print to name it
	Fields    []FieldChange
	Note      string // side effects: what is interrupted, put back, lost
	Path      string // place in the document; empty for what is pruned
	Restores  bool   // puts back what another step of the same plan takes down
}

// putsBack tells whether the step makes what another step of the plan takes down
// and the document does not declare.
func (s Step) putsBack() bool { return s.Restores || s.Action == Create && s.Path == "" }

// ident returns what tells the step's object from others.
func (s Step) ident() stepIdent { return stepIdent{s.Namespace, s.Class, s.Path} }

type stepIdent struct{ namespace, class, path string }

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
