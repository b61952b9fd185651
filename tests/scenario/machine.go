package scenario

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/nlapply/nlapply/internal/testaudit"
	"github.com/nlapply/nlapply/tests/tools"
)

// MachineMain is the TestMain of a package with scripts about the audit system, of which
// a machine has one: they run in the machine's own namespaces. It does not return.
func MachineMain(m *testing.M) {
	if commands[filepath.Base(os.Args[0])] == nil {
		flag.Parse()
		if cache, err := tools.OpenCache(); err == nil {
			cache.UsePath()
		}
		flag.Set("test.parallel", "1") // they share the machine
		if err := testaudit.Lock(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		handleInterrupt()
	}
	testscript.Main(m, commands)
}

// RunOnMachine runs the scripts of a directory one after the other, each from an audit
// system without rules, with its settings as after boot. They change the machine, so it
// has to be one that the tests made.
func RunOnMachine(t *testing.T, dir string) {
	onMachine(t, dir, func(env *testscript.Env) error {
		env.Defer(func() {
			err := EmptyAudit()
			for range 10 { // a watcher of the script may not be quite dead
				if err == nil {
					return
				}
				time.Sleep(300 * time.Millisecond)
				err = EmptyAudit()
			}
			if err != nil {
				env.T().Fatal(err)
			}
		})
		return EmptyAudit()
	})
}

// RunLastOnMachine is RunOnMachine for a script that makes the audit system
// unchangeable: none can come after it in the machine, so others come before it.
func RunLastOnMachine(t *testing.T, dir string) {
	onMachine(t, dir, func(*testscript.Env) error {
		if err := testaudit.Yield(); err != nil {
			return err
		}
		return EmptyAudit()
	})
}

func onMachine(t *testing.T, dir string, prepare func(*testscript.Env) error) {
	if !testaudit.Allowed() {
		t.Skip(testaudit.Reason)
	}
	logEverything(t)
	runScripts(t, func(env *testscript.Env) error {
		setup(env)
		return prepare(env)
	}, dir, nil)
}

// logEverything has the kernel's log take every record, however many there are: scripts
// look for records in it.
func logEverything(t *testing.T) {
	const limit = "/proc/sys/kernel/printk_ratelimit"
	before, err := os.ReadFile(limit)
	if err == nil {
		err = os.WriteFile(limit, []byte("0"), 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.WriteFile(limit, before, 0) })
}

// bootSettings are the audit system's after boot.
const bootSettings = "-D\n-e 0\n-f 1\n-r 0\n-b 64\n--backlog_wait_time 15000\n"

// EmptyAudit takes all rules away and sets what it was after boot.
func EmptyAudit() error {
	name := filepath.Join(os.TempDir(), "boot.rules")
	if err := os.WriteFile(name, []byte(bootSettings), 0o600); err != nil {
		return err
	}
	defer os.Remove(name)
	out, err := exec.Command("auditctl", "-R", name).CombinedOutput()
	if err != nil {
		return fmt.Errorf("auditctl -R: %w: %s", err, out)
	}
	if out, err = exec.Command("auditctl", "-l").CombinedOutput(); err != nil || !bytes.Equal(bytes.TrimSpace(out), []byte("No rules")) {
		return errors.Join(err, fmt.Errorf("rules that do not go: %s", out))
	}
	return nil
}
