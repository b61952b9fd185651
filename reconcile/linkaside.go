package reconcile

import (
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

// identity is what no two links of one scope and kind may have in common.
type identity struct {
	scope *Scope
	kind  string
	text  string
}

// setAside finds the links whose identity another one takes, which may have to
// give up its own to a third: two tunnels exchange their addresses.
func (p *linkPlan) setAside() {
	held := map[identity]*linkStep{}
	for _, st := range p.steps {
		if st.action == Change && len(st.options) > 0 {
			held[identity{st.scope, st.have.Kind, kind.Identity(st.haveKind)}] = st
		}
	}
	for _, st := range p.steps {
		if st.want == nil || st.want.kind == nil || len(held) == 0 {
			continue
		}
		id := st.identityAfter()
		if h := held[id]; h != nil && h != st && id.text != "" {
			h.aside = true
		}
	}
}

// identityAfter returns the identity that the step's link will have.
func (st *linkStep) identityAfter() identity {
	k, _ := kind.New(st.want.kind.Name())
	k.Fields().Inherit(st.want.kind.Fields())
	if st.haveKind != nil && st.action == Change {
		k.Fields().Inherit(st.haveKind.Fields())
	}
	return identity{st.scope, k.Name(), kind.Identity(k)}
}

// stepAside gives links an identity that nobody else has.
func (x *linkExec) stepAside(lb *linkBatch, st *linkStep) {
	if !st.aside {
		return
	}
	k := kind.Aside(st.haveKind)
	var e netlink.Encoder
	kind.EncodeChange(&e, k, st.haveKind, kind.Diff(k, st.haveKind))
	lb.add(st, unix.RTM_NEWLINK, 0, &route.LinkChange{Index: st.have.Index, Kind: k.Name(), Data: e.Bytes()})
}
