package scenario

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// edits changes the files of a watched document in every way that editors and
// programs do, in random order, and compares each time what ip reports with what
// the last valid document says:
//
//	edits [-n N] [-seed SEED]
//
// It works in the current directory, beside `nlapply watch -f net.yaml -f conf.d
// -f mounted`, which is started when the program says "ready". Every file declares
// routes of its own in table 77. The first of a file says which edit made it; the
// others are constant, so whoever applies the beginning of a file prunes them.
func edits() {
	flags := flag.NewFlagSet("edits", flag.ExitOnError)
	n := flags.Int("n", 40, "how many edits")
	seed := flags.Uint64("seed", uint64(time.Now().UnixNano()), "of the random order")
	flags.Parse(os.Args[1:])
	e := &editor{Rand: rand.New(rand.NewPCG(*seed, 0)), want: map[string]int{}}
	fmt.Println("seed", *seed)
	if err := e.run(*n); err != nil {
		fail(fmt.Sprintf("seed %d, edit %d: %v", *seed, e.count, err))
	}
}

// An editor edits the files of a document.
type editor struct {
	*rand.Rand
	count int
	// want holds, by the file, which edit's content is in force.
	want map[string]int
	last string // the directory that is mounted
	// invalid are the markers of content that was not valid.
	invalid []string
}

