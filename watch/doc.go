// Package watch keeps a document true: it applies it, and does so again whenever
// the document's files or the network change.
//
// Events only wake it. What is to be done is decided by a fresh look at the
// kernel, of the part that the events are about; every minute or so it looks at
// everything, for what the kernel does not announce. What it writes itself does
// not wake it again: it drains its event sockets before the look that verifies.
package watch
