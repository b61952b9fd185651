package reconcile

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/nlapply/nlapply/spec"
)

// await takes links out of the plan that cannot be made yet: those that must exist
// and do not, those that are left as they are for now, and what stands on them or
// joins them. What exists of these stays as it is.
func (p *linkPlan) await() {
	off := map[*linkWant]bool{}
	for more := true; more; {
		more = false
		for _, w := range p.wants {
			if !off[w] && p.mustWait(w, off) {
				off[w], more = true, true
			}
		}
	}
	p.wants = slices.DeleteFunc(p.wants, func(w *linkWant) bool { return off[w] })
	for w := range off {
		if w.scope.links.byName[w.name] == nil {
			w.scope.waitFor(w.name)
		}
	}
}

func (p *linkPlan) mustWait(w *linkWant, off map[*linkWant]bool) bool {
	exists := w.scope.links.byName[w.name] != nil
	switch {
	case p.run.holds(w.object()):
		return true
	case w.spec.Peer != nil && w.peer == nil:
		return true
	case !p.run.cfg.Await || w.scope.leaves():
		return false
	case w.madeBy != nil:
		return off[w.madeBy] && !exists
	case !exists && w.kind == nil:
		return true
	}
	return slices.ContainsFunc(w.refs, func(r linkRef) bool {
		to := linkPlace{w.scope, r.name}
		if w.scope.links.byName[r.name] != nil {
			return false
		}
		d := p.declared(to)
		if d == nil {
			w.scope.waitFor(r.name)
		}
		return d == nil || off[d] && to != w.place()
	})
}

// Blamed returns the links and sysctls that an error of a plan is about, or the audit
// system, by the reason. It is nil when the error is about anything else: then leaving these alone
// does not help.
func (r *Run) Blamed(err error) map[Object]string {
	var unreachable *auditError
	if errors.As(err, &unreachable) && !errors.Is(err, context.Canceled) {
		return map[Object]string{auditSystem: unreachable.Error()}
	}
	var errs spec.Errors
	if !errors.As(err, &errs) {
		return nil
	}
	objects := map[string]Object{auditSystem.Path: auditSystem}
	for _, s := range r.scopes {
		if s.Spec != nil {
			for name := range s.Spec.Links {
				path := spec.Path(s.Name, "links", name)
				objects[path] = Object{s.Name, "link", path, name}
			}
		}
		for _, t := range s.tables {
			if values, ok := t.table.(*sysctlTable); ok {
				for i := range values.declared {
					o := values.declared[i].step(s).Subject()
					objects[o.Path] = o
				}
			}
		}
	}
	blamed := map[Object]string{}
	for _, e := range errs {
		path := e.Path
		for objects[path].Name == "" {
			i := strings.LastIndexAny(path, ".[")
			if i < 0 {
				return nil
			}
			path = path[:i]
		}
		blamed[objects[path]] = e.Error()
	}
	return blamed
}

// holds tells whether an object is left as it is for now.
func (r *Run) holds(o Object) bool { return r.cfg.Held != nil && r.cfg.Held(o) }

// waitFor notes that a link is waited for.
func (s *Scope) waitFor(link string) {
	if s.waiting == nil {
		s.waiting = map[string]bool{}
	}
	s.waiting[link] = true
}

// mustWait tells whether something waits for one of the links that it is on:
// those that do not exist, and will not after the plan.
func (s *Scope) mustWait(links ...string) bool {
	if !s.run.cfg.Await {
		return false
	}
	for _, name := range links {
		if name != "" && s.Index(name) == 0 {
			s.waitFor(name)
			return true
		}
	}
	return false
}

// mustJoin tells whether something waits for a declared link to become a port: the
// master that it declares does not exist, or it declares none and others have not
// given it one.
func (s *Scope) mustJoin(name string, l *spec.Link) bool {
	switch {
	case !s.run.cfg.Await || l.Master != nil && *l.Master == spec.None:
		return false
	case l.Master != nil:
		return s.mustWait(*l.Master)
	case s.masterOf(name, l) != 0:
		return false
	}
	s.waitFor(name)
	return true
}
