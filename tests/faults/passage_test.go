package faults_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nlapply/nlapply/tests/fault"
	"github.com/nlapply/nlapply/tests/normalize"
	"github.com/nlapply/nlapply/tests/scenario"
)

// A passage is one command, from one state of the kernel to another, during which
// things go wrong.
type passage struct {
	name    string   // DOCUMENT/WAY
	dir     string   // of the document's files
	old     string   // the document that is applied before, "" for none
	command []string // of nlapply, without the format of the output
	victims []victim
	meddle  []string // what others do at random
	norm    *normalize.Normalizer

	// What a run without faults comes to.
	before, goal string          // states
	kept         []string        // objects that are in both
	others       map[string]bool // objects of others on links of ours: the plan may interrupt them
	plain        result
	sends        [][]message
	mu           sync.Mutex
	rests        map[string]string // states before without a victim; guarded by mu
	proofs       map[string]bool   // messages behind the last one that changes something
}

// victim is something that others take away in the middle.
type victim struct {
	name         string
	kill, repair string // commands; repair comes before the next run
	foreign      bool   // nlapply does not make it again
}

// message is one message of a send, as package fault logs it.
type message struct{ how, name string }

// ways are what is done with each document.
var ways = []struct {
	name, old string
	command   []string
}{
	{"create", "", []string{"--full", "-f", "net.yaml"}},
	{"change", "old.yaml", []string{"--full", "-f", "net.yaml"}},
	{"delete", "net.yaml", []string{"delete", "--full", "-f", "net.yaml"}},
	{"plan", "old.yaml", []string{"plan", "--full", "-f", "net.yaml"}},
	{"dump", "old.yaml", []string{"dump"}},
}

// passages unpacks the documents of testdata, less the lines that this kernel has
// nothing for. A sample in an emulated machine is of one document, drawn by the seed.
func passages(t *testing.T) (all []*passage) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no documents", err)
	}
	if *which == "sample" && os.Getenv("NLAPPLY_TEST_EMULATED") != "" { // a document takes minutes there
		i := *seed % uint64(len(files))
		files = files[i : i+1]
	}
	vlans, err := scenario.Holds("try:ip link add br0 type bridge vlan_filtering 1")
	if err != nil {
		t.Fatal(err)
	}
	lacks := regexp.MustCompile(`(?m)^.* # vlans\n`)
	if vlans {
		lacks = regexp.MustCompile(`(?m)^.* # no vlans\n`)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		dir, text := t.TempDir(), map[string]string{}
		for _, f := range archive.Files {
			text[f.Name] = lacks.ReplaceAllString(string(f.Data), "")
			if err := os.WriteFile(filepath.Join(dir, f.Name), []byte(text[f.Name]), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for _, way := range ways {
			all = append(all, &passage{
				name: strings.TrimSuffix(filepath.Base(file), ".txtar") + "/" + way.name, dir: dir, old: way.old, command: way.command, rests: map[string]string{},
				victims: victims(text["vanish"]), meddle: lines(text["meddle"]),
				norm: &normalize.Normalizer{Written: hardwareAddress.FindAllString(fmt.Sprint(text), -1), Protocols: []string{"110", "120"}},
			})
		}
	}
	return all
}

var hardwareAddress = regexp.MustCompile(`\b[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}\b`)

func victims(text string) (list []victim) {
	for _, line := range lines(text) {
		name, rest, _ := strings.Cut(line, ": ")
		kill, repair, _ := strings.Cut(rest, " => ")
		name, foreign := strings.CutSuffix(name, "!")
		list = append(list, victim{name, kill, repair, foreign})
	}
	return list
}

func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}

// changes tells whether the command is one that changes something.
func (p *passage) changes() bool { return !slices.Contains([]string{"plan", "dump"}, p.command[0]) }

// begin puts the calling goroutine into the state before, perhaps without what others
// have on links of ours.
func (p *passage) begin(others bool) error {
	if err := scenario.Isolate(); err != nil {
		return err
	}
	if err := p.shell("sh", "-e", "setup.sh"); err != nil {
		return err
	}
	if p.old == "" {
		return nil
	}
	if r := p.nlapply(nil, "-f", p.old); r.status != 0 {
		return fmt.Errorf("%s: %s", p.old, r)
	}
	if p.old == "old.yaml" && others {
		return p.shell("sh", "-e", "others.sh")
	}
	return nil
}

func (p *passage) shell(argv ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.WaitDelay = p.dir, time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, out)
	}
	return nil
}

// learn runs the passage without faults.
func (p *passage) learn() error {
	return alone(func() (err error) {
		if err = p.begin(false); err != nil {
			return err
		}
		bare, err := scenario.State(p.norm)
		if err != nil {
			return err
		}
		if err = p.begin(true); err != nil {
			return err
		}
		if p.before, err = scenario.State(p.norm); err != nil {
			return err
		}
		log := filepath.Join(p.dir, strings.ReplaceAll(p.name, "/", "-")+".log")
		if p.plain = p.nlapply([]string{fault.EnvLog + "=" + log}, p.command...); !slices.Contains([]int{0, 2}, p.plain.status) {
			return fmt.Errorf("without a fault: %s", p.plain)
		}
		if p.goal, err = scenario.State(p.norm); err != nil {
			return err
		}
		p.others = set(missing(objects(p.before), objects(bare)))
		p.kept = common(objects(p.before), objects(p.goal))
		p.sends, err = readLog(log)
		p.proving()
		return err
	})
}

// proving notes which messages only prove that all is done.
func (p *passage) proving() {
	p.proofs = map[string]bool{}
	for _, send := range p.sends {
		for _, m := range send {
			p.proofs[m.name] = true
			if m.how == fault.Writes {
				clear(p.proofs)
			}
		}
	}
}

// common returns what is in both lists.
func common(a, b []string) (both []string) {
	in := set(b)
	for _, o := range a {
		if in[o] {
			both = append(both, o)
		}
	}
	return both
}

func set(list []string) map[string]bool {
	m := map[string]bool{}
	for _, s := range list {
		m[s] = true
	}
	return m
}

// readLog reads the messages that a run sent, send by send.
func readLog(file string) (sends [][]message, err error) {
	data, err := os.ReadFile(file)
	last := ""
	for _, line := range lines(string(data)) {
		var n string
		var m message
		if _, err := fmt.Sscan(line, &n, &m.how, &m.name); err != nil {
			continue
		}
		if n != last {
			sends, last = append(sends, nil), n
		}
		sends[len(sends)-1] = append(sends[len(sends)-1], m)
	}
	return sends, err
}

// alone runs f on a goroutine of its own, whose thread, and all namespaces that f
// makes, end with it.
func alone(f func() error) error {
	done := make(chan error)
	go func() { done <- f() }()
	return <-done
}
