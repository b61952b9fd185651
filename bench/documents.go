package main

import (
	"bufio"
	"fmt"
	"strings"
)

// json is a bed as a document in JSON.
func (b *Bench) json(d *bed) (string, error) {
	return b.file(d.name+".json", func(w *bufio.Writer) {
		fmt.Fprint(w, "{\"version\": 1, \"links\": {")
		comma := ""
		for i := range d.links {
			for _, l := range d.links[i].declare() {
				fmt.Fprintf(w, "%s\n%s", comma, l)
				comma = ","
			}
		}
		fmt.Fprint(w, "}, \"routes\": [")
		comma = ""
		for i := range d.routes {
			l := d.hop(i)
			fmt.Fprintf(w, "%s\n{\"to\": \"%v/32\", \"via\": \"%v\", \"dev\": \"%s\"}", comma, destination(i), l.gateway, l.name)
			comma = ","
		}
		fmt.Fprint(w, "]}\n")
	})
}

// yaml is a bed as a document in YAML.
func (b *Bench) yaml(d *bed) (string, error) {
	return b.file(d.name+".yaml", func(w *bufio.Writer) {
		fmt.Fprint(w, "version: 1\nlinks:\n")
		for i := range d.links {
			for _, l := range d.links[i].declare() {
				// YAML in flow style differs from JSON in the quotes.
				fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(l, `"`, ""))
			}
		}
		fmt.Fprint(w, "routes:\n")
		for i := range d.routes {
			l := d.hop(i)
			fmt.Fprintf(w, "- {to: %v/32, via: %v, dev: %s}\n", destination(i), l.gateway, l.name)
		}
	})
}

// nothing is the document of a bed without it.
func (b *Bench) nothing() (string, error) {
	return b.file("nothing.json", func(w *bufio.Writer) { fmt.Fprintln(w, `{"version": 1}`) })
}

// declare returns the entries of a link below `links`, in JSON.
func (l *link) declare() []string {
	var addrs []string
	for _, a := range l.addrs {
		addrs = append(addrs, fmt.Sprintf("%q", a))
	}
	list := strings.Join(addrs, ", ")
	if l.kind == "veth" {
		return []string{
			fmt.Sprintf(`"%s": {"kind": "veth", "peer": {"name": "%s"}, "addresses": [%s]}`, l.name, l.peer, list),
			fmt.Sprintf(`"%s": {}`, l.peer),
		}
	}
	return []string{fmt.Sprintf(`"%s": {"kind": "vxlan", "vxlan": {"id": %d, "local": "%v", "dstport": 4789}, "addresses": [%s]}`,
		l.name, l.id, tunnelEnd, list)}
}

// batch is what `ip -batch` makes a bed from.
func (b *Bench) batch(d *bed) (string, error) {
	return b.file(d.name+".batch", func(w *bufio.Writer) {
		for i := range d.links {
			l := &d.links[i]
			if l.kind == "veth" {
				fmt.Fprintf(w, "link add %s type veth peer name %s\n", l.name, l.peer)
			} else {
				fmt.Fprintf(w, "link add %s type vxlan id %d local %v dstport 4789\n", l.name, l.id, tunnelEnd)
			}
			l.batch(w, "add")
		}
		d.routeBatch(w, "add")
	})
}

// replaceBatch is the batch for a second time.
func (b *Bench) replaceBatch(d *bed) (string, error) {
	return b.file(d.name+".replace", func(w *bufio.Writer) {
		for i := range d.links {
			d.links[i].batch(w, "replace")
		}
		d.routeBatch(w, "replace")
	})
}

// batchOfRoutes is the batch for the routes alone.
func (b *Bench) batchOfRoutes(d *bed, verb string) (string, error) {
	return b.file(d.name+".routes."+verb, func(w *bufio.Writer) { d.routeBatch(w, verb) })
}

func (l *link) batch(w *bufio.Writer, verb string) {
	for _, a := range l.addrs {
		fmt.Fprintf(w, "addr %s %v dev %s\n", verb, a, l.name)
	}
	fmt.Fprintf(w, "link set %s up\n", l.name)
	if l.peer != "" {
		fmt.Fprintf(w, "link set %s up\n", l.peer)
	}
}

func (d *bed) routeBatch(w *bufio.Writer, verb string) {
	for i := range d.routes {
		l := d.hop(i)
		fmt.Fprintf(w, "route %s %v/32 via %v dev %s proto %d\n", verb, destination(i), l.gateway, l.name, protocol)
	}
}
