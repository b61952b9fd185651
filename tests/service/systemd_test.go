package service_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// unit reads the systemd unit, or its drop-in, with the command at another path.
func unit(t *testing.T, name, command string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../examples/systemd", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "/usr/local/sbin/nlapply", command)
}

var execStart = regexp.MustCompile(`(?m)^ExecStart=(.*)$`)

// TestUnitVerifies has systemd read the unit, and nlapply its command line.
func TestUnitVerifies(t *testing.T) {
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, withNamespaces := range []bool{false, true} {
		dir := t.TempDir()
		file := filepath.Join(dir, "nlapply.service")
		write(t, file, unit(t, "nlapply.service", self))
		if withNamespaces {
			write(t, file+".d/namespaces.conf", unit(t, "nlapply.service.d/namespaces.conf", self))
		}
		out, err := exec.Command(verify, "verify", "--man=no", file).CombinedOutput()
		if err != nil {
			t.Errorf("with namespaces %v: %v\n%s", withNamespaces, err, out)
		}
		for line := range strings.Lines(string(out)) {
			// systemd before 253; the unit says what follows
			if strings.Contains(line, file) && !strings.Contains(line, "ignoring: notify-reload") {
				t.Errorf("with namespaces %v: %s", withNamespaces, line)
			}
		}
	}
	line := execStart.FindStringSubmatch(unit(t, "nlapply.service", "nlapply"))
	if line == nil {
		t.Fatal("no ExecStart")
	}
	commandLine(t, strings.Fields(line[1])[1:])
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
