// Package audit reads and changes the Linux audit system: its rules, settings and
// switches, and the records that it makes. It speaks netlink with the kernel, and needs
// no daemon; it never becomes the audit daemon itself. It is not for reading the files
// of that daemon, although ParseRecord takes their lines.
//
//	c, err := audit.Dial(netlink.Config{})
//	…
//	rules, err := audit.ParseRule("-w /etc/passwd -p wa -k identity", nil)
//	…
//	err = c.Add(ctx, &rules[0])
//
// A Rule is what the kernel has, field by field. ParseRule and ParseFile read the syntax
// of auditctl(8), Merge puts files of it together as augenrules(8) does, and String writes
// it. Two rules are the same for the kernel when
// IsSame says so, and do the same when their Meaning is the same; whose a rule is, only
// its keys can tell. Diff plans the changes between two lists of rules.
//
// Check tells what the kernel would refuse, or never act on. Flaw, Pitfalls and
// PathPitfalls tell what a rule does that its author may not want, Shadows which rules of
// many never decide, Loads what they cost, and Stalls what comes of a daemon that does
// not read.
package audit
