// Package spec is the document that nlapply makes true: its types, and the way
// from YAML or JSON to them and back.
//
//	doc, err := spec.Load([]string{"net.yaml", "conf.d/"}, os.Stdin, vocabulary)
//	if err != nil {
//		return err // every mistake of every file, each as FILE:LINE:COLUMN: path: reason
//	}
//	for name, link := range doc.Links { … }
//
// What Load returns is complete and consistent as far as the files alone can
// tell: names of tables and protocols are numbers, prefixes are masked, absent
// keys hold the kernel's default or are nil where absence has a meaning of its
// own. [Document.Marshal] is the way back, [Schema] describes the same document
// to editors.
//
// The package knows no netlink and no link kind: what may stand under a kind's
// name is asked of a [Vocabulary]. It neither looks at the running system (apart
// from iproute2's files of names) nor decides what to do about the difference.
package spec
