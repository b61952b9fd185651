package spec

// checkPeers looks at the ends of pairs that peers name.
func (d *decoder) checkPeers(doc *Document) {
	taken := map[[2]string]origin{}
	d.checkPeersOf("", &doc.Namespace, doc, taken)
	for _, name := range sortedKeys(doc.Namespaces) {
		d.checkPeersOf(name, doc.Namespaces[name], doc, taken)
	}
}

func (d *decoder) checkPeersOf(name string, ns *Namespace, doc *Document, taken map[[2]string]origin) {
	links := d.layout.namespace(name).links
	for _, link := range sortedKeys(ns.Links) {
		l := ns.Links[link]
		if l.Peer == nil || l.Peer.Name == "" {
			continue
		}
		n := d.at(links[link], name, "links", link, "peer") + 1
		peer, _, _ := d.t.value(n, "peer")
		there, in := name, ns
		if l.Peer.Namespace != nil {
			there, in = *l.Peer.Namespace, doc.inNamespace(*l.Peer.Namespace)
		}
		if in == nil {
			d.failKey(peer, "namespace", "namespace %s is not declared", there)
			continue
		}
		if there == name && l.Peer.Name == link {
			d.failKey(peer, "name", "is the link itself")
			continue
		}
		d.checkEnd(peer, l.Peer.Name, there, in, taken)
	}
}

// inNamespace returns a declared namespace, "" being the run's own; nil where there is none.
func (d *Document) inNamespace(name string) *Namespace {
	if name == "" {
		return &d.Namespace
	}
	return d.Namespaces[name]
}

// checkEnd looks at what else is said about the end of a pair that a peer names.
func (d *decoder) checkEnd(peer ref, name, namespace string, in *Namespace, taken map[[2]string]origin) {
	if other := in.Links[name]; other != nil && other.Kind != "" {
		o := d.layout.namespace(namespace).links[name]
		d.failKey(peer, "name", "%s is declared with a kind of its own at %s; of a pair, one end has the kind", name, o.place())
		return
	}
	key := [2]string{namespace, name}
	if o, again := taken[key]; again {
		d.failKey(peer, "name", "%s is the peer of another link at %s", name, o.place())
		return
	}
	taken[key] = origin{d.src, peer}
}