// run makes n edits.
func (e *editor) run(n int) error {
	if err := e.begin(); err != nil {
		return err
	}
	fmt.Println("ready")
	if err := e.settle(); err != nil {
		return err
	}
	for range n {
		what, err := e.edit()
		if err == nil && e.IntN(4) > 0 { // else it is one of several in a row
			err = e.settle()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		fmt.Println(e.count, what)
	}
	if err := e.settle(); err != nil {
		return err
	}
	return os.WriteFile("invalid", []byte(strings.Join(e.invalid, "\n")+"\n"), 0o644)
}

// files are those that are always there, with the second byte of their routes.
var files = map[string]int{"net.yaml": 0, "conf.d/0.yaml": 1, "mounted/net.yaml": 2}

// constants is how many routes of a file never change.
const constants = 20

// marker is the route that tells which edit wrote a file.
func marker(file string, edit int) string {
	return fmt.Sprintf("10.%d.%d.%d", fileNumber(file), 100+edit/250, edit%250)
}

func constant(file string, i int) string {
	return fmt.Sprintf("10.%d.0.%d", fileNumber(file), i)
}

// fileNumber is the second byte of a file's routes: for conf.d/N.yaml it is 1+N.
func fileNumber(file string) int {
	if n, ok := files[file]; ok {
		return n
	}
	var n int
	fmt.Sscanf(file, "conf.d/%d.yaml", &n)
	return 2 + n
}

// text is a file as an edit writes it.
func text(file string, edit int) []byte {
	var b strings.Builder
	if file == "net.yaml" {
		fmt.Fprintln(&b, "version: 1\nrules: [{priority: 77, table: 77}]")
	}
	fmt.Fprintf(&b, "routes:\n- {type: blackhole, to: %s/32, table: 77}\n", marker(file, edit))
	for i := range constants {
		fmt.Fprintf(&b, "- {type: blackhole, to: %s/32, table: 77}\n", constant(file, i))
	}
	return []byte(b.String())
}

// begin writes the first document.
func (e *editor) begin() error {
	for _, dir := range []string{"conf.d", "mounted"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	for _, file := range []string{"net.yaml", "conf.d/0.yaml"} {
		if err := os.WriteFile(file, text(file, 0), 0o644); err != nil {
			return err
		}
		e.want[file] = 0
	}
	e.want["mounted/net.yaml"] = 0
	return errors.Join(e.mount(text("mounted/net.yaml", 0)), os.Symlink("..data/net.yaml", "mounted/net.yaml"))
}

// mount replaces the content of the mounted directory as Kubernetes does.
func (e *editor) mount(content []byte) error {
	dir := fmt.Sprintf("..%d", e.count)
	err := errors.Join(
		os.Mkdir(filepath.Join("mounted", dir), 0o755),
		os.WriteFile(filepath.Join("mounted", dir, "net.yaml"), content, 0o644),
		os.Symlink(dir, "mounted/..data_tmp"),
		os.Rename("mounted/..data_tmp", "mounted/..data"),
	)
	if e.last != "" {
		err = errors.Join(err, os.RemoveAll(filepath.Join("mounted", e.last)))
	}
	e.last = dir
	return err
}

// ways are the ways to give a file new content.
var ways = []struct {
	name string
	edit func(e *editor, file string, content []byte) error
}{
	{"written in place", func(_ *editor, file string, content []byte) error {
		return os.WriteFile(file, content, 0o644)
	}},
	{"written in place, slowly", (*editor).slowly},
	{"appended to after it was emptied", func(_ *editor, file string, content []byte) error {
		f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := f.Truncate(0); err != nil {
			return err
		}
		_, err = f.Write(content)
		return err
	}},
	{"renamed over", func(_ *editor, file string, content []byte) error {
		return errors.Join(os.WriteFile(".new", content, 0o644), os.Rename(".new", file))
	}},
	{"moved aside as a backup, written and the backup deleted", (*editor).backup},
	{"missing for a moment", func(e *editor, file string, content []byte) error {
		err := os.Rename(file, ".aside")
		time.Sleep(time.Duration(e.IntN(300)) * time.Millisecond)
		return errors.Join(err, os.WriteFile(".aside", content, 0o644), os.Rename(".aside", file))
	}},
	{"deleted and linked", func(_ *editor, file string, content []byte) error {
		return errors.Join(os.WriteFile(".new", content, 0o644), os.Remove(file), os.Link(".new", file), os.Remove(".new"))
	}},
	{"replaced by a hard link", func(_ *editor, file string, content []byte) error {
		return errors.Join(os.WriteFile(".new", content, 0o644), os.Link(".new", ".link"), os.Rename(".link", file), os.Remove(".new"))
	}},
}

// slowly writes in pieces, with pauses.
func (e *editor) slowly(file string, content []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	for len(content) > 0 {
		n := min(len(content), 100+e.IntN(500))
		if i := strings.IndexByte(string(content[n:]), '\n'); i >= 0 {
			n += i + 1 // whole lines, which are a document by themselves
		}
		if _, err := f.Write(content[:n]); err != nil {
			return err
		}
		content = content[n:]
		time.Sleep(time.Duration(e.IntN(250)) * time.Millisecond)
	}
	return nil
}

// backup is what vi does, and others.
func (e *editor) backup(file string, content []byte) error {
	err := os.Rename(file, file+"~")
	time.Sleep(time.Duration(e.IntN(30)) * time.Millisecond)
	return errors.Join(err, os.WriteFile(file, content, 0o644), os.Remove(file+"~"))
}

// edit changes something and says what.
func (e *editor) edit() (what string, err error) {
	e.count++
	switch file := e.pick(); e.IntN(8) {
	case 0:
		return e.mounted()
	case 1:
		return e.directory()
	case 2:
		now := time.Now()
		return file + " touched", os.Chtimes(file, now, now)
	case 3: // content that is not valid, and then one that is
		e.invalid = append(e.invalid, marker(file, e.count))
		what, err := e.write(file, append(text(file, e.count), "- {type: nonsense}\n"...))
		time.Sleep(time.Duration(e.IntN(400)) * time.Millisecond)
		if err != nil {
			return what, err
		}
		e.count++
		more, err := e.write(file, text(file, e.count))
		e.want[file] = e.count
		return what + ", not valid; " + more, err
	default:
		e.want[file] = e.count
		return e.write(file, text(file, e.count))
	}
}

// pick returns one of the plain files.
func (e *editor) pick() string {
	return []string{"net.yaml", "conf.d/0.yaml"}[e.IntN(2)]
}

func (e *editor) write(file string, content []byte) (what string, err error) {
	w := ways[e.IntN(len(ways))]
	return file + " " + w.name, w.edit(e, file, content)
}

// mounted swaps the mounted directory.
func (e *editor) mounted() (what string, err error) {
	const file = "mounted/net.yaml"
	e.want[file] = e.count
	return file + " swapped", e.mount(text(file, e.count))
}

// directory adds or removes a file of the directory.
func (e *editor) directory() (what string, err error) {
	file := fmt.Sprintf("conf.d/%d.yaml", 1+e.IntN(3))
	if _, there := e.want[file]; there {
		delete(e.want, file)
		return file + " removed", os.Remove(file)
	}
	e.want[file] = e.count
	return file + " added", os.WriteFile(file, text(file, e.count), 0o644)
}

// settle waits until ip reports what the files say.
func (e *editor) settle() error {
	var want []string
	for file, edit := range e.want {
		want = append(want, marker(file, edit))
		for i := range constants {
			want = append(want, constant(file, i))
		}
	}
	slices.Sort(want)
	for end := time.Now().Add(patience); ; time.Sleep(30 * time.Millisecond) {
		have, err := routesNow()
		if err != nil {
			return err
		}
		if slices.Equal(have, want) {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("have %v\nwant %v", have, want)
		}
	}
}

// routesNow returns the routes of table 77, sorted.
func routesNow() (list []string, err error) {
	out, err := exec.Command("ip", "-o", "route", "show", "table", "77").CombinedOutput()
	if err != nil && !strings.Contains(string(out), "FIB table does not exist") {
		return nil, fmt.Errorf("ip: %w: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "blackhole" {
			list = append(list, f[1])
		}
	}
	slices.Sort(list)
	return list, nil
}
