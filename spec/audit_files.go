package spec

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// AuditFile is a file of audit rules, as it was when the document was loaded.
type AuditFile struct {
	Name string // as the document names it, seen from the working directory
	Text string
}

// count returns how many lines add a rule.
func (f *AuditFile) count() (n int) {
	for line := range strings.Lines(f.Text) {
		if len(line) > 2 && line[0] == '-' && strings.IndexByte("aAw", line[1]) >= 0 {
			n++
		}
	}
	return n
}

// AuditFilePath returns the path of a line of a file of audit rules, which
// Document.Errorf and Document.Position know.
func AuditFilePath(name string, line int) string {
	return Path("", "audit", "rules_files") + fmt.Sprintf("[%s:%d]", name, line)
}

// auditFileLine returns the place of a path that AuditFilePath made, or of a part below
// it.
func (d *Document) auditFileLine(path string) (name string, line, column int, ok bool) {
	if d.Audit == nil {
		return "", 0, 0, false
	}
	for _, f := range d.Audit.Files {
		rest, ok := strings.CutPrefix(path, strings.TrimSuffix(AuditFilePath(f.Name, 0), "0]"))
		number, _, ended := strings.Cut(rest, "]")
		line, err := strconv.Atoi(number)
		if !ok || !ended || err != nil || line < 1 {
			continue
		}
		if lines := strings.SplitN(f.Text, "\n", line+1); len(lines) >= line {
			text := lines[line-1]
			return f.Name, line, 1 + len(text) - len(strings.TrimLeft(text, " \t")), true
		}
	}
	return "", 0, 0, false
}

// ruleFile is a file of audit rules while the document is read.
type ruleFile struct {
	*source
	info os.FileInfo
}

var auditFilesKey = key[Audit]{
	name: "rules_files",
	doc: "files of rules, whose rules come before `rules`: paths or globs, relative ones from the directory of this file; " +
		"those of a glob in augenrules' order",
	schema: schema{"type": []string{"array", "null"}, "items": schema{"type": "string"}},
	read: func(d *decoder, n ref, a *Audit) bool {
		switch d.t.shape(n) {
		case isNull:
			return true
		case isList:
		default:
			return d.want(n, "a list")
		}
		ok := true
		for i, e := 0, n+1; i < d.t.count(n); i, e = i+1, d.t.next(e) {
			d.pushIndex(i)
			ok = d.auditFiles(e, a) && ok
			d.pop()
		}
		return ok
	},
	write: func(w *writer, a *Audit) {
		if len(a.RulesFiles) == 0 {
			return
		}
		w.key("rules_files")
		w.openList(false)
		for _, pattern := range a.RulesFiles {
			w.item()
			w.text(pattern)
		}
		w.close()
	},
}

// auditFiles reads the files that a path or a glob names.
func (d *decoder) auditFiles(n ref, a *Audit) bool {
	pattern, ok := d.word(n, "a path or a glob")
	if !ok {
		return false
	}
	if pattern == "" {
		return d.fail(n, "the path is empty")
	}
	if dir := filepath.Dir(d.src.name); d.src.name != "-" && dir != "." && !filepath.IsAbs(pattern) {
		pattern = strings.TrimRight(literal(dir), "/") + "/" + pattern
	}
	a.RulesFiles = append(a.RulesFiles, pattern)
	names, err := Glob(pattern)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		path, _ := plain(pattern)
		return d.fail(n, "there is no file %s", path)
	case errors.Is(err, filepath.ErrBadPattern):
		return d.fail(n, "%s is no glob that can be understood", pattern)
	case err != nil:
		return d.fail(n, "%v", err)
	}
	for _, name := range names {
		if err := d.auditFile(name, a); err != nil {
			ok = d.fail(n, "%s %v", name, err)
		}
	}
	return ok
}

// auditFile reads one file, unless it was read before.
func (d *decoder) auditFile(name string, a *Audit) error {
	text, info, err := readRules(name)
	if err != nil {
		return err
	}
	for _, f := range d.ruleFiles {
		if os.SameFile(f.info, info) {
			return nil
		}
	}
	a.Files = append(a.Files, AuditFile{Name: name, Text: text})
	d.ruleFiles = append(d.ruleFiles, ruleFile{&source{name: name, text: text}, info})
	return nil
}

// maxRules is how long a file of rules may be: what is longer is none.
const maxRules = 16 << 20

// readRules reads a file of rules if nobody but root and the user may have written it,
// as auditctl -R does. Its errors go on from the name.
func readRules(name string) (text string, info os.FileInfo, err error) {
	// To open what is no file may do something, or wait.
	if info, err = os.Stat(name); err == nil {
		err = checkRules(info)
	}
	if err != nil {
		return "", nil, unreadable(err)
	}
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", nil, unreadable(err)
	}
	defer f.Close()
	if info, err = f.Stat(); err == nil { // it may be another one by now
		err = checkRules(info)
	}
	if err != nil {
		return "", nil, unreadable(err)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxRules+1))
	if err != nil {
		return "", nil, unreadable(err)
	}
	if len(b) > maxRules {
		return "", nil, fmt.Errorf("has more than %d bytes", maxRules)
	}
	return string(b), info, nil
}

// unreadable leaves out what a message about a file says anyway.
func unreadable(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return fmt.Errorf("cannot be read: %w", e.Err)
	}
	return err
}

// checkRules tells why a file is not trusted.
func checkRules(info os.FileInfo) error {
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	switch {
	case info.IsDir():
		return errors.New("is a directory: a glob names what is in it")
	case !info.Mode().IsRegular():
		return errors.New("is not a regular file")
	case info.Mode().Perm()&0o002 != 0:
		return errors.New("can be written by everybody")
	case owner != 0 && owner != os.Geteuid():
		return fmt.Errorf("belongs to the user %d: want root, or who runs nlapply", owner)
	}
	return nil
}

// checkAuditFiles has the vocabulary look at the files, when the document is complete
// but for mistakes.
func (d *decoder) checkAuditFiles(doc *Document) {
	v, ok := d.vocab.vocabulary.(AuditVocabulary)
	if !ok || doc.Audit == nil || len(doc.Audit.Files) == 0 {
		return
	}
	for _, p := range v.CheckAuditFiles(doc.Audit) {
		if o, written := d.layout.namespace("").audit[p.Key]; written {
			d.fail(d.at(o, "", "audit", p.Key), "%s", p.Reason)
			continue
		}
		src := d.ruleFiles[p.File].source
		d.errs = append(d.errs, placed{src, src.offset(p.Line, p.Column), "", p.Reason})
	}
}
