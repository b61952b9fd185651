package spec

// Vocabulary is what the engine knows about kinds of links. It is asked which
// sections may stand under a link and what each of their keys takes.
type Vocabulary interface {
	// Kinds returns the kinds of links that can be made.
	Kinds() []string
	// Section returns the section of a kind ("vxlan") or of a kind's ports
	// ("bridge_slave"). A kind without options of its own has none.
	Section(name string) (Section, bool)
}

// Section is a map of options under a link.
type Section interface {
	// Keys returns the keys, sorted.
	Keys() []string
	// Check tells what is wrong with a plain value, as the reason alone:
	// "16777216 is out of range 0..16777215".
	Check(key string, value any) error
	// CheckAll tells what is wrong with values that are right each for itself.
	CheckAll(values map[string]any) error
	// Schema returns the JSON Schema of a key's values.
	Schema(key string) map[string]any
}

// KindTraits is what a Vocabulary may tell besides: which other links a kind needs.
// Without it, the keys `link` and `peer` are taken as they come.
type KindTraits interface {
	Traits(kind string) Traits
}

// Traits are the links that stand beside a link of some kind.
type Traits struct {
	Link bool // it stands on a device named by `link`, as a vlan does
	Peer bool // it is one end of a pair, the other is named by `peer`
}

// remembered asks a vocabulary for each thing once, however many links there are.
type remembered struct {
	vocabulary Vocabulary
	kinds      []string
	sections   map[string]Section // nil for none
	traits     map[string]Traits
}

func remember(v Vocabulary) *remembered {
	if v == nil {
		v = noKinds{}
	}
	return &remembered{v, v.Kinds(), map[string]Section{}, map[string]Traits{}}
}

func (r *remembered) Kinds() []string { return r.kinds }

func (r *remembered) Section(name string) (Section, bool) {
	s, known := r.sections[name]
	if !known {
		if found, ok := r.vocabulary.Section(name); ok {
			s = found
		}
		r.sections[name] = s
	}
	return s, s != nil
}

// Traits also tells whether the vocabulary knows any.
func (r *remembered) Traits(kind string) (t Traits, ok bool) {
	v, ok := r.vocabulary.(KindTraits)
	if !ok {
		return t, false
	}
	t, known := r.traits[kind]
	if !known {
		t = v.Traits(kind)
		r.traits[kind] = t
	}
	return t, true
}

// noKinds is the vocabulary of a document without kinds of links.
type noKinds struct{}

func (noKinds) Kinds() []string                { return nil }
func (noKinds) Section(string) (Section, bool) { return nil, false }
