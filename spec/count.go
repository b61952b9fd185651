package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
)

// Count tells how many objects of each class the document declares, by the word
// that plans have for the class. A range of VLANs is one, and so is a line that adds an
// audit rule.
func (d *Document) Count() map[string]int {
	n := map[string]int{}
	d.Namespace.count(n)
	for _, ns := range d.Namespaces {
		n["namespace"]++
		ns.count(n)
	}
	return n
}

func (ns *Namespace) count(n map[string]int) {
	n["route"] += len(ns.Routes)
	n["rule"] += len(ns.Rules)
	n["neighbor"] += len(ns.Neighbors)
	n["sysctl"] += len(ns.Sysctl)
	if ns.Audit != nil {
		n["audit rule"] += len(ns.Audit.Rules)
		for _, f := range ns.Audit.Files {
			n["audit rule"] += f.count()
		}
	}
	for _, l := range ns.Links {
		n["link"]++
		n["address"] += len(l.Addresses)
		n["sysctl"] += len(l.Sysctl)
		if l.VLANs != nil {
			n["vlan"] += len(*l.VLANs)
		}
		if l.FDB != nil {
			n["fdb"] += len(*l.FDB)
		}
	}
}

// Digest returns the SHA-256 of what was read, one file behind the other in the order of
// Files, in hexadecimal digits: what `cat FILES | sha256sum` prints. So it covers the
// files of audit rules, but not their names. It is empty for a document that was not
// loaded.
func (d *Document) Digest() string {
	if d.layout == nil {
		return ""
	}
	h := sha256.New()
	for _, src := range d.layout.sources {
		if src.marked {
			io.WriteString(h, byteOrderMark)
		}
		io.WriteString(h, src.text)
	}
	if d.Audit != nil {
		for _, f := range d.Audit.Files {
			io.WriteString(h, f.Text)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
