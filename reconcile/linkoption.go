package reconcile

import (
	"net/netip"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/kind"
	"github.com/nlapply/nlapply/spec"
)

// declaredLink returns the declaration of a link, nil for none.
func (s *Scope) declaredLink(index int32) *spec.Link {
	if s.Spec == nil {
		return nil
	}
	if d := s.Spec.Links[s.LinkName(index)]; d != nil {
		return d
	}
	if l := s.Link(index); l != nil {
		return s.Spec.Links[s.declaredAs(l)]
	}
	return nil
}

// declaredAs returns the name under which a link is declared: its own or an
// alternative one; empty for none.
func (s *Scope) declaredAs(l *route.Link) string {
	if s.Spec == nil {
		return ""
	}
	for _, name := range append([]string{l.Name}, l.AltNames...) {
		if s.Spec.Links[name] != nil {
			return name
		}
	}
	return ""
}

// isOurs tells whether a link bears the owner's mark.
func (s *Scope) isOurs(index int32) bool {
	l := s.Link(index)
	return l != nil && s.linkMaker(l) == Ours
}

// option returns an option of a link's kind as it will be: as it is declared,
// else as the kernel has it, else the default; nil if nothing is known. The form
// is that of attr.Value.Get.
func (s *Scope) option(link, name string) any {
	var l *spec.Link
	if s.Spec != nil {
		l = s.Spec.Links[link]
	}
	if l != nil && l.Kind != "" {
		if v, declared := l.Options[l.Kind][name]; declared {
			return canonical(l.Kind, name, v)
		}
	}
	if k := s.Link(s.Index(link)); k != nil {
		return s.observedOption(k, name)
	}
	if l == nil {
		return nil
	}
	return defaultOption(l.Kind, name)
}

// canonical returns v as the kind's row would give it back.
func canonical(kindName, name string, v any) any {
	k, ok := kind.New(kindName)
	if !ok {
		return nil
	}
	f, ok := k.Fields().Lookup(name)
	if !ok || f.Value.Set(v) != nil {
		return nil
	}
	return f.Value.Get()
}

func defaultOption(kindName, name string) any {
	k, ok := kind.New(kindName)
	if !ok {
		return nil
	}
	f, ok := k.Fields().Lookup(name)
	if !ok {
		return nil
	}
	return f.Default
}

// observedOption returns what the kernel reports of an option of a link's kind.
func (s *Scope) observedOption(l *route.Link, name string) any {
	k, ok := s.observedKind(l)
	if !ok {
		return nil
	}
	f, ok := k.Fields().Lookup(name)
	if !ok {
		return nil
	}
	return f.Value.Get()
}

// optionNumber reads a number, 0 for none.
func optionNumber(v any) uint32 {
	n, _ := v.(int64)
	return uint32(n)
}

// optionAddr reads an address, the zero one for none or any.
func optionAddr(v any) netip.Addr {
	text, _ := v.(string)
	a, err := netip.ParseAddr(text)
	if err != nil || a.IsUnspecified() {
		return netip.Addr{}
	}
	return a
}
